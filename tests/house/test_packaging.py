"""The wheel: everything is in it, and it runs from another folder."""

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests import ROOT

ROOMS = ("analysis", "app", "experiments", "models")
DATA = (
    "app/reports/templates/**/*",
    "app/web/languages/*.toml",
    "app/web/templates/**/*",
    "experiments/protocols/**/*.toml",
    "static/css/**/*.css",
    "static/js/**/*.js",
    "static/page/**/*",
    "static/plugin-noise-trial/**/*",
    "static/vendor/**/*",
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy of what it is made of; the checkout stays clean."""
    source = tmp_path_factory.mktemp("source")
    for name in (*ROOMS, "static", "yoked", "README.md", "LICENSE", "pyproject.toml"):
        (source / name).symlink_to(ROOT / name)
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    run = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *options, "-w", folder, source],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    (path,) = folder.glob("yoked-*.whl")
    return path


@pytest.fixture(scope="module")
def contents(wheel: Path) -> set[str]:
    """Return the names of the files in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def files_of_the_house(*patterns: str) -> set[str]:
    """Return where the wheel must have the files that match in the checkout."""
    found = {
        "yoked/" + path.relative_to(ROOT).as_posix()
        for pattern in patterns
        for path in ROOT.glob(pattern)
        if path.is_file()
    }
    return {name.replace("yoked/yoked/", "yoked/") for name in found}


def test_every_module_is_in_the_wheel(contents):
    modules = files_of_the_house(*(f"{room}/**/*.py" for room in (*ROOMS, "yoked")))
    assert len(modules) > 20
    assert modules <= contents


@pytest.mark.parametrize("pattern", DATA)
def test_every_file_that_is_served_or_loaded_is_in_the_wheel(contents, pattern):
    data = files_of_the_house(pattern)
    assert data, f"nothing matches {pattern}"
    assert data <= contents


def test_the_wheel_says_that_it_is_typed(contents):
    assert "yoked/py.typed" in contents


def test_nothing_generic_reaches_site_packages(contents):
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert {name.split("/")[0] for name in contents} == {
        "yoked",
        f"yoked-{version}.dist-info",
    }


def test_the_wheel_runs_from_another_folder(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "unpacked")
    code = (
        "import yoked.app, yoked.__main__; print(yoked.app.__file__);"
        "yoked.__main__.main()"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, "protocols"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "unpacked")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith(str(tmp_path / "unpacked"))
    assert "bar-in-noise" in run.stdout
