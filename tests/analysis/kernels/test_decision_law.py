"""Decision variables that are not normal: their law, gamma under it, the share."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import ndtr

from tests.analysis.coverage import decision_law as coverage
from tests.analysis.coverage import given_few
from tests.analysis.coverage.study import key, results
from tests.analysis.observers.designs import yes_no_design
from tests.analysis.observers.linear import session
from yoked.analysis.double_pass.consistency import fit_consistency
from yoked.analysis.double_pass.internal_noise import r_from_gamma
from yoked.analysis.double_pass.law import Law, fit_law
from yoked.analysis.double_pass.law_numba import law_value
from yoked.analysis.double_pass.showings import Showings
from yoked.analysis.kernels.decision import BLIND, CERTAIN, decision_of
from yoked.analysis.kernels.few_share import share_given_few
from yoked.analysis.kernels.given_noise import (
    LITTLE,
    given_noise,
    jackknifed,
    newton,
    threshold_columns,
)
from yoked.analysis.kernels.linear_share import linear_share, shares_of_trials
from yoked.analysis.kernels.link_test import held_out, held_out_by_score
from yoked.analysis.kernels.variable_law import (
    ElementLevels,
    KernelParts,
    kurtosis_of_sum,
    law_of,
    n_levels,
)
from yoked.analysis.trials.estimate import Estimate
from yoked.analysis.trials.held import Held

BINARY = ElementLevels(np.array([-1.0, 1.0]), np.array([0.5, 0.5]))


def parts(*weights):
    return KernelParts.of(np.array(weights, float), np.zeros(len(weights)))


def held(noise, task, elements, gamma, seed=1, **more):
    cell = coverage.linear(noise, task, elements, gamma, **more)
    made = coverage.simulate(cell, np.random.default_rng(seed))
    return Held.of(session(*made, task))


def decision_law(made):
    return decision_of(made.responses, made.design).law


# --- the law -------------------------------------------------------------------------


def test_a_law_is_the_enumeration_of_its_elements_levels():
    weights = np.array([0.9, 0.5, 0.3])
    sums = np.array([s @ weights for s in itertools.product((-1, 1), repeat=3)])
    sums = np.sort(sums) / np.linalg.norm(weights)
    law = law_of(parts(*weights), BINARY, difference=False)
    at = [law.mass[law.points <= x + 0.05].sum() for x in sums]
    np.testing.assert_allclose(at, np.arange(1, 9) / 8, atol=1e-4)


def test_the_difference_of_two_binary_elements_has_three_levels():
    law = law_of(parts(1.0), BINARY, difference=True)
    assert n_levels(law) == 3
    assert law.kurtosis == pytest.approx(-1, abs=0.01)
    assert law.mass[np.abs(law.points) < 0.1].sum() == pytest.approx(0.5)


@pytest.mark.parametrize("weights", [(1,), (1, 1), (1, 1, 1), (2, 1, 1, 0.5)])
def test_cumulants_of_a_law_add_up(weights):
    law = law_of(parts(*weights), BINARY, difference=False)
    assert law.kurtosis == pytest.approx(kurtosis_of_sum(parts(*weights), -2), abs=0.01)
    assert law.mass @ law.points**2 == pytest.approx(1)


def test_many_small_weights_are_a_normal_part_without_their_noise():
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 0.1, 400)
    noise[0] = 1.0
    found = KernelParts.of(noise, np.full(400, 0.1))
    assert found.weights[0] == 1
    assert found.normal < 0.5 < 400 * 0.1**2
    law = law_of(replace(found, weights=found.weights[:1], normal=1.0), BINARY, False)
    assert law.kurtosis == pytest.approx(-0.5, abs=0.01)


def test_levels_are_those_that_were_shown():
    binary = held("binary", "2afc", 1, 1.0).design
    uniform = held("uniform", "yes_no", 1, 1.0).design
    gaussian = held("gaussian", "yes_no", 1, 1.0).design
    assert ElementLevels.of(binary).kurtosis == pytest.approx(-2, abs=0.01)
    assert ElementLevels.of(uniform).kurtosis == pytest.approx(-1.2, abs=0.05)
    assert abs(ElementLevels.of(gaussian).kurtosis) < 0.15
    found = decision_law(held("binary", "2afc", 1, 1.0))
    assert found.element_kurtosis == pytest.approx(-1, abs=0.01)


# --- gamma under a law ---------------------------------------------------------------


def test_the_likelihood_is_the_mean_over_the_law():
    law = Law(np.array([-1.0, 1.0]), np.array([0.5, 0.5]))
    gamma, m = 0.6, np.array([0.3, 0.8])
    f = ndtr((m[:, None] * np.hypot(1, gamma) + law.points) / gamma)
    chance = [(f[0] * f[1]).mean(), (f[0] * (1 - f[1])).mean(), f[0].mean()]
    yes = np.array([True, True, False])
    value = law_value(
        np.array([0.3, 0.8, 0.8]),
        yes,
        np.array([0, 0]),
        np.array([1, 2]),
        np.array([3.0, 2.0]),
        np.array([0]),
        np.array([4.0]),
        law.points,
        law.mass,
        gamma,
        np.empty((3, 2)),
    )
    assert value == pytest.approx(np.array([3, 2, 4]) @ np.log(chance))


@pytest.mark.parametrize("contrasts", [1, 7])
def test_under_a_normal_law_it_is_the_likelihood_of_showings(contrasts):
    made = held("gaussian", "2afc", 3, 1.0, contrasts=contrasts)
    showings = Showings.of(made.responses).counted()
    at = np.linspace(-6, 6, 601)
    mass = np.exp(-(at**2) / 2)
    law = Law(at, mass / mass.sum())
    found = fit_law(showings, law)
    normal = fit_consistency(showings, adjusted=False)
    assert r_from_gamma(found.gamma) == pytest.approx(normal.plain.r, abs=1e-3)
    assert r_from_gamma(found.low) == pytest.approx(normal.high, abs=2e-3)
    assert r_from_gamma(found.high) == pytest.approx(normal.low, abs=2e-3)


@pytest.mark.parametrize("contrasts", [1, 7])
def test_one_bar_in_binary_noise_keeps_its_gamma_and_its_share(contrasts):
    found, shares = [], []
    for seed in range(4):
        made = held("binary", "2afc", 1, 0.5, seed, contrasts=contrasts)
        decision = decision_of(made.responses, made.design)
        found.append(decision.law)
        shares.append(linear_share(made, decision))
    assert {one.law for one in found} == {"exact"}
    assert found[0].kurtosis == pytest.approx(-1, abs=0.05)
    assert (found[0].n_elements, found[0].n_levels) == (1, 3)
    assert np.median([one.gamma.value for one in found]) == pytest.approx(0.5, rel=0.1)
    assert np.median([one.gamma_normal.value for one in found]) < 0.4
    share = np.mean([one.linear.value for one in shares])
    assert share == pytest.approx(0.8, abs=0.03)
    assert shares[0].consistent.formula == "r-exact-law/1"
    assert shares[0].linear.formula == "linear-share-given-noise/1"
    assert all(one.nonlinear.low < 0 < one.nonlinear.high for one in shares)


def test_a_linear_observer_in_binary_noise_is_not_called_nonlinear():
    by_normal, by_law = [], []
    for seed in range(20, 28):
        made = held("binary", "yes_no", 3, 1.0, seed)
        decision = decision_of(made.responses, made.design)
        by_law.append(linear_share(made, decision).nonlinear)
        by_normal.append(decision.law.gamma.value / decision.law.gamma_normal.value)
    assert sum(one.low > 0 or one.high < 0 for one in by_law) <= 1
    assert np.median(by_normal) > 1.005


def test_the_share_is_refused_where_answers_are_certain():
    made = held("binary", "yes_no", 1, 0.5)
    decision = decision_of(made.responses, made.design)
    found, shares = decision.law, linear_share(made, decision)
    assert found.given_noise.note == CERTAIN
    assert shares.linear.value is None
    assert shares.nonlinear.note == CERTAIN
    assert found.gamma.value is None
    assert 0.5 < found.gamma.high < 2
    assert shares.gamma.high == found.gamma.high
    assert shares.consistent.low == pytest.approx(r_from_gamma(found.gamma.high))


def test_normal_noise_keeps_the_normal_formulas():
    made = held("gaussian", "yes_no", 1, 1.0)
    decision = decision_of(made.responses, made.design)
    shares = linear_share(made, decision)
    assert decision.law.law == "normal"
    assert decision.law.gamma.note == "the decision variable is near normal"
    expected = shares_of_trials(made.design, Estimate.missing("r/1", "none")).linear
    assert shares.linear == expected
    # Where both hold they tell the same.
    given = decision.law.given_noise
    assert abs(given.value - shares.linear.value) < 2 * shares.linear.se


def test_without_a_kernel_gamma_has_bounds_alone():
    rng = np.random.default_rng(3)
    made = held("binary", "2afc", 1, 1.0)
    guesses = replace(made.responses, response=rng.integers(0, 2, len(made.responses)))
    trials = replace(made.design, response=guesses.response == 1)
    found = decision_of(guesses, trials).law
    assert found.law == "unknown"
    assert found.gamma.value is None
    assert found.gamma.low < found.gamma.high
    assert found.gamma.note.startswith(BLIND)
    assert "if one element decides" in found.gamma.note
    assert found.consistent.value is None


def test_noise_that_is_not_white_has_no_law():
    made = held("binary", "yes_no", 1, 1.0)
    halves = made.design.halves.copy()
    halves[:, :, 0] *= 3
    found = decision_of(made.responses, replace(made.design, halves=halves)).law
    assert (found.law, found.kurtosis) == ("unknown", None)
    assert found.note == "the noise must have one SD in all elements"


def test_without_a_double_pass_the_share_is_left():
    made = held("binary", "2afc", 1, 1.0)
    once = made.responses.where(made.responses.first < 0)
    trials = made.design.where(made.responses.first < 0)
    found = decision_of(once, trials).law
    assert found.law == "exact"
    assert found.gamma.note == "no trial was shown and answered twice"
    assert found.given_noise.value == pytest.approx(0.5, abs=0.15)


# --- the share given the noise -------------------------------------------------------


def test_the_jackknife_is_that_of_fits_begun_anew():
    made = held("binary", "yes_no", 2, 1.0).design
    x = np.hstack([np.eye(2)[made.cell], made.noise / made.noise.std()])
    precision = np.where(np.arange(15) < 2, 1e-6, LITTLE)
    whole = newton(x, made.response, precision)
    group = made.cluster % 20
    found = jackknifed(x, made.response, precision, whole, group)
    for number in (0, 7):
        kept = group != number
        anew = newton(x[kept], made.response[kept], precision)
        np.testing.assert_allclose(found[number], anew, atol=1e-6)


def test_the_jackknife_takes_off_what_few_trials_add():
    plain, centred = [], []
    for seed in range(16):
        made = held("gaussian", "yes_no", 1, 1.0, seed)
        few = np.arange(len(made.responses)) < 300
        trials = made.design.where(few)
        columns = threshold_columns(Showings.of(made.responses.where(few)))
        found = given_noise(trials, columns, coverage.SD)
        plain.append(found.share)
        centred.append(found.estimate("share/1", 300).value)
    assert np.mean(plain) > np.mean(centred) + 0.02
    assert np.mean(centred) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("share", [0.5, 0.8])
def test_with_many_elements_those_that_count_have_their_noise_given(share):
    """The score's share there is .56 and .63: what binary noise makes of it."""
    cell = {**given_few.DESIGNS[2], "share": share}
    found = []
    for seed in range(12):
        made = given_few.simulate(cell, np.random.default_rng(seed))
        trials = Held.of(session(*made, "yes_no")).design
        found.append(share_given_few(trials, np.eye(2)[trials.cell]).estimate)
    assert np.mean([one.value for one in found]) == pytest.approx(share, abs=0.04)
    assert sum(one.low < share < one.high for one in found) >= 11


