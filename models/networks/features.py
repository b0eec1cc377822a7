"""What a network has of each alternative where it is read, and what it foretells.

Read in few enough dimensions to be fitted: distances between trials are nearly the same
in random weighted sums of many units as in the units themselves [1]_.

References
----------
.. [1] Johnson & Lindenstrauss (1984), Contemp. Math. 26, 189-206.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ...experiments.protocols.parts import BACKGROUND, FULL_CONTRAST
from ...experiments.session.observer import Frames, Observer, ObserverNoise
from .readouts import fit_linear

MOST_UNITS = 1024  # of more, as many random weighted sums stand for all


class Features:
    """Reads the features of an observer, or the pixels that it is shown.

    Parameters
    ----------
    observer
        With `features(contrast)`, (trial, alternative, unit).
    most_units
        Of which more are put into as many random sums.
    seed
        Of their weights.

    Attributes
    ----------
    n_units
        Of an alternative; known when some were read.
    """

    def __init__(
        self, observer: Observer, most_units: int = MOST_UNITS, seed: int = 0
    ) -> None:
        self._observer: Any = observer
        self._most, self._seed = most_units, seed
        self._weights: dict[int, Tensor] = {}
        self.n_units = 0

    @staticmethod
    def has(observer: Observer) -> bool:
        """Whether an observer has any."""
        return callable(getattr(observer, "features", None))

    def of(
        self, frames: Frames, noise: ObserverNoise
    ) -> Float[Tensor, " trial alternative feature"]:
        """Give the features of trials, on the CPU."""
        return self._observer.batches.each(self._read, frames, noise)

    def pixels(
        self, frames: Frames, element_px: tuple[int, int]
    ) -> Float[Tensor, " trial alternative element"]:
        """Give the contrast of every element, as few."""
        high, wide = element_px
        elements = torch.as_tensor(frames).cpu()[..., ::high, ::wide].flatten(2)
        return self._few((elements.float() - BACKGROUND) / FULL_CONTRAST)

    def _read(
        self, contrast: Float[Tensor, " trial alternative frame y x"]
    ) -> Float[Tensor, " trial alternative feature"]:
        found = self._observer.features(contrast)
        self.n_units = found.shape[2]
        return self._few(found)

    def _few(
        self, found: Float[Tensor, " trial alternative unit"]
    ) -> Float[Tensor, " trial alternative feature"]:
        if (n := found.shape[2]) <= self._most:
            return found
        if n not in self._weights:
            rng = torch.Generator().manual_seed(self._seed)
            drawn = torch.randn((n, self._most), generator=rng)
            self._weights[n] = drawn.to(found) / math.sqrt(self._most)
        return found @ self._weights[n]


def by_trial(
    parts: Sequence[Float[Tensor, " _ alternative unit"]], takes_largest: bool
) -> Float[Tensor, " trial unit"]:
    """Give a row a trial: the second alternative less the first, or the only one."""
    whole = torch.cat(list(parts))
    return whole[:, 1] - whole[:, 0] if takes_largest else whole[:, 0]


def foretell(
    x: Float[Tensor, " trial unit"],
    chose: Bool[np.ndarray, " trial"],
    folds: Iterable[tuple[Int[np.ndarray, " _"], Int[np.ndarray, " _"]]],
) -> Bool[np.ndarray, " trial"]:
    """Foretell choices by a linear read-out that is fitted to other trials.

    Parameters
    ----------
    x
        What is read of a trial.
    chose
        Whether the second alternative, or "yes", was chosen.
    folds
        Trials to be fitted to, and to be foretold.

    Raises
    ------
    ValueError
        If nothing that is read varies.
    """
    foretold = np.zeros(len(x), bool)
    for training, held_out in folds:
        fitted = fit_linear(x[training], torch.from_numpy(chose[training]))
        foretold[held_out] = (x[held_out] @ fitted.weights + fitted.offset > 0).numpy()
    return foretold
