"""The unshrunken kernel: known observers, invariances, and tests of equal kernels.

Sessions are those of the coverage study, made by NumPy alone.
"""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analysis.coverage import kernels as study
from tests.analysis.coverage.kernels import CELLS, EQUALITY, KERNELS
from tests.analysis.coverage.study import Interval, key, results, simulate
from tests.analysis.observers.linear import Linear, run, session, unit
from yoked.analysis.kernels import cross_fit
from yoked.analysis.kernels.augmented import (
    augmented_kernel,
    kept_under_drift,
    kept_under_lapses,
)
from yoked.analysis.kernels.equality import equal_kernels
from yoked.analysis.kernels.fitted import fitted_kernel
from yoked.analysis.kernels.influence import Scores
from yoked.analysis.kernels.noise_law import NoiseLaw
from yoked.analysis.trials.estimate import CannotTell, Estimate
from yoked.analysis.trials.result import as_plain


def cell_of(**what):
    """Return a cell of the study, with more or other parameters."""
    return {**CELLS[0], **what}


def trials_of(seed=1, halves=None, **what):
    """Return (trials, kernel) of a linear observer."""
    cell, rng = cell_of(**what), np.random.default_rng(seed)
    k, seen = study.kernel_of(cell), study.stimuli(cell, rng)
    response = study.answers(cell, halves or (k, k), seen, rng)
    return study.as_trials(cell, seen, response), k


def mean_of(n_sessions, lapse_rate=0.0, **what):
    """Return the mean unshrunken kernel of some sessions, and the true one."""
    found = []
    for seed in range(n_sessions):
        trials, k = trials_of(seed, **what)
        found.append(augmented_kernel(trials, lapse_rate).kernel.value.ravel())
    return np.mean(found, 0), k


# --- what is estimated ---------------------------------------------------------------


@pytest.mark.parametrize("task", ["2afc", "yes_no"])
@pytest.mark.parametrize("gamma", [0.25, 1.0, 2.0])
def test_a_known_observer_is_recovered_in_decision_sds(task, gamma):
    trials, k = trials_of(task=task, gamma=gamma, trials=4000)
    band = augmented_kernel(trials).kernel
    assert np.all(np.abs(band.value.ravel() - k) < 4 * band.se.ravel())
    noise = float((band.se**2).sum())
    share = float((band.value**2).sum()) - noise
    assert share == pytest.approx(1 / (1 + gamma**2), abs=0.05)


@pytest.mark.parametrize(
    ("what", "lapse_rate"),
    [
        ({"trials": 100}, 0.0),
        ({"contrasts": 28}, 0.0),
        ({"pairs": 300}, 0.0),
        ({"lapses": 0.1, "task": "yes_no"}, 0.1),
        ({"noise": "binary"}, 0.0),
        ({"noise": "correlated"}, 0.0),
    ],
)
def test_its_mean_is_the_kernel(what, lapse_rate):
    mean, k = mean_of(12, lapse_rate, **what)
    assert float(mean @ k / (k @ k)) == pytest.approx(1, abs=0.07)


@pytest.mark.parametrize("factor", [0.01, 1e4])
def test_it_is_unbiased_whatever_the_penalty_did(factor, monkeypatch):
    first = cross_fit._start

    def other(*arguments):
        slope, penalty = first(*arguments)
        return slope, penalty * factor

    monkeypatch.setattr(cross_fit, "_start", other)
    monkeypatch.setattr(cross_fit, "STEPS", 40)
    mean, k = mean_of(8)
    assert float(mean @ k / (k @ k)) == pytest.approx(1, abs=0.05)


def test_the_picture_is_shrunken_where_the_estimate_is_not():
    pictures, estimates = [], []
    for seed in range(3):
        trials, k = trials_of(seed, trials=200, gamma=2.0)
        fitted = fitted_kernel(trials, "ridge", n_folds=4)
        assert fitted.unshrunken is not None
        pictures.append(float(fitted.kernel.ravel() @ k / (k @ k)))
        estimates.append(float(fitted.unshrunken.kernel.value.ravel() @ k / (k @ k)))
    assert np.mean(pictures) < 0.85
    assert np.mean(estimates) == pytest.approx(1, abs=0.15)