def test_where_few_elements_are_certain_no_share_is_given():
    cell = {**given_few.DESIGNS[2], "share": 0.978}
    made = given_few.simulate(cell, np.random.default_rng(2))
    trials = Held.of(session(*made, "yes_no")).design
    found = share_given_few(trials, np.eye(2)[trials.cell])
    assert (found.estimate.note, found.influence) == (CERTAIN, None)


def test_the_rest_of_a_kernel_is_counted_with_its_few_elements():
    """One element has .4, and forty have .3 together; none has a fit of its own."""
    shares = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        noise = rng.choice([-0.2, 0.2], (1000, 120))
        weights = np.r_[np.sqrt(0.4), np.full(40, np.sqrt(0.3 / 40)), np.zeros(79)]
        target = rng.integers(0, 2, 1000)
        decision = noise @ weights / 0.2 + np.sqrt(0.3) * rng.standard_normal(1000)
        trials = yes_no_design(noise, decision + target > 0.5, target)
        shares.append(share_given_few(trials, np.eye(2)[target]).estimate)
    assert np.mean([one.value for one in shares]) == pytest.approx(0.7, abs=0.04)
    assert sum(one.low < 0.7 < one.high for one in shares) >= 11


def test_a_kernel_without_a_large_element_has_no_share_of_few():
    rng = np.random.default_rng(1)
    noise, yes = rng.choice([-0.2, 0.2], (300, 3)), rng.random(300) < 0.5
    trials = yes_no_design(noise, yes, np.arange(300) % 2)
    found = share_given_few(trials, np.eye(2)[trials.cell]).estimate
    assert found.note == "no element of the kernel is beyond its sampling noise"


