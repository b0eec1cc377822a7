"""The linear share without lapses: what catch trials may say, and what they may not."""

import numpy as np
import pytest
from scipy.special import ndtri

from tests.analysis.observers.designs import yes_no_design
from yoked.analysis.kernels.lapse_share import share_without_lapses
from yoked.analysis.trials.estimate import CannotTell


@pytest.fixture(scope="module")
def trials():
    """Return 600 trials at rates of .3 and .7, half of the variance linear."""
    rng = np.random.default_rng(1)
    noise, target = rng.standard_normal((600, 13)), np.arange(600) % 2
    decision = (noise[:, 3] + rng.standard_normal(600)) / np.sqrt(2)
    return yes_no_design(noise, decision + ndtri(0.7) * (2 * target - 1) > 0, target)


@pytest.mark.parametrize("n_errors", [18, 30])
def test_more_errors_on_catch_trials_than_responses_allow_are_refused(trials, n_errors):
    match = f"errors on catch trials must be no more than .*, got {n_errors} of 60"
    with pytest.raises(CannotTell, match=match):
        share_without_lapses(trials, n_errors, 60)


def test_a_share_above_1_says_so(trials):
    found = share_without_lapses(trials, 10, 60)
    assert found.low < 1 < found.value
    assert "the share is above 1" in found.note
    assert "above 1" not in share_without_lapses(trials, 2, 60).note
