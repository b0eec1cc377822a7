"""A session in a few numbers: sensitivity, criterion, agreement, internal noise.

Where the data cannot tell a quantity, its estimate has no value and says why. Trials at
several contrasts are given by contrast and pooled; pooled d' and criterion come from
the pooled counts, so they describe the mixture of contrasts, not an average d'.
"""

from dataclasses import dataclass
from typing import Any

from ..double_pass.internal_noise import (
    CLOSED_FORM,
    NOT_TWO,
    InternalNoise,
    agreement,
    internal_noise_closed_form,
    pair_counts,
)
from ..double_pass.shared_responses import shared_r
from ..double_pass.smooth_thresholds import (
    consistent_share,
    from_share,
    internal_noise_by_agreement,
)
from ..sensitivity.by_task import (
    chose_first,
    criterion,
    dprime,
    pairs_chose_first,
    pairs_correct,
    pairs_said_yes,
    proportion_correct,
    said_yes,
)
from ..trials.estimate import Estimate
from ..trials.held import as_responses
from ..trials.responses import Responses, SessionLike
from ..trials.result import Cells, Result
from .quality import SessionQuality, session_quality


@dataclass(frozen=True)
class ConditionSummary(Result):
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
    pairs_correct
        Proportion correct of both showings of the pairs: what the agreement, and
        internal noise in closed form, rest on. With Wilson's interval.
    internal_noise
        By the likelihood of all showings, thresholds smooth in contrast.
    internal_noise_by_agreement
        From how often the passes agree, on the same thresholds.
    internal_noise_pooled
        The literature's closed form: all contrasts pooled to one proportion correct.
    chose_first, pairs_chose_first
        Where no response is correct: the share of first choices, of all trials and of
        both showings of the pairs, in the place of proportions correct; else None.
    said_yes, pairs_said_yes
        The same of yes/no and rating: the share of "yes", or of the upper half.
    """

    contrast: float | None
    n_trials: int
    dprime: Estimate
    criterion: Estimate
    proportion_correct: Estimate
    agreement: Estimate
    pairs_correct: Estimate
    internal_noise: InternalNoise
    internal_noise_by_agreement: InternalNoise
    internal_noise_pooled: InternalNoise
    chose_first: Estimate | None = None
    pairs_chose_first: Estimate | None = None
    said_yes: Estimate | None = None
    pairs_said_yes: Estimate | None = None

    @property
    def choices(self) -> tuple[str, Estimate] | None:
        """What was chosen how often, where no response is correct; else None."""
        if self.chose_first is not None:
            return "chose first", self.chose_first
        return None if self.said_yes is None else ("said yes", self.said_yes)

    def parts(self) -> dict[str, Any]:
        """Give the fields; shares of choices only where no response is correct."""
        shares = ("chose_first", "pairs_chose_first", "said_yes", "pairs_said_yes")
        return self._fields_but(*(s for s in shares if getattr(self, s) is None))

    def performance(self) -> Cells:
        """Give sensitivity and bias, or where no response is correct choices."""
        if self.choices is not None:
            name, share = self.choices
            return {name: share.short()}
        return {
            "d'": self.dprime.short(),
            "criterion": self.criterion.short(),
            "proportion correct": self.proportion_correct.short(),
        }


@dataclass(frozen=True)
class SessionSummary(Result):
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
    quality
        What was not shown as asked, and anticipations.
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
    quality: SessionQuality
    pooled: ConditionSummary
    by_contrast: tuple[ConditionSummary, ...]

    def table(self) -> list[Cells]:
        """Give one row: the values of all counted trials with their intervals."""
        pooled = self.pooled
        return [
            {
                "session": self.session,
                "observer": self.observer,
                "protocol": self.protocol,
                "trials": self.n_counted,
                "invalid": self.quality.short(),
                **pooled.performance(),
                "agreement": pooled.agreement.short(),
                "internal noise": pooled.internal_noise.gamma.short(),
                "by agreement": pooled.internal_noise_by_agreement.gamma.short(),
            }
        ]


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
    counted = as_responses(session)
    trials = session.trials
    main = trials["block_kind"].to_numpy() == "main"
    excluded, valid = (
        trials[name].to_numpy(bool)[main] for name in ("excluded", "valid")
    )
    missing = trials["response"].isna().to_numpy(bool)[main]
    r = shared_r(counted)
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
        quality=session_quality(session),
        pooled=_condition(counted, None, r),
        by_contrast=tuple(
            _condition(counted.where(counted.contrast == contrast), float(contrast), r)
            for contrast in counted.contrasts
        ),
    )


def _condition(part: Responses, contrast: float | None, r: float) -> ConditionSummary:
    """Give the numbers of some trials; `r` says what two showings share."""
    share = consistent_share(part)
    return ConditionSummary(
        contrast=contrast,
        n_trials=len(part),
        dprime=dprime(part, r=r),
        criterion=criterion(part, r),
        proportion_correct=proportion_correct(part, r),
        agreement=agreement(part),
        pairs_correct=pairs_correct(part, r),
        internal_noise=from_share(share.r),
        internal_noise_by_agreement=internal_noise_by_agreement(share),
        internal_noise_pooled=_pooled(part),
        chose_first=chose_first(part, r),
        pairs_chose_first=pairs_chose_first(part, r),
        said_yes=said_yes(part, r),
        pairs_said_yes=pairs_said_yes(part, r),
    )


def _pooled(part: Responses) -> InternalNoise:
    if part.n_alternatives > 2:
        reason, n = f"{NOT_TWO}, got {part.n_alternatives}", len(part.second_rows)
        return InternalNoise.missing(CLOSED_FORM, reason, n)
    return internal_noise_closed_form(pair_counts(part))
