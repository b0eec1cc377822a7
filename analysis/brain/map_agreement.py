"""How alike saliency and importance maps are, as the Neural Harmonizer has it [1]_.

Of each picture Spearman's rank correlation of the two maps over pixels; the mean over
pictures, with its standard error over them. [1]_ divide by what people reach among each
other; here nothing is divided.

References
----------
.. [1] Fel, Rodriguez Rodriguez, Linsley & Serre (2022), Harmonizing the object
   recognition strategies of deep neural networks with humans, NeurIPS 35.
"""

import numpy as np
from jaxtyping import Float

from ..trials.estimate import CannotTell, Estimate

MAP_AGREEMENT = "map-agreement-spearman/1"


def map_agreement(
    saliency: Float[np.ndarray, " picture y x"],
    importance: Float[np.ndarray, " picture y x"],
) -> Estimate:
    """Estimate the mean rank correlation of two kinds of maps.

    Parameters
    ----------
    saliency, importance
        Of the same pictures. Pictures of which a map is the same everywhere are left
        out.

    Raises
    ------
    CannotTell
        If fewer than two pictures are left.
    ValueError
        If the maps are of different pictures or sizes, or not finite.

    Examples
    --------
    >>> maps = np.random.default_rng(1).random((20, 8, 8))
    >>> round(map_agreement(maps**2, maps).value, 6)
    1.0
    """
    if saliency.shape != importance.shape:
        got = f"{saliency.shape} and {importance.shape}"
        raise ValueError(f"maps must be of the same pictures and sizes, got {got}")
    one, other = (m.reshape(len(m), -1) for m in (saliency, importance))
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        raise ValueError("maps must be finite, got NaN or more")
    varies = (np.ptp(one, axis=1) > 0) & (np.ptp(other, axis=1) > 0)
    n = int(varies.sum())
    if n < 2:
        raise CannotTell(f"pictures with both maps must be 2 or more, got {n}")
    r = _correlations(one[varies], other[varies])
    return Estimate.normal(r.mean(), r.std(ddof=1) / np.sqrt(n), n, MAP_AGREEMENT)


def _correlations(
    one: Float[np.ndarray, " picture pixel"], other: Float[np.ndarray, " picture pixel"]
) -> Float[np.ndarray, " picture"]:
    """Return Spearman's correlation of each row."""
    from scipy.stats import rankdata

    x, y = (rankdata(each, axis=1) for each in (one, other))
    x, y = (each - each.mean(axis=1, keepdims=True) for each in (x, y))
    scale = np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    return (x * y).sum(axis=1) / scale