@pytest.mark.parametrize(("gamma", "is_refused"), [(1.0, False), (0.4, True)])
def test_with_many_elements_the_law_is_exact_all_the_same(
    monkeypatch, gamma, is_refused
):
    monkeypatch.setattr(coverage, "ELEMENTS", 160)
    made = held("binary", "yes_no", 1, gamma)
    decision = decision_of(made.responses, made.design)
    shares = linear_share(made, decision)
    assert decision.law.law == "exact"
    assert (decision.law.gamma.value is None) == is_refused
    if is_refused:
        assert shares.linear.note == CERTAIN
        assert decision.law.gamma.high > gamma
    else:
        assert shares.linear.formula == "linear-share-given-few/1"
        assert shares.linear.value == pytest.approx(0.5, abs=0.12)
        assert shares.nonlinear.low < 0 < shares.nonlinear.high


# --- the link ------------------------------------------------------------------------


def test_lapses_bend_the_link():
    bent = decision_law(held("gaussian", "2afc", 3, 0.5, observer="lapses"))
    straight = decision_law(held("gaussian", "2afc", 3, 0.5))
    assert bent.link.p < 0.001 < 0.05 < straight.link.p
    assert "choices alone can say no more" in straight.note


def test_predictions_by_weighted_sums_are_like_those_of_the_fit():
    made = held("gaussian", "2afc", 3, 1.0)
    columns = threshold_columns(Showings.of(made.responses))
    sd = coverage.SD * np.sqrt(2)
    fitted, summed = (
        predict(made.design, columns, sd, 0.5, 0)
        for predict in (held_out, held_out_by_score)
    )
    assert np.corrcoef(fitted, summed)[0, 1] > 0.98
    assert summed.std() == pytest.approx(fitted.std(), rel=0.15)


def test_few_levels_have_no_test_of_the_link():
    found = decision_law(held("binary", "2afc", 1, 1.0))
    assert found.link is None
    assert "levels of the decision variable must be more than 4" in found.note


# --- the table -----------------------------------------------------------------------


def test_the_tables_sessions_are_analysed_and_all_its_cells_are_there():
    table = coverage.LAW
    cell = coverage.linear("uniform", "2afc", 2, 1.0)
    found = coverage.session(cell, np.random.default_rng(1))
    names = {column.quantity for column in table.columns}
    assert names <= set(found)
    assert set(results(table)) == {key(cell) for cell in table.cells}


def test_the_table_of_few_among_many_has_all_its_cells():
    table = given_few.GIVEN_FEW
    found = given_few.session(table.cells[4], np.random.default_rng(1))
    assert found["share"].low < 0.3 < found["share"].high
    assert {column.quantity for column in table.columns} <= {*found, "excludes"}
    assert set(results(table)) == {key(cell) for cell in table.cells}
