"""Two binary responses as correlated normal variables: tables of many cells.

In every cell (a stimulus class at a contrast) two decision variables are bivariate
normal, each with a threshold of its own, and the correlation is common to all cells. A
table counts both responses: (yes, yes), (yes, no), (no, yes), (no, no).

Phi2(a, b; rho) is exact by Owen's T function [1]_, and Phi2's derivatives are closed:
by a, phi(a) Phi((b - rho a) / sqrt(1 - rho^2)); by rho, the density (Plackett). So
the likelihood is maximised by Fisher scoring, the thresholds of a cell eliminated.

References
----------
.. [1] Owen (1956), Ann. Math. Stat. 27, 1075-1090.
.. [2] Pearson (1900), Phil. Trans. R. Soc. A 195, 1-47 (the tetrachoric correlation);
   Olsson (1979), Psychometrika 44, 443-460 (by maximum likelihood).
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import ndtr, ndtri, owens_t

from ..trials.estimate import CannotTell

EDGE = 1 - 1e-7  # correlations beyond it are 1
_SMALLEST = 1e-300
_STEPS = 100
_LEAST = 1e-9  # information about rho from which on it is none
Numbers = float | Float[np.ndarray, " ..."]
Tables = Float[np.ndarray, " cell 4"]
"""Counts (both yes, only the first, only the second, neither) by cell."""


def normal_both(a: Numbers, b: Numbers, rho: Numbers) -> Float[np.ndarray, " ..."]:
    """Return Phi2(a, b; rho), the chance that two standard normals are below a and b.

    Exact to about 1e-15 in between; at correlations within 1e-7 of -+1 the limit.

    Examples
    --------
    >>> round(float(normal_both(0.0, 0.0, 0.5)), 6)  # 1/4 + asin(1/2) / (2 pi)
    0.333333
    """
    a, b, rho = np.broadcast_arrays(*(np.asarray(x, np.float64) for x in (a, b, rho)))
    # Owen's formulas divide by a and b; at 0 the limit is the value beside it.
    h, k = (np.where(np.abs(x) < 1e-150, 1e-150, x) for x in (a, b))
    inside = np.clip(rho, -EDGE, EDGE)
    root = np.sqrt((1 - inside) * (1 + inside))
    with np.errstate(over="ignore"):
        slopes = (k / h - inside) / root, (h / k - inside) / root
    both = (ndtr(h) + ndtr(k)) / 2 - owens_t(h, slopes[0]) - owens_t(k, slopes[1])
    both = both - np.where(h * k < 0, 0.5, 0.0)
    both = np.where(rho > EDGE, ndtr(np.minimum(a, b)), both)
    both = np.where(rho < -EDGE, np.maximum(ndtr(a) - ndtr(-b), 0), both)
    return np.asarray(np.clip(both, 0, 1))


@dataclass(frozen=True, eq=False)
class BivariateProbit:
    """A common correlation fitted to tables, with the thresholds of every cell.

    Attributes
    ----------
    rho
        -1 to 1.
    thresholds
        Of both observers in each cell: Phi of it is the rate of "yes".
    information
        Fisher information about rho, the thresholds being unknown; infinite at -+1.
    tables
        What was fitted.
    """

    rho: float
    thresholds: Float[np.ndarray, " cell 2"]
    information: float
    tables: Tables

    def influence(self) -> Float[np.ndarray, " cell 4"]:
        """Give what one more response pair, by cell and kind, adds to rho; 0 at -+1."""
        if abs(self.rho) == 1:
            return np.zeros_like(self.tables)
        ours = _Derivatives.at(self.thresholds, self.rho, self.tables)
        explained = np.einsum("ct,cti->ci", ours.slopes, ours.relative[:, :2])
        return (ours.relative[:, 2] - explained) / self.information

    def profile(self, rho: float) -> float:
        """Give the log likelihood at a correlation, thresholds at their best."""
        thresholds = self.thresholds
        for _ in range(_STEPS if abs(rho) < 1 else 0):
            ours = _Derivatives.at(thresholds, rho, self.tables)
            step = np.linalg.solve(ours.blocks, ours.gradient[:, :2, None])[..., 0]
            thresholds = _rising(thresholds, step, rho, 0.0, self.tables)[0]
            if np.abs(step).max() < 1e-8:
                break
        return _log_likelihood(thresholds, rho, self.tables)


def response_kind(
    first: Bool[np.ndarray, " trial"], second: Bool[np.ndarray, " trial"]
) -> Int[np.ndarray, " trial"]:
    """Return each response pair's column of a table."""
    return 2 * ~first + 1 * ~second


def informative(tables: Tables) -> np.ndarray:
    """Return which cells bear on the correlation: in which both responses varied."""
    first, second = tables[:, 0] + tables[:, 1], tables[:, 0] + tables[:, 2]
    n = tables.sum(1)
    return (first > 0) & (first < n) & (second > 0) & (second < n)


