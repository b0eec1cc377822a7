"""The median of a property over a layer's units, and surround suppression's."""

import numpy as np
from jaxtyping import Float

from ...experiments.recordings.grating_responses import GratingResponses
from ..trials.estimate import Estimate
from .properties import firing_rates, properties_of

SUPPRESSION = "suppression-index-median/1"
LEAST_UNITS = 10  # for an interval
_DRAWS = 1000


def median_suppression(responses: GratingResponses, seed: int = 0) -> Estimate:
    """Estimate the median surround suppression index of a layer's units.

    By how much the response to the largest grating is below that to the best one, as a
    share of the latter: of macaque cells .3 and more (Cavanaugh et al. 2002).

    Parameters
    ----------
    responses
        To the gratings for orientation and for size at least, in any unit.
    seed
        Of the bootstrap over units.

    Raises
    ------
    CannotTell
        If no unit responds to a grating.
    """
    values = properties_of(firing_rates(responses))["suppression_index"]
    return median_of(values, SUPPRESSION, seed)


def median_of(
    values: Float[np.ndarray, " unit"], formula: str, seed: int = 0
) -> Estimate:
    """Estimate the median over units that have a property; a bootstrap over units.

    Examples
    --------
    >>> found = median_of(np.arange(101.0), "an-example/1")
    >>> found.value, found.low < 50 < found.high
    (50.0, True)
    """
    told = values[np.isfinite(values)]
    n = len(told)
    if not n:
        return Estimate.missing(formula, "no unit has the property")
    value = float(np.median(told))
    if n < LEAST_UNITS:
        note = f"no interval: fewer than {LEAST_UNITS} units"
        return Estimate(value, None, None, None, n, formula, note)
    drawn = np.random.default_rng(seed).choice(told, (_DRAWS, n))
    medians = np.median(drawn, axis=1)
    low, high = (float(end) for end in np.quantile(medians, [0.025, 0.975]))
    se = float(medians.std(ddof=1))
    return Estimate(value, se, min(low, value), max(high, value), n, formula)
