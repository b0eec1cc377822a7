"""Agreement of two observers behind their responses: latent correlations.

Two observers with the same trials and normal decision variables choose alike as these
correlate: the tetrachoric correlation [1]_, within each stimulus class and contrast,
each observer with thresholds of its own. Unlike the share of same responses it depends
on neither's bias or proportion correct. Its mean over the two stimulus classes is the
decision-variable correlation of Sebastian & Geisler [2]_.

Internal noise, private to each observer, attenuates it by sqrt(r_a r_b), the consistent
shares of variance from both double passes; divided by that it is the correlation of
what the two observers make of the stimulus. A deterministic observer has r = 1.

References
----------
.. [1] Pearson (1900), Phil. Trans. R. Soc. A 195, 1-47; Olsson (1979), Psychometrika
   44, 443-460.
.. [2] Sebastian & Geisler (2018), J. Vision 18(4):8, decision-variable correlation.
.. [3] Spearman (1904), Am. J. Psychol. 15, 72-101 (correction for attenuation).
"""

import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from ..double_pass.bivariate_probit import (
    Tables,
    fit_bivariate_probit,
    informative,
    response_kind,
)
from ..double_pass.internal_noise import (
    LIKELIHOOD,
    internal_noise_likelihood,
    pair_counts,
    pair_responses,
)
from ..double_pass.tetrachoric import TETRACHORIC, tetrachoric
from ..trials.estimate import Estimate
from ..trials.held import as_responses
from ..trials.responses import Responses, SessionLike
from ..trials.result import Result
from .responses import require_shared_trials, shared_rows

DISATTENUATED = "tetrachoric-disattenuated/1"
CEILING = "tetrachoric-ceiling/1"
FROM_RESPONSES = "decision-variable-correlation-responses/1"
_MAX_FAILED = 0.05  # of bootstrap samples without an estimate
NOT_TWO = "a latent correlation is for two alternatives"


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
        r of either double pass.
    ceiling
        Root of the product of the consistencies: `correlation` of two observers who
        differ in their internal noise only.
    disattenuated
        correlation / ceiling: without internal noise. Above 1 by sampling only.
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


def latent_agreement(
    reference: SessionLike, other: SessionLike, n_bootstrap: int = 200, seed: int = 0
) -> LatentAgreement:
    """Estimate the correlation of two observers' decision variables on shared trials.

    Parameters
    ----------
    n_bootstrap
        Samples for the interval of the disattenuated correlation: stimuli are drawn,
        with all of both observers' responses to them.

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
    >>> latent_agreement(session, session, n_bootstrap=20).correlation.value
    1.0
    """
    require_shared_trials(reference, other)
    ours, theirs = as_responses(reference), as_responses(other)
    rows, other_rows = shared_rows(ours, theirs)
    r_ours, r_theirs = _consistency(ours), _consistency(theirs)
    if ours.n_alternatives > 2:
        reason = f"{NOT_TWO}, got {ours.n_alternatives}"
        names = (TETRACHORIC, CEILING, DISATTENUATED, FROM_RESPONSES, LOGGED)
        rho, ceiling, true, by_class, logged = (
            Estimate.missing(name, reason, len(rows)) for name in names
        )
    else:
        shared = _Shared.of(ours, theirs, rows, other_rows)
        rho, by_class = shared.tetrachoric(), shared.by_class()
        logged = logged_correlation(ours, theirs)
        ceiling, true = _without_noise(
            (ours, theirs), shared, (rho, r_ours, r_theirs), n_bootstrap, seed
        )
    return LatentAgreement(
        reference=reference.id,
        other=other.id,
        n_shared=len(rows),
        correlation=rho,
        reference_consistency=r_ours,
        other_consistency=r_theirs,
        ceiling=ceiling,
        disattenuated=true,
        decision_variable=by_class,
        logged=logged,
    )


def _consistency(one: Responses) -> Estimate:
    if one.n_alternatives > 2:
        reason = f"{NOT_TWO}, got {one.n_alternatives}"
        return Estimate.missing(f"r-{LIKELIHOOD}", reason, len(one))
    return internal_noise_likelihood(pair_counts(one, by_contrast=True)).r


@dataclass(frozen=True, eq=False)
class _Shared:
    """Both observers' responses on the shared trials."""

    first: Bool[np.ndarray, " trial"]
    second: Bool[np.ndarray, " trial"]
    target: Int[np.ndarray, " trial"]
    cell: Int[np.ndarray, " trial"]
    field: Int[np.ndarray, " trial"]  # trial that showed this noise first

    @classmethod
    def of(
        cls,
        ours: Responses,
        theirs: Responses,
        rows: np.ndarray,
        other_rows: np.ndarray,
    ) -> "_Shared":
        return cls(
            first=ours.response[rows] == 1,
            second=theirs.response[other_rows] == 1,
            target=ours.target[rows],
            cell=ours.cell[rows],
            field=shown_first(ours)[rows],
        )

    def tetrachoric(self) -> Estimate:
        return tetrachoric(self.first, self.second, self.cell, self.field)

    def by_class(self) -> Estimate:
        """Mean over stimulus classes of their correlations."""
        found = [
            tetrachoric(
                *(x[here] for x in (self.first, self.second, self.cell, self.field))
            )
            for here in (self.target == 0, self.target == 1)
        ]
        return mean_of_classes(found, FROM_RESPONSES)


