"""Psychometric functions: recovery, coverage, published data, open ends, the errors."""

import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr, ndtri

from tests.analysis.murray2015 import murray2015
from tests.analysis.observers import linear as simulated
from yoked.analysis.psychometric.fit import (
    PsychometricSettings,
    fit_responses,
    psychometric,
    psychometric_from_counts,
)
from yoked.analysis.psychometric.responses import ResponsesByContrast, on_axis
from yoked.analysis.psychometric.shapes import (
    SHAPES,
    log_likelihood,
    psychometric_values,
)
from yoked.analysis.sensitivity.mafc import mafc_dprime
from yoked.analysis.trials.responses import Responses

CONTRAST = np.array([0.05, 0.08, 0.12, 0.18, 0.27, 0.4])
QUICK = PsychometricSettings(n_simulations=0)
SHAPES_ON_AXES = [
    ("weibull", "log"),
    ("power_dprime", "log"),
    ("cumulative_normal", "log"),
    ("logistic", "log"),
    ("cumulative_normal", "linear"),
    ("logistic", "linear"),
]


def true_psi(settings, threshold=0.15, width=1.2, lapse=0.03, m=2, contrast=CONTRAST):
    if settings.axis == "linear":
        width = width / 5
    x = on_axis(contrast, settings.axis)
    start = on_axis(np.array([threshold]), settings.axis)[0]
    parameters = np.array([start, math.log(width), lapse, settings.guess_for(m)])
    at = settings.threshold_for(m)
    return psychometric_values(x, parameters, SHAPES[settings.shape], at)[0]


@pytest.mark.parametrize(("shape", "axis"), SHAPES_ON_AXES)
@pytest.mark.parametrize("m", [2, 4])
def test_a_known_function_is_recovered_from_very_many_trials(shape, axis, m):
    settings = replace(QUICK, shape=shape, axis=axis)
    n = np.full(6, 10**7)
    k = np.rint(n * true_psi(settings, m=m)).astype(np.int64)
    fit = psychometric_from_counts(CONTRAST, k, n, m, settings)
    assert fit.threshold.value == pytest.approx(0.15, rel=1e-3)
    width = 1.2 if axis == "log" else 0.24
    assert fit.width.value == pytest.approx(width, rel=3e-3)
    assert fit.lapse.value == pytest.approx(0.03, abs=5e-4)
    assert fit(CONTRAST) == pytest.approx(k / n, abs=1e-5)
    assert fit.contrast_at(fit.threshold_at) == pytest.approx(fit.threshold.value)
    assert float(fit(fit.contrast_at(0.8))) == pytest.approx(0.8)


@pytest.mark.parametrize("name", SHAPES)
def test_gradients_are_the_derivatives(name):
    x = np.array([-np.inf, -2.5, -2.0, -1.5, -1.2])
    parameters, step = np.array([-1.8, 0.3, 0.03, 0.1]), 1e-6
    _, slopes = psychometric_values(x, parameters, SHAPES[name], 0.75)
    for i, unit in enumerate(np.eye(4)):
        up, down = (
            psychometric_values(x, parameters + s * step * unit, SHAPES[name], 0.75)[0]
            for s in (1, -1)
        )
        assert slopes[:, i] == pytest.approx((up - down) / (2 * step), abs=1e-7)
    k, n = np.array([[30.0, 10.0], [45.0, 5.0]]), np.full((2, 2), 50.0)
    psi = np.array([0.7, 0.8])
    up, down = (log_likelihood(psi + s * step, k, n)[0] for s in (1, -1))
    slope = log_likelihood(psi, k, n)[1]
    assert slope == pytest.approx((up - down) / (2 * step), rel=1e-5)


def test_weibulls_function_has_its_textbook_form():
    fit = psychometric_from_counts(
        CONTRAST, np.array([52, 58, 70, 85, 96, 99]), np.full(6, 100), settings=QUICK
    )
    # psi = guess + rise (1 - exp(-(c / alpha)^beta)); the width gives beta.
    beta = SHAPES["weibull"].spread / fit.width.value
    lapse = fit.lapse.value
    alpha = fit.contrast_at(0.5 + (0.5 - lapse) * (1 - math.exp(-1)))
    expected = 0.5 + (0.5 - lapse) * (1 - np.exp(-((CONTRAST / alpha) ** beta)))
    assert fit(CONTRAST) == pytest.approx(expected)