def fit_bivariate_probit(tables: Tables) -> BivariateProbit:
    """Fit the common correlation of tables by maximum likelihood [2]_.

    It is 1 where each cell lacks a kind of disagreement (and -1 where each lacks a kind
    of agreement): then only that end of the range can give what was counted.

    Raises
    ------
    ValueError
        If there is no cell, or in one an observer always gave one response; see
        `informative`.

    Examples
    --------
    >>> fit = fit_bivariate_probit(np.array([[40.0, 10.0, 10.0, 40.0]]))
    >>> round(fit.rho, 4)  # sin(2 pi (.4 - 1/4)), thresholds 0
    0.809
    """
    if not (len(tables) and informative(tables).all()):
        raise CannotTell(
            "tables must have both responses of both observers in each cell"
        )
    n = tables.sum(1)
    yes = np.stack([tables[:, 0] + tables[:, 1], tables[:, 0] + tables[:, 2]], axis=1)
    thresholds, rho = ndtri(yes / n[:, None]), 0.0
    for end, kinds in ((1.0, [1, 2]), (-1.0, [0, 3])):
        if np.all(tables[:, kinds].min(axis=1) == 0):
            return BivariateProbit(end, thresholds, math.inf, tables)
    information = 0.0
    for _ in range(_STEPS):
        ours = _Derivatives.at(thresholds, rho, tables)
        step, rise, information = ours.newton()
        thresholds, rho, size = _rising(thresholds, step, rho, rise, tables)
        if size * max(abs(rise), float(np.abs(step).max())) < 1e-9:
            break
    at_edge = information <= _LEAST
    return BivariateProbit(
        rho, thresholds, math.inf if at_edge else information, tables
    )


def _rising(
    thresholds: np.ndarray, step: np.ndarray, rho: float, rise: float, tables: Tables
) -> tuple[np.ndarray, float, float]:
    """Take a step, halved until the likelihood does not fall."""
    now, size = _log_likelihood(thresholds, rho, tables), 1.0
    for _ in range(40):
        moved = float(np.clip(rho + size * rise, -EDGE, EDGE))
        if _log_likelihood(thresholds + size * step, moved, tables) >= now - 1e-9:
            return thresholds + size * step, moved, size
        size /= 2
    return thresholds, rho, 0.0


def _chances(thresholds: np.ndarray, rho: float) -> Tables:
    both = normal_both(thresholds[:, 0], thresholds[:, 1], rho)
    first, second = ndtr(thresholds).T
    neither = normal_both(-thresholds[:, 0], -thresholds[:, 1], rho)
    return np.stack([both, first - both, second - both, neither], axis=1)


def _log_likelihood(thresholds: np.ndarray, rho: float, tables: Tables) -> float:
    chances = np.maximum(_chances(thresholds, rho), _SMALLEST)
    return float((tables * np.log(chances)).sum())


@dataclass(frozen=True, eq=False)
class _Derivatives:
    """Of the log likelihood of each cell, by its two thresholds and rho."""

    gradient: Float[np.ndarray, " cell 3"]
    blocks: Float[np.ndarray, " cell 2 2"]  # information about the thresholds
    crossed: Float[np.ndarray, " cell 2"]  # about a threshold and rho
    about_rho: Float[np.ndarray, " cell"]
    relative: Float[np.ndarray, " cell 3 4"]  # derivative of log chance

    @classmethod
    def at(cls, thresholds: np.ndarray, rho: float, tables: Tables) -> "_Derivatives":
        a, b = thresholds.T
        root = math.sqrt((1 - rho) * (1 + rho))
        density = np.exp(-(thresholds**2) / 2) / math.sqrt(2 * math.pi)
        by_a = density[:, 0] * ndtr((b - rho * a) / root)
        by_b = density[:, 1] * ndtr((a - rho * b) / root)
        exponent = -(a**2 - 2 * rho * a * b + b**2) / (2 * root**2)
        by_rho = np.exp(exponent) / (2 * math.pi * root)
        slopes = [
            [by_a, density[:, 0] - by_a, -by_a, by_a - density[:, 0]],
            [by_b, -by_b, density[:, 1] - by_b, by_b - density[:, 1]],
            [by_rho, -by_rho, -by_rho, by_rho],
        ]
        slope = np.array(slopes).transpose(2, 0, 1)  # (cell, parameter, kind)
        chances = np.maximum(_chances(thresholds, rho), 1e-14)
        relative = slope / chances[:, None]
        expected = tables.sum(1)[:, None, None] * slope
        information = np.einsum("cik,cjk->cij", expected, relative)
        return cls(
            gradient=np.einsum("ck,cik->ci", tables, relative),
            blocks=information[:, :2, :2],
            crossed=information[:, :2, 2],
            about_rho=information[:, 2, 2],
            relative=relative,
        )

    @property
    def slopes(self) -> Float[np.ndarray, " cell 2"]:
        """Regression of the score of rho on those of the thresholds."""
        return np.linalg.solve(self.blocks, self.crossed[..., None])[..., 0]

    def newton(self) -> tuple[Float[np.ndarray, " cell 2"], float, float]:
        """Give the scoring step of thresholds and rho, and the information of rho."""
        slopes = self.slopes
        information = float((self.about_rho - (slopes * self.crossed).sum(1)).sum())
        score = self.gradient[:, 2] - (slopes * self.gradient[:, :2]).sum(1)
        # Next to an edge of rho nobody disagrees, and that tells nothing.
        rise = float(score.sum()) / information if information > _LEAST else 0.0
        left = self.gradient[:, :2] - rise * self.crossed
        return np.linalg.solve(self.blocks, left[..., None])[..., 0], rise, information
