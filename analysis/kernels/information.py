"""How well a first-order kernel can be known, and how much of that an estimate takes.

P(yes) = Phi(eta), eta = a + w . noise / internal SD. Averaged over white noise, eta is
normal with mean z sqrt(1 + gamma^2) / gamma and variance 1 / gamma^2, and no unbiased
estimate of the kernel has a larger signal-to-noise ratio than

    SNR = N gamma^-2 E[phi(eta)^2 / (Phi(eta) Phi(-eta))]    (elements << trials).

The weighted sum of class means is the score of the same model at zero kernel, the least
squares fit allows for the variance that the kernel explains: their efficiencies are
their own signal-to-noise ratios over this one. All are per one class with Phi^-1 of its
rate z; several classes are averaged.
"""

import numpy as np
from jaxtyping import Float
from scipy.special import ndtri

from ..double_pass.internal_noise import gamma_from_r
from ..trials.counts import loglinear_rate
from ..trials.design import TrialDesign
from ..trials.estimate import Z95, Estimate
from .closed_forms import check_gamma, check_rate, kernel_snr, response_information
from .linear_share import shares_of_trials

EFFICIENCY = "kernel-efficiency-of-fisher-bound/1"
EDGE = 0.02  # the bound has no value for a linear share of 0 or 1
NODES, WEIGHTS = np.polynomial.legendre.leggauss(400)


def bound_snr(n_trials: float, proportion_correct: float, gamma: float) -> float:
    """Return the largest signal-to-noise ratio that a kernel of n trials can have.

    Infinite for an observer without internal noise.

    Examples
    --------
    >>> round(bound_snr(1000, 0.75, 1.0))
    394
    """
    check_rate(proportion_correct)
    check_gamma(gamma)
    if gamma == 0:
        return float("inf")
    z = float(ndtri(proportion_correct))
    centre, sd = z * np.sqrt(1 + gamma**2) / gamma, 1 / gamma
    # Information is gone where |eta| > 12; the density where |eta - centre| > 9 sd.
    low, high = max(-12.0, centre - 9 * sd), min(12.0, centre + 9 * sd)
    eta = (high + low) / 2 + (high - low) / 2 * NODES
    density = np.exp(-(((eta - centre) / sd) ** 2) / 2) / (sd * np.sqrt(2 * np.pi))
    mean = (high - low) / 2 * float(WEIGHTS @ (density * response_information(eta)))
    return float(n_trials * mean / gamma**2)


def weighted_sum_efficiency(proportion_correct: float, gamma: float) -> float:
    """Return the share of the bound that the weighted sum of class means attains.

    Examples
    --------
    >>> round(weighted_sum_efficiency(0.75, 1.0), 3)
    0.684
    """
    bound = bound_snr(1.0, proportion_correct, gamma)
    return kernel_snr(1.0, proportion_correct, gamma) / bound


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
    >>> import yoked
    >>> from yoked.analysis.trials.held import as_design
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> observer = yoked.load_observer("template")
    >>> session = yoked.run(
    ...     protocol, observer, seed=1, trials=600, contrast=0.15, internal_noise=1.0
    ... )
    >>> fitted = yoked.kernel(session).unshrunken.kernel
    >>> trials, kernel = as_design(session), fitted.value.ravel()
    >>> share_of_bound(trials, kernel, fitted.se.ravel()).note
    "the weighted sum's is 0.73"
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
    return shares_of_trials(trials, no_double_pass).linear


def _known(trials: TrialDesign, share: float) -> tuple[float, float]:
    """Signal-to-noise ratio of the Fisher bound and of the weighted sum."""
    gamma = gamma_from_r(min(max(share, EDGE), 1 - EDGE))
    n = np.bincount(trials.cell)
    yes = np.bincount(trials.cell, trials.response, minlength=len(n))
    bound = weighted = 0.0
    rates = loglinear_rate(yes, n).tolist()
    for size, rate in zip(n.tolist(), rates, strict=True):
        bound += bound_snr(size, rate, gamma)
        weighted += kernel_snr(size, rate, gamma)
    return bound, weighted
