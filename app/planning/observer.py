"""A second-order observer whose second-order kernel is known: to check plans with.

Its decision variable is (1 - bend) u + bend u^2 plus internal noise, where u is the
output of a linear template in units of the SD that the noise gives it. In 2AFC, with
the signal in one interval alone, everything but the noise along the template cancels
from both kernels, so proportion correct and the one eigenvalue of the second-order
kernel are integrals over two normal variables: u in the interval with the target, and u
in the other.
"""

import numpy as np
from jaxtyping import Float, UInt8
from numpy.polynomial.hermite_e import hermegauss
from scipy.optimize import brentq
from scipy.special import ndtr

from ...experiments.protocols.parts import FULL_CONTRAST
from ...experiments.session.observer import ObserverNoise, Practice
from ...models.observers.template import Template

LEAST_GAMMA = 0.3  # below it the integrand is too steep for the nodes
MOST_SIGNAL = 20.0  # in external SDs: beyond what any protocol can show
_NODES, _WEIGHTS = hermegauss(80)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


class SquaringTemplate(Template):
    """A template whose output is squared in part, as an energy detector's is.

    Parameters
    ----------
    bend
        Share of the square, 0 (linear) to 1.
    efficiency
        As for `Template`.

    Raises
    ------
    ValueError
        If the bend or the efficiency is out of range.

    Examples
    --------
    >>> SquaringTemplate(bend=0.5).parameters
    {'efficiency': 1.0, 'bend': 0.5}
    """

    name = "squaring-template"

    def __init__(self, bend: float, efficiency: float = 1.0) -> None:
        super().__init__(efficiency)
        if not 0 <= bend <= 1:
            raise ValueError(f"bend must be in 0 to 1, got {bend}")
        self.bend = float(bend)
        self._noise_sd = 1.0

    @property
    def parameters(self) -> dict[str, float]:
        """What the trial log keeps of it."""
        return {**super().parameters, "bend": self.bend}

    def learn(self, practice: Practice) -> None:
        """Read the signal, and how large the noise is."""
        super().learn(practice)
        self._noise_sd = practice.protocol.noise.sd * FULL_CONTRAST

    def decide(
        self,
        frames: UInt8[np.ndarray, " trial alternative frame y x"],
        noise: ObserverNoise,
    ) -> Float[np.ndarray, " trial alternative"]:
        """Give the bent output of the template, per alternative."""
        sums = super().decide(frames, noise)
        assert self.weights is not None  # or the template would have refused
        rows, columns = self._element_px
        sd = self._noise_sd * float(np.linalg.norm(self.weights)) * rows * columns
        return bent(sums / sd, self.bend)


def bent(u: Float[np.ndarray, " ..."], bend: float) -> Float[np.ndarray, " ..."]:
    """Return (1 - bend) u + bend u^2."""
    return (1 - bend) * u + bend * u**2


def exact_responses(bend: float, gamma: float, signal: float) -> tuple[float, float]:
    """Return proportion correct and second-order eigenvalue of the observer in 2AFC.

    The eigenvalue is var(u_T | correct) - var(u_T | incorrect) + var(u_N | incorrect)
    - var(u_N | correct): Neri's second-order kernel along the template, in units of
    the noise variance. By 80-point Gauss-Hermite quadrature in both variables.

    Parameters
    ----------
    gamma
        Internal / external SD of the decision variable, external pooled over the
        intervals; .3 or more.
    signal
        Mean of u in the target interval: sqrt(efficiency) times the ideal d'.

    Examples
    --------
    >>> pc, eigenvalue = exact_responses(bend=0.0, gamma=1.0, signal=1.349)
    >>> round(pc, 3), abs(round(eigenvalue, 6))  # a linear observer
    (0.75, 0.0)
    """
    target, other = bent(_NODES + signal, bend), bent(_NODES, bend)
    external = np.sqrt((_variance(target, _WEIGHTS) + _variance(other, _WEIGHTS)) / 2)
    distance = target[:, None] - other[None, :]
    correct = ndtr(distance / (np.sqrt(2) * gamma * external))
    both = np.outer(_WEIGHTS, _WEIGHTS)
    right, wrong = both * correct, both * (1 - correct)
    eigenvalue = sum(
        sign * _variance(_NODES, part.sum(axis))
        for sign, part, axis in ((1, right, 1), (-1, wrong, 1), (1, wrong, 0))
    ) - _variance(_NODES, right.sum(0))
    return float(right.sum()), float(eigenvalue)


def signal_for(bend: float, gamma: float, proportion_correct: float) -> float:
    """Return the signal at which the observer is this often correct.

    Raises
    ------
    ValueError
        If none below 20 external SDs will do.
    """

    def excess(signal: float) -> float:
        return exact_responses(bend, gamma, signal)[0] - proportion_correct

    if excess(MOST_SIGNAL) < 0:
        rule = f"what an observer with gamma {gamma:g} reaches"
        raise ValueError(f"proportion correct must be {rule}, got {proportion_correct}")
    return float(brentq(excess, 0.0, MOST_SIGNAL, xtol=1e-9))  # pyright: ignore[reportArgumentType]


def bend_for(
    eigenvalue: float, gamma: float, proportion_correct: float
) -> float | None:
    """Return the bend that has this eigenvalue; None if squaring all has a smaller one.

    Examples
    --------
    >>> round(bend_for(0.66, gamma=1.35, proportion_correct=0.75), 2)
    0.5
    >>> bend_for(2.0, gamma=1.35, proportion_correct=0.75) is None
    True
    """

    def excess(bend: float) -> float:
        signal = signal_for(bend, gamma, proportion_correct)
        return exact_responses(bend, gamma, signal)[1] - eigenvalue

    if excess(1.0) < 0:
        return None
    return float(brentq(excess, 0.0, 1.0, xtol=1e-6))  # pyright: ignore[reportArgumentType]


def _variance(values: np.ndarray, weights: np.ndarray) -> float:
    weights = weights / weights.sum()
    mean = weights @ values
    return float(weights @ (values - mean) ** 2)
