"""The design of a kernel: which class each trial is in, and each class's coefficient.

A class is an outcome (correct, hit, ...) at one contrast; a kernel is the sum over
classes of coefficient x mean noise. `kernels.py` has the definitions and their sources.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.special import ndtri

from .choices import Choices
from .mafc import mafc_dprime, mafc_slope
from .sdt import loglinear_rate

YES_NO_CLASSES = (
    (0, 0, "correct_rejections"),
    (0, 1, "false_alarms"),
    (1, 0, "misses"),
    (1, 1, "hits"),
)
SUM = 2  # the kernel, beside the halves 0 (target) and 1 (non-target)


@dataclass(frozen=True, eq=False)
class KernelDesign:
    """Which class each trial is in, and the coefficient of each class.

    A class is an outcome (correct, hit, ...) at a contrast. A kernel is the sum over
    classes of coefficient x mean noise.
    """

    contrasts: Float[np.ndarray, " contrast"]
    weights: Float[np.ndarray, " contrast"]
    label: Int[np.ndarray, " trial"]  # class of each trial, -1: left out
    size: Int[np.ndarray, " label"]
    outcome: Int[np.ndarray, " label"]  # outcome of each class
    names: tuple[str, ...]  # of the outcomes
    is_forced_choice: bool

    @classmethod
    def of(cls, choices: Choices) -> "KernelDesign":
        """Put every trial into its class; contrasts with an empty class stay out.

        Raises
        ------
        ValueError
            If every contrast has an empty class.
        """
        names, outcome = _outcomes(choices)
        cell = np.searchsorted(choices.contrasts, choices.contrast)
        size = np.zeros((len(choices.contrasts), len(names)), np.int64)
        np.add.at(size, (cell, outcome), 1)
        complete = np.all(size > 0, axis=1)
        if not complete.any():
            raise ValueError(_what_lacks(choices, size.sum(0)))
        size = size[complete]
        contrasts = choices.contrasts[complete]
        number = np.cumsum(complete) - 1
        label = np.where(complete[cell], number[cell] * len(names) + outcome, -1)
        weights = np.array([_weight(choices, contrast) for contrast in contrasts])
        return cls(
            contrasts=contrasts,
            weights=weights / weights.sum(),
            label=label,
            size=size.ravel(),
            outcome=np.tile(np.arange(len(names)), len(size)),
            names=names,
            is_forced_choice=choices.is_forced_choice,
        )

    def coefficients(self, half: int) -> Float[np.ndarray, " label"]:
        """Factor of each class's mean noise in a half, or in the kernel."""
        if self.is_forced_choice:
            # Outcomes (incorrect, correct); the non-target half changes sign.
            signs = np.array([-1.0, 1.0]) * (-1.0 if half == 1 else 1.0)
        else:
            target, response = np.array([row[:2] for row in YES_NO_CLASSES]).T
            counts = np.ones(4) if half == SUM else target == (1 if half == 0 else 0)
            signs = np.where(response == 1, 1.0, -1.0) * counts
        return signs[self.outcome] * np.repeat(self.weights, len(signs))

    def channel(self, half: int) -> int:
        """Which of the accumulated noise fields a half is made from."""
        return half if self.is_forced_choice else 0


def _outcomes(choices: Choices) -> tuple[tuple[str, ...], np.ndarray]:
    """Names of the outcomes, and the outcome of each trial."""
    if choices.is_forced_choice:
        return ("incorrect", "correct"), choices.correct.astype(np.int64)
    names = tuple(name for _, _, name in YES_NO_CLASSES)
    return names, 2 * choices.target + choices.choice


def _what_lacks(choices: Choices, size: Int[np.ndarray, " outcome"]) -> str:
    """Say which stimulus-response class is empty."""
    empty = np.flatnonzero(size == 0)
    if not empty.size:
        return "no contrast has trials in all stimulus-response classes"
    if choices.is_forced_choice:
        name = ("incorrect", "correct")[empty[0]]
        return f"no trial was {name}; a kernel needs correct and incorrect trials"
    target, response, _ = YES_NO_CLASSES[empty[0]]
    rule = "a kernel needs all four stimulus-response classes"
    return f"no trial has target {target} and response {response}; {rule}"


def _weight(choices: Choices, contrast: float) -> float:
    """Return n phi(z) of one contrast, phi averaged over the classes."""
    here = choices.contrast == contrast
    n, m = int(here.sum()), choices.n_alternatives
    if m > 2:
        rate = (choices.correct[here].sum() + 1 / m) / (n + 1)
        return n * float(mafc_slope(mafc_dprime(float(rate), m), m))
    z = [
        ndtri(loglinear_rate(int(chosen.sum()), len(chosen)))
        for chosen in (choices.choice[here & (choices.target == k)] for k in (0, 1))
    ]
    return n * float(np.mean(np.exp(-np.square(z) / 2)))
