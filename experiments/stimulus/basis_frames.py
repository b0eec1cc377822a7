"""Signal, picture and noise on a basis, put together as frames."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int64, UInt8

from ..protocols.basis_rules import picture_levels
from ..protocols.protocol import Protocol
from ..protocols.signal import interval_gains, remainder_levels, signal_units
from .basis import finished, rounded, summed
from .basis_source import BasisNoise


@dataclass(frozen=True, eq=False)
class Shown:
    """What is added to the noise of every interval of a table.

    Attributes
    ----------
    units
        (kind, K), what each kind of signal adds to the coefficients.
    levels
        (kind, frame, row, column), what is added after the rounding; None where that is
        nothing.
    which
        (trial, interval), the kind that each holds.
    """

    units: Int64[np.ndarray, " kind image"]
    levels: Int64[np.ndarray, " kind frame row column"] | None
    which: Int64[np.ndarray, " trial interval"]


def shown_beside(protocol: Protocol, table: Any) -> Shown:
    """Give signal and picture of every interval of a table."""
    targets = np.asarray(table["target"], np.int64)
    contrasts = np.asarray(table["contrast"], np.float64)
    gains = interval_gains(protocol, targets) * contrasts[:, None]
    distinct, which = np.unique(gains, return_inverse=True)
    units = [signal_units(protocol, float(contrast)) for contrast in distinct]
    n_images = units[0].size if units else 0
    return Shown(
        np.array(units, np.int64).reshape(-1, n_images),
        _after_rounding(protocol, distinct),
        which.reshape(gains.shape),
    )


def _after_rounding(
    protocol: Protocol, contrasts: np.ndarray
) -> Int64[np.ndarray, " kind frame row column"] | None:
    picture = picture_levels(protocol.noise)
    remainders = [remainder_levels(protocol, float(c)) for c in contrasts]
    if picture is None and all(part is None for part in remainders):
        return None
    none = np.zeros(protocol.noise.grid, np.int64)
    behind = none if picture is None else picture
    return np.array([behind if r is None else behind + r for r in remainders])


def basis_frames(
    protocol: Protocol, source: BasisNoise, table: Any, backend: str
) -> UInt8[np.ndarray, " trial interval frame row column"]:
    """Render trials of noise on a basis with one pixel per grid element."""
    shown = shown_beside(protocol, table)
    parts = []
    for interval in range(protocol.n_intervals):
        which = shown.which[:, interval]
        units = source.coefficients(table, interval) + shown.units[which]
        levels = rounded(summed(source.images, units), protocol.noise.fineness)
        if shown.levels is not None:
            levels = levels + shown.levels[which]
        floor = source.floor(table, interval)
        parts.append(finished(levels if floor is None else levels + floor))
    return np.stack(parts, axis=1)
