"""Is there no kernel where the double pass foretells one? Then noise and trials differ.

Two showings tell r, the share of the decision variance that returns with the noise. If
that share is linear, the test of "no kernel at all", |U|^2 / (sd^2 spread), is
chi-squared with a noncentrality of

    lambda = r I^2 / spread,

I and spread as in `score.py` [1]_. Where it would be found nine times of ten and is
not, either the noise is not that of these trials, or the observer is not linear in it.

References
----------
.. [1] Murray, Bennett & Sekuler (2002), J. Vision 2(1):6, 79-104.
"""

from scipy.stats import chi2, ncx2

from ..trials.design import TrialDesign
from ..trials.estimate import Estimate
from ..trials.score import score, why_not_white

_ALPHA, _POWER = 0.05, 0.9


def doubt(trials: TrialDesign, consistent: Estimate) -> str | None:
    """Say it if there is no kernel though the pairs foretell one that would be found.

    Parameters
    ----------
    trials
        Trials with their noise.
    consistent
        r of the pairs. Its lower limit counts: few pairs foretell nothing.

    Returns
    -------
    str or None
        A sentence; None where there is a kernel, or none is foretold, or the noise is
        not white and its test is another.

    Raises
    ------
    CannotTell
        If no class has both responses, or the noise never varies.
    """
    if consistent.low is None or consistent.low <= 0 or why_not_white(trials):
        return None
    found, n_elements = score(trials), trials.noise.shape[1]
    statistic = float((found.total**2).sum()) / (found.sd**2 * found.spread)
    limit = float(chi2.isf(_ALPHA, n_elements))
    expected = min(consistent.low, 1.0) * found.information**2 / found.spread
    power = float(ncx2.sf(limit, n_elements, expected))
    if statistic > limit or power <= _POWER:
        return None
    p = float(chi2.sf(statistic, n_elements))
    return (
        f"no kernel (p = {p:.2g}), though the pairs foretell one that is found with a "
        f"power of {power:.2f}: noise and trials may not belong together, or the "
        "observer is not linear in the noise"
    )
