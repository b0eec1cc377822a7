"""Compiled functions work without a place for their cache: slower at first, no more."""

import ctypes
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import ROOT

ROOMS = ("analysis", "app", "experiments", "models", "static")
RENDER = """
import yoked
protocol = yoked.load_protocol("bar-in-noise")
session = yoked.run(protocol, yoked.load_observer("template"), seed=1, trials=8)
print(yoked.render(session.protocol, session.noise, session.trials).shape[0])
"""


@pytest.fixture(scope="module")
def read_only() -> Iterator[Path]:
    """An installation that cannot be written."""
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / "yoked"
        skipped = shutil.ignore_patterns("__pycache__", "vendor")
        shutil.copytree(ROOT / "yoked", package, ignore=skipped)
        for room in ROOMS:
            shutil.copytree(ROOT / room, package / room, ignore=skipped)
        for path in (Path(folder), *Path(folder).rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        yield Path(folder)
        for path in (Path(folder), *Path(folder).rglob("*")):
            path.chmod(0o755)


PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1


def obey_permissions() -> None:
    """Let root be refused what the mode of a file refuses its owner."""
    ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0)


def run(code: str, folder: Path | None = None, before=obey_permissions):
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    if folder is not None:
        environment |= {"PYTHONPATH": str(folder), "HOME": "/proc/nobody"}
        environment.pop("XDG_CACHE_HOME", None)
    return subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd="/",
        capture_output=True,
        text=True,
        preexec_fn=before,
    )


def test_a_trial_is_rendered_in_an_installation_that_cannot_be_written(read_only):
    where = run("import yoked; print(yoked.__file__)", read_only)
    assert where.stdout.startswith(str(read_only)), where.stderr
    done = run(RENDER, read_only)
    assert (done.stdout, done.stderr) == ("80\n", "")


def test_a_command_runs_in_an_installation_that_cannot_be_written(read_only, db_path):
    arguments = ["simulate", "bar-in-noise", "template", str(db_path), "--trials", "8"]
    code = f"""
import runpy, sys
sys.argv = ["yoked", *{arguments!r}]
runpy.run_module("yoked", run_name="__main__")
"""
    done = run(code, read_only)
    assert done.returncode == 0, done.stderr


def test_a_disk_that_is_full_costs_a_compilation_and_no_trial(tmp_path):
    def fill() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    code = f"import os; os.environ['NUMBA_CACHE_DIR'] = {str(tmp_path)!r}\n{RENDER}"
    done = run(code, before=fill)
    assert done.stdout == "80\n", done.stderr  # which complains of /dev/shm
    assert not list(tmp_path.rglob("*.nbc"))
