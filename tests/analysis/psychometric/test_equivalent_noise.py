"""Equivalent noise: a linear amplifier recovered, others rejected, and the errors."""

import json
import math

import numpy as np
import pytest

from yoked.analysis.psychometric.equivalent_noise import (
    NoiseThresholds,
    equivalent_noise,
)
from yoked.analysis.psychometric.fit import (
    PsychometricSettings,
    psychometric_from_counts,
)

NOISE_SD = np.repeat([0.0, 0.02, 0.05, 0.1, 0.2, 0.3], 2)
DPRIME = np.tile([0.954, 1.466], 6)  # 75 and 85 % in 2AFC
GAIN, EQUIVALENT = 5.0, 0.08


def true_thresholds(multiplicative=0.0, power=1.0):
    """Thresholds of an observer whose noise grows with what it is shown.

    d' = (GAIN c)^power / sqrt(external^2 + internal^2 + m^2 (external^2 + signal^2)).
    """
    m2 = multiplicative**2
    total = NOISE_SD**2 * (1 + m2) + EQUIVALENT**2
    return (total / (1 / DPRIME**2 - m2)) ** (1 / (2 * power)) / GAIN


def measured(threshold, relative_se, rng):
    noisy = threshold * np.exp(rng.normal(0, relative_se, len(threshold)))
    return NoiseThresholds(NOISE_SD, DPRIME, noisy, relative_se * noisy)


def test_a_linear_amplifier_is_recovered_and_not_rejected():
    rng, n_runs = np.random.default_rng(1), 200
    covered, p = np.zeros(3), []
    for _ in range(n_runs):
        made = equivalent_noise(measured(true_thresholds(), 0.07, rng), 10.0)
        truths = (EQUIVALENT, GAIN, (GAIN / 10) ** 2)
        estimates = (made.noise_sd, made.gain, made.efficiency)
        covered += [
            e.low <= true <= e.high for e, true in zip(estimates, truths, strict=True)
        ]
        p.append([made.p, made.proportional_p, made.constant_p])
    assert covered / n_runs == pytest.approx(0.95, abs=4 * 0.22 / math.sqrt(n_runs))
    assert np.mean(p, axis=0) == pytest.approx(0.5, abs=0.1)
    assert np.all(np.mean(np.array(p) < 0.05, axis=0) < 0.11)


def test_exact_thresholds_give_the_exact_observer():
    made = equivalent_noise(
        NoiseThresholds(NOISE_SD, DPRIME, true_thresholds(), 0.05 * true_thresholds())
    )
    assert made.noise_sd.value == pytest.approx(EQUIVALENT, rel=1e-4)
    assert made.gain.value == pytest.approx(GAIN, rel=1e-4)
    assert made.chi_square < 1e-4
    assert made.note is None
    assert made.efficiency.note == "no signal norm was given"


def test_noise_that_grows_with_the_signal_breaks_the_d_prime_ratio():
    # Lu & Dosher (1999): the ratio is the same in all noise, but it is not that of d'.
    made = equivalent_noise(
        measured(true_thresholds(multiplicative=0.5), 0.05, np.random.default_rng(2))
    )
    assert made.proportional_p < 0.001
    assert made.constant_p > 0.05
    assert made.note.startswith("threshold ratios are not the d' ratios: noise that")


def test_a_transducer_breaks_it_too_and_one_level_could_not_tell():
    rng = np.random.default_rng(3)
    made = equivalent_noise(measured(true_thresholds(power=2.0), 0.05, rng))
    assert made.proportional_p < 0.01
    bent = true_thresholds(multiplicative=0.5)[::2]
    one = NoiseThresholds(NOISE_SD[::2], DPRIME[::2], bent, 0.05 * bent)
    alone = equivalent_noise(one)
    assert (alone.proportional_p, alone.constant_p, alone.note) == (None, None, None)
    assert alone.p > 0.99


