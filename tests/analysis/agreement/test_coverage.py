"""The coverage study of shares: a few sessions of a cell, and all cells in the file."""

import pytest

from tests.analysis.coverage.shares import KERNEL_SHARES, SHARES
from tests.analysis.coverage.study import key, results, simulate

TABLES = [(SHARES, 2), (KERNEL_SHARES, 0)]


@pytest.mark.parametrize(("table", "cell"), TABLES, ids=lambda x: getattr(x, "name", x))
def test_a_few_sessions_have_shares_near_their_truth(table, cell):
    found = [simulate(table.name, table.session, table.cells[cell], k) for k in (0, 1)]
    for value, low, high, truth in (one["share"] for one in found):
        assert low <= value <= high
        assert value == pytest.approx(truth, abs=0.6)


@pytest.mark.parametrize("table", [SHARES, KERNEL_SHARES], ids=lambda x: x.name)
def test_the_last_results_have_every_cell(table):
    assert {key(cell) for cell in table.cells} == set(results(table))
