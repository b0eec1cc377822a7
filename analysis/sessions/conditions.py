"""A session's conditions side by side, and how each differs from the first.

Each condition is summarised as a session of its own; nothing is pooled over them.
Differences of d' take conditions for independent: targets are drawn for each by itself,
also where two share the draws of their noise. Kernels are compared draw by draw there.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from ..double_pass.shared_responses import shared_r
from ..kernels.equality import KernelEquality, equal_kernels
from ..kernels.weighted_sum import first_order_kernel
from ..psychometric.fit import PsychometricSettings
from ..sensitivity.by_task import criterion, dprime, proportion_correct
from ..trials.attempts import Attempts
from ..trials.estimate import Estimate
from ..trials.held import Held
from ..trials.responses import SessionLike
from ..trials.result import Cells, Result, short
from .psychometric import psychometric

DIFFERENCE = "difference-square-and-add/1"
RATIO = "ratio-square-and-add/1"
_MOST_LOG = 700.0  # of a finite ratio
_OPEN = "∞: every answer to one target was the same; more trials close the interval"


@dataclass(frozen=True, eq=False)
class ConditionResult(Result):
    """What one condition says.

    Attributes
    ----------
    condition
        Its name.
    noise_sd
        SD of its noise, contrast.
    n_trials
        Trials that count.
    dprime, criterion, proportion_correct
        By the formula of the task, over the condition's contrasts together.
    threshold
        Contrast at the middle of the psychometric function, of three contrasts or more.
    kernel, kernel_se
        Weighted sum of class means in noise contrast, and its standard error, (frame,
        row, column); None where there is none.
    missing
        Why a part has no value, by its name.
    """

    condition: str
    noise_sd: float
    n_trials: int
    dprime: Estimate
    criterion: Estimate
    proportion_correct: Estimate
    threshold: Estimate | None
    kernel: Float[np.ndarray, " frame row column"] | None
    kernel_se: Float[np.ndarray, " frame row column"] | None
    missing: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class ConditionDifference(Result):
    """How a condition differs from the first.

    Attributes
    ----------
    condition, reference
        Names.
    dprime, criterion, proportion_correct
        Differences, condition minus reference.
    threshold_ratio
        Threshold of the condition over that of the reference.
    kernels
        The test that its kernel is that of `kernel_reference`, in decision SDs per
        noise SD, draw by draw where they share draws: with another SD of its noise, an
        observer with internal noise of a fixed SD has a kernel of the same shape
        (`p_shape`) but another amplitude. None where `missing` says why, or none was
        asked for.
    kernel_reference
        Name of the first condition that has a kernel, where this is another one.
    missing
        Why a part has no value, by its name.
    """

    condition: str
    reference: str
    dprime: Estimate
    criterion: Estimate
    proportion_correct: Estimate
    threshold_ratio: Estimate | None
    kernels: KernelEquality | None
    kernel_reference: str | None
    missing: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Conditions(Result):
    """A session by condition.

    Attributes
    ----------
    session, observer, protocol
        Id, and names.
    conditions
        One each, in the protocol's order.
    differences
        Of each from the first.
    """

    session: str
    observer: str
    protocol: str
    conditions: tuple[ConditionResult, ...]
    differences: tuple[ConditionDifference, ...]

    def table(self) -> list[Cells]:
        """Give a row for each condition, with its difference in d' from the first."""
        others = {each.condition: each for each in self.differences}
        compared = any(each.kernels is not None for each in self.differences)
        return [
            _row(each, others.get(each.condition), compared) for each in self.conditions
        ]


def conditions(parts: Mapping[str, SessionLike], kernels: bool = True) -> Conditions:
    """Return the results of each condition of a session, and their differences.

    Parameters
    ----------
    parts
        The session by condition, as `yoked.by_condition` gives it.
    kernels
        Whether to estimate first-order kernels, too.

    Raises
    ------
    ValueError
        If there are no conditions.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("equivalent-noise").with_options(300)
    >>> session = yoked.run(protocol, yoked.load_observer("template"), seed=1)
    >>> found = conditions(yoked.by_condition(session), kernels=False)
    >>> [(each.condition, each.n_trials) for each in found.conditions][:2]
    [('no-noise', 60), ('sd-0.05', 60)]
    """
    if not parts:
        raise ValueError("conditions must be one or more, got none")
    held = {name: Held.of(part) for name, part in parts.items()}
    found = [_result(name, part, kernels) for name, part in held.items()]
    first, whole = found[0], next(iter(parts.values()))
    seen = [each for each in found if each.kernel is not None]
    differences = [_difference(each, first, seen, held) for each in found[1:]]
    return Conditions(
        session=whole.id.partition("/")[0],
        observer=whole.observer,
        protocol=whole.protocol.name,
        conditions=tuple(found),
        differences=tuple(differences),
    )


