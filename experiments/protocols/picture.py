"""The picture: what stands behind noise and signal, equal in all alternatives.

It is a file of the protocol's, what its signal has in common, or both.
"""

import numpy as np
from jaxtyping import Int64

from .contents import PICTURE, kept_on_grid
from .noise_and_signal import FULL_CONTRAST
from .parts import Parts
from .signal import signal_template
from .template import mean_of_patterns


def picture_levels(protocol: Parts) -> Int64[np.ndarray, " frame row column"] | None:
    """Give the levels of the picture behind noise and signal; None without one."""
    sha256, signal = protocol.noise.picture_sha256, protocol.signal
    levels = np.zeros(protocol.noise.grid, np.int64)
    if sha256:
        levels += kept_on_grid(sha256, PICTURE, protocol.noise.grid)
    if signal.pedestal:
        common = (
            mean_of_patterns(signal, protocol.noise)
            if signal.kind == "patterns"
            else signal_template(protocol)
        )
        levels += np.rint(FULL_CONTRAST * signal.pedestal * common).astype(np.int64)
    return levels if sha256 or signal.pedestal else None


def highest_beside(protocol: Parts, room: float) -> float:
    """Give the highest contrast at which picture and signal stay within so many levels.

    Before rounding; never below 0.
    """
    picture = picture_levels(protocol)
    behind = np.zeros(protocol.noise.grid) if picture is None else picture
    at_one = FULL_CONTRAST * signal_template(protocol)
    highest = np.inf
    for gain in protocol.signal.gains:
        slope = gain * at_one
        there = slope != 0
        left = room - np.sign(slope[there]) * behind[there]
        highest = min(highest, float((left / np.abs(slope[there])).min(initial=np.inf)))
    return max(0.0, highest)
