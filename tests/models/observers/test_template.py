"""The linear template: closed forms of d', exactness, and the efficiency."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import ndtr

from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import Contrast
from yoked.experiments.protocols.signal import signal_levels
from yoked.experiments.session.observer import ObserverNoise, Practice, Viewing
from yoked.experiments.stimulus.noise import level_table
from yoked.models.observers.template import Template, ideal_levels

N = 16_384


def ready(protocol, **options):
    template = Template(**options)
    template.prepare(Viewing.of(protocol))
    template.learn(Practice(protocol))
    return template


def proportion_correct(observer, protocol, contrast, n=N):
    practice, n_correct = Practice(protocol), 0
    for first in range(0, n, 1024):
        table, frames = practice.draw(1024, 5_000_000 + first, contrast)
        noise = ObserverNoise(1, table["trial"])
        chosen = observer.decide(frames, noise).argmax(1)
        n_correct += int((chosen == table["target"]).sum())
    return n_correct / n


def ideal_dprime(protocol, contrast):
    """Return ||s|| / sigma (methods.md 1.4) of the levels that are really shown."""
    sd = level_table(protocol.noise.kind, protocol.noise.sd).astype(float).std()
    return np.linalg.norm(signal_levels(protocol, contrast)) / sd


def standard_error(p, n=N):
    return math.sqrt(p * (1 - p) / n)


@pytest.mark.parametrize("name", ["bar-in-noise", "gabor-in-noise", "movie-bar"])
def test_the_template_is_the_ideal_observer(name):
    protocol = load_protocol(name)
    contrast = protocol.contrast.values[0] / 2
    p = ndtr(ideal_dprime(protocol, contrast) / math.sqrt(2))
    found = proportion_correct(ready(protocol), protocol, contrast)
    # A tie of integers goes to the lowest alternative: half of them are correct still.
    assert found == pytest.approx(p, abs=4 * standard_error(p))


@pytest.mark.parametrize("efficiency", [0.5, 0.25])
def test_an_efficiency_scales_dprime_by_its_root(protocol, efficiency):
    d = math.sqrt(efficiency) * ideal_dprime(protocol, 0.227)
    p = ndtr(d / math.sqrt(2))
    observer = ready(protocol, efficiency=efficiency)
    found = proportion_correct(observer, protocol, 0.227)
    assert found == pytest.approx(p, abs=4 * standard_error(p))


@pytest.mark.parametrize("name", ["bar-in-noise", "gabor-in-noise", "movie-bar"])
@pytest.mark.parametrize("efficiency", [0.1, 0.5, 0.99])
def test_the_squared_cosine_with_the_ideal_template_is_the_efficiency(name, efficiency):
    protocol = load_protocol(name)
    used = ready(protocol, efficiency=efficiency).weights.ravel().astype(float)
    ideal = ideal_levels(protocol).ravel().astype(float)
    cosine = used @ ideal / np.linalg.norm(used) / np.linalg.norm(ideal)
    assert cosine**2 == pytest.approx(efficiency, abs=2e-3)


def test_half_efficiency_at_the_usual_contrast_is_a_dprime_of_1_6(protocol):
    assert math.sqrt(0.5) * ideal_dprime(protocol, 0.227) == pytest.approx(
        1.6, abs=0.02
    )


def test_decision_variables_are_exact_integers_in_any_order(protocol):
    observer = ready(protocol, efficiency=0.3)
    table, frames = Practice(protocol).draw(50)
    levels = frames.reshape(50, 2, -1).astype(object) - 128
    weights = observer.weights.repeat(52, axis=1).repeat(4, axis=2).ravel()
    by_hand = (levels[:, :, ::-1] * weights[::-1].astype(object)).sum(-1)
    found = observer.decide(frames, ObserverNoise(1, table["trial"]))
    assert found.tolist() == by_hand.tolist()


def test_gains_of_both_signs_give_their_difference():
    protocol = load_protocol("bar-polarity")
    assert ideal_levels(protocol)[0, 0, 6] == 2 * 20


def test_the_signal_is_read_at_the_highest_contrast_of_the_main_blocks():
    protocol = load_protocol("disk-polarity")  # its lowest contrast is below one level
    assert ideal_levels(protocol).max() == 2 * round(0.41754 * 127)


def test_at_contrast_0_the_signal_is_read_at_full_contrast(protocol):
    silent = replace(protocol.with_options(contrast=0.1), contrast=Contrast((0.0,)))
    assert ideal_levels(silent).max() == 127


def test_the_template_must_learn_first(protocol):
    _, frames = Practice(protocol).draw(2)
    with pytest.raises(ValueError, match="template must learn before it decides"):
        Template().decide(frames, ObserverNoise(1, np.arange(2)))


def test_frames_of_another_size_are_refused(protocol):
    _, frames = Practice(load_protocol("gabor-in-noise")).draw(2)
    with pytest.raises(
        ValueError, match=r"frames must be \(1, 52, 52\) px, got \(1, 64, 64\)"
    ):
        ready(protocol).decide(frames, ObserverNoise(1, np.arange(2)))


@pytest.mark.parametrize("efficiency", [0, -0.5, 1.01, math.nan])
def test_an_efficiency_out_of_range_is_refused(efficiency):
    with pytest.raises(ValueError, match=r"efficiency must be in \(0, 1\], got"):
        Template(efficiency=efficiency)


def test_a_signal_that_fills_its_rows_has_no_broader_template(protocol):
    wide = replace(protocol, signal=replace(protocol.signal, columns=(0, 12)))
    with pytest.raises(
        ValueError, match="efficiency must be 1 for a signal that fills"
    ):
        ready(wide, efficiency=0.5)
