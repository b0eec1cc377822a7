"""Decision variables of two observers on shared trials: how they correlate.

The decision-variable correlation is the correlation within a stimulus class, averaged
over the two classes [1]_: what the stimulus class itself adds to both is no agreement.
Models log their decision variables; people's are behind their responses, where the
tetrachoric correlation finds them (`latent.py`).

References
----------
.. [1] Sebastian & Geisler (2018), J. Vision 18(4):8.
"""

import json
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from ..trials.estimate import Estimate
from ..trials.responses import Responses
from .responses import shared_rows

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
