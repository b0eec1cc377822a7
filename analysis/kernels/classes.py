"""The design of a kernel: which class each trial is in, and each class's coefficient.

A class is an outcome (correct, hit, ...) at one contrast; a kernel is the sum over
classes of coefficient x mean noise, or covariance. `weighted_sum.py` and
`second_order/kernel.py` have the definitions and their sources.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import ndtri

from ..sensitivity.mafc import mafc_dprime, mafc_slope
from ..sensitivity.sdt import loglinear_rate
from ..trials.estimate import CannotTell
from ..trials.responses import Responses

WEIGHTS = ("sum", "optimal")
YES_NO_CLASSES = (
    (0, 0, "correct_rejections"),
    (0, 1, "false_alarms"),
    (1, 0, "misses"),
    (1, 1, "hits"),
)
INTERVAL_CLASSES = ("first_incorrect", "first_correct", "second_incorrect")
INTERVAL_CLASSES += ("second_correct",)  # by the interval that held the target
SUM = 2  # the kernel, beside the halves 0 (target) and 1 (non-target)


@dataclass(frozen=True, eq=False)
class KernelDesign:
    """Which class each trial is in, and the coefficient of each class.

    Outcomes come in couples, a negative (no, incorrect) and a positive one, whose means
    are compared: a couple for each class of yes/no stimuli; in forced choice one, or,
    for optimal weights, one for each interval that held the target.

    Attributes
    ----------
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
        cls, responses: Responses, weights: str = "sum", least: int = 1
    ) -> "KernelDesign":
        """Put every trial into its class, and leave out what cannot be compared.

        Parameters
        ----------
        weights
            'sum' adds the couples of a contrast as they are, and leaves a contrast out
            if a class is too small. 'optimal' weights each couple by its trials and its
            bias, and leaves out couples.
        least
            Trials that a class needs.

        Raises
        ------
        ValueError
            If nothing is left, or there are no optimal weights for this task.
        """
        is_optimal = _is_optimal(responses, weights)
        names, outcome = _outcomes(responses, is_optimal)
        cell = np.searchsorted(responses.contrasts, responses.contrast)
        size = np.zeros((len(responses.contrasts), len(names)), np.int64)
        np.add.at(size, (cell, outcome), 1)
        complete = _complete(size >= least, by_couple=is_optimal)
        found = complete.any(axis=0)
        if not (found.any() if responses.is_forced_choice else found.all()):
            raise CannotTell(_what_lacks(responses, size.sum(0), least))
        entered = complete.any(axis=1)
        size, contrasts = (complete * size)[entered], responses.contrasts[entered]
        number = np.cumsum(entered) - 1
        label = np.where(
            complete[cell, outcome], number[cell] * len(names) + outcome, -1
        )
        by_contrast = _cell_weights if is_optimal else _contrast_weights
        share = (size > 0) * by_contrast(responses, contrasts, len(names))
        # The positive classes' shares add up to 1, or in yes/no to 2: one a half.
        share = share / share[:, 1::2].sum() * (1 if responses.is_forced_choice else 2)
        of_contrast = share[:, 1::2].sum(axis=1)
        return cls(
            contrasts=contrasts,
            weights=of_contrast / of_contrast.sum(),
            label=label,
            size=size.ravel(),
            outcome=np.tile(np.arange(len(names)), len(size)),
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
        """Factor of each class's mean noise in a half, or in the kernel."""
        signs = np.where(self.outcome % 2 == 1, 1.0, -1.0)
        if self.is_forced_choice:  # the non-target half changes sign
            return signs * self.share * (-1.0 if half == 1 else 1.0)
        target = self.outcome // 2
        counts = half == SUM or target == 1 - half
        return signs * self.share * counts

    def channel(self, half: int) -> int:
        """Which of the accumulated noise fields a half is made from."""
        return half if self.is_forced_choice else 0


def _is_optimal(responses: Responses, weights: str) -> bool:
    if weights not in WEIGHTS:
        raise ValueError(f"weights must be one of {', '.join(WEIGHTS)}, got {weights}")
    if weights == "optimal" and responses.n_alternatives > 2:
        rule = "'sum' with more than two alternatives"
        raise CannotTell(f"weights must be {rule}, got 'optimal'")
    return weights == "optimal"


def _outcomes(
    responses: Responses, is_optimal: bool
) -> tuple[tuple[str, ...], np.ndarray]:
    """Names of the outcomes, and the outcome of each trial."""
    correct = responses.correct.astype(np.int64)
    if responses.is_forced_choice and is_optimal:
        return INTERVAL_CLASSES, 2 * responses.target + correct
    if responses.is_forced_choice:
        return ("incorrect", "correct"), correct
    names = tuple(name for _, _, name in YES_NO_CLASSES)
    return names, 2 * responses.target + responses.response


def _complete(
    is_enough: Bool[np.ndarray, " contrast outcome"], by_couple: bool
) -> Bool[np.ndarray, " contrast outcome"]:
    """Mark the classes that enter, whole contrasts or couples."""
    couples = is_enough[:, 0::2] & is_enough[:, 1::2]
    if not by_couple:
        couples = np.broadcast_to(couples.all(axis=1, keepdims=True), couples.shape)
    return np.repeat(couples, 2, axis=1)


def _what_lacks(
    responses: Responses, size: Int[np.ndarray, " outcome"], least: int
) -> str:
    """Say which stimulus-response class is empty."""
    empty = np.flatnonzero(size == 0)
    if not empty.size:
        several = "" if least == 1 else f"{least} "
        return f"no contrast has {several}trials in all stimulus-response classes"
    if responses.is_forced_choice:
        name = ("incorrect", "correct")[empty[0] % 2]
        return f"no trial was {name}; a kernel needs correct and incorrect trials"
    target, response, _ = YES_NO_CLASSES[empty[0]]
    rule = "a kernel needs all four stimulus-response classes"
    return f"no trial has target {target} and response {response}; {rule}"


def _contrast_weights(
    responses: Responses, contrasts: Float[np.ndarray, " contrast"], n_outcomes: int
) -> Float[np.ndarray, " contrast outcome"]:
    """Return n phi(z) of each contrast, phi averaged over the classes."""
    weights = []
    for contrast in contrasts:
        here = responses.contrast == contrast
        n, m = int(here.sum()), responses.n_alternatives
        if m > 2:
            rate = (responses.correct[here].sum() + 1 / m) / (n + 1)
            weights.append(n * float(mafc_slope(mafc_dprime(float(rate), m), m)))
        else:
            density = [
                _density(responses, here & (responses.target == k)) for k in (0, 1)
            ]
            weights.append(n * np.mean(density))
    return np.repeat(np.array(weights)[:, None], n_outcomes, axis=1)


def _cell_weights(
    responses: Responses, contrasts: Float[np.ndarray, " contrast"], n_outcomes: int
) -> Float[np.ndarray, " contrast outcome"]:
    """Return n phi(z) of each class of stimuli, for both of its outcomes."""
    cells = [
        [(responses.contrast == contrast) & (responses.target == k) for k in (0, 1)]
        for contrast in contrasts
    ]
    weights = [[int(c.sum()) * _density(responses, c) for c in pair] for pair in cells]
    return np.repeat(np.array(weights), n_outcomes // 2, axis=1)


def _density(responses: Responses, here: Bool[np.ndarray, " trial"]) -> float:
    """Return phi(z) of the rate of "yes" (in 2AFC, "second") among some trials."""
    chosen = responses.response[here]
    z = ndtri(loglinear_rate(int(chosen.sum()), len(chosen)))
    return float(np.exp(-np.square(z) / 2))
