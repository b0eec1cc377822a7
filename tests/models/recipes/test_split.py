"""The split of a session: blocks stay whole, and pairs together."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yoked.models.recipes.split import split_by_blocks

seeds = st.integers(0, 2**32)


def session(n_blocks, size, pairs):
    """Return a table of trials, some of which show an earlier one again."""
    n = n_blocks * size
    repeats = pd.array([pd.NA] * n, dtype="Int64")
    for first, second in pairs:
        repeats[second] = first
    return pd.DataFrame(
        {"trial": np.arange(n), "block": np.arange(n) // size, "repeats": repeats}
    )


@st.composite
def sessions(draw):
    n_blocks, size = draw(st.integers(1, 12)), draw(st.integers(20, 40))
    n = n_blocks * size
    order = np.random.default_rng(draw(seeds)).permutation(n)
    pairs = order[: 2 * draw(st.integers(0, n // 2))].reshape(-1, 2)
    return session(n_blocks, size, np.sort(pairs, axis=1).tolist())


def stimuli(table, rows):
    own = table["repeats"].fillna(table["trial"])
    return set(own.iloc[rows])


@given(sessions(), seeds)
def test_no_stimulus_is_on_both_sides(table, seed):
    split = split_by_blocks(table, seed)
    assert len(split.training)
    assert len(split.held_out)
    assert not stimuli(table, split.training) & stimuli(table, split.held_out)


@given(sessions().filter(lambda table: table["block"].nunique() >= 5), seeds)
def test_no_block_is_on_both_sides(table, seed):
    split = split_by_blocks(table, seed)
    block = table["block"].to_numpy()
    assert not set(block[split.training]) & set(block[split.held_out])


def test_pairs_within_few_blocks_cost_no_trial():
    pairs = [(40 * b + i, 40 * b + 20 + i) for b in range(10) for i in range(20)]
    split = split_by_blocks(session(10, 40, pairs), seed=3)
    assert len(split.training) == 320
    assert len(split.held_out) == 80


def test_the_seed_chooses_the_blocks():
    table = session(10, 40, [])
    one, again, other = (split_by_blocks(table, seed) for seed in (1, 1, 2))
    assert one.held_out.tolist() == again.held_out.tolist() != other.held_out.tolist()


def test_too_few_trials_are_refused():
    with pytest.raises(ValueError, match=r"20 trials that count, or more, .* got 12"):
        split_by_blocks(session(1, 12, []), seed=1)
