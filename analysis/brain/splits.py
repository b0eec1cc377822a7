"""The splits of stimuli that scores are cross-validated over: those of Brain-Score.

Ten times, nine tenths of the stimuli are for fitting and one tenth is held out, drawn
anew from seed 1: with the same share of every object where objects are named
(scikit-learn's StratifiedShuffleSplit), else without regard to anything (ShuffleSplit).
They depend on the order of the stimuli.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from .mappings import NO_SKLEARN

N_SPLITS = 10
SEED = 1
TRAIN = 0.9  # share of the stimuli to fit
LEAST_HELD_OUT = 3  # stimuli: two always correlate by 1 or -1

Split = tuple[Int[np.ndarray, " _"], Int[np.ndarray, " _"]]


def splits(
    n_stimuli: int,
    objects: Sequence[str] | None = None,
    n_splits: int = N_SPLITS,
    seed: int = SEED,
) -> list[Split]:
    """Return which stimuli are to fit and which are held out, of every split.

    Parameters
    ----------
    objects
        What each stimulus shows; None draws without regard to it.

    Raises
    ------
    ValueError
        If too few stimuli would be held out, or objects cannot be spread evenly.
    ModuleNotFoundError
        If scikit-learn is not installed.

    Examples
    --------
    >>> made = splits(40, ["car", "face"] * 20)
    >>> len(made), [len(part) for part in made[0]]
    (10, [36, 4])
    """
    n_held_out = n_stimuli - int(TRAIN * n_stimuli + 1e-9)
    if n_held_out < LEAST_HELD_OUT:
        rule = f"21 or more, so that a tenth is {LEAST_HELD_OUT}"
        raise ValueError(f"stimuli must be {rule}, got {n_stimuli}")
    try:
        from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(NO_SKLEARN, name="sklearn") from error
    nothing = np.zeros(n_stimuli)
    if objects is None:
        drawn = ShuffleSplit(n_splits, train_size=TRAIN, random_state=seed)
        return list(drawn.split(nothing))
    _check_objects(n_stimuli, objects, n_held_out)
    drawn = StratifiedShuffleSplit(n_splits, train_size=TRAIN, random_state=seed)
    return list(drawn.split(nothing, np.asarray(objects, dtype=str)))


def _check_objects(n_stimuli: int, objects: Sequence[str], n_held_out: int) -> None:
    if len(objects) != n_stimuli:
        rule = f"one for each of the {n_stimuli} stimuli"
        raise ValueError(f"objects must be {rule}, got {len(objects)}")
    counts = Counter(map(str, objects))
    rarest = min(counts, key=lambda name: counts[name])
    if counts[rarest] < 2:
        rule = "shown by two stimuli or more, to be in both parts"
        raise ValueError(f"an object must be {rule}, got one of {rarest!r}")
    if len(counts) > n_held_out:
        rule = f"no more than the {n_held_out} stimuli that are held out"
        raise ValueError(f"objects must be {rule}, got {len(counts)}")
