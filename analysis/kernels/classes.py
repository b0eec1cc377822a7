"""The classes of a kernel: which one each trial is in, and what each class counts.

A class is an outcome (correct, hit, ...) at one contrast; in a task without a correct
answer, which interval was chosen, or what was said of the one. A kernel is

    order 1: the sum over classes of +-share x mean noise
    order 2: the sum over classes of +-share x covariance of the noise,

so that a trial counts with +-share / size, or with +-share / (size - 1). A contrast's
share goes by n phi(z); `weighted_sum.py` and `second_order/kernel.py` have the sources.
Without a correct answer each choice counts alike: a class by its share of the trials;
of a single field, the means of "yes" and "no" are compared as they are in one class.
`Classes` are those of several sets of responses to the same trials, permuted or drawn
by a bootstrap; `KernelDesign` has those of one session, for sums that stream.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, Real, UInt8
from scipy.special import ndtri

from ..sensitivity.mafc import mafc_dprime, mafc_slope
from ..trials.counts import loglinear_rate
from ..trials.design import TrialDesign
from ..trials.estimate import CannotTell
from ..trials.responses import Responses
from ..trials.score import ONE_KIND

WEIGHTS = ("sum", "optimal")
YES_NO_CLASSES = (
    (0, 0, "correct_rejections"),
    (0, 1, "false_alarms"),
    (1, 0, "misses"),
    (1, 1, "hits"),
)
INTERVAL_CLASSES = ("first_incorrect", "first_correct", "second_incorrect")
INTERVAL_CLASSES += ("second_correct",)  # by the interval that held the target
CHOICES = ("chose_second", "chose_first")  # without a correct answer
SAID = ("said_no", "said_yes")  # the same of a single field
SUM = 2  # the kernel, beside the halves 0 (target) and 1 (non-target)


@dataclass(frozen=True, eq=False)
class Classes:
    """The class of every trial in each of several sets of responses, the replicates.

    Outcomes come in couples, a negative (no, incorrect) and a positive one, whose means
    are compared: a couple for each class of yes/no stimuli; in forced choice one, or,
    for optimal weights, one for each interval that held the target.

    Attributes
    ----------
    contrasts
        Of the trials, rising.
    names
        Of the outcomes.
    label
        Class of each trial: its outcome, numbered on from contrast to contrast.
    count
        How often each trial counts; None for once.
    size
        Trials of each class.
    weight
        n phi(z) of each class: of its contrast, or with optimal weights its own.
    """

    contrasts: Float[np.ndarray, " contrast"]
    names: tuple[str, ...]
    label: Int[np.ndarray, " replicate trial"]
    count: UInt8[np.ndarray, " replicate trial"] | None
    size: Real[np.ndarray, " replicate contrast outcome"]
    weight: Float[np.ndarray, " replicate contrast outcome"]
    is_forced_choice: bool
    is_optimal: bool

    @classmethod
    def of(
        cls,
        trials: Responses | TrialDesign,
        response: Bool[np.ndarray, " replicate trial"] | None = None,
        count: UInt8[np.ndarray, " replicate trial"] | None = None,
        weights: str = "sum",
    ) -> "Classes":
        """Put every trial into its class.

        Parameters
        ----------
        response
            "Yes" or not to these trials, a row each; None for what was given.
        count
            How often each trial was drawn.
        weights
            As for `KernelDesign.of`.
        """
        m = trials.n_alternatives
        if m > 2 and not trials.is_forced_choice:
            rule = "of intervals or two classes"
            raise CannotTell(
                f"the task must be {rule} for this kernel, got identify: each response "
                "has its own, response_kernels"
            )
        is_optimal = _is_optimal(m, weights)
        is_one = not (trials.is_forced_choice or trials.has_target)
        names, outcome = _outcomes(trials.is_forced_choice, is_optimal, m)
        if is_one:
            names, outcome = SAID, np.array([[0, 1], [0, 1]])
        contrasts, contrast = np.unique(trials.contrast, return_inverse=True)
        given = trials.response[None] if response is None else response
        cell = (m * contrast + trials.target) * m + given  # contrast, target, response
        n = _totals(cell, count, len(contrasts) * m * m)
        n = n.reshape(len(cell), len(contrasts), m, m)
        size = [n[..., outcome == each].sum(-1) for each in range(len(names))]
        label = len(names) * np.arange(len(contrasts))[:, None, None] + outcome
        weight = _weights(n[:, :, :1] if is_one else n, is_optimal)
        return cls(
            contrasts=contrasts,
            names=names,
            label=label.ravel()[cell],
            count=count,
            size=np.stack(size, axis=-1),
            weight=np.repeat(weight, len(names) // weight.shape[2], axis=2),
            is_forced_choice=trials.is_forced_choice,
            is_optimal=is_optimal,
        )

    def complete(self, order: int) -> Bool[np.ndarray, " replicate contrast outcome"]:
        """Mark the classes that enter: couples, or else contrasts, that have it all.

        A mean needs one trial (order 1), a covariance two.
        """
        couples = (self.size[..., 0::2] >= order) & (self.size[..., 1::2] >= order)
        if not self.is_optimal:
            whole = couples.all(axis=2, keepdims=True)
            couples = np.broadcast_to(whole, couples.shape)
        return np.repeat(couples, 2, axis=2)

    def shares(self, order: int) -> Float[np.ndarray, " replicate contrast outcome"]:
        """Return what each class counts, without its sign; 0 if it is left out.

        Raises
        ------
        ValueError
            If a replicate has no class that enters; the sentence says what lacks.
        """
        complete = self.complete(order)
        lacking = ~complete.any(axis=(1, 2))
        if lacking.any():
            size = self.size[lacking][0].sum(axis=0)
            lack = _what_lacks(self.names, size, order)
            sample = "" if self.count is None else "too few to be resampled: "
            raise CannotTell(f"{sample}{lack}")
        return _shares(complete * self.weight, self.n_couples)

    @property
    def n_couples(self) -> int:
        """Couples of means that a kernel is the sum of: two in yes/no."""
        return 1 if self.is_forced_choice or self.names == SAID else 2

    def factors(self, order: int) -> Float[np.ndarray, " replicate label"]:
        """Return what a trial of each class counts: its own, or the target's, noise."""
        n = len(self.size)
        share, size = (x.reshape(n, -1) for x in (self.shares(order), self.size))
        return per_trial(signed(share), size, order)

    def coefficients(self, order: int) -> Float[np.ndarray, " replicate trial"]:
        """Return what each trial counts, as often as it was drawn."""
        each = np.take_along_axis(self.factors(order), self.label, axis=1)
        return each if self.count is None else each * self.count


