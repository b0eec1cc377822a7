"""How complex a layer's transformation of pictures is: what no linear map tells.

    complexity = 1 - R^2

of the best linear map from pixels to a unit, the median over units; R^2 is of pictures
that the map was not fitted to. A measure of our own: 0 for a linear network, 1 for
units that no linear map foretells at all. Of Gaussian pixels a rectified sum has
1 - .5 / (1 - 1 / pi) = .266, and so has the larger of two independent sums; a squared
one has 1.

The map is ridge regression with a penalty chosen within the pictures to fit, on the
splits of `splits.py`. It can only be found from more pictures than pixels, so pixels
should be those that the units see.
"""

import numpy as np
from jaxtyping import Float, Real

from ..trials.estimate import Estimate
from .mappings import fitted
from .over_units import CONSTANT, over_units
from .predictivity import Features, as_rows, check_pair
from .splits import N_SPLITS, SEED, splits

COMPLEXITY = "layer-complexity/1"
ENOUGH = 3  # pictures to fit for each pixel; of fewer the linear map is not found well
NO_UNIT = "no unit's responses vary over the pictures"


def layer_complexity(
    pixels: Features,
    responses: Real[np.ndarray, " stimulus *unit"],
    n_splits: int = N_SPLITS,
    seed: int = SEED,
) -> Estimate:
    """Estimate how much of a layer's responses no linear map of the pixels tells.

    Parameters
    ----------
    pixels
        Of each picture those that the units see, in any unit of contrast; what follows
        the first axis is taken as one.
    responses
        Of the layer's units to each picture. A unit that is constant does not count.
    n_splits, seed
        Of the cross-validation: nine tenths are fitted to.

    Returns
    -------
    Estimate
        Median over units, averaged over splits; the interval is a bootstrap over units.
        It can exceed 1 by what fitting costs. With fewer than three pictures to fit for
        each pixel a note says that it is too high.

    Raises
    ------
    ValueError
        If numbers are not finite, or pictures too few or not the same.
    ModuleNotFoundError
        If scikit-learn is not installed.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> pixels = rng.normal(size=(2000, 20))
    >>> sums = pixels @ rng.normal(size=(20, 50))
    >>> for layer in (sums, np.maximum(sums, 0), sums**2):
    ...     print(f"{layer_complexity(pixels, layer).value:.2f}")
    0.00
    0.27
    1.00
    """
    x, y = as_rows(pixels), as_rows(responses).astype(np.float64)
    check_pair(x, y)
    if not np.isfinite(y).all():
        n = int((~np.isfinite(y)).sum())
        raise ValueError(f"responses must be finite numbers, got {n} that are not")
    x, y = _of_sd_1(x), _of_sd_1(y, by_column=True)
    parts = splits(len(x), None, n_splits, seed)
    varies = np.isfinite(y).all(axis=0)
    left = np.full((len(parts), y.shape[1]), np.nan)
    if varies.any():
        left[:, varies] = [_left(x, y[:, varies], *part) for part in parts]
    found = over_units(left, COMPLEXITY, NO_UNIT)
    n_to_fit = len(parts[0][0])
    if n_to_fit < ENOUGH * x.shape[1]:
        few = f"{n_to_fit} pictures to fit a map of {x.shape[1]} pixels: too high"
        return found.with_note(few)
    return found


def _of_sd_1(
    values: Real[np.ndarray, " stimulus _"], by_column: bool = False
) -> Float[np.ndarray, " stimulus _"]:
    """Bring values to an SD of 1, together or each column; NaN where they are constant.

    The penalties of the ridge do not know what contrast is measured in.
    """
    about = values - values.mean(axis=0, dtype=np.float64)
    size = np.sqrt((about**2).mean(axis=0 if by_column else None))
    largest = np.abs(values).max(axis=0 if by_column else None)
    is_constant = size <= CONSTANT * largest
    return about / np.where(is_constant, np.nan if by_column else 1.0, size)


def _left(
    x: Float[np.ndarray, " stimulus pixel"],
    y: Float[np.ndarray, " stimulus unit"],
    train: np.ndarray,
    test: np.ndarray,
) -> Float[np.ndarray, " unit"]:
    """Return what is not told, as a share of each unit's variance over held out."""
    error = y[test] - fitted("ridge-cv", x[train], y[train])(x[test])
    about = y[test] - y[test].mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (error**2).sum(axis=0) / (about**2).sum(axis=0)
    return np.where(np.isfinite(share), share, np.nan)
