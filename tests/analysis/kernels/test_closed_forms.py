"""Closed forms: tables of methods.md 3.1, 4.4 and 4.5, a linear observer, errors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.analysis.observers.expected import (
    expected_cosine,
    kernel_amplitude_2afc,
    kernel_amplitude_yes_no,
    kernel_element_se,
    least_squares_efficiency,
    split_half_correlation,
)
from tests.analysis.observers.linear import Linear, linear_responses, unit
from tests.analysis.written_out import (
    first_order_vector,
    second_order_matrices,
)
from yoked.analysis.kernels.closed_forms import (
    gamma_standard_error,
    kernel_snr,
    trials_for_correlation,
)
from yoked.analysis.kernels.information import (
    bound_snr,
    weighted_sum_efficiency,
)
from yoked.analysis.second_order.closed_forms import (
    null_edge,
    null_element_se,
    trials_for_eigenvalue,
)
from yoked.analysis.trials.design import TrialDesign

RATES = (0.55, 0.65, 0.75, 0.85, 0.95)
# By gamma: efficiency of the weighted sum / of least squares at each rate.
EFFICIENCIES = {
    0.05: ".044/.120 .045/.113 .047/.101 .051/.088 .060/.077",
    0.10: ".088/.236 .090/.223 .093/.200 .101/.174 .119/.153",
    0.25: ".216/.535 .220/.508 .228/.463 .245/.410 .288/.365",
    0.50: ".405/.820 .411/.794 .425/.746 .452/.686 .518/.631",
    0.75: ".553/.930 .560/.912 .576/.878 .605/.832 .674/.787",
    1.00: ".663/.970 .670/.959 .684/.936 .712/.905 .774/.872",
    1.35: ".767/.989 .773/.983 .785/.970 .808/.951 .857/.931",
    2.00: ".871/.997 .875/.995 .882/.989 .897/.981 .927/.971",
    3.00: ".936/.999 .938/.998 .942/.996 .950/.992 .966/.988",
}
rates = st.floats(0.02, 0.98)
gammas = st.floats(0.05, 5.0)
OBSERVER = Linear(unit([0, 1, 2, 1, 0]), gamma=1.35)


@pytest.mark.parametrize("gamma", EFFICIENCIES)
def test_efficiencies_are_those_of_the_table(gamma):
    found = [
        f"{weighted_sum_efficiency(rate, gamma):.3f}/"
        f"{least_squares_efficiency(rate, gamma):.3f}"
        for rate in RATES
    ]
    assert " ".join(found).replace("0.", ".") == EFFICIENCIES[gamma]


@pytest.mark.parametrize(
    ("r", "p", "gamma", "n"),
    [
        (0.9, 64, 1.0, 1013),
        (0.9, 961, 1.0, 15214),
        (0.9, 64, 1.35, 1430),
        (0.9, 64, 0.0, 507),
        (0.95, 12, 1.35, 582),
    ],
)
def test_trials_for_a_correlation_are_those_of_the_table(r, p, gamma, n):
    assert trials_for_correlation(r, p, 0.75, gamma) == pytest.approx(n, abs=1)


@pytest.mark.parametrize(
    ("n", "printed"),
    [
        (100, ".14 .32 .55 1.32"),
        (200, ".10 .23 .39 .94"),
        (500, ".06 .14 .25 .59"),
        (1000, ".04 .10 .18 .42"),
        (2000, ".03 .07 .12 .30"),
    ],
)
def test_standard_errors_of_gamma_are_those_of_the_table(n, printed):
    found = [gamma_standard_error(n, 0.75, gamma) for gamma in (0.5, 1.0, 1.35, 2.0)]
    assert found == pytest.approx([float(x) for x in printed.split()], abs=0.0051)


def test_a_kernel_has_the_correlation_that_it_was_planned_for():
    p, r = 64, 0.9
    observer = Linear(unit(np.random.default_rng(1).normal(size=p)))
    n = round(trials_for_correlation(r, p, 0.75, observer.gamma))
    signal = np.sqrt(2) * observer.sd_decision * 0.6745
    found = []
    for seed in range(12):
        design = TrialDesign.of(*linear_responses(observer, "2afc", n, signal, seed))
        kernel = unit(first_order_vector(design))
        found.append(kernel @ observer.template)
    assert np.mean(found) == pytest.approx(r, abs=0.02)
    assert expected_cosine(kernel_snr(n, 0.75, 1.0), p) == pytest.approx(r, abs=0.002)


@pytest.mark.parametrize("criterion", [0.0, 0.15])
def test_yes_no_kernels_have_the_expected_length_and_noise(criterion):
    observer = Linear(OBSERVER.template, gamma=1.0, criterion=criterion)
    n = 200_000
    design = TrialDesign.of(*linear_responses(observer, "yes_no", n, 0.1, seed=2))
    blind = unit([1, 0, 0, 0, -1])
    for target in (0, 1):
        rows = design.target == target
        yes, noise = design.response[rows], design.noise[rows]
        kernel = noise[yes].mean(0) - noise[~yes].mean(0)
        expected = kernel_amplitude_yes_no(float(yes.mean()), 1.0, observer.sd)
        se = kernel_element_se(int(rows.sum()), float(yes.mean()), observer.sd, False)
        assert kernel @ observer.template == pytest.approx(expected, abs=4 * se)
        assert abs(kernel @ blind) < 4 * se


def test_the_2afc_kernel_has_the_expected_length():
    n = 200_000
    design = TrialDesign.of(*linear_responses(OBSERVER, "2afc", n, 0.16, seed=3))
    correct = float(np.mean(design.response == (design.target == 1)))
    expected = kernel_amplitude_2afc(correct, OBSERVER.gamma, OBSERVER.sd)
    se = kernel_element_se(n, correct, OBSERVER.sd)
    length = first_order_vector(design) @ OBSERVER.template
    assert length == pytest.approx(expected, abs=4 * se)


def test_the_spread_of_blind_elements_is_the_standard_error():
    observer = Linear(unit(np.eye(400)[0]), gamma=1.0)
    design = TrialDesign.of(*linear_responses(observer, "2afc", 2000, 0.1, seed=4))
    correct = float(np.mean(design.response == (design.target == 1)))
    expected = kernel_element_se(2000, correct, observer.sd)
    assert first_order_vector(design)[1:].std() == pytest.approx(expected, rel=0.1)


@given(rates, gammas)
def test_no_estimate_is_better_than_the_bound(rate, gamma):
    weighted = weighted_sum_efficiency(rate, gamma)
    assert 0 < weighted < least_squares_efficiency(rate, gamma) < 1


@given(rates, gammas)
def test_the_bound_is_the_same_for_a_rate_and_its_complement(rate, gamma):
    mirrored = bound_snr(1.0, 1 - rate, gamma)
    assert bound_snr(1.0, rate, gamma) == pytest.approx(mirrored, rel=1e-6)


def test_without_internal_noise_there_is_no_bound():
    assert bound_snr(10, 0.75, 0.0) == np.inf


def test_halves_that_are_half_noise_correlate_by_a_half():
    assert split_half_correlation(961.0, 961) == 0.5


@pytest.mark.parametrize("p", [13, 40])
def test_the_null_spectrum_ends_at_the_edge(p):
    observer = Linear(unit(np.eye(p)[0]), sd=1.0, gamma=100.0)
    tops = []
    for seed in range(6):
        design = TrialDesign.of(*linear_responses(observer, "2afc", 2000, 95.0, seed))
        matrix = second_order_matrices(design).sum(0)
        tops.append(np.linalg.eigvalsh(matrix)[-1])
    correct = float(np.mean(design.response == (design.target == 1)))
    off_diagonal = matrix[np.triu_indices(p, 1)]
    se = null_element_se(2000, correct)
    assert off_diagonal.std() == pytest.approx(se, rel=0.25)
    # At finite p the largest eigenvalue stays a little inside.
    assert 0.75 < np.mean(tops) / null_edge(2000, p, correct) < 1.05


def test_an_eigenvalue_needs_the_trials_that_put_the_edge_beneath_it():
    n = trials_for_eigenvalue(0.66, 12, 0.75)
    assert n == pytest.approx(1175, abs=1)
    assert null_edge(n, 12, 0.75) == pytest.approx(0.66)


@given(st.floats(0.05, 2.0))
def test_second_order_noise_grows_with_the_square_of_the_noise(sd):
    one, other = null_edge(500, 13, 0.75), null_edge(500, 13, 0.75, sd)
    assert other == pytest.approx(one * sd**2)


def test_impossible_values_are_refused():
    with pytest.raises(ValueError, match="rate must be between 0 and 1, got 1"):
        kernel_snr(100, 1.0, 1.0)
    with pytest.raises(ValueError, match="gamma must be >= 0, got -1"):
        bound_snr(100, 0.75, -1.0)
    with pytest.raises(ValueError, match="gamma must be > 0, got 0"):
        gamma_standard_error(100, 0.75, 0.0)
    with pytest.raises(ValueError, match="correlation must be between 0 and 1, got 1"):
        trials_for_correlation(1.0, 10, 0.75, 1.0)
    with pytest.raises(ValueError, match="eigenvalue must differ from 0"):
        trials_for_eigenvalue(0.0, 10, 0.75)
