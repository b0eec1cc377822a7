"""Agreement: the ceiling's numbers, a model at its ceiling, error consistency."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr, ndtri

from yoked.analysis.agreement.error_consistency import error_consistency
from yoked.analysis.agreement.responses import (
    ceiling,
    ceiling_bounds,
    linear_ceiling,
    response_agreement,
    same_response,
)
from yoked.analysis.double_pass.internal_noise import (
    agreement_probability,
    r_from_gamma,
)

from ..observers.linear import Linear, linear_responses, run, session

SD = 0.1


def human_and_model(n=20_000, gamma=1.0, model_gamma=0.0, n_pairs=10_000, **options):
    """Return sessions of a noisy observer and of a model with the same template."""
    human = Linear(np.ones(1), SD, gamma)
    signal = ndtri(0.75) * math.sqrt(2) * human.sd_decision
    table, source = run(human, "2afc", n, signal, 1, n_pairs=n_pairs)
    model = Linear(np.ones(1), SD, model_gamma)
    ids = table["stimulus_id"].to_numpy()
    shown = source.fields[ids][:, :, 0, 0]
    is_target = table["target"].to_numpy()[:, None] == np.arange(2)
    rng = np.random.default_rng(99)
    response = model.choose(
        model.decision_variables(shown, np.where(is_target, signal, 0), rng)
    )
    answered = table.assign(response=response)
    ours = session(table, source, id="human-1", observer="ann")
    theirs = session(answered, source, id="model-1", observer="net", **options)
    return ours, theirs


def test_the_published_ceiling_numbers_hold():
    # methods.md 6.1: r = .5 (gamma 1), z = .3.
    alpha = float(agreement_probability(0.3, 0.5))
    lower, upper = ceiling_bounds(alpha)
    exact = float(linear_ceiling(0.3, gamma=1.0))
    assert [round(x, 3) for x in (lower, exact, upper)] == [0.683, 0.764, 0.802]


@given(st.floats(0, 1))
def test_the_linear_ceiling_at_chance_is_an_arcsine(r):
    gamma = math.sqrt(1 / r - 1) if r > 0 else math.inf
    expected = 0.5 + math.asin(math.sqrt(r)) / math.pi
    assert linear_ceiling(0.0, gamma) == pytest.approx(expected)


@given(st.floats(-3, 3), st.floats(0.01, 20))
def test_the_linear_ceiling_lies_between_its_bounds(z, gamma):
    alpha = float(agreement_probability(z, r_from_gamma(gamma)))
    lower, upper = ceiling_bounds(alpha)
    assert lower - 1e-12 <= float(linear_ceiling(z, gamma)) <= upper + 1e-12


@pytest.mark.parametrize("z", [-1.0, 0.3, 1.5])
@pytest.mark.parametrize("gamma", [0.3, 1.0, 3.0])
def test_the_linear_ceiling_is_the_mean_of_the_likelier_response(z, gamma):
    r = r_from_gamma(gamma)
    t = np.linspace(-8, 8, 160_001)
    p = ndtr((z - math.sqrt(r) * t) / math.sqrt(1 - r))
    density = np.exp(-(t**2) / 2) / math.sqrt(2 * math.pi)
    mean = np.sum(np.maximum(p, 1 - p) * density) * (t[1] - t[0])
    assert linear_ceiling(z, gamma) == pytest.approx(mean, abs=1e-8)


def test_agreement_below_one_half_bounds_at_one_half():
    assert ceiling_bounds(0.45) == (0.5, 0.5)


def test_the_true_template_reaches_the_ceiling():
    found = response_agreement(*human_and_model(yoked_to="human-1"))
    expected = float(linear_ceiling(ndtri(0.75), gamma=1.0))
    same, best = found.same_response, found.ceiling.linear_gaussian
    assert found.n_shared == 20_000
    assert abs(same.value - expected) < 4 * same.se
    assert abs(best.value - expected) < 4 * best.se
    double_pass = found.same_response_double_pass
    assert double_pass.n == 20_000
    assert found.ceiling.lower.value < double_pass.value < found.ceiling.upper.value


def test_a_double_pass_widens_the_interval_of_agreement():
    same = np.tile(np.arange(100) < 80, 2)
    alone = same_response(same, np.arange(200))
    paired = same_response(same, np.tile(np.arange(100), 2))
    assert paired.value == alone.value == 0.8
    assert paired.se == pytest.approx(math.sqrt(2) * alone.se)
    assert paired.low < alone.low < alone.high < paired.high


def test_only_the_trials_of_pairs_count_for_the_double_pass():
    found = response_agreement(
        *human_and_model(n=1000, n_pairs=200, yoked_to="human-1")
    )
    assert found.same_response.n == 1000
    assert found.same_response_double_pass.n == 400


def test_trials_that_one_of_them_missed_are_not_shared():
    ours, theirs = human_and_model(n=200, n_pairs=50, yoked_to="human-1")
    ours.trials.loc[[3, 4], "response"] = None
    theirs.trials.loc[[4, 5], "valid"] = False
    assert response_agreement(ours, theirs).n_shared == 197


def test_two_sessions_yoked_to_a_third_share_its_trials():
    ours, theirs = human_and_model(n=400, n_pairs=100, yoked_to="source")
    table = ours.trials.assign(response=ours.trials["response"].astype(int))
    ours = session(table, ours.noise, id="human-2", yoked_to="source")
    assert response_agreement(ours, theirs).n_shared == 400


def test_sessions_without_a_common_trial_are_refused():
    ours, theirs = human_and_model(n=100, n_pairs=0)
    theirs.trials["contrast"] *= 1.01
    with pytest.raises(
        ValueError, match=r"human-1 and model-1 must share a trial that counts in both "
    ) as refused:
        response_agreement(ours, theirs)
    assert str(refused.value).endswith("got none in 100 and 100")


def test_names_ids_and_row_order_change_no_number():
    ours, theirs = human_and_model(n=600, n_pairs=200, yoked_to="human-1")
    plain = response_agreement(ours, theirs)
    renamed = response_agreement(
        session(shuffled(ours, 1), ours.noise, id="z", observer="p10"),
        session(shuffled(theirs, 2), ours.noise, id="a", observer="p2", yoked_to="z"),
    )
    assert (renamed.reference_observer, renamed.other_observer) == ("p10", "p2")
    for name in (
        "same_response",
        "same_response_double_pass",
        "error_consistency",
        "ceiling",
    ):
        assert getattr(plain, name) == getattr(renamed, name)


def shuffled(session, seed):
    table = session.trials.sample(frac=1, random_state=seed)
    return table.assign(response=table["response"].astype(int))


def test_without_a_double_pass_the_ceiling_says_so():
    found = response_agreement(*human_and_model(n=100, n_pairs=0, yoked_to="human-1"))
    for estimate in (found.ceiling.lower, found.ceiling.upper):
        assert estimate.note == "no trial was shown and answered twice"
    assert found.same_response_double_pass.value is None
    assert found.same_response.value is not None


def test_several_alternatives_have_no_ceiling_yet():
    responses, _ = linear_responses(
        Linear(np.ones(1)), "mafc", 80, 0.1, 8, n_pairs=40, n_alternatives=4
    )
    assert ceiling(responses).upper.note == "the ceiling is for two alternatives, got 4"


def test_a_comparison_travels_as_json():
    found = response_agreement(
        *human_and_model(n=200, n_pairs=50, yoked_to="human-1")
    ).to_dict()
    text = json.dumps(found, allow_nan=False)
    assert json.loads(text)["ceiling"]["upper"]["formula"].endswith("/1")
    assert found["reference"] == "human-1"


def plain(first, second):
    n = len(first)
    return error_consistency(first, second, np.ones(n), np.arange(n))


def test_error_consistency_is_cohens_kappa():
    # 20 both right, 5 and 10 one right, 15 both wrong: kappa .4, the textbook table.
    first = np.repeat([True, True, False, False], [20, 5, 10, 15])
    second = np.repeat([True, False, True, False], [20, 5, 10, 15])
    assert plain(first, second).value == pytest.approx(0.4)


def test_the_self_consistency_of_a_linear_observer_has_its_closed_form():
    # methods.md 6.2: 75 % correct and gamma 1 give .308 between two passes.
    ours, theirs = human_and_model(model_gamma=1.0, n_pairs=0, yoked_to="human-1")
    kappa = response_agreement(ours, theirs).error_consistency
    assert abs(kappa.value - 0.308) < 4 * kappa.se


def test_the_se_of_error_consistency_is_its_spread():
    rng = np.random.default_rng(3)
    found = []
    for _ in range(500):
        both = rng.random(300) < 0.4
        first, second = (both | (rng.random(300) < 0.5) for _ in range(2))
        found.append(plain(first, second))
    spread = np.std([kappa.value for kappa in found])
    mean_se = np.mean([kappa.se for kappa in found])
    assert mean_se == pytest.approx(spread, rel=4 / math.sqrt(2 * 500))


def test_common_difficulty_is_no_consistency():
    rng = np.random.default_rng(4)
    contrast = np.repeat([1.0, 2.0], 20_000)
    chance = np.repeat([0.55, 0.95], 20_000)
    first, second = (rng.random(40_000) < chance for _ in range(2))
    kappa = error_consistency(first, second, contrast, np.arange(40_000))
    assert abs(kappa.value) < 4 * kappa.se
    assert plain(first, second).value > 0.15


def test_contrasts_that_cannot_tell_are_left_out_and_counted():
    first = np.array([True] * 30 + [True, False] * 15)
    contrast = np.repeat([2.0, 1.0], 30)
    kappa = error_consistency(first, first, contrast, np.arange(60))
    assert (kappa.value, kappa.n) == (pytest.approx(1), 30)
    assert kappa.note.startswith("30 trials left out")
    nothing = error_consistency(first[:5], first[:5], contrast[:5], np.arange(5))
    assert nothing.value is None
    assert nothing.note.startswith("5 trials left out")
