"""The splits of stimuli that scores are cross-validated over: those of Brain-Score.

Ten times, nine tenths of the stimuli are for fitting and one tenth is held out, drawn
anew from seed 1: with the same share of every object where objects are named
(scikit-learn's StratifiedShuffleSplit), else without regard to anything (ShuffleSplit).
They depend on the order of the stimuli.

Of stimuli that follow each other and overlap, such as movies a frame apart, random
splits would have parts of what is held out in what is fitted to. They are cut in time
into as many pieces as there are splits, each held out once, and those that overlap with
it are left out of the fit: ours, where Brain-Score has no such stimuli.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from ...experiments.recordings.population import InTime
from .mappings import NO_SKLEARN

N_SPLITS = 10
SEED = 1
TRAIN = 0.9  # share of the stimuli to fit
LEAST_HELD_OUT = 3  # stimuli: two always correlate by 1 or -1

Spread = Sequence[str] | InTime | None  # how stimuli are spread over both parts
Split = tuple[Int[np.ndarray, " _"], Int[np.ndarray, " _"]]


def splits(
    n_stimuli: int,
    objects: Spread = None,
    n_splits: int = N_SPLITS,
    seed: int = SEED,
) -> list[Split]:
    """Return which stimuli are to fit and which are held out, of every split.

    Parameters
    ----------
    objects
        What each stimulus shows; None draws without regard to it. Or which stimuli
        overlap: then the seed does nothing.

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
    if isinstance(objects, InTime):
        return _in_time(objects, n_stimuli, n_splits)
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


def is_by_object(objects: Spread) -> bool:
    """Whether objects are spread evenly over the splits."""
    return objects is not None and not isinstance(objects, InTime)


def way_of(objects: Spread) -> str:
    """Give what a formula's name has of how stimuli are spread."""
    return "in-time-" if isinstance(objects, InTime) else ""


def _in_time(order: InTime, n_stimuli: int, n_splits: int) -> list[Split]:
    """Hold pieces in time out, and leave what overlaps with them out of the fit."""
    if len(order.runs) != n_stimuli:
        rule = f"one for each of the {n_stimuli} stimuli"
        raise ValueError(f"runs must be {rule}, got {len(order.runs)}")
    if n_splits < 2 or n_stimuli // n_splits < LEAST_HELD_OUT:
        rule = f"2 or more, with {LEAST_HELD_OUT} of {n_stimuli} stimuli each"
        raise ValueError(f"splits in time must be {rule}, got {n_splits}")
    every, runs = np.arange(n_stimuli), np.array(order.runs)
    made = []
    for held_out in np.array_split(every, n_splits):
        first, last = held_out[0], held_out[-1]
        near = (every >= first - order.reach) & (every <= last + order.reach)
        taken = near & np.isin(runs, runs[held_out])
        made.append((every[~taken], held_out))
    if any(len(fit) < LEAST_HELD_OUT for fit, _ in made):
        rule = f"{LEAST_HELD_OUT} or more outside what overlaps with those held out"
        raise ValueError(f"stimuli to fit must be {rule}, got fewer of {n_stimuli}")
    return made


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