def signed(share: Float[np.ndarray, " *replicate label"]) -> np.ndarray:
    """Give classes their signs; negative and positive ones alternate."""
    return np.where(np.arange(share.shape[-1]) % 2 == 1, share, -share)


def per_trial(
    coefficient: Float[np.ndarray, " *replicate label"],
    size: Real[np.ndarray, " *replicate label"],
    order: int,
) -> Float[np.ndarray, " *replicate label"]:
    """Return what a trial counts in a mean (order 1) or a sample covariance."""
    return coefficient / np.maximum(size - (order - 1), 1)


@dataclass(frozen=True, eq=False)
class KernelDesign:
    """The classes of a session that enter a kernel, and the coefficient of each.

    Attributes
    ----------
    order
        1 or 2: of the kernel.
    contrasts, weights
        Contrasts that entered, and their shares; they add up to 1.
    label
        Class of each trial; -1 is left out.
    size
        Trials of each class; 0 where its couple is left out.
    outcome
        Outcome of each class.
    share
        What each class counts, without its sign.
    names
        Of the outcomes.
    """

    order: int
    contrasts: Float[np.ndarray, " contrast"]
    weights: Float[np.ndarray, " contrast"]
    label: Int[np.ndarray, " trial"]
    size: Int[np.ndarray, " label"]
    outcome: Int[np.ndarray, " label"]
    share: Float[np.ndarray, " label"]
    names: tuple[str, ...]
    is_forced_choice: bool

    @classmethod
    def of(
        cls, responses: Responses, weights: str = "sum", order: int = 1
    ) -> "KernelDesign":
        """Put every trial into its class, and leave out what cannot be compared.

        Parameters
        ----------
        weights
            'sum' adds the couples of a contrast as they are, and leaves a contrast out
            if a class is too small. 'optimal' weights each couple by its trials and its
            bias, and leaves out couples.
        order
            Of the kernel: a class needs one trial for a mean, two for a covariance.

        Raises
        ------
        ValueError
            If nothing is left, or there are no optimal weights for this task.
        """
        weights = weights if responses.has_target else "sum"
        classes = Classes.of(responses, weights=weights)
        (complete,), (size,), names = (
            classes.complete(order),
            classes.size,
            classes.names,
        )
        are_choices = responses.is_forced_choice and not responses.has_target
        if are_choices:
            names = CHOICES
        found = complete.any(axis=0)
        if not (found.any() if responses.is_forced_choice else found.all()):
            raise CannotTell(_what_lacks(names, size.sum(0), order))
        _check_varied(responses)
        entered = complete.any(axis=1)
        number = len(names) * (np.cumsum(entered) - 1)[:, None] + np.arange(len(names))
        weight = (complete * classes.weight)[:, entered]
        (share,) = _shares(weight, classes.n_couples)
        if are_choices:
            share = 2 * (complete * size)[entered] / (complete * size).sum()
        of_contrast = share[:, 1::2].sum(axis=1)
        return cls(
            order=order,
            contrasts=classes.contrasts[entered],
            weights=of_contrast / of_contrast.sum(),
            label=np.where(complete, number, -1).ravel()[classes.label[0]],
            size=(complete * size)[entered].ravel(),
            outcome=np.tile(np.arange(len(names)), len(share)),
            share=share.ravel(),
            names=names,
            is_forced_choice=responses.is_forced_choice,
        )

    @property
    def n_per_class(self) -> dict[str, int]:
        """Trials of each stimulus-response class that entered."""
        n = np.bincount(self.outcome, self.size, minlength=len(self.names))
        return {name: int(k) for name, k in zip(self.names, n, strict=True)}

    @property
    def n_left_out(self) -> int:
        """Trials that did not enter."""
        return int(np.sum(self.label < 0))

    def coefficients(self, half: int) -> Float[np.ndarray, " label"]:
        """Return the factor of each class's mean or covariance in a half, or in SUM."""
        if self.is_forced_choice:  # the non-target half changes sign
            return signed(self.share) * (-1.0 if half == 1 else 1.0)
        # Of two classes of stimuli, or else of the two responses to the one.
        own = self.outcome if self.names == SAID else self.outcome // 2
        counts = half == SUM or own == 1 - half
        return signed(self.share) * counts

    def factors(self, half: int) -> Float[np.ndarray, " label"]:
        """Return what a trial of each class counts in a half, or in the kernel."""
        return per_trial(self.coefficients(half), self.size, self.order)

    def channel(self, half: int) -> int:
        """Which of the accumulated noise fields a half is made from."""
        return half if self.is_forced_choice else 0