def test_a_ratio_that_changes_with_the_noise_is_rejected_as_such():
    odd = true_thresholds() * np.where((NOISE_SD > 0.1) & (DPRIME > 1), 1.6, 1.0)
    made = equivalent_noise(NoiseThresholds(NOISE_SD, DPRIME, odd, 0.05 * odd))
    assert made.constant_p < 0.001
    assert "threshold ratios differ between external noises" in made.note


def test_noises_on_one_side_leave_the_estimate_open_on_the_other():
    def made(noise_sd):
        threshold = np.hypot(noise_sd, EQUIVALENT) / GAIN
        ones = np.ones(len(noise_sd))
        rows = NoiseThresholds(noise_sd, ones, threshold, 0.1 * threshold)
        return equivalent_noise(rows)

    high = made(np.array([1.0, 2.0, 4.0])).noise_sd
    assert (high.low, high.se) == (0.0, None)
    assert high.note.startswith("not told from none")
    low = made(np.array([0.0, 0.001, 0.002]))
    assert low.noise_sd.value is None or low.noise_sd.high == math.inf
    assert low.gain.value is None or low.gain.high > 100 * low.gain.low


def test_the_order_of_the_rows_and_the_unit_of_contrast_do_not_matter():
    made = measured(true_thresholds(), 0.07, np.random.default_rng(4))
    order = np.random.default_rng(5).permutation(len(made))
    columns = (made.noise_sd, made.dprime, made.threshold, made.se)
    one, other = (
        equivalent_noise(made),
        equivalent_noise(NoiseThresholds(*(column[order] for column in columns))),
    )
    assert other.noise_sd.value == pytest.approx(one.noise_sd.value)
    percent = NoiseThresholds(
        100 * made.noise_sd, made.dprime, 100 * made.threshold, 100 * made.se
    )
    scaled = equivalent_noise(percent)
    assert scaled.noise_sd.value == pytest.approx(100 * one.noise_sd.value, rel=1e-3)
    assert scaled.gain.value == pytest.approx(one.gain.value, rel=1e-3)


def test_psychometric_functions_give_the_rows():
    contrast = np.array([0.05, 0.1, 0.15, 0.2, 0.3])
    correct, trials = np.array([53, 62, 78, 88, 97]), np.full(5, 100)
    fits = [
        psychometric_from_counts(
            contrast * scale,
            correct,
            trials,
            settings=PsychometricSettings(threshold_at=at, n_simulations=0),
        )
        for scale in (1.0, 1.5, 2.0)
        for at in (0.75, 0.85)
    ]
    rows = NoiseThresholds.from_fits(np.repeat([0.0, 0.1, 0.2], 2).tolist(), fits)
    assert rows.dprime[:2] == pytest.approx([0.954, 1.466], abs=1e-3)
    assert rows.threshold[2] == pytest.approx(1.5 * rows.threshold[0], rel=1e-3)
    text = json.dumps(equivalent_noise(rows, 3.0).to_dict(), allow_nan=False)
    assert json.loads(text)["gain"]["formula"] == "gain-lam/1"


def test_bad_thresholds_get_a_clear_sentence():
    ones = np.ones(3)
    with pytest.raises(ValueError, match="threshold must be > 0 and finite, got 0"):
        NoiseThresholds(ones, ones, np.zeros(3), ones)
    with pytest.raises(ValueError, match="noise_sd must be >= 0 and finite, got -1"):
        NoiseThresholds(-ones, ones, ones, ones)
    with pytest.raises(ValueError, match="two external noises or more, got 3 in 1"):
        equivalent_noise(NoiseThresholds(ones, ones, ones, ones))
    rows = measured(true_thresholds(), 0.07, np.random.default_rng(6))
    with pytest.raises(ValueError, match="signal_norm must be > 0, got 0"):
        equivalent_noise(rows, 0.0)
    flat = psychometric_from_counts(
        np.array([0.1, 0.2, 0.3]), np.array([50, 50, 50]), np.full(3, 100)
    )
    with pytest.raises(ValueError, match=r"threshold at noise SD 0\.1 must be there"):
        NoiseThresholds.from_fits([0.1], [flat])
