"""Kernels: the closed forms of methods.md 4.3 and 4.4, errors, pairs, and chunks."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr, ndtri

from tests.analysis.murray2015 import murray2015
from yoked.analysis.kernels.weighted_sum import (
    first_order_kernel,
    template_match,
)
from yoked.analysis.sensitivity.mafc import mafc_proportion_correct, mafc_slope
from yoked.analysis.sessions.kernel import kernel as kernel_of
from yoked.analysis.trials.responses import Responses

from ..observers.linear import Linear, linear_responses, run, session, unit

N_ELEMENTS = 256
TEMPLATE = unit(np.exp(-((np.arange(N_ELEMENTS) - 128) ** 2) / 50))
SD = 0.1
CASES = [(0.0, 0.0), (1.0, 0.0), (1.0, 0.08)]  # gamma, criterion


def phi(z):
    return np.exp(-np.square(z) / 2) / math.sqrt(2 * math.pi)


def along(kernel):
    """Length of the kernel along the unit template."""
    return float(kernel.ravel() @ TEMPLATE)


def across(kernel):
    """Variance per element of what is left beside the template."""
    rest = kernel.ravel() - along(kernel) * TEMPLATE
    return float(rest @ rest) / (N_ELEMENTS - 1)


# A variance from 255 elements has a relative SD of 8.9 %.
VARIANCE_TOLERANCE = 4 * math.sqrt(2 / (N_ELEMENTS - 1))


@pytest.mark.parametrize(("gamma", "criterion"), CASES)
def test_a_linear_yes_no_observer_has_the_closed_form_kernel(gamma, criterion):
    observer, n = Linear(TEMPLATE, SD, gamma, criterion), 8000
    signal = 1.2 * observer.sd_decision
    found = first_order_kernel(
        *linear_responses(observer, "yes_no", n, signal, seed=1, gains=(-0.5, 0.5))
    )
    z = np.array([-signal / 2, signal / 2]) - criterion  # absent, present
    z, n_class = z / observer.sd_decision, n / 2
    p, q = ndtr(z), ndtr(-z)
    amplitude = SD**2 / observer.sd_decision * phi(z) / (p * q)
    variance = SD**2 / (n_class * p * q)
    halves = (found.nontarget_half, found.target_half)
    for half, expected, var in zip(halves, amplitude, variance, strict=True):
        assert along(half) == pytest.approx(expected, abs=4 * math.sqrt(var))
        assert across(half) == pytest.approx(var, rel=VARIANCE_TOLERANCE)
    summed = 4 * math.sqrt(variance.sum())
    assert along(found.kernel) == pytest.approx(amplitude.sum(), abs=summed)
    assert across(found.kernel) == pytest.approx(variance.sum(), rel=VARIANCE_TOLERANCE)
    # Standard errors vary with the class sizes and each element's sample variance.
    assert np.mean(found.se**2) == pytest.approx(variance.sum(), rel=0.1)
    assert np.mean(found.target_half_se**2) == pytest.approx(variance[1], rel=0.1)


@pytest.mark.parametrize(("gamma", "criterion"), CASES)
def test_a_linear_2afc_observer_has_the_closed_form_kernel(gamma, criterion):
    observer, n = Linear(TEMPLATE, SD, gamma, criterion), 8000
    sd_difference = math.sqrt(2) * observer.sd_decision
    signal = ndtri(0.75) * sd_difference
    found = first_order_kernel(*linear_responses(observer, "2afc", n, signal, seed=2))
    # With an interval bias the two target intervals have their own z.
    z = (signal + np.array([1, -1]) * criterion) / sd_difference
    pc = float(ndtr(z).mean())
    amplitude = 2 * SD**2 / sd_difference * float(phi(z).mean()) / (pc * (1 - pc))
    variance = 2 * SD**2 / (n * pc * (1 - pc))
    tolerance = 4 * math.sqrt(variance)
    assert along(found.kernel) == pytest.approx(amplitude, abs=tolerance)
    assert across(found.kernel) == pytest.approx(variance, rel=VARIANCE_TOLERANCE)
    assert np.mean(found.se**2) == pytest.approx(variance, rel=0.1)
    for half, se in (
        (found.target_half, found.target_half_se),
        (found.nontarget_half, found.nontarget_half_se),
    ):
        assert along(half) == pytest.approx(amplitude / 2, abs=tolerance)
        assert np.mean(se**2) == pytest.approx(variance / 2, rel=0.1)
    np.testing.assert_allclose(found.kernel, found.target_half + found.nontarget_half)


@pytest.mark.parametrize("gamma", [0.0, 1.0, 2.0])
def test_the_correlation_with_the_template_follows_from_the_trials(gamma):
    observer, n = Linear(TEMPLATE, SD, gamma), 4000
    signal = ndtri(0.75) * math.sqrt(2) * observer.sd_decision
    responses, source = linear_responses(observer, "2afc", n, signal, seed=3)
    match = template_match(first_order_kernel(responses, source).kernel[0, 0], TEMPLATE)
    # Murray, Bennett & Sekuler (2002) eq. 4: SNR, and from it the cosine.
    snr = n * phi(ndtri(0.75)) ** 2 / (0.75 * 0.25) / (1 + gamma**2)
    expected = math.sqrt(snr / (snr + N_ELEMENTS - 1))
    # d cos / d(length) x SD of the length, and the spread of the rest's norm.
    rest = (1 - expected**2) * expected
    sd = rest * math.hypot(1 / math.sqrt(snr), 1 / math.sqrt(2 * N_ELEMENTS))
    assert match.cosine == pytest.approx(expected, abs=4 * sd)
    assert match.pearson < 1


@pytest.mark.parametrize("task", ["2afc", "yes_no"])
@pytest.mark.parametrize("n_pairs", [0, 2000])
def test_standard_errors_are_the_spread_with_and_without_a_double_pass(task, n_pairs):
    found, _ = of_nothing(task, n_pairs)
    for kernel, se in (
        (found.kernel, found.se),
        (found.target_half, found.target_half_se),
        (found.nontarget_half, found.nontarget_half_se),
    ):
        score = ((kernel.ravel() - along(kernel) * TEMPLATE) / se.ravel()).std()
        assert score == pytest.approx(1, abs=4 / math.sqrt(2 * N_ELEMENTS))


def test_without_the_pairs_the_standard_errors_would_be_too_small():
    # All trials shown twice: the variance of a class mean grows by 1 + the correlation
    # of being correct between the passes, .55 here.
    _, (responses, source) = of_nothing("2afc", 2000)
    paired = first_order_kernel(responses, source)
    alone = Responses.from_table(responses.table.assign(repeats=pd.NA), "2afc", 2)
    naive = first_order_kernel(alone, source)
    np.testing.assert_allclose(paired.kernel, naive.kernel, rtol=1e-10, atol=1e-14)
    passes = np.corrcoef(responses.correct[:2000], responses.correct[2000:])[0, 1]
    ratio = np.mean(paired.se**2) / np.mean(naive.se**2)
    assert ratio == pytest.approx(1 + passes, rel=0.02)
    assert ratio > 1.5


def of_nothing(task, n_pairs):
    """Return (kernel, (responses, source)) of 4000 trials at 75 % and gamma .5."""
    observer = Linear(TEMPLATE, SD, gamma=0.5)
    root = math.sqrt(2) if task == "2afc" else 2.0
    signal = ndtri(0.75) * root * observer.sd_decision
    gains = (0, 1) if task == "2afc" else (-0.5, 0.5)
    made = linear_responses(
        observer, task, 4000, signal, 4, n_pairs=n_pairs, gains=gains
    )
    return first_order_kernel(*made), made


def test_an_equal_stimulus_id_alone_shares_no_noise():
    _, (responses, source) = of_nothing("2afc", 0)
    table = responses.table.assign(stimulus_id=responses.table["stimulus_id"] // 2)
    twice = Responses.from_table(table, "2afc", 2)
    # Every field twice: were the ids read as pairs, the pairs of different targets
    # would be refused.
    assert sum(first_order_kernel(twice, source).n_per_class.values()) == 4000


def test_the_four_alternative_kernel_has_its_closed_form():
    observer, n, m = Linear(TEMPLATE, SD, gamma=1.0), 8000, 4
    d = 1.5
    made = linear_responses(
        observer, "mafc", n, d * observer.sd_decision, 5, n_alternatives=m
    )
    found = first_order_kernel(*made)
    pc = float(mafc_proportion_correct(d, m))
    # d Pc / d(target noise along w) = slope / sd_d; all others together lose as much.
    half = SD**2 / observer.sd_decision * float(mafc_slope(d, m)) / (pc * (1 - pc))
    sd = SD / math.sqrt(n * pc * (1 - pc))
    assert along(found.target_half) == pytest.approx(half, abs=4 * sd)
    other = sd / math.sqrt(m - 1)
    assert along(found.nontarget_half) == pytest.approx(half / (m - 1), abs=4 * other)
    assert np.mean(found.nontarget_half_se**2) == pytest.approx(other**2, rel=0.1)
    assert np.mean(found.se**2) == pytest.approx(sd**2 + other**2, rel=0.1)


def test_an_energy_detector_has_no_kernel_in_the_noise_alone():
    # methods.md 4.3: its non-target half is 0; the target's signal tilts the other.
    class Energy(Linear):
        def decision_variables(self, noise, signal, rng):
            return super().decision_variables(noise, signal, rng) ** 2

    observer = Energy(TEMPLATE, SD, gamma=0.2)
    found = first_order_kernel(
        *linear_responses(observer, "2afc", 4000, 1.5 * observer.sd_decision, 6)
    )
    se = float(np.mean(found.nontarget_half_se))
    assert abs(along(found.nontarget_half)) < 4 * se
    assert along(found.target_half) > 20 * se


def test_contrasts_are_combined_within_contrast_by_their_weights():
    observer = Linear(TEMPLATE, SD, gamma=1.0)
    strengths = np.array([0.5, 1.5, 2.5]) * observer.sd_decision
    responses, source = linear_responses(observer, "2afc", 6000, strengths, seed=7)
    found = first_order_kernel(responses, source)
    parts = [
        first_order_kernel(responses.where(responses.contrast == c), source)
        for c in responses.contrasts
    ]
    total = sum(w * part.kernel for w, part in zip(found.weights, parts, strict=True))
    np.testing.assert_allclose(found.kernel, total, atol=1e-12)
    expected = phi(strengths / (math.sqrt(2) * observer.sd_decision))
    np.testing.assert_allclose(found.weights, expected / expected.sum(), atol=0.01)
    squares = sum(
        (w * part.se) ** 2 for w, part in zip(found.weights, parts, strict=True)
    )
    assert np.mean(found.se**2) == pytest.approx(np.mean(squares), rel=0.02)


def test_a_contrast_without_errors_is_left_out_and_counted():
    observer = Linear(TEMPLATE, SD, gamma=1.0)
    responses, source = linear_responses(observer, "2afc", 2000, [0.1, 50.0], seed=8)
    found = first_order_kernel(responses, source)
    assert (found.contrasts, found.weights, found.n_left_out) == ((1.0,), (1.0,), 1000)
    assert sum(found.n_per_class.values()) == 1000


def test_chunks_change_nothing_and_bound_what_is_asked_for():
    observer = Linear(TEMPLATE, SD)
    responses, source = linear_responses(
        observer, "2afc", 500, 0.1, seed=9, n_pairs=100
    )
    largest = []

    class Watched:
        name = "stored"

        def field(self, table, interval):
            largest.append(len(table))
            return source.field(table, interval)

    whole = first_order_kernel(responses, source)
    chunked = first_order_kernel(responses, Watched(), chunk_elements=14 * N_ELEMENTS)
    assert max(largest) == 7  # two intervals each
    assert sum(largest) == 2 * 400  # the second pass asks for nothing
    np.testing.assert_allclose(whole.kernel, chunked.kernel, atol=1e-14)
    np.testing.assert_allclose(whole.se, chunked.se, rtol=1e-10)


def test_levels_come_out_as_contrast():
    observer = Linear(TEMPLATE, SD)
    table, source = run(observer, "2afc", 400, 0.1, seed=10)
    levels = type(source)(np.rint(127 * source.fields).astype(np.int8))
    responses = Responses.from_table(table, "2afc", 2)
    exact = first_order_kernel(responses, source)
    rounded = first_order_kernel(responses, levels)
    # Rounding adds a variance of 1/12 level^2 per element, before averaging.
    error = 6 * math.sqrt(1 / 12) / 127 * np.mean(exact.se) / SD
    np.testing.assert_allclose(rounded.kernel, exact.kernel, atol=error)


def test_row_order_and_names_change_no_number():
    table, source = run(Linear(TEMPLATE, SD), "2afc", 600, 0.1, 11, n_pairs=200)
    plain = kernel_of(session(table, source), method="weighted_sum")
    shuffled = table.sample(frac=1, random_state=1)
    renamed = kernel_of(
        session(shuffled, source, id="b-2", observer="p10"), method="weighted_sum"
    )
    np.testing.assert_array_equal(plain.kernel, renamed.kernel)
    np.testing.assert_array_equal(plain.se, renamed.se)


def made_of(task, target, response, contrast=0.2):
    n = len(target)
    columns = {"target": target, "response": response, "contrast": contrast}
    columns |= {"trial": range(n), "repeats": [None] * n, "stimulus_id": range(n)}
    source = run(Linear(TEMPLATE), "2afc", n, 0.1, seed=12)[1]
    return Responses.from_table(pd.DataFrame(columns), task, 2), source


def test_an_empty_class_gets_a_clear_sentence():
    with pytest.raises(ValueError, match="no trial has target 1 and response 0; a ker"):
        first_order_kernel(*made_of("yes_no", [0, 0, 1, 1], [0, 1, 1, 1]))
    with pytest.raises(ValueError, match="no trial was incorrect; a kernel needs corr"):
        first_order_kernel(*made_of("2afc", [0, 0, 1, 1], [0, 0, 1, 1]))
    split = made_of("2afc", [0, 0, 1, 1], [0, 0, 0, 0], [0.1, 0.1, 0.2, 0.2])
    with pytest.raises(ValueError, match="no contrast has trials in all stimulus-resp"):
        first_order_kernel(*split)


def test_a_class_of_one_noise_field_has_no_variance():
    with pytest.raises(ValueError, match="class incorrect must show two noise fields"):
        first_order_kernel(*made_of("2afc", [0, 0, 1, 1], [0, 0, 1, 0]))


def test_a_match_is_of_shape_not_of_size():
    template = np.array([[0.0, 1.0], [3.0, 0.0]])
    assert template_match(5 * template, template).cosine == pytest.approx(1)
    assert template_match(-template, template).pearson == pytest.approx(-1)
    shifted = template_match(template + 7, template)
    assert shifted.pearson == pytest.approx(1)
    assert shifted.cosine < 0.9


def test_a_flat_kernel_matches_nothing():
    with pytest.raises(ValueError, match="kernel must vary over elements"):
        template_match(np.zeros(3), np.arange(3.0))


def test_a_published_observer_has_the_published_kernel(shared_data):
    from yoked.experiments.stimulus.matlab5 import murray_noise

    class Published:
        name = "matlab5-rand"

        def field(self, table, interval):
            seed, target = (table[c].to_numpy() for c in ("stimulus_id", "target"))
            return murray_noise(seed, target, interval)

    responses = murray2015(shared_data("murray2015/experiment1_subject01.txt"))
    found = first_order_kernel(responses, Published())
    score = found.kernel[0] / found.se[0]
    assert score[15, 15] > 7
    y, x = np.mgrid[-15:16, -15:16]
    radius = np.hypot(y, x)
    assert score[radius > 10].std() == pytest.approx(1, abs=0.1)

    class Difference(Published):
        """First minus second interval: a yes/no stimulus, "yes" = first."""

        def field(self, table, interval):
            table = table.assign(target=1 - table["target"])
            return super().field(table, 0) - super().field(table, 1)

    # methods.md 4.9: the profile is that of the difference field, the class sum over
    # the target intervals, contrasts pooled.
    table = responses.table.assign(
        target=1 - responses.target, response=1 - responses.response, contrast=0.1
    )
    pooled = first_order_kernel(Responses.from_table(table, "yes_no", 2), Difference())
    profile = [
        pooled.kernel[0][(radius >= r - 0.5) & (radius < r + 0.5)].mean()
        for r in range(7)
    ]
    printed = [0.128, 0.131, 0.104, 0.069, 0.038, 0.019, 0.006]
    np.testing.assert_allclose(profile, printed, atol=6e-4)
    # Neri's sum is over alternatives, not over target intervals: half as large, at the
    # same places.
    assert template_match(found.kernel, pooled.kernel).cosine > 0.97