def test_lapses_and_drift_leave_what_is_said_of_them():
    for rate, kept in ((0.05, 0.924), (0.1, 0.853)):
        right = rate / 2 + (1 - rate) * float(cross_fit.ndtr(0.707))
        assert kept_under_lapses(rate, right) == pytest.approx(kept, abs=6e-4)
    mean, k = mean_of(12, lapses=0.1)
    seen = 0.05 + 0.9 * 0.75
    kept = float(mean @ k / (k @ k))
    assert kept == pytest.approx(kept_under_lapses(0.1, seen), abs=0.06)
    assert kept_under_drift(1.0) == pytest.approx(0.866, abs=5e-4)
    note = augmented_kernel(trials_of()[0]).note
    assert note is not None
    assert "5 and 10 % of them would leave .9" in note
    assert "drifts 1 decision SD" in note


def test_an_estimated_lapse_rate_widens_the_interval_to_where_the_rate_may_lie():
    trials, _ = trials_of(lapses=0.05)
    at = {rate: augmented_kernel(trials, rate).kernel for rate in (0.0, 0.05, 0.12)}
    rate = Estimate(0.05, 0.03, 0.0, 0.12, 100, "given/1")
    found = augmented_kernel(trials, rate).kernel
    peak = int(found.value.argmax())
    known = at[0.05]
    np.testing.assert_allclose(found.value, known.value)
    for end, side in ((0.0, "low"), (0.12, "high")):
        arm = at[end].value.flat[peak] - known.value.flat[peak]
        own = getattr(known, side).flat[peak] - known.value.flat[peak]
        whole = getattr(found, side).flat[peak] - known.value.flat[peak]
        assert abs(whole) == pytest.approx(math.hypot(arm, own), rel=0.03)


def test_means_under_another_law_are_those_of_fresh_fields():
    trials, _ = trials_of(noise="binary", task="yes_no", trials=2000)
    law, slope = NoiseLaw.of(trials), 1.5 * study.template("blob", 13)
    assert law.kurtosis == pytest.approx(-2)
    mean, gradient = law.means(np.array([0.7, -0.3]), slope)
    # All 8,192 fields of 13 binary elements, each as often as any other.
    fields = 1 - 2.0 * ((np.arange(2**13)[:, None] >> np.arange(13)) & 1)
    for a, one, by_element in zip((0.7, -0.3), mean, gradient, strict=True):
        f = cross_fit.ndtr(a + fields @ slope)
        assert one == pytest.approx(f.mean(), abs=1e-6)
        np.testing.assert_allclose(by_element, fields.T @ f / len(f), atol=1e-6)


# --- intervals -----------------------------------------------------------------------


def test_intervals_cover_in_a_few_sessions():
    found = [
        simulate(KERNELS.name, KERNELS.session, cell, number)
        for cell in (CELLS[0], CELLS[4])
        for number in range(30)
    ]
    for name in ("peak", "neighbour", "far"):
        held = [one[name][1] <= one[name][3] <= one[name][2] for one in found]
        assert np.mean(held) > 0.88
    assert np.mean([one["all"] for one in found]) > 0.87
    assert np.mean([one["width"] for one in found]) < 1.0


def test_a_pair_of_showings_is_one_field():
    trials, _ = trials_of(pairs=300)
    found = augmented_kernel(trials)
    assert (found.n_trials, found.n_fields) == (600, 300)
    fold = Scores.of(trials).fit.fold
    assert np.array_equal(fold[300:], fold[:300])


@pytest.mark.parametrize("prior", ["ridge", "sparse"])
def test_no_fit_has_bands_of_no_width(prior):
    trials, _ = trials_of(template="one bar", trials=300)
    fitted = fitted_kernel(trials, prior, n_folds=4)
    assert fitted.unshrunken is not None
    for band in (fitted.unshrunken.kernel, fitted.unshrunken.target_half):
        assert band is not None
        assert np.all(band.high - band.low > 0.05)
        assert np.all(band.low_all < band.low)


def test_sidak_is_the_largest_error_of_white_noise():
    found = augmented_kernel(trials_of()[0])
    assert found.critical == pytest.approx(2.88, abs=0.005)
    correlated = augmented_kernel(trials_of(noise="correlated")[0])
    assert 2.5 < correlated.critical < 3.0


def test_the_table_has_every_cell():
    for table in (KERNELS, EQUALITY):
        assert set(results(table)) == {key(cell) for cell in table.cells}
    assert isinstance(
        study.session(CELLS[27], np.random.default_rng(1))["peak"], Interval
    )


