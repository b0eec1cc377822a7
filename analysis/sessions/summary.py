"""A session in a few numbers: sensitivity, criterion, agreement, internal noise.

Where the data cannot tell a quantity, its estimate has no value and says why. Trials at
several contrasts are given by contrast and pooled; pooled d' and criterion come from
the pooled counts, so they describe the mixture of contrasts, not an average d'.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from ..double_pass.internal_noise import (
    CLOSED_FORM,
    LIKELIHOOD,
    NOT_TWO,
    STRONG_BIAS,
    InternalNoise,
    agreement,
    internal_noise_closed_form,
    internal_noise_likelihood,
    pair_counts,
)
from ..sensitivity import sdt
from ..trials.counts import four_counts, shared_noise_effect
from ..trials.estimate import Z95, Estimate
from ..trials.responses import Choices, SessionLike, choices

FEW_TRIALS = 20
PROPORTION_CORRECT = "proportion-correct-wilson/1"


@dataclass(frozen=True)
class ConditionSummary:
    """The numbers of one contrast, or of all trials.

    Attributes
    ----------
    contrast
        None for all trials pooled.
    n_trials
        Trials that count.
    dprime
        By the formula of the task.
    criterion
        Yes/no and rating: c, above 0 for fewer "yes". 2AFC: interval bias, above 0 for
        more "second".
    proportion_correct, agreement
        Uncorrected, with Wilson's interval.
    internal_noise
        In closed form from agreement; pooled over contrasts where there are several.
    internal_noise_likelihood
        By bivariate probit with a mean of its own for each contrast.
    """

    contrast: float | None
    n_trials: int
    dprime: Estimate
    criterion: Estimate
    proportion_correct: Estimate
    agreement: Estimate
    internal_noise: InternalNoise
    internal_noise_likelihood: InternalNoise

    def to_dict(self) -> dict[str, Any]:
        """Give the numbers as JSON can hold them."""
        return {f.name: _plain(getattr(self, f.name)) for f in fields(self)}


@dataclass(frozen=True)
class SessionSummary:
    """A session in numbers.

    Attributes
    ----------
    session, observer, protocol, task
        Id, and names.
    n_trials
        Trials of main blocks in the log; the following three are not counted, in this
        order of precedence.
    n_excluded, n_invalid, n_missing
        Excluded by somebody; shown with bad timing; without a response.
    n_counted
        What all numbers rest on.
    n_pairs
        Counted trials that repeat a counted trial.
    pooled
        All counted trials.
    by_contrast
        The same at each contrast, rising.
    """

    session: str
    observer: str
    protocol: str
    task: str
    n_trials: int
    n_excluded: int
    n_invalid: int
    n_missing: int
    n_counted: int
    n_pairs: int
    pooled: ConditionSummary
    by_contrast: tuple[ConditionSummary, ...]

    def to_dict(self) -> dict[str, Any]:
        """Give the summary as JSON can hold it: no NaN, no infinity.

        A number that is not there is None, and the `note` beside it says why.
        """
        return {f.name: _plain(getattr(self, f.name)) for f in fields(self)}


def summarise(session: SessionLike) -> SessionSummary:
    """Return the numbers of a session, pooled and by contrast.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> observer = yoked.load_observer("template")
    >>> session = yoked.run(protocol, observer, seed=1, trials=300, contrast=0.15)
    >>> summary = yoked.summarise(session)
    >>> summary.n_counted, summary.n_pairs
    (300, 100)
    >>> print(summary.pooled.agreement)  # this template has no internal noise
    1.000 SE 0.000 [0.963, 1.000] n=100 (agreement-wilson/1)
    """
    counted = choices(session)
    trials = session.trials
    main = trials["block_kind"].to_numpy() == "main"
    excluded, valid = (
        trials[name].to_numpy(bool)[main] for name in ("excluded", "valid")
    )
    missing = trials["response"].isna().to_numpy(bool)[main]
    return SessionSummary(
        session=session.id,
        observer=session.observer,
        protocol=session.protocol.name,
        task=counted.task,
        n_trials=int(main.sum()),
        n_excluded=int(excluded.sum()),
        n_invalid=int((~excluded & ~valid).sum()),
        n_missing=int((~excluded & valid & missing).sum()),
        n_counted=len(counted),
        n_pairs=len(counted.second_rows),
        pooled=_condition(counted, None),
        by_contrast=tuple(
            _condition(counted.where(counted.contrast == contrast), float(contrast))
            for contrast in counted.contrasts
        ),
    )


def session_dprime(session: SessionLike) -> Estimate:
    """Estimate d' of a session by the formula of its task, from pooled counts.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> observer = yoked.load_observer("template")
    >>> session = yoked.run(protocol, observer, seed=1, trials=300, contrast=0.15)
    >>> yoked.dprime(session).formula
    'dprime-2afc-loglinear/1'
    """
    return dprime(choices(session))


def session_agreement(session: SessionLike) -> Estimate:
    """Estimate how often a session's double pass got the same answer twice.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> guesser = yoked.load_observer("guesser")
    >>> session = yoked.run(protocol, guesser, seed=1, trials=300, contrast=0.15)
    >>> agreement = yoked.agreement(session)
    >>> agreement.low < 0.5 < agreement.high
    True
    """
    return agreement(choices(session))


def dprime(choices: Choices) -> Estimate:
    """Estimate d' by the formula of the task: yes/no (also rating), 2AFC or mAFC.

    The SE allows for trials shown twice (`choices.design_effect`).
    """
    if choices.task == "mafc":
        return _dprime_mafc(choices)
    formula = sdt.DPRIME_2AFC if choices.task == "2afc" else sdt.DPRIME_YES_NO
    function = sdt.dprime_2afc if choices.task == "2afc" else sdt.dprime
    return _from_counts(choices, function, formula)


def criterion(choices: Choices) -> Estimate:
    """Estimate the criterion of a yes/no or rating task, or the bias of a 2AFC task."""
    if choices.task == "mafc":
        reason = "a task of several alternatives has no single criterion"
        return Estimate.missing(sdt.CRITERION, reason, len(choices))
    if choices.task == "2afc":
        estimate = _from_counts(choices, sdt.interval_bias, sdt.INTERVAL_BIAS)
        biased = estimate.value is not None and abs(estimate.value) > STRONG_BIAS
        warning = f"beyond -+{STRONG_BIAS} proportion correct under-states sensitivity"
        return estimate.with_note(warning if biased else None)
    return _from_counts(choices, sdt.criterion, sdt.CRITERION)


def proportion_correct(choices: Choices) -> Estimate:
    """Estimate the proportion correct, with Wilson's interval."""
    if not len(choices):
        return Estimate.missing(PROPORTION_CORRECT, "no trial counts")
    n_correct, effect = int(choices.correct.sum()), shared_noise_effect(choices)
    return sdt.proportion(n_correct, len(choices), PROPORTION_CORRECT, effect)


