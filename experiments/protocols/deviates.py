"""The standard normal deviate of every 16-bit draw, in which all noise begins."""

from functools import cache

import numpy as np
from jaxtyping import Float

N_DRAWS = 65536  # of 16 bits


@cache
def normal_table() -> Float[np.ndarray, " 65536"]:
    """Give the standard normal deviate of every 16-bit draw, Phi^-1((u + 1/2) / 65536).

    The tail ends at 4.3 SD: a 16-bit draw reaches no further.
    """
    from scipy.special import ndtri

    table = ndtri((np.arange(N_DRAWS) + 0.5) / N_DRAWS)
    table.setflags(write=False)
    return table
