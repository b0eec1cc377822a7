"""The tetrachoric correlation: two binary responses as two correlated normal variables.

References
----------
.. [1] Pearson (1900), Phil. Trans. R. Soc. A 195, 1-47; Olsson (1979), Psychometrika
   44, 443-460.
.. [2] Venzon & Moolgavkar (1988), Appl. Stat. 37, 87-94 (profile likelihood); Rao &
   Scott (1984), Ann. Stat. 12, 46-60 (likelihood ratios of clusters).
"""

import math

import numpy as np
from jaxtyping import Bool, Int
from scipy.optimize import brentq
from scipy.stats import chi2

from ..trials.estimate import Estimate
from .bivariate_probit import (
    BivariateProbit,
    fit_bivariate_probit,
    informative,
    response_kind,
)

TETRACHORIC = "tetrachoric-likelihood/1"
ONE_RESPONSE = "in no stimulus class did both observers give both responses"
_LIMIT = float(chi2.ppf(0.95, 1)) / 2


def tetrachoric(
    first: Bool[np.ndarray, " trial"],
    second: Bool[np.ndarray, " trial"],
    cell: Int[np.ndarray, " trial"],
    cluster: Int[np.ndarray, " trial"],
) -> Estimate:
    """Estimate the correlation of the normal variables behind two binary responses.

    By maximum likelihood [1]_, common to all cells, with thresholds of each response's
    own in every cell. The interval is the profile likelihood's, for as many trials as
    clusters leave [2]_. Cells in which a response never varied are left out.

    Parameters
    ----------
    cell
        Stimulus class and contrast.
    cluster
        Number of the noise field; responses to two showings are not independent.

    Examples
    --------
    >>> yes = np.repeat([True, True, False, False], [40, 10, 10, 40])
    >>> also = np.repeat([True, False, True, False], [40, 10, 10, 40])
    >>> one_cell = np.zeros(100, int)
    >>> print(tetrachoric(yes, also, one_cell, cluster=np.arange(100)))
    0.809 SE 0.074 [0.624, 0.918] n=100 (tetrachoric-likelihood/1)
    """
    _, cell = np.unique(cell, return_inverse=True)
    kind = response_kind(first, second)
    tables = np.bincount(4 * cell + kind, minlength=4 * (int(cell.max(initial=-1)) + 1))
    tables = tables.reshape(-1, 4).astype(np.float64)
    useful = informative(tables)
    left_out = int(tables[~useful].sum())
    note = (
        f"{left_out} trials left out: one response in their class" if left_out else None
    )
    if not useful.any():
        return Estimate.missing(TETRACHORIC, ONE_RESPONSE, len(first))
    fit = fit_bivariate_probit(tables[useful])
    number = np.cumsum(useful) - 1
    here = useful[cell]
    effect = _cluster_effect(fit, number[cell[here]], kind[here], cluster[here])
    low, high = _profile_interval(fit, effect)
    se = math.sqrt(effect / fit.information) if abs(fit.rho) < 1 else None
    if se is None:
        note = "; ".join(filter(None, (note, "a kind of response pair never came")))
    return Estimate(fit.rho, se, low, high, int(here.sum()), TETRACHORIC, note)


def _cluster_effect(
    fit: BivariateProbit, cell: np.ndarray, kind: np.ndarray, cluster: np.ndarray
) -> float:
    """Variance of the fit over that from independent trials; never below 1."""
    influence = fit.influence()[cell, kind]
    alone = float(influence @ influence)
    together = np.bincount(cluster, influence)
    return max(float(together @ together) / alone, 1.0) if alone > 0 else 1.0


def _profile_interval(fit: BivariateProbit, effect: float) -> tuple[float, float]:
    best = fit.profile(fit.rho)

    def excess(rho: float) -> float:
        return best - fit.profile(rho) - _LIMIT * effect

    ends = []
    for end in (-1.0, 1.0):
        if fit.rho == end or excess(end) <= 0:
            ends.append(end)
        else:
            ends.append(float(brentq(excess, fit.rho, end, xtol=1e-6)))  # type: ignore[arg-type]
    return ends[0], ends[1]
