"""The signal: its template on the grid, its levels, and which interval holds it."""

import numpy as np
import pytest
from hypothesis import given, settings

from tests.experiments.strategies import protocols
from yoked.experiments.protocols.files import load_protocol, protocol_names
from yoked.experiments.protocols.signal import (
    interval_gains,
    signal_levels,
    signal_template,
)


@settings(deadline=None)
@given(protocols())
def test_a_template_has_magnitude_one_and_nine_decimals(protocol):
    template = signal_template(protocol)
    assert np.abs(template).max() == 1
    assert (np.round(template, 9) == template).all()
    assert template.shape == protocol.noise.grid


@settings(deadline=None)
@given(protocols())
def test_a_negative_gain_mirrors_the_levels(protocol):
    c = protocol.contrast.values[0]
    assert (signal_levels(protocol, -c) == -signal_levels(protocol, c)).all()


@pytest.mark.parametrize(
    ("name", "levels", "headroom"),
    [("bar-in-noise", 29, 72), ("bar-polarity", 20, 72), ("gabor-in-noise", 11, 45),
     ("movie-bar", 29, 72)],
)  # fmt: skip
def test_shipped_signals_have_the_designed_levels_and_headroom(name, levels, headroom):
    protocol = load_protocol(name)
    shown = signal_levels(protocol, protocol.contrast.values[0])
    assert np.abs(shown).max() == levels
    assert 127 - protocol.noise.max_level() == headroom


WHITE = [
    name
    for name in sorted({*protocol_names()} - {"disk-polarity"})
    if load_protocol(name).noise.basis is None and not load_protocol(name).places.count
]


# Gamma 1.35 and 50 % efficiency: the person of methods.md 7.
@pytest.mark.parametrize(
    "name", [name for name in WHITE if not load_protocol(name).signal.variants]
)
def test_shipped_contrasts_make_a_person_75_percent_correct(name):
    from scipy.stats import norm

    protocol = load_protocol(name)
    difference = abs(protocol.signal.gains[1] - protocol.signal.gains[0])
    shown = difference * signal_levels(protocol, protocol.contrast.values[0])
    ideal = np.linalg.norm(shown) / (127 * protocol.noise.sd)
    dprime = ideal * np.sqrt(0.5 / (1 + 1.35**2))
    forced_choice = protocol.task.is_forced_choice
    z = dprime / np.sqrt(2) if forced_choice else dprime / 2
    assert norm.cdf(z) == pytest.approx(0.75, abs=0.005)


@pytest.mark.parametrize("name", ["cued-detection", "position-unknown"])
def test_shipped_scenes_make_a_person_75_percent_correct(name):
    """The same person, who weighs places by what the cue says; drawn, not rendered."""
    protocol = load_protocol(name)
    levels = signal_levels(protocol, protocol.contrast.values[0])
    dprime = np.linalg.norm(levels) / (127 * protocol.noise.sd) * np.sqrt(0.5)
    rng, n, places = np.random.default_rng(1), 200_000, protocol.places.count
    seen = rng.standard_normal((n, 2, places))  # with the signal, and without
    seen[:, 0, 0] += dprime
    priors = np.full((n, places), 1 / places)
    if protocol.cue.kind:
        valid = rng.random(n) < protocol.cue.validity
        priors[:] = (1 - protocol.cue.validity) / (places - 1)
        priors[np.arange(n), np.where(valid, 0, 1)] = protocol.cue.validity
    ratio = np.exp(dprime * seen - dprime**2 / 2)
    decision = np.log((priors[:, None] * ratio).sum(axis=-1))
    spread = np.sqrt(np.mean(decision.var(axis=0)))
    decision += 1.35 * spread * rng.standard_normal(decision.shape)
    if protocol.task.is_forced_choice:
        correct = (decision[:, 0] > decision[:, 1]).mean()
    else:
        middle = np.median(decision)
        correct = (
            (decision[:, 0] > middle).mean() + (decision[:, 1] < middle).mean()
        ) / 2
    assert correct == pytest.approx(0.75, abs=0.015)


def test_a_gabor_is_upright_and_peaks_in_the_middle():
    template = signal_template(load_protocol("gabor-in-noise"))[0]
    assert template[7, 7] == template[8, 8] == 1
    assert (template == template[::-1]).all()
    assert (template == template[:, ::-1]).all()
    assert (template[8] < 0).sum() > (template[:, 8] < 0).sum() == 0


def test_forced_choice_gives_the_target_interval_the_second_gain():
    gains = interval_gains(load_protocol("disk-polarity"), np.array([0, 1]))
    assert gains.tolist() == [[1, -1], [-1, 1]]


def test_yes_no_gives_the_class_its_gain():
    gains = interval_gains(load_protocol("bar-polarity"), np.array([0, 1]))
    assert gains.tolist() == [[-1], [1]]
