"""`.ci/quick-tests`: which tests belong to what changed, and an end in time."""

import importlib.util
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

from tests import ROOT

SCRIPT = ROOT / ".ci" / "quick-tests"
TREE = (
    "tests/house/test_architecture.py",
    "tests/house/test_docs.py",
    "tests/house/test_face.py",
    "tests/house/test_importing_page.py",
    "tests/analysis/test_invariance.py",
    "tests/analysis/kernels/test_fitted.py",
    "tests/analysis/kernels/test_classes.py",
    "tests/analysis/observers/linear.py",
    "tests/app/test_cli.py",
    "tests/app/test_demo.py",
    "tests/app/web/test_server.py",
    "tests/app/web/conftest.py",
    "tests/browser/test_screen.py",
)


@pytest.fixture(scope="module")
def quick():
    """Return the script as a module."""
    loader = SourceFileLoader("quick_tests", str(SCRIPT))
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader("quick_tests", loader)
    )
    loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    """Return a folder with tests of a house that is made up."""
    root = tmp_path_factory.mktemp("tree")
    for file in TREE:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text("")
    return root


@pytest.mark.parametrize(
    ("file", "tests"),
    [
        (
            "analysis/kernels/fitted.py",
            ["analysis/kernels/test_fitted.py", "analysis/kernels"],
        ),
        ("analysis/kernels/other.py", ["analysis/kernels"]),
        ("analysis/plot/figure.py", ["analysis/test_invariance.py"]),
        ("app/demo.py", ["app/test_demo.py", "app/test_cli.py"]),
        ("app/web/templates/trial.html", ["app/web"]),
        ("yoked/__init__.py", ["house/test_face.py", "house/test_docs.py"]),
        ("docs/api.md", ["house/test_docs.py", "house/test_importing_page.py"]),
        ("static/js/main.js", ["browser"]),
        ("tests/app/test_cli.py", ["app/test_cli.py"]),
        ("tests/app/web/conftest.py", ["app/web"]),
        ("tests/analysis/observers/linear.py", ["analysis"]),
        ("tests/app/test_gone.py", []),
        ("CHANGELOG.md", []),
    ],
)
def test_a_file_has_the_tests_of_its_room_and_the_architecture(
    quick, tree, file, tests
):
    expected = ["tests/house/test_architecture.py", *(f"tests/{one}" for one in tests)]
    assert quick.chosen([file], tree) == expected


def test_tests_that_changed_come_first_and_each_comes_once(quick, tree):
    files = ["app/cli.py", "app/demo.py", "tests/analysis/kernels/test_classes.py"]
    assert quick.chosen(files, tree)[1:] == [
        "tests/analysis/kernels/test_classes.py",
        "tests/app/test_cli.py",
        "tests/app/test_demo.py",
    ]


def test_every_place_that_is_named_exists(quick):
    places = {quick.ALWAYS, *quick.HOUSES, *quick.ELSEWHERE}
    places |= {test for tests in quick.ELSEWHERE.values() for test in tests}
    assert not [place for place in places if not (ROOT / place).exists()]


def test_what_differs_from_main_has_changed_and_so_has_what_is_new(quick, tmp_path):
    def git(*arguments):
        who = ["-c", "user.name=p1", "-c", "user.email=p1@example.org"]
        command = ["git", "-C", str(tmp_path), *who, *arguments]
        subprocess.run(command, check=True, capture_output=True, timeout=60)

    def write(name, text):
        (tmp_path / name).write_text(text)

    git("init", "--initial-branch", "main")
    for name in ("same.py", "edited.py", "committed.py"):
        write(name, "")
    write(".gitignore", "ignored.py\n")
    git("add", ".")
    git("commit", "--message", "first")
    git("switch", "--create", "work")
    write("committed.py", "1")
    git("commit", "--all", "--message", "second")
    for name in ("edited.py", "new.py", "ignored.py"):
        write(name, "2")
    assert quick.changed(tmp_path) == ["committed.py", "edited.py", "new.py"]


def ran(tmp_path, seconds, text, grace=60):
    """Run tests within a limit, in a process of their own."""
    (tmp_path / "test_made.py").write_text(text)
    code = f"""
import runpy
quick = runpy.run_path({str(SCRIPT)!r})
raise SystemExit(quick["run"](["."], quick["Limit"]({seconds}, {grace})))
"""
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=120
    )


THREE = "def test_1(): assert {}\ndef test_2(): pass\ndef test_3(): pass\n"


def test_when_time_is_over_the_rest_is_left_and_that_is_said(tmp_path):
    done = ran(tmp_path, 0, THREE.format(True))
    assert done.stdout.splitlines()[-1] == (
        "0 s are over: 2 of the 3 tests of what changed were NOT run;"
        " `make test` runs all."
    )
    assert done.returncode == 0


def test_a_test_that_takes_too_long_is_left_too(tmp_path):
    text = "import time\ndef test_1(): pass\ndef test_2(): time.sleep(100)\n"
    done = ran(tmp_path, 8, text, grace=1)
    assert "8 s are over: 1 of the 2 tests" in done.stdout.splitlines()[-1]
    assert done.returncode == 0


@pytest.mark.parametrize("seconds", [0, 600])
def test_what_fails_within_the_time_is_a_failure(tmp_path, seconds):
    assert ran(tmp_path, seconds, THREE.format(False)).returncode == 1


def test_what_fits_is_run_and_nothing_more_is_said(tmp_path):
    done = ran(tmp_path, 600, THREE.format(True))
    assert done.stdout.splitlines()[-1].startswith("3 passed in")
    assert done.returncode == 0
