"""Which trials of a session are learnt, and which are held out."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int

SHARE = 0.2  # of a session's trials that are held out
_FEWEST_UNITS = 5  # of fewer blocks, each is cut
_STRETCHES = 10


@dataclass(frozen=True)
class Split:
    """Rows of a session's table, on two sides.

    Attributes
    ----------
    training, held_out
        Rows, in the order of the session. What is on neither side was a showing of a
        stimulus that is held out.
    """

    training: Int[np.ndarray, " learnt"]
    held_out: Int[np.ndarray, " apart"]


def split_by_blocks(table: pd.DataFrame, seed: int) -> Split:
    """Split a session's trials by blocks; both showings of a stimulus are on one side.

    Blocks that share pairs stay together, as long as that leaves enough to choose from;
    where pairs join most of a session, the showings of held-out stimuli in blocks that
    are learnt are left out of both sides. Of fewer than five blocks each is cut into
    stretches of trials in a row, which then stand for blocks.

    Parameters
    ----------
    table
        Trials that count, with `trial`, `block` and `repeats`.
    seed
        Chooses the blocks that are held out.

    Raises
    ------
    ValueError
        If there are too few trials.
    """
    unit, stimulus = _units_of(table)
    rng = np.random.default_rng(seed)
    numbers, counts = np.unique(unit, return_counts=True)
    order = rng.permutation(len(numbers))
    before = np.cumsum(counts[order]) - counts[order]
    chosen = numbers[order[before < SHARE * len(table)][: len(numbers) - 1]]
    return _without(np.isin(unit, chosen), stimulus)


def folds_by_blocks(table: pd.DataFrame, seed: int, n_folds: int = 5) -> list[Split]:
    """Split a session's trials several times, each trial held out once.

    Parameters
    ----------
    table, seed
        As for `split_by_blocks`, whose rules hold in every fold.
    n_folds
        How many; blocks are dealt to them so that they have about as many trials.

    Raises
    ------
    ValueError
        If there are too few trials.
    """
    unit, stimulus = _units_of(table)
    numbers, counts = np.unique(unit, return_counts=True)
    fold, filled = np.empty(len(numbers), np.int64), np.zeros(n_folds)
    for one in np.random.default_rng(seed).permutation(len(numbers)):
        fold[one] = filled.argmin()
        filled[fold[one]] += counts[one]
    of_row = fold[np.searchsorted(numbers, unit)]
    held = (of_row == number for number in range(n_folds))
    return [_without(each, stimulus) for each in held if each.any()]


def _without(is_held: Bool[np.ndarray, " row"], stimulus: np.ndarray) -> Split:
    """Learn from all that shows no stimulus that is held out."""
    is_shown = np.isin(stimulus, stimulus[is_held])
    return Split(np.flatnonzero(~is_shown), np.flatnonzero(is_held))


def _units_of(
    table: pd.DataFrame,
) -> tuple[Int[np.ndarray, " row"], Int[np.ndarray, " row"]]:
    """Give what is held out together, and the stimulus, of every row."""
    n = len(table)
    if n < _STRETCHES * 2:
        rule = f"{_STRETCHES * 2} trials that count, or more, to be split"
        raise ValueError(f"a session must have {rule}, got {n}")
    stimulus = stimuli_of(table)
    return _joined(_units(table["block"].to_numpy(np.int64)), stimulus), stimulus


def stimuli_of(table: pd.DataFrame) -> Int[np.ndarray, " row"]:
    """Give the trial that showed each row's stimulus first."""
    trial = table["trial"].to_numpy(np.int64)
    repeats = table["repeats"].to_numpy(np.float64, na_value=np.nan)
    return np.where(np.isnan(repeats), trial, repeats).astype(np.int64)


def _units(block: Int[np.ndarray, " row"]) -> Int[np.ndarray, " row"]:
    """Number the blocks, or the stretches of them where there are few."""
    names, unit = np.unique(block, return_inverse=True)
    if len(names) >= _FEWEST_UNITS:
        return unit
    cut = np.empty(len(block), np.int64)
    for number in range(len(names)):
        rows = np.flatnonzero(unit == number)
        stretch = np.arange(len(rows)) * _STRETCHES // len(rows)
        cut[rows] = number * _STRETCHES + stretch
    return cut


def _joined(
    unit: Int[np.ndarray, " row"], stimulus: Int[np.ndarray, " row"]
) -> Int[np.ndarray, " row"]:
    """Number units that share a stimulus as one, unless that joins most of them."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    _, first = np.unique(stimulus, return_inverse=True)
    n = int(unit.max()) + 1
    shape = (n + int(first.max()) + 1,) * 2
    links = coo_array((np.ones(len(unit)), (unit, n + first)), shape)
    _, label = connected_components(links, directed=False)
    joined = label[unit]
    counts = np.unique(joined, return_counts=True)[1]
    is_open = len(counts) >= _FEWEST_UNITS and counts.max() <= len(unit) / 2
    return joined if is_open else unit
