"""Pictures that all tests of regimes learn."""

import pytest

from .pictures import bars


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Give a folder with tables fit.csv and test.csv."""
    made = tmp_path_factory.mktemp("bars")
    bars(made, "fit", 192, seed=1)
    bars(made, "test", 100, seed=2)
    return made