# --- invariances ---------------------------------------------------------------------


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10**6), task=st.sampled_from(["2afc", "yes_no"]))
def test_neither_the_order_of_trials_nor_names_of_classes_change_it(seed, task):
    trials, _ = trials_of(seed, task=task, trials=200, pairs=40)
    rng = np.random.default_rng(seed)
    order = rng.permutation(200)
    other = replace(
        trials.where(order),
        cell=rng.permutation(int(trials.cell.max()) + 1)[trials.cell[order]],
        cluster=rng.permutation(200)[trials.cluster[order]],
    )
    one, again = (augmented_kernel(each).kernel for each in (trials, other))
    for name in ("value", "se", "low", "high_all"):
        np.testing.assert_allclose(
            getattr(one, name), getattr(again, name), rtol=1e-3, atol=1e-4
        )


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10**6), task=st.sampled_from(["2afc", "yes_no"]))
def test_the_other_response_or_the_other_noise_is_the_negative_kernel(seed, task):
    trials, _ = trials_of(seed, task=task, trials=200)
    one = augmented_kernel(trials).kernel
    for other in (
        replace(trials, response=~trials.response),
        replace(trials, halves=-trials.halves),
    ):
        flipped = augmented_kernel(other).kernel
        np.testing.assert_allclose(flipped.value, -one.value, atol=2e-4)
        np.testing.assert_allclose(flipped.se, one.se, rtol=2e-3)
        np.testing.assert_allclose(flipped.low, -one.high, atol=5e-4)


# --- equal kernels -------------------------------------------------------------------


def found_by(test, cell, n):
    """Return in which share of sessions a test finds a difference."""
    found = [
        simulate(EQUALITY.name, EQUALITY.session, cell, number)[test]
        for number in range(n)
    ]
    return float(np.mean([one for one in found if one is not None]))


@pytest.mark.parametrize("number", [0, 3, 6])
def test_equal_kernels_are_told_apart_at_the_level_of_the_test(number):
    cell = EQUALITY.cells[number]
    assert cell["longer"] == cell["cosine"] == 1
    found = [
        simulate(EQUALITY.name, EQUALITY.session, cell, each) for each in range(12)
    ]
    for test in ("p", "largest", "longer"):
        assert np.mean([one[test] for one in found]) <= 0.26


def test_differences_of_the_size_that_is_named_are_found_in_four_of_five_sessions():
    for number, test in ((1, "longer"), (2, "p"), (7, "longer"), (8, "p")):
        assert 0.5 < found_by(test, EQUALITY.cells[number], 10) <= 1


def test_internal_noise_alone_is_a_difference_of_amplitude_and_not_of_shape():
    (one, _), (other, _) = (trials_of(s, gamma=g) for s, g in ((1, 0.5), (2, 2.0)))
    found = equal_kernels(one, other)
    assert found.p < 0.001
    assert found.amplitude.low is not None
    assert found.amplitude.low > 0.3
    assert found.p_shape is not None
    assert found.p_shape > 0.01
    assert found.n_shared == 0


def test_fields_that_both_saw_are_differenced_and_the_order_is_of_no_account():
    one, _ = trials_of(1)
    same = equal_kernels(one, one)
    assert same.p == pytest.approx(1)
    assert same.n_shared == 600
    other, _ = trials_of(2)
    there, back = equal_kernels(one, other), equal_kernels(other, one)
    assert there.p == pytest.approx(back.p, rel=0.02)
    assert there.amplitude.value == pytest.approx(-back.amplitude.value, rel=1e-3)
    assert there.p_shape == pytest.approx(back.p_shape, rel=0.02)


def test_a_faint_kernel_has_no_shape_to_compare():
    trials, _ = trials_of(gamma=20.0, trials=200)
    halves = augmented_kernel(trials).halves
    assert halves is not None
    assert halves.p_shape is None
    assert "standard errors long" in (halves.amplitude.note or "")
    assert as_plain(halves)["found_cosine"]["value"] is None


# --- refusals ------------------------------------------------------------------------