def _is_optimal(n_alternatives: int, weights: str) -> bool:
    if weights not in WEIGHTS:
        raise ValueError(f"weights must be one of {', '.join(WEIGHTS)}, got {weights}")
    if weights == "optimal" and n_alternatives > 2:
        rule = "'sum' with more than two alternatives"
        raise CannotTell(f"weights must be {rule}, got 'optimal'")
    return weights == "optimal"


def _outcomes(
    is_forced_choice: bool, is_optimal: bool, n_alternatives: int
) -> tuple[tuple[str, ...], Int[np.ndarray, " target response"]]:
    """Names of the outcomes, and the outcome of each response to each target."""
    correct = np.eye(n_alternatives, dtype=np.int64)
    if is_forced_choice and is_optimal:
        return INTERVAL_CLASSES, correct + np.array([[0], [2]])
    if is_forced_choice:
        return ("incorrect", "correct"), correct
    return tuple(name for _, _, name in YES_NO_CLASSES), np.array([[0, 1], [2, 3]])


def _totals(
    label: Int[np.ndarray, " replicate trial"],
    count: UInt8[np.ndarray, " replicate trial"] | None,
    n_labels: int,
) -> Real[np.ndarray, " replicate label"]:
    """Count the trials of each label."""
    shift = label + n_labels * np.arange(len(label))[:, None]
    weights = None if count is None else count.ravel()
    total = np.bincount(shift.ravel(), weights, minlength=n_labels * len(label))
    return total.reshape(len(label), n_labels)


