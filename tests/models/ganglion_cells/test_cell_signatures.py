"""Omitted flashes, moving bars and bars that turn, in cells whose answer is known."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from yoked.models.ganglion_cells.cell_model import (
    CellModel,
    log_likelihood_of_rates,
    sampled_spikes,
)
from yoked.models.ganglion_cells.cell_signatures import (
    cell_anticipation,
    cell_omission,
    cell_reversal,
)

STEP_MS = 5.0
COURSE = np.array([0, 0, 0, 0.2, 0.7, 1.0, 0.8, 0.4, 0.1])  # largest at lag 5: 25 ms


@dataclass
class Made(CellModel):
    """Cells at places of a bar, each with a course of its own; in NumPy."""

    courses: tuple
    places: tuple = (10, 20)
    kind: str = "made"
    step_ms: float = STEP_MS
    shape: tuple = (1, 31)
    background: float = 0.0
    likelihood: str = "poisson"
    n_parameters: int = 0
    cells: ClassVar[tuple] = ("a", "b")

    def rates(self, segment):
        seen = segment.shown()[:, 0]
        found = []
        for place, course in zip(self.places, self.courses, strict=True):
            drive = np.convolve(seen[:, place], course)[: len(seen)]
            found.append(0.01 + 0.1 * np.maximum(drive, 0))
        return np.stack(found, axis=1)

    def log_likelihood(self, segment):
        return log_likelihood_of_rates(segment, self.rates(segment), "poisson")

    def simulate(self, segment, n_repeats, seed):
        return sampled_spikes(self.rates(segment), n_repeats, seed)

    def settings(self):
        return {}

    def state(self):
        return {}


def echoing(period_ms, share):
    """Return a course that comes again after a period: the cell expects a flash."""
    course = np.zeros(round(period_ms / STEP_MS) + len(COURSE))
    course[: len(COURSE)] = COURSE
    course[-len(COURSE) :] += share * COURSE
    return course


def test_a_cell_without_memory_does_nothing_when_the_flash_is_omitted():
    for found in cell_omission(Made((COURSE, COURSE)), 1.0, 100.0, 20.0):
        assert found.flash_per_s > 0
        assert found.after_per_s == 0
        assert found.ratio == 0


@pytest.mark.parametrize("period_ms", [80.0, 120.0, 160.0])
def test_a_cell_that_expects_the_flash_responds_when_it_was_due(period_ms):
    model = Made((echoing(period_ms, 0.5), echoing(period_ms, 0.25)))
    found = cell_omission(model, 1.0, period_ms, 10.0)
    assert [each.ratio for each in found] == pytest.approx([0.5 / 1.5, 0.25 / 1.25])
    # As late after the omitted flash as after any other, whatever the period.
    assert len({each.delay_ms for each in found}) == 1
    assert found[0].delay_ms == pytest.approx(27.5, abs=STEP_MS)


@pytest.mark.parametrize("speed", [20.0, 40.0, 100.0])
@pytest.mark.parametrize("width", [1, 4])
def test_a_cell_of_one_element_does_not_foretell_motion(speed, width):
    found = cell_anticipation(Made((COURSE, COURSE)), 1.0, width, speed)
    for each in found:
        assert each.ahead_ms == pytest.approx(0, abs=STEP_MS)
        assert each.flash_ms >= 25.0


def test_a_cell_whose_neighbour_tells_it_is_ahead_of_motion():
    class Told(Made):
        def rates(self, segment):
            seen = segment.shown()[:, 0]
            near = np.stack([seen[:, p - 4 : p + 5].max(axis=1) for p in self.places])
            drive = np.array([np.convolve(x, COURSE)[: x.size] for x in near])
            own = np.array([seen[:, p] for p in self.places])
            weak = np.array([np.convolve(x, COURSE)[: x.size] for x in own])
            # A bar on its own place is worth more, but what comes is already known.
            started = np.maximum(np.diff(drive, axis=1, prepend=0), 0)
            return (0.01 + 0.2 * started + 0.002 * weak).T

    for each in cell_anticipation(Told((COURSE, COURSE)), 1.0, 1, 40.0):
        assert each.ahead_ms > 50


def test_a_bar_that_comes_back_is_seen_by_those_that_it_has_passed():
    found = cell_reversal(Made((COURSE, COURSE), places=(14, 25)), 1.0, 2, 60.0)
    passed, ahead = found
    assert passed.ratio == pytest.approx(1, abs=0.15)
    assert ahead.ratio == 0


def test_a_bar_that_cannot_be_shown_is_refused():
    model = Made((COURSE, COURSE))
    with pytest.raises(
        ValueError, match=r"width of a bar must be 1 to 31 elements, got 40"
    ):
        cell_anticipation(model, 1.0, 40, 10.0)
    with pytest.raises(ValueError, match="elements_per_s must be more than 0, got 0"):
        cell_reversal(model, 1.0, 2, 0.0)
    with pytest.raises(ValueError, match="shorter than the period, 80 ms, got 90"):
        cell_omission(model, 1.0, 80.0, 90.0)
