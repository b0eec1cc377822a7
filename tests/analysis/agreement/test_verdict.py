"""The verdict: closed cases, its correction, and how often it errs."""

import math

import numpy as np
import pytest

from yoked.analysis.agreement.profile import Depth, DepthProfile
from yoked.analysis.agreement.ratio import Ratio
from yoked.analysis.agreement.verdict import judged, verdicts
from yoked.analysis.trials.estimate import Estimate

NOTHING = Estimate.missing("dprime/1", "not of this test")
NAMES = ("responses", "first-order kernel", "second-order kernel")


def share(low, high, value=None):
    value = (low + high) / 2 if value is None else value
    return Estimate(value, None, low, high, 100, "share/1")


def profile(*shares, name="model"):
    depths = tuple(
        Depth(order, NAMES[order], NOTHING, NOTHING, one)
        for order, one in enumerate(shares)
    )
    return DepthProfile("r", "o", "person", name, NOTHING, NOTHING, depths)


@pytest.mark.parametrize(
    ("low", "high", "kind"),
    [
        (0.4, 0.8, "differs"),
        (0.92, 0.98, "differs"),  # reliably, if by less than the margin
        (0.4, 1.0, "cannot be told"),  # an end at 1 excludes nothing
        (0.91, 1.05, "alike"),
        (0.9, 1.05, "cannot be told"),  # an end at the margin does not exceed it
        (1.0, 1.0, "alike"),  # a session with itself
        (1.1, 1.3, "alike"),  # above 1 by sampling
        (0.2, 1.6, "cannot be told"),
        (0.95, math.inf, "alike"),
    ],
)
def test_an_interval_has_one_verdict(low, high, kind):
    assert judged(share(low, high, value=max(low, min(1.0, high)))) == kind


def test_without_a_share_or_an_interval_it_cannot_be_told():
    assert judged(Estimate.missing("share/1", "no pairs")) == "cannot be told"
    assert judged(Estimate(0.3, None, None, None, 9, "share/1")) == "cannot be told"


def test_a_small_difference_is_called_small():
    found = verdicts([profile(share(0.92, 0.98), share(0.5, 0.98), share(1, 1))])
    assert [each.is_small for each in found.pairs[0].depths] == [True, False, False]


def test_a_pair_differs_where_one_depth_does_and_is_alike_where_all_are():
    alike, differs, unknown = share(0.95, 1.02), share(0.5, 0.8), share(0.5, 1.2)
    pairs = [
        profile(alike, alike, alike),
        profile(alike, differs, unknown),
        profile(alike, alike, unknown),
    ]
    kinds = [pair.kind for pair in verdicts(pairs)]
    assert kinds == ["alike", "differs", "cannot be told"]


def test_a_wider_margin_makes_fewer_alike():
    one = profile(share(0.93, 1.05), share(0.93, 1.05), share(0.93, 1.05))
    assert verdicts([one], margin=0.9).pairs[0].kind == "alike"
    assert verdicts([one], margin=0.95).pairs[0].kind == "cannot be told"
    with pytest.raises(ValueError, match="margin must be between 0 and 1, got 1"):
        verdicts([one], margin=1.0)


def test_the_reason_names_the_observer_and_stands_in_the_verdict():
    refused = Estimate.missing("share/1", "the kernel (theirs) is too noisy")
    found = verdicts([profile(refused, refused, refused, name="guesser")])
    assert found.n_shares == 0
    assert found.pairs[0].depths[0].reason == "the kernel (guesser) is too noisy"


def ratio_share(numbers, spread):
    return Ratio(np.asarray(numbers, float), np.asarray(spread, float)).share(
        100, "share/1", "too noisy"
    )


def test_intervals_widen_with_the_number_of_shares_and_may_have_no_end():
    spread = np.eye(3) * 0.01
    one = ratio_share([0.3, 0.5, 0.5], spread)
    alone = verdicts([profile(one, NOTHING, NOTHING)]).pairs[0].depths[0].share
    assert (alone.low, alone.high) == pytest.approx((one.low, one.high))
    three = verdicts([profile(one, one, one)])
    assert three.level == pytest.approx(1 - 0.05 / 3)
    corrected = three.pairs[0].depths[0].share
    assert corrected.low < one.low < one.high < corrected.high
    wide = ratio_share([0.3, 0.35, 0.35], np.eye(3) * 0.05)
    many = verdicts([profile(wide, wide, wide)] * 10).pairs[0].depths[0]
    assert many.share.value is None
    assert many.reason == "at 99.8 % its ceiling cannot be told from 0"


def test_identical_observers_differ_in_one_family_of_twenty_at_most():
    # Two pairs at three depths, all of share 1: a, b and sqrt(a b), with sampling.
    rng = np.random.default_rng(1)
    truths = [(0.6, 0.6, 0.6), (0.49, 0.7, 0.343), (0.4, 0.5, 0.32)]
    spread = np.array([[1.0, 0.4, 0.4], [0.4, 1.0, 0.1], [0.4, 0.1, 1.0]]) * 0.05**2
    n, wrong, uncorrected = 600, 0, 0
    for _ in range(n):
        shares = [
            ratio_share(rng.multivariate_normal(truth, spread), spread)
            for _ in range(2)
            for truth in truths
        ]
        found = verdicts([profile(*shares[:3]), profile(*shares[3:])])
        wrong += any(pair.kind == "differs" for pair in found)
        uncorrected += any(judged(each) == "differs" for each in shares)
    assert wrong / n <= 0.05
    assert uncorrected / n > 0.1  # which is what the correction is for
