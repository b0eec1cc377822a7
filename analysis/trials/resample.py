"""Resampling that respects the design: permutations, bootstrap samples, halves, folds.

Two showings of one stimulus share their noise, so they are never parted: they are
permuted, drawn and split as one. Sessions drift, so responses are exchanged only within
a stimulus class of a block, and a bootstrap can draw whole blocks.
"""

from typing import Literal

import numpy as np
from jaxtyping import Int

from .estimate import CannotTell
from .responses import Responses

Unit = Literal["trial", "block"]
NOTHING_TO_EXCHANGE = (
    "responses must differ within a stimulus class of some block to be permuted, got "
    "blocks in which they do not"
)


def permuted_rows(
    stratum: Int[np.ndarray, " trial"],
    cluster: Int[np.ndarray, " trial"],
    n: int,
    rng: np.random.Generator,
) -> Int[np.ndarray, " permutation trial"]:
    """Return orders of the trials that keep strata, with pairs moved as pairs.

    Under the hypothesis that responses do not depend on the noise, `response[order]` is
    as likely as `response`: within a class, a pair of responses belongs to any pair of
    showings as well as to its own.

    Parameters
    ----------
    stratum
        What responses may be exchanged within: class, contrast, block.
    cluster
        Number of the noise field. At most two trials share one.
    n
        Orders to draw.

    Raises
    ------
    ValueError
        If more than two trials share a noise field.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> stratum, alone = np.array([0, 0, 0, 1]), np.arange(4)
    >>> permuted_rows(stratum, alone, 2, rng)[:, 3].tolist()
    [3, 3]
    """
    first, second = _members(cluster)
    key = np.stack([stratum[first], np.where(second >= 0, stratum[second], -1)])
    _, kind = np.unique(key, axis=1, return_inverse=True)
    kind = kind.ravel()
    # Sorting by kind, then by chance, lines every kind up with a shuffle of itself.
    target = np.argsort(kind, kind="stable")
    paired = second[target] >= 0
    orders = np.empty((n, len(cluster)), np.int64)
    for order in orders:
        source = np.lexsort((rng.random(len(kind)), kind))
        order[first[target]] = first[source]
        order[second[target[paired]]] = second[source[paired]]
    return orders


def bootstrap_sample(
    responses: Responses, rng: np.random.Generator, unit: Unit = "trial"
) -> Responses:
    """Draw as many trials, or blocks, as there are, with replacement.

    Parameters
    ----------
    unit
        'trial' draws stimuli, both showings of a double pass together. 'block' draws
        whole blocks, for performance that drifts; a pair whose showings are in two
        blocks is a pair only where both were drawn, each once.

    Returns
    -------
    Responses
        Trials are numbered anew; rows of `table` are those drawn.
    """
    rows, first = (
        _drawn_trials(responses, rng)
        if unit == "trial"
        else (_drawn_blocks(responses, rng))
    )
    return Responses(
        task=responses.task,
        n_responses=responses.n_responses,
        n_alternatives=responses.n_alternatives,
        trial=np.arange(len(rows)),
        target=responses.target[rows],
        response=responses.response[rows],
        contrast=responses.contrast[rows],
        first=first,
        table=responses.table.iloc[rows],
        has_target=responses.has_target,
        no_dprime=responses.no_dprime,
    )


def folds(
    cluster: Int[np.ndarray, " trial"],
    cell: Int[np.ndarray, " trial"],
    n_folds: int,
    rng: np.random.Generator,
) -> Int[np.ndarray, " trial"]:
    """Return the fold of each trial: both showings in one, every class in all alike.

    Parameters
    ----------
    cluster
        Number of the noise field.
    cell
        Stimulus class, spread evenly over the folds.
    n_folds
        Two make a random split into halves.
    """
    first, second = _members(cluster)
    order = np.lexsort((rng.random(len(first)), cell[first]))
    fold_of_cluster = np.empty(len(first), np.int64)
    fold_of_cluster[order] = (np.arange(len(first)) + rng.integers(n_folds)) % n_folds
    fold = np.empty(len(cluster), np.int64)
    fold[first] = fold_of_cluster
    fold[second[second >= 0]] = fold_of_cluster[second >= 0]
    return fold


def _members(cluster: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First and second row of every noise field; -1 where it was shown once."""
    order = np.argsort(cluster, kind="stable")
    _, start, times = np.unique(cluster[order], return_index=True, return_counts=True)
    if times.max(initial=0) > 2:
        rule = "shown at most twice"
        raise CannotTell(f"a noise field must be {rule}, got {times.max()} times")
    second = np.full(len(start), -1)
    second[times == 2] = order[start[times == 2] + 1]
    return order[start], second


def _drawn_trials(
    responses: Responses, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    first, second = _members(responses.cluster)
    drawn = rng.integers(len(first), size=len(first))
    has_second = second[drawn] >= 0
    rows = np.concatenate([first[drawn], second[drawn][has_second]])
    before = np.full(len(rows), -1)
    before[len(drawn) :] = np.flatnonzero(has_second)
    return rows, before


def _drawn_blocks(
    responses: Responses, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    blocks, block = np.unique(responses.table["block"].to_numpy(), return_inverse=True)
    members = [np.flatnonzero(block == number) for number in range(len(blocks))]
    drawn = [members[i] for i in rng.integers(len(blocks), size=len(blocks))]
    rows = np.concatenate(drawn)
    times, place = (
        np.bincount(rows, minlength=len(responses)),
        np.zeros(len(responses), int),
    )
    place[rows] = np.arange(len(rows))
    second = responses.second_rows
    whole = second[(times[second] == 1) & (times[responses.first[second]] == 1)]
    first = np.full(len(rows), -1)
    first[place[whole]] = place[responses.first[whole]]
    return rows, first
