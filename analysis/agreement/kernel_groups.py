"""A kernel as a sum over groups of stimuli, so that products of parts can be taken.

Order 1 is the optimally weighted sum of the noise (`score.py`); of order 2, Neri's sum
of class covariances about the session's own class means, `group_dots.py` has the
products.
"""

from functools import reduce

import numpy as np
from jaxtyping import Float, Int

from ..trials.design import TrialDesign
from ..trials.estimate import CannotTell
from ..trials.score import score

MAX_GROUPS = 400
MAX_BYTES = 2**30  # of matrices held at once


def stimulus_groups(
    designs: list[TrialDesign], order: int, rng: np.random.Generator
) -> tuple[list[Int[np.ndarray, " trial"]], list[int], int]:
    """Put the stimuli of several sessions into random groups, classes spread evenly.

    A stimulus is recognised by its noise, whichever session showed it, and however
    often.

    Returns
    -------
    groups, n_groups, n_shared
        Group of each trial and number of groups, by session; and how many noise fields
        all sessions showed. If there are any, groups are common to all.

    Raises
    ------
    ValueError
        If the sums of a second-order kernel would not fit in memory.
    """
    keys = [one.noise_keys for one in designs]
    n_shared = len(reduce(np.intersect1d, keys))
    together = [np.concatenate(keys)] if n_shared else keys
    cells = [one.cell for one in designs]
    cells = [np.concatenate(cells)] if n_shared else cells
    most = _most_groups(designs[0].halves.shape[2], order)
    found, n_groups = [], []
    for key, cell in zip(together, cells, strict=True):
        _, first, number = np.unique(key, return_index=True, return_inverse=True)
        n = min(most, len(first))
        shuffled = np.lexsort((rng.random(len(first)), cell[first]))
        group = np.empty(len(first), np.int64)
        group[shuffled] = np.arange(len(first)) % n
        found.append(group[number])
        n_groups.append(n)
    if n_shared:
        ends = np.cumsum([len(each) for each in keys])[:-1]
        return np.split(found[0], ends), n_groups * len(keys), n_shared
    return found, n_groups, 0


def _most_groups(n_elements: int, order: int) -> int:
    """Give how many groups there are at most; refuse what would not fit in memory."""
    largest = int((MAX_BYTES / 16) ** 0.5)  # of four matrices of numbers of 4 bytes
    if order == 2 and n_elements > largest:
        rule = f"of {largest} elements or fewer for a second order"
        raise CannotTell(f"fields must be {rule}, got {n_elements}")
    return MAX_GROUPS


def group_sums(
    trials: TrialDesign, group: Int[np.ndarray, " trial"], n_groups: int
) -> Float[np.ndarray, " group value"]:
    """Return what each group adds to the first-order kernel.

    Raises
    ------
    ValueError
        If no stimulus class has both responses.
    """
    weight = score(trials).coefficient.astype(np.float32)
    return by_number(trials.noise * weight[:, None], group, n_groups)


def by_number(values: np.ndarray, number: np.ndarray, n: int) -> np.ndarray:
    """Add up rows by their number, from 0 to before n."""
    if np.any(np.diff(number) < 0):
        order = np.argsort(number, kind="stable")
        values, number = values[order], number[order]
    there, start = np.unique(number, return_index=True)
    total = np.zeros((n, values.shape[1]))
    if not len(there):
        return total
    total[there] = np.add.reduceat(values, start, axis=0)
    return total
