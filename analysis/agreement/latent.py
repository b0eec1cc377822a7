"""Agreement of two observers behind their responses: latent correlations.

Two observers with the same trials and normal decision variables choose alike as these
correlate: the tetrachoric correlation [1]_, each observer with thresholds of its own
(`order_zero.py`). Unlike the share of same responses it depends on neither's bias or
proportion correct. Its mean over the two stimulus classes is the decision-variable
correlation of Sebastian & Geisler [2]_.

Internal noise, private to each observer, attenuates it by sqrt(r_a r_b), the consistent
shares of variance from both double passes; divided by that it is the correlation of
what the two observers make of the stimulus [3]_, a ratio as `ratio.py` has it. A
deterministic observer has r = 1.

References
----------
.. [1] Pearson (1900), Phil. Trans. R. Soc. A 195, 1-47; Olsson (1979), Psychometrika
   44, 443-460.
.. [2] Sebastian & Geisler (2018), J. Vision 18(4):8, decision-variable correlation.
.. [3] Spearman (1904), Am. J. Psychol. 15, 72-101 (correction for attenuation).
"""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from ..double_pass.correlation import Correlation, drift_p
from ..double_pass.internal_noise import NO_PAIRS
from ..trials.estimate import Estimate
from ..trials.responses import Responses, SessionLike
from ..trials.result import Result
from .order_zero import FEWEST_PAIRS, OrderZero
from .shared import SharedTrials

TETRACHORIC = "tetrachoric-thresholds-held/1"
CONSISTENCY = "r-thresholds-held/1"
DISATTENUATED = "tetrachoric-disattenuated/2"
CEILING = "tetrachoric-ceiling/2"
FROM_RESPONSES = "decision-variable-correlation-responses/2"
LOGGED = "decision-variable-correlation-logged/1"
NOT_LOGGED = "decision variables were not logged by both observers"
NOT_TWO = "a latent correlation is for two alternatives"
ONE_RESPONSE = "in no stimulus class did an observer give both responses"
ONE_KIND = "a kind of response pair never came"
MOVED = 0.01  # p of a constant criterion below which its moving is said
TOO_NOISY = "internal noise is too uncertain for a share"


@dataclass(frozen=True)
class LatentAgreement(Result):
    """How far two observers' decision variables agree.

    Attributes
    ----------
    reference, other
        Session ids.
    n_shared
        Trials that count in both.
    correlation
        Tetrachoric, one for all classes and contrasts.
    reference_consistency, other_consistency
        r of either double pass, with the same thresholds.
    ceiling
        Root of the product of the consistencies: `correlation` of two observers who
        differ in their internal noise only.
    disattenuated
        correlation / ceiling, less the bias of a ratio: without internal noise. Above 1
        by sampling only; without a value where the interval of the ceiling reaches 0.
    decision_variable
        Mean over stimulus classes of their own tetrachoric correlations.
    logged
        Mean over stimulus classes of the correlation of decision variables that both
        logged.
    """

    reference: str
    other: str
    n_shared: int
    correlation: Estimate
    reference_consistency: Estimate
    other_consistency: Estimate
    ceiling: Estimate
    disattenuated: Estimate
    decision_variable: Estimate
    logged: Estimate


def latent_agreement(reference: SessionLike, other: SessionLike) -> LatentAgreement:
    """Estimate the correlation of two observers' decision variables on shared trials.

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
    >>> latent_agreement(session, session).correlation.value
    1.0
    """
    shared = SharedTrials.of(reference, other)
    n = len(shared)
    return LatentAgreement(
        reference=reference.id,
        other=other.id,
        n_shared=n,
        **_found(shared),
        logged=logged_correlation(shared)
        if shared.ours.n_alternatives <= 2
        else Estimate.missing(
            LOGGED, f"{NOT_TWO}, got {shared.ours.n_alternatives}", n
        ),
    )


_NAMES = {
    "correlation": TETRACHORIC,
    "reference_consistency": CONSISTENCY,
    "other_consistency": CONSISTENCY,
    "ceiling": CEILING,
    "disattenuated": DISATTENUATED,
    "decision_variable": FROM_RESPONSES,
}


def _found(shared: SharedTrials) -> dict[str, Estimate]:
    """Estimate all that rests on the responses."""
    ours, theirs, n = shared.ours, shared.theirs, len(shared)
    reason = None
    if ours.n_alternatives > 2:
        reason = f"{NOT_TWO}, got {ours.n_alternatives}"
    elif not all(varies(one) for one in (ours, theirs)):
        reason = ONE_RESPONSE
    if reason:
        return {key: Estimate.missing(name, reason, n) for key, name in _NAMES.items()}
    zero = OrderZero.of(ours, theirs, shared.stimuli)
    target = np.zeros(len(zero.stimulus), np.int64)
    for one, stimulus in zip((ours, theirs), shared.stimuli, strict=True):
        target[np.searchsorted(zero.stimulus, stimulus)] = one.target
    by_class = [_estimate(zero.of_class(target == k), TETRACHORIC) for k in (0, 1)]
    consistent = [
        Estimate.missing(CONSISTENCY, NO_PAIRS)
        if one is None
        else _estimate(one, CONSISTENCY)
        for one in zero.within
    ]
    ceiling, share = _without_noise(zero, n)
    if share.value is not None:
        share = share.with_note(*_drifts((ours, theirs), zero))
    return {
        "correlation": _estimate(zero.across, TETRACHORIC, n),
        "reference_consistency": consistent[0],
        "other_consistency": consistent[1],
        "ceiling": ceiling,
        "disattenuated": share,
        "decision_variable": mean_of_classes(by_class, FROM_RESPONSES),
    }


