"""d' of a decision variable that is known, not told by responses [1]_.

d' = (mean with the signal - mean without) / sqrt of the mean of the two variances. Its
standard error is that of a standardised difference [2]_.

References
----------
.. [1] Green & Swets (1966), Signal detection theory and psychophysics, Wiley, ch. 3.
.. [2] Hedges & Olkin (1985), Statistical methods for meta-analysis, Academic Press,
   ch. 5.
"""

import numpy as np
from jaxtyping import Float

from ..trials.estimate import CannotTell, Estimate

DPRIME_OF_VARIABLE = "dprime-of-variable/1"


def dprime_of_variable(
    signal: Float[np.ndarray, " trial"], noise: Float[np.ndarray, " other"]
) -> Estimate:
    """Estimate d' from values of a decision variable with and without a signal.

    Raises
    ------
    CannotTell
        If there are fewer than two of either, or the values do not vary.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> found = dprime_of_variable(rng.normal(1, 1, 5000), rng.normal(0, 1, 5000))
    >>> found.low < 1 < found.high
    True
    """
    n, m = len(signal), len(noise)
    if min(n, m) < 2:
        raise CannotTell(f"values must be 2 or more of either, got {n} and {m}")
    spread = (signal.var(ddof=1) + noise.var(ddof=1)) / 2
    if not spread > 0:
        raise CannotTell("values must vary, got the same everywhere")
    value = float((signal.mean() - noise.mean()) / np.sqrt(spread))
    se = float(np.sqrt((n + m) / (n * m) + value**2 / (2 * (n + m))))
    return Estimate.normal(value, se, n + m, DPRIME_OF_VARIABLE)
