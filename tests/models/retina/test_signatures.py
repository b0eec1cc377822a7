"""Omitted flashes, turning bars, natural context: they are measured, not required."""

import pytest

from yoked.models.retina.cell_types import PRIMATE
from yoked.models.retina.gratings import Grating, grating_responses
from yoked.models.retina.signatures import (
    motion_reversal,
    omitted_stimulus,
    polarity_changes,
)
from yoked.models.retina.staged import StagedRetina, StagedRetinaConfig

NAMES = {cell_type.name for cell_type in PRIMATE}


def test_after_a_train_only_off_parasols_fire_and_sooner_after_longer_periods():
    """A response to the omission itself would have the same delay at every period."""
    found = {period: omitted_stimulus(period) for period in (60.0, 160.0)}
    for by_type in found.values():
        assert set(by_type) == NAMES
        for name, one in by_type.items():
            assert one.flash_per_s > 20
            assert (one.after_per_s > 0) == (name == "off_parasol")
    short, long = (found[period]["off_parasol"] for period in (60.0, 160.0))
    assert 0.05 < long.ratio < short.ratio < 0.25
    assert 20 < short.delay_ms - long.delay_ms < 60


def test_no_type_bursts_when_a_bar_turns_round():
    found = motion_reversal()
    assert set(found) == NAMES
    for one in found.values():
        assert one.smooth_per_s > 10
        assert 0.8 < one.ratio < 1.4
        assert one.apart_ms > 10


def test_context_changes_the_polarity_of_parasols_alone():
    shares = polarity_changes(n_images=12)
    assert shares["on_midget"] == shares["off_midget"] == 0
    assert shares["on_parasol"] > 0.2
    assert shares["off_parasol"] > 0.2


def test_gratings_need_whole_periods_and_a_frame_a_step():
    config = StagedRetinaConfig(noise="none", tail_ms=0.0)
    retina = StagedRetina(config, 0.05, (9, 9), 10.0)
    with pytest.raises(
        ValueError, match=r"whole number of steps of 10.0 ms, got 33\.33"
    ):
        grating_responses(retina, Grating(1.0, 3.0, 0.1))
    slow = StagedRetina(config, 0.05, (9, 9), 20.0)
    with pytest.raises(ValueError, match="frame_ms must be step_ms, 10"):
        grating_responses(slow, Grating(1.0, 4.0, 0.1))
