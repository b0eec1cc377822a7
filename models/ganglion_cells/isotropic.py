"""From what a cell does to bars to a field in two dimensions.

A bar is endlessly long, so its filter at x is the field's integral along the bar, the
Abel transform of a field that is the same in every direction. A Gaussian field of unit
volume has a Gaussian of unit area and the same SD as its line integral: a profile that
is written as a sum of Gaussians has its field in the same weights.

That a field is isotropic is assumed, not seen: bars of one orientation cannot tell.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

SIGMAS = tuple(0.5 * 2 ** (k / 2) for k in range(9))  # .5 to 8 elements
_RIDGE = 1e-3  # of the mean square of the design: keeps neighbours from fighting


@dataclass(frozen=True, eq=False)
class Field:
    """A cell's filter as a field in space times a course in time, several of them.

    Attributes
    ----------
    weights
        Of Gaussians of the SDs `SIGMAS`, in elements, for each component.
    courses
        In time, lag 0 first, for each component.
    centre
        Place of the field's middle along the bars, in elements from the first.
    radius
        Where the first component's line integral has 1/e of its middle, in elements: of
        a Gaussian that is the field's radius too, and it can be told far better.
    share
        Of the filter's squares that is kept: what is symmetric and in the components.
    """

    weights: Float64[np.ndarray, " component sigma"]
    courses: Float64[np.ndarray, " component lag"]
    centre: float
    radius: float
    share: float


def field_of_bars(
    filters: Float64[np.ndarray, " x lag"], n_components: int = 2
) -> Field:
    """Find the isotropic field whose line integrals are a filter of bars.

    Raises
    ------
    ValueError
        If the filter is nought everywhere.

    Examples
    --------
    >>> x = np.arange(31) - 15.0
    >>> centre, surround = np.exp(-((x / 2) ** 2) / 2), np.exp(-((x / 6) ** 2) / 2)
    >>> course = np.array([0.0, 1.0, 0.5, -0.3])
    >>> field = field_of_bars((centre - 0.3 * surround)[:, None] * course)
    >>> field.centre, round(field.share, 3)
    (15.0, 1.0)
    """
    if not filters.any():
        raise ValueError("a filter must have a weight that is not 0, got none")
    places, courses = _separated(filters, n_components)
    centre = _centre(places[0])
    design = _profiles(np.arange(len(filters)) - centre)  # (x, sigma)
    ridge = _RIDGE * np.mean(design**2) * np.eye(design.shape[1])
    solved = np.linalg.solve(design.T @ design + ridge, design.T @ places.T)
    kept = (design @ solved) @ courses
    share = 1 - float(np.sum((filters - kept) ** 2) / np.sum(filters**2))
    return Field(solved.T, courses, centre, _radius(solved[:, 0]), share)


def _separated(filters: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Part a filter into places (component, x) and courses (component, lag)."""
    left, sizes, right = np.linalg.svd(filters, full_matrices=False)
    n = min(n, int((sizes > 1e-9 * sizes[0]).sum()))
    places, courses = (left[:, :n] * sizes[:n]).T, right[:n]
    peak = places[np.arange(n), np.abs(places).argmax(axis=1)]
    signs = np.sign(peak)[:, None]
    return places * signs, courses * signs


def _centre(places: Float64[np.ndarray, " x"]) -> float:
    """Give the middle of the centre: of what has the peak's sign beside the peak."""
    peak = int(places.argmax())
    low = high = peak
    while low > 0 and places[low - 1] > 0:
        low -= 1
    while high < len(places) - 1 and places[high + 1] > 0:
        high += 1
    at = np.arange(low, high + 1)
    return float(at @ places[at] / places[at].sum())


def _profiles(x: Float64[np.ndarray, " x"]) -> Float64[np.ndarray, " x sigma"]:
    """Give the Gaussians of unit area, averaged over the width of a bar."""
    from scipy.special import ndtr

    sigmas = np.array(SIGMAS)
    return ndtr((x[:, None] + 0.5) / sigmas) - ndtr((x[:, None] - 0.5) / sigmas)


def _radius(weights: Float64[np.ndarray, " sigma"]) -> float:
    """Give where the line integral falls to 1/e of its middle; or the widest SD."""
    sigmas, r = np.array(SIGMAS), np.linspace(0, 4 * SIGMAS[-1], 4000)
    profile = np.exp(-((r[:, None] / sigmas) ** 2) / 2) @ (weights / sigmas)
    below = np.flatnonzero(profile * np.sign(profile[0]) < abs(profile[0]) / np.e)
    return float(r[below[0]]) if len(below) else SIGMAS[-1]
