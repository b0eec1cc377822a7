"""What the trial before does to the criterion: its response and its stimulus.

Two columns, -1 or 1, and 0 where there is no trial before: on the first of a block, and
after one that does not count. "After a correct response" and "after an error" are
linear combinations of them.
"""

import numpy as np
from jaxtyping import Float

from ..trials.responses import Responses
from .course import block_of


def previous_columns(responses: Responses) -> Float[np.ndarray, " trial 2"]:
    """Return response and stimulus of the trial before as columns of thresholds."""
    found = np.zeros((len(responses), 2))
    block = block_of(responses)
    follows = (np.diff(block) == 0) & (np.diff(responses.trial) == 1)
    for column, values in enumerate((responses.response, responses.target)):
        found[1:, column] = np.where(follows, 2 * values[:-1] - 1, 0)
    return found
