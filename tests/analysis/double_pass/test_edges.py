"""Internal noise, courses and lapses where responses hardly vary, or tell little.

Observers are those of the coverage study, made by NumPy alone; their contrasts and
sensitivities are chosen so that a class of stimuli has responses of one kind, or none.
"""

import numpy as np
import pandas as pd
import pytest

from tests.analysis.coverage.showings import shown
from yoked.analysis.double_pass.change import sensitivity_change
from yoked.analysis.double_pass.consistency import LapseTerm, maximise
from yoked.analysis.double_pass.drift import criterion_course, ratio_test
from yoked.analysis.double_pass.lapses import PRIOR, fit_lapses
from yoked.analysis.double_pass.showings import Showings, bends
from yoked.analysis.double_pass.smooth_thresholds import (
    consistent_share,
    internal_noise,
)
from yoked.analysis.trials.estimate import CannotTell
from yoked.analysis.trials.responses import Responses


def observed(
    seed, task, dprimes, gamma=1.0, n=600, n_pairs=200, contrasts=None, bias=0.0
):
    """Simulate trials whose d' at each contrast is given."""
    rng, is_2afc = np.random.default_rng(seed), task == "2afc"
    place = rng.permutation(n)[: 2 * n_pairs].reshape(-1, 2)
    place.sort(axis=1)
    stimulus = np.arange(n)
    stimulus[place[:, 1]] = place[:, 0]
    kind = rng.integers(0, len(dprimes), n)[stimulus]
    target = rng.integers(0, 2, n)[stimulus]
    r = 1 / (1 + gamma**2)
    value = np.sqrt(r) * rng.normal(size=n)[stimulus]
    value += np.sqrt(1 - r) * rng.normal(size=n)
    signal = np.asarray(dprimes)[kind] * (np.sqrt(2) if is_2afc else 1)
    repeats = pd.array([pd.NA] * n, dtype="Int64")
    repeats[place[:, 1]] = place[:, 0]
    contrasts = contrasts or [float(k + 1) for k in range(len(dprimes))]
    table = pd.DataFrame(
        {
            "trial": np.arange(n),
            "block": np.arange(n) // 100,
            "target": target,
            "response": (value + bias + (target - 0.5) * signal > 0).astype(int),
            "contrast": np.asarray(contrasts)[kind],
            "repeats": repeats,
        }
    )
    return Responses.from_table(table, task, 2)


def medians(task, dprimes, gamma, n_sessions=24, **options):
    """Return the median r, and how many intervals hold the true one."""
    found = [
        consistent_share(observed(seed, task, dprimes, gamma, **options)).r
        for seed in range(n_sessions)
    ]
    true = 1 / (1 + gamma**2)
    held = sum(one.low <= true <= one.high for one in found)
    return float(np.median([one.value for one in found])), held


# Before cells of one response counted for nothing: r .80, .94, .70 with .00 to .09
# of intervals holding the truth.
@pytest.mark.parametrize(
    ("task", "dprimes", "gamma", "bias"),
    [
        ("2afc", (1.2, 6.0), 1.0, 0.0),
        ("2afc", (1.2, 6.0), 0.5, 0.0),
        ("yes_no", (4.2,), 1.0, 1.3),  # no misses
        ("yes_no", (1.0, 6.0), 1.0, 0.0),
    ],
)
def test_a_class_without_errors_says_nothing_of_internal_noise(
    task, dprimes, gamma, bias
):
    median, held = medians(task, dprimes, gamma, bias=bias)
    assert median == pytest.approx(1 / (1 + gamma**2), abs=0.12)
    assert held >= 20


def test_an_observer_who_is_always_right_has_a_reason_and_no_noise():
    right = observed(1, "2afc", (9.0,))
    assert "never varied within a class" in internal_noise(right).r.note
    for dprimes in ((9.0,), (9.0, 9.0, 9.0)):
        with pytest.raises(CannotTell, match="10 times or more to tell a course"):
            criterion_course(observed(1, "2afc", dprimes))


