"""How often sessions reach an aim of kernels: a cosine, or an eigenvalue to be found.

Derivations are in docs/methods.md, section 7.

References
----------
.. [1] Feral & Peche (2007), Commun. Math. Phys. 272, 185-228.
.. [2] Tracy & Widom (1996), Commun. Math. Phys. 177, 727-754.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.special import nctdtr, ndtr, ndtri

from ...analysis.second_order.closed_forms import trials_for_eigenvalue
from .situation import Situation, disagreement
from .width_laws import Law

TRACY_WIDOM = 1.4538  # exceeded in 2.5 %, for real symmetric matrices
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(400)
_U = 8 * _NODES  # the noise along the template, in its SDs
_DENSITY = 8 * _WEIGHTS * np.exp(-(_U**2) / 2) / math.sqrt(2 * math.pi)


@dataclass(frozen=True)
class KernelTerms:
    """A weighted sum's kernel from one trial, of each contrast.

    Attributes
    ----------
    information
        Squared length of the expected kernel over the variance of an element.
    across, along
        Design effects of the double pass on the variance of elements that do not move
        the responses, and on that of the template's own.
    narrowing
        Variance along the template over that of other elements, without a double pass:
        a response tells how the noise along it lay.
    """

    information: Float[np.ndarray, " contrast"]
    across: Float[np.ndarray, " contrast"]
    along: Float[np.ndarray, " contrast"]
    narrowing: Float[np.ndarray, " contrast"]


def kernel_terms(assumed: Situation, share: float) -> KernelTerms:
    """Return what one trial tells of a linear observer's kernel."""
    rows = [
        _terms_at(assumed, share, np.asarray(z), rates)
        for z, rates in zip(assumed.thresholds, assumed.rates, strict=True)
    ]
    return KernelTerms(*np.array(rows).T)


def _terms_at(
    assumed: Situation, share: float, z: np.ndarray, rates: np.ndarray
) -> tuple[float, float, float, float]:
    kept, linear = 1 - assumed.lapses, assumed.linear
    moved = kept * np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)  # d rate / d mean
    variance = rates * (1 - rates)
    if assumed.is_forced_choice:
        information = moved.mean() ** 2 / (rates.mean() * (1 - rates.mean()))
    else:
        information = (moved / variance).sum() ** 2 / (2 * (1 / variance).sum())
    across, own, twice = np.mean(
        [
            _about_template(*one, linear, assumed.consistent, kept)
            for one in zip(z, rates, strict=True)
        ],
        axis=0,
    )
    effect = 1 + 2 * share * across
    return float(information * linear), effect, (own + 2 * share * twice) / own, own


def _about_template(
    z: float, rate: float, linear: float, consistent: float, kept: float
) -> tuple[float, float, float]:
    """Correlation across, variance along, covariance along of two showings.

    All in units of the variance across, 1 / (p q). u is the noise along the template;
    a trial adds (u - mean of its outcome) / (rate of its outcome), with its sign.
    """
    spread = math.sqrt(max(1 - linear, 1e-12))
    yes = kept * ndtr((z + math.sqrt(linear) * _U) / spread) + (1 - kept) / 2
    tilt = float(_DENSITY @ (_U * yes))
    on_yes, on_no = (_U - tilt / rate) / rate, -(_U + tilt / (1 - rate)) / (1 - rate)
    own = float(_DENSITY @ (yes * on_yes**2 + (1 - yes) * on_no**2))
    twice = float(_DENSITY @ (yes * on_yes + (1 - yes) * on_no) ** 2)
    scale = rate * (1 - rate)
    across = 1 - float(disagreement(z, consistent, kept)) / (2 * scale)
    return across, own * scale, twice * scale


def kernel_law(assumed: Situation, share: float) -> Law:
    """The noncentral t: one normal along the template over the length of the rest."""
    terms = kernel_terms(assumed, share)
    per_trial = float(np.mean(terms.information / terms.across))
    ratio = terms.narrowing * terms.along / terms.across
    weights = terms.information / terms.across
    sd = math.sqrt(float(weights @ ratio) / float(weights.sum()))
    freedom = assumed.n_elements - 1

    def reached(wanted: float, n: float) -> float:
        if wanted >= 1:
            return 0.0
        tangent = wanted / math.sqrt(1 - wanted**2)
        limit = math.sqrt(freedom) * tangent / sd
        return 1 - float(nctdtr(freedom, math.sqrt(n * per_trial) / sd, limit))

    return reached


def chance_limit(edge: float, n_elements: int) -> float:
    """Return the magnitude that chance's eigenvalues exceed in 5 % of sessions.

    About the edge 2 sqrt(p) s the largest eigenvalue varies as Tracy & Widom have it
    [2]_; 2.5 % for either end of the spectrum.

    Examples
    --------
    >>> round(chance_limit(0.66, 13), 2)
    0.75
    """
    return edge * (1 + TRACY_WIDOM / 2 * n_elements ** (-2 / 3))


def eigenvalue_law(assumed: Situation, share: float) -> Law:
    """Normal about lambda + p s^2 / lambda, with variance 2 s^2 (1 - p s^2 / lambda^2).

    In units of sqrt(p) s, with x the true eigenvalue [1]_; of the p, the other p - 1
    elements lift it.
    """
    p = assumed.n_elements
    edge = trials_at_edge(assumed, share)
    limit = chance_limit(2.0, p)

    def reached(wanted: float, n: float) -> float:
        x = 2 * wanted * math.sqrt(n / edge)
        if x <= 1:
            return 0.0
        sd = math.sqrt(2 * (1 - 1 / x**2) / p)
        return float(ndtr((x + (1 - 1 / p) / x - limit) / sd))

    return reached


def trials_at_edge(assumed: Situation, share: float) -> float:
    """Return the trials at which chance's edge is one noise variance.

    8 p / (Pc (1 - Pc)) in 2AFC, twice as many in yes/no; contrasts are averaged with
    the weights phi(z), as the kernel is.
    """
    rates = np.array(assumed.proportions)
    weights = np.exp(-np.square(ndtri(rates)) / 2)
    weights = weights / weights.sum()
    looks = 1 if assumed.is_forced_choice else 2
    effects = 1 + 2 * share * np.array(assumed.likeness)
    p = assumed.n_elements
    alone = np.array([trials_for_eigenvalue(1.0, p, rate) for rate in rates])
    return len(rates) * looks * float(weights**2 @ (alone * effects))
