"""The table of levels of second-order tests: its sessions run, its cells are filled."""

import numpy as np
import pytest

from tests.analysis.coverage.second_order import CELLS, TABLE, session
from tests.analysis.coverage.study import key, results


@pytest.mark.parametrize("cell", [CELLS[3], CELLS[-4]], ids=["linear", "ignored"])
def test_a_session_says_what_was_found(cell):
    found = session(cell, np.random.default_rng(1))
    assert found["eigenvalue"] in (True, False)
    assert (found["kernel"] is None) == (cell["observer"] != "noise ignored")


def test_every_cell_has_results():
    assert set(results(TABLE)) == {key(cell) for cell in CELLS}
