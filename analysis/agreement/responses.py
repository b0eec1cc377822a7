"""Trial-by-trial agreement of two observers, beside the ceiling that noise sets.

Two sessions can be compared on the trials that they share (`shared.py`).

The ceiling comes from the reference observer's double pass, since nobody can predict
internal noise. With agreement alpha over two passes, the best deterministic model of
the observer agrees with it on a share A of trials [1]_,

    alpha <= A <= (1 + sqrt(2 alpha - 1)) / 2,

as with u = 2 P(response) - 1 for each stimulus, alpha = (1 + E u^2) / 2 and
A = (1 + E |u|) / 2. For a linear-Gaussian observer A is exact: the mean of
max(Phi, 1 - Phi) over the external noise, 1 - 2 T(z, gamma) with Owen's T.

References
----------
.. [1] Neri & Levi (2006), Vision Res. 46, 2465-2474.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import owens_t

from ..double_pass.internal_noise import (
    NO_PAIRS,
    agreement,
    gamma_from_r,
    internal_noise_closed_form,
    pair_counts,
    why_reversed,
)
from ..double_pass.likelihood import cell_z
from ..trials.estimate import Estimate, mapped
from ..trials.proportion import proportion
from ..trials.responses import Responses, SessionLike, design_effect
from ..trials.result import Cells, Result
from .error_consistency import OF_CHOICES, error_consistency
from .shared import SharedTrials

SAME_RESPONSE = "same-response-wilson/1"
LOWER = "ceiling-lower-bound-double-pass/1"
UPPER = "ceiling-upper-bound-double-pass/1"
LINEAR = "ceiling-linear-gaussian/1"
NOT_TWO = "the ceiling is for two alternatives"


@dataclass(frozen=True)
class Ceiling(Result):
    """How well the best deterministic model could predict an observer's responses.

    Attributes
    ----------
    lower, upper
        Bounds that hold for any observer.
    linear_gaussian
        The exact ceiling if the observer is linear with Gaussian noise.
    """

    lower: Estimate
    upper: Estimate
    linear_gaussian: Estimate


@dataclass(frozen=True)
class ResponseAgreement(Result):
    """How often two observers of the same trials respond alike.

    Attributes
    ----------
    reference, other
        Session ids; the ceiling is the reference's.
    reference_observer, other_observer
        Names of the observers.
    n_shared
        Trials that count in both sessions.
    same_response
        Share of the shared trials on which both chose the same.
    same_response_double_pass
        The same on trials that the reference answered twice: what the ceiling is for.
    error_consistency
        Cohen's kappa of correct responses, by contrast, averaged by trials.
    ceiling
        From the reference's double pass.
    """

    reference: str
    other: str
    reference_observer: str
    other_observer: str
    n_shared: int
    same_response: Estimate
    same_response_double_pass: Estimate
    error_consistency: Estimate
    ceiling: Ceiling

    def table(self) -> list[Cells]:
        """Give one row: the shares of equal responses beside the best possible."""
        bounds = (self.ceiling.lower.value, self.ceiling.upper.value)
        known = [f"{bound:.3f}" for bound in bounds if bound is not None]
        return [
            {
                "model": self.other_observer,
                "human": self.reference_observer,
                "trials": self.n_shared,
                "same_response": self.same_response.short(),
                "same_response_double_pass": self.same_response_double_pass.short(),
                "error_consistency": self.error_consistency.short(),
                "best possible": " to ".join(known) or "-",
            }
        ]


def response_agreement(reference: SessionLike, other: SessionLike) -> ResponseAgreement:
    """Estimate how often two sessions have the same response, trial by trial.

    Parameters
    ----------
    reference
        Whose double pass sets the ceiling. Any kind of observer.
    other
        The other one. Any kind of observer.

    Raises
    ------
    ValueError
        If the sessions did not have the same trials, or none counts in both.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> observer = yoked.load_observer("template")
    >>> session = yoked.run(protocol, observer, seed=1, trials=300, contrast=0.15)
    >>> response_agreement(session, session).same_response.value
    1.0
    """
    shared = SharedTrials.of(reference, other)
    ours, rows = shared.ours, shared.rows
    same = ours.response[rows] == shared.theirs.response[shared.other_rows]
    twice = np.isin(rows, np.concatenate([ours.second_rows, ours.first]))
    _, cluster = np.unique(shared.stimulus, return_inverse=True)
    scored = ours.scored[rows], shared.theirs.scored[shared.other_rows]
    kappa = error_consistency(*scored, ours.contrast[rows], cluster)
    return ResponseAgreement(
        reference=reference.id,
        other=other.id,
        reference_observer=reference.observer,
        other_observer=other.observer,
        n_shared=len(shared),
        same_response=same_response(same, cluster),
        same_response_double_pass=same_response(same[twice], cluster[twice]),
        error_consistency=kappa.with_note(None if ours.has_target else OF_CHOICES),
        ceiling=ceiling(ours),
    )


def same_response(
    same: Bool[np.ndarray, " trial"], cluster: Int[np.ndarray, " trial"]
) -> Estimate:
    """Estimate the share of same responses, with Wilson's interval.

    Parameters
    ----------
    cluster
        Number of the noise field: two showings of one trial are not independent, and
        the interval is as much wider.
    """
    if not len(same):
        return Estimate.missing(SAME_RESPONSE, NO_PAIRS)
    one_group = np.zeros(len(same), np.int64)
    effect = design_effect(same.astype(np.float64), one_group, cluster)
    return proportion(int(same.sum()), len(same), SAME_RESPONSE, effect)


def ceiling_bounds(agreement: float) -> tuple[float, float]:
    """Return the bounds alpha <= A <= (1 + sqrt(2 alpha - 1)) / 2.

    Below alpha = 1/2, which only sampling can give, both are 1/2.

    Examples
    --------
    >>> [round(bound, 3) for bound in ceiling_bounds(0.683)]
    [0.683, 0.802]
    """
    alpha = max(agreement, 0.5)
    return alpha, (1 + math.sqrt(2 * alpha - 1)) / 2


def linear_ceiling(
    z: float | Float[np.ndarray, " ..."], gamma: float
) -> Float[np.ndarray, " ..."]:
    """Return the best deterministic model's agreement with a linear-Gaussian observer.

    E max(Phi(s), 1 - Phi(s)) with s = (z - sqrt(r) t) / sqrt(1 - r) and t normal. The
    best model says what the external part of the decision variable says, so this is
    Phi2(z, z / sqrt r; sqrt r) and its mirror image: by Owen's formulas
    1 - 2 T(z, gamma).

    Parameters
    ----------
    z
        Phi^-1 of the proportion correct, or of "yes" in a class.
    gamma
        Internal / external SD; may be infinite.

    Examples
    --------
    >>> round(float(linear_ceiling(0.3, gamma=1.0)), 3)
    0.764
    """
    return np.asarray(1 - 2 * owens_t(z, gamma))


def ceiling(responses: Responses) -> Ceiling:
    """Estimate the ceiling from an observer's double pass.

    The linear-Gaussian ceiling uses r from the pooled closed form, averages over the
    classes of a yes/no task, and carries the interval of r through.
    """
    passes = agreement(responses)
    reason = passes.note if passes.value is None else None
    if responses.n_alternatives > 2:
        reason = f"{NOT_TWO}, got {responses.n_alternatives}"
    elif reason is None:
        reason = why_reversed(pair_counts(responses))
    if reason:
        names = (LOWER, UPPER, LINEAR)
        return Ceiling(*(Estimate.missing(name, reason) for name in names))
    bounds = (lambda a: ceiling_bounds(a)[0]), (lambda a: ceiling_bounds(a)[1])
    lower, upper = (
        mapped(passes, bound, name, _slope(bound, passes.value or 0.0))
        for bound, name in zip(bounds, (LOWER, UPPER), strict=True)
    )
    return Ceiling(lower, upper, _linear(responses))


def _linear(responses: Responses) -> Estimate:
    counts = pair_counts(responses)
    r = internal_noise_closed_form(counts).r
    z, n = cell_z(counts), 2 * counts.sum(1)

    def best(r: float) -> float:
        return float(linear_ceiling(z, gamma_from_r(r)) @ n / n.sum())

    if r.value is None:
        return mapped(r, best, LINEAR)
    return mapped(r, best, LINEAR, _slope(best, r.value))


def _slope(function: Callable[[float], float], at: float) -> float | None:
    """Central difference; None at the edges of 0 to 1."""
    step = 1e-6
    if not step < at < 1 - step:
        return None
    return (function(at + step) - function(at - step)) / (2 * step)
