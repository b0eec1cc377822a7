"""Signal, picture and noise on a basis, put together as frames."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Int16, Int64, UInt8

from ..protocols.coefficients import coefficients_of
from ..protocols.image_kinds import images_of
from ..protocols.images import Images
from ..protocols.noise_and_signal import FULL_CONTRAST, Noise, Signal
from ..protocols.picture import picture_levels
from ..protocols.projection import in_images
from ..protocols.protocol import Protocol
from ..protocols.signal import field_gains, remainder_levels, signal_units
from .basis import drawn_coefficients, finished, rounded, summed
from .basis_fast import Precision, fast_coefficients, fast_pixels, fields_together
from .basis_source import BasisNoise, Draw

if TYPE_CHECKING:
    import torch

_EXACT_IN_FLOAT32 = 2**24  # whole numbers up to it, in any order of a sum
_MOST_FINE = 63  # in single precision where levels are added after the rounding


@dataclass(frozen=True, eq=False)
class Shown:
    """What is added to the noise of every interval of a table.

    Attributes
    ----------
    contrast
        The highest of the signal, gain included.
    units
        (kind, K), what each kind of signal adds to the coefficients.
    levels
        (kind, frame, row, column), what is added after the rounding; None where that is
        nothing.
    which
        (trial, field), the kind that each holds; without places a field is an interval.
    """

    contrast: float
    units: Int64[np.ndarray, " kind image"]
    levels: Int64[np.ndarray, " kind frame row column"] | None
    which: Int64[np.ndarray, " trial field"]

    def added(
        self, floor: np.ndarray | None, which: np.ndarray
    ) -> Int16[np.ndarray, " trial frame row column"] | None:
        """Give what comes after the rounding, with the noise's white floor."""
        if self.levels is None:
            return None if floor is None else floor.astype(np.int16)
        levels = self.levels[which].astype(np.int16)
        return levels if floor is None else levels + floor


def shown_beside(protocol: Protocol, table: Any) -> Shown:
    """Give signal and picture of every interval of a table."""
    contrasts = np.asarray(table["contrast"], np.float64)
    gains = field_gains(protocol, table) * contrasts[:, None]
    distinct, which = np.unique(gains, return_inverse=True)
    units = [signal_units(protocol, float(contrast)) for contrast in distinct]
    n_images = units[0].size if units else 0
    return Shown(
        float(np.abs(distinct).max(initial=0)),
        np.array(units, np.int64).reshape(-1, n_images),
        _after_rounding(protocol, distinct),
        which.reshape(gains.shape),
    )


def _after_rounding(
    protocol: Protocol, contrasts: np.ndarray
) -> Int64[np.ndarray, " kind frame row column"] | None:
    picture = picture_levels(protocol)
    remainders = [remainder_levels(protocol, float(c)) for c in contrasts]
    if picture is None and all(part is None for part in remainders):
        return None
    none = np.zeros(protocol.noise.grid, np.int64)
    behind = none if picture is None else picture
    return np.array([behind if r is None else behind + r for r in remainders])


def basis_frames(
    protocol: Protocol, source: BasisNoise, table: Any, backend: str
) -> UInt8[np.ndarray, " trial field frame row column"]:
    """Render trials of noise on a basis with one pixel per grid element.

    The backends are those of `render`, and the pixels are the same.
    """
    n = len(table["stimulus_id"])
    frames = np.empty((n, protocol.n_fields, *source.images.shape), np.uint8)
    draw = drawn_coefficients if backend == "numpy" else fast_coefficients
    for trials, interval, mixed in _mixtures(protocol, source, table, draw):
        frames[trials, interval] = _pixels(source.images, mixed, backend)
    return frames


def basis_tensor(
    protocol: Protocol, source: BasisNoise, table: Any, device: "str | torch.device"
) -> "torch.Tensor":
    """Render as `basis_frames` does, on a device: what goes there is coefficients."""
    from .basis_torch import torch_pixels
    from .noise_torch import repeat_on_device, stacked

    parts: list[list[torch.Tensor]] = [[] for _ in range(protocol.n_fields)]
    for _, interval, mixed in _mixtures(protocol, source, table):
        parts[interval].append(torch_pixels(source.images, *mixed, device))
    return repeat_on_device(stacked(parts), protocol.display.element_px)


# Whole numbers (field, K), units in a level, levels that come after the rounding, and
# the precision in which all of that is exact.
_Mixture = tuple[np.ndarray, int, np.ndarray | None, Precision]


def _mixtures(
    protocol: Protocol, source: BasisNoise, table: Any, draw: Draw = fast_coefficients
) -> Iterator[tuple[slice, int, _Mixture]]:
    """Give what fields are mixed of: some trials at a time, interval by interval."""
    shown = shown_beside(protocol, table)
    columns = {name: np.asarray(table[name]) for name in ("stimulus_id", "block_kind")}
    precision = precision_for(protocol, shown)
    together = fields_together(source.images)
    for first in range(0, len(shown.which), together):
        part = slice(first, first + together)
        rows = {name: values[part] for name, values in columns.items()}
        for interval in range(protocol.n_fields):
            which = shown.which[part, interval]
            units = source.coefficients(rows, interval, draw) + shown.units[which]
            added = shown.added(source.floor(rows, interval), which)
            yield part, interval, (units, protocol.noise.fineness, added, precision)


def _pixels(images: Images, mixed: _Mixture, backend: str) -> np.ndarray:
    units, fineness, added, precision = mixed
    if backend == "numpy":
        levels = rounded(summed(images, units), fineness)
        return finished(levels if added is None else levels + added)
    if backend == "torch":
        from .basis_torch import torch_pixels

        return torch_pixels(images, units, fineness, added, precision, "cpu").numpy()
    return fast_pixels(images, units, fineness, added, precision)


def precision_for(protocol: Protocol, shown: Shown) -> Precision:
    """Give the precision in which every sum of a table and its rounding are exact."""
    noise = protocol.noise
    is_added = shown.levels is not None or noise.floor_sd > 0
    if is_added and noise.fineness > _MOST_FINE:
        return np.float64
    by_contrast, at_most = _signal_sums(protocol.signal, noise)
    sums = max(_noise_sum(noise, sd) for sd in (noise.sd, protocol.catch.sd))
    sums += FULL_CONTRAST * noise.fineness * shown.contrast * by_contrast + at_most
    return np.float32 if sums <= _EXACT_IN_FLOAT32 else np.float64


@lru_cache(maxsize=16)
def _noise_sum(noise: Noise, sd: float) -> int:
    """Give the largest sum of the noise's whole numbers times images anywhere."""
    assert noise.basis is not None
    images = images_of(noise.basis, noise.grid)
    return int(images.total(coefficients_of(noise, sd).largest, np.abs).max())


@lru_cache(maxsize=16)
def _signal_sums(signal: Signal, noise: Noise) -> tuple[float, float]:
    """Bound the signal's largest sum: times its contrast in units, and by rounding."""
    assert noise.basis is not None
    images = images_of(noise.basis, noise.grid)
    weights = np.abs(in_images(signal, noise).weights)
    halves = np.where(weights > 0, 0.5, 0.0)
    by_contrast, at_most = (images.total(x, np.abs).max() for x in (weights, halves))
    return float(by_contrast), float(at_most)