def test_intervals_cover_the_truth_about_19_times_in_20():
    rng, n_runs, covered = np.random.default_rng(1), 80, np.zeros(2)
    settings = replace(QUICK, lapse=0.03)
    psi, n = true_psi(settings), np.full(6, 80)
    for _ in range(n_runs):
        fit = psychometric_from_counts(
            CONTRAST, rng.binomial(n, psi), n, settings=settings
        )
        estimates = ((fit.threshold, 0.15), (fit.width, 1.2))
        covered += [e.low <= true <= e.high for e, true in estimates]
    assert covered / n_runs == pytest.approx(0.95, abs=0.07)


def test_the_p_of_a_true_model_is_spread_out_and_a_wrong_one_is_rejected():
    rng = np.random.default_rng(2)
    settings = replace(QUICK, n_simulations=24, lapse=0.03)
    psi, n = true_psi(QUICK), np.full(6, 40)
    p = [
        psychometric_from_counts(CONTRAST, rng.binomial(n, psi), n, settings=settings).p
        for _ in range(30)
    ]
    assert 0.3 < np.mean(p) < 0.75
    assert np.mean(np.array(p) < 0.05) < 0.2
    wiggly = np.array([90, 55, 92, 60, 95, 70])
    fit = psychometric_from_counts(CONTRAST, wiggly, np.full(6, 100), settings=settings)
    assert fit.p == pytest.approx(1 / 25)
    assert fit.df == 4


def test_a_biased_yes_no_observer_has_the_threshold_of_an_unbiased_one():
    psi = true_psi(QUICK)
    z, n = ndtri(psi), 10**6
    k = np.rint(n * ndtr(np.stack([z - 0.4, -z - 0.4], axis=1)))
    fit = fit_responses(
        ResponsesByContrast(CONTRAST, k, np.full((6, 2), float(n))), QUICK
    )
    assert fit.unbiased
    assert fit.threshold.value == pytest.approx(0.15, rel=5e-3)
    assert fit.proportion_correct == pytest.approx(psi, abs=2e-3)
    assert fit.threshold_dprime == pytest.approx(2 * ndtri(0.75))


@pytest.mark.parametrize(("task", "m"), [("2afc", 2), ("mafc", 4), ("yes_no", 2)])
def test_a_linear_observers_session_has_its_threshold(task, m):
    observer = simulated.Linear(simulated.unit(np.ones(4)), gamma=1.0, criterion=0.0)
    strengths = np.array([0.03, 0.08, 0.15, 0.25, 0.4])
    table, source = simulated.run(observer, task, 8000, strengths, 3, 500, m)
    table["contrast"] = strengths[table["contrast"].to_numpy(int) - 1]
    session = simulated.session(table, source, task)
    # Exact for two alternatives, where its exponent is the linear observer's 1.
    settings = replace(QUICK, shape="power_dprime" if m == 2 else "weibull", lapse=0.0)
    made = psychometric(session, settings)
    if m == 2:
        spread = SHAPES["power_dprime"].spread
        assert abs(made.width.value - spread) < 3 * made.width.se
    at = made.threshold_at
    dprime = 2 * ndtri(at) if task == "yes_no" else float(mafc_dprime(at, m))
    true = dprime * observer.sd_decision
    assert made.threshold.low < true < made.threshold.high
    assert made.threshold.value == pytest.approx(true, rel=0.06)
    assert made.note == "intervals allow for trials shown twice"
    text = json.dumps(made.to_dict(), allow_nan=False)
    assert json.loads(text)["shape"] == settings.shape


def test_a_published_observer_has_a_threshold_among_its_contrasts(shared_data):
    made = murray2015(shared_data("murray2015/experiment1_subject01.txt"))
    fit = psychometric(made, replace(QUICK, lapse=0.01, threshold_at=0.72))
    assert len(fit.contrast) == 19
    # 72.4 % correct over all trials, most of them near one contrast.
    assert fit.contrast.min() < fit.threshold.low < fit.threshold.high
    assert fit.threshold.high < fit.contrast.max()
    assert abs(fit.threshold.value - np.median(made.contrast)) < 0.05
    assert float(fit.n_trials @ fit(fit.contrast)) / len(made) == pytest.approx(
        0.7243, abs=0.005
    )


def test_trials_shown_twice_widen_the_interval():
    observer = simulated.Linear(simulated.unit(np.ones(4)), gamma=0.3)
    made, _ = simulated.linear_responses(
        observer, "2afc", 3000, [0.05, 0.1, 0.2], 4, 1500
    )
    alone = Responses.from_table(made.table.assign(repeats=pd.NA), "2afc", 2)
    shared, plain = (psychometric(c, QUICK).threshold for c in (made, alone))
    assert shared.value == pytest.approx(plain.value)
    assert shared.high - shared.low > 1.1 * (plain.high - plain.low)


