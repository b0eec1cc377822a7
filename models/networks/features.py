"""What a network has of each alternative where it is read, of any number of trials."""

import math
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from ...experiments.session.observer import Frames, Observer, ObserverNoise

MOST_UNITS = 1024  # of more, as many random weighted sums stand for all
_AT_ONCE = 64  # trials, for an observer without batches of its own


class Features:
    """Reads the features of an observer, in few enough dimensions to be fitted.

    Distances between trials are nearly the same in random weighted sums of the units as
    in the units themselves [1]_.

    Parameters
    ----------
    observer
        With `features(contrast)`, (trial, alternative, unit).
    most_units
        Of which more are put into as many random sums.
    seed
        Of their weights.

    References
    ----------
    .. [1] Johnson & Lindenstrauss (1984), Contemp. Math. 26, 189-206.
    """

    def __init__(
        self, observer: Observer, most_units: int = MOST_UNITS, seed: int = 0
    ) -> None:
        self._observer: Any = observer
        self._most, self._seed = most_units, seed
        self._weights: Tensor | None = None
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

    def _read(
        self, contrast: Float[Tensor, " trial alternative frame y x"]
    ) -> Float[Tensor, " trial alternative feature"]:
        found = self._observer.features(contrast)
        self.n_units = found.shape[2]
        if self.n_units <= self._most:
            return found
        return found @ self._projection(found)

    def _projection(self, like: Tensor) -> Float[Tensor, " unit feature"]:
        if self._weights is None:
            rng = torch.Generator().manual_seed(self._seed)
            shape = (self.n_units, self._most)
            drawn = torch.randn(shape, generator=rng) / math.sqrt(self._most)
            self._weights = drawn.to(like)
        return self._weights