def varies(one: Responses) -> bool:
    """Whether some class of stimuli got both responses."""
    return any(len(np.unique(one.response[one.target == k])) > 1 for k in (0, 1))


def _drifts(both: tuple[Responses, Responses], zero: OrderZero) -> list[str]:
    """Say whose criterion moved, which a share takes as constant."""
    pairs = zero.across.pairs
    thresholds = (pairs.one, pairs.other)
    return [
        f"the {name}'s criterion moved during the session (p {p:.2g}), and the share "
        "takes it as constant"
        for name, responses, one in zip(
            ("reference", "other"), both, thresholds, strict=True
        )
        if (p := drift_p(responses, one.showings)) < MOVED
    ]


def _estimate(one: Correlation, formula: str, n: int | None = None) -> Estimate:
    n = one.n_pairs if n is None else n
    if not one.n_pairs:
        return Estimate.missing(formula, "no stimulus of this class was shared", 0)
    se = one.variance**0.5 if abs(one.r) < 1 else None
    low, high = one.interval()
    return Estimate(one.r, se, low, high, n, formula, None if se else ONE_KIND)


def _without_noise(zero: OrderZero, n: int) -> tuple[Estimate, Estimate]:
    """Estimate the ceiling, and the correlation over it."""
    for one, name in zip(zero.within, ("reference", "other"), strict=True):
        pairs = 0 if one is None else one.n_pairs
        if pairs < FEWEST_PAIRS:
            rule = f"{FEWEST_PAIRS} pairs or more, got {pairs}"
            why = f"{name}: {NO_PAIRS if not pairs else rule}"
            return (
                Estimate.missing(CEILING, why, n),
                Estimate.missing(DISATTENUATED, why, n),
            )
    ratio = zero.ratio()
    return ratio.ceiling(n, CEILING), ratio.share(n, DISATTENUATED, TOO_NOISY)


def mean_of_classes(found: list[Estimate], formula: str) -> Estimate:
    """Average the correlations of the two stimulus classes, as independent ones."""
    known = [one for one in found if one.value is not None]
    n = sum(one.n for one in known)
    if len(known) < 2:
        reason = "both stimulus classes must have responses of both kinds"
        return Estimate.missing(formula, reason, n)
    values, low, high = np.array([(e.value, e.low, e.high) for e in known], float).T
    value = float(values.mean())
    below, above = np.linalg.norm([values - low, high - values], axis=1) / 2
    ses = [one.se for one in known if one.se is not None]
    se = float(np.linalg.norm(ses)) / 2 if len(ses) == len(known) else None
    ends = max(value - float(below), -1.0), min(value + float(above), 1.0)
    return Estimate(value, se, *ends, n, formula)


def logged_correlation(shared: SharedTrials) -> Estimate:
    """Estimate the correlation of decision variables that both observers logged.

    Within each stimulus class, about the means of its contrasts, then averaged over the
    two classes. In 2AFC the decision variable is the second interval's less the
    first's. The SE adds up the two showings of a noise field.
    """
    ours, theirs = shared.ours, shared.theirs
    rows, other_rows = shared.rows, shared.other_rows
    a, b = (
        logged_decision_variables(one.table["decision_variables"], chosen)
        if "decision_variables" in one.table
        else None
        for one, chosen in ((ours, rows), (theirs, other_rows))
    )
    if a is None or b is None:
        return Estimate.missing(LOGGED, NOT_LOGGED, len(rows))
    target, field = ours.target[rows], shared.stimulus
    contrast = ours.contrast[rows]
    found = [
        _pearson(a[here], b[here], contrast[here], field[here])
        for here in (target == 0, target == 1)
    ]
    return mean_of_classes(found, LOGGED)


def logged_decision_variables(
    column: Any, rows: Int[np.ndarray, " trial"]
) -> Float[np.ndarray, " trial"] | None:
    """Read one decision variable a trial from the log's column; None if one lacks.

    Parameters
    ----------
    column
        JSON lists of one number a trial, or of two, of which it is the difference.
    """
    values = column.to_numpy(object)[rows]
    if not all(isinstance(value, str) for value in values):
        return None
    numbers = np.array([json.loads(value) for value in values], np.float64)
    if numbers.ndim != 2 or numbers.shape[1] > 2:
        return None
    return numbers[:, -1] - (numbers[:, 0] if numbers.shape[1] == 2 else 0)


def _pearson(
    a: np.ndarray, b: np.ndarray, contrast: np.ndarray, field: np.ndarray
) -> Estimate:
    """Correlation about the means of the contrasts, with an SE over noise fields."""
    _, group = np.unique(contrast, return_inverse=True)
    n = np.bincount(group)
    a, b = (x - (np.bincount(group, x) / n)[group] for x in (a, b))
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    if not size > 0:
        return Estimate.missing(LOGGED, "a decision variable never varied", len(a))
    rho = float(np.clip(a @ b / size, -1, 1))
    x, y = a / a.std(), b / b.std()
    influence = x * y - rho * (x**2 + y**2) / 2
    _, field = np.unique(field, return_inverse=True)
    se = float(np.linalg.norm(np.bincount(field, influence))) / len(a)
    return Estimate.normal(rho, se, len(a), LOGGED)
