"""d', criterion and proportion correct of a session's responses, by its task's formula.

Where the data cannot tell a quantity, its estimate has no value and says why.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal, get_args

import numpy as np

from ..double_pass.shared_responses import shared_r
from ..trials.counts import STRONG_BIAS, four_counts, loglinear_rate
from ..trials.estimate import CannotTell, Estimate
from ..trials.held import as_responses
from ..trials.proportion import proportion
from ..trials.responses import NO_TARGET, OF_MANY, Responses, SessionLike
from . import intervals, sdt
from .mover import shared_variance
from .sdt import Effects

Interval = Literal["mid-p", "profile", "enumerated"]
INTERVALS = get_args(Interval)
FEW_TRIALS = 20
PROPORTION_CORRECT = "proportion-correct-wilson/2"
PAIRS_CORRECT = "proportion-correct-of-pairs-wilson/1"
CHOSE_FIRST = "share-of-first-choices-wilson/1"
PAIRS_CHOSE_FIRST = "share-of-first-choices-of-pairs-wilson/1"
SAID_YES = "share-of-yes-wilson/1"
PAIRS_SAID_YES = "share-of-yes-of-pairs-wilson/1"
NO_PAIRS = "no trial was shown and answered twice"


def dprime(
    source: SessionLike | Responses,
    interval: Interval = "mid-p",
    r: float | None = None,
) -> Estimate:
    """Estimate d' by the formula of the task: yes/no (also rating), 2AFC or mAFC.

    Where patterns are identified it is that of mAFC, and there is none unless they are
    equally far from each other.

    From the counts of all trials, pooled over contrasts. SE and interval allow for
    trials shown twice.

    Parameters
    ----------
    source
        A session, or the responses of some of its trials.
    interval
        'mid-p': put together from the mid-P limits of the rates; holds at any d', and
        has no upper end where a class has no error. 'profile': of the profile
        likelihood; two alternatives only. 'enumerated': by enumeration of all counts,
        exact; two alternatives, without a double pass only.
    r
        Correlation of the decision variables of two showings, by which trials shown
        twice count; that of these responses by default.

    Raises
    ------
    ValueError
        If the interval is none of these.
    CannotTell
        If the interval is not defined for the task, or for trials shown twice.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> observer = yoked.load_observer("template")
    >>> session = yoked.run(protocol, observer, seed=1, trials=300, contrast=0.15)
    >>> yoked.dprime(session).formula
    'dprime-2afc-loglinear/2'
    >>> yoked.dprime(session, interval="profile").formula
    'dprime-2afc-loglinear-profile/2'
    """
    responses = as_responses(source)
    if interval not in INTERVALS:
        rule = f"one of {', '.join(INTERVALS)}"
        raise ValueError(f"interval must be {rule}, got {interval!r}")
    if not responses.has_target:
        formula = _of_task(responses, sdt.DPRIME_2AFC, sdt.DPRIME_YES_NO)
        return Estimate.missing(formula, NO_TARGET, len(responses))
    if interval != "mid-p":
        return _with_interval(responses, interval, r)
    if responses.task in OF_MANY:
        return _dprime_mafc(responses, r)
    formula = sdt.DPRIME_2AFC if responses.task == "2afc" else sdt.DPRIME_YES_NO
    function = sdt.dprime_2afc if responses.task == "2afc" else sdt.dprime_from_counts
    return _from_counts(responses, function, formula, r)


def criterion(responses: Responses, r: float | None = None) -> Estimate:
    """Estimate the criterion of a yes/no or rating task, or the bias of a 2AFC task.

    Parameters
    ----------
    r
        As for `dprime`.
    """
    if not responses.has_target:
        formula = _of_task(responses, sdt.INTERVAL_BIAS, sdt.CRITERION)
        return Estimate.missing(formula, NO_TARGET, len(responses))
    if responses.task in OF_MANY:
        reason = "a task of several alternatives has no single criterion"
        return Estimate.missing(sdt.CRITERION, reason, len(responses))
    if responses.task == "2afc":
        estimate = _from_counts(responses, sdt.interval_bias, sdt.INTERVAL_BIAS, r)
        biased = estimate.value is not None and abs(estimate.value) > STRONG_BIAS
        warning = f"beyond -+{STRONG_BIAS} proportion correct under-states sensitivity"
        return estimate.with_note(warning if biased else None)
    return _from_counts(responses, sdt.criterion_from_counts, sdt.CRITERION, r)


def proportion_correct(
    responses: Responses, r: float | None = None, formula: str = PROPORTION_CORRECT
) -> Estimate:
    """Estimate the proportion correct, with Wilson's interval.

    Parameters
    ----------
    r
        As for `dprime`.
    formula
        Name of what the trials are.
    """
    if not len(responses):
        return Estimate.missing(formula, "no trial counts")
    if not responses.has_target:
        return Estimate.missing(formula, NO_TARGET, len(responses))
    return _share_correct(responses, r, formula)


def chose_first(responses: Responses, r: float | None = None) -> Estimate | None:
    """Estimate how often the first alternative was chosen, where none is correct.

    Internal noise rests on it, where the proportion correct is what it rests on in
    other tasks; None in these.

    Parameters
    ----------
    r
        As for `dprime`.
    """
    if responses.has_target or not responses.is_forced_choice:
        return None
    return _share_of(responses, 0, r, CHOSE_FIRST)


def said_yes(responses: Responses, r: float | None = None) -> Estimate | None:
    """Estimate the share of "yes" (of ratings in the upper half), likewise."""
    if responses.has_target or responses.is_forced_choice:
        return None
    return _share_of(responses, 1, r, SAID_YES)


def pairs_chose_first(responses: Responses, r: float | None = None) -> Estimate | None:
    """Estimate the share of first choices of the pairs of a double pass alone."""
    if responses.has_target or not responses.is_forced_choice:
        return None
    return _share_of_pairs(responses, 0, r, PAIRS_CHOSE_FIRST)


def pairs_said_yes(responses: Responses, r: float | None = None) -> Estimate | None:
    """Estimate the share of "yes" of the pairs of a double pass alone."""
    if responses.has_target or responses.is_forced_choice:
        return None
    return _share_of_pairs(responses, 1, r, PAIRS_SAID_YES)


def pairs_correct(responses: Responses, r: float | None = None) -> Estimate:
    """Estimate the proportion correct of the pairs of a double pass, both showings.

    Agreement rests on it, and not on that of all trials: where pairs were shown at
    other contrasts, or at another time, than the rest, the two differ.

    Parameters
    ----------
    r
        As for `dprime`.

    Examples
    --------
    >>> import yoked
    >>> from yoked.analysis.trials.responses import responses
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> observer = yoked.load_observer("template")
    >>> session = yoked.run(protocol, observer, seed=1, trials=300, contrast=0.15)
    >>> pairs_correct(responses(session)).n
    200
    """
    if not len(responses.second_rows):
        return Estimate.missing(PAIRS_CORRECT, NO_PAIRS)
    return proportion_correct(_of_pairs(responses), r, PAIRS_CORRECT)


def _of_task(responses: Responses, forced_choice: str, yes_no: str) -> str:
    """Give the name of a formula that the task would have with a target."""
    return forced_choice if responses.is_forced_choice else yes_no


def _share_of(
    responses: Responses, response: int, r: float | None, formula: str
) -> Estimate:
    """Estimate the share of one response; it is taken for the correct one."""
    if not len(responses):
        return Estimate.missing(formula, "no trial counts")
    target = np.full_like(responses.target, response)
    return _share_correct(replace(responses, target=target), r, formula)


def _share_of_pairs(
    responses: Responses, response: int, r: float | None, formula: str
) -> Estimate:
    if not len(responses.second_rows):
        return Estimate.missing(formula, NO_PAIRS)
    return _share_of(_of_pairs(responses), response, r, formula)


def _share_correct(responses: Responses, r: float | None, formula: str) -> Estimate:
    n_correct = int(responses.correct.sum())
    effect = _effect_on_correct(responses, r)
    return proportion(n_correct, len(responses), formula, effect)


def _of_pairs(responses: Responses) -> Responses:
    """Return the trials of the pairs of a double pass."""
    second = responses.second_rows
    rows = np.zeros(len(responses), bool)
    rows[second] = rows[responses.first[second]] = True
    return responses.where(rows)


def shared_effects(responses: Responses, r: float | None = None) -> Effects:
    """Return by how much trials shown twice raise the variance of each class's count.

    Parameters
    ----------
    responses
        Of a task of two alternatives, with trials of both classes.
    r
        As for `dprime`.

    Returns
    -------
    tuple
        Of the class that plays the signal, and of the other, as `four_counts` has them;
        1 without pairs.
    """
    signal = 0 if responses.task == "2afc" else 1
    r = shared_r(responses) if r is None else r
    effects = [
        _effect_of(responses, responses.target == target, responses.response == 1, r)
        for target in (signal, 1 - signal)
    ]
    return effects[0], effects[1]


def _effect_on_correct(responses: Responses, r: float | None) -> float:
    """The same of the count of correct responses over all classes."""
    r = shared_r(responses) if r is None else r
    if responses.n_alternatives > 2:
        every = np.ones(len(responses), bool)
        return _effect_of(responses, every, responses.correct, r)
    classes = [responses.target == target for target in (0, 1)]
    n = np.array([rows.sum() for rows in classes])
    rate, effect = np.array(
        [
            (
                loglinear_rate(int(responses.correct[rows].sum()), int(rows.sum())),
                _effect_of(responses, rows, responses.correct, r),
            )
            for rows in classes
            if rows.any()
        ]
    ).T
    variance = n[n > 0] * rate * (1 - rate)
    return float(variance @ effect / variance.sum())


def _effect_of(
    responses: Responses, rows: np.ndarray, yes: np.ndarray, r: float
) -> float:
    """Variance of the count of one response in a class, relative to no pairs."""
    second = responses.second_rows
    n, n_pairs = int(rows.sum()), int(rows[second].sum())
    if not n_pairs:
        return 1.0
    return shared_variance(loglinear_rate(int(yes[rows].sum()), n), 2 * n_pairs / n, r)


def _with_interval(responses: Responses, interval: str, r: float | None) -> Estimate:
    """Estimate d' of two alternatives with the interval that was asked for."""
    forced_choice = responses.is_forced_choice
    if responses.n_alternatives == 2 and len(np.unique(responses.target)) < 2:
        formula = intervals.FORMULAS[interval, forced_choice]
        return Estimate.missing(formula, "a class has no counted trial", len(responses))
    counts = four_counts(responses)
    if interval == "profile":
        effects = shared_effects(responses, r)
        estimate = intervals.profile_dprime(*counts, forced_choice, effects)
        return estimate.with_note(_shared_note(*effects))
    if len(responses.second_rows):
        n = len(responses.second_rows)
        rule = "shown once for an interval by enumeration"
        raise CannotTell(f"trials must be {rule}, got {n} shown twice")
    return intervals.enumerated_dprime(*counts, forced_choice)


