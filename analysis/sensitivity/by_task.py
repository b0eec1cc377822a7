"""d', criterion and proportion correct of a session's responses, by its task's formula.

Where the data cannot tell a quantity, its estimate has no value and says why.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..trials.counts import four_counts, shared_noise_effect
from ..trials.estimate import Z95, Estimate
from ..trials.responses import Responses
from . import sdt

FEW_TRIALS = 20
PROPORTION_CORRECT = "proportion-correct-wilson/1"


def dprime(responses: Responses) -> Estimate:
    """Estimate d' by the formula of the task: yes/no (also rating), 2AFC or mAFC.

    The SE allows for trials shown twice (`responses.design_effect`).
    """
    if responses.task == "mafc":
        return _dprime_mafc(responses)
    formula = sdt.DPRIME_2AFC if responses.task == "2afc" else sdt.DPRIME_YES_NO
    function = sdt.dprime_2afc if responses.task == "2afc" else sdt.dprime
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
    return _from_counts(responses, sdt.criterion, sdt.CRITERION)


def proportion_correct(responses: Responses) -> Estimate:
    """Estimate the proportion correct, with Wilson's interval."""
    if not len(responses):
        return Estimate.missing(PROPORTION_CORRECT, "no trial counts")
    n_correct, effect = int(responses.correct.sum()), shared_noise_effect(responses)
    return sdt.proportion(n_correct, len(responses), PROPORTION_CORRECT, effect)


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
