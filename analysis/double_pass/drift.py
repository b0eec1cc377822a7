"""Does the criterion drift, does it follow the trial before, and what is left of both.

Tests are likelihood ratios. Drift is tested by a spline of time and by levels of
blocks, the trial before being in the model; p is corrected for the two by Holm's method
[1]_. Dependence on the trial before is tested with the course of the criterion in the
model, since drift looks like dependence: of a line of .7 SDs a test without course
makes a dependence in 35 % of sessions.

Two sets of values stand side by side, and they are of different things. With a constant
criterion r is the share of everything in the decision variable that returned, the
criterion's own movement counted as internal noise. Conditional on the course of the
criterion, and on the trial before, it is what returned about that course. Where drift
or dependence is found, the conditional values come first.

References
----------
.. [1] Holm (1979), Scand. J. Statist. 6, 65-70.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import chi2

from ..trials.estimate import CannotTell, Estimate
from ..trials.held import as_responses
from ..trials.responses import Responses, SessionLike
from ..trials.result import Result
from .consistency import ShowingsFit, maximise
from .course import StateSpace, block_columns, spline_columns, state_space
from .given import Given, given
from .previous import previous_columns
from .showings import NOT_TWO, Showings
from .smooth_thresholds import smooth_thresholds

CONSTANT, CONDITIONAL = "constant-criterion/1", "given-course/1"
HELD = "conditional on the course of the criterion and on the trial before"
SERIAL = "previous-trial-given-course/1"
LEAST_TRIALS, LEAST_CONTRARY = 100, 10
ALPHA = 0.05
ALMOST_FREE = 1e-4  # precision: columns that are 0 throughout leave a fit in place
POINTS = 121  # of a course that is written out


@dataclass(frozen=True)
class CourseTest(Result):
    """A likelihood-ratio test of thresholds against some with further columns.

    Attributes
    ----------
    statistic
        Twice the difference of log likelihoods.
    df
        Columns added.
    p
        By chi-squared.
    p_holm
        Corrected for the tests that are made together, by Holm's method.
    """

    statistic: float
    df: int
    p: float
    p_holm: float


@dataclass(frozen=True)
class PreviousTrial(Result):
    """What the trial before does to the threshold, the course of the criterion held.

    Attributes
    ----------
    response, stimulus
        Decision SDs that "yes" (in a forced choice, "second") and a target (in the
        second interval) on the trial before add; each given the other.
    statistic, df, p
        Of both, by likelihood ratio.
    """

    response: Estimate
    stimulus: Estimate
    statistic: float
    df: int
    p: float


@dataclass(frozen=True, eq=False)
class Course(Result):
    """The criterion's course about its mean, with the sign of `criterion`.

    Above 0 for fewer "yes"; in a forced choice for more "second".

    Attributes
    ----------
    trial
        Numbers of trials, at most 121, evenly spread.
    value, low, high
        Decision SDs, and a pointwise 95 % band; 0 throughout where no course is found.
    size
        Of the course, by evidence.
    """

    trial: np.ndarray
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    size: float


@dataclass(frozen=True, eq=False)
class CriterionCourse(Result):
    """Drift and dependence of the criterion; values with it constant and given it.

    Attributes
    ----------
    spline, blocks
        Tests for drift; `blocks` is None where there is one block, or they are short.
    previous
        Dependence on the trial before.
    constant, conditional
        d' and internal noise, two estimands.
    first
        Which of the two to read first: "conditional" where a test has p < .05.
    course
        As fitted.
    """

    spline: CourseTest
    blocks: CourseTest | None
    previous: PreviousTrial
    constant: Given
    conditional: Given
    first: Literal["constant", "conditional"]
    course: Course


def criterion_course(source: SessionLike | Responses) -> CriterionCourse:
    """Test the criterion of a session for drift, and give d' and noise beside it.

    Parameters
    ----------
    source
        A session, or the responses of some of its trials. Times and blocks are those
        of the trial log.

    Raises
    ------
    CannotTell
        If there are more than two alternatives or no correct answer, fewer than 100
        trials, or fewer than ten responses of the rarer kind, within the classes.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> observer = yoked.load_observer("template")
    >>> session = yoked.run(protocol, observer, seed=1, trials=300, contrast=0.15)
    >>> criterion_course(session).conditional.estimand
    'conditional on the course of the criterion and on the trial before'
    """
    responses = as_responses(source)
    responses.require_target()
    thresholds = course_thresholds(responses)
    before = previous_columns(responses)
    serial = thresholds.with_columns(before, ALMOST_FREE)
    fixed = None if serial.n_pairs else 0.0
    spline, blocks = _tests(serial, responses, fixed)
    with_course = state_space(serial, responses, fixed)
    words = "constant criterion"
    constant, _ = given(words, thresholds, thresholds, responses, CONSTANT)
    held = (with_course.showings, thresholds, responses)
    conditional, fit = given(HELD, *held, CONDITIONAL)
    previous = _previous(thresholds, before, with_course, fit, fixed)
    p = min([test.p_holm for test in (spline, blocks) if test] + [previous.p])
    return CriterionCourse(
        spline=spline,
        blocks=blocks,
        previous=previous,
        constant=constant,
        conditional=conditional,
        first="conditional" if p < ALPHA else "constant",
        course=_course(responses, with_course, fit),
    )


def course_thresholds(responses: Responses) -> Showings:
    """Return the thresholds of a session that is long enough for a course.

    Raises
    ------
    CannotTell
        As for `criterion_course`.
    """
    if responses.n_alternatives > 2:
        raise CannotTell(f"{NOT_TWO}, got {responses.n_alternatives}")
    if len(responses) < LEAST_TRIALS:
        rule = f"{LEAST_TRIALS} or more to tell a course of the criterion"
        raise CannotTell(f"trials must be {rule}, got {len(responses)}")
    yes = responses.response == 1
    n, n_yes = (np.bincount(responses.target, part) for part in (None, yes))
    contrary = int(np.minimum(n_yes, n - n_yes).sum())
    if contrary < LEAST_CONTRARY:
        rule = f"of the rarer kind {LEAST_CONTRARY} times or more to tell a course"
        raise CannotTell(f"responses must be {rule}, got {contrary}")
    return smooth_thresholds(responses)[0]


def ratio_test(
    without: Showings, columns: np.ndarray, r: float | None, start: ShowingsFit
) -> tuple[float, int, float]:
    """Return statistic, degrees of freedom and p of columns added to thresholds."""
    after = maximise(without.with_columns(columns), r).log_likelihood
    statistic = max(2 * (after - start.log_likelihood), 0.0)
    free = without.precision[: without.base.shape[1]] <= ALMOST_FREE
    own = without.base[:, free]
    df = int(np.linalg.matrix_rank(np.column_stack([own, columns])))
    df -= int(np.linalg.matrix_rank(own))
    return statistic, df, float(chi2.sf(statistic, df)) if df else 1.0


def _tests(
    serial: Showings, responses: Responses, r: float | None
) -> tuple[CourseTest, CourseTest | None]:
    start = maximise(serial, r)
    found = [ratio_test(serial, spline_columns(responses), r, start)]
    levels = block_columns(responses)[:, 1:]
    if levels.shape[1]:
        found.append(ratio_test(serial, levels, r, start))
    adjusted = holm([p for _, _, p in found])
    tests = [CourseTest(*one, p) for one, p in zip(found, adjusted, strict=True)]
    return tests[0], tests[1] if len(tests) > 1 else None


def holm(p: list[float]) -> list[float]:
    """Return one or two p values, corrected for each other by Holm's method."""
    smallest = min(1.0, len(p) * min(p))
    return [smallest if each == min(p) else max(each, smallest) for each in p]


