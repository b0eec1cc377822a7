"""d', criterion and proportion correct of a session's responses, by its task's formula.

Where the data cannot tell a quantity, its estimate has no value and says why.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal, get_args

import numpy as np

from ..trials.counts import four_counts, shared_noise_effect
from ..trials.estimate import Z95, CannotTell, Estimate
from ..trials.held import as_responses
from ..trials.responses import Responses, SessionLike
from . import intervals, sdt

Interval = Literal["normal", "profile", "enumerated"]
INTERVALS = get_args(Interval)
FEW_TRIALS = 20
PROPORTION_CORRECT = "proportion-correct-wilson/1"


def dprime(source: SessionLike | Responses, interval: Interval = "normal") -> Estimate:
    """Estimate d' by the formula of the task: yes/no (also rating), 2AFC or mAFC.

    From the counts of all trials, pooled over contrasts. SE and interval allow for
    trials shown twice (`responses.design_effect`).

    Parameters
    ----------
    source
        A session, or the responses of some of its trials.
    interval
        'normal': value -+ 1.96 SE. 'profile': of the profile likelihood, better where
        d' is large, the criterion far out, or trials are few; two alternatives only.
        'enumerated': by enumeration of all counts, exact; without a double pass only.

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
    'dprime-2afc-loglinear/1'
    >>> yoked.dprime(session, interval="profile").formula
    'dprime-2afc-loglinear-profile/1'
    """
    responses = as_responses(source)
    if interval not in INTERVALS:
        rule = f"one of {', '.join(INTERVALS)}"
        raise ValueError(f"interval must be {rule}, got {interval!r}")
    if interval != "normal":
        return _with_interval(responses, interval)
    if responses.task == "mafc":
        return _dprime_mafc(responses)
    formula = sdt.DPRIME_2AFC if responses.task == "2afc" else sdt.DPRIME_YES_NO
    function = sdt.dprime_2afc if responses.task == "2afc" else sdt.dprime_from_counts
    return _from_counts(responses, function, formula)


def criterion(responses: Responses) -> Estimate:
    """Estimate the criterion of a yes/no or rating task, or the bias of a 2AFC task."""
    if responses.task == "mafc":
        reason = "a task of several alternatives has no single criterion"
        return Estimate.missing(sdt.CRITERION, reason, len(responses))
    if responses.task == "2afc":
        estimate = _from_counts(responses, sdt.interval_bias, sdt.INTERVAL_BIAS)
        biased = estimate.value is not None and abs(estimate.value) > sdt.STRONG_BIAS
        warning = (
            f"beyond -+{sdt.STRONG_BIAS} proportion correct under-states sensitivity"
        )
        return estimate.with_note(warning if biased else None)
    return _from_counts(responses, sdt.criterion_from_counts, sdt.CRITERION)


def proportion_correct(responses: Responses) -> Estimate:
    """Estimate the proportion correct, with Wilson's interval."""
    if not len(responses):
        return Estimate.missing(PROPORTION_CORRECT, "no trial counts")
    n_correct, effect = int(responses.correct.sum()), shared_noise_effect(responses)
    return sdt.proportion(n_correct, len(responses), PROPORTION_CORRECT, effect)


def _with_interval(responses: Responses, interval: str) -> Estimate:
    """Estimate d' of two alternatives with the interval that was asked for."""
    forced_choice = responses.is_forced_choice
    if responses.n_alternatives == 2 and len(np.unique(responses.target)) < 2:
        formula = intervals.FORMULAS[interval, forced_choice]
        return Estimate.missing(formula, "a class has no counted trial", len(responses))
    counts, effect = four_counts(responses), shared_noise_effect(responses)
    if interval == "profile":
        estimate = intervals.profile_dprime(*counts, forced_choice, effect)
        note = f"interval allows for trials shown twice (design effect {effect:.2f})"
        return estimate.with_note(note if effect > 1 else None)
    if len(responses.second_rows):
        n = len(responses.second_rows)
        rule = "shown once for an interval by enumeration"
        raise CannotTell(f"trials must be {rule}, got {n} shown twice")
    return intervals.enumerated_dprime(*counts, forced_choice)


def _from_counts(
    part: Responses, function: Callable[[int, int, int, int], Estimate], formula: str
) -> Estimate:
    """Apply a formula on four counts, or say which class has no trials."""
    n_target = [int((part.target == k).sum()) for k in (0, 1)]
    if not all(n_target):
        return Estimate.missing(formula, _without_trials(n_target), len(part))
    estimate = _widened(function(*four_counts(part)), shared_noise_effect(part))
    return estimate.with_note(*_limits(part))


def _dprime_mafc(part: Responses) -> Estimate:
    if not len(part):
        return Estimate.missing(sdt.DPRIME_MAFC, "no trial counts")
    n_correct = int(part.correct.sum())
    estimate = sdt.dprime_mafc(n_correct, len(part), part.n_alternatives)
    return _widened(estimate, shared_noise_effect(part)).with_note(*_limits(part))


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


def _widened(estimate: Estimate, effect: float) -> Estimate:
    """The estimate with its SE and interval for a design effect."""
    if effect == 1 or estimate.value is None or estimate.se is None:
        return estimate
    se = estimate.se * float(np.sqrt(effect))
    low, high = estimate.value - Z95 * se, estimate.value + Z95 * se
    note = f"SE allows for trials shown twice (design effect {effect:.2f})"
    return replace(estimate, se=se, low=low, high=high).with_note(note)
