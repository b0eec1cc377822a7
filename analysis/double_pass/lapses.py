"""Lapses: how often an observer guesses, and what is left of internal noise without.

On a lapse, of probability lambda on every showing, the response is a guess, equally
likely for every alternative, whatever is shown. Catch trials are so easy that an error
there is a lapse; of m alternatives a guess hits the target once in m:

    lambda = errors m / (m - 1).

Taken at face value lapses make internal noise look larger: at 75 % correct a gamma of 1
passes for 1.049, 1.125 and 1.259 with lapses of 2, 5 and 10 %. In the one likelihood
of showings (`showings.py`) lambda is a parameter like others, and the k errors of n
catch trials enter it as Binomial(n, lambda (m - 1) / m). It is profiled with
everything else, so its uncertainty is in every interval.

A prior keeps lambda from running off where catch trials are few: .25 log lambda +
5 log(1 - lambda), with logit lambda the parameter. It is worth five trials. A stronger
one, of 1 and 19, makes gamma 7 % too small where nobody lapses (.91 for .98 with 60
catch trials); none at all makes it .2 for 1 with 20 catch trials at 10 % lapses.

Without catch trials and at one or two contrasts nothing tells a lapse from noise. Then
lambda is not fitted: values are given for none and for 10 % lapses, as a range.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from ..trials.estimate import Estimate, mapped
from ..trials.proportion import proportion
from ..trials.responses import Responses, SessionLike
from ..trials.result import Result
from .consistency import LIMIT, LapseTerm, ShowingsFit, maximise
from .course import state_space
from .drift import ALMOST_FREE, ALPHA, course_thresholds, ratio_test
from .given import Given, given
from .previous import previous_columns
from .showings import FEW_CONTRASTS, Showings

LAPSE_RATE = "lapse-rate-catch-trials-wilson/1"
PRIOR = (0.25, 5.0)
JOINT = "lapse-rate-joint/1"
WITHOUT = "given-course-without-lapses/1"
ASSUMED = (0.0, 0.1)
RATES = (0.0, 0.003, 0.01, 0.03, 0.1, 0.2, 0.4, 0.6, 0.9)
NOTHING_TELLS = "there are neither catch trials nor three contrasts to tell lapses by"
HELD = "conditional on the course of the criterion, "
NO_CATCH = "no catch trial was answered"


def lapse_rate(session: SessionLike) -> Estimate:
    """Estimate how often the observer guesses, from the errors on catch trials.

    Catch trials that are valid, answered and not excluded; a trial without a response
    is no guess, and the note counts it. The interval is Wilson's of the errors.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> observer = yoked.load_observer("template")
    >>> session = yoked.run(protocol, observer, seed=1)  # with two catch trials a block
    >>> print(lapse_rate(session))
    0.000 SE 0.000 [0.000, 0.485] n=12 (lapse-rate-catch-trials-wilson/1)
    """
    seen, silent = _catch(session)
    note = f"{silent} catch trials had no response" if silent else None
    if seen is None:
        return Estimate.missing(LAPSE_RATE, note or NO_CATCH)
    errors = proportion(int((~seen.correct).sum()), len(seen), LAPSE_RATE)
    factor = seen.n_alternatives / (seen.n_alternatives - 1)
    found = mapped(errors, lambda e: min(factor * e, 1.0), LAPSE_RATE, factor)
    return found.with_note(note)


@dataclass(frozen=True)
class Lapses(Result):
    """What lapses do to d' and internal noise.

    Attributes
    ----------
    n_errors, n_catch
        On catch trials.
    rate
        Lambda, by catch trials and all responses together.
    without
        d' and internal noise of attentive showings, lambda fitted; None where nothing
        tells it.
    if_none, if_tenth
        The same if the observer never lapses, and on 10 % of showings: a range.
    """

    n_errors: int
    n_catch: int
    rate: Estimate
    without: Given | None
    if_none: Given
    if_tenth: Given


def lapses(session: SessionLike, counted: Responses) -> Lapses:
    """Fit the lapse rate together with everything else, or say what it could do.

    Parameters
    ----------
    session
        For its catch trials.
    counted
        Its responses.

    Raises
    ------
    CannotTell
        As for `criterion_course`.

    Examples
    --------
    >>> import yoked
    >>> from yoked.analysis.trials.responses import responses
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> observer = yoked.load_observer("template")
    >>> session = yoked.run(protocol, observer, seed=1)
    >>> found = lapses(session, responses(session))
    >>> found.n_errors, found.n_catch
    (0, 12)
    """
    counted.require_target()
    return fit_lapses(counted, *catch_errors(session))


def catch_errors(session: SessionLike) -> tuple[int, int]:
    """Return errors on catch trials, and how many were answered."""
    seen, _ = _catch(session)
    return (0, 0) if seen is None else (int((~seen.correct).sum()), len(seen))


def fit_lapses(counted: Responses, n_errors: int, n_catch: int) -> Lapses:
    """Do the same with errors on catch trials that are given as numbers.

    Raises
    ------
    CannotTell
        As for `criterion_course`.
    """
    thresholds = course_thresholds(counted)
    serial = _with_previous(thresholds, counted)
    if_none, if_tenth = (_held(serial, thresholds, counted, rate) for rate in ASSUMED)
    if not n_catch and len(counted.contrasts) <= FEW_CONTRASTS:
        rate = Estimate.missing(JOINT, NOTHING_TELLS)
        return Lapses(n_errors, n_catch, rate, None, if_none, if_tenth)
    term = LapseTerm(n_errors, n_catch, PRIOR)
    r = None if serial.n_pairs else 0.0
    course = state_space(serial, counted, r, None, term).showings
    estimand = HELD + "lapses taken off"
    held = (course, thresholds, counted)
    without, fit = given(estimand, *held, WITHOUT, None, term)
    rate = _rate(course, fit, LapseTerm(n_errors, n_catch), r)
    return Lapses(n_errors, n_catch, rate, without, if_none, if_tenth)


def _with_previous(thresholds: Showings, counted: Responses) -> Showings:
    """Add the trial before where it matters: with lapses two columns cost 10 %."""
    before, r = previous_columns(counted), None if thresholds.n_pairs else 0.0
    course = state_space(thresholds, counted, r).showings
    _, df, p = ratio_test(course, before, r, maximise(course, r))
    is_found = df > 0 and p < ALPHA
    return thresholds.with_columns(before, ALMOST_FREE) if is_found else thresholds


def _held(
    serial: Showings, thresholds: Showings, counted: Responses, rate: float
) -> Given:
    course = state_space(serial, counted, None if serial.n_pairs else 0.0, rate)
    words = "no lapses" if rate == 0 else f"lapses on {rate:.0%} of showings"
    formula = f"given-course-if-lapses-{round(100 * rate)}/1"
    held = (course.showings, thresholds, counted)
    return given(HELD + words, *held, formula, rate)[0]


def _rate(
    showings: Showings, fit: ShowingsFit, term: LapseTerm, r: float | None
) -> Estimate:
    """Give lambda with the interval of its profile likelihood, without the prior."""

    def profile(rate: float) -> float:
        value = maximise(showings, r, rate, start=fit).log_likelihood
        wrong = max(rate / 2, 1e-12)
        right = term.trials - term.errors
        return value + term.errors * np.log(wrong) + right * np.log1p(-wrong)

    # The maximum without the prior may lie elsewhere: at 0 where no pair disagrees.
    rates = sorted({*RATES, fit.lapse_rate})
    values = [profile(rate) for rate in rates]
    best = int(np.argmax(values))

    def excess(rate: float) -> float:
        return values[best] - profile(rate) - LIMIT

    def end(outward: list[float], edge: float) -> float:
        inner = rates[best]
        for rate in outward:
            if excess(rate) > 0:
                return float(brentq(excess, inner, rate, xtol=1e-4))  # type: ignore[arg-type]
            inner = rate
        return edge

    at = fit.lapse_rate
    low, high = end(rates[:best][::-1], 0.0), end(rates[best + 1 :], rates[-1])
    n = int(term.trials) + len(showings.yes)
    return Estimate(at, None, min(low, at), max(high, at), n, JOINT)


def _catch(session: SessionLike) -> tuple[Responses | None, int]:
    """Return valid catch trials that were answered, and how many were not."""
    trials = session.trials
    catch = trials["block_kind"].to_numpy() == "catch"
    shown = trials.loc[catch & trials["valid"] & ~trials["excluded"]]
    answered = shown.loc[shown["response"].notna()]
    silent = len(shown) - len(answered)
    if not len(answered):
        return None, silent
    task, n_responses = session.protocol.task, session.protocol.n_responses
    table = answered.assign(repeats=None) if "repeats" in answered else answered
    found = Responses.from_table(table, task.kind, n_responses, task.has_target)
    return found, silent
