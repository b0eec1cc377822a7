"""How close each of several models comes to one observer, and what that owes to whom.

Four measures on the trials that all of them share, each with the influence of every
stimulus: what it adds to the number, through all observers and all its showings. The
difference between two models has the difference of their influences, so that nothing is
lost to what the models have in common: the observer's own noise, and the stimuli.

    latent   r_ab                          the same answers, without criterion
    kappa    error consistency             the same answers, beyond being right
    share    r_ab / sqrt(r_a r_b)          the same computation, without internal noise
    kernel   C_ab / sqrt(C_aa C_bb)        the same computation: what is looked at

A model with more internal noise gives other answers, though it computes the same: so
latent and kappa differ truly between two models whose shares and kernels do not. In a
share and in a kernel the observer's own part, r_a or C_aa, is common to all models: it
scales a difference, and drops from the test.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce

import numpy as np
from jaxtyping import Float, Int, Int64

from ..trials.design import TrialDesign
from ..trials.estimate import CannotTell
from ..trials.held import Held
from ..trials.responses import Responses
from .error_consistency import Consistency, usable
from .kernel_products import KernelProducts
from .kernels import TOO_NOISY, kernel_parts
from .latent import NOT_TWO, ONE_RESPONSE, varies
from .latent import TOO_NOISY as TOO_MUCH_INTERNAL_NOISE
from .order_zero import FEWEST_PAIRS, OrderZero
from .ratio import Ratio
from .shared import matched, require_one_task

Keys = Int64[np.ndarray, " unit"]
MEASURES = ("latent", "kappa", "share", "kernel")
QUESTIONS = {
    "latent": "the same answers",
    "kappa": "the same answers",
    "share": "the same computation",
    "kernel": "the same computation",
}


@dataclass(frozen=True, eq=False)
class Own:
    """The observer's own part of a ratio.

    Attributes
    ----------
    value
        r_a or C_aa.
    influence
        Of each stimulus on it.
    extra
        Variance that no stimulus has.
    """

    value: float
    influence: Float[np.ndarray, " stimulus"]
    extra: float = 0.0


@dataclass(frozen=True, eq=False)
class Closeness:
    """One measure of all models.

    Attributes
    ----------
    measure
        Its name.
    values
        Of each model; of a ratio N / sqrt(b), without the observer's own part. NaN
        where `missing` says why.
    influence
        What each stimulus, or group of stimuli, adds to it.
    units
        By what these stimuli or groups are recognised, whoever saw them.
    extra
        Variance of each beside that.
    own
        The observer's own part of a ratio; None where there is none, or as `missing`
        has it under -1.
    missing
        Why there is no value, by the model's number; -1 is the observer.
    """

    measure: str
    values: Float[np.ndarray, " model"]
    influence: Float[np.ndarray, " stimulus model"]
    units: Int64[np.ndarray, " stimulus"]
    extra: Float[np.ndarray, " model"]
    own: Own | None = None
    missing: dict[int, str] = field(default_factory=dict)

    @property
    def scale(self) -> float | None:
        """What values are multiplied by to be read; None if that is not known."""
        if self.own is not None:
            return self.own.value**-0.5
        return None if -1 in self.missing else 1.0


@dataclass(frozen=True, eq=False)
class CommonTrials:
    """The trials that an observer and all models share.

    Attributes
    ----------
    responses
        Of the observer first, then of the models.
    stimuli
        Number of every trial's stimulus, from 0, common to all.
    rows
        Of each, the showings that all were shown, in the observer's order.
    keys
        By what each stimulus is recognised.
    """

    responses: tuple[Responses, ...]
    stimuli: tuple[Int[np.ndarray, " _"], ...]
    rows: tuple[Int[np.ndarray, " _"], ...]
    keys: Int64[np.ndarray, " stimulus"]
    _held: tuple[Held, ...] = field(repr=False)
    _kept: tuple[np.ndarray, ...] = field(repr=False)

    @classmethod
    def of(cls, sessions: Sequence[Held]) -> "CommonTrials":
        """Find them.

        Raises
        ------
        CannotTell
            If there is none, or tasks differ.
        """
        require_one_task([each.responses for each in sessions])
        keys = [each.stimuli for each in sessions]
        common = reduce(np.intersect1d, keys)
        kept = tuple(np.isin(key, common) for key in keys)
        responses = tuple(
            each.responses if all_.all() else each.responses.where(all_)
            for each, all_ in zip(sessions, kept, strict=True)
        )
        stimuli = tuple(
            np.searchsorted(common, key[chosen])
            for key, chosen in zip(keys, kept, strict=True)
        )
        rows = _shown_to_all(responses, stimuli)
        if not len(rows[0]):
            raise CannotTell(
                "sessions must share trials that count in all (noise, target, signal, "
                f"contrast), got none in {len(sessions)} sessions"
            )
        return cls(responses, stimuli, rows, common, tuple(sessions), kept)

    def designs(self) -> list[TrialDesign]:
        """Give the noise and responses of these trials."""
        return [
            each.design if chosen.all() else each.shown.where(chosen).comparable()
            for each, chosen in zip(self._held, self._kept, strict=True)
        ]


def _shown_to_all(
    responses: Sequence[Responses], stimuli: Sequence[np.ndarray]
) -> tuple[np.ndarray, ...]:
    """Give the rows of showings that every session had, in the first one's order."""
    ours, found = np.arange(len(responses[0])), []
    for other, number in zip(responses[1:], stimuli[1:], strict=True):
        rows, others = matched((responses[0], other), (stimuli[0], number))
        found.append((rows, others))
        ours = np.intersect1d(ours, rows)
    others = [theirs[np.searchsorted(rows, ours)] for rows, theirs in found]
    return ours, *others


