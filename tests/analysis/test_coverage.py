"""Intervals cover: nominal 95 %, between 93 and 97 % where users should be."""

import math

import pytest

from .coverage_study import CELLS, Cell, studies, study

# Two standard errors of a share of 1,000 sessions.
ROOM = 2 * math.sqrt(0.95 * 0.05 / 1000)


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_every_interval_covers_where_it_should():
    found = studies(CELLS, 1000)
    assert len({row.cell for row in found}) == len(CELLS)
    wrong = [
        row
        for row in found
        if not 0.93 - ROOM <= row.held <= 0.97 + ROOM or row.n < 990
    ]
    assert not wrong, wrong


def test_intervals_cover_in_a_few_sessions():
    for row in study(Cell("2afc", 0.75, 1.0), n_sessions=100):
        assert row.held == pytest.approx(0.95, abs=4 * math.sqrt(0.95 * 0.05 / 100))
        assert row.n_missing == 0
