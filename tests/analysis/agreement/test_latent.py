"""Agreement behind the responses: tetrachoric correlations, the ceiling of kappa."""

import itertools
import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr, ndtri
from scipy.stats import multivariate_normal

import yoked
from yoked.analysis.agreement.error_consistency import error_consistency
from yoked.analysis.agreement.kappa import (
    compare_kappa,
    kappa,
    kappa_ceiling,
    linear_kappa_ceiling,
)
from yoked.analysis.agreement.latent import latent_agreement, logged_correlation
from yoked.analysis.agreement.responses import (
    ceiling_bounds,
    linear_ceiling,
)
from yoked.analysis.agreement.shared import SharedTrials
from yoked.analysis.double_pass.bivariate_probit import (
    fit_bivariate_probit,
    informative,
    normal_both,
)
from yoked.analysis.double_pass.internal_noise import (
    agreement_probability,
    agreement_slope,
    internal_noise_likelihood,
    pair_counts,
    r_from_agreement,
    r_from_gamma,
)
from yoked.analysis.trials.estimate import Estimate, mapped
from yoked.analysis.trials.responses import responses

from ..observers.linear import Linear, linear_responses, run, session, unit

N = 13
BUMP = unit(np.exp(-((np.arange(N) - 6) ** 2) / 4))
SIDE = unit(np.roll(BUMP, 3) - (np.roll(BUMP, 3) @ BUMP) * BUMP)


def at_cosine(cosine):
    """Return a template at this cosine to BUMP."""
    return cosine * BUMP + math.sqrt(1 - cosine**2) * SIDE


def two_observers(one, other, n=6000, n_pairs=2000, task="2afc", signal=0.15, seed=1):
    """Return sessions of two observers on the same trials, both shown twice."""
    gains = (0, 1) if task == "2afc" else (-0.5, 0.5)
    table, source = run(one, task, n, signal, seed, n_pairs=n_pairs, gains=gains)
    shown = source.fields[table["stimulus_id"].to_numpy()][:, :, 0, 0]
    classes = np.arange(2) if task == "2afc" else [1]
    is_target = table["target"].to_numpy()[:, None] == classes
    rng = np.random.default_rng(seed + 1000)
    strengths = np.atleast_1d(signal)[table["contrast"].to_numpy(int) - 1][:, None]
    added = np.where(is_target, gains[1], gains[0]) * strengths
    chosen = other.choose(other.decision_variables(shown, added, rng))
    ours = session(table, source, task, id="human-1", observer="ann")
    answered = table.assign(response=chosen)
    theirs = session(answered, source, task, "model-1", "net", yoked_to="human-1")
    return ours, theirs


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(-0.99, 0.99))
@settings(max_examples=50)
def test_owens_function_gives_the_bivariate_normal(a, b, rho):
    exact = multivariate_normal([0, 0], [[1, rho], [rho, 1]]).cdf([a, b])
    assert normal_both(a, b, rho) == pytest.approx(exact, abs=1e-7)


@pytest.mark.parametrize("rho", [-1.0, -0.5, 0.0, 0.5, 1.0])
def test_the_bivariate_normal_is_exact_at_its_edges(rho):
    expected = {-1: 0, -0.5: 1 / 6, 0: 1 / 4, 0.5: 1 / 3, 1: 1 / 2}[rho]
    assert normal_both(0.0, 0.0, rho) == pytest.approx(expected)
    assert normal_both(0.0, 1e-9, rho) == pytest.approx(expected, abs=1e-8)
    assert normal_both(8.0, 0.3, rho) == pytest.approx(0.6179114221889526)


@given(st.floats(-1.5, 1.5), st.floats(-1.5, 1.5), st.floats(-0.95, 0.95))
@settings(max_examples=50)
def test_a_table_gives_back_its_correlation_and_thresholds(a, b, rho):
    both = float(normal_both(a, b, rho))
    first, second = (float(normal_both(x, 9.0, 0.0)) for x in (a, b))
    chances = [both, first - both, second - both, 1 - first - second + both]
    fit = fit_bivariate_probit(1e6 * np.array([chances]))
    assert fit.rho == pytest.approx(rho, abs=1e-5)
    np.testing.assert_allclose(fit.thresholds, [[a, b]], atol=1e-5)


