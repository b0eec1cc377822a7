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
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from jaxtyping import Float, Float64, Int64

from ..experiments.session.observer import (
    Observer,
    ObserverNoise,
    Practice,
    frames_on,
    optional,
)
from ..experiments.stimulus.seeds import derived_seed
from .decision import (
    Calibration,
    batch_of,
    checked_variables,
    measured,
    rehearse,
    require_criterion,
)
from .simulate import Progress, teach

if TYPE_CHECKING:  # brings the database, which a model does not need
    from ..experiments.session.results import SessionData

N_ASKED_TWICE = 64  # pairs whose second showing tells if an observer has its own noise
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


def ask_twice(
    session: "SessionData",
    observer: Observer,
    first: pd.DataFrame,
    second: pd.DataFrame,
    criterion: float | None = None,
    progress: Progress | None = None,
) -> DoublePass:
    """Show an observer a double pass, as a session that is yoked would.

    Parameters
    ----------
    session
        Whose trials they are.
    observer
        Is prepared, learns if it can, and is measured on reserved trials.
    first, second
        Rows of the session's trials: first and second showing of each pair.
    criterion
        As in `run`.
    progress
        As in `run`.
    """
    protocol, source = session.protocol, session.row.noise_source
    task = protocol.task
    if not (task.kind == "yes_no" or (task.takes_largest and task.n_variables == 2)):
        rule = "yes_no, or a choice between two, for noise to be matched"
        raise ValueError(f"the task must be {rule}, got {task.kind}")
    require_criterion(criterion, task)
    practice = Practice(protocol, source)
    teach(observer, practice, progress)
    seed = derived_seed("match", session.seed, observer.name, taken={session.seed})
    rehearse(observer, practice, seed)
    calibration = measured(observer, practice, seed)
    n = len(first)
    some = np.linspace(0, n - 1, min(n, N_ASKED_TWICE)).astype(int)
    once = _variables(session, observer, first, seed, progress)
    again = once.copy()
    again[some] = _variables(session, observer, second.iloc[some], seed)
    # The last digits of a network may depend on a trial's place in its batch.
    if np.abs(again - once).max() > 1e-4 * calibration.external_sd:
        again = _variables(session, observer, second, seed, progress)
    else:
        again = once
    target = first["target"].to_numpy(np.int64)
    return DoublePass(calibration, criterion, np.stack([once, again]), target)


def _variables(
    session: "SessionData",
    observer: Observer,
    rows: pd.DataFrame,
    seed: int,
    progress: Progress | None = None,
) -> Float64[np.ndarray, " trial alternative"]:
    """Ask an observer for the decision variables of trials of a session."""
    protocol, task = session.protocol, session.protocol.task
    device, batch = optional(observer, "device"), batch_of(observer)
    found = []
    for start in range(0, len(rows), batch):
        part = rows.iloc[start : start + batch]
        frames = frames_on(device, protocol, session.noise, part)
        noise = ObserverNoise(seed, part["trial"].to_numpy(np.int64))
        found.append(checked_variables(observer, frames, noise, task))
        if progress is not None:
            progress("trials", start + len(part), len(rows))
    return np.concatenate(found)
