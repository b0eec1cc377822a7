"""Cascades fitted by maximum likelihood to what was shown, signal and all.

    P("yes") = l/2 + (1 - l) Phi(b + R(x)),      in 2AFC R(x second) - R(x first),

with a lapse rate l in every family: lapses look like saturation. The signal is part of
x, so that what it adds tells as much of the cascade as the noise. The criterion b is
common to both classes, for no observer knows the class before the response; it may
drift with the trials, up to the cube of time, and in yes/no follow the contrast, up to
its square. Answers to the same stimulus are taken as independent *given* the stimulus,
which is so under the cascade: what two showings have in common is R(x).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import ndtr, ndtri

from ..trials.design import TrialDesign
from .cascade_families import Clues, Family, Features, families

MOST_LAPSES = 0.5
DRIFTS = 3  # powers of time that the criterion may follow
STEPS = 60
FARTHEST = 1e6
ENOUGH = 1e-3  # of log likelihood: a step that gains less is the last
LEAST = 1e-9


@dataclass(frozen=True, eq=False)
class Choices:
    """Stimuli in noise SDs, signal included, and the responses to them.

    Attributes
    ----------
    x
        Fields as shown; in 2AFC those with the target, then the others, trial by trial.
    noise
        The same without the signal.
    yes
        "Yes", or the second interval chosen.
    sign
        In 2AFC 1 where the target came second, else -1; in yes/no 1.
    criterion
        What the criterion is made of: columns.
    """

    x: Float[np.ndarray, " field element"]
    noise: Float[np.ndarray, " field element"]
    yes: Bool[np.ndarray, " trial"]
    sign: Float[np.ndarray, " trial"]
    criterion: Float[np.ndarray, " trial column"]
    signal: Float[np.ndarray, " element"]
    shape: tuple[int, ...]
    is_forced_choice: bool

    @classmethod
    def of(
        cls, trials: TrialDesign, signal: Float[np.ndarray, " 2 element"], sd: float
    ) -> "Choices":
        """Add the signal, of the other alternative and the target at contrast 1."""
        noise = trials.shown.astype(np.float64) / sd
        added = trials.contrast[:, None] / sd * signal[:, None]  # (2, trial, element)
        if trials.is_forced_choice:
            added = added[::-1]
        else:
            added = added[trials.target, np.arange(len(trials))][None]
        e = noise.shape[2]
        return cls(
            x=(noise + added).reshape(-1, e),
            noise=noise.reshape(-1, e),
            yes=trials.response,
            sign=trials.sign.astype(np.float64),
            criterion=_criterion(trials),
            signal=signal[1] - signal[0],
            shape=trials.shape,
            is_forced_choice=trials.is_forced_choice,
        )

    def decision(self, values: np.ndarray) -> np.ndarray:
        """Return what speaks for "yes" in each trial, of what fields give."""
        if not self.is_forced_choice:
            return values
        target, other = np.split(values, 2)
        return self.sign.reshape(-1, *[1] * (values.ndim - 1)) * (target - other)

    def __len__(self) -> int:
        return len(self.yes)


def _criterion(trials: TrialDesign) -> np.ndarray:
    """One, powers of time, and in yes/no those of contrast, if there are so many."""
    time = np.linspace(-1, 1, len(trials))
    powers = [time**k for k in range(1, DRIFTS + 1)]
    n = len(np.unique(trials.contrast))
    if n > 1 and not trials.is_forced_choice:
        c = trials.contrast / np.abs(trials.contrast).max()
        powers += [c**k for k in range(1, min(n, 3))]
    centred = [power - power.mean() for power in powers]
    return np.stack([np.ones(len(trials)), *centred], 1)


@dataclass(frozen=True, eq=False)
class Fit:
    """A family at its most likely parameters.

    Attributes
    ----------
    theta
        Of the family; then those of the criterion and the lapse rate.
    n_parameters
        Of all these.
    p
        Probability of "yes" in each trial.
    slopes
        Its derivatives by all parameters.
    """

    family: Family
    theta: Float[np.ndarray, " parameter"]
    n_family: int
    log_likelihood: float
    n_parameters: int
    n_trials: int
    p: Float[np.ndarray, " trial"]
    slopes: Float[np.ndarray, " trial parameter"]

    @property
    def score(self) -> float:
        """Log likelihood less half the parameters times log of the trials."""
        return self.log_likelihood - self.n_parameters / 2 * np.log(self.n_trials)

    @property
    def lapse_rate(self) -> float:
        """Share of trials answered by a coin."""
        return float(self.theta[-1])


def fit_all(
    choices: Choices, tell: Callable[[int, int], None] = lambda done, of: None
) -> list[Fit]:
    """Fit every variant of the seven families, the linear one first."""
    every = families(choices.shape)
    linear = _fit(choices, every[0], [_linear_start(choices)])
    clues = _clues(choices, linear)
    fits = [linear]
    for done, family in enumerate(every[1:], 1):
        tell(done, len(every))
        before = fits[-1]
        is_variant = before.family.cascade == family.cascade
        variant = before.theta[: before.n_family] if is_variant else None
        starts = family.starts(choices.x, replace(clues, variant=variant))
        fits.append(_fit(choices, family, list(starts)))
    return fits


def _linear_start(choices: Choices) -> np.ndarray:
    x = choices.decision(choices.x)
    return x.T @ (choices.yes - choices.yes.mean()) / len(x)


def _clues(choices: Choices, linear: Fit) -> Clues:
    columns: dict[str, np.ndarray] = {}

    def scaled(features: np.ndarray) -> np.ndarray:
        columns["x"] = features
        family = Features("", lambda _: columns["x"])
        start = np.zeros(features.shape[1])
        return _fit(choices, family, [start], 12).theta[: features.shape[1]]

    residual = residual_matrices(choices, (choices.yes - linear.p)[None])[0]
    e = choices.x.shape[1]
    return Clues(linear.theta[:e], residual, choices.signal, scaled)


def residual_matrices(
    choices: Choices, residual: Float[np.ndarray, " set trial"]
) -> Float[np.ndarray, " set element element"]:
    """Return the sum of the products of the noise, times each set's residuals.

    Of the noise alone: what a signal adds to the products of its elements is no second
    order, and would drown what is.
    """
    e = choices.noise.shape[1]
    row, column = np.triu_indices(e)
    total = np.zeros((len(residual), len(row)))
    signed = residual * choices.sign
    noise = choices.noise
    parts = np.split(noise, 2) if choices.is_forced_choice else [noise]
    step = max(1, 2**23 // len(row))
    for part, sign in zip(parts, (1, -1), strict=False):
        for start in range(0, len(part), step):
            rows = part[start : start + step]
            products = rows[:, row] * rows[:, column]
            total += sign * signed[:, start : start + step] @ products
    full = np.empty((len(residual), e, e))
    full[:, row, column] = full[:, column, row] = total
    return full


def covariance(fit: Fit) -> Float[np.ndarray, " parameter parameter"]:
    """Return that of the parameters, as the likelihood has it at its top."""
    scale, information = _information(fit)
    inverse = np.linalg.pinv(information, rcond=1e-9, hermitian=True)
    return scale[:, None] * inverse * scale


def _information(fit: Fit) -> tuple[np.ndarray, np.ndarray]:
    """Units that make it alike in all parameters, and Fisher's information in them.

    A lapse rate near nought is known far better than the rest.
    """
    weighted = fit.slopes.T / (fit.p * (1 - fit.p))
    information = weighted @ fit.slopes
    size = np.diag(information)
    scale = 1 / np.sqrt(np.where(size > 0, size, 1))
    return scale, scale[:, None] * information * scale


def _fit(
    choices: Choices, family: Family, starts: list[np.ndarray], steps: int = STEPS
) -> Fit:
    """Climb to the top from every start, and keep the highest.

    The one that is highest after a few steps need not end there: curves have side tops.
    """
    climbs = [_Climb(choices, family, _whole(choices, family, one)) for one in starts]
    for climb in climbs:
        climb.run(steps)
    return max((climb.at for climb in climbs), key=lambda fit: fit.log_likelihood)


def _whole(choices: Choices, family: Family, start: np.ndarray) -> np.ndarray:
    """Add few lapses, and the criterion at which "yes" is as frequent as it was."""
    decision = choices.decision(family.response(choices.x, start)[0])
    criterion = np.zeros(choices.criterion.shape[1])
    spread = float(np.sqrt(1 + decision.var()))
    criterion[0] = spread * ndtri(choices.yes.mean()) - decision.mean()
    return np.concatenate([start, criterion, [0.02]])


class _Climb:
    """Fisher scoring with Levenberg's damping; the way up from one start."""

    def __init__(self, choices: Choices, family: Family, theta: np.ndarray) -> None:
        self.choices, self.family = choices, family
        self.damping = 1e-3
        self.is_done = False
        self.at = self._fit_at(theta)

    def run(self, steps: int) -> None:
        for _ in range(steps):
            if self.is_done:
                return
            self._step()

    def _step(self) -> None:
        at = self.at
        residual = (self.choices.yes - at.p) / (at.p * (1 - at.p))
        scale, information = _information(at)
        gradient = scale * (at.slopes.T @ residual)
        for _ in range(12):
            damped = information + (self.damping + LEAST) * np.eye(len(scale))
            step = scale * np.linalg.solve(damped, gradient)
            step = np.clip(step, -FARTHEST, FARTHEST)
            tried = self._fit_at(at.theta + step)
            gain = tried.log_likelihood - at.log_likelihood
            if gain > 0:
                self.damping = max(self.damping / 6, 1e-7)
                self.is_done = gain < ENOUGH
                self.at = tried
                return
            self.damping *= 5
        self.is_done = True

    def _fit_at(self, theta: np.ndarray) -> Fit:
        choices, n = self.choices, self.choices.criterion.shape[1] + 1
        lapses = min(max(theta[-1], 0.0), MOST_LAPSES)
        own = self.family.inside(theta[:-n])
        theta = np.concatenate([own, theta[-n:-1], [lapses]])
        response, by_own = self.family.response(choices.x, own)
        eta = choices.decision(response) + choices.criterion @ theta[-n:-1]
        rate = ndtr(eta)
        p = np.clip(lapses / 2 + (1 - lapses) * rate, LEAST, 1 - LEAST)
        density = (1 - lapses) * np.exp(-(eta**2) / 2) / np.sqrt(2 * np.pi)
        by_eta = np.concatenate([choices.decision(by_own), choices.criterion], 1)
        slopes = np.concatenate(
            [density[:, None] * by_eta, (0.5 - rate)[:, None]], axis=1
        )
        right = np.where(choices.yes, p, 1 - p)
        return Fit(
            family=self.family,
            theta=theta,
            n_family=len(own),
            log_likelihood=float(np.log(right).sum()),
            n_parameters=self.family.n_parameters(choices.x.shape[1]) + n,
            n_trials=len(choices),
            p=p,
            slopes=slopes,
        )
