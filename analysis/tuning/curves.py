"""Properties of single tuning curves, as the V1 battery defines them.

Each follows Marques et al. (2021) [1]_ as Brain-Score computes it [2]_; the properties
themselves are those of the physiologists who are named.

References
----------
.. [1] Marques, Schrimpf & DiCarlo (2021), bioRxiv 2021.03.01.433495.
.. [2] brain-score/vision, benchmark_helpers/properties_common.py, c642dbe4 (MIT).
.. [3] Ringach, Shapley & Hawken (2002), J. Neurosci. 22, 5639-5651.
.. [4] Schiller, Finlay & Volman (1976), J. Neurophysiol. 39, 1334-1351.
.. [5] Cavanaugh, Bair & Movshon (2002), J. Neurophysiol. 88, 2530-2546.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

_HALF_POWER = 0.707
_HANNING = np.array([0.0, 0.4, 1.0, 0.4, 0.0])
_SMOOTH = np.array([0.0, 0.2, 1.0, 0.2, 0.0])
SUPPRESSED = 0.1  # suppression index from which a field's size and surround are told


def circular_variance(
    curve: Float[np.ndarray, " orientation"],
    orientation_deg: Float[np.ndarray, " orientation"],
) -> float:
    """Return 1 - |sum r exp(2 i theta)| / sum |r| [3]_: 0 selective, 1 not at all.

    NaN for a curve that is 0 everywhere.

    Examples
    --------
    >>> theta = np.arange(0, 180, 15.0)
    >>> circular_variance(np.ones(12), theta), circular_variance(np.eye(12)[3], theta)
    (1.0, 0.0)
    """
    total = float(np.abs(curve).sum())
    if not total:
        return math.nan
    length = abs(complex(curve @ np.exp(2j * np.deg2rad(orientation_deg))))
    return round(1 - length / total, 12)


def orthogonal_ratio(curve: Float[np.ndarray, " orientation"]) -> float:
    """Return the response at 90 degrees from the best orientation over that to it.

    The curve covers 180 degrees in an even number of equal steps.
    """
    best = int(np.argmax(curve))
    peak = float(curve[best])
    return (
        float(curve[(best + len(curve) // 2) % len(curve)]) / peak if peak else math.nan
    )


def orientation_bandwidth(
    curve: Float[np.ndarray, " orientation"],
    orientation_deg: Float[np.ndarray, " orientation"],
) -> float:
    """Return half the width at .707 of the peak in degrees; NaN beyond 90.

    The curve is smoothed by (.4, 1, .4) / 1.8 and interpolated by a cubic spline.
    """
    place, fine = _around(curve, orientation_deg, _HANNING)
    best = 180 + int(np.argmax(fine[180:360]))
    below = np.flatnonzero(fine <= fine[best] * _HALF_POWER)
    left, right = below[below < best], below[below > best]
    if not len(left) or not len(right):
        return math.nan
    width = float(place[right[0]] - place[left[-1]])
    return math.nan if width > 180 else width / 2


def preferred_orientation(
    curve: Float[np.ndarray, " orientation"],
    orientation_deg: Float[np.ndarray, " orientation"],
) -> float:
    """Return the peak in whole degrees from -22.5 to 157.5; smoothed by (.2, 1, .2)."""
    _, fine = _around(curve, orientation_deg, _SMOOTH)
    best = float(np.argmax(fine[180:360]))
    return best - 180 if best >= 157.5 else best


def _around(
    curve: np.ndarray, orientation_deg: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Give a curve, three times around, smoothed and interpolated to degrees."""
    from scipy.interpolate import UnivariateSpline

    thrice = np.concatenate([orientation_deg + turn for turn in (-180, 0, 180)])
    smooth = np.convolve(weights / weights.sum(), np.tile(curve, 3), mode="same")
    place = np.arange(-180.0, 360.0)
    return place, np.asarray(UnivariateSpline(thrice, smooth, s=0)(place))


@dataclass(frozen=True)
class FrequencyTuning:
    """Of a curve over spatial frequency.

    Attributes
    ----------
    peak
        In c/deg.
    bandwidth
        100 times the lower over the upper frequency at .707 of the peak [4]_: 100 is
        endlessly narrow; NaN where either is not reached.
    """

    peak: float
    bandwidth: float


def frequency_tuning(
    curve: Float[np.ndarray, " frequency"], frequency: Float[np.ndarray, " frequency"]
) -> FrequencyTuning:
    """Return peak and bandwidth, of a curve smoothed by (.2, 1, .2) / 1.4.

    Between its points a cubic spline is read at 100 places, equal in log frequency.
    """
    from scipy.interpolate import UnivariateSpline

    weights = _SMOOTH / _SMOOTH.sum()
    padded = np.pad(curve, 2, mode="edge")
    smooth = np.convolve(weights, padded, mode="valid")
    octaves = np.log2(frequency)
    place = np.linspace(octaves[0], octaves[-1], 100)
    fine = np.asarray(UnivariateSpline(octaves, smooth, s=0)(place))
    best = int(np.argmax(fine))
    below = np.flatnonzero(fine <= fine[best] * _HALF_POWER)
    left, right = below[below < best], below[below > best]
    width = math.nan
    if len(left) and len(right):
        width = float(100 * 2 ** (place[left[-1]] - place[right[0]]))
    return FrequencyTuning(float(2 ** place[best]), width)


@dataclass(frozen=True)
class SizeTuning:
    """Of a curve over the size of a grating.

    Attributes
    ----------
    suppression
        (peak - response to the largest) / peak [5]_.
    summation_field_deg
        Diameter from which 95 % of the peak is reached; NaN without suppression.
    surround_deg
        Diameter, beyond the peak, from which the response is within 5 % of that to the
        largest; NaN without suppression.
    """

    suppression: float
    summation_field_deg: float
    surround_deg: float


def size_tuning(
    curve: Float[np.ndarray, " radius"], radius_deg: Float[np.ndarray, " radius"]
) -> SizeTuning:
    """Return suppression, summation field and surround.

    Examples
    --------
    >>> size_tuning(np.array([0.0, 4, 10, 8, 5, 5]), np.array([0.25, 0.5, 1, 2, 4, 8]))
    SizeTuning(suppression=0.5, summation_field_deg=2.0, surround_deg=8.0)
    """
    best = int(np.argmax(curve))
    peak, last = float(curve[best]), float(curve[-1])
    suppression = (peak - last) / peak if peak else math.nan
    if not (peak > 0 and suppression > SUPPRESSED):
        return SizeTuning(suppression, math.nan, math.nan)
    reached = np.flatnonzero(curve >= 0.95 * peak)[0]
    flat = (curve <= last + 0.05 * abs(last)) & (radius_deg > radius_deg[best])
    surround = radius_deg[np.flatnonzero(flat)[0]]
    return SizeTuning(suppression, float(2 * radius_deg[reached]), float(2 * surround))