def closeness(common: CommonTrials, seed: int = 0) -> dict[str, Closeness]:
    """Measure how close every model comes, or why a measure cannot be had.

    Parameters
    ----------
    seed
        Of the groups of stimuli that kernels rest on.
    """
    zeros, why = _order_zero(common)
    return {
        "latent": _latent(zeros, why, common.keys),
        "kappa": _kappa(common),
        "share": _share(zeros, why, common.keys),
        "kernel": _kernel(common, seed),
    }


def _nothing(measure: str, n_models: int, missing: dict[int, str]) -> Closeness:
    nothing = np.zeros((0, n_models)), np.zeros(0, np.int64), np.zeros(n_models)
    return Closeness(measure, np.full(n_models, np.nan), *nothing, None, missing)


def _order_zero(common: CommonTrials) -> tuple[list[OrderZero | None], dict[int, str]]:
    """Correlate the observer's answers with those of each model."""
    ours, *models = common.responses
    if ours.n_alternatives > 2:
        reason = f"{NOT_TWO}, got {ours.n_alternatives}"
        return [None] * len(models), dict.fromkeys(range(-1, len(models)), reason)
    found, missing = [], {}
    for number, theirs in enumerate(models):
        if not all(varies(one) for one in (ours, theirs)):
            missing[number] = ONE_RESPONSE
            found.append(None)
            continue
        stimuli = common.stimuli[0], common.stimuli[number + 1]
        found.append(OrderZero.of(ours, theirs, stimuli))
    return found, missing


def _latent(
    zeros: Sequence[OrderZero | None], missing: dict[int, str], keys: Keys
) -> Closeness:
    values, extra = np.full(len(zeros), np.nan), np.zeros(len(zeros))
    influence = np.zeros((len(keys), len(zeros)))
    for k, zero in enumerate(zeros):
        if zero is not None:
            values[k], extra[k] = zero.across.r, zero.edges[0]
            influence[zero.stimulus, k] = zero.across.influence
    return Closeness("latent", values, influence, keys, extra, None, dict(missing))


def _share(
    zeros: Sequence[OrderZero | None], why: dict[int, str], keys: Keys
) -> Closeness:
    """Divide r_ab by the root of the model's own consistency."""
    missing, parts = dict(why), []
    own: Own | None = None
    for k, zero in enumerate(zeros):
        if zero is None:
            parts.append(None)
            continue
        pairs = [0 if one is None else one.n_pairs for one in zero.within]
        ratio = _Part(zero.centred, zero.influence, zero.edges, zero.stimulus)
        if own is None and pairs[0] >= FEWEST_PAIRS and ratio.numbers[1] > 0:
            own = ratio.own(len(keys))
        if pairs[1] < FEWEST_PAIRS:
            rule = f"{FEWEST_PAIRS} pairs of showings or more"
            missing[k] = f"there must be {rule}, got {pairs[1]}"
            ratio = None
        parts.append(ratio)
    if own is None and -1 not in missing:
        missing[-1] = "the observer's own consistency is not known"
    return _ratios("share", parts, keys, own, missing, TOO_MUCH_INTERNAL_NOISE)


