"""Which of three pictures is unlike the other two."""

import numpy as np
from jaxtyping import Float, Int

SIMILARITIES = ("dot", "cosine")
ODD_ONE_OUT = "odd-one-out-{similarity}/1"
_PAIRS = ((0, 1), (0, 2), (1, 2))
_LEFT_OUT = np.array([2, 1, 0])  # of each pair


def odd_ones(
    features: Float[np.ndarray, " picture unit"],
    triplets: Int[np.ndarray, " triplet 3"],
    similarity: str = "dot",
) -> Int[np.ndarray, " triplet"]:
    """Give the place of the odd one in each triplet: not of the most similar pair.

    Parameters
    ----------
    features
        Of each picture.
    triplets
        Numbers of pictures.
    similarity
        'dot', the features' inner product, as in Brain-Score, or 'cosine'. Of equally
        similar pairs the first counts: first and second, first and third, second and
        third.

    Returns
    -------
    array
        0, 1 or 2.

    Raises
    ------
    ValueError
        If there is no such similarity, or a cosine is asked for and features are all 0.

    References
    ----------
    .. [1] Hebart et al. (2020), Revealing the multidimensional mental representations
       of natural objects, Nature Human Behaviour 4, 1173-1185.

    Examples
    --------
    >>> two_alike = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 2.0]])
    >>> odd_ones(two_alike, np.array([[0, 1, 2], [1, 0, 2], [2, 1, 0]])).tolist()
    [0, 1, 2]
    """
    if similarity not in SIMILARITIES:
        rule = f"one of {', '.join(SIMILARITIES)}"
        raise ValueError(f"similarity must be {rule}, got {similarity!r}")
    rows = np.asarray(features, np.float64)
    if similarity == "cosine":
        sizes = np.linalg.norm(rows, axis=1, keepdims=True)
        if (sizes == 0).any():
            raise ValueError("features must be other than 0 for a cosine, got all 0")
        rows = rows / sizes
    pairs = [(rows[triplets[:, a]] * rows[triplets[:, b]]).sum(1) for a, b in _PAIRS]
    return _LEFT_OUT[np.argmax(pairs, axis=0)]
