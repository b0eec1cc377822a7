"""Means over replicates: intervals that hold, and what has none."""

import numpy as np
import pytest

from yoked.analysis.agreement.random_effects import RANDOM_EFFECTS
from yoked.analysis.agreement.replicates import COMMON_TRIALS, over_replicates
from yoked.analysis.trials.estimate import Estimate

TRUTH, ERROR, SPREAD = 1.3, 0.1, 0.15


def drawn(rng, n, common):
    """Give n replicates' estimates; `common` is the share of error that all have."""
    own = rng.normal(0, ERROR * np.sqrt(1 - common), n)
    values = TRUTH + rng.normal(0, SPREAD, n) + own
    values += rng.normal(0, ERROR * np.sqrt(common))
    return [Estimate.normal(x, ERROR, 500, "dprime/1") for x in values]


def coverage(n, common, common_trials):
    """Give how often the interval has the truth, in 2,000 sweeps."""
    rng = np.random.default_rng(7)
    held = 0
    for _ in range(2000):
        mean = over_replicates(drawn(rng, n, common), common_trials).mean
        held += mean.low <= TRUTH <= mean.high
    return held / 2000


def test_of_their_own_trials_the_interval_holds():
    assert coverage(8, 0.0, common_trials=False) == pytest.approx(0.95, abs=0.02)
    # Of few, Hartung and Knapp's SE that is never below the weights' is too wide.
    assert coverage(3, 0.0, common_trials=False) > 0.94


@pytest.mark.parametrize("n", [3, 8])
def test_of_common_trials_it_holds_where_the_error_is_common(n):
    """Nearly: t with the degrees of freedom of a sum of two variances is not exact."""
    assert coverage(n, 1.0, common_trials=True) == pytest.approx(0.95, abs=0.03)
    # The spread alone does not show an error that all have.
    assert coverage(8, 1.0, common_trials=False) < 0.85


@pytest.mark.parametrize("n", [3, 8])
def test_of_common_trials_it_is_never_too_narrow(n):
    assert coverage(n, 0.3, common_trials=True) > 0.94


def test_one_replicate_is_itself_and_says_so():
    alone = Estimate.normal(1.0, 0.2, 100, "dprime/1")
    gone = Estimate.missing("dprime/1", "no trial counts")
    found = over_replicates([gone, alone], common_trials=True)
    assert (found.n, found.between_sd) == (1, None)
    assert (found.mean.value, found.mean.se) == (1.0, 0.2)
    assert found.mean.note == (
        "one replicate: the interval is of its trials; 1 without a value left out"
    )


@pytest.mark.parametrize(
    ("common_trials", "formula"), [(True, COMMON_TRIALS), (False, RANDOM_EFFECTS)]
)
def test_at_the_end_of_the_range_there_is_no_mean_of_the_others(common_trials, formula):
    within = Estimate.normal(0.9, 0.02, 100, "share/1")
    at_the_end = Estimate(1.0, None, 0.96, 1.0, 100, "share/1")
    found = over_replicates([within, within, at_the_end], common_trials).mean
    assert (found.value, found.formula) == (None, formula)
    assert "at the end of the range" in found.note


def test_where_none_has_a_value_the_reason_is_theirs():
    gone = Estimate.missing("dprime/1", "no trial counts")
    assert over_replicates([gone, gone], common_trials=False).mean.note == (
        "no trial counts"
    )
