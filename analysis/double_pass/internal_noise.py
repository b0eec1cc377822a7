"""Double pass: agreement of an observer with itself, and the internal noise it implies.

The same trial is shown twice; external noise repeats, internal noise does not. With
gamma the ratio of internal to external SD of the decision variable, two passes of a
linear-Gaussian observer have decision variables that correlate by
r = 1 / (1 + gamma^2) [1]_. Three numbers are in print for the same thing, so they have
their own names here: r (the consistent share of variance), gamma (ratio of SDs) and
gamma squared (ratio of variances).

A forced choice of two is described by correct or not; yes/no and rating by "yes" or
not, within each class. With z = Phi^-1 of that rate, two passes agree with probability

    Phi2(z, z; r) + Phi2(-z, -z; r) = 1 - 4 T(z, sqrt((1 - r) / (1 + r)))

where T is Owen's function [2]_, since Phi2(z, z; r) = Phi(z) - 2 T(z, .).

References
----------
.. [1] Burgess & Colborne (1988), J. Opt. Soc. Am. A 5, 617-627.
.. [2] Owen (1956), Ann. Math. Stat. 27, 1075-1090.
.. [3] Murray, Patel & Yee (2015), PLOS Comput. Biol. 11, e1004342, eqs 8-11.
.. [4] Venzon & Moolgavkar (1988), Appl. Stat. 37, 87-94 (profile likelihood).
.. [5] Ahumada (2002), J. Vision 2(1):8, 121-131, section on response consistency.
"""

import math
from dataclasses import dataclass
from typing import cast

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.optimize import brentq
from scipy.special import ndtri, owens_t
from scipy.stats import binom

from ..trials.counts import STRONG_BIAS, loglinear_rate
from ..trials.estimate import CannotTell, Estimate, mapped
from ..trials.held import as_responses
from ..trials.proportion import proportion
from ..trials.responses import Responses, SessionLike
from .likelihood import PairCounts, cell_z, fit

AGREEMENT = "agreement-wilson/1"
CLOSED_FORM = "pooled-closed-form/2"
LIKELIHOOD = "likelihood-by-contrast/1"
NO_PAIRS = "no trial was shown and answered twice"
NOT_TWO = "internal noise needs a task of two alternatives"
ONE_RESPONSE = (
    "the responses never varied, so agreement says nothing about internal noise"
)
REVERSED = 1e-4  # chance that passes which share nothing agree on so few pairs


@dataclass(frozen=True)
class InternalNoise:
    """Internal noise in its three conventions, from one and the same estimate.

    Attributes
    ----------
    r
        Consistent share of the decision variable's variance, 1 / (1 + gamma^2).
    gamma
        Internal / external SD at the decision variable; per interval in forced choice.
    gamma_squared
        Internal / external variance.
    """

    r: Estimate
    gamma: Estimate
    gamma_squared: Estimate

    @classmethod
    def missing(cls, formula: str, reason: str, n: int) -> "InternalNoise":
        """Return internal noise without a value, and the reason."""
        names = (f"{q}-{formula}" for q in ("r", "gamma", "gamma-squared"))
        return cls(*(Estimate.missing(name, reason, n) for name in names))


def agreement_probability(
    z: float | Float[np.ndarray, " ..."], r: float | Float[np.ndarray, " ..."]
) -> Float[np.ndarray, " ..."]:
    """Return the probability that two passes of a linear-Gaussian observer agree.

    Parameters
    ----------
    z
        Phi^-1 of the proportion correct, or of "yes" in a class.
    r
        Consistent share of variance, 0 to 1.

    Raises
    ------
    ValueError
        If r is outside 0 to 1.

    Examples
    --------
    >>> round(float(agreement_probability(0.0, 0.5)), 5)  # gamma 1, at chance
    0.66667
    """
    r = np.asarray(r, np.float64)
    if not np.all((r >= 0) & (r <= 1)):
        raise ValueError(f"r must be in 0 to 1, got {r}")
    return np.asarray(1 - 4 * owens_t(z, np.sqrt((1 - r) / (1 + r))))


def gamma_from_r(r: float) -> float:
    """Return internal / external SD, sqrt(1 / r - 1); infinite at r = 0."""
    return math.sqrt(1 / r - 1) if r > 0 else math.inf


