"""Random choices of a plan: permutations of stream 0, and who repeats whom.

Each use of stream 0 has its own range of ids, so that no two share a draw: `plan.py`
has 0, 2^20 and 2^32, `condition_plan.py` from 5 x 2^32, `stimulus/variants.py` from
6 x 2^32, `place_plan.py` from 7 and 8 x 2^32, a double pass 2^33.
"""

from collections import deque

import numpy as np
from jaxtyping import Int64

from ..stimulus.noise import SCHEDULE_STREAM, draws_u16

DOUBLE_PASS = 1 << 33


def balanced(
    seed: int, first: int, n: int, n_cells: int, size: int
) -> Int64[np.ndarray, " n"]:
    """Give each of `n` trials a cell, every cell equally often in each run of `size`.

    Run k is permuted by the draws of id `first` + k.
    """
    rest = n % size
    whole = permutations(seed, first + np.arange(n // size), size)
    whole = whole + size * np.arange(n // size)[:, None]
    last = n - rest + permutation(seed, first + n // size, rest)
    return np.concatenate([whole.ravel(), last]) % n_cells


def permutation(seed: int, purpose: int, n: int) -> Int64[np.ndarray, " n"]:
    """Permute 0, ..., n - 1: the order of 64-bit draws of stream 0."""
    return permutations(seed, np.array([purpose]), n)[0]


def permutations(
    seed: int, purposes: Int64[np.ndarray, " purpose"], n: int
) -> Int64[np.ndarray, " purpose n"]:
    """Permute 0, ..., n - 1 once for each purpose; see `permutation`."""
    if n == 0 or len(purposes) == 0:
        return np.empty((len(purposes), n), np.int64)
    draws = draws_u16(seed, purposes, SCHEDULE_STREAM, 4 * n)
    keys = draws.reshape(len(purposes), n, 4).astype("<u2").view("<u8")[..., 0]
    return np.argsort(keys, axis=1, kind="stable").astype(np.int64)


def double_pass_plan(
    seed: int, n_trials: int, n_pairs: int, min_gap: int, purpose: int = DOUBLE_PASS
) -> list[int | None]:
    """Choose which trials show an earlier one again, and which one each shows.

    Trials are walked in order; a second pass comes with the probability that uses up
    the pairs evenly, and takes any earlier stimulus that is old enough. With 2 n_pairs
    + min_gap <= n_trials, which a protocol must keep, one is always there when needed:
    at most min_gap first showings are too young.

    Returns
    -------
    list
        For every trial the one it repeats, or None.
    """
    chances = draws_u16(seed, np.array([purpose]), SCHEDULE_STREAM, 2 * n_trials)
    when, which = chances.reshape(n_trials, 2).astype(int).T.tolist()
    partners: list[int | None] = []
    young: deque[int] = deque()
    old: list[int] = []
    pairs_left = n_pairs
    for trial in range(n_trials):
        while young and young[0] <= trial - min_gap:
            old.append(young.popleft())
        places_left = n_trials - trial
        if old and when[trial] * places_left < pairs_left << 16:
            chosen = which[trial] * len(old) >> 16
            old[chosen], old[-1] = old[-1], old[chosen]
            partners.append(old.pop())
            pairs_left -= 1
        else:
            partners.append(None)
            young.append(trial)
    return partners
