"""How large ganglion cells' centres are at an eccentricity, in degrees.

References
----------
.. [1] Croner & Kaplan (1995), Receptive fields of P and M ganglion cells across the
   primate retina. Vision Research 35, 7-24. Table 1: mean radius to 1/e of M cells'
   centres, .10 degrees at eccentricities of 0 to 10 degrees, .18 at 10 to 20 and .23 at
   20 to 30.
"""

import numpy as np

_MIDDLES_DEG = (5.0, 15.0, 25.0)  # of the ranges of [1]
_M_RADII_DEG = (0.10, 0.18, 0.23)
FARTHEST_DEG = 30.0


def centre_radius_deg(eccentricity_deg: float) -> float:
    """Give the mean radius of M cells' centres, between the published by a line.

    Raises
    ------
    ValueError
        If the eccentricity is beyond what was measured.

    Examples
    --------
    >>> centre_radius_deg(5.0), round(centre_radius_deg(10.0), 3)
    (0.1, 0.14)
    """
    if not 0 <= eccentricity_deg <= FARTHEST_DEG:
        rule = f"0 to {FARTHEST_DEG:g} degrees"
        raise ValueError(f"eccentricity_deg must be {rule}, got {eccentricity_deg:g}")
    return float(np.interp(eccentricity_deg, _MIDDLES_DEG, _M_RADII_DEG))
