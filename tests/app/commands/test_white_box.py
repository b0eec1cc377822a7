"""`yoked white-box`: its picture, its numbers, and what it refuses."""

import json

import pytest
from click.testing import CliRunner

from yoked.analysis.plot import figure
from yoked.app.cli import cli
from yoked.experiments.protocols.files import load_protocol
from yoked.models.registry import load
from yoked.models.white_box.kernels import white_box

FEW = ("--trials", "100", "--contrast", "0.2", "--internal-noise", "0.5")


def asked(*arguments):
    return CliRunner().invoke(cli, ["white-box", *map(str, arguments)])


def test_the_command_prints_what_it_draws_and_the_same_again(tmp_path):
    command = (
        "bar-in-noise",
        "max",
        *FEW,
        "--order",
        2,
        "--layer",
        "0",
        "--json",
        "-o",
    )
    done = [asked(*command, tmp_path / f"{i}.svg") for i in (1, 2)]
    assert [each.exit_code for each in done] == [0, 0], done[0].output
    one, same = (json.loads(each.stdout) for each in done)
    assert (one["n"], one["two"]["order"], len(one["layer"]["units"])) == (100, 2, 13)
    assert one.pop("picture").endswith("1.svg")
    assert same.pop("picture").endswith("2.svg")
    assert one == same
    assert (tmp_path / "1.svg").read_bytes() == (tmp_path / "2.svg").read_bytes()


def test_a_table_names_the_layer_and_leaves_out_arrays():
    printed = asked("bar-in-noise", "energy", *FEW, "--layer", "0", "--table").stdout
    assert "units           2" in printed
    assert "kernel" not in printed


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("guesser",), "guesser must have scores(contrast) that can be differentiated"),
        (("energy", "--layer", "7"), "no layer named '7'; there are 0, 1, 2"),
        (("energy", "-o", "k.gif"), "the name of a plot must end in .png, .svg"),
        (("energy", "--option", "spread=-1"), "spread must be 0 or more, got -1"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(arguments, sentence):
    done = asked("bar-in-noise", *arguments)
    assert done.exit_code == 1
    assert sentence in done.stderr


@pytest.mark.parametrize("name", ["bar-in-noise", "gabor-in-noise", "movie-bar"])
@pytest.mark.parametrize("order", [1, 2])
def test_pictures_have_a_panel_for_each_half_and_unit(name, order):
    options = {"trials": 100, "orders": order, "internal_noise": 1.0, "layer": "0"}
    found = white_box(load_protocol(name), load("energy"), **options)
    drawn = figure.white_box(found, order)
    is_line = order == 1 and name == "bar-in-noise"
    titles = [axis.get_title() for axis in drawn.axes]
    assert [title.split()[0] for title in titles if title] == ["0", "1"]
    assert len(drawn.axes) - titles.count("") == 2
    assert len(titles) >= (4 if is_line else 6)
    images = [image for axis in drawn.axes for image in axis.images]
    assert len(images) == (0 if is_line else 5)
    assert all(image.norm.vmin == -image.norm.vmax for image in images)


def test_an_order_that_was_not_asked_for_cannot_be_drawn():
    found = white_box(
        load_protocol("bar-in-noise"), load("linear"), trials=100, orders=1
    )
    with pytest.raises(
        ValueError, match="a plot must have a kernel of order 2, got or"
    ):
        figure.white_box(found, 2)
    with pytest.raises(ValueError, match="order must be 1 or 2, got 3"):
        figure.white_box(found, 3)