def test_what_cannot_be_told_is_refused():
    trials, _ = trials_of(trials=100)
    for rate in (-0.1, 1.0):
        with pytest.raises(ValueError, match=r"lapse_rate must be in \[0, 1\), got"):
            augmented_kernel(trials, rate)
    with pytest.raises(ValueError, match="n_folds must be 2 or more, got 1"):
        augmented_kernel(trials, n_folds=1)
    with pytest.raises(ValueError, match="noise fields must be 120 or more"):
        augmented_kernel(trials, n_folds=60)
    with pytest.raises(ValueError, match="responses must be given in both kinds"):
        augmented_kernel(replace(trials, response=np.ones(100, bool)))
    few = np.arange(100) < 4
    with pytest.raises(ValueError, match=r"of both kinds 10 times .*, got 4 of"):
        augmented_kernel(replace(trials, response=few))
    with pytest.raises(ValueError, match="noise must vary between trials"):
        augmented_kernel(replace(trials, halves=np.ones_like(trials.halves)))
    with pytest.raises(ValueError, match="covariance must be 13 by 13 elements"):
        augmented_kernel(trials, covariance=np.eye(3))
    alone, _ = trials_of(task="yes_no", trials=100)
    alone = alone.where(alone.target == 0)
    with pytest.raises(ValueError, match="with and without the signal"):
        augmented_kernel(alone)
    with pytest.raises(ValueError, match="noise fields must have one shape"):
        equal_kernels(trials, trials_of(elements=9, trials=100)[0])


def test_noise_of_an_unknown_law_has_a_picture_without_intervals():
    trials, _ = trials_of(noise="correlated", trials=100)
    fitted = fitted_kernel(trials, "ridge", n_folds=4)
    assert fitted.unshrunken is not None  # 200 fields of 13 elements
    trials, _ = trials_of(noise="correlated", trials=60, elements=20)
    fitted = fitted_kernel(trials, "ridge", n_folds=4)
    assert fitted.unshrunken is None
    assert "no intervals: noise fields must be 10 or more an element" in fitted.note


def test_a_half_of_nearly_one_response_has_no_interval():
    trials, _ = trials_of(task="yes_no", criterion=1.6)
    found = augmented_kernel(trials)
    assert found.nontarget_half is None
    assert found.halves is None
    assert found.target_half is not None
    assert "no nontarget half: responses must be of both kinds 20 times" in found.note


def test_a_session_has_the_interval_in_the_shape_of_its_noise():
    table, source = run(Linear(unit(np.eye(13)[6])), "2afc", 400, 0.13, seed=12)
    made = session(table, source)
    fitted = fitted_kernel(made, prior="ridge")
    assert fitted.unshrunken is not None
    assert fitted.unshrunken.kernel.low.shape == (1, 1, 13)
    plain = fitted.to_dict()["unshrunken"]
    assert plain["formula"] == "kernel-augmented-score/1"
    assert np.shape(plain["target_half"]["high_all"]) == (1, 1, 13)
    assert 0 < plain["halves"]["p"] <= 1


@pytest.mark.parametrize("task", ["2afc", "yes_no"])
def test_more_lapses_than_responses_allow_leave_no_interval(task):
    trials, _ = trials_of(task=task)
    with pytest.raises(CannotTell, match=r"add up to 1 at most, got 0.600, at which"):
        augmented_kernel(trials, 0.6)
    every = Estimate(1.0, 0.0, 0.9, 1.0, 72, "lapse-rate/1")
    with pytest.raises(CannotTell, match="lapse rate must be below 1 for a kernel"):
        augmented_kernel(trials, every)


def test_no_errors_on_catch_trials_are_said_and_not_taken_for_no_catch_trials():
    none = Estimate(0.0, 0.0, 0.0, 0.07, 100, "lapse-rate/1")
    note = augmented_kernel(trials_of()[0], none).note
    assert "a lapse rate of 0.000, by catch trials, is allowed for" in note
    assert "no lapses are assumed" not in note


def test_opposite_kernels_are_of_another_shape():
    k = trials_of()[1]
    one, other = trials_of(seed=1)[0], trials_of(seed=2, halves=(-k, -k))[0]
    found = equal_kernels(one, other)
    assert found.p < 0.001
    assert found.p_shape < 0.001
    assert "the mean of two unlike kernels is not 2" in found.amplitude.note


def test_a_single_element_has_no_shape():
    one = trials_of(elements=1, template="one bar")[0]
    assert augmented_kernel(one).halves.p_shape is None


def test_halves_of_yes_no_share_no_field():
    assert augmented_kernel(trials_of(task="yes_no")[0]).halves.n_shared == 0
    assert augmented_kernel(trials_of()[0]).halves.n_shared == 600
