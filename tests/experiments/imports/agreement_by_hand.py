"""The agreement of two passes, by an integral that shares nothing with ours."""

from statistics import NormalDist

import numpy as np
from scipy.integrate import quad


def agree_by_hand(z, r):
    """Return P(two passes agree), as an integral over what the passes share."""
    normal = NormalDist()

    def both(x):
        p = normal.cdf((z - np.sqrt(r) * x) / np.sqrt(1 - r))
        return normal.pdf(x) * (p**2 + (1 - p) ** 2)

    return quad(both, -9, 9)[0]