def r_from_gamma(gamma: float) -> float:
    """Return the consistent share of variance, 1 / (1 + gamma^2)."""
    return 1 / (1 + gamma**2)


def pair_counts(responses: Responses, by_contrast: bool = False) -> PairCounts:
    """Count the pairs of a double pass by cell.

    Cells are the classes of a yes/no or rating task (one in forced choice, where "yes"
    is a correct response), within each contrast if `by_contrast`. Empty cells are left
    out. An observer who prefers an interval is correct more often when the target is
    there, and pooled that would pass for consistency: with `by_contrast` and an
    interval bias beyond -+.2 the target's intervals are cells of their own.

    Raises
    ------
    ValueError
        If the task has more than two alternatives.
    """
    cell, first, second = pair_responses(responses, by_contrast)
    counts = np.zeros((int(cell.max(initial=-1)) + 1, 3), np.int64)
    np.add.at(counts, (cell, 2 - first.astype(np.int64) - second), 1)
    return counts


def pair_responses(
    responses: Responses, by_contrast: bool = True
) -> tuple[
    Int[np.ndarray, " pair"], Bool[np.ndarray, " pair"], Bool[np.ndarray, " pair"]
]:
    """Return cell, first and second response of every pair of a double pass.

    Cells, numbered from 0, and what "yes" is, as in `pair_counts`; pairs in the order
    of `Responses.second_rows`.

    Raises
    ------
    ValueError
        If the task has more than two alternatives.
    """
    if responses.n_alternatives > 2:
        raise CannotTell(f"{NOT_TWO}, got {responses.n_alternatives}")
    second = responses.second_rows
    yes = responses.correct if responses.is_forced_choice else responses.response == 1
    contrast = np.searchsorted(responses.contrasts, responses.contrast[second])
    target = responses.target[second]
    if responses.is_forced_choice and not (
        by_contrast and _prefers_interval(responses)
    ):
        target = np.zeros_like(target)
    _, cell = np.unique(target + 2 * contrast * by_contrast, return_inverse=True)
    return cell, yes[responses.first[second]], yes[second]


def _prefers_interval(responses: Responses) -> bool:
    """Whether the interval bias, of all trials, is strong."""
    rates = [
        loglinear_rate(int(chosen.sum()), len(chosen))
        for chosen in (responses.response[responses.target == k] for k in (0, 1))
    ]
    return abs(float(np.mean(ndtri(rates)))) > STRONG_BIAS


def agreement(source: SessionLike | Responses) -> Estimate:
    """Estimate how often the double pass got one response twice, Wilson's interval.

    Parameters
    ----------
    source
        A session, or the responses of some of its trials.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> guesser = yoked.load_observer("guesser")
    >>> session = yoked.run(protocol, guesser, seed=1, trials=300, contrast=0.15)
    >>> agreement = yoked.agreement(session)
    >>> agreement.low < 0.5 < agreement.high
    True
    """
    responses = as_responses(source)
    second = responses.second_rows
    if not len(second):
        return Estimate.missing(AGREEMENT, NO_PAIRS)
    same = responses.response[second] == responses.response[responses.first[second]]
    return proportion(int(same.sum()), len(same), AGREEMENT)


def internal_noise_closed_form(counts: PairCounts) -> InternalNoise:
    """Estimate internal noise from agreement and the rates of the cells.

    Solves sum_k w_k P_agree(z_k, r) = agreement for r, with w_k the share of the pairs
    and z_k from the log-linear corrected rate of cell k. The SE is that of agreement,
    carried through with z_k held, as the literature gives it. Agreement and rates vary
    together, so at 90 % correct such an interval would cover 99 %; the interval is that
    of the likelihood of the same counts, whose maximum is the same but for the
    correction.

    Parameters
    ----------
    counts
        From `pair_counts`; without `by_contrast`, the literature's pooled estimate.
    """
    n = int(counts.sum())
    if reason := why_no_internal_noise(counts):
        return InternalNoise.missing(CLOSED_FORM, reason, n)
    agree = proportion(int(counts[:, [0, 2]].sum()), n, AGREEMENT)
    z, weight = cell_z(counts), counts.sum(1) / n
    r = r_from_agreement(agree.value or 0.0, z, weight)
    se = (agree.se or 0.0) / agreement_slope(r, z, weight) if 0 < r < 1 else None
    fitted = fit(counts)
    low, high = min(fitted.low, r), max(fitted.high, r)
    estimate = Estimate(r, se, low, high, n, f"r-{CLOSED_FORM}")
    return three_conventions(estimate, CLOSED_FORM)


