"""Did sensitivity change: with time, between first and second showings, or by halves.

An observer who learns has another d' when a stimulus comes again, so that two showings
of it agree less: like drift of the criterion, learning passes for internal noise [1]_.
The thresholds get columns of the signal, u = -+ d'(c) / mean d', times what may have
changed it:

    passes   -1/2 at the first showing of a pair, 1/2 at the second
    time     a natural cubic spline with five knots
    halves   -1/2 in the first half of the session, 1/2 in the second

Each is tested by likelihood ratio with the course of the criterion in the model. With
the columns of time there is a third set of values, conditional on the course of
sensitivity too.

References
----------
.. [1] Gold, Sekuler & Bennett (2004), Cogn. Sci. 28, 167-207.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from ..trials.estimate import CannotTell, Estimate
from ..trials.responses import Responses
from ..trials.result import Result
from .consistency import maximise
from .course import spline_columns, state_space
from .drift import ALMOST_FREE, CourseTest, course_thresholds, holm, ratio_test
from .given import ONE_CLASS, Given, given, signal_of
from .previous import previous_columns

FORMULA = "given-course-of-sensitivity/1"
BY_HALF = "by-half/1"
HELD = "conditional on the courses of criterion and sensitivity, and the trial before"
FEW_PAIRS = 25  # of a half, for its r to be compared with the other's


@dataclass(frozen=True)
class HalfDifference(Result):
    """A quantity in both halves of the session.

    Attributes
    ----------
    first, second
        In each half, by its trials alone.
    difference
        Second less first; of internal noise that of atanh r.
    p
        Two-sided; None where a half cannot tell it.
    """

    first: Estimate
    second: Estimate
    difference: Estimate
    p: float | None


@dataclass(frozen=True)
class SensitivityChange(Result):
    """Tests for a change of sensitivity, and values that allow for it.

    Attributes
    ----------
    passes
        Between first and second showings; None without pairs.
    time
        Along a spline of trial time.
    dprime, gamma
        By half of the session.
    conditional
        d' and internal noise given the course of sensitivity too.
    says
        A sentence where sensitivity changed: what it does to internal noise.
    """

    passes: CourseTest | None
    time: CourseTest
    dprime: HalfDifference
    gamma: HalfDifference
    conditional: Given
    says: str | None


def sensitivity_change(responses: Responses) -> SensitivityChange:
    """Test sensitivity for change, the course of the criterion held.

    Raises
    ------
    CannotTell
        As for `criterion_course`, or if no contrast has trials of both classes.
    """
    thresholds = course_thresholds(responses)
    serial = thresholds.with_columns(previous_columns(responses), ALMOST_FREE)
    r = None if serial.n_pairs else 0.0
    showings = state_space(serial, responses, r).showings
    signal = signal_of(responses, thresholds, maximise(thresholds, r).theta)
    if signal is None:
        raise CannotTell(ONE_CLASS)
    start = maximise(showings, r)

    def test(columns: np.ndarray) -> tuple[float, int, float]:
        return ratio_test(showings, signal[:, None] * columns, r, start)

    spline = spline_columns(responses)
    found = [test(spline)]
    if serial.n_pairs:
        passes = np.zeros((len(responses), 1))
        passes[serial.first], passes[serial.second] = -0.5, 0.5
        found.append(test(passes))
    adjusted = holm([one[2] for one in found])
    tests = [CourseTest(*one, p) for one, p in zip(found, adjusted, strict=True)]
    changing = showings.with_columns(signal[:, None] * spline, ALMOST_FREE)
    conditional, _ = given(HELD, changing, thresholds, responses, FORMULA)
    halves = _halves(responses)
    changed = min(test.p_holm for test in tests) < 0.05
    return SensitivityChange(
        passes=tests[1] if len(tests) > 1 else None,
        time=tests[0],
        dprime=_dprime_by_half(halves),
        gamma=_gamma_by_half(halves),
        conditional=conditional,
        says=(_SAYS if serial.n_pairs else _CHANGED) if changed else None,
    )


_CHANGED = "sensitivity changed over the session"
_SAYS = (
    f"{_CHANGED}; passes at different sensitivity agree less, so internal noise with "
    "it held constant is too large"
)


def second_half(responses: Responses) -> np.ndarray:
    """Mark the later half of the counted trials."""
    return np.arange(len(responses)) >= len(responses) / 2


def _halves(responses: Responses) -> list[Given | CannotTell]:
    """Fit each half by itself; or why it cannot be."""
    late = second_half(responses)
    found: list[Given | CannotTell] = []
    for rows in (~late, late):
        part = responses.where(rows)
        try:
            thresholds = course_thresholds(part)
        except CannotTell as reason:
            found.append(reason)
            continue
        serial = thresholds.with_columns(previous_columns(part), ALMOST_FREE)
        showings = state_space(serial, part, None if serial.n_pairs else 0.0).showings
        found.append(given(HELD, showings, thresholds, part, BY_HALF)[0])
    return found


def _dprime_by_half(halves: list[Given | CannotTell]) -> HalfDifference:
    name = f"dprime-{BY_HALF}"
    first, second = (
        half.dprime if isinstance(half, Given) else Estimate.missing(name, str(half))
        for half in halves
    )
    difference = _difference(first, second, name)
    p = None
    if difference.value is not None and difference.se:
        p = float(2 * norm.sf(abs(difference.value) / difference.se))
    return HalfDifference(first, second, difference, p)


def _difference(first: Estimate, second: Estimate, name: str) -> Estimate:
    if first.value is None or second.value is None or not (first.se and second.se):
        return Estimate.missing(f"difference-{name}", "a half cannot tell it")
    se, n = math.hypot(first.se, second.se), first.n + second.n
    return Estimate.normal(second.value - first.value, se, n, f"difference-{name}")


def _gamma_by_half(halves: list[Given | CannotTell]) -> HalfDifference:
    name = f"gamma-{BY_HALF}"
    first, second = (
        half.internal_noise.gamma
        if isinstance(half, Given)
        else Estimate.missing(name, str(half))
        for half in halves
    )
    rs = [half.internal_noise.r for half in halves if isinstance(half, Given)]
    known = [r for r in rs if r.value is not None and r.se and r.n >= FEW_PAIRS]
    if len(known) < 2:
        reason = f"pairs within a half must be {FEW_PAIRS} or more, and r within 0 to 1"
        missing = Estimate.missing(f"difference-atanh-r-{BY_HALF}", reason)
        return HalfDifference(first, second, missing, None)
    zetas = [math.atanh(r.value) for r in known]  # type: ignore[arg-type]
    se = math.hypot(*(r.se / (1 - r.value**2) for r in known))  # type: ignore[operator]
    value, n = zetas[1] - zetas[0], known[0].n + known[1].n
    difference = Estimate.normal(value, se, n, f"difference-atanh-r-{BY_HALF}")
    p = float(2 * norm.sf(abs(value) / se))
    return HalfDifference(first, second, difference, p)