def test_tables_without_a_kind_of_disagreement_correlate_by_one():
    assert fit_bivariate_probit(np.array([[45.0, 0, 3, 52]])).rho == 1
    assert fit_bivariate_probit(np.array([[0, 40.0, 50, 3]])).rho == -1
    one_way_each = np.array([[45.0, 0, 3, 52], [30, 4, 0, 20]])
    assert fit_bivariate_probit(one_way_each).rho == 1
    assert fit_bivariate_probit(np.array([[45.0, 1, 3, 52]])).rho < 1


def test_a_double_pass_is_a_table_with_one_threshold():
    made, _ = linear_responses(
        Linear(np.ones(1)), "yes_no", 3000, [0.05, 0.2], 3, n_pairs=1500
    )
    counts = pair_counts(made, by_contrast=True).astype(float)
    tables = np.column_stack([counts[:, 0], *[counts[:, 1] / 2] * 2, counts[:, 2]])
    fit = fit_bivariate_probit(tables)
    r = internal_noise_likelihood(pair_counts(made, by_contrast=True)).r
    assert fit.rho == pytest.approx(r.value, abs=1e-5)
    assert fit.information**-0.5 == pytest.approx(r.se, rel=0.05)
    assert (fit.influence() * tables).sum() == pytest.approx(0, abs=1e-8)


def test_cells_with_one_response_are_not_fitted():
    tables = np.array([[10.0, 0, 5, 0], [4, 3, 2, 1]])
    assert informative(tables).tolist() == [False, True]
    with pytest.raises(
        ValueError, match="both responses of both observers in each cell"
    ):
        fit_bivariate_probit(tables)


@pytest.mark.parametrize("task", ["2afc", "yes_no"])
def test_latent_correlations_are_the_cosine_times_the_consistent_shares(task):
    one = Linear(BUMP, gamma=1.0, criterion=0.05)
    other = Linear(at_cosine(0.6), gamma=0.5, criterion=-0.05)
    ours, theirs = two_observers(one, other, task=task, signal=[0.05, 0.2])
    found = latent_agreement(ours, theirs)
    expected = 0.6 * math.sqrt(r_from_gamma(1) * r_from_gamma(0.5))
    assert abs(found.correlation.value - expected) < 4 * found.correlation.se
    assert (
        abs(found.decision_variable.value - expected) < 4 * found.decision_variable.se
    )
    assert abs(found.disattenuated.value - 0.6) < 4 * found.disattenuated.se
    assert found.disattenuated.low < 0.6 < found.disattenuated.high
    assert found.disattenuated.se < 0.06
    assert abs(found.ceiling.value - expected / 0.6) < 4 * found.ceiling.se
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_noiseless_twin_is_one_after_disattenuation():
    ours, theirs = two_observers(Linear(BUMP, gamma=1.0), Linear(BUMP, gamma=0.0))
    found = latent_agreement(ours, theirs)
    assert found.other_consistency.value == 1
    assert found.correlation.value == pytest.approx(math.sqrt(0.5), abs=0.05)
    assert abs(found.disattenuated.value - 1) < 4 * found.disattenuated.se


def test_logged_decision_variables_correlate_as_the_responses_say():
    protocol = yoked.load_protocol("bar-in-noise")
    noisy = yoked.run(
        protocol,
        yoked.load_observer("template"),
        seed=1,
        trials=2000,
        contrast=0.2,
        internal_noise=1.0,
    )
    broad = yoked.run(
        protocol,
        yoked.load_observer("template", efficiency=0.64),
        seed=1,
        trials=2000,
        contrast=0.2,
    )
    broad = replace(broad, row=replace(broad.row, yoked_to=noisy.id))
    found = latent_agreement(noisy, broad)
    assert abs(found.logged.value - 0.8 * math.sqrt(0.5)) < 4 * found.logged.se
    difference = found.decision_variable.value - found.logged.value
    assert abs(difference) < 4 * found.decision_variable.se
    itself = logged_correlation(SharedTrials.of(noisy, noisy))
    assert (itself.value, itself.se) == (pytest.approx(1), pytest.approx(0, abs=1e-9))
    unlogged = noisy.trials.assign(decision_variables=None)
    found = logged_correlation(SharedTrials.of(replace(noisy, trials=unlogged), broad))
    assert found.note == "decision variables were not logged by both observers"


