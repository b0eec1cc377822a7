"""The kernels of both orders written out, class by class, as the literature has them.

For tests to compare with: nothing is shared with the code under test, and nothing is
made quick. Within each contrast

    order 1: sum over classes of sign x mean noise
    order 2: sum over classes of sign x covariance of the noise,

contrasts averaged with weights n phi(z). In 2AFC classes are correct (+) and incorrect
(-) for the target's noise, and the reverse for the other's; in yes/no "yes" (+) and
"no" (-) of either stimulus class.
"""

from collections.abc import Callable

import numpy as np
from scipy.stats import norm

from yoked.analysis.trials.design import TrialDesign


def first_order_vector(trials: TrialDesign) -> np.ndarray:
    """Return the weighted-sum kernel, noise contrast."""
    return averaged(trials, 1, lambda noise: noise.mean(axis=0)).sum(axis=0)


def second_order_matrices(trials: TrialDesign) -> np.ndarray:
    """Return the halves, target and other, of the second-order kernel; contrast^2."""
    return averaged(trials, 2, lambda noise: np.cov(noise, rowvar=False))


def averaged(
    trials: TrialDesign, least: int, moment: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """Average the halves over contrasts with `least` trials or more in every class."""
    weights, halves = [], []
    for contrast in np.unique(trials.contrast):
        here = trials.contrast == contrast
        halves_here = compared(trials, here)
        if min(len(noise) for half in halves_here for noise in half) >= least:
            weights.append(weight(trials, here))
            halves.append([moment(a) - moment(b) for a, b in halves_here])
    return np.average(halves, axis=0, weights=weights)


def compared(trials: TrialDesign, here: np.ndarray) -> list[list[np.ndarray]]:
    """Return, of target and other, the noise that counts + and that which counts -."""
    halves = trials.halves.astype(np.float64)
    yes, is_signal = trials.response, trials.target == 1
    if not trials.is_forced_choice:
        return [
            [halves[0][here & is_signal & said] for said in (yes, ~yes)],
            [halves[1][here & ~is_signal & said] for said in (yes, ~yes)],
        ]
    # The noise itself, without the sign with which it speaks for the second interval.
    sign = np.where(is_signal, 1, -1)[:, None]
    target, other, correct = sign * halves[0], -sign * halves[1], yes == is_signal
    return [
        [target[here & correct], target[here & ~correct]],
        [other[here & ~correct], other[here & correct]],
    ]


def weight(trials: TrialDesign, here: np.ndarray) -> float:
    """Return n phi(z) of a contrast, phi averaged over the two classes of stimuli."""
    densities = []
    for target in (0, 1):
        yes = trials.response[here & (trials.target == target)]
        densities.append(norm.pdf(norm.ppf((yes.sum() + 0.5) / (len(yes) + 1))))
    return here.sum() * np.mean(densities)


def without_linear_part(kernel2: np.ndarray, kernel1: np.ndarray) -> np.ndarray:
    """Return P K P, with P what is across a first-order kernel."""
    w = kernel1.ravel().astype(np.float64)
    across = np.eye(len(w)) - np.outer(w, w) / (w @ w)
    return across @ kernel2 @ across
