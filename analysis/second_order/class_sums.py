"""Kernels of both orders from trials held in memory: class means and covariances.

The definitions are those of `weighted_sum.py` and `kernel.py`, which stream; here they
are functions of a `TrialDesign`, quick enough to be repeated for permuted responses and
bootstrap samples. Within each contrast

    order 1: sum over classes of sign x mean noise
    order 2: sum over classes of sign x covariance of the noise,

contrasts averaged with weights n phi(z). In 2AFC classes are correct (+) and incorrect
(-) for the target's noise, and the reverse for the other's; in yes/no "yes" (+) and
"no" (-) of either stimulus class.
"""

import numpy as np
from jaxtyping import Float, Int
from scipy.special import ndtri

from ..trials.design import TrialDesign


def first_order_vector(trials: TrialDesign) -> Float[np.ndarray, " element"]:
    """Return the weighted-sum kernel, noise contrast.

    Raises
    ------
    ValueError
        If no contrast has trials in every class.
    """
    weight, sign = _coefficients(trials, divisor=0)
    return (weight * sign) @ trials.noise


def second_order_matrices(
    trials: TrialDesign,
) -> Float[np.ndarray, " 2 element element"]:
    """Return the halves, target and other, of the second-order kernel; contrast^2.

    Their sum is the kernel. Sample covariances, about the mean of each class.

    Raises
    ------
    ValueError
        If no contrast has two trials or more in every class.
    """
    label, size, _ = _classes(trials)
    weight, sign = _coefficients(trials, divisor=1)
    halves = []
    for half, shown in enumerate(trials.halves):
        here, a = weight != 0, weight
        if trials.is_forced_choice:
            # The noise itself, without the sign that it speaks for "yes" with.
            sign_of_noise, a = (sign, weight) if half == 0 else (-sign, -weight)
            shown = sign_of_noise[:, None] * shown
        else:
            here = here & (trials.target == 1 - half)
        x, a, c = shown[here].astype(np.float64), a[here], label[here]
        total = np.zeros((len(size), x.shape[1]))
        np.add.at(total, c, x)
        n = np.maximum(size, 1)
        per_class = np.zeros(len(size))
        per_class[c] = a
        mean = total / n[:, None]
        halves.append((x * a[:, None]).T @ x - (mean.T * (per_class * n)) @ mean)
    return np.stack(halves)


def _classes(
    trials: TrialDesign,
) -> tuple[Int[np.ndarray, " trial"], Int[np.ndarray, " label"], int]:
    """Class of each trial, size of each class, classes of one contrast."""
    contrasts, contrast = np.unique(trials.contrast, return_inverse=True)
    correct = trials.response == (trials.target == 1)
    if trials.is_forced_choice:
        outcome, n_outcomes = correct.astype(np.int64), 2
    else:
        outcome, n_outcomes = 2 * trials.target + trials.response, 4
    label = contrast * n_outcomes + outcome
    size = np.bincount(label, minlength=len(contrasts) * n_outcomes)
    return label, size, n_outcomes


def _coefficients(
    trials: TrialDesign, divisor: int
) -> tuple[Float[np.ndarray, " trial"], Float[np.ndarray, " trial"]]:
    """Coefficient of each trial's own noise, and the sign of its noise for "yes".

    +-weight of the contrast / (class size - `divisor`); 0 where a class is too small.
    """
    label, size, n_outcomes = _classes(trials)
    complete = np.all(size.reshape(-1, n_outcomes) > divisor, axis=1)
    if not complete.any():
        rule = f"more than {divisor} trials in every stimulus-response class"
        raise ValueError(f"a contrast must have {rule}, got {size.tolist()}")
    weight = complete * _contrast_weights(trials)
    weight = weight / weight.sum()
    outcome = np.arange(len(size)) % n_outcomes
    positive = outcome % 2 == 1  # correct, or "yes"
    factor = np.where(positive, 1.0, -1.0) * np.repeat(weight, n_outcomes)
    factor = factor / np.maximum(size - divisor, 1)
    sign = np.ones(len(trials))
    if trials.is_forced_choice:
        sign = np.where(trials.target == 1, 1.0, -1.0)
    return factor[label], sign


def _contrast_weights(trials: TrialDesign) -> Float[np.ndarray, " contrast"]:
    """Return n phi(z) of each contrast, phi averaged over the two classes."""
    contrasts, contrast = np.unique(trials.contrast, return_inverse=True)
    cell = 2 * contrast + trials.target
    n = np.bincount(cell, minlength=2 * len(contrasts))
    yes = np.bincount(cell, trials.response, minlength=2 * len(contrasts))
    z = ndtri((yes + 0.5) / (n + 1)).reshape(-1, 2)
    return n.reshape(-1, 2).sum(1) * np.exp(-(z**2) / 2).mean(1)