def internal_noise_likelihood(counts: PairCounts) -> InternalNoise:
    """Estimate internal noise by maximum likelihood, one r over all cells.

    Bivariate probit: in every cell the two decision variables are normal, with a mean
    z_k of their own and the common correlation r. Means and r are fitted together; the
    interval is the profile likelihood's [4]_.

    Parameters
    ----------
    counts
        From `pair_counts(..., by_contrast=True)`: pooled over contrasts, the spread of
        z would pass for consistency.
    """
    n = int(counts.sum())
    if reason := why_no_internal_noise(counts):
        return InternalNoise.missing(LIKELIHOOD, reason, n)
    fitted = fit(counts)
    ends = fitted.se, fitted.low, fitted.high
    return three_conventions(
        Estimate(fitted.r, *ends, n, f"r-{LIKELIHOOD}"), LIKELIHOOD
    )


def why_no_internal_noise(counts: PairCounts) -> str | None:
    """Return why these pairs cannot tell the internal noise, or None."""
    if not counts.sum():
        return NO_PAIRS
    varied = (counts[:, 0] + counts[:, 1] > 0) & (counts[:, 1] + counts[:, 2] > 0)
    return why_reversed(counts) if varied.any() else ONE_RESPONSE


def why_reversed(counts: PairCounts) -> str | None:
    """Return why a pass seems to have its responses the other way round, or None.

    Passes with nothing in common agree in p^2 + (1 - p)^2 of the pairs of a cell, and
    internal noise, however large, cannot make them agree less. Where they agree on
    fewer than chance gives once in 10,000 sessions, the keys of one pass mean the
    opposite.

    Examples
    --------
    >>> why_reversed(np.array([[0, 30, 0]]))
    'the passes agree on 0 of 30 pairs, fewer than without anything in common: are the \
responses of one pass reversed (keys swapped)?'
    >>> why_reversed(np.array([[10, 15, 5]]))
    """
    n, n_agree = int(counts.sum()), int(counts[:, [0, 2]].sum())
    by_chance = agreement_probability(cell_z(counts), 0.0) @ counts.sum(1)
    if not n or float(binom.cdf(n_agree, n, by_chance / n)) >= REVERSED:
        return None
    return (
        f"the passes agree on {n_agree} of {n} pairs, fewer than without anything in "
        "common: are the responses of one pass reversed (keys swapped)?"
    )


def r_from_agreement(
    agreement: float, z: Float[np.ndarray, " cell"], weight: Float[np.ndarray, " cell"]
) -> float:
    """Return the r at which passes agree this often; 0 or 1 where no r does."""

    def excess(r: float) -> float:
        return float(weight @ agreement_probability(z, r)) - agreement

    if excess(0.0) >= 0:
        return 0.0
    if excess(1.0) <= 0:
        return 1.0
    return cast("float", brentq(excess, 0.0, 1.0, xtol=1e-12))


def agreement_slope(
    r: float, z: Float[np.ndarray, " cell"], weight: Float[np.ndarray, " cell"]
) -> float:
    """Return d agreement / d r = 2 phi2(z, z; r) (Plackett's identity) over cells."""
    density = np.exp(-(z**2) / (1 + r)) / (2 * math.pi * math.sqrt(1 - r**2))
    return float(weight @ (2 * density))


def three_conventions(r: Estimate, formula: str) -> InternalNoise:
    """Return r, gamma and gamma squared, the limits and SEs of r carried through."""
    assert r.value is not None
    gamma = gamma_from_r(r.value)
    slope = -1 / (2 * r.value**2 * gamma) if 0 < r.value < 1 else None
    slope_squared = -1 / r.value**2 if r.value > 0 else None
    if r.value == 0:
        r = r.with_note("the passes agree no more than independent ones would")
    if r.value == 1:
        r = r.with_note("every pair agrees")
    return InternalNoise(
        r=r,
        gamma=mapped(r, gamma_from_r, f"gamma-{formula}", slope),
        gamma_squared=mapped(
            r, lambda r: gamma_from_r(r) ** 2, f"gamma-squared-{formula}", slope_squared
        ),
    )
