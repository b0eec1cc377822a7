"""How similar two distributions of a property are: Kolmogorov-Smirnov's, scaled.

    1 - max |F - G| / max(max |1 - G|, max |E - G|)

on a histogram's bins, G the cells' distribution and E the one with all mass in the last
bin: 1 for equal ones, 0 for the farthest that there is. Cells are few, so as many units
are drawn, with replacement, again and again; the ceiling is what the cells themselves
reach so [1]_. How many of a draw fall into each bin is multinomial.

References
----------
.. [1] Marques, Schrimpf & DiCarlo (2021), bioRxiv 2021.03.01.433495;
   brain-score/vision, metrics/distribution_similarity, commit c642dbe4 (MIT).
"""

import numpy as np
from jaxtyping import Float, Real

from ..trials.estimate import Z95, Estimate

KS = "ks-similarity-bootstrap/1"
DRAWS = 10_000  # of 1,000 the mean moves by .001 with the seed
LEAST_UNITS = 10  # for an interval
_MOST_WITHOUT = 0.1  # of the draws without a unit that has the property


def ks_similarity(
    units: Real[np.ndarray, " bin"], cells: Real[np.ndarray, " bin"]
) -> float:
    """Return the similarity of two histograms on the same bins; NaN of an empty one.

    Examples
    --------
    >>> cells = np.array([1, 1, 0])
    >>> ks_similarity(cells, cells), ks_similarity(np.array([0, 0, 1]), cells)
    (1.0, 0.0)
    """
    if not units.sum() or not cells.sum():
        return float("nan")
    f, g = np.cumsum(units) / units.sum(), np.cumsum(cells) / cells.sum()
    last = np.zeros(len(g))
    last[-1] = 1
    farthest = max(np.abs(1 - g).max(), np.abs(last - g).max())
    return float(1 - np.abs(f - g).max() / farthest)


def similarity(
    units: Float[np.ndarray, " unit"],
    cells: Float[np.ndarray, " cell"],
    bins: Float[np.ndarray, " edge"],
    seed: int = 0,
    draws: int = DRAWS,
) -> Estimate:
    """Estimate the similarity of units and cells in a property.

    Parameters
    ----------
    units, cells
        A value each; NaN for one without the property. Beyond the bins a value counts
        as the nearest edge.
    bins
        Edges.
    seed, draws
        Of the bootstrap: as many units as there are cells are drawn each time.

    Returns
    -------
    Estimate
        Mean over draws of as many units as there are cells, as Brain-Score has it. Its
        standard error is the SD over draws of as many units as there are, which is how
        far it moves with which units were met; the distribution over cells is taken as
        known. Fewer than ten units have no interval, and the mean is low for few.
    """
    if not np.isfinite(units).any():
        return Estimate.missing(KS, "no unit has the property")
    rng = np.random.default_rng(seed)
    counts, histogram = _binned(units, bins), _binned(cells, bins)
    shares = np.append(counts, len(units) - counts.sum()) / len(units)
    drawn = rng.multinomial(len(cells), shares, draws)[:, :-1]  # (draw, bin)
    found = np.array([ks_similarity(each, histogram) for each in drawn])
    told = found[np.isfinite(found)]
    if len(told) < (1 - _MOST_WITHOUT) * draws:
        reason = "most draws have no unit with the property"
        return Estimate.missing(KS, reason)
    value, n = float(told.mean()), int(np.isfinite(units).sum())
    if n < LEAST_UNITS:
        note = f"no interval: fewer than {LEAST_UNITS} units"
        return Estimate(value, None, None, None, n, KS, note)
    met = rng.multinomial(len(units), shares, draws)[:, :-1]
    sd = float(np.nanstd([ks_similarity(each, histogram) for each in met]))
    low, high = max(0.0, value - Z95 * sd), min(1.0, value + Z95 * sd)
    return Estimate(value, sd, min(low, value), max(high, value), n, KS)


def _binned(values: np.ndarray, bins: np.ndarray) -> np.ndarray:
    """Count values by bin, NaN left out."""
    clipped = np.clip(values[np.isfinite(values)], bins[0], bins[-1])
    return np.histogram(clipped, bins)[0]
