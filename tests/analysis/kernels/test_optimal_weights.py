"""Optimal weights: less noise for a biased observer, no difference for another."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr, ndtri

from yoked.analysis.kernels.classes import SUM, KernelDesign
from yoked.analysis.kernels.weighted_sum import first_order_kernel
from yoked.analysis.sessions.kernel import kernel as kernel_of
from yoked.analysis.trials.counts import loglinear_rate
from yoked.analysis.trials.responses import Responses

from ..observers.linear import Linear, linear_responses, run, session, unit

N_ELEMENTS = 256
TEMPLATE = unit(np.exp(-((np.arange(N_ELEMENTS) - 128) ** 2) / 50))
SD, N = 0.1, 8000


def phi(z):
    return np.exp(-np.square(z) / 2) / math.sqrt(2 * math.pi)


def along(kernel):
    return float(kernel.ravel() @ TEMPLATE)


def signal_to_noise(kernel):
    """Root of the SNR: length along the template in standard errors of an element."""
    return along(kernel.kernel) / math.sqrt(np.mean(kernel.se**2))


def informative(responses):
    """Return n p q of each target, as it came out."""
    of_class = [responses.response[responses.target == k] for k in (0, 1)]
    return np.array([len(a) * a.mean() * (1 - a.mean()) for a in of_class])


def of_yes_no(criterion, **options):
    observer = Linear(TEMPLATE, SD, 1.0, criterion * math.sqrt(2) * SD)
    signal = 1.4 * observer.sd_decision
    made = linear_responses(
        observer, "yes_no", N, signal, seed=1, gains=(-0.5, 0.5), **options
    )
    return made, np.array([-0.7, 0.7]) - criterion, observer.sd_decision


def of_2afc(bias, **options):
    observer = Linear(TEMPLATE, SD, 1.0, bias * 2 * SD)
    sd_difference = math.sqrt(2) * observer.sd_decision
    made = linear_responses(observer, "2afc", N, 0.7 * sd_difference, seed=2, **options)
    return made, 0.7 + np.array([1, -1]) * bias, sd_difference


@pytest.mark.parametrize("criterion", [0.0, 0.8, 1.6])
def test_a_biased_yes_no_observer_has_the_closed_form_snr(criterion):
    made, z, sd_decision = of_yes_no(criterion)
    p, q, density, n = ndtr(z), ndtr(-z), phi(z), N / 2
    weights = {"sum": np.ones(2), "optimal": 2 * density / density.sum()}
    roots = {}
    for name, v in weights.items():
        found = first_order_kernel(*made, weights=name)
        amplitude = SD**2 / sd_decision * float(v @ (density / (p * q)))
        # False alarms are few: the standard errors follow how many there were.
        variance = SD**2 * float(v**2 @ (1 / informative(made[0])))
        assert along(found.kernel) == pytest.approx(
            amplitude, abs=4 * math.sqrt(variance)
        )
        assert np.mean(found.se**2) == pytest.approx(variance, rel=0.1)
        roots[name] = signal_to_noise(found)
        snr = amplitude / math.sqrt(SD**2 * float(v**2 @ (1 / (n * p * q))))
        assert roots[name] == pytest.approx(snr, abs=4)
    # Murray, Bennett & Sekuler (2002) A10: SNR N phi^2 / (p q), mean over the classes.
    best = math.sqrt(n * float(np.sum(density**2 / (p * q))) / 2)
    assert roots["optimal"] == pytest.approx(best, abs=4)
    if criterion:
        assert roots["optimal"] > 1.05 * roots["sum"]


@pytest.mark.parametrize("bias", [0.0, 0.8, 1.6])
def test_an_interval_bias_has_the_closed_form_snr(bias):
    made, z, sd_difference = of_2afc(bias)
    p, q, density, n = ndtr(z), ndtr(-z), phi(z), N / 2
    v = density / density.sum()
    pc = float(p.mean())
    expected = {
        "sum": (float(density.mean()) / (pc * (1 - pc)), 1 / (N * pc * (1 - pc))),
        "optimal": (float(v @ (density / (p * q))), float(v**2 @ (1 / (n * p * q)))),
    }
    roots = {}
    for name, (amplitude, variance) in expected.items():
        found = first_order_kernel(*made, weights=name)
        amplitude *= 2 * SD**2 / sd_difference
        variance *= 2 * SD**2
        assert along(found.kernel) == pytest.approx(
            amplitude, abs=4 * math.sqrt(variance)
        )
        assert np.mean(found.se**2) == pytest.approx(variance, rel=0.1)
        roots[name] = signal_to_noise(found)
    if bias:
        assert roots["optimal"] > 1.05 * roots["sum"]
    else:
        assert roots["optimal"] == pytest.approx(roots["sum"], rel=0.01)


@pytest.mark.parametrize("of", [of_yes_no, of_2afc])
def test_the_optimal_sum_is_the_score_of_the_probit_model(of):
    (responses, source), _, _ = of(0.8)
    found = first_order_kernel(responses, source, weights="optimal")
    noise = source.field(responses.table, 0).reshape(N, -1).astype(float)
    if responses.is_forced_choice:
        noise = source.field(responses.table, 1).reshape(N, -1) - noise
    score = np.zeros(N_ELEMENTS)
    for target in (0, 1):
        here = responses.target == target
        yes = responses.response[here]
        p = yes.mean()
        density = phi(ndtri(loglinear_rate(int(yes.sum()), len(yes))))
        score += density / (p * (1 - p)) * ((yes - p) @ noise[here])
    ratio = found.kernel.ravel() @ score / (score @ score)
    np.testing.assert_allclose(found.kernel.ravel(), ratio * score, rtol=1e-4)


@pytest.mark.parametrize("of", [of_yes_no, of_2afc])
def test_standard_errors_count_the_fields_of_pairs_once(of):
    (responses, source), _, _ = of(0.8, n_pairs=N // 2)
    found = first_order_kernel(responses, source, weights="optimal")
    rest = found.kernel.ravel() - along(found.kernel) * TEMPLATE
    score = (rest / found.se.ravel()).std()
    assert score == pytest.approx(1, abs=4 / math.sqrt(2 * N_ELEMENTS))
    np.testing.assert_allclose(found.kernel, found.target_half + found.nontarget_half)


def test_contrasts_weigh_by_their_trials_and_density():
    observer = Linear(TEMPLATE, SD)
    strengths = np.array([0.5, 2.5]) * observer.sd_decision
    made = linear_responses(observer, "2afc", N, strengths, seed=3)
    found = first_order_kernel(*made, weights="optimal")
    plain = first_order_kernel(*made)
    np.testing.assert_allclose(found.weights, plain.weights, atol=0.01)
    assert found.formula == "kernel-2afc-optimal-weights/1"
    assert list(found.n_per_class) == [
        "first_incorrect",
        "first_correct",
        "second_incorrect",
        "second_correct",
    ]


def table(target, response, contrast=0.2):
    n = len(target)
    columns = {"target": target, "response": response, "contrast": contrast}
    columns |= {"trial": range(n), "repeats": [None] * n, "stimulus_id": range(n)}
    return pd.DataFrame(columns)


def test_an_interval_without_errors_is_left_out_alone():
    target = [0, 0, 0, 0, 1, 1, 1]
    responses = Responses.from_table(table(target, [0, 0, 1, 1, 1, 1, 1]), "2afc", 2)
    made = KernelDesign.of(responses, "optimal")
    assert made.n_left_out == 3
    assert made.n_per_class["first_correct"] == 2
    assert made.n_per_class["second_correct"] == 0
    assert made.coefficients(SUM).tolist() == [-1, 1, 0, 0]
    source = run(Linear(TEMPLATE), "2afc", 7, 0.1, seed=12)[1]
    assert np.all(first_order_kernel(responses, source, weights="optimal").se > 0)


def test_a_half_without_a_couple_of_classes_is_refused():
    responses = Responses.from_table(table([0, 0, 1, 1], [0, 1, 1, 1]), "yes_no", 2)
    with pytest.raises(ValueError, match="no trial has target 1 and response 0; a ker"):
        KernelDesign.of(responses, "optimal")


def test_weights_that_there_are_not_are_refused():
    responses = Responses.from_table(table([0, 1, 2, 3], [0, 1, 2, 0]), "mafc", 4)
    with pytest.raises(ValueError, match="weights must be 'sum' with more than two al"):
        KernelDesign.of(responses, "optimal")
    with pytest.raises(
        ValueError, match="weights must be one of sum, optimal, got bes"
    ):
        KernelDesign.of(responses, "best")


def test_a_session_has_them_too():
    made = session(*run(Linear(TEMPLATE, SD), "2afc", 600, 0.1, 11))
    found = kernel_of(made, method="optimal")
    assert found.formula == "kernel-2afc-optimal-weights/1"
