"""Matched noise: how much makes an observer agree with itself as a person does.

A deterministic network gives one response to a stimulus always, a person does not, and
noise alone lowers the agreement of the two. So a model gets as much internal noise as
makes its expected agreement over the person's double pass that of the person.

Noise is Gaussian and added to measured decision variables, so nothing is simulated.
With decision variable v_t of a showing, gamma of internal and rho of repeatable noise
in external SDs, S^2 = gamma^2 + rho^2, and

    h_t = (v_t1 - v_t0) / (S sqrt 2)  in 2AFC,  (v_t - c(S)) / S  in yes/no,

response 1 has probability Phi(h_t). The two showings of a stimulus have noise that is
correlated by r = rho^2 / S^2, so by Plackett's identity they agree with probability

    p p' + (1 - p)(1 - p') + 1/pi int_0^(asin r) exp(-(h^2 + h'^2 - 2 h h' sin t)
                                                      / (2 cos^2 t)) dt

which without repeatable noise (r = 0), and with one h at both showings, is
p^2 + (1 - p)^2 [1]_. Proportion correct depends on S alone, and agreement at a given S
on r alone: both are found one after the other, each by a bracketed root.

References
----------
.. [1] Burgess & Colborne (1988), J. Opt. Soc. Am. A 5, 617-627.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Int64

from .decision import Calibration

LEAST, MOST = 1e-4, 1e3  # of noise, in external SDs
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)


class CannotMatch(ValueError):
    """No amount of noise makes the observer agree with itself as often as asked."""


@dataclass(frozen=True, eq=False)
class DoublePass:
    """Decision variables of an observer on the pairs of a session's double pass.

    Attributes
    ----------
    calibration
        The observer on reserved trials: unit of noise, and the criterion.
    criterion
        Bias in yes/no, as in `run`.
    variables
        Of both showings, without noise that is added.
    target
        Of each pair.
    """

    calibration: Calibration
    criterion: float | None
    variables: Float64[np.ndarray, " showing pair alternative"]
    target: Int64[np.ndarray, " pair"]

    def agreement(self, noise: float, repeatable_share: float = 0.0) -> float:
        """Give the expected share of pairs that get one response twice.

        Parameters
        ----------
        noise
            S, the SD of all noise that is added, in external SDs.
        repeatable_share
            r, the share of its variance that is the same at both showings.
        """
        if noise == 0:
            chosen = self._margins(0.0) > 0
            return float((chosen[0] == chosen[1]).mean())
        first, second = self._margins(noise) / noise
        return agreement_of(first, second, repeatable_share)

    def correct(self, noise: float) -> float:
        """Give the expected proportion correct over both showings."""
        from scipy.special import ndtr

        margins = self._margins(noise)
        p = (margins > 0).astype(float) if noise == 0 else ndtr(margins / noise)
        return float(np.where(self.target == 1, p, 1 - p).mean())

    def _margins(self, noise: float) -> Float64[np.ndarray, " showing pair"]:
        """By how much response 1 leads, in external SDs, per unit of noise."""
        unit = self.calibration.external_sd
        if self.calibration.task.takes_largest:
            difference = self.variables[..., 1] - self.variables[..., 0]
            return difference / (unit * math.sqrt(2))
        (place,) = self.calibration.decision(noise, self.criterion).criteria
        return (self.variables[..., 0] - place) / unit


def agreement_of(
    first: Float[np.ndarray, " pair"],
    second: Float[np.ndarray, " pair"],
    repeatable_share: float = 0.0,
) -> float:
    """Give the expected agreement of two showings from h of each; see the module.

    Examples
    --------
    >>> h = np.zeros(1)
    >>> agreement_of(h, h), round(agreement_of(h, h, 0.5), 4)
    (0.5, 0.6667)
    """
    from scipy.special import ndtr

    p, again = ndtr(first), ndtr(second)
    alone = p * again + (1 - p) * (1 - again)
    half = math.asin(min(repeatable_share, 1.0)) / 2
    angle = half * (_NODES + 1)
    squares, product = (first**2 + second**2)[:, None], (first * second)[:, None]
    exponent = (squares - 2 * product * np.sin(angle)) / (2 * np.cos(angle) ** 2)
    return float((alone + np.exp(-exponent) @ _WEIGHTS * half / math.pi).mean())


@dataclass(frozen=True)
class Noise:
    """Noise of an observer, in external SDs at the reference contrast.

    Attributes
    ----------
    internal
        gamma; new at each showing.
    repeatable
        The same at each showing of a stimulus.
    """

    internal: float
    repeatable: float = 0.0

    @property
    def all(self) -> float:
        """SD of both together."""
        return math.hypot(self.internal, self.repeatable)

    @property
    def repeatable_share(self) -> float:
        """Share of their variance that is repeatable."""
        return (self.repeatable / self.all) ** 2 if self.all else 0.0


def internal_noise_for(pairs: DoublePass, agreement: float) -> Noise:
    """Find the internal noise at which an observer agrees with itself this often.

    Returns
    -------
    Noise
        None (gamma 0) where it agrees no more than that without any.

    Raises
    ------
    CannotMatch
        If it agrees more often at any noise.

    Examples
    --------
    See `yoked.match_noise`.
    """
    if pairs.agreement(0.0) <= agreement:
        return Noise(0.0)
    if agreement <= (limit := pairs.agreement(MOST)):
        raise CannotMatch(
            f"agreement must be above {limit:.3f}, which noise alone gives, to be met "
            f"by internal noise, got {agreement:.3f}"
        )
    return Noise(_root(lambda noise: pairs.agreement(noise) - agreement))


def both_noises_for(pairs: DoublePass, agreement: float, correct: float) -> Noise:
    """Find internal and repeatable noise that give this agreement and accuracy.

    Raises
    ------
    CannotMatch
        If the observer at its matched internal noise is correct no more often: then
        noise that costs accuracy cannot help. Or if it has noise of its own and agrees
        too seldom.
    """
    inner = internal_noise_for(pairs, agreement)
    if pairs.correct(inner.all) <= correct:
        raise CannotMatch(
            "repeatable noise only lowers accuracy, and with internal noise alone the "
            f"model is correct on {pairs.correct(inner.all):.3f}, no more than the "
            f"person's {correct:.3f}"
        )
    if correct <= pairs.correct(MOST):
        raise CannotMatch(f"correct must be above chance, got {correct:.3f}")
    noise = _root(lambda noise: pairs.correct(noise) - correct)
    if (most := pairs.agreement(noise, 1.0)) < agreement:
        raise CannotMatch(
            "noise of the model's own makes it agree with itself on no more than "
            f"{most:.3f} at the person's accuracy, where the person does on "
            f"{agreement:.3f}"
        )
    from scipy.optimize import brentq

    share = brentq(lambda r: pairs.agreement(noise, r) - agreement, 0.0, 1.0)  # pyright: ignore[reportArgumentType]
    r = float(np.asarray(share).item())
    return Noise(noise * math.sqrt(1 - r), noise * math.sqrt(r))


def _root(excess: Callable[[float], float]) -> float:
    """Give the noise at which something that falls with noise has its value."""
    from scipy.optimize import brentq

    ends = math.log(LEAST), math.log(MOST)
    if excess(LEAST) <= 0:
        return LEAST
    found = brentq(lambda at: excess(math.exp(at)), *ends, xtol=1e-10)  # pyright: ignore[reportArgumentType]
    return math.exp(float(np.asarray(found).item()))
