"""A raw score beside its ceiling, by the two formulas that Brain-Score has had.

With r the raw correlation and c the internal consistency,

    before December 2025    (r / c)^2
    since then              r^2 / c

c is the share of the variance of the averaged responses that is signal. The true model
has r = √c, so the second is 1 for it, the share of what can be explained. The first is
1 / c, beyond 1: it takes the ceiling of r to be c.
"""

import numpy as np

from ...experiments.protocols.checks import suggestion
from ..trials.estimate import Estimate
from .internal_consistency import UNEVEN, InternalConsistency
from .over_units import Numbers, bootstrapped
from .predictivity import Predictivity

FORMULAS: dict[str, str] = {
    "square-over-ceiling": "ceiled-square-over-ceiling/1",
    "square-of-ratio": "ceiled-square-of-ratio/1",
}
NO_CEILING = "the ceiling must be more than 0 to divide by it, got {:.3g}"
NEGATIVE = "the raw score is negative, which its square does not show"
NO_RAW = "the raw score or its ceiling has no value"


def ceiled(
    raw: float | Predictivity,
    ceiling: float | InternalConsistency,
    formula: str = "square-over-ceiling",
) -> Estimate:
    """Relate a raw score to its ceiling.

    Parameters
    ----------
    raw
        A correlation, or the result of `neural_predictivity`.
    ceiling
        Internal consistency: a number, or a result of the same units. With both as
        results, units are drawn together for the interval; numbers have none.
    formula
        'square-over-ceiling' is Brain-Score's since December 2025, 'square-of-ratio'
        what it was before.

    Raises
    ------
    LookupError
        If there is no such formula.
    ValueError
        If the results are of different units.

    References
    ----------
    Brain-Score, vision, pull request 2169.

    Examples
    --------
    >>> now, before = ceiled(0.2255, 0.8158), ceiled(0.2255, 0.8158, "square-of-ratio")
    >>> print(f"{now.value:.4f} ({now.formula}), before {before.value:.4f}")
    0.0623 (ceiled-square-over-ceiling/1), before 0.0764
    """
    if formula not in FORMULAS:
        near = suggestion(formula, FORMULAS)
        known = ", ".join(FORMULAS)
        raise LookupError(f"formula must be one of {known}, got {formula!r}{near}")
    name = FORMULAS[formula]
    r = raw.score.value if isinstance(raw, Predictivity) else float(raw)
    top = ceiling
    c = top.consistency.value if isinstance(top, InternalConsistency) else float(top)
    if r is None or c is None or np.isnan([r, c]).any():
        return Estimate.missing(name, NO_RAW)
    if isinstance(top, InternalConsistency) and not top.is_even:
        return Estimate.missing(name, UNEVEN)
    if c <= 0:
        return Estimate.missing(name, NO_CEILING.format(c))
    made = Estimate(float(_of(formula, [r, c])), None, None, None, 1, name)
    if isinstance(raw, Predictivity) and isinstance(ceiling, InternalConsistency):
        made = _with_interval(raw, ceiling, formula)
    return made.with_note(NEGATIVE if r < 0 else None)


def _of(formula: str, parts: list[Numbers]) -> Numbers:
    r, c = (np.asarray(part, dtype=np.float64) for part in parts)
    c = np.where(c > 0, c, np.nan)
    return (r / c) ** 2 if formula == "square-of-ratio" else r**2 / c


def _with_interval(
    raw: Predictivity, ceiling: InternalConsistency, formula: str
) -> Estimate:
    if raw.n_units != ceiling.n_units:
        rule = f"of the {raw.n_units} units of the raw score"
        raise ValueError(f"the ceiling must be {rule}, got {ceiling.n_units}")
    return bootstrapped(
        raw.n_units,
        [raw.r, ceiling.r],
        lambda parts: _of(formula, parts),
        FORMULAS[formula],
    )
