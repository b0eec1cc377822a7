"""The SD that a protocol's noise has along a template: that of a weighted sum of it."""

import math

import numpy as np
from jaxtyping import Real

from .coefficients import coefficients_of
from .deviates import normal_table
from .image_kinds import images_of
from .noise_and_signal import FULL_CONTRAST
from .parts import Parts


def sd_along(
    protocol: Parts,
    weights: Real[np.ndarray, " frame row column"],
) -> float:
    """Give the SD of the sum of weight times noise level over the elements of a patch.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> weights = np.zeros((1, 1, 13))
    >>> weights[0, 0, 6] = 1
    >>> round(sd_along(protocol, weights), 1)  # levels of noise of SD .10
    12.7
    """
    noise, weighed = protocol.noise, np.asarray(weights, np.float64)
    energy = float((weighed**2).sum())
    if noise.basis is None:
        sd = FULL_CONTRAST * noise.sd
        if noise.kind == "gaussian":
            sd = float(np.rint(sd * normal_table()).std())
        return sd * math.sqrt(energy)
    images = images_of(noise.basis, noise.grid)
    sds = coefficients_of(noise, noise.sd).unit_sds / noise.fineness
    inner = sds * images.products(weighed)
    floor = (FULL_CONTRAST * noise.floor_sd) ** 2
    return math.sqrt(float((inner**2).sum()) + floor * energy)
