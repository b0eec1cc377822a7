"""Fifteen properties of every unit, from its responses to gratings.

Rectified responses become spikes/s by one straight line for all units, so that the
medians of their largest and of their spontaneous responses are those of the cells of
Ringach et al. (2002): 33.8 and .82. Units count that then exceed 5 spikes/s.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float

from ...experiments.recordings.grating_responses import SETS, GratingResponses
from ...experiments.stimulus.gratings import FREQUENCIES, ORIENTATIONS, RADII_DEG
from ..trials.estimate import CannotTell
from .curves import (
    circular_variance,
    frequency_tuning,
    orientation_bandwidth,
    orthogonal_ratio,
    preferred_orientation,
    size_tuning,
)

MEDIAN_MAX, MEDIAN_SPONTANEOUS = 33.8, 0.82  # spikes/s
_LARGEST = 243.1  # of the cells' responses
_RESPONSIVE = 5.0  # spikes/s above what there is without a stimulus
Values = dict[str, Float[np.ndarray, " unit"]]


def firing_rates(responses: GratingResponses) -> GratingResponses:
    """Return responses in spikes/s.

    Parameters
    ----------
    responses
        In any unit; what is below 0 counts as 0.

    Raises
    ------
    CannotTell
        If the median unit responds to no grating.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> shapes = (3, 4, 12, 8), (2, 22, 6, 8), (12, 4, 6, 8)
    >>> some = GratingResponses(*(rng.random((9, *s)) for s in shapes), np.zeros(9))
    >>> rates = firing_rates(some)
    >>> round(float(np.median(rates.orientation.mean(4).max((1, 2, 3)))), 6)
    33.8
    """
    given = {name: getattr(responses, name) for name in (*SETS, "blank")}
    parts = {
        name: np.maximum(part, 0.0) for name, part in given.items() if part is not None
    }
    largest = parts["orientation"].mean(4).reshape(responses.n_units, -1).max(1)
    driven = largest - parts["blank"]
    counts = driven > _RESPONSIVE / _LARGEST * driven.max()
    if not counts.any():
        raise CannotTell("a layer must have a unit that responds to gratings, got none")
    top, rest = np.median(largest[counts]), np.median(parts["blank"][counts])
    slope = (MEDIAN_MAX - MEDIAN_SPONTANEOUS) / (top - rest)
    offset = MEDIAN_SPONTANEOUS - slope * rest
    rates = {
        name: np.maximum(slope * part + offset, 0.0) for name, part in parts.items()
    }
    shown = dict.fromkeys(SETS) | rates
    return GratingResponses(**shown)  # pyright: ignore[reportArgumentType]


def properties_of(rates: GratingResponses) -> Values:
    """Return every property of the sets that were shown, of units that have it told.

    Parameters
    ----------
    rates
        Responses in spikes/s.

    Returns
    -------
    dict
        By name; NaN for a unit without it, such as the bandwidth of one that is not
        selective. The number of units differs between the sets of gratings.
    """
    found: Values = {}
    found |= _of_orientation(rates)
    if rates.frequency is not None:
        found |= _of_frequency(rates.frequency, rates.blank)
    if rates.size is not None:
        found |= _of_size(rates.size, rates.blank)
    return found


def _of_orientation(rates: GratingResponses) -> Values:
    """Return what is told of curves over orientation."""
    mean, modulation = _components(rates.orientation)
    rows = []
    for unit in range(rates.n_units):
        cycles, frequency, best = _where(mean[unit])
        curve = mean[unit, cycles, frequency]
        rows.append(
            (
                curve[best],
                modulation[unit, cycles, frequency, best],
                circular_variance(curve, ORIENTATIONS),
                orientation_bandwidth(curve, ORIENTATIONS),
                orthogonal_ratio(curve),
                preferred_orientation(curve, ORIENTATIONS),
            )
        )
    top, f1, variance, width, ratio, preferred = np.array(rows).T
    kept = top > rates.blank + _RESPONSIVE
    values = orientation_values(top, f1, variance, width, ratio)
    values["preferred_orientation"] = preferred
    return {name: each[kept] for name, each in values.items()}


def orientation_values(
    max_dc: Float[np.ndarray, " unit"],
    max_f1: Float[np.ndarray, " unit"],
    variance: Float[np.ndarray, " unit"],
    bandwidth: Float[np.ndarray, " unit"],
    ratio: Float[np.ndarray, " unit"],
) -> Values:
    """Return the eight properties that Ringach et al. (2002) tell of cells, or units.

    Parameters
    ----------
    max_dc, max_f1
        Mean and modulation at the preferred grating, spikes/s.
    variance, bandwidth, ratio
        Circular variance; half width in degrees; orthogonal over preferred.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "circular_variance": variance,
            "orientation_bandwidth": bandwidth,
            "orthogonal_ratio": ratio,
            "orientation_selective": np.isfinite(bandwidth).astype(float),
            "variance_over_bandwidth": variance / bandwidth,
            "ratio_less_variance": ratio - variance,
            "modulation_ratio": max_f1 / max_dc,
            "max_dc": max_dc,
        }


def _of_frequency(rates: np.ndarray, blank: np.ndarray) -> Values:
    """Return what is told of curves over spatial frequency."""
    mean, modulation = _components(rates)
    width = np.array(
        [
            frequency_tuning(mean[unit, radius, :, theta], FREQUENCIES).bandwidth
            for unit, (radius, _, theta) in _best(mean)
        ]
    )
    # Simple cells are told by their modulation, where it is the larger.
    both = np.stack([mean - blank[:, None, None, None], modulation], axis=-1)
    peak = np.array(
        [
            frequency_tuning(both[unit, radius, :, theta, kind], FREQUENCIES).peak
            for unit, (radius, _, theta, kind) in _best(both)
        ]
    )
    strong = _largest(mean) > blank + _RESPONSIVE
    return {
        "peak_frequency": peak[_largest(both) > _RESPONSIVE],
        "frequency_bandwidth": width[strong],
        "frequency_selective": np.isfinite(width[strong]).astype(float),
    }


def _of_size(rates: np.ndarray, blank: np.ndarray) -> Values:
    """Return what is told of curves over size."""
    mean, modulation = _components(rates)
    both = np.stack([mean - blank[:, None, None, None], modulation], axis=-1)
    curves = [
        size_tuning(both[unit, :, frequency, theta, kind], RADII_DEG)
        for unit, (_, frequency, theta, kind) in _best(both)
    ]
    kept: Bool[np.ndarray, " unit"] = _largest(both) > _RESPONSIVE
    return {
        "suppression_index": np.array([c.suppression for c in curves])[kept],
        "summation_field": np.array([c.summation_field_deg for c in curves])[kept],
        "surround_diameter": np.array([c.surround_deg for c in curves])[kept],
    }


def _components(responses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give mean and first harmonic's amplitude over phases."""
    n = responses.shape[-1]
    return responses.mean(-1), 2 * np.abs(np.fft.fft(responses, axis=-1)[..., 1]) / n


def _where(values: np.ndarray) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(np.argmax(values), values.shape))


def _best(values: np.ndarray) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Yield each unit with where its response is largest."""
    for unit, own in enumerate(values):
        yield unit, _where(own)


def _largest(values: np.ndarray) -> np.ndarray:
    return values.reshape(len(values), -1).max(1)