def test_a_fit_of_everything_is_no_worse_than_one_in_which_something_is_held():
    term = LapseTerm(2, 40, PRIOR)
    for seed in range(6):
        made = shown({"task": "2afc", "gamma": 1e-3, "lapses": 0.06}, _rng(seed))
        showings = Showings.of(made.responses).counted()
        free = maximise(showings, None, None, term)
        for rate in (0.02, 0.05, 0.1):
            held = maximise(showings, None, rate, term)
            # Of the catch trials and the prior, which a rate that is held leaves out.
            k, n, (a, b) = term.errors, term.trials, term.prior
            known = k * np.log(rate / 2) + (n - k) * np.log1p(-rate / 2)
            known += a * np.log(rate) + b * np.log1p(-rate)
            assert free.log_likelihood >= held.log_likelihood + known - 1e-3
        again = maximise(showings, free.r, None, term)
        assert free.log_likelihood >= again.log_likelihood - 1e-3


def test_dprime_of_a_class_without_errors_is_missing_and_not_wild():
    made = observed(3, "2afc", (1.2, 6.0))
    for found in (criterion_course(made), fit_lapses(made, 1, 60)):
        given = getattr(found, "conditional", None) or found.without
        assert given.dprime.value is None
        assert "leaves d' open above" in given.dprime.note
        assert given.internal_noise.r.value is not None


def test_the_course_has_the_thresholds_of_the_summary():
    """A d' that is a step is no power of contrast: one estimand, one value."""
    made = observed(4, "2afc", (0.0, 0.0, 0.0, 2.5, 2.5))
    share = consistent_share(made)
    assert share.thresholds == "spline"
    given = criterion_course(made).constant
    assert given.dprime.value == pytest.approx(1.0, abs=0.3)  # two of five at 2.5
    constant = given.internal_noise.r
    assert constant.value == pytest.approx(share.r.value, abs=1e-3)


@pytest.mark.parametrize("task", ["2afc", "yes_no"])
def test_contrast_zero_bends_no_threshold(task):
    contrasts = [0.0, 0.05, 0.1, 0.2, 0.3]
    made = observed(5, task, (0.0, 0.5, 1.0, 2.0, 3.0), contrasts=contrasts)
    nothing = made.contrast == 0
    assert not bends(made)[nothing].any()
    median, held = medians(
        task, (0.0, 0.0, 0.0, 2.0, 2.0), 1.0, n_sessions=16, contrasts=contrasts
    )
    assert median == pytest.approx(0.5, abs=0.1)
    assert held >= 13


def test_reversed_keys_and_pairs_that_say_nothing_are_said_in_the_course_too():
    made = observed(6, "2afc", (1.2,))
    second = made.second_rows
    table = made.table.copy()
    flipped = table.index[second]
    table.loc[flipped, "response"] = 1 - table.loc[made.table.index[second], "response"]
    reversed_ = Responses.from_table(table, "2afc", 2)
    found = criterion_course(reversed_)
    for given in (found.constant, found.conditional):
        assert "keys swapped" in given.internal_noise.gamma.note


def test_a_test_of_blocks_counts_what_contrast_has_not_taken_already():
    rng = np.random.default_rng(7)
    made = observed(7, "yes_no", (1.0, 1.5))
    block = rng.integers(0, 6, len(made))
    columns = np.eye(6)[block]
    columns[made.contrast == 2.0] = 0  # three blocks' worth at one contrast
    start = maximise(Showings.of(made))
    _, df, _ = ratio_test(Showings.of(made), columns, None, start)
    assert df == 5  # the six add up to the first contrast's trials, in both classes


def test_p_of_a_difference_by_half_is_that_of_the_difference_printed():
    found = sensitivity_change(observed(8, "2afc", (1.2,))).dprime
    z = found.difference.value / found.difference.se
    assert found.p == pytest.approx(float(2 * _tail(abs(z))))


def test_without_pairs_a_change_of_sensitivity_says_nothing_of_passes():
    made = shown(
        {"task": "2afc", "pairs": 0, "gain": "line", "gain_size": 0.8}, _rng(9)
    )
    says = sensitivity_change(made.responses).says
    assert says == "sensitivity changed over the session"


def _rng(seed):
    return np.random.default_rng(seed)


def _tail(z):
    from scipy.stats import norm

    return norm.sf(z)
