"""The bootstrap: closed-form errors, drift, pairs, undefined draws, and the errors."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

from tests.analysis.observers import linear as simulated
from yoked.analysis.sensitivity.bootstrap import (
    bias_corrected_interval,
    bootstrap,
    dprime_bootstrap,
)
from yoked.analysis.sensitivity.by_task import dprime
from yoked.analysis.trials.responses import Responses

LINEAR = simulated.Linear(simulated.unit(np.ones(4)), gamma=0.5)


def share_correct(responses):
    return float(responses.correct.mean())


def yes_no(dprime_by_block, n_per_block, seed):
    """Return an unbiased observer's responses, with a d' of its own in each block."""
    n_blocks = len(dprime_by_block)
    rng, n = np.random.default_rng(seed), n_blocks * n_per_block
    target = np.tile([0, 1], n // 2)
    d = np.repeat(dprime_by_block, n_per_block)
    table = pd.DataFrame(
        {
            "trial": np.arange(n),
            "target": target,
            "response": (rng.normal(size=n) + d * (target - 0.5) > 0).astype(int),
            "contrast": 1.0,
            "repeats": pd.array([pd.NA] * n, dtype="Int64"),
            "block": np.repeat(np.arange(n_blocks), n_per_block),
        }
    )
    return Responses.from_table(table, "yes_no", 2)


def test_the_error_of_a_proportion_is_binomial():
    made = yes_no([1.5] * 4, 100, seed=1)
    estimate = bootstrap(made, share_correct, n_draws=600)
    p = share_correct(made)
    assert estimate.se == pytest.approx(math.sqrt(p * (1 - p) / 400), rel=0.1)
    assert (estimate.value, estimate.n) == (p, 400)
    assert estimate.formula == "bootstrap-trial-bc/1"


@pytest.mark.parametrize(("task", "m"), [("2afc", 2), ("yes_no", 2), ("mafc", 4)])
def test_both_ways_agree_with_each_other_and_with_the_exact_error(task, m):
    made, _ = simulated.linear_responses(LINEAR, task, 400, 0.15, 2, n_alternatives=m)
    slow = bootstrap(made, lambda drawn: dprime(drawn).value, n_draws=100)
    fast, exact = dprime_bootstrap(made), dprime(made)
    assert fast.value == pytest.approx(exact.value)
    assert fast.se == pytest.approx(exact.se, rel=0.1)
    assert slow.se == pytest.approx(fast.se, rel=0.3)
    assert fast.low == pytest.approx(exact.low, abs=0.3 * exact.se)


def test_showings_drawn_together_tell_what_the_design_effect_tells():
    made, _ = simulated.linear_responses(LINEAR, "2afc", 1000, 0.15, 3, n_pairs=500)
    together, exact = dprime_bootstrap(made), dprime(made)
    assert "trials shown twice" in exact.note
    assert together.se == pytest.approx(exact.se, rel=0.1)
    one_by_one = Responses.from_table(made.table.assign(repeats=pd.NA), "2afc", 2)
    assert together.se > 1.1 * dprime_bootstrap(one_by_one).se


def test_only_blocks_tell_the_error_of_an_observer_that_drifts():
    rng = np.random.default_rng(4)
    found, n_blocks = [], 12
    for seed in range(150):
        levels = 1.5 + rng.normal(0, 0.6, n_blocks)
        made = yes_no(levels, 60, seed)
        by_trial, by_block = (
            dprime_bootstrap(made, 300, unit=unit) for unit in ("trial", "block")
        )
        found.append([by_trial.value, by_trial.se, by_block.se])
    value, by_trial, by_block = np.array(found).T
    assert by_block.mean() == pytest.approx(value.std(), rel=0.15)
    assert by_trial.mean() < 0.7 * value.std()


def test_six_steady_blocks_cover_the_truth_19_times_in_20():
    covered = [
        estimate.low <= 1.5 <= estimate.high
        for seed in range(300)
        for estimate in [
            dprime_bootstrap(yes_no([1.5] * 6, 60, seed), 400, unit="block")
        ]
    ]
    assert np.mean(covered) == pytest.approx(0.95, abs=4 * math.sqrt(0.0475 / 300))


def test_the_correction_moves_the_interval_of_a_biased_estimator():
    drawn = np.random.default_rng(5).normal(1.0, 1.0, 100_000)
    # The draws say that the estimator is too high by one SD: so is the estimate, 0.
    low, high = bias_corrected_interval(drawn, value=0.0)
    assert (low, high) == pytest.approx((1 - 2 - 1.96, 1 - 2 + 1.96), abs=0.1)
    low, high = bias_corrected_interval(drawn, value=1.0)
    assert (low, high) == pytest.approx((1 - 1.96, 1 + 1.96), abs=0.05)


def test_infinite_draws_make_an_open_interval_without_se():
    made = yes_no([0.5] * 4, 50, seed=6)

    def odds(responses):
        p = share_correct(responses)
        return math.inf if p > 0.63 else p / (1 - p)

    estimate = bootstrap(made, odds, n_draws=200)
    assert (estimate.high, estimate.se) == (math.inf, None)
    assert math.isfinite(estimate.low)


def test_draws_without_a_value_are_counted_and_named():
    made = yes_no([1.0] * 4, 50, seed=7)

    def fails_at(level):
        def statistic(responses):
            if share_correct(responses) > level:
                raise ValueError("too good to be true")
            return share_correct(responses)

        return statistic

    rare = share_correct(made) + 2.4 * math.sqrt(0.2 / 200)
    estimate = bootstrap(made, fails_at(rare), n_draws=400)
    assert estimate.value is not None
    assert estimate.note.endswith("of 400 draws have no value: too good to be true")
    common = share_correct(made)
    missing = bootstrap(made, fails_at(common), n_draws=200)
    assert missing.value is None
    assert "of 200 draws have no value" in missing.note
    assert bootstrap(made, fails_at(0.0)).note == "too good to be true"


def test_a_seed_gives_the_same_draws_and_rows_may_come_in_any_order():
    made = yes_no([1.0] * 4, 50, seed=8)
    mixed = Responses.from_table(made.table.sample(frac=1, random_state=1), "yes_no", 2)
    assert bootstrap(made, share_correct, 100) == bootstrap(mixed, share_correct, 100)
    assert dprime_bootstrap(made, seed=1) == dprime_bootstrap(mixed, seed=1)
    assert dprime_bootstrap(made, seed=1) != dprime_bootstrap(made, seed=2)


def test_progress_is_told_of_every_draw():
    seen = []
    made = yes_no([1.0] * 4, 20, seed=9)
    bootstrap(
        made, share_correct, 100, progress=lambda done, of: seen.append((done, of))
    )
    assert seen[0] == (1, 100)
    assert seen[-1] == (100, 100)


def test_what_cannot_be_drawn_gets_a_clear_sentence():
    made = yes_no([1.0] * 3, 20, seed=10)
    with pytest.raises(ValueError, match="n_draws must be >= 100, got 10"):
        bootstrap(made, share_correct, n_draws=10)
    few = dprime_bootstrap(made, unit="block")
    assert few.note == "3 blocks: a bootstrap of blocks needs 4 or more"
    no_block = Responses.from_table(made.table.drop(columns="block"), "yes_no", 2)
    with pytest.raises(ValueError, match="must have a column 'block'"):
        dprime_bootstrap(no_block, unit="block")
    assert dprime_bootstrap(made.where(made.trial < 0)).note == "no trial counts"
    one_class = dprime_bootstrap(made.where(made.target == 1))
    assert one_class.note == "a target has no counted trial"


def test_a_draw_of_blocks_keeps_the_d_prime_of_the_whole():
    made = yes_no([0.5, 1.0, 1.5, 2.0, 2.5], 200, seed=11)
    estimate = dprime_bootstrap(made, unit="block")
    assert estimate.value == pytest.approx(dprime(made).value)
    assert ndtr(estimate.low / 2) < made.correct.mean() < ndtr(estimate.high / 2)
