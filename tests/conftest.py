"""Fixtures that several test files share: a protocol, a database, the public data."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import ROOT
from tests import postgres as postgres_server

# Our matrices are small: a second thread of OpenBLAS or PyTorch only waits, and keeps a
# core busy. They read this when they are loaded, in processes that tests start as well.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.signatures import check_signatures, new_test

# Calls of ours are checked against their signatures. jaxtyping's plugin for pytest
# would check every one, but has NumPy loaded before this file is read.
check_signatures("yoked")

# Examples are the same in every run, and a slow machine is no fault.
settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")

SHARED_DATA = ROOT.parent / "shared" / "data"

# Tests of one browser, or of one screen, measure time and press keys in the window that
# is in front: they have to be in one process.
TOGETHER = ("tests/browser/", "tests/experiments/lab/real/")
# What takes longest comes first, so that no process is long at it when others are done.
LONGEST = (
    "tests/models/networks/test_retina_cnn.py",
    "tests/experiments/lab/real/",
    "tests/browser/",
    "tests/app/test_demo.py",
    "tests/app/planning/test_power.py",
    "tests/app/commands/test_analysis.py",
    "tests/app/commands/test_rare_designs.py",
    "tests/app/reports/test_report.py",
    "tests/analysis/",
)


class ByFile(LoadScopeScheduling):
    """Give each process whole files, whose fixtures are then made once."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::")[0]
        return next((place for place in TOGETHER if file.startswith(place)), file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    config.option.loadscopereorder = False  # our order, not by the number of tests
    return ByFile(config, log)


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    def place(item: pytest.Item) -> int:
        found = (i for i, start in enumerate(LONGEST) if item.nodeid.startswith(start))
        return next(found, len(LONGEST))

    if hasattr(config, "workerinput"):  # in one of several processes
        items.sort(key=place)


def pytest_runtest_setup() -> None:
    new_test()


@pytest.fixture
def protocol():
    """Return the protocol that most tests run."""
    from yoked.experiments.protocols.files import load_protocol

    return load_protocol("bar-in-noise")


@pytest.fixture
def db_path(tmp_path: Path) -> Path:
    """Return where this test may make its trial log; nothing is there yet."""
    return tmp_path / "results.db"


@pytest.fixture(scope="session")
def postgres() -> Iterator[postgres_server.Server]:
    """Return a PostgreSQL server of this process of the tests."""
    with postgres_server.running() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def place(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path | str:
    """Return where a test may make a database: in a file, and on a server."""
    if request.param == "sqlite":
        return tmp_path / "results.db"
    monkeypatch.setenv("YOKED_SECRETS", str(tmp_path))
    return request.getfixturevalue("postgres").new()


@pytest.fixture
def fetched_weights(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Return a function that gives a test a network's pretrained weights, or skips it.

    Set-up fetches them into `.venv/weights`, which is then the cache of this test.
    """
    from yoked.models.networks.pretrained import weights_file

    def find(name: str) -> Path:
        folder = ROOT / ".venv" / "weights"
        monkeypatch.setenv("YOKED_CACHE", str(folder))
        if not weights_file(name).is_file():
            way = f"YOKED_CACHE=.venv/weights yoked weights {name}"
            pytest.skip(f"weights of {name} are not here: {way} fetches them")
        return weights_file(name)

    return find


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """Return a function from a name to a published data file, or a skip without it.

    The data are other people's and never in this repository; CONTRIBUTING.md says
    where they go.
    """

    def find(name: str) -> Path:
        path = SHARED_DATA / name
        if not path.exists():
            pytest.skip(f"{name} is not here: put the public data in ../shared/data")
        return path

    return find