def test_without_pairs_there_is_no_disattenuated_correlation():
    one = Linear(BUMP)
    found = latent_agreement(*two_observers(one, one, n=300, n_pairs=0))
    assert found.disattenuated.note == (
        "reference: no trial was shown and answered twice"
    )
    assert found.correlation.value is not None


def test_one_response_throughout_has_no_latent_correlation():
    always = Linear(BUMP, criterion=-10.0)
    found = latent_agreement(*two_observers(Linear(BUMP), always, n=300, n_pairs=100))
    note = "in no stimulus class did an observer give both responses"
    assert found.correlation.note == note
    assert found.decision_variable.value is None
    assert found.disattenuated.value is None


def test_other_trials_are_refused():
    ours, theirs = two_observers(Linear(BUMP), Linear(BUMP), n=100, n_pairs=0)
    apart = replace(
        theirs, trials=theirs.trials.assign(target=1 - ours.trials["target"])
    )
    for compare in (latent_agreement, compare_kappa):
        with pytest.raises(ValueError, match="must share a trial that counts in both"):
            compare(ours, apart)


def test_more_than_two_alternatives_say_so():
    table, source = run(Linear(BUMP), "mafc", 80, 0.1, 8, n_alternatives=4)
    made = session(table, source, "mafc")
    found = latent_agreement(made, made)
    assert found.correlation.note == (
        "a latent correlation is for two alternatives, got 4"
    )
    assert kappa_ceiling(responses(made)).upper.note.endswith("two alternatives, got 4")


def consistency_wald(n_twice, n_once, n_never):
    """Return r of one stimulus class and its interval as Ahumada (2002) had them.

    z from the uncorrected rate, and the interval of agreement the normal one,
    agreement -+ 1.96 SE, carried through with z held.
    """
    n = n_twice + n_once + n_never
    z = np.array([float(ndtri((2 * n_twice + n_once) / (2 * n)))])
    agree = (n_twice + n_never) / n
    se = math.sqrt(agree * (1 - agree) / n)

    def solve(agreement):
        return r_from_agreement(agreement, z, np.ones(1))

    slope = 1 / agreement_slope(solve(agree), z, np.ones(1))
    return mapped(Estimate.normal(agree, se, n, "agreement"), solve, "wald", slope)


def test_ahumadas_worked_example_is_met_and_its_misprint_known():
    # Ahumada (2002): d' 1.4006, r and its interval, by stimulus class; 2 and 16 cpd.
    printed = {
        (911, 417, 149): (0.3904, 0.2929, 0.4816),  # prints .2931 to .4819
        (180, 352, 941): (0.5564, 0.4755, 0.6313),
        (370, 657, 1016): (0.4462, 0.3811, 0.5087),
        # Prints .2942, with 417, the 2-cpd count, in the denominator of the rate.
        (1290, 552, 115): (0.2226, 0.1091, 0.3276),
    }
    for counts, numbers in printed.items():
        found = consistency_wald(*counts)
        rounded = [round(x, 4) for x in (found.value, found.low, found.high)]
        assert rounded == list(numbers)
        likelihood = internal_noise_likelihood(np.array([counts])).r
        assert likelihood.value == pytest.approx(numbers[0], abs=1e-4)
    rates = [(2 * a + b) / (2 * (a + b + c)) for a, b, c in list(printed)[:2]]
    assert round(float(ndtri(rates[0]) - ndtri(rates[1])), 4) == 1.4006


def test_kappa_of_two_passes_has_its_closed_form():
    # methods.md 6.2: 75 % correct, gamma 1.
    agree = float(agreement_probability(ndtri(0.75), 0.5))
    assert kappa(agree, 0.75, 0.75) == pytest.approx(0.308, abs=5e-4)


@given(st.floats(0.05, 2.5), st.floats(0.05, 5))
def test_the_ceiling_of_kappa_is_above_a_second_pass_and_the_twin(z, gamma):
    p = float(normal_both(z, 9.0, 0.0))
    agree = float(agreement_probability(z, r_from_gamma(gamma)))
    best = linear_kappa_ceiling(z, gamma)
    assert kappa(agree, p, p) <= best + 1e-4
    twin = float(normal_both(z * math.sqrt(1 + gamma**2), 9.0, 0.0))
    assert kappa(float(linear_ceiling(z, gamma)), p, twin) <= best + 1e-9
    assert best <= 1


