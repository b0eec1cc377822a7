"""A long session needs no more memory than a short one."""

from pathlib import Path

import numpy as np
import pytest

from yoked.experiments.lab.screen import place


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def test_pictures_of_many_trials_take_the_place_of_those_before(open_lab_window):
    """18 pictures a trial, as movie-bar has: it grew by 15 MB a trial once."""
    window = open_lab_window()
    rng = np.random.default_rng(0)
    after_warm_up = 0.0
    for trial in range(60):
        pictures = list(rng.integers(0, 256, (18, 144, 216), np.uint8))
        handles = window.prepare(pictures)
        for handle in handles:
            window.draw(handle)
            window.flip()
        window.draw(handles[-1])
        shown = window.read_back(place(pictures[-1].shape, window.size_px))
        assert (shown == pictures[-1]).all()
        window.flip()
        window.release(handles)
        if trial == 20:
            after_warm_up = resident_mb()
    assert resident_mb() == pytest.approx(after_warm_up, abs=40)
