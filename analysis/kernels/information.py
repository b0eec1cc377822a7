"""How much of what the responses tell about a kernel an estimate of it has taken."""

import numpy as np
from jaxtyping import Float

from ..double_pass.internal_noise import gamma_from_r
from ..trials.design import TrialDesign
from ..trials.estimate import Z95, Estimate
from .closed_forms import kernel_snr
from .fisher_bound import bound_snr
from .linear_share import linear_share

EFFICIENCY = "kernel-efficiency-of-fisher-bound/1"
EDGE = 0.02  # the bound has no value for a linear share of 0 or 1


def share_of_bound(
    trials: TrialDesign,
    kernel: Float[np.ndarray, " element"],
    se: Float[np.ndarray, " element"],
) -> Estimate:
    """Estimate a kernel's signal-to-noise ratio relative to the Fisher bound.

    The squared length of the kernel, less what its noise adds, over the variance of one
    element; and that over `bound_snr` of a linear observer with this session's rates
    and linear share (`linear_share.py`). A prior lends information, so that it can be
    above 1, and the pull of a prior is not in it.

    Returns
    -------
    Estimate
        Its interval is that of the linear share, carried through; its note has the
        efficiency that the weighted sum is predicted to have.

    Examples
    --------
    >>> from .probit import _example, fit_probit
    >>> fitted = fit_probit(_example())
    >>> print(share_of_bound(_example(), fitted.beta, fitted.se).note)
    the weighted sum's is 0.67
    """
    n, share = len(trials), _linear_share(trials)
    if share.value is None or share.se is None:
        return Estimate.missing(EFFICIENCY, share.note or "unknown linear share", n)
    if share.value < Z95 * share.se:
        reason = "there is too little of a kernel to tell how well it is known"
        return Estimate.missing(EFFICIENCY, reason, n)
    noise = float(np.mean(se**2))
    if not noise > 0:
        return Estimate.missing(EFFICIENCY, "the kernel has no standard errors", n)
    snr = max(float(kernel @ kernel) / noise - len(kernel), 0.0)
    ends = [share.value + step * Z95 * share.se for step in (-1, 0, 1)]
    bounds, weighted = zip(*(_known(trials, end) for end in ends), strict=True)
    low, value, high = sorted(snr / bound for bound in bounds)
    note = f"the weighted sum's is {weighted[1] / bounds[1]:.2f}"
    return Estimate(value, None, low, high, n, EFFICIENCY, note)


def _linear_share(trials: TrialDesign) -> Estimate:
    no_double_pass = Estimate.missing("r/1", "not asked for")
    return linear_share(trials, no_double_pass).linear


def _known(trials: TrialDesign, share: float) -> tuple[float, float]:
    """Signal-to-noise ratio of the Fisher bound and of the weighted sum."""
    gamma = gamma_from_r(min(max(share, EDGE), 1 - EDGE))
    n = np.bincount(trials.cell)
    yes = np.bincount(trials.cell, trials.response, minlength=len(n))
    bound = weighted = 0.0
    for size, rate in zip(n.tolist(), ((yes + 0.5) / (n + 1)).tolist(), strict=True):
        bound += bound_snr(size, rate, gamma)
        weighted += kernel_snr(size, rate, gamma)
    return bound, weighted