def _condition(part: Choices, contrast: float | None) -> ConditionSummary:
    closed_form, likelihood = _internal_noise(part)
    return ConditionSummary(
        contrast=contrast,
        n_trials=len(part),
        dprime=dprime(part),
        criterion=criterion(part),
        proportion_correct=proportion_correct(part),
        agreement=agreement(part),
        internal_noise=closed_form,
        internal_noise_likelihood=likelihood,
    )


def _internal_noise(part: Choices) -> tuple[InternalNoise, InternalNoise]:
    if part.n_alternatives > 2:
        reason, n = f"{NOT_TWO}, got {part.n_alternatives}", len(part.second_rows)
        closed_form, likelihood = (
            InternalNoise.missing(formula, reason, n)
            for formula in (CLOSED_FORM, LIKELIHOOD)
        )
        return closed_form, likelihood
    return (
        internal_noise_closed_form(pair_counts(part)),
        internal_noise_likelihood(pair_counts(part, by_contrast=True)),
    )


def _from_counts(
    part: Choices, function: Callable[[int, int, int, int], Estimate], formula: str
) -> Estimate:
    """Apply a formula on four counts, or say which class has no trials."""
    n_target = [int((part.target == k).sum()) for k in (0, 1)]
    if not all(n_target):
        return Estimate.missing(formula, _without_trials(n_target), len(part))
    estimate = _widened(function(*four_counts(part)), shared_noise_effect(part))
    return estimate.with_note(*_limits(part))


def _dprime_mafc(part: Choices) -> Estimate:
    if not len(part):
        return Estimate.missing(sdt.DPRIME_MAFC, "no trial counts")
    n_correct = int(part.correct.sum())
    estimate = sdt.dprime_mafc(n_correct, len(part), part.n_alternatives)
    return _widened(estimate, shared_noise_effect(part)).with_note(*_limits(part))


def _without_trials(n_target: list[int]) -> str:
    if not any(n_target):
        return "no trial counts"
    return f"no counted trial has target {n_target.index(0)}"


def _limits(part: Choices) -> list[str]:
    """Sentences about what the trials of a d' or criterion can bear."""
    sentences = []
    if len(part.contrasts) > 1:
        sentences.append(f"from counts pooled over {len(part.contrasts)} contrasts")
    if np.ptp(part.choice) == 0:
        sentences.append(
            f"every response was {part.choice[0]}: the value rests on the correction"
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


def _plain(value: object) -> object:
    """A number, text, estimate or group of them, as JSON can hold it."""
    if isinstance(value, Estimate | ConditionSummary):
        return value.to_dict()
    if isinstance(value, InternalNoise):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    return [_plain(part) for part in value] if isinstance(value, tuple) else value
