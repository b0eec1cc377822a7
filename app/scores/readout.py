"""A read-out that is fitted to a person: whether a network's features tell her errors.

A linear read-out of the features is fitted to the person's responses on some blocks,
and foretells them on the others. The same read-out of the pixels is what any linear
observer could do: only what features add to it speaks for them. How well responses are
foretold is kappa, of being right: to foretell that she is mostly right is no merit.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from ...analysis.agreement.error_consistency import Consistency, usable
from ...analysis.trials.estimate import CannotTell, Estimate
from ...analysis.trials.result import Result
from ...experiments.protocols.parts import BACKGROUND, FULL_CONTRAST, Task
from ...experiments.session.observer import Observer, ObserverNoise, frames_on, optional
from ...models.decision import batch_of
from ...models.networks.features import MOST_UNITS, Features
from ...models.networks.readouts import fit_linear
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
    read = Features(observer, MOST_UNITS, seed)
    of_pixels = _Pixels(session, seed)
    parts: tuple[list[Tensor], list[Tensor]] = ([], [])
    device, batch = optional(observer, "device"), batch_of(observer)
    for start in range(0, len(table), batch):
        rows = table.iloc[start : start + batch]
        frames = frames_on(device, session.protocol, session.noise, rows)
        noise = ObserverNoise(seed, rows["trial"].to_numpy(np.int64))
        parts[0].append(_of_trials(read.of(frames, noise), task))
        parts[1].append(_of_trials(of_pixels(torch.as_tensor(frames).cpu()), task))
        if progress is not None:
            progress("read-out", start + len(rows), len(table))
    x, y = (torch.cat(each) for each in parts)
    return _compared(session, table, (x, y), seed, read.n_units)


class _Pixels:
    """Contrast of every element of an alternative, in few enough numbers."""

    def __init__(self, session: "SessionData", seed: int) -> None:
        self._element_px = session.protocol.display.element_px
        self._seed = seed

    def __call__(self, frames: Tensor) -> Tensor:
        """Give (trial, alternative, element)."""
        high, wide = self._element_px
        elements = frames[..., ::high, ::wide].flatten(2).float()
        elements = (elements - BACKGROUND) / FULL_CONTRAST
        if (n := elements.shape[2]) <= MOST_UNITS:
            return elements
        rng = torch.Generator().manual_seed(self._seed)
        return elements @ (torch.randn(n, MOST_UNITS, generator=rng) / MOST_UNITS**0.5)


def _of_trials(found: Float[Tensor, " trial alternative unit"], task: Task) -> Tensor:
    """Give a row a trial: the second alternative less the first, or the only one."""
    return found[:, 1] - found[:, 0] if task.takes_largest else found[:, 0]


def _compared(
    session: "SessionData",
    table: pd.DataFrame,
    read: tuple[Tensor, Tensor],
    seed: int,
    n_units: int,
) -> FittedReadout:
    """Foretell each fold from the others, with both; compare what is right."""
    task = session.protocol.task
    given = table["response"].to_numpy(np.int64)
    chose = given if task.takes_largest else (given >= len(task.keys) / 2).astype(int)
    foretold = np.zeros((2, len(table)), np.int64)
    for fold in folds_by_blocks(table, seed):
        learnt = torch.from_numpy(chose[fold.training] == 1)
        if learnt.all() or not learnt.any():
            raise CannotTell("responses must be of two kinds to be fitted, got one")
        for number, x in enumerate(read):
            fitted = fit_linear(x[fold.training], learnt)
            value = x[fold.held_out] @ fitted.weights + fitted.offset
            foretold[number, fold.held_out] = (value > 0).numpy()
    coded = [chose, *foretold]
    if task.has_target:
        target = table["target"].to_numpy(np.int64)
        coded = [each == target for each in coded]
    contrast = table["contrast"].to_numpy(np.float64)
    _, stimulus = np.unique(stimuli_of(table), return_inverse=True)
    used = usable(coded, contrast)
    if not used.any():
        raise CannotTell("a contrast must have been now right, now wrong, got none")
    both = [
        Consistency.of(coded[0], each, contrast, stimulus, used) for each in coded[1:]
    ]
    n = both[0].n
    features, pixels = (_estimate(each.value, each.influence, n) for each in both)
    apart = both[0].influence - both[1].influence
    difference = _estimate(both[0].value - both[1].value, apart, n)
    return FittedReadout(
        features, pixels, difference, len(table), n_units, read[0].shape[1]
    )


def _estimate(value: float, influence: np.ndarray, n: int) -> Estimate:
    return Estimate.normal(value, float(np.linalg.norm(influence)), n, FORMULA)
