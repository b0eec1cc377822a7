"""Raised cosines in the logarithm of time: few numbers for a long, smooth filter.

References
----------
.. [1] Pillow, Shlens, Paninski, Sher, Litke, Chichilnisky & Simoncelli (2008),
   Spatio-temporal correlations and visual signalling in a complete neuronal population.
   Nature 454, 995-999.
.. [2] Mahuas, Isacchini, Marre, Ferrari & Mora (2020), NeurIPS 33, whose public code
   (gmahuas/2stepGLM) has these numbers, for steps of 5/3 ms.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, Float64
from torch import Tensor

_LEAST = 0.1  # of a cosine's weights: less is none of it
_MOST_ALIKE = 50.0  # condition of a family: beyond, functions are the same


@dataclass(frozen=True)
class Cosines:
    """A family of raised cosines over lags.

    Attributes
    ----------
    n
        How many.
    first, last
        Lags of the first and the last peak; those between are equally far apart in
        log(lag + stretch).
    stretch
        What is added to a lag: the larger, the more evenly they lie.
    length
        Lags that they reach over, from 0.

    Examples
    --------
    >>> weights = Cosines(n=4, first=0, last=15, stretch=5, length=25).weights()
    >>> weights.shape, weights.argmax(axis=1).tolist()
    ((4, 25), [0, 3, 8, 15])
    """

    n: int
    first: float
    last: float
    stretch: float
    length: int

    def __post_init__(self) -> None:
        if self.n < 2:
            raise ValueError(f"n of raised cosines must be 2 or more, got {self.n}")
        if not 0 <= self.first < self.last < self.length:
            rule = f"in [0, {self.length}), the first before the last"
            got = f"{self.first} and {self.last}"
            raise ValueError(f"peaks of raised cosines must be {rule}, got {got}")
        if not self.stretch > 0:
            raise ValueError(f"stretch must be more than 0, got {self.stretch}")

    def weights(self) -> Float64[np.ndarray, " cosine lag"]:
        """Give each cosine's weights, which add up to 1.

        A cosine is two spacings wide to each side [1]_, [2]_.
        """
        weights = self.heights()
        return weights / weights.sum(axis=1, keepdims=True)

    def heights(self) -> Float64[np.ndarray, " cosine lag"]:
        """Give each cosine as it is, 1 at its peak; that may lie between two lags."""
        at = np.log(np.arange(self.length) + self.stretch)
        ends = math.log(self.first + self.stretch), math.log(self.last + self.stretch)
        peaks = np.linspace(*ends, self.n)
        phase = (at - peaks[:, None]) * math.pi / 2 / (peaks[1] - peaks[0])
        return (1 + np.cos(np.clip(phase, -math.pi, math.pi))) / 2


@dataclass(frozen=True)
class Bases:
    """The families that a coupled model's filters are made of, in steps.

    Attributes
    ----------
    stimulus
        Of each element of the stimulus; lag 0 is the step itself.
    coupling
        Of another cell's spikes; lag 0 is the step before.
    own
        Of a cell's own spikes, likewise.
    """

    stimulus: Cosines
    coupling: Cosines
    own: Cosines

    @classmethod
    def scaled(cls, step_ms: float) -> "Bases":
        """Give those of [2]_, which are for steps of 5/3 ms, at another step."""
        factor = 5 / 3 / step_ms
        return cls(*(_scaled(one, factor) for one in (_STIMULUS, _COUPLING, _OWN)))


_STIMULUS = Cosines(6, 1, 170, 50, 200)
_COUPLING = Cosines(4, 0, 15, 5, 25)
_OWN = Cosines(7, 1, 15, 1, 25)


def _scaled(one: Cosines, factor: float) -> Cosines:
    """Give a family over the same time, in steps of another length.

    Where steps are too coarse for all of its functions there are fewer: as many as have
    lags of their own.
    """
    if factor == 1:
        return one
    length = max(2, round(one.length * factor))
    last = min(one.last * factor, length - 1)
    first = min(one.first * factor, last / 2)
    for n in range(min(one.n, length), 1, -1):
        made = Cosines(n, first, last, one.stretch * factor, length)
        heights = made.heights()
        if (heights.sum(axis=1) > _LEAST).all() and np.linalg.cond(
            heights
        ) < _MOST_ALIKE:
            return made
    return Cosines(2, 0.0, length - 1.0, 1.0, length)  # of two lags, each its own


def filtered(
    signal: Float32[Tensor, " step channel"], weights: Float32[Tensor, " basis lag"]
) -> Float32[Tensor, " step channel basis"]:
    """Filter channels by every function of a basis; what was before is 0.

    Examples
    --------
    >>> pulse = torch.tensor([[1.0], [0.0], [0.0]])
    >>> filtered(pulse, torch.tensor([[0.7, 0.3]])).ravel()
    tensor([0.7000, 0.3000, 0.0000])
    """
    length = weights.shape[1]
    before = torch.nn.functional.pad(signal.T.unsqueeze(1), (length - 1, 0))
    found = torch.nn.functional.conv1d(before, weights.flip(1).unsqueeze(1))
    return found.permute(2, 0, 1)


def after_spikes(
    counts: Float32[Tensor, " step cell"], weights: Float32[Tensor, " basis lag"]
) -> Float32[Tensor, " step cell basis"]:
    """Filter spikes of the steps before, for a step does not know its own."""
    earlier = torch.nn.functional.pad(counts, (0, 0, 1, 0))[:-1]
    return filtered(earlier, weights)
