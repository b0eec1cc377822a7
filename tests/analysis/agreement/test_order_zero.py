"""Order zero: r_ab, r_a and r_b, their influences, and the share that they make."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analysis.coverage.shares import log, two_observers
from yoked.analysis.agreement.latent import latent_agreement
from yoked.analysis.agreement.order_zero import OrderZero
from yoked.analysis.double_pass.bivariate_probit import normal_both
from yoked.analysis.double_pass.correlation import (
    Thresholds,
    course_of,
    drift_p,
    session_showings,
)
from yoked.analysis.double_pass.correlation_numba import MOST, evaluate
from yoked.analysis.trials.responses import Responses
from yoked.experiments.stimulus.sources import StoredNoise

from ..observers.linear import session


def correlated(seed, task="2afc", n_contrasts=28, gammas=(1, 1), rho=1.0, **options):
    tables = two_observers(
        np.random.default_rng(seed), task, n_contrasts, gammas, rho, **options
    )
    return OrderZero.of(*(Responses.from_table(one, task, 2) for one in tables))


def share(zero):
    return zero.ratio().share(1, "share/1", "refused")


@pytest.mark.parametrize("task", ["2afc", "yes_no"])
def test_two_equal_observers_have_a_share_of_one_at_28_contrasts(task):
    # Free thresholds of every contrast gave means of 1.57 and 2.26 here.
    found = [share(correlated(seed, task)) for seed in range(12)]
    values = np.array([one.value for one in found])
    assert np.mean(values) == pytest.approx(1, abs=4 * np.std(values) / 12**0.5)
    assert np.std(values) < 0.25
    assert max(values) > 1  # not cut
    assert np.mean([one.low <= 1 <= one.high for one in found]) > 0.7


def test_influences_say_what_leaving_out_a_stimulus_does():
    zero = correlated(3, gammas=(1, 0.5), rho=0.5)
    before, stimuli = np.array([one.r for one in zero._all]), np.arange(0, 300, 12)
    change = [before - zero._without(np.arange(300) == one) for one in stimuli]
    for ours, theirs in zip(
        zero.influence[stimuli].T, np.transpose(change), strict=True
    ):
        assert np.corrcoef(ours, theirs)[0, 1] > 0.98
        assert ours @ theirs / (ours @ ours) == pytest.approx(1, abs=0.1)
    np.testing.assert_allclose(zero.influence.sum(0), 0, atol=1e-3)


def test_every_showing_is_paired_with_every_showing_to_the_other():
    zero = correlated(4, n_pairs=100, n=250)
    assert zero.across.n_pairs == 4 * 100 + 50
    assert [one.n_pairs for one in zero.within] == [100, 100]


def test_a_deterministic_observer_has_no_influence():
    zero = correlated(5, gammas=(1, 0))
    assert zero.within[1].r == zero.centred[2] == 1
    assert not zero.within[1].influence.any()
    low, high = zero.within[1].interval()
    assert 0.99 < low < high == 1
    assert share(zero).low < 1 < share(zero).high


def test_observers_who_never_differ_have_a_share_of_one():
    found = share(correlated(6, gammas=(0, 0)))
    assert found.value == pytest.approx(1, abs=1e-3)
    assert 0.98 < found.low < found.high < 1.02


def numbered_noise(n):
    """Give noise that tells n stimuli apart, and nothing else."""
    fields = np.arange(n, dtype=np.float32).repeat(2).reshape(n, 2, 1, 1, 1)
    return StoredNoise(fields / n)


def test_too_much_internal_noise_refuses_a_share():
    tables = two_observers(
        np.random.default_rng(7), "2afc", 1, (4, 4), 1.0, n_pairs=60, n=150
    )
    source = numbered_noise(150)
    ours = session(tables[0], source, id="a")
    theirs = session(tables[1], source, id="b", yoked_to="a")
    found = latent_agreement(ours, theirs)
    assert found.disattenuated.value is found.disattenuated.high is None
    assert found.disattenuated.note == "internal noise is too uncertain for a share"
    assert found.correlation.value is not None


def test_fewer_than_five_pairs_have_no_share():
    tables = two_observers(
        np.random.default_rng(8), "2afc", 1, (1, 1), 1.0, n_pairs=4, n=100
    )
    source = numbered_noise(100)
    ours = session(tables[0], source, id="a")
    found = latent_agreement(ours, session(tables[1], source, id="b", yoked_to="a"))
    assert found.disattenuated.note == "reference: 5 pairs or more, got 4"


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(-0.999, 0.999))
@settings(max_examples=60)
def test_chances_of_a_pair_are_the_bivariate_normals(x, y, r):
    found, each = np.empty(3), np.zeros((1, 3))
    one = np.array([0])
    arguments = (np.array([x]), np.array([True]), np.array([y]), np.array([True]))
    evaluate(*arguments, one, one, np.ones(1), r, each, found)
    exact = float(normal_both(x, y, r))
    assert math.exp(found[0]) == pytest.approx(exact, abs=1e-9)


def test_scores_and_information_are_derivatives():
    one, found, each = np.array([0]), np.empty(3), np.zeros((1, 3))

    def at(x, y, r, yes=(True, False), fill=each):
        a, b = (np.array([answer]) for answer in yes)
        evaluate(
            np.array([x]), a, np.array([y]), b, one, one, np.ones(1), r, fill, found
        )
        return found[0]

    x, y, r, step = 0.4, -0.7, 0.6, 1e-6
    at(x, y, r)
    slope, information, crossed = found[1], found[2], each[0, 1]
    up, down = at(x, y, r + step), at(x, y, r - step)
    assert slope == pytest.approx((up - down) / (2 * step), rel=1e-5)
    answers = [(a, b) for a in (True, False) for b in (True, False)]
    chances = [math.exp(at(x, y, r, yes)) for yes in answers]
    by_r, by_x = (
        [
            (math.exp(at(*plus, yes)) - math.exp(at(*minus, yes))) / (2 * step)
            for yes in answers
        ]
        for plus, minus in (
            ((x, y, r + step), (x, y, r - step)),
            ((x + step, y, r), (x - step, y, r)),
        )
    )
    expected = sum(d * d / p for d, p in zip(by_r, chances, strict=True))
    assert information == pytest.approx(expected, rel=1e-4)
    expected = sum(d * e / p for d, e, p in zip(by_r, by_x, chances, strict=True))
    assert crossed == pytest.approx(expected, rel=1e-4)


def test_thresholds_bend_where_the_power_law_is_refused():
    rng = np.random.default_rng(9)
    n = 6000
    contrast, target = rng.uniform(0.01, 1, n), np.arange(n) % 2
    z = (2 * target - 1) * np.where(contrast > 0.3, 1.5, 0.0) * (contrast < 0.7)
    made = log(target, contrast, rng.standard_normal(n) < z, 0)
    found = session_showings(Responses.from_table(made, "2afc", 2), np.arange(n))
    assert not found.power.shape[1]
    z = (2 * target - 1) * 2 * contrast
    straight = log(target, contrast, rng.standard_normal(n) < z, 0)
    kept = session_showings(Responses.from_table(straight, "2afc", 2), np.arange(n))
    assert kept.power.shape[1] == 1
    np.testing.assert_allclose(Thresholds.of(kept).m, z, atol=0.2)


def test_a_criterion_that_moves_is_said_and_can_be_followed():
    # Both criteria rise by 2 SDs, and second showings come last: shares of 2.
    rng = np.random.default_rng(11)
    target, external = np.arange(600) % 2, rng.standard_normal(600)
    shown = np.concatenate([np.arange(600), np.arange(400)])
    line = np.linspace(-1, 1, 1000)
    made = []
    for _ in range(2):
        decision = (external[shown] + rng.standard_normal(1000)) / 2**0.5
        yes = decision + 0.67 * (2 * target[shown] - 1) > line
        made.append(log(target, 0.1, yes, 400))
    both = [Responses.from_table(one, "yes_no", 2) for one in made]
    followed = share(OrderZero.of(*both, courses=tuple(course_of(b) for b in both)))
    assert followed.low < 1 < followed.high
    assert abs(followed.value - 1) < 0.25
    plain = OrderZero.of(*both)
    assert plain.within[0].r < 0.25 < 0.35 < plain.across.r  # of .5 and .5
    for one, made in zip(
        (plain.across.pairs.one, plain.across.pairs.other), both, strict=True
    ):
        assert drift_p(made, one.showings) < 1e-6
    still = correlated(12)
    assert still.across.pairs.one.showings.n_theta == 3


def test_one_class_alone_keeps_the_thresholds_of_all():
    zero = correlated(10, gammas=(0.5, 0.5), n_pairs=500, n=1500)
    classes = np.arange(len(zero.stimulus)) % 2 == 0
    both = [zero.of_class(chosen).r for chosen in (classes, ~classes)]
    assert np.mean(both) == pytest.approx(zero.across.r, abs=0.03)
    assert math.atanh(max(both)) < MOST
