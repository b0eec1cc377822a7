"""Marks that a cascade leaves in the second-order kernel: scalars, each one product.

They are no verdict, but evidence that needs no model: the trace of H2; its part along
the first-order kernel w, w'H2w; and of this the part off the diagonal, which is
positive for an LN cascade, nought for squared elements and negative or nought for a
Hammerstein. The kernel is cross-fitted, of the other half of the fields, so that its
noise does not enter twice.
"""

import numpy as np
from jaxtyping import Float, Int

from ..kernels.classes import Classes
from ..trials.design import TrialDesign
from ..trials.estimate import Estimate
from .replicates import noise_sd, off_diagonal_se

FORMULA = "cascade-feature-{}/2"
MEANINGS = {
    "trace": "trace of H2, in noise variances",
    "along_kernel": "H2 along the first-order kernel, in noise variances",
    "off_diagonal": "of this, what is off the diagonal: LN above 0, Hammerstein not",
    "second_order_share": "share of the decision variance that is of second order",
}


def features(trials: TrialDesign) -> dict[str, Estimate]:
    """Return the marks in the kernels of a session, with intervals.

    Parameters
    ----------
    trials
        Well filled (`replicates.well_filled`).
    """
    sd = noise_sd(trials)
    classes = Classes.of(trials)
    first, second = (classes.coefficients(order)[0] for order in (1, 2))
    label = classes.label[0]
    of_field = _halves(trials)
    kernels = [_kernel(trials, first * (of_field != part)) for part in range(2)]
    unit = np.stack([k / max(float(np.linalg.norm(k)), 1e-300) for k in kernels])
    shown = _about_class_means(trials.shown.astype(np.float64) / sd, label)
    sign = np.array([1.0, -1.0])[: len(shown)]
    squares = np.square(shown)
    along = np.einsum("fte,te->ft", shown, unit[of_field]) ** 2
    diagonal = np.einsum("fte,te->ft", squares, np.square(unit)[of_field])
    parts = {
        "trace": sign @ squares.sum(2),
        "along_kernel": sign @ along,
        "off_diagonal": sign @ (along - diagonal),
    }
    found = {
        name: _estimate(trials, name, second, label, values)
        for name, values in parts.items()
    }
    both = [k / sd for k in kernels]
    return found | {"second_order_share": _share(trials, shown, second, both)}


def _about_class_means(
    shown: Float[np.ndarray, " field trial element"], label: Int[np.ndarray, " trial"]
) -> Float[np.ndarray, " field trial element"]:
    inside = (label == np.arange(label.max() + 1)[:, None]).astype(np.float64)
    mean = inside @ shown / np.maximum(inside.sum(1), 1)[:, None]
    return shown - mean[:, label]


def _halves(trials: TrialDesign) -> Int[np.ndarray, " trial"]:
    """Which half of the fields each trial is of; classes are spread over both."""
    _, field = np.unique(trials.cluster, return_inverse=True)
    return field // 2 % 2  # neighbours may alternate between classes


def _kernel(trials: TrialDesign, coefficient: np.ndarray) -> np.ndarray:
    """First-order kernel of half the fields: twice their sum."""
    return 2 * (coefficient * trials.sign) @ trials.noise.astype(np.float64)


def _estimate(
    trials: TrialDesign,
    name: str,
    coefficient: Float[np.ndarray, " trial"],
    label: Int[np.ndarray, " trial"],
    values: Float[np.ndarray, " trial"],
) -> Estimate:
    """Difference of class means; SE from the fields, about the mean of their class."""
    n = np.bincount(label)
    mean = np.bincount(label, values) / np.maximum(n, 1)
    value = float(coefficient @ values)
    each = trials.by_field(coefficient * (values - mean[label]))
    formula = FORMULA.format(name.replace("_", "-"))
    se = float(np.sqrt(np.square(each).sum()))
    return Estimate.normal(value, se, len(trials), formula, MEANINGS[name])


def _share(
    trials: TrialDesign,
    shown: Float[np.ndarray, " field trial element"],
    coefficient: Float[np.ndarray, " trial"],
    kernels: list[np.ndarray],
) -> Estimate:
    """Half of |H2|^2 over this and |H1|^2, both freed of what noise adds to squares.

    The SE is that without a second order, where it is largest relative to the share.
    """
    signs = (1, -1)
    weighted = [s * (n.T * coefficient) @ n for s, n in zip(signs, shown, strict=False)]
    matrix, e = sum(weighted), shown.shape[2]
    null = off_diagonal_se(trials) / noise_sd(trials) ** 2
    energy = float(np.square(matrix).sum()) - (e * e + e) * null**2
    se = null**2 * np.sqrt(2 * (2 * e * (e - 1) + 4 * e))
    first = max(float(kernels[0] @ kernels[1]), 1e-300)
    scale = first + max(energy, 0) / 2
    formula = FORMULA.format("second-order-share")
    note = MEANINGS["second_order_share"]
    return Estimate.normal(
        energy / 2 / scale, se / 2 / scale, len(trials), formula, note
    )
