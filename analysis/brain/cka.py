"""Linear centred kernel alignment (CKA) of two representations, by two estimators.

With K = X X' and L = Y Y' over n stimuli, and H taking off the mean of rows and
columns, the **biased** one [1]_ is

    HSIC(K, L) = sum of (H K H) o (H L H),
    CKA = HSIC(K, L) / sqrt(HSIC(K, K) HSIC(L, L)).

It is far from 0 for independent data of more features than stimuli. The **unbiased**
one [2]_ [3]_ sets the diagonals of K and L to 0 and takes, 1 being ones,

    HSIC_u = [sum of K o L + (1'K1)(1'L1) / ((n - 1)(n - 2)) - 2 (K1)'(L1) / (n - 2)]
             / (n (n - 3)).

CKA is 0 where the product of the two HSIC_u of one with itself is not positive.

Standard errors leave out each stimulus once (the jackknife), which sums of the same
matrices give exactly; intervals are 1.96 of them on either side, cut at -1 (0 for the
biased) and 1.

References
----------
.. [1] Kornblith, Norouzi, Lee & Hinton (2019), ICML 97, 3519-3529.
.. [2] Song, Smola, Gretton, Bedo & Borgwardt (2012), J. Mach. Learn. Res. 13,
   1393-1434.
.. [3] Murphy, Zylberberg & Fyshe (2024), arXiv 2405.01012.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Real

from ..trials.estimate import Z95, Estimate
from .over_units import Numbers
from .predictivity import Features, as_rows, check_pair

BIASED = "cka-linear-biased/1"
UNBIASED = "cka-linear-unbiased/1"
LEAST = 4  # stimuli of the unbiased one; one more for its standard error
NO_VARIANCE = "one of the two does not vary over stimuli"

Gram = Float[np.ndarray, " stimulus stimulus"]


def cka(x: Features, y: Features, unbiased: bool = True) -> Estimate:
    """Estimate linear CKA of two representations of the same stimuli.

    Parameters
    ----------
    x, y
        Features of two layers, or of a layer and averaged responses; numbers of
        features may differ.
    unbiased
        False for the estimator that grows with the number of features.

    Returns
    -------
    Estimate
        1 for representations that are equal but for a rotation and a scale. The
        unbiased one is about 0 for independent ones, and may be below; n is the number
        of stimuli.

    Raises
    ------
    ValueError
        If the two are of different stimuli, of fewer than four, or not finite.

    References
    ----------
    Kornblith et al. (2019); Song et al. (2012); Murphy et al. (2024); see the module.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x, y = rng.normal(size=(2, 100, 1000))
    >>> print(round(cka(x, x).value, 6), abs(cka(x, y).value) < 0.1)
    1.0 True
    >>> print(cka(x, y, unbiased=False).value > 0.9)
    True
    """
    rows, others = as_rows(x), as_rows(y)
    check_pair(rows, others)
    check_pair(others, rows)
    n, formula = len(rows), UNBIASED if unbiased else BIASED
    if n < LEAST:
        raise ValueError(f"stimuli must be {LEAST} or more, got {n}")
    if not (np.ptp(rows, axis=0).any() and np.ptp(others, axis=0).any()):
        return Estimate.missing(formula, NO_VARIANCE, n)
    k, m = _gram(rows), _gram(others)
    if unbiased:
        np.fill_diagonal(k, 0)
        np.fill_diagonal(m, 0)
    pairs = [_hsic(k, m, unbiased), _hsic(k, k, unbiased), _hsic(m, m, unbiased)]
    value = float(_ratio(*(pair.whole for pair in pairs)))
    if unbiased and n == LEAST:
        return Estimate(value, None, None, None, n, formula)
    left_out = _ratio(*(pair.left_out for pair in pairs))
    se = float(np.sqrt((n - 1) * np.var(left_out)))
    edge = -1.0 if unbiased else 0.0
    low, high = max(edge, value - Z95 * se), min(1.0, value + Z95 * se)
    return Estimate(value, se, min(low, value), max(high, value), n, formula)


def _gram(rows: Real[np.ndarray, " stimulus feature"]) -> Gram:
    """Products of stimuli, each feature's mean taken off, which changes neither HSIC.

    float32 features are multiplied as such, and added up in float64.
    """
    kind = np.float32 if rows.dtype in (np.float32, np.float16) else np.float64
    about = rows.astype(kind) - rows.mean(axis=0, dtype=np.float64).astype(kind)
    return (about @ about.T).astype(np.float64)


class _Hsic(NamedTuple):
    """Of all stimuli, and without each of them."""

    whole: Numbers
    left_out: np.ndarray


def _hsic(k: Gram, m: Gram, unbiased: bool) -> _Hsic:
    """Return HSIC of all stimuli, and without each."""
    n = len(k)
    row_k, row_m, both = k.sum(axis=0), m.sum(axis=0), (k * m).sum(axis=0)
    diagonal_k, diagonal_m = np.diag(k), np.diag(m)
    product = row_k @ row_m
    whole = _formula(n, both.sum(), row_k.sum(), row_m.sum(), product, unbiased)
    less = _formula(
        n - 1,
        both.sum() - 2 * both + diagonal_k * diagonal_m,
        row_k.sum() - 2 * row_k + diagonal_k,
        row_m.sum() - 2 * row_m + diagonal_m,
        product
        - m @ row_k
        - k @ row_m
        + both
        - (row_k - diagonal_k) * (row_m - diagonal_m),
        unbiased,
    )
    return _Hsic(whole, np.asarray(less))


def _formula(
    n: int,
    products: Numbers,  # sum of K o L
    sum_k: Numbers,
    sum_l: Numbers,
    rows: Numbers,  # (K1)'(L1)
    unbiased: bool,
) -> Numbers:
    if not unbiased:
        return products - 2 * rows / n + sum_k * sum_l / n**2
    if n < LEAST:
        return products * np.nan
    whole = products + sum_k * sum_l / ((n - 1) * (n - 2)) - 2 * rows / (n - 2)
    return whole / (n * (n - 3))


def _ratio(both: Numbers, one: Numbers, other: Numbers) -> np.ndarray:
    product = one * other
    with np.errstate(invalid="ignore", divide="ignore"):
        found = both / np.sqrt(product)
    return np.where(product > 0, found, 0.0)
