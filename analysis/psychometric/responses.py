"""Responses by contrast, and the axis on which a psychometric function is fitted."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.special import ndtr, ndtri

from ..sensitivity.mafc import check_alternatives
from ..trials.counts import loglinear_rate, shared_noise_effect
from ..trials.estimate import CannotTell
from ..trials.responses import OF_MANY, Responses

MIN_CONTRASTS = 3


@dataclass(frozen=True, eq=False)
class ResponsesByContrast:
    """Responses by contrast: one class of trials (forced choice), or two (yes/no).

    Attributes
    ----------
    contrast
        Rising.
    k, n
        Correct trials and trials; with two classes, "yes" responses and trials of the
        signal and of the noise-only class.
    n_alternatives
        2 for yes/no.
    effect
        Design effect of trials shown twice.
    note
        What was left out, or None.

    Raises
    ------
    ValueError
        If there are fewer than three contrasts, or the counts do not fit each other.
    """

    contrast: Float[np.ndarray, " level"]
    k: Float[np.ndarray, " level class"]
    n: Float[np.ndarray, " level class"]
    n_alternatives: int = 2
    effect: float = 1.0
    note: str | None = None

    def __post_init__(self) -> None:
        check_alternatives(self.n_alternatives)
        if not np.all(np.isfinite(self.contrast)):
            raise ValueError("contrast must be finite, got NaN or infinity")
        if np.any(np.diff(self.contrast) <= 0):
            raise ValueError(f"contrast must rise, got {self.contrast.tolist()}")
        if len(self.contrast) < MIN_CONTRASTS:
            rule = f"{MIN_CONTRASTS} or more for a psychometric function"
            raise CannotTell(f"contrasts must be {rule}, got {len(self.contrast)}")
        if np.any((self.k < 0) | (self.k > self.n)):
            raise ValueError("counts must be between 0 and the trials at each contrast")

    @classmethod
    def of_counts(
        cls,
        contrast: Float[np.ndarray, " level"],
        n_correct: Int[np.ndarray, " level"],
        n_trials: Int[np.ndarray, " level"],
        n_alternatives: int,
    ) -> "ResponsesByContrast":
        """Take numbers of correct trials, at contrasts in any order."""
        order = np.argsort(contrast)
        k, n = (x[order, None].astype(np.float64) for x in (n_correct, n_trials))
        return cls(contrast[order], k, n, n_alternatives)

    @classmethod
    def of(cls, responses: Responses) -> "ResponsesByContrast":
        """Count the responses of a session's trials by contrast.

        Contrasts of a yes/no task at which a class has no trials are left out.
        """
        responses.require_target()
        level = np.searchsorted(responses.contrasts, responses.contrast)
        n_levels = len(responses.contrasts)
        if responses.is_forced_choice or responses.task in OF_MANY:
            k = np.bincount(level, responses.correct, n_levels)[:, None]
            n = np.bincount(level, minlength=n_levels)[:, None].astype(np.float64)
        else:
            cell = 2 * level + 1 - responses.target
            k = np.bincount(cell, responses.response == 1, 2 * n_levels).reshape(-1, 2)
            n = np.bincount(cell, minlength=2 * n_levels).reshape(-1, 2).astype(float)
        kept = (n > 0).all(1)
        left_out = ", ".join(f"{c:g}" for c in responses.contrasts[~kept])
        return cls(
            contrast=responses.contrasts[kept],
            k=k[kept],
            n=n[kept],
            n_alternatives=responses.n_alternatives,
            effect=shared_noise_effect(responses),
            note=f"without a class at contrast {left_out}" if left_out else None,
        )

    @property
    def proportion_correct(self) -> Float[np.ndarray, " level"]:
        """As `PsychometricFit.proportion_correct`."""
        if self.k.shape[1] == 1:
            return self.k[:, 0] / self.n[:, 0]
        z = ndtri(loglinear_rate(self.k, self.n))
        return ndtr((z[:, 0] - z[:, 1]) / 2)


def on_axis(
    contrast: Float[np.ndarray, " level"], axis: str
) -> Float[np.ndarray, " level"]:
    """Return contrasts on the axis of a fit; 0 is at -inf of the axis 'log'."""
    if axis == "linear":
        return contrast
    if np.any(contrast < 0):
        rule = ">= 0 on the axis 'log'"
        raise CannotTell(f"contrast must be {rule}, got {contrast.min():g}")
    with np.errstate(divide="ignore"):
        return np.log(contrast)


def off_axis(x: float, axis: str) -> float:
    """Return the contrast at a place of the axis."""
    if axis == "linear":
        return x
    return math.exp(x) if x < 700 else math.inf
