"""Resampling: strata are kept, and a pair of showings is never parted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.analysis.observers.linear import Linear, linear_responses, unit
from yoked.analysis.trials.resample import bootstrap_sample, folds, permuted_rows

seeds = st.integers(0, 2**32)
RESPONSES, _ = linear_responses(
    Linear(unit([1, 1])), "2afc", 300, 0.1, seed=1, n_pairs=80
)
BLOCKED = RESPONSES.table.assign(block=np.arange(300) // 50)


@given(seeds)
def test_a_permutation_keeps_strata_and_moves_pairs_as_pairs(seed):
    rng = np.random.default_rng(seed)
    stratum = 2 * (np.arange(300) // 50) + RESPONSES.target
    (order,) = permuted_rows(stratum, RESPONSES.cluster, 1, rng)
    assert np.array_equal(np.sort(order), np.arange(300))
    assert np.array_equal(stratum[order], stratum)
    second = RESPONSES.second_rows
    assert np.array_equal(
        order[RESPONSES.first[second]], RESPONSES.first[order[second]]
    )


def test_every_order_within_a_stratum_is_as_likely():
    rng = np.random.default_rng(2)
    stratum, alone = np.zeros(3, int), np.arange(3)
    orders = permuted_rows(stratum, alone, 6000, rng)
    _, times = np.unique(orders, axis=0, return_counts=True)
    assert len(times) == 6
    assert times.min() > 850


def test_a_field_shown_three_times_is_refused():
    with pytest.raises(ValueError, match="shown at most twice, got 3 times"):
        permuted_rows(np.zeros(3, int), np.zeros(3, int), 1, np.random.default_rng(1))


@given(seeds)
def test_a_bootstrap_sample_of_trials_draws_pairs_whole(seed):
    sample = bootstrap_sample(RESPONSES, np.random.default_rng(seed))
    ids = sample.table["stimulus_id"].to_numpy()
    second = sample.second_rows
    assert np.array_equal(ids[second], ids[sample.first[second]])
    was_paired = np.isin(
        ids, RESPONSES.table["stimulus_id"].to_numpy()[RESPONSES.second_rows]
    )
    assert was_paired.sum() == 2 * len(second)


@given(seeds)
def test_a_bootstrap_sample_of_blocks_has_whole_blocks(seed):
    responses = type(RESPONSES).from_table(BLOCKED, "2afc", 2)
    sample = bootstrap_sample(responses, np.random.default_rng(seed), unit="block")
    _, times = np.unique(sample.table["block"], return_counts=True)
    assert len(sample) == 300
    assert not np.any(times % 50)


@given(seeds, st.integers(2, 10))
def test_folds_are_even_and_never_split_a_pair(seed, n_folds):
    fold = folds(
        RESPONSES.cluster, RESPONSES.target, n_folds, np.random.default_rng(seed)
    )
    second = RESPONSES.second_rows
    assert np.array_equal(fold[second], fold[RESPONSES.first[second]])
    alone = np.setdiff1d(np.arange(300), second)
    assert np.ptp(np.bincount(fold[alone], minlength=n_folds)) <= 1
