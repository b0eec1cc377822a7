"""Does efficiency change with contrast? Then one pooled number hides that.

d' is taken to be a power of the ideal observer's, d' = a d'_ideal^beta, so that
efficiency goes with d'_ideal (and contrast) to the power 2 (beta - 1); at beta 1 it is
one number. One likelihood of all responses:

    2AFC      P("second") = Phi(b +- a x),    x = d'_ideal^beta, + for target second
    yes/no    P("yes") = Phi(b + a_k x),      k the class: a fixed criterion, and one
                                              that follows the signal, are in it
    m         P(correct) = the unbiased m-alternative integral of a x

beta by profile likelihood, its interval and the test of beta = 1 by likelihood ratio
[1]_, divided by the design effect of trials shown twice.

References
----------
.. [1] Venzon & Moolgavkar (1988), Appl. Stat. 37, 87-94.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.special import ndtr, xlogy
from scipy.stats import chi2

from ..trials.counts import shared_noise_effect
from ..trials.estimate import CannotTell, Estimate
from ..trials.responses import Responses
from ..trials.result import Result
from .mafc import mafc_proportion_correct, mafc_slope

TREND = "efficiency-trend-power-ml/1"
_STEEPEST = 6.0  # of beta: a threshold; limits beyond it are infinite
_FLATTEST = 0.02


@dataclass(frozen=True, eq=False)
class EfficiencyTrend(Result):
    """How efficiency goes with contrast.

    Attributes
    ----------
    power
        Efficiency goes with contrast to this power; 0 where it is one number.
    lowest, highest
        Efficiency at the lowest and the highest contrast, by the fit.
    p
        Chance of a likelihood ratio as large where efficiency does not change.
    """

    power: Estimate
    lowest: float
    highest: float
    p: float

    @property
    def warning(self) -> str | None:
        """A sentence where the test finds a trend: a pooled efficiency hides it."""
        if self.p >= 0.05:
            return None
        word = "falls" if self.highest < self.lowest else "rises"
        ends = f"from {self.lowest:.2g} to {self.highest:.2g}"
        return (
            f"efficiency {word} {ends} between the lowest and the highest contrast "
            f"(p = {self.p:.2g}): one number hides that; lapses make it fall, too"
        )


def efficiency_trend(
    responses: Responses, ideal: Float[np.ndarray, " contrast"]
) -> EfficiencyTrend:
    """Estimate to which power of contrast efficiency goes, and test that it does.

    Parameters
    ----------
    ideal
        d' of the ideal observer at each of `responses.contrasts`.

    Raises
    ------
    CannotTell
        If fewer than two contrasts have a signal, or the responses never varied.
    """
    shown = np.isin(responses.contrasts, responses.contrasts[ideal > 0])
    if shown.sum() < 2:
        rule = "two or more with a signal for a trend of efficiency"
        raise CannotTell(f"contrasts must be {rule}, got {int(shown.sum())}")
    data = _Data.of(responses, ideal)
    if data.is_constant:
        raise CannotTell("the responses never varied, or were all correct")
    effect = shared_noise_effect(responses)
    grid = np.linspace(math.log(_FLATTEST), math.log(_STEEPEST), 41)
    values = np.array([data.fit(math.exp(g))[0] for g in grid]) / effect
    grid, values = _refined(data, grid, values, effect)
    k = int(values.argmax())
    best, top = math.exp(grid[k]), float(values[k])
    least = top - float(chi2.ppf(0.95, 1)) / 2
    inside = np.flatnonzero(values >= least).tolist()
    low = 0.0 if inside[0] == 0 else _crossing(grid, values, inside[0], -1, least)
    at_end = inside[-1] == len(grid) - 1
    high = math.inf if at_end else _crossing(grid, values, inside[-1], 1, least)
    p = float(chi2.sf(2 * max(top - data.fit(1.0)[0] / effect, 0.0), 1))
    _, a = data.fit(best)
    power = Estimate(
        2 * (best - 1), None, 2 * (low - 1), 2 * (high - 1), len(responses), TREND
    )
    ends = ideal[shown & (ideal > 0)][[0, -1]]
    efficiency = (max(a, 0.0) * data.d_per_slope * ends ** (best - 1)) ** 2
    return EfficiencyTrend(power, float(efficiency[0]), float(efficiency[1]), p)


@dataclass(frozen=True, eq=False)
class _Data:
    """Counts by cell: k of n responses, d' of the ideal, sign or class."""

    k: Int[np.ndarray, " cell"]
    n: Int[np.ndarray, " cell"]
    ideal: Float[np.ndarray, " cell"]
    target: Int[np.ndarray, " cell"]
    task: str
    m: int

    @classmethod
    def of(cls, responses: Responses, ideal: np.ndarray) -> "_Data":
        m = responses.n_alternatives
        if m > 2:
            cell = np.searchsorted(responses.contrasts, responses.contrast)
            yes, size = responses.correct, len(responses.contrasts)
        else:
            cell, yes = responses.cell, responses.response == 1
            size = 2 * len(responses.contrasts)
        n = np.bincount(cell, minlength=size)
        k = np.bincount(cell[yes], minlength=size)
        per = size // len(responses.contrasts)
        target = np.tile(np.arange(per), len(responses.contrasts))
        seen = n > 0
        best = np.repeat(ideal, per)
        return cls(k[seen], n[seen], best[seen], target[seen], responses.task, m)

    @property
    def is_constant(self) -> bool:
        """Whether no fit has a maximum."""
        if self.m > 2:
            return bool((self.k == self.n).all())
        right = np.where(self.target == 1, self.k, self.n - self.k)
        alike = self.k.sum() in (0, self.n.sum())
        return bool(alike or (right == self.n).all())

    @property
    def d_per_slope(self) -> float:
        """D' for each unit of the fitted slope."""
        return math.sqrt(2) if self.task == "2afc" else 1.0

    def fit(self, beta: float) -> tuple[float, float]:
        """Give the highest log likelihood at a power, and the slope of d' there."""
        x = np.where(self.ideal > 0, self.ideal, 0.0) ** beta * (self.ideal > 0)
        one = np.ones(len(x))
        if self.m > 2:
            design = x[:, None]
        elif self.task == "2afc":
            design = np.stack([one, np.where(self.target == 1, x, -x)], axis=1)
        else:
            classes = [x * (self.target == k) for k in (0, 1)]
            design = np.stack([one, *classes], axis=1)
        theta = np.zeros(design.shape[1])
        now, gradient, information = self._score(theta, design)
        for _ in range(50):
            step = np.linalg.lstsq(information, gradient, rcond=1e-12)[0]
            if float(gradient @ step) < 1e-9:
                break
            tried = self._score(theta + step, design)
            while tried[0] < now and np.abs(step).max() > 1e-10:
                step = step / 2
                tried = self._score(theta + step, design)
            theta, (now, gradient, information) = theta + step, tried
        slope = theta[2] - theta[1] if len(theta) == 3 else theta[-1]
        return now, float(slope)

    def _score(
        self, theta: np.ndarray, design: np.ndarray
    ) -> tuple[float, np.ndarray, np.ndarray]:
        eta = design @ theta
        if self.m > 2:
            p, slope = mafc_proportion_correct(eta, self.m), mafc_slope(eta, self.m)
        else:
            p, slope = ndtr(eta), np.exp(-(eta**2) / 2) / math.sqrt(2 * math.pi)
        p = np.clip(p, 1e-12, 1 - 1e-12)
        weight = slope / (p * (1 - p))
        gradient = design.T @ ((self.k - self.n * p) * weight)
        information = (design.T * (self.n * slope * weight)) @ design
        value = float((xlogy(self.k, p) + xlogy(self.n - self.k, 1 - p)).sum())
        return value, gradient, information


def _refined(
    data: _Data, grid: np.ndarray, values: np.ndarray, effect: float
) -> tuple[np.ndarray, np.ndarray]:
    """Add points about the maximum."""
    k = int(np.clip(values.argmax(), 1, len(grid) - 2))
    more = np.linspace(grid[k - 1], grid[k + 1], 23)[1:-1]
    found = np.array([data.fit(math.exp(g))[0] for g in more]) / effect
    grid, values = np.append(grid, more), np.append(values, found)
    order = np.argsort(grid)
    return grid[order], values[order]


def _crossing(
    grid: np.ndarray, values: np.ndarray, k: int, side: int, least: float
) -> float:
    """Where the profile crosses a value between a point inside and the next."""
    share = (values[k] - least) / (values[k] - values[k + side])
    return math.exp(grid[k] + share * (grid[k + side] - grid[k]))
