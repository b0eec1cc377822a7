"""What each part loads, seen from a fresh interpreter: nothing that it does not use."""

import json
import subprocess
import sys
import time
from functools import cache

import pytest

HEAVY = {"numpy", "scipy", "pandas", "numba", "torch", "flask", "sqlite_utils"}


@cache
def loaded_after(code: str) -> frozenset[str]:
    """Return the top-level names in sys.modules after running some code."""
    script = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stderr
    names = json.loads(run.stdout.splitlines()[-1])
    return frozenset(name.split(".")[0] for name in names)


def refusing(*packages: str) -> str:
    """Return code that makes the import of some packages fail."""
    return f"""
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {set(packages)!r}:
            raise ModuleNotFoundError(f"{{name}} is refused here", name=name)
sys.meta_path.insert(0, Refuse())
"""


def third_party(names: frozenset[str]) -> frozenset[str]:
    """Return the names that are neither Python's own, nor ours, nor a site hook."""
    bare = loaded_after("pass")
    return names - set(sys.stdlib_module_names) - bare - {"yoked"}


def test_the_help_loads_click_alone():
    names = loaded_after(
        "from yoked.app.cli import cli\ncli(['--help'], standalone_mode=False)"
    )
    assert third_party(names) == {"click"}


def test_the_help_comes_at_once():
    def seconds() -> float:
        start = time.perf_counter()
        command = [sys.executable, "-m", "yoked", "--help"]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        return time.perf_counter() - start

    assert min(seconds() for _ in range(3)) < 0.4


def test_importing_yoked_loads_no_third_party():
    assert third_party(loaded_after("import yoked")) == set()


def test_the_server_loads_neither_torch_nor_psychopy():
    assert not loaded_after("import yoked.app.web.server") & {"torch", "psychopy"}


def test_a_server_that_computes_results_and_starts_models_loads_neither():
    """Nor does it load what draws: each is in a process of its own."""
    code = """
import tempfile
from pathlib import Path
from yoked.app.web.server import create_app
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder, "results.db")
    host = create_app(path).extensions["yoked"]
    host.looker.find("a", "1", {"row": "nothing"})
    host.models.start("bars", "retina-cnn", [])
    with host.looker._changed:
        assert host.looker._changed.wait_for(lambda: host.looker._found, 60)
    assert "fault" in host.looker.find("a", "1", {}).answer
    host.close()
"""
    assert not loaded_after(code) & {"torch", "psychopy", "matplotlib"}


@pytest.mark.parametrize("room", ["experiments", "models", "analysis"])
def test_the_science_runs_without_the_web_and_the_lab(room):
    code = (
        refusing("flask", "waitress", "psychopy")
        + f"""
import importlib, pkgutil, yoked.{room} as room
for module in pkgutil.walk_packages(room.__path__, "yoked.{room}."):
    if ".lab" not in module.name:
        importlib.import_module(module.name)
"""
    )
    assert not loaded_after(code) & {"flask", "waitress", "psychopy"}


def test_the_analysis_runs_without_the_database_and_torch():
    code = (
        refusing("flask", "sqlite_utils", "psychopy", "torch", "matplotlib")
        + """
import importlib, pkgutil, yoked.analysis as room
for module in pkgutil.walk_packages(room.__path__, "yoked.analysis."):
    importlib.import_module(module.name)
"""
    )
    assert "numpy" in loaded_after(code)


def test_stimuli_are_made_without_the_database_and_torch():
    code = (
        refusing("flask", "sqlite_utils", "psychopy", "torch", "click")
        + """
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.stimulus.sources import noise_source
from yoked.experiments.stimulus.render import render
protocol = load_protocol("bar-in-noise")
table = {"stimulus_id": [1], "contrast": [0.2], "target": [0], "block_kind": ["main"]}
assert render(protocol, noise_source("yoked-1", protocol, 1), table).shape[0] == 1
"""
    )
    assert "numba" in loaded_after(code)


def test_the_refusal_refuses():
    code = (
        refusing("click")
        + """
try:
    import click
except ModuleNotFoundError as error:
    assert error.name == "click"
else:
    raise SystemExit("click came in")
"""
    )
    assert "click" not in loaded_after(code)
