"""A kernel as a sum over groups of stimuli, so that products of parts can be taken.

Order 1 is the optimally weighted sum of the noise (`score.py`). Order 2 is Neri's sum
of class covariances (`second_order/kernel.py`), about the session's own class means;
from every trial's product the mean product is taken off, which cancels in the whole and
keeps unequal numbers of classes out of the groups.
"""

from functools import reduce

import numpy as np
from jaxtyping import Float, Int

from ..kernels.classes import Classes
from ..second_order.kernel import without_linear_part
from ..trials.design import TrialDesign, noise_keys
from ..trials.estimate import CannotTell
from ..trials.score import score

MAX_GROUPS = 400
MIN_GROUPS = 20
MAX_BYTES = 2**30  # of sums held at once


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
    keys = [noise_keys(one) for one in designs]
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
    n_values = n_elements if order == 1 else n_elements * (n_elements + 1) // 2
    n = min(MAX_GROUPS, MAX_BYTES // (4 * n_values))
    if n < MIN_GROUPS:
        largest = int((MAX_BYTES / (2 * MIN_GROUPS)) ** 0.5)
        rule = f"of {largest} elements or fewer for a second order"
        raise CannotTell(f"fields must be {rule}, got {n_elements}")
    return n


def group_sums(
    trials: TrialDesign, group: Int[np.ndarray, " trial"], n_groups: int, order: int
) -> Float[np.ndarray, " group value"]:
    """Return what each group adds to the kernel; of order 2 the upper triangle.

    Raises
    ------
    ValueError
        If no stimulus class has both responses, or (order 2) no contrast has two trials
        or more in every stimulus-response class.
    """
    if order == 2:
        return _second_order(trials, group, n_groups)
    weight = score(trials).coefficient.astype(np.float32)
    return _by_number(trials.noise * weight[:, None], group, n_groups)


def _by_number(values: np.ndarray, number: np.ndarray, n: int) -> np.ndarray:
    order = np.argsort(number, kind="stable")
    there, start = np.unique(number[order], return_index=True)
    total = np.zeros((n, values.shape[1]))
    total[there] = np.add.reduceat(values[order], start, axis=0)
    return total


def _second_order(
    trials: TrialDesign, group: np.ndarray, n_groups: int
) -> Float[np.ndarray, " group value"]:
    classes = Classes.of(trials)
    label, coefficient = classes.label[0], classes.coefficients(2)[0]
    shown, upper = trials.shown, np.triu_indices(trials.halves.shape[2])
    found = np.zeros((n_groups, len(upper[0])), np.float32)
    for half in (0, 1):
        here, noise, factor = coefficient != 0, shown[0], coefficient
        if trials.is_forced_choice:
            noise, factor = shown[half], coefficient * (1, -1)[half]
        else:
            here = here & (trials.target == 1 - half)
        x, a, g = noise[here], factor[here].astype(np.float32), group[here]
        size = np.maximum(classes.size.ravel(), 1)
        mean = _by_number(x, label[here], len(size)) / size[:, None]
        x = x - mean[label[here]].astype(np.float32)
        base = (x.T @ x) / len(x)
        for number in range(n_groups):
            y, b = x[g == number], a[g == number]
            found[number] += ((y.T * b) @ y - b.sum() * base)[upper]
    return found


def groups_without_linear_part(
    sums: Float[np.ndarray, " group value"], kernel: Float[np.ndarray, " element"]
) -> Float[np.ndarray, " group value"]:
    """Take what is along a first-order kernel out of rows and columns of order 2."""
    upper = np.triu_indices(len(kernel))
    found = np.empty_like(sums)
    for i, values in enumerate(sums):
        full = np.zeros((len(kernel), len(kernel)))
        full[upper] = values
        full = full + np.triu(full, 1).T
        found[i] = without_linear_part(full, kernel)[upper]
    return found