def _without_noise(
    both: tuple[Responses, Responses],
    shared: _Shared,
    parts: tuple[Estimate, Estimate, Estimate],
    n_bootstrap: int,
    seed: int,
) -> tuple[Estimate, Estimate]:
    """Estimate the ceiling, and the correlation over it."""
    rho, *consistent = parts
    for one, name in zip(consistent, ("reference", "other"), strict=True):
        if not one.value:
            reason = one.note if one.value is None else "its passes do not agree"
            names, why = (CEILING, DISATTENUATED), f"{name}: {reason}"
            ceiling, true = (Estimate.missing(formula, why, rho.n) for formula in names)
            return ceiling, true
    best = math.sqrt((consistent[0].value or 0.0) * (consistent[1].value or 0.0))
    drawn = _drawn(both, shared, n_bootstrap, seed)
    ceiling = _bootstrapped(best, drawn[:, 1], rho.n, CEILING)
    if rho.value is None:
        return ceiling, Estimate.missing(DISATTENUATED, rho.note or "", rho.n)
    ratios = drawn[:, 0] / drawn[:, 1]
    return ceiling, _bootstrapped(rho.value / best, ratios, rho.n, DISATTENUATED)


def _drawn(
    both: tuple[Responses, Responses], shared: _Shared, n_bootstrap: int, seed: int
) -> Float[np.ndarray, " sample 2"]:
    """Correlation and ceiling of bootstrap samples of stimuli; NaN where undefined."""
    fields = np.unique(np.concatenate([shown_first(one) for one in both]))
    kind = response_kind(shared.first, shared.second)
    counts = [
        _Counted(4 * shared.cell + kind, np.searchsorted(fields, shared.field)),
        *(_pairs(one, fields) for one in both),
    ]
    rng, found = np.random.default_rng(seed), np.full((n_bootstrap, 2), np.nan)
    for sample in found:
        rows = rng.integers(len(fields), size=len(fields))
        times = np.bincount(rows, minlength=len(fields))
        rho, *r = (_fitted(one.tables(times)) for one in counts)
        if min(r) > 0:
            sample[:] = rho, math.sqrt(r[0] * r[1])
    return found


def _bootstrapped(value: float, drawn: np.ndarray, n: int, formula: str) -> Estimate:
    """The value with the bootstrap's SE and percentiles, if nearly all could tell."""
    found = drawn[np.isfinite(drawn)]
    notes = ["above 1 by sampling"] if abs(value) > 1 else []
    if failed := len(drawn) - len(found):
        notes.append(f"{failed} of {len(drawn)} bootstrap samples had no estimate")
    note = "; ".join(notes) or None
    if failed > _MAX_FAILED * len(drawn) or len(found) < 2:
        return Estimate(value, None, None, None, n, formula, note)
    low, high = np.quantile(found, [0.025, 0.975])
    ends = min(float(low), value), max(float(high), value)
    return Estimate(value, float(found.std(ddof=1)), *ends, n, formula, note)


@dataclass(frozen=True, eq=False)
class _Counted:
    """Response pairs as numbers 4 cell + kind, and the noise field of each."""

    number: np.ndarray
    field: np.ndarray
    is_symmetric: bool = False

    def tables(self, times: np.ndarray) -> Tables:
        n_cells = int(self.number.max(initial=-1)) // 4 + 1
        counts = np.bincount(self.number, times[self.field], minlength=4 * n_cells)
        tables = counts.reshape(-1, 4).astype(np.float64)
        if self.is_symmetric:  # two passes of one observer have one threshold
            tables[:, 1:3] = tables[:, 1:3].mean(1, keepdims=True)
        return tables


def _pairs(one: Responses, fields: np.ndarray) -> _Counted:
    """The double pass, by class and contrast."""
    cell, first, second = pair_responses(one)
    field = np.searchsorted(fields, shown_first(one)[one.second_rows])
    return _Counted(4 * cell + response_kind(first, second), field, True)


def _fitted(tables: Tables) -> float:
    useful = informative(tables)
    return fit_bivariate_probit(tables[useful]).rho if useful.any() else math.nan


LOGGED = "decision-variable-correlation-logged/1"
NOT_LOGGED = "decision variables were not logged by both observers"


def shown_first(one: Responses) -> Int[np.ndarray, " trial"]:
    """Return the number of the trial that showed each trial's noise first.

    Also where that trial does not count, so that it is the same in yoked sessions.
    """
    repeats = one.table["repeats"].astype("Int64").fillna(-1).to_numpy(np.int64)
    return np.where(repeats >= 0, repeats, one.trial)


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


def logged_correlation(ours: Responses, theirs: Responses) -> Estimate:
    """Estimate the correlation of decision variables that both observers logged.

    Within each stimulus class, about the means of its contrasts, then averaged over the
    two classes. In 2AFC the decision variable is the second interval's less the
    first's. The SE adds up the two showings of a noise field.
    """
    rows, other_rows = shared_rows(ours, theirs)
    a, b = (
        logged_decision_variables(one.table["decision_variables"], chosen)
        if "decision_variables" in one.table
        else None
        for one, chosen in ((ours, rows), (theirs, other_rows))
    )
    if a is None or b is None:
        return Estimate.missing(LOGGED, NOT_LOGGED, len(rows))
    target, field = ours.target[rows], shown_first(ours)[rows]
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