def test_a_second_pass_can_be_more_consistent_than_a_noiseless_twin():
    # z 1, gamma 2: the twin is correct 98.7 % of the time, which kappa counts against.
    p, agree = float(ndtr(1.0)), float(agreement_probability(1.0, 0.2))
    twin = kappa(float(linear_ceiling(1.0, 2.0)), p, float(ndtr(math.sqrt(5))))
    assert kappa(agree, p, p) == pytest.approx(0.0966, abs=1e-4)
    assert twin == pytest.approx(0.0620, abs=1e-4)
    assert linear_kappa_ceiling(1.0, 2.0) > 0.0966


def test_a_noiseless_twin_is_as_consistent_as_expected():
    ours, theirs = two_observers(
        Linear(BUMP, gamma=1.0), Linear(BUMP, gamma=0.0), n=20_000, signal=[0.1, 0.2]
    )
    found = compare_kappa(ours, theirs)
    twin = found.ceiling.noiseless_twin
    assert abs(found.kappa.value - twin.value) < 4 * math.hypot(found.kappa.se, twin.se)
    assert twin.value < found.ceiling.linear_gaussian.value < found.ceiling.upper.value
    assert found.relative.value == pytest.approx(
        found.kappa.value / found.ceiling.linear_gaussian.value
    )
    json.dumps(found.to_dict(), allow_nan=False)


def test_the_ceiling_of_a_biased_yes_no_observer_is_over_its_classes():
    one = Linear(BUMP, gamma=1.0, criterion=0.1)
    twin = Linear(BUMP, gamma=0.0, criterion=0.1)
    ours, theirs = two_observers(one, twin, n=20_000, task="yes_no", signal=0.3)
    found = compare_kappa(ours, theirs)
    best = found.ceiling.noiseless_twin
    assert abs(found.kappa.value - best.value) < 4 * math.hypot(found.kappa.se, best.se)


def test_two_proportions_correct_bound_kappa():
    ours, theirs = two_observers(Linear(BUMP, gamma=0.2), Linear(BUMP, gamma=3.0))
    found = compare_kappa(ours, theirs)
    p1, p2 = (responses(one).correct.mean() for one in (ours, theirs))
    allowed = kappa(1 - abs(p1 - p2), p1, p2)
    assert found.kappa.value < found.ceiling.upper.value <= allowed + 1e-3


@given(st.floats(0.5, 1))
def test_the_bounds_of_the_best_model_enclose_agreement(alpha):
    # methods.md 6.1.
    lower, upper = ceiling_bounds(alpha)
    assert alpha <= lower <= upper <= 1
    assert upper == pytest.approx((1 + math.sqrt(2 * alpha - 1)) / 2)


def test_without_pairs_kappa_has_no_ceiling():
    found = compare_kappa(*two_observers(Linear(BUMP), Linear(BUMP), 300, n_pairs=0))
    assert found.ceiling.upper.note == "no trial was shown and answered twice"
    assert found.relative.value is None
    assert found.kappa.value is not None


def test_the_published_error_consistency_of_people_is_met(shared_data):
    # Cue-conflict images, ten people: mean kappa of 45 pairs, mean observed agreement.
    correct = []
    for number in range(1, 11):
        name = f"cue-conflict_subject-{number:02}_session_1.csv"
        table = pd.read_csv(shared_data(f"model-vs-human/cue-conflict/{name}"))
        image = table["imagename"].str.rsplit("_", n=1).str[1]
        right = table["object_response"] == table["category"]
        correct.append(right.set_axis(image).sort_index().to_numpy(bool))
    one_condition, n = np.ones(len(correct[0])), np.arange(len(correct[0]))
    pairs = list(itertools.combinations(correct, 2))
    kappas = [error_consistency(a, b, one_condition, n).value for a, b in pairs]
    assert len(kappas) == 45
    assert round(float(np.mean(kappas)), 4) == 0.3311
    assert round(float(np.mean([np.mean(a == b) for a, b in pairs])), 4) == 0.7652


def test_nearly_perfect_agreement_has_an_estimate():
    fit = fit_bivariate_probit(
        np.array([[480.0, 1.0, 0.0, 519.0], [3.0, 0.0, 1.0, 2.0]])
    )
    assert 0.99 < fit.rho <= 1