def _weights(
    n: Real[np.ndarray, " replicate contrast target response"], is_optimal: bool
) -> Float[np.ndarray, " replicate contrast part"]:
    """Return n phi(z) of each contrast, phi averaged over the classes of stimuli.

    If optimal, of each class of stimuli. z is of the rate of "yes" (in 2AFC, "second").
    """
    of_target, m = n.sum(axis=3), n.shape[3]
    if m > 2:
        total = of_target.sum(axis=2, keepdims=True)
        correct = np.trace(n, axis1=2, axis2=3)[..., None]
        rate = loglinear_rate(correct, total, m)
        return total * mafc_slope(mafc_dprime(rate, m), m)
    rate = loglinear_rate(n[..., 1], of_target)
    density = np.exp(-np.square(ndtri(rate)) / 2)
    if is_optimal:
        return of_target * density
    return of_target.sum(axis=2, keepdims=True) * density.mean(axis=2, keepdims=True)


def _shares(
    weight: Float[np.ndarray, " replicate contrast outcome"], n_couples: int
) -> Float[np.ndarray, " replicate contrast outcome"]:
    """The positive classes' shares add up to 1, or in yes/no to 2: one a half."""
    positive = weight[..., 1::2].reshape(len(weight), -1).sum(axis=1)
    return weight / positive[:, None, None] * n_couples


def _check_varied(responses: Responses) -> None:
    """Refuse an observer whose response only the stimulus class decides."""
    kinds = np.unique(responses.cell * responses.n_alternatives + responses.response)
    if len(kinds) == len(np.unique(responses.cell)):
        raise CannotTell(ONE_KIND)


def _which_lacks(
    names: tuple[str, ...], size: Real[np.ndarray, " outcome"], least: int
) -> str:
    """Say which choice was not made, where none is correct."""
    lacking = [name for name, n in zip(names, size, strict=True) if n < least]
    which = (lacking[0] if lacking else names[0]).partition("_")[2]
    several = "a trial" if least == 1 else f"{least} trials or more"
    if names == SAID:
        return f"each response must be given in {several}, got fewer of {which}"
    return f"each interval must be chosen in {several}, got fewer for the {which}"


def _what_lacks(
    names: tuple[str, ...], size: Real[np.ndarray, " outcome"], least: int
) -> str:
    """Say which stimulus-response class is empty."""
    if names in (CHOICES, SAID):
        return _which_lacks(names, size, least)
    empty = np.flatnonzero(size == 0)
    if not empty.size:
        several = "" if least == 1 else f"{least} "
        return f"no contrast has {several}trials in all stimulus-response classes"
    if names != tuple(name for _, _, name in YES_NO_CLASSES):
        name = ("incorrect", "correct")[empty[0] % 2]
        return f"no trial was {name}; a kernel needs correct and incorrect trials"
    target, response, _ = YES_NO_CLASSES[empty[0]]
    rule = "a kernel needs all four stimulus-response classes"
    return f"no trial has target {target} and response {response}; {rule}"