def _from_counts(
    part: Responses, function: Callable[..., Estimate], formula: str, r: float | None
) -> Estimate:
    """Apply a formula on four counts, or say which class has no trials."""
    n_target = [int((part.target == k).sum()) for k in (0, 1)]
    if not all(n_target):
        return Estimate.missing(formula, _without_trials(n_target), len(part))
    effects = shared_effects(part, r)
    estimate = function(*four_counts(part), effects=effects)
    return estimate.with_note(_shared_note(*effects), *_limits(part))


def _dprime_mafc(part: Responses, r: float | None) -> Estimate:
    if not len(part):
        return Estimate.missing(sdt.DPRIME_MAFC, "no trial counts")
    if part.no_dprime is not None:
        return Estimate.missing(sdt.DPRIME_MAFC, part.no_dprime, len(part))
    n_correct, effect = int(part.correct.sum()), _effect_on_correct(part, r)
    estimate = sdt.dprime_mafc(n_correct, len(part), part.n_alternatives, effect)
    return estimate.with_note(_shared_note(effect), *_limits(part))


def _shared_note(*effects: float) -> str | None:
    """Say by how much trials shown twice widen what is estimated, if they do."""
    if max(effects) == 1:
        return None
    shown = " and ".join(dict.fromkeys(f"{effect:.2f}" for effect in effects))
    return f"SE and interval allow for trials shown twice (variance x {shown})"


def _without_trials(n_target: list[int]) -> str:
    if not any(n_target):
        return "no trial counts"
    return f"no counted trial has target {n_target.index(0)}"


def _limits(part: Responses) -> list[str]:
    """Sentences about what the trials of a d' or criterion can bear."""
    sentences = []
    if len(part.contrasts) > 1:
        sentences.append(f"from counts pooled over {len(part.contrasts)} contrasts")
    if np.ptp(part.response) == 0:
        sentences.append(
            f"every response was {part.response[0]}: the value rests on the correction"
        )
    elif part.correct.all() or not part.correct.any():
        word = "correct" if part.correct[0] else "incorrect"
        sentences.append(
            f"every response was {word}: the value rests on the correction"
        )
    if len(part) < FEW_TRIALS:
        sentences.append(f"only {len(part)} trials")
    return sentences
