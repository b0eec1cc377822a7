"""A read-out that is fitted to a person: whether a network's features tell her errors.

A linear read-out of the features is fitted to the person's responses on some blocks,
and foretells them on the others. The same read-out of the pixels is what any linear
observer could do: only what features add to it speaks for them. How well responses are
foretold is kappa, of being right: to foretell that she is mostly right is no merit.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from jaxtyping import Bool

from ...analysis.agreement.error_consistency import Consistency, usable
from ...analysis.trials.estimate import CannotTell, Estimate
from ...analysis.trials.result import Result
from ...experiments.protocols.parts import Task
from ...experiments.session.observer import Observer, ObserverNoise, frames_on, optional
from ...models.decision import batch_of
from ...models.networks.features import MOST_UNITS, Features, by_trial, foretell
from ...models.recipes.split import folds_by_blocks, stimuli_of
from ...models.simulate import Progress

if TYPE_CHECKING:
    from ...experiments.session.results import SessionData

FORMULA = "kappa-of-a-read-out-fitted-to-the-observer/1"
MOST_TRIALS = 4096  # that are read; more tell little, and features fill the memory
_FEWEST = 200  # trials to fit a read-out to, and test it


@dataclass(frozen=True, eq=False)
class FittedReadout(Result):
    """How well a read-out that was fitted to a person foretells her responses.

    Attributes
    ----------
    features
        Kappa with the person of a read-out of the features, on blocks it was not fitted
        to.
    pixels
        That of a read-out of the pixels.
    difference
        Features less pixels, on the same trials.
    n_trials, n_units
        Trials that were read, and the features of an alternative.
    n_fitted
        Numbers of an alternative that were weighed: random sums, where there are more
        features.
    """

    features: Estimate
    pixels: Estimate
    difference: Estimate
    n_trials: int
    n_units: int
    n_fitted: int


def fitted_readout(
    session: "SessionData",
    observer: Observer,
    seed: int = 0,
    progress: Progress | None = None,
) -> FittedReadout:
    """Fit read-outs of an observer's features, and of pixels, to a session.

    Parameters
    ----------
    session
        The person's.
    observer
        Ready for these stimuli; with features.
    seed
        Of the folds, and of random sums.
    progress
        As in `yoked.run`.

    Raises
    ------
    CannotTell
        If the observer has no features, the task has no two responses, or there are too
        few trials.
    """
    if not Features.has(observer):
        rule = "a network, with features to be read out"
        raise CannotTell(f"the observer must be {rule}, got {observer.name}")
    task = session.protocol.task
    if task.kind not in ("yes_no", "rating") and task.n_variables != 2:
        got = f"{task.n_variables}"
        raise CannotTell(f"responses must be of two kinds to be fitted, got {got}")
    counted = session.counted
    if len(counted) < _FEWEST:
        rule = f"{_FEWEST} or more for a read-out to be fitted"
        raise CannotTell(f"trials must be {rule}, got {len(counted)}")
    some = np.linspace(0, len(counted) - 1, min(len(counted), MOST_TRIALS)).astype(int)
    table = counted.iloc[some].reset_index(drop=True)
    folds = [(fold.training, fold.held_out) for fold in folds_by_blocks(table, seed)]
    chose = _chose(table, task)
    if any(len(np.unique(chose[training])) < 2 for training, _ in folds):
        raise CannotTell("responses must be of two kinds to be fitted, got one")
    reader = Features(observer, MOST_UNITS, seed)
    features, pixels = _read(session, table, observer, reader, seed, progress)
    foretold = [foretell(each, chose, folds) for each in (features, pixels)]
    return _compared(table, task, chose, foretold, (reader.n_units, features.shape[1]))


def _read(
    session: "SessionData",
    table: pd.DataFrame,
    observer: Observer,
    reader: Features,
    seed: int,
    progress: Progress | None,
) -> tuple[Any, Any]:
    """Read features and pixels of every trial."""
    device, batch = optional(observer, "device"), batch_of(observer)
    element_px = session.protocol.display.element_px
    features, pixels = [], []
    for start in range(0, len(table), batch):
        rows = table.iloc[start : start + batch]
        frames = frames_on(device, session.protocol, session.noise, rows)
        noise = ObserverNoise(seed, rows["trial"].to_numpy(np.int64))
        features.append(reader.of(frames, noise))
        pixels.append(reader.pixels(frames, element_px))
        if progress is not None:
            progress("read-out", start + len(rows), len(table))
    takes_largest = session.protocol.task.takes_largest
    return by_trial(features, takes_largest), by_trial(pixels, takes_largest)


def _chose(table: pd.DataFrame, task: Task) -> Bool[np.ndarray, " trial"]:
    """Say where the second alternative was chosen, or "yes" in some degree."""
    given = table["response"].to_numpy(np.int64)
    return given == 1 if task.takes_largest else given >= len(task.keys) / 2


def _compared(
    table: pd.DataFrame,
    task: Task,
    chose: Bool[np.ndarray, " trial"],
    foretold: list[Bool[np.ndarray, " trial"]],
    n_units: tuple[int, int],
) -> FittedReadout:
    """Compare what features and pixels foretold with what was chosen."""
    coded: list[Any] = [each.astype(np.int64) for each in (chose, *foretold)]
    if task.has_target:
        target = table["target"].to_numpy(np.int64)
        coded = [each == target for each in coded]
    contrast = table["contrast"].to_numpy(np.float64)
    _, stimulus = np.unique(stimuli_of(table), return_inverse=True)
    used = usable(coded, contrast)
    if not used.any():
        raise CannotTell("a contrast must have been now right, now wrong, got none")
    one, other = (
        Consistency.of(coded[0], each, contrast, stimulus, used) for each in coded[1:]
    )
    apart = one.influence - other.influence
    return FittedReadout(
        _estimate(one.value, one.influence, one.n),
        _estimate(other.value, other.influence, one.n),
        _estimate(one.value - other.value, apart, one.n),
        len(table),
        *n_units,
    )


def _estimate(value: float, influence: np.ndarray, n: int) -> Estimate:
    return Estimate.normal(value, float(np.linalg.norm(influence)), n, FORMULA)