def difference(one: Estimate, other: Estimate) -> Estimate:
    """Return one minus other of independent estimates, by square-and-add.

    Examples
    --------
    >>> one = Estimate(2.0, 0.1, 1.8, 2.2, 100, "a/1")
    >>> other = Estimate(1.0, 0.1, 0.8, 1.2, 100, "a/1")
    >>> print(difference(one, other))
    1.000 SE 0.141 [0.717, 1.283] n=200 (difference-square-and-add/1)
    """
    n = one.n + other.n
    if one.value is None or other.value is None:
        reason = (one if one.value is None else other).note or "there is no value"
        return Estimate.missing(DIFFERENCE, reason, n)
    value, low, high = one.value - other.value, None, None
    ends = (one.low, one.high, other.low, other.high)
    if None not in ends:
        a_low, a_high, b_low, b_high = (float(end) for end in ends if end is not None)
        low = value - math.hypot(one.value - a_low, b_high - other.value)
        high = value + math.hypot(a_high - one.value, other.value - b_low)
    has_se = one.se is not None and other.se is not None
    se = math.hypot(one.se or 0.0, other.se or 0.0) if has_se else None
    return Estimate(value, se, low, high, n, DIFFERENCE)


def ratio(one: Estimate, other: Estimate) -> Estimate:
    """Return one over other of independent positive estimates: differences of logs."""
    logs = [_log(each) for each in (one, other)]
    apart = difference(*logs)
    if apart.value is None:
        return Estimate.missing(RATIO, apart.note or "there is no value", apart.n)
    value = math.exp(apart.value)
    low, high = (
        None if end is None else math.exp(end) if end < _MOST_LOG else math.inf
        for end in (apart.low, apart.high)
    )
    se = None if apart.se is None else value * apart.se
    return Estimate(value, se, low, high, apart.n, RATIO)


def _log(each: Estimate) -> Estimate:
    if each.value is None:
        return each
    low, high = (
        None if end is None else math.log(end) if end > 0 else -math.inf
        for end in (each.low, each.high)
    )
    se = None if each.se is None else each.se / each.value
    return replace(each, value=math.log(each.value), se=se, low=low, high=high)


def _result(name: str, held: Held, with_kernel: bool) -> ConditionResult:
    """Summarise one condition; what it cannot tell is missing with its reason."""
    counted, attempt = held.responses, Attempts(())
    r = shared_r(counted)
    settings = PsychometricSettings(n_simulations=0)
    fit = attempt("threshold", lambda: psychometric(counted, settings))
    seen = None
    if with_kernel:
        seen = attempt("kernel", lambda: first_order_kernel(counted, held.noise))
    return ConditionResult(
        condition=name,
        noise_sd=held.protocol.noise.sd,
        n_trials=len(counted),
        dprime=dprime(counted, r=r),
        criterion=criterion(counted, r),
        proportion_correct=proportion_correct(counted, r),
        threshold=None if fit is None else fit.threshold,
        kernel=None if seen is None else seen.kernel,
        kernel_se=None if seen is None else seen.se,
        missing=attempt.missing,
    )


def _difference(
    one: ConditionResult,
    other: ConditionResult,
    seen: Sequence[ConditionResult],
    held: Mapping[str, Held],
) -> ConditionDifference:
    """Compare a condition with the first, its kernel with the first of those seen."""
    found, compared, attempt = None, None, Attempts(())
    if one in seen[1:]:
        compared = seen[0].condition
        pair = held[one.condition], held[compared]
        found = attempt("kernels", lambda: _equal(*pair))
    both = one.threshold is not None and other.threshold is not None
    return ConditionDifference(
        condition=one.condition,
        reference=other.condition,
        dprime=difference(one.dprime, other.dprime),
        criterion=difference(one.criterion, other.criterion),
        proportion_correct=difference(one.proportion_correct, other.proportion_correct),
        threshold_ratio=ratio(one.threshold, other.threshold) if both else None,  # type: ignore[arg-type]
        kernels=found,
        kernel_reference=compared,
        missing=attempt.missing,
    )


def _equal(ours: Held, theirs: Held) -> KernelEquality:
    """Compare kernels: trials of one stimulus id have the same draws."""
    draws = [
        one.responses.table["stimulus_id"].to_numpy(np.int64) for one in (ours, theirs)
    ]
    return equal_kernels(ours, theirs, draws=draws)


def _row(
    each: ConditionResult, other: ConditionDifference | None, compared: bool
) -> Cells:
    row: Cells = {
        "condition": each.condition,
        "noise SD": f"{each.noise_sd:g}",
        "trials": each.n_trials,
        "d'": each.dprime.short(),
        "criterion": each.criterion.short(),
        "proportion correct": each.proportion_correct.short(),
        "threshold": "" if each.threshold is None else each.threshold.short(),
        "d' - first": "" if other is None else other.dprime.short(),
    }
    if compared:
        test = None if other is None else other.kernels
        row |= {
            "p of one kernel": "" if test is None else short(test.p),
            "p of one shape": "" if test is None else short(test.p_shape),
        }
    if any(_is_open(one) for one in (each.dprime, each.criterion)):
        row["note"] = _OPEN
    return row


def _is_open(each: Estimate) -> bool:
    ends = (each.low, each.high)
    return any(end is not None and math.isinf(end) for end in ends)
