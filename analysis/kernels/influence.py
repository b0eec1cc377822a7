"""What each noise field adds to a kernel: residuals of held-out responses on the noise.

The estimate and its reasons are those of `augmented.py`; this is how it is computed.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import ndtr

from ..trials.design import ROWS, TrialDesign
from ..trials.estimate import CannotTell, Estimate
from ..trials.score import ONE_KIND
from .cross_fit import CrossFit, Rates, density, folds_by_noise
from .noise_law import Matrix, NoiseLaw

N_FOLDS, FOLDS_OF_LARGE = 10, 5
LARGE = 200_000  # noise elements, from which on there are fewer folds
MOST_LEVERAGE = 0.5
COLUMNS = 128  # of influences that are added up at once
RARE, RARE_IN_HALF = 10, 20  # responses of one kind: of fewer no error is known

Part = Literal["kernel", "target_half", "nontarget_half"]
HALVES: tuple[Part, ...] = ("target_half", "nontarget_half")


@dataclass(frozen=True, eq=False)
class Influence:
    """An estimate of every element, and what each noise field added to it.

    Attributes
    ----------
    fields
        By rising `TrialDesign.cluster`.
    room
        One less the leverage of each field.
    """

    value: Float[np.ndarray, " element"]
    fields: Float[np.ndarray, " field element"]
    room: Float[np.ndarray, " field"]

    @cached_property
    def se(self) -> Float[np.ndarray, " element"]:
        """Standard error of an element on its own (HC2)."""
        return self._se(1)

    @cached_property
    def se_all(self) -> Float[np.ndarray, " element"]:
        """Standard error where all elements count at once (HC3)."""
        return self._se(2)

    def scaled(self) -> Float[np.ndarray, " field element"]:
        """Influences whose squares add up to those of `se`."""
        return self.fields / np.sqrt(self.room)[:, None].astype(self.fields.dtype)

    def _se(self, power: int) -> Float[np.ndarray, " element"]:
        weight = (1 / self.room**power).astype(self.fields.dtype)
        squares = np.einsum("i,ij,ij->j", weight, self.fields, self.fields)
        return np.sqrt(squares.astype(np.float64))


def squared_length(
    kernel: Float[np.ndarray, " element"], each: Float[np.ndarray, " field element"]
) -> tuple[float, float]:
    """Squared length without what sampling noise adds to it, and its SE."""
    noise = float(np.einsum("ij,ij->i", each, each).sum(dtype=np.float64))
    moved = 2 * along(each, kernel)
    return float(kernel @ kernel) - noise, float(np.sqrt(moved @ moved))


def along(each: np.ndarray, kernel: np.ndarray) -> Float[np.ndarray, " field"]:
    """What each field adds to a kernel along another."""
    return (each @ kernel.astype(each.dtype)).astype(np.float64)


def known_rate(rate: float | Estimate) -> float:
    """Return a lapse rate that is known, or estimated from catch trials.

    Raises
    ------
    CannotTell
        If all catch trials were missed.
    """
    if not isinstance(rate, Estimate):
        return rate
    value = rate.value or 0.0
    if value >= 1:
        raise CannotTell("lapse rate must be below 1 for a kernel, got 1")
    return value


@dataclass(frozen=True, eq=False)
class Scores:
    """Residuals of held-out responses, from which every kernel of a session is made.

    Attributes
    ----------
    law, rates, fit
        Of the noise, of the thresholds, and of the responses to other trials.
    x
        The noise, white and of variance 1.
    gradient
        Of each fit, by stimulus class: mean of x times the fitted response.
    z, p, slope
        Threshold, rate of "yes" and its derivative by z, of each trial's class.
    residual
        Response less fitted response, about the class's mean.
    lapse
        Rate of lapses that was allowed for.
    """

    trials: TrialDesign
    law: NoiseLaw
    rates: Rates
    fit: CrossFit
    x: Float[np.ndarray, " trial element"]
    gradient: list[Float[np.ndarray, " cell element"]]
    z: Float[np.ndarray, " trial"]
    p: Float[np.ndarray, " trial"]
    slope: Float[np.ndarray, " trial"]
    residual: Float[np.ndarray, " trial"]
    lapse: float

    @classmethod
    def of(
        cls,
        trials: TrialDesign,
        lapse: float = 0.0,
        covariance: Matrix | None = None,
        seed: int = 0,
        n_folds: int | None = None,
    ) -> "Scores":
        """Fit the folds and compare them with the responses that they never saw."""
        if not 0 <= lapse < 1:
            raise ValueError(f"lapse_rate must be in [0, 1), got {lapse}")
        if n_folds is None:
            n_folds = FOLDS_OF_LARGE if trials.noise.size > LARGE else N_FOLDS
        require_folds(trials, n_folds)
        law, rates = NoiseLaw.of(trials, covariance), Rates.of(trials)
        x = law.white(trials.noise)
        fold = folds_by_noise(trials, n_folds, seed)
        fit = CrossFit.of(x, trials.response, rates, fold, lapse)
        fitted = lapse / 2 + (1 - lapse) * ndtr(fit.predictor)
        mean, gradient = _under_the_law(law, fit, trials.cell)
        answer = trials.response - fitted + lapse / 2 + (1 - lapse) * mean
        z = rates.fit(answer, lapse)
        p, slope = lapse / 2 + (1 - lapse) * ndtr(z), (1 - lapse) * density(z)
        free = rates.group_size / (rates.group_size - rates.n_coefficients)
        return cls(
            trials=trials,
            law=law,
            rates=rates,
            fit=fit,
            x=x,
            gradient=[(1 - lapse) * one for one in gradient],
            z=z,
            p=p,
            slope=slope,
            residual=(answer - p) * free[rates.group],
            lapse=lapse,
        )

    @property
    def n_folds(self) -> int:
        """Parts that were held out in turn."""
        return self.fit.slope.shape[1]

    @cached_property
    def gain(self) -> Float[np.ndarray, " trial"]:
        """Derivative of the log likelihood of a class by z, per unit of residual."""
        return self.slope / (self.p * (1 - self.p))

    @cached_property
    def information(self) -> Float[np.ndarray, " trial"]:
        """Of each trial about z: the weight of its class, phi^2 / (p q)."""
        return self.gain * self.slope

    def _room(self, here: Bool[np.ndarray, " trial"]) -> Float[np.ndarray, " trial"]:
        """One less the leverage of the trial's noise field, its showings added.

        Where the fit is sure of a response, the trial says nothing of the kernel: an
        observer with little internal noise is known by the few trials near its
        criterion.
        """
        fitted = self.lapse / 2 + (1 - self.lapse) * ndtr(self.fit.predictor)
        by_slope = here * ((1 - self.lapse) * density(self.fit.predictor)) ** 2
        by_slope /= np.maximum(fitted * (1 - fitted), 1e-12)
        d = self.rates.columns
        by_rate = self.information * np.einsum("ij,ij->i", d @ self._inverse, d)
        leverage = by_slope * self.x.shape[1] / by_slope.sum() + by_rate
        _, field = np.unique(self.trials.cluster, return_inverse=True)
        return 1 - np.minimum(np.bincount(field, leverage)[field], MOST_LEVERAGE)

    def influence(self, part: Part = "kernel") -> Influence:
        """Return a kernel and what each noise field added to it.

        Raises
        ------
        CannotTell
            If nearly all of its responses are of one kind.
        """
        noise, here = self._noise(part)
        yes, n = int(self.trials.response[here].sum()), int(here.sum())
        least = RARE if part == "kernel" else RARE_IN_HALF
        if min(yes, n - yes) < least:
            rule = f"of both kinds {least} times or more to bear an interval"
            raise CannotTell(f"responses must be {rule}, got {yes} of {n} 'yes'")
        weight = self.information * here
        share = weight / weight.sum()
        pull = share / self.slope
        value = sum(
            np.bincount(self.trials.cell, pull * (self.fit.fold == k), len(one)) @ one
            for k, one in enumerate(self.gradient)
        )
        kind = noise.dtype
        pulled = (pull * self.residual).astype(kind)
        value = value + (pulled @ noise).astype(np.float64)
        each = noise * pulled[:, None]
        # About the mean of classes, and what the rates add: one narrow product.
        groups = np.unique(self.rates.group[here])
        own = (self.rates.group[:, None] == groups) * share[:, None]
        within = (self.rates.group == groups[:, None]).astype(kind) @ each
        d = self.rates.columns
        by_rate = d @ (self._inverse @ (d.T @ (share * self.z)))
        by_rate *= self.gain * self.residual
        left = np.column_stack([-own / own.sum(0), by_rate]).astype(kind)
        right = np.vstack([within, value.astype(kind)])
        for start in range(0, len(each), ROWS):
            rows = slice(start, start + ROWS)
            each[rows] += left[rows] @ right
        value = value - self._curvature(value, noise, here)
        by_field, first = _by_field(each, self.trials.cluster)
        back = self.law.back
        return Influence(back(value), back(by_field), self._room(here)[first])

    def possible_influence(self) -> Influence:
        """Return the kernel, unless so many lapses make it longer than any can be.

        Raises
        ------
        CannotTell
            As `influence`; or if squares add up to more than 1, by 2 standard errors.
        """
        one = self.influence()
        length, error = squared_length(one.value, one.fields)
        if self.lapse and length - 2 * error > 1:
            rule = "so low that the squares of the kernel add up to 1 at most"
            got = f"{self.lapse:.3f}, at which they are {length:.3g}"
            raise CannotTell(f"lapse rate must be {rule}, got {got}")
        return one

    def _noise(
        self, part: Part
    ) -> tuple[Float[np.ndarray, " trial element"], Bool[np.ndarray, " trial"]]:
        """White noise by which the response is differentiated, and where it was."""
        trials, everywhere = self.trials, np.ones(len(self.trials), bool)
        if part == "kernel":
            return self.x, everywhere
        half = 0 if part == "target_half" else 1
        if not trials.is_forced_choice:
            return self.x, trials.target == 1 - half
        # Of the two halves of x; twice a half has the kernel of the whole.
        return 2 * self.law.white(trials.halves[half]), everywhere

    def _curvature(
        self, value: np.ndarray, noise: np.ndarray, here: np.ndarray
    ) -> Float[np.ndarray, " element"]:
        """What errors of the rates add to a kernel on average, to second order.

        k = N / D, N the sum of gain S, D that of gain slope; both bend with z, whose
        errors are also correlated with those of S.
        """
        d, g, z, r = self.rates.columns, self.gain, self.z, self.residual
        weight, skew = self.information * here, 1 - 2 * self.p
        total = weight.sum()
        scores = d * (g * r)[:, None]
        covariance = self._inverse @ (scores.T @ scores) @ self._inverse
        variance = np.einsum("ij,ij->i", d @ covariance, d)
        along = d.T @ (weight * z)
        of_total = d.T @ (-weight * (2 * z + g * skew))
        bend = weight @ (variance * (1 - 3 * z**2 - 2 * z * g * skew)) / (2 * total)
        bend -= along @ covariance @ of_total / total**2
        own = np.einsum("ij,ij->i", d @ self._inverse, d)
        by_gain = -g * (z + g * skew) * own * g / total
        by_total = g * g * (d @ (self._inverse @ of_total)) / total**2
        pull = (by_gain - by_total) * here * r**2
        return value * bend + (pull.astype(noise.dtype) @ noise).astype(np.float64)

    @cached_property
    def _inverse(self) -> Float[np.ndarray, " coefficient coefficient"]:
        """Covariance of the coefficients of z."""
        d = self.rates.columns
        return np.linalg.inv(d.T @ (self.information[:, None] * d))


def _by_field(
    each: Float[np.ndarray, " trial element"], cluster: Int[np.ndarray, " trial"]
) -> tuple[Float[np.ndarray, " field element"], Int[np.ndarray, " field"]]:
    """Add up the trials of each field, by rising cluster; and the first trial of it."""
    order = np.argsort(cluster, kind="stable")
    _, start = np.unique(cluster[order], return_index=True)
    if len(start) == len(order):
        return (each[order] if np.any(np.diff(order) != 1) else each), order
    found = np.empty((len(start), each.shape[1]), each.dtype)
    for left in range(0, each.shape[1], COLUMNS):  # no copy of all of it
        columns = slice(left, left + COLUMNS)
        found[:, columns] = np.add.reduceat(each[order, columns], start, axis=0)
    return found, order[start]


def require_folds(trials: TrialDesign, n_folds: int) -> None:
    """Raise unless a kernel can be fitted to all folds but one.

    Raises
    ------
    ValueError
        If there are fewer than two folds.
    CannotTell
        If there are fewer than two noise fields a fold, no stimulus class has both
        responses, or in yes/no one of the two classes was never shown.
    """
    n_fields = len(np.unique(trials.cluster))
    if n_folds < 2:
        raise ValueError(f"n_folds must be 2 or more, got {n_folds}")
    if n_fields < 2 * n_folds:
        rule = f"{2 * n_folds} or more, to predict a part of them by the others"
        raise CannotTell(f"noise fields must be {rule}, got {n_fields}")
    is_one = not trials.is_forced_choice and len(np.unique(trials.target)) < 2
    if is_one and trials.has_target:
        rule = "with and without the signal, for a half of the kernel from either"
        got = "with" if trials.target[0] == 1 else "without"
        raise CannotTell(f"noise must be shown {rule}, got it only {got}")
    yes, n = np.bincount(trials.cell, trials.response), np.bincount(trials.cell)
    if not np.any((yes > 0) & (yes < n)):
        raise CannotTell(ONE_KIND)


def _under_the_law(
    law: NoiseLaw, fit: CrossFit, cell: Int[np.ndarray, " trial"]
) -> tuple[Float[np.ndarray, " trial"], list[Float[np.ndarray, " cell element"]]]:
    """Mean held-out response of each trial's class; mean of x times it, by fit."""
    known, first, number = np.unique(cell, return_index=True, return_inverse=True)
    mean, gradients = np.zeros(len(cell)), []
    for k in range(fit.slope.shape[1]):
        by_cell, gradient = law.means(fit.intercept[first, k], fit.slope[:, k])
        own = fit.fold == k
        mean[own] = by_cell[number[own]]
        padded = np.zeros((known[-1] + 1, gradient.shape[1]))
        padded[known] = gradient
        gradients.append(padded)
    return mean, gradients