def _kernel(common: CommonTrials, seed: int) -> Closeness:
    """Divide the product of the kernels by the length of the model's."""
    n_models = len(common.responses) - 1
    try:
        designs = common.designs()
        made = kernel_parts(designs, seed=seed)
    except CannotTell as reason:
        missing = dict.fromkeys(range(-1, n_models), str(reason))
        return _nothing("kernel", n_models, missing)
    parts = made.parts
    found, n_groups = [], len(parts[0])
    for theirs in parts[1:]:
        products = KernelProducts.of(parts[0], theirs, is_shared=True)
        found.append(
            _Part(
                products.numbers, products.influence, np.zeros(3), np.arange(n_groups)
            )
        )
    own = found[0].own(n_groups) if found[0].numbers[1] > 0 else None
    missing = {} if own else {-1: f"the observer's kernel is {TOO_NOISY}"}
    units = np.zeros(n_groups, np.int64)
    keys, first = np.unique(designs[0].noise_keys, return_index=True)
    np.add.at(units, made.groups[0][first], keys)  # wraps, as a digest may
    refusal = f"the kernel is {TOO_NOISY}"
    return _ratios("kernel", found, units, own, missing, refusal)


@dataclass(frozen=True, eq=False)
class _Part:
    """N, a and b of one model, what each stimulus adds, and variance beside."""

    numbers: Float[np.ndarray, " 3"]
    influence: Float[np.ndarray, " some 3"]
    edges: Float[np.ndarray, " 3"]
    stimulus: Int[np.ndarray, " some"]

    def own(self, n_stimuli: int) -> Own:
        """Give the observer's part."""
        influence = np.zeros(n_stimuli)
        influence[self.stimulus] = self.influence[:, 1]
        return Own(float(self.numbers[1]), influence, float(self.edges[1]))

    def over_own_root(self) -> Ratio:
        """Give N over the root of the model's part alone."""
        n, b = self.numbers[[0, 2]]
        of_both = self.influence[:, [0, 2]]
        count = len(of_both)
        square = of_both.T @ of_both * count / (count - 1)
        square = square + np.diag(self.edges[[0, 2]])
        covariance = np.zeros((3, 3))
        covariance[np.ix_([0, 2], [0, 2])] = square
        return Ratio(np.array([n, 1.0, b]), covariance)


def _ratios(
    measure: str,
    parts: Sequence[_Part | None],
    units: Keys,
    own: Own | None,
    missing: dict[int, str],
    refusal: str,
) -> Closeness:
    values, extra = np.full(len(parts), np.nan), np.zeros(len(parts))
    influence = np.zeros((len(units), len(parts)))
    for k, part in enumerate(parts):
        if part is None:
            continue
        ratio = part.over_own_root()
        if not (part.numbers[2] > 0 and ratio.is_certain):
            missing[k] = refusal
            continue
        n, b = part.numbers[[0, 2]]
        slopes = np.array([b**-0.5, -n * b**-1.5 / 2])
        values[k] = ratio.centred
        influence[part.stimulus, k] = part.influence[:, [0, 2]] @ slopes
        extra[k] = slopes**2 @ part.edges[[0, 2]]
    return Closeness(measure, values, influence, units, extra, own, missing)


def _kappa(common: CommonTrials) -> Closeness:
    """Compare who is right where, at contrasts where nobody always was."""
    ours, *models = common.responses
    rows, *others = common.rows
    right = [ours.scored[rows]]
    right += [one.scored[each] for one, each in zip(models, others, strict=True)]
    contrast, stimulus = ours.contrast[rows], common.stimuli[0][rows]
    used = usable(right, contrast)
    if not used.any():
        reason = "no contrast at which all of them were now right, now wrong"
        return _nothing(
            "kappa", len(models), dict.fromkeys(range(-1, len(models)), reason)
        )
    influence = np.zeros((len(common.keys), len(models)))
    values = np.empty(len(models))
    for k, theirs in enumerate(right[1:]):
        found = Consistency.of(right[0], theirs, contrast, stimulus, used)
        values[k] = found.value
        influence[: len(found.influence), k] = found.influence
    return Closeness("kappa", values, influence, common.keys, np.zeros(len(models)))
