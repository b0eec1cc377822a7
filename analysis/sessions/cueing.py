"""What a cue does: d', proportion correct and kernels by whether it was valid.

Where noise alone has no place (yes/no with a signal or none) there are no valid and
invalid false alarms: both d' have those of all trials whose cue pointed at one place,
and their difference is that of the hits.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import ndtri

from ...experiments.protocols.places import as_places
from ..double_pass.shared_responses import shared_r
from ..kernels.weighted_sum import Kernel, first_order_kernel
from ..sensitivity.by_task import dprime, proportion_correct
from ..trials.attempts import Attempts
from ..trials.counts import loglinear_rate
from ..trials.estimate import CannotTell, Estimate
from ..trials.held import Held
from ..trials.responses import Responses, SessionLike
from ..trials.result import Cells, Result
from .conditions import difference

VALID, INVALID, NEUTRAL, UNCUED = "valid", "invalid", "neutral", "no cue"
HIT_RATE = "hit-rate-wilson/1"
HITS = "difference-of-hits-square-and-add/1"
Image = Float[np.ndarray, " frame row column"]


@dataclass(frozen=True, eq=False)
class CueResult(Result):
    """What the trials of one kind of cue say.

    Attributes
    ----------
    cue
        'valid', 'invalid', 'neutral', or 'no cue'.
    n_trials
        Trials that count, those without a signal included where they have the cue.
    dprime
        By the formula of the task.
    proportion_correct
        Of the trials with this cue; where noise alone has no place, of those with a
        signal: the hit rate.
    kernel, kernel_se
        Weighted sum of the noise at the signal's place, and its standard error; in
        noise on a basis, drawn. None where `missing` says why.
    kernel_elsewhere, kernel_elsewhere_se
        The same of the noise at the other places, their mean.
    missing
        Why a part has no value, by its name.
    """

    cue: str
    n_trials: int
    dprime: Estimate
    proportion_correct: Estimate
    kernel: Image | None
    kernel_se: Image | None
    kernel_elsewhere: Image | None
    kernel_elsewhere_se: Image | None
    missing: dict[str, str]


@dataclass(frozen=True, eq=False)
class CueDifference(Result):
    """How two kinds of cue differ.

    Attributes
    ----------
    cue, reference
        Which, such as 'valid' and 'invalid'.
    dprime, proportion_correct
        The first minus the second.
    """

    cue: str
    reference: str
    dprime: Estimate
    proportion_correct: Estimate


@dataclass(frozen=True, eq=False)
class Cueing(Result):
    """A session by what its cue said.

    Attributes
    ----------
    session, observer, protocol
        Id, and names.
    cues
        A result for each kind of cue that was there.
    differences
        Valid less invalid, valid less neutral, neutral less invalid.
    """

    session: str
    observer: str
    protocol: str
    cues: tuple[CueResult, ...]
    differences: tuple[CueDifference, ...]

    def of(self, cue: str) -> CueResult | None:
        """Give the result of a kind of cue, if it was there."""
        return next((each for each in self.cues if each.cue == cue), None)

    def table(self) -> list[Cells]:
        """Give a row for each kind of cue, and one for each difference."""
        rows = [(each.cue, str(each.n_trials), each) for each in self.cues]
        rows += [(f"{d.cue} - {d.reference}", "", d) for d in self.differences]
        return [
            {
                "cue": name,
                "trials": n,
                "d'": each.dprime.short(),
                "correct": each.proportion_correct.short(),
            }
            for name, n, each in rows
        ]


def cueing(session: SessionLike, kernels: bool = True) -> Cueing:
    """Return the results of a session by the validity of its cue, and differences.

    Parameters
    ----------
    session
        Of a protocol with places; of conditions, one: `yoked.by_condition`.
    kernels
        Whether to estimate first-order kernels, too.

    Raises
    ------
    CannotTell
        If the protocol has no places, or conditions that must not be pooled.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("cued-detection")
    >>> observer = yoked.load_observer("template")
    >>> session = yoked.run(protocol, observer, seed=1, trials=400, contrast=0.1)
    >>> found = cueing(session, kernels=False)
    >>> [each.cue for each in found.cues]
    ['valid', 'invalid']
    >>> found.differences[0].dprime.value > 0  # it weighs the place that is cued
    True
    """
    held = Held.of(session)
    if not held.protocol.places.count:
        got = f"{held.protocol.name} without any"
        raise CannotTell(f"places must be in the protocol to compare cues, got {got}")
    counted, found = held.responses, []
    kinds, r = _kinds(counted), shared_r(counted)
    for kind in (VALID, INVALID, NEUTRAL, UNCUED):
        if (kinds == kind).any():
            found.append(_result(held, kinds, kind, r, kernels))
    names = {each.cue for each in found}
    pairs = ((VALID, INVALID), (VALID, NEUTRAL), (NEUTRAL, INVALID))
    return Cueing(
        session=held.id,
        observer=held.observer,
        protocol=held.protocol.name,
        cues=tuple(found),
        differences=tuple(
            _difference(held, kinds, one, other, r)
            for one, other in pairs
            if {one, other} <= names
        ),
    )


def _kinds(counted: Responses) -> np.ndarray:
    """Name what each trial's cue said."""
    place = as_places(counted.table["place"])
    cue = as_places(counted.table["cue"])
    none = NEUTRAL if any(each is not None for each in cue) else UNCUED
    return np.array(
        [
            none if at is None else VALID if at == here else INVALID
            for at, here in zip(cue, place, strict=True)
        ],
        object,
    )


