"""Signatures: d' of each image, or object, against each other object, or all of them.

With p(i, d) how often image i of object o is taken for d, and FA(d, o) the mean of p
over images of d that are taken for o, d'(i, d) = z(1 - p(i, d)) - z(FA(d, o)), clipped
to [-5, 5]: I2. I1 is its mean over d. I2n and I1n are those of d' less its mean over
the images with the same o and d: what is left is the image, not the objects. O2 and O1
are of objects: p is averaged over an object's images first [1]_.

References
----------
.. [1] Rajalingham, Issa, Bashivan, Kar, Schmidt & DiCarlo (2018), J. Neurosci. 38,
   7255-7269, as Brain-Score's metrics `i1`, `i1n`, `i2`, `i2n`, `o1` and `o2` have it.
"""

import numpy as np
from jaxtyping import Float, Int
from scipy.special import ndtri

MEASURES = ("i1", "i1n", "i2", "i2n", "o1", "o2")
CAP = 5.0


def signature(
    taken: Float[np.ndarray, "image object"],
    target: Int[np.ndarray, " image"],
    measure: str,
    weight: Float[np.ndarray, " image"] | None = None,
) -> Float[np.ndarray, " *shape"]:
    """Return a signature.

    Parameters
    ----------
    taken
        How often each image is taken for each object, of the two; NaN where it was not
        asked, and at the target.
    target
        The number of the object that each image shows.
    measure
        One of i1, i1n, i2, i2n, o1 and o2.
    weight
        How often each image counts in means; by default once.

    Returns
    -------
    array
        By image and object of i2 and i2n, by image of i1 and i1n, by object and object
        of o2, by object of o1. NaN where there is no value.

    Examples
    --------
    Two objects and two images of each; the first dog is taken for a cat in .1.

    >>> taken = np.array([[np.nan, 0.1], [np.nan, 0.3], [0.2, np.nan], [0.4, np.nan]])
    >>> target = np.array([0, 0, 1, 1])
    >>> signature(taken, target, "i1").round(3).tolist()  # z(.9) - z(.3), ...
    [1.806, 1.049, 1.683, 1.095]
    """
    if weight is None:
        weight = np.ones(len(target))
    of_object = (target[:, None] == np.arange(taken.shape[1])) * weight[:, None]
    alarms = _means(taken, of_object)
    if measure.startswith("o"):
        found = _difference(1 - alarms, alarms.T)
        return found if measure == "o2" else _row_means(found)
    found = _difference(1 - taken, alarms.T[target])
    if measure.endswith("n"):
        found = found - _means(found, of_object)[target]
    return found if measure.startswith("i2") else _row_means(found)


def _difference(hits: np.ndarray, alarms: np.ndarray) -> np.ndarray:
    """Return d', NaN where it is infinity less infinity."""
    with np.errstate(invalid="ignore"):
        return np.clip(ndtri(hits) - ndtri(alarms), -CAP, CAP)


def _means(
    values: Float[np.ndarray, "image object"], of: Float[np.ndarray, "image object"]
) -> Float[np.ndarray, "object object"]:
    """Return means over the images of each object, of what is not NaN."""
    known = ~np.isnan(values)
    n = of.T @ known
    total = of.T @ np.where(known, values, 0.0)
    return np.divide(total, n, out=np.full(n.shape, np.nan), where=n > 0)


def _row_means(values: np.ndarray) -> np.ndarray:
    known = ~np.isnan(values)
    n = known.sum(axis=1)
    total = np.where(known, values, 0.0).sum(axis=1)
    return np.divide(total, n, out=np.full(len(n), np.nan), where=n > 0)