def test_an_interval_that_the_contrasts_do_not_close_is_open_and_says_so():
    n = np.full(4, 60)
    low = np.array([0.01, 0.02, 0.03, 0.05])
    fit = psychometric_from_counts(low, np.array([30, 31, 33, 38]), n, settings=QUICK)
    assert fit.threshold.value is None or fit.threshold.high == math.inf
    flat = psychometric_from_counts(low, np.array([30, 30, 30, 30]), n, settings=QUICK)
    assert flat.threshold.value is None
    assert flat.threshold.note.startswith("these contrasts do not tell where 0.75 is")
    assert "only that it is above 0.0" in flat.threshold.note
    steep = np.array([30, 31, 60, 60])
    step = psychometric_from_counts(low, steep, n, settings=QUICK)
    assert step.width.low == 0.0
    assert 0.02 < step.threshold.value < 0.03 + 1e-3


def test_rates_may_be_given_or_free():
    n = np.full(6, 2000)
    given = replace(QUICK, lapse=0.03)
    k = np.rint(n * true_psi(given)).astype(np.int64)
    fit = psychometric_from_counts(CONTRAST, k, n, settings=given)
    assert (fit.lapse.value, fit.lapse.low) == (0.03, None)
    assert fit.lapse.note == fit.guess.note == "given, not fitted"
    free = replace(QUICK, free_guess=True, shape="cumulative_normal")
    rates = np.rint(n * (0.1 + 0.88 * ndtr((np.log(CONTRAST) + 1.9) / 0.4)))
    yes = psychometric_from_counts(CONTRAST, rates.astype(np.int64), n, settings=free)
    assert yes.threshold_at == 0.5
    assert yes.guess.low < 0.1 < yes.guess.high
    assert yes.guess.value == pytest.approx(0.1, abs=0.02)
    assert yes.guess.note == "bounded to 0 to 0.3"


def test_a_contrast_of_zero_is_a_guess_and_the_order_does_not_matter():
    contrast = np.array([0.0, 0.08, 0.15, 0.3])
    k, n = np.array([50, 60, 77, 96]), np.full(4, 100)
    fit = psychometric_from_counts(contrast, k, n, settings=QUICK)
    assert float(fit(0.0)) == 0.5
    order = np.array([2, 0, 3, 1])
    other = psychometric_from_counts(
        contrast[order], k[order], n[order], settings=QUICK
    )
    assert other.threshold == fit.threshold


def test_few_contrasts_and_bad_settings_get_a_clear_sentence():
    observer = simulated.Linear(simulated.unit(np.ones(4)))
    made, _ = simulated.linear_responses(observer, "2afc", 100, [0.1, 0.2], seed=5)
    with pytest.raises(ValueError, match=r"contrasts must be 3 or more .* got 2"):
        psychometric(made)
    k, n = np.array([50, 60, 70]), np.full(3, 100)
    three = np.array([0.1, 0.2, 0.3])
    with pytest.raises(ValueError, match=r"contrast must be >= 0 on .* got -0\.3"):
        psychometric_from_counts(-three, k, n)
    with pytest.raises(ValueError, match="contrast must rise"):
        psychometric_from_counts(np.array([0.1, 0.1, 0.2]), k, n)
    with pytest.raises(ValueError, match="contrast must be finite"):
        psychometric_from_counts(np.array([0.1, np.nan, 0.2]), k, n)
    with pytest.raises(ValueError, match="counts must be between 0 and the trials"):
        psychometric_from_counts(three, 2 * n, n)
    with pytest.raises(ValueError, match=r"shape must be one of .* got 'gauss'"):
        PsychometricSettings(shape="gauss")
    with pytest.raises(ValueError, match="axis must be one of log, linear, got 'dB'"):
        PsychometricSettings(axis="dB")
    with pytest.raises(ValueError, match="axis must be 'log' for the shape 'weibull'"):
        PsychometricSettings(axis="linear")
    with pytest.raises(ValueError, match=r"lapse must be in 0 to 0\.1, got 0\.2"):
        PsychometricSettings(lapse=0.2)
    with pytest.raises(ValueError, match=r"guess must be in \[0, \.9\), got 1"):
        PsychometricSettings(guess=1.0)
    with pytest.raises(ValueError, match="n_simulations must be >= 0, got -1"):
        PsychometricSettings(n_simulations=-1)
    with pytest.raises(ValueError, match=r"threshold_at must be between .* got 0\.4"):
        psychometric_from_counts(
            three, k, n, settings=PsychometricSettings(threshold_at=0.4)
        )
    fit = psychometric_from_counts(three, k, n, settings=QUICK)
    with pytest.raises(ValueError, match="the ends of the function, got 1"):
        fit.contrast_at(1.0)