def _result(
    held: Held, kinds: np.ndarray, kind: str, r: float, kernels: bool
) -> CueResult:
    counted, own = held.responses, kinds == kind
    attempt = Attempts([])
    here = elsewhere = None
    if kernels:
        rows = counted.where(own)
        here = attempt("kernel", lambda: first_order_kernel(rows, held.noise))
        elsewhere = attempt("kernel_elsewhere", lambda: _elsewhere(held, rows))
    kernel = (None, None) if here is None else _drawn(here)
    return CueResult(
        kind,
        int(own.sum()),
        dprime(counted.where(_with_noise(held, kinds, kind)), r=r),
        _proportion(held, own, r),
        *kernel,
        *(elsewhere or (None, None)),
        missing=dict(attempt.missing),
    )


def _has_empty_trials(held: Held) -> bool:
    """Whether there are trials of noise alone, which have no place."""
    is_detection = not held.protocol.task.is_forced_choice
    return is_detection and held.protocol.signal.gains[0] == 0


def _with_noise(held: Held, kinds: np.ndarray, kind: str) -> Bool[np.ndarray, " trial"]:
    """Give the trials that a d' is of: hits of one kind, false alarms of its like."""
    own = kinds == kind
    if not _has_empty_trials(held) or kind not in (VALID, INVALID):
        return own
    pointed = (kinds == VALID) | (kinds == INVALID)
    return np.where(held.responses.target == 1, own, pointed)


def _proportion(held: Held, own: Bool[np.ndarray, " trial"], r: float) -> Estimate:
    if not _has_empty_trials(held):
        return proportion_correct(held.responses.where(own), r)
    hits = held.responses.where(own & (held.responses.target == 1))
    return proportion_correct(hits, r, HIT_RATE)


def _drawn(kernel: Kernel) -> tuple[Image, Image]:
    """Give a kernel and its standard error on the grid of a patch."""
    if kernel.basis is None:
        return kernel.kernel, kernel.se
    return kernel.basis.image(kernel.kernel), kernel.basis.image_se(kernel.se)


def _elsewhere(held: Held, rows: Responses) -> tuple[Image, Image]:
    """Give the mean kernel of the other places: their noise is independent."""
    others = held.elsewhere
    if not others:
        raise CannotTell("places must be two or more for a kernel elsewhere, got 1")
    drawn = [_drawn(first_order_kernel(rows, source)) for source in others]
    mean = np.mean([kernel for kernel, _ in drawn], axis=0)
    return mean, np.sqrt(np.mean([se**2 for _, se in drawn], axis=0) / len(drawn))


def _difference(
    held: Held, kinds: np.ndarray, one: str, other: str, r: float
) -> CueDifference:
    parts = {kind: kinds == kind for kind in (one, other)}
    correct = [_proportion(held, rows, r) for rows in parts.values()]
    dprimes = [
        dprime(held.responses.where(_with_noise(held, kinds, kind)), r=r)
        for kind in parts
    ]
    if _has_empty_trials(held) and NEUTRAL not in parts:
        by = _of_hits(*correct)
    else:
        by = difference(*dprimes)
    return CueDifference(one, other, by, difference(*correct))


def _of_hits(one: Estimate, other: Estimate) -> Estimate:
    """Give a difference of d' that have their false alarms in common."""
    found = difference(_quantile(one), _quantile(other))
    return replace(found, formula=HITS)


def _quantile(rate: Estimate) -> Estimate:
    """Give Phi^-1 of a hit rate by the log-linear rule, limits from Wilson's."""
    if rate.value is None or rate.low is None or rate.high is None:
        return rate
    shown = loglinear_rate(rate.value * rate.n, rate.n)
    value = float(ndtri(shown))
    low, high = (float(ndtri(limit)) for limit in (rate.low, rate.high))
    density = math.exp(-(value**2) / 2) / math.sqrt(2 * math.pi)
    se = math.sqrt(shown * (1 - shown) / rate.n) / density
    low, high = min(low, value), max(high, value)
    return Estimate(value, se, low, high, rate.n, HITS)
