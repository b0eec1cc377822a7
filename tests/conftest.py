"""Fixtures that several test files share: a protocol, a database, the public data."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import ROOT

# Our matrices are small: a second thread of OpenBLAS or PyTorch only waits, and keeps a
# core busy. They read this when they are loaded, in processes that tests start as well.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.checking import check_calls_of

check_calls_of("yoked")

TOGETHER = ("tests/browser/", "tests/experiments/lab/real/")
SHARED_DATA = ROOT.parent / "shared" / "data"


class ByFile(LoadScopeScheduling):
    """Give each process whole files, whose fixtures are then made once.

    Tests of one browser, or of one screen, go to one process: they measure time, and
    press keys in the window that is in front.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::")[0]
        together = (place for place in TOGETHER if file.startswith(place))
        return next(together, file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    return ByFile(config, log)


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
