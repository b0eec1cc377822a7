"""The commands of the analysis, as a user calls them."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from yoked.analysis.plot import figure
from yoked.app.cli import cli
from yoked.app.commands.plotting import PLOTS
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.store.sqlite import open_store
from yoked.models.observers.template import Template
from yoked.models.simulate import run

# Plots that a 2afc of one contrast has no data for; they have tests of their own.
OF_OTHER_TASKS = ("roc", "psychometric", "equivalent-noise")


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """Give a database with a template, one yoked to it, and a third on its own."""
    path = tmp_path_factory.mktemp("commands") / "results.db"
    store = open_store(path)
    protocol = load_protocol("bar-in-noise").with_options(trials=400, contrast=0.227)
    first = run(protocol, Template(), store=store, seed=1, internal_noise=1.0)
    run(
        None,
        Template(efficiency=0.5),
        store=store,
        yoke_to=first.id,
        internal_noise=1.0,
        observer_seed=2,
    )
    names = [row.id for row in store.sessions()]
    store.close()
    return path, names


def yoked(*arguments):
    return CliRunner().invoke(cli, [str(each) for each in arguments])


@pytest.fixture(scope="module")
def analysed(log, tmp_path_factory):
    """Analyse one session once: what is printed, and the archive of its kernels."""
    path, names = log
    target = tmp_path_factory.mktemp("analysed") / "kernels.npz"
    options = ("--permutations", 39, "--bootstrap", "trial", "--arrays", target)
    done = yoked("analyse", path, names[0], *options)
    assert done.exit_code == 0, done.output
    return done.stdout, target


def test_analyse_gives_all_orders_as_json(analysed):
    (row,) = json.loads(analysed[0])
    assert row["order_1"]["fitted"]["formula"] == "kernel-penalised-probit/2"
    assert row["order_2"]["spectrum"]["n_permutations"] == 39
    assert row["order_0"]["dprime_bootstrap"]["n"] == 400


def test_analyse_gives_a_table_of_what_was_asked_for(log):
    path, names = log
    done = yoked("analyse", path, names[0], "--orders", 1, "--table")
    assert "kernel (bits)" in done.stdout
    assert "cascade" not in done.stdout


def test_analyse_writes_every_kernel_into_an_archive(log, analysed):
    _, names = log
    with np.load(analysed[1]) as arrays:
        assert arrays[f"{names[0]}/two.kernel.kernel"].shape == (13, 13)
        assert arrays[f"{names[0]}/one.fitted.unshrunken.kernel.se"].shape == (1, 1, 13)


def test_compare_has_the_depth_profile(log):
    path, names = log
    done = yoked("compare", path, *names)
    assert done.exit_code == 0, done.output
    (row,) = json.loads(done.stdout)
    assert [depth["order"] for depth in row["depth_profile"]["depths"]] == [0, 1, 2]
    assert row["latent"]["correlation"]["formula"] == "tetrachoric-thresholds-held/1"
    assert row["kappa"]["ceiling"]
    table = yoked("compare", path, *names, "--table").stdout
    assert "first-order kernel (share)" in table


def test_a_group_needs_two_observers(log):
    path, _ = log
    done = yoked("group", path)
    assert done.exit_code == 1
    assert done.stderr.strip().splitlines()[-1].startswith("Error: ")
    assert "two" in done.stderr


def test_a_group_is_averaged(tmp_path):
    store = open_store(tmp_path / "group.db")
    protocol = load_protocol("bar-in-noise").with_options(trials=300, contrast=0.227)
    for seed, name in enumerate(("p10", "p2", "p1")):
        observer = Template()
        observer.name = name
        run(protocol, observer, store=store, seed=seed + 1, internal_noise=1.0)
    store.close()
    done = yoked("group", tmp_path / "group.db")
    assert done.exit_code == 0, done.output
    row = json.loads(done.stdout)
    assert row["observers"] == ["p1", "p10", "p2"]
    assert int(np.argmax(row["kernel"][0][0])) == 6
    assert "lower ceiling" in yoked("group", tmp_path / "group.db", "--table").stdout


@pytest.mark.parametrize("what", [w for w in PLOTS if w not in OF_OTHER_TASKS])
def test_every_plot_is_written(log, tmp_path, what):
    path, _ = log
    for ending in ("svg", "png"):
        target = tmp_path / f"{what}.{ending}"
        done = yoked("plot", path, what, "-o", target)
        assert done.exit_code == 0, done.output
        start = target.read_bytes()[:10]
        assert start.startswith(b"\x89PNG" if ending == "png" else b"<?xml")


def test_the_command_draws_what_the_face_draws():
    drawn = [name.replace("-", "_") for name in PLOTS]
    # Networks' own: `yoked white-box -o` and `yoked v1 -o` draw them.
    assert sorted([*drawn, "v1", "white_box"]) == sorted(figure.__all__)


def test_a_plot_that_cannot_be_says_why(log, tmp_path):
    path, _ = log
    done = yoked("plot", path, "roc", "-o", tmp_path / "roc.svg")
    assert "must be rating or yes_no for a ROC, got '2afc'" in done.stderr
    done = yoked("plot", path, "kernels", "-o", tmp_path / "kernels.txt")
    assert "the name of a plot must end in .png, .svg, .pdf" in done.stderr
    assert not list(tmp_path.iterdir())