def _previous(
    thresholds: Showings,
    before: np.ndarray,
    with_course: StateSpace,
    fit: ShowingsFit,
    r: float | None,
) -> PreviousTrial:
    """Test the trial before, the size of the course held."""
    n_own, n_course = thresholds.base.shape[1], with_course.columns.shape[1]
    end = n_own + 2 + n_course
    precision = with_course.showings.precision[n_own + 2 : end]
    without = thresholds.with_columns(with_course.columns, precision)
    after = maximise(with_course.showings, r).log_likelihood
    statistic = max(2 * (after - maximise(without, r).log_likelihood), 0.0)
    df = int(np.linalg.matrix_rank(before)) if before.any() else 0
    k = len(fit.theta)
    variance = np.diag(np.linalg.pinv(fit.information[:k, :k]))[n_own : n_own + 2]
    se = np.sqrt(np.maximum(variance, 0))
    n = int((before[:, 0] != 0).sum())
    response, stimulus = (
        Estimate.normal(float(value), float(error), n, f"{name}-{SERIAL}")
        for name, value, error in zip(
            ("response", "stimulus"), fit.theta[n_own : n_own + 2], se, strict=True
        )
    )
    p = float(chi2.sf(statistic, df)) if df else 1.0
    return PreviousTrial(response, stimulus, statistic, df, p)


def _course(responses: Responses, with_course: StateSpace, fit: ShowingsFit) -> Course:
    rows = np.unique(np.linspace(0, len(responses) - 1, POINTS).astype(int))
    sign = 1.0 if responses.is_forced_choice else -1.0
    value, se = sign * with_course.course(fit), with_course.course_se(fit)
    return Course(
        trial=responses.trial[rows],
        value=value[rows],
        low=(value - 1.96 * se)[rows],
        high=(value + 1.96 * se)[rows],
        size=with_course.size,
    )
