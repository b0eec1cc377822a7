"""Curves of observers: eps by eps, with a masked gradient said so."""

import numpy as np
import pytest

from tests.models.robustness.eyes import LinearEye, NoisyEye, StairEye
from yoked.app.robustness.attack import attack_curve
from yoked.app.robustness.corruption import corruption_curve
from yoked.app.robustness.sensitivity import pictures_of, unit_sensitivity
from yoked.experiments.protocols.files import load_protocol
from yoked.models.registry import load

TASK = load_protocol("bar-in-noise")


def test_accuracy_falls_with_eps_and_no_linear_gradient_is_masked():
    found = attack_curve(
        TASK,
        LinearEye(),
        [0.03, 0.06],
        steps=8,
        contrast=0.3,
        transfer_from=load("linear"),
    )
    values = [found.clean.value, *(each.accuracy.value for each in found.points)]
    assert values == sorted(values, reverse=True)
    assert values[0] > values[-1] + 0.15
    assert not any(each.is_masked for each in found.points)
    assert found.notes == ()
    assert (found.n_showings, found.noise_draws, found.has_noise) == (1, 1, False)


def test_a_masked_gradient_is_a_field_and_a_note():
    found = attack_curve(
        TASK, StairEye(), [0.1], steps=8, contrast=0.3, transfer_from=LinearEye()
    )
    (point,) = found.points
    assert point.is_masked
    assert point.masking.low > 0.3
    assert point.transferred.high < point.accuracy.low
    assert (
        "gradients are masked at eps 0.1: what was made against linear-eye"
        in (found.notes[0])
    )
    assert found.table()[1]["masked"] == "yes"


def test_an_observer_with_noise_is_shown_every_trial_several_times():
    found = attack_curve(
        TASK, NoisyEye(), [0.01], steps=2, noise_draws=2, contrast=0.3, trials=50
    )
    assert found.has_noise
    assert (found.n_showings, found.noise_draws, found.clean.n) == (4, 2, 200)


def test_options_out_of_range_are_said():
    with pytest.raises(ValueError, match="eps must be one or more, got none"):
        attack_curve(TASK, LinearEye(), [])
    with pytest.raises(ValueError, match="eps must be more than 0, got 0"):
        attack_curve(TASK, LinearEye(), [0.0])
    with pytest.raises(ValueError, match="showings must be 1 or more, got 0"):
        attack_curve(TASK, LinearEye(), [0.1], showings=0)
    with pytest.raises(ValueError, match="showings must be 1 or more, got 0"):
        corruption_curve(TASK, LinearEye(), showings=0)
    with pytest.raises(LookupError, match="no corruption named 'mist'"):
        corruption_curve(TASK, LinearEye(), ["mist"])


def test_corruptions_come_by_name_and_severity():
    found = corruption_curve(
        TASK, LinearEye(), ["contrast", "fog"], (1, 5), trials=60, contrast=0.3
    )
    assert [(each.corruption, each.severity) for each in found.points] == [
        ("contrast", 1),
        ("contrast", 5),
        ("fog", 1),
        ("fog", 5),
    ]
    assert found.points[-1].accuracy.value < found.clean.value
    assert found.notes == ()


def test_stimuli_of_a_protocol_are_pictures_of_units():
    shown, seen = pictures_of(TASK, 5)
    assert shown.shape == (5, 1, 52, 52)
    assert seen == pytest.approx({"deg_per_px": 0.05, "frame_ms": 100.0})
    found = unit_sensitivity(
        load("cornet-z", seed=1), "v1", shown, eps=[0.5, 1], units=4, steps=3, **seen
    )
    low, high = (each.in_range.value for each in found.points)
    assert 0 <= low <= high
    assert found.noise.value is None
    assert found.n_units <= 4
    assert np.isfinite(found.points[0].units).all()
