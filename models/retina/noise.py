"""Noise of ganglion cells: counts that vary from trial to trial.

Both kinds are drawn by `noise_like`: keyed by trial in a session. The Fano factor is
the variance of the spike count over its mean, in every step and, since steps are
independent, in any window.

The default of .3 is what ganglion cells do over 100 ms: from .25 to .36 (median .32) in
the six cells of Mahuas et al. (2020), computed from 54 repeats, variances and means
summed over 33 windows. Parasol cells of macaques vary much less than Poisson too
(Uzzell & Chichilnisky 2004, J. Neurophysiol. 92, 780-789; no number is taken).
"""

import math
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from ..noise import noise_like
from .stage import Stage

FANO_FACTOR = 0.3
LEAST_PER_S = 1e-3  # keeps the square root's slope finite at a rate of 0


class GaussianNoise(Stage):
    """Adds normal noise whose variance follows the rate.

    r + sqrt(F r / step) n: reparameterised, so gradients flow through the mean and
    through the SD. Noisy rates may be negative: rectifying them would change both mean
    and Fano factor.

    Parameters
    ----------
    fano_factor
        Variance of the count over its mean.
    step_ms
        Duration of a step.
    learnable
        Whether the Fano factor is a parameter.

    Examples
    --------
    >>> GaussianNoise(0.3, step_ms=10.0)(torch.full((2, 15, 4, 4), 30.0)).shape
    torch.Size([2, 15, 4, 4])
    """

    has_surrogate_gradient: ClassVar[bool] = False

    def __init__(
        self, fano_factor: float, step_ms: float, learnable: bool = False
    ) -> None:
        super().__init__()
        self.step_s = step_ms / 1000
        self.keep(learnable, {"fano_factor": fano_factor})

    def forward(
        self, rates: Float[Tensor, " image step row column"]
    ) -> Float[Tensor, " image step row column"]:
        """Give noisy rates in spikes/s."""
        per_step = self.constant("fano_factor") / self.step_s
        fired = rates.clamp(min=0)  # below 0 only where a lesion lets all through
        spread = torch.addcmul(per_step * LEAST_PER_S, per_step, fired).sqrt()
        return torch.addcmul(rates, spread, noise_like(rates))


class PoissonNoise(Stage):
    """Draws Poisson counts and lets the gradient pass as if they were the rates.

    For training alone: the gradient is a surrogate, and kernels made from it are wrong,
    which `has_surrogate_gradient` tells whoever asks. The Fano factor is 1.

    Parameters
    ----------
    step_ms
        Duration of a step.
    """

    has_surrogate_gradient: ClassVar[bool] = True

    def __init__(self, step_ms: float) -> None:
        super().__init__()
        self.step_s = step_ms / 1000

    def forward(
        self, rates: Float[Tensor, " image step row column"]
    ) -> Float[Tensor, " image step row column"]:
        """Give counts as rates in spikes/s."""
        with torch.no_grad():
            quantiles = torch.special.ndtr(noise_like(rates))
            counts = _poisson_quantile(quantiles, rates * self.step_s)
            jump = counts / self.step_s - rates
        return rates + jump


def _poisson_quantile(quantiles: Tensor, means: Tensor) -> Tensor:
    """Give the least counts whose cumulative probability reaches the quantiles."""
    largest = float(means.max()) if means.numel() else 0.0
    most = math.ceil(largest + 6 * math.sqrt(largest) + 8)  # more: once in 1e9
    chance = torch.exp(-means)
    below = chance.clone()
    counts = torch.zeros_like(means)
    for k in range(1, most):
        counts += quantiles > below
        chance = chance * means / k
        below = below + chance
    return counts
