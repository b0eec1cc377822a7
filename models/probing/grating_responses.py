"""Responses of a layer's units to the gratings of the V1 battery.

Units are those whose receptive field lies where the gratings are: within .15 degrees,
by the centroid of what small gratings at 21 x 21 places make of them. Of a map only
units near that place are looked at; where a receptive field lies is then measured.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int

from ...experiments.recordings.grating_responses import SETS, GratingResponses
from ...experiments.stimulus.gratings import (
    FIELD_DEG,
    FIELD_PX,
    GRAY,
    MAP_DEG,
    PLACE_DEG,
    Gratings,
    gratings,
)
from .picture_input import beyond_field
from .pictures import PASS, PictureReader, seen_by

NEAR_DEG = 0.15
_CANDIDATES_DEG = 0.75  # from the place, of a map's units that are looked at
_SHARE_OF_LARGEST = 0.05
_BLOCK = 64  # pictures drawn at a time
Progress = Callable[[int, int], None]


class GratingReader:
    """Shows the battery's gratings to a layer.

    Parameters
    ----------
    observer, layer
        Whose layer; see `PictureReader`.
    passes
        Of every picture; responses are their mean. More than one for a network with
        noise of its own.
    noise
        False for a network without its noise.
    seed
        Of the noise.
    field_deg, size_px
        Of a network that says neither.
    progress
        Called with pictures done and all there are.

    Attributes
    ----------
    reader
        What reads the layer.
    n_looked_at, n_units
        Units near the gratings' place, and those whose receptive field is there.

    Raises
    ------
    ValueError
        If `passes` is below 1, the observer is no network that sees pictures, or what
        it says itself is told.
    """

    def __init__(
        self,
        observer: Any,
        layer: str,
        passes: int = 1,
        noise: bool = True,
        seed: int = 0,
        field_deg: float | None = None,
        size_px: int | None = None,
        progress: Progress | None = None,
    ) -> None:
        if passes < 1:
            raise ValueError(f"passes must be 1 or more, got {passes}")
        deg_per_px = FIELD_DEG / FIELD_PX
        sight, field, size = seen_by(observer, field_deg, size_px)
        _require_untold("field_deg", sight.field_deg, field_deg)
        _require_untold("size_px", sight.size_px, size_px)
        # Only what the network sees is drawn.
        cut = beyond_field((FIELD_PX, FIELD_PX), field, size, deg_per_px)
        self._shown_px = FIELD_PX - 2 * min(cut)
        shape = (1, self._shown_px, self._shown_px)
        self.reader = PictureReader(
            observer,
            [layer],
            deg_per_px,
            shape,
            seed=seed,
            noise=noise,
            field_deg=field_deg,
            size_px=size_px,
        )
        self._layer, self._passes, self._progress = layer, passes, progress
        self._done = 0
        self._all = 0
        self._first = 0  # number of the next picture within a pass
        self._units: Int[np.ndarray, " unit"] = np.zeros(0, int)
        self.n_looked_at = 0
        self.n_units = 0

    def responses(self, shown: Sequence[str] = SETS) -> GratingResponses:
        """Find the units, and give their responses.

        Parameters
        ----------
        shown
            Sets of gratings, with 'orientation' among them. What one set gives does not
            depend on which others are shown.

        Raises
        ------
        ValueError
            If no unit's receptive field is where the gratings are.
        """
        sets = {name: gratings(name) for name in SETS}
        mapping = gratings("mapping")
        n_shown = sum(len(sets[name]) for name in shown)
        self._all = self._passes * (n_shown + len(mapping) + 1)
        self._look_near()
        blank = self._blank()
        self._keep(receptive_fields(self._to(mapping) - blank[:, None]))
        found: dict[str, np.ndarray | None] = dict.fromkeys(SETS)
        for name, each in sets.items():
            if name in shown:
                found[name] = self._to(each).reshape(-1, *each.shape).astype(float)
            else:
                self._first += len(each)  # pictures keep their numbers, and their noise
        blank = blank[self._kept].astype(float)
        return GratingResponses(**found, blank=blank)  # pyright: ignore[reportArgumentType]

    def _look_near(self) -> None:
        """Choose the units of a map that are near the gratings' place; else all."""
        gray = torch.zeros(1, 1, self._shown_px, self._shown_px)
        shape = tuple(self.reader.read(gray)[self._layer].shape[1:])
        self._units = near_units(shape, self.reader.field_deg)
        self.n_looked_at = len(self._units)

    def _blank(self) -> Float[np.ndarray, " unit"]:
        """Give responses to gray."""
        codes = np.full((1, self._shown_px, self._shown_px), GRAY, np.uint8)
        return self._mean(lambda start, stop: codes, 1)[:, 0]

    def _to(self, given: Gratings) -> Float[np.ndarray, " unit grating"]:
        """Give responses to a set."""
        size_px = self._shown_px
        return self._mean(lambda a, b: given.pictures(a, b, size_px), len(given))

    def _mean(
        self, codes: Callable[[int, int], np.ndarray], n: int
    ) -> Float[np.ndarray, " unit picture"]:
        """Average passes; what is below 0 counts as 0, as no rate is.

        In single precision: a wide layer has a hundred thousand units to look at.
        """
        total = np.zeros((len(self._units), n), np.float32)
        for number in range(self._passes):
            first = number * PASS + self._first
            for start in range(0, n, _BLOCK):
                stop = min(start + _BLOCK, n)
                found = self._read(codes(start, stop), first + start)
                total[:, start:stop] += np.maximum(found, 0)
        self._first += n
        return total / self._passes

    def _read(
        self, codes: np.ndarray, first: int
    ) -> Float[np.ndarray, " unit picture"]:
        contrast = torch.from_numpy(codes).float()[:, None] * (2 / 255) - 1
        found = self.reader.read(contrast, first)[self._layer].flatten(1)
        self._done += len(codes)
        if self._progress is not None:
            self._progress(self._done, self._all)
        return found[:, self._units].numpy().T

    def _keep(self, places: Float[np.ndarray, " unit 2"]) -> None:
        """Keep the units whose receptive field is at the gratings' place."""
        away = np.linalg.norm(places - PLACE_DEG, axis=1)
        self._kept = np.flatnonzero(away <= NEAR_DEG)
        self.n_units = len(self._kept)
        if not self.n_units:
            rule = f"units with a receptive field within {NEAR_DEG} degrees of"
            where = f"({PLACE_DEG}, {PLACE_DEG}) degrees"
            got = f"none of {self.n_looked_at}"
            if np.isfinite(away).any():
                got += f", the nearest at {np.nanmin(away):.2g} degrees"
            raise ValueError(
                f"layer {self._layer!r} must have {rule} {where}, got {got}"
            )
        self._units = self._units[self._kept]


def _require_untold(what: str, own: Any, told: float | None) -> None:
    """Refuse what a network says itself; it would have been let go by."""
    if own is not None and told is not None:
        rule = f"left out for a network that says its own, {own}"
        raise ValueError(f"{what} must be {rule}, got {told}")


def near_units(shape: tuple[int, ...], field_deg: float) -> Int[np.ndarray, " unit"]:
    """Give numbers of the units of a layer that may see the gratings' place.

    Of maps, (…, channel, row, column), those whose place in the map is near it; of any
    other layer all.

    Examples
    --------
    >>> len(near_units((512, 56, 56), 8.0)) // 512, len(near_units((10,), 8.0))
    (121, 10)
    """
    every = np.arange(math.prod(shape)).reshape(shape)
    if len(shape) < 3 or min(shape[-2:]) < 3:
        return every.ravel()
    near = []
    for n in shape[-2:]:
        step = field_deg / max(shape[-2:])
        place = (np.arange(n) + 0.5 - n / 2) * step
        near.append(np.abs(place - PLACE_DEG) <= max(_CANDIDATES_DEG, step))
    return every[..., near[0], :][..., near[1]].ravel()


def receptive_fields(
    driven: Float[np.ndarray, " unit grating"],
) -> Float[np.ndarray, " unit 2"]:
    """Give each unit's centroid (y, x) in degrees; NaN of one that nothing drives.

    Parameters
    ----------
    driven
        Responses to `gratings("mapping")` less those to gray.

    Examples
    --------
    >>> driven = np.zeros((1, 21, 21, 8))
    >>> driven[0, 12, 10:13, 3] = 1
    >>> receptive_fields(driven.reshape(1, -1)).tolist()
    [[0.5, 0.25]]
    """
    y_n, x_n, n = gratings("mapping").shape
    maps = np.maximum(driven.reshape(len(driven), y_n, x_n, n).max(-1), 0.0)
    maps = maps.astype(float)
    largest = maps.max((1, 2), keepdims=True)
    maps = np.where(maps > _SHARE_OF_LARGEST * largest, maps, 0)
    total = maps.sum((1, 2))
    with np.errstate(invalid="ignore"):
        y = maps.sum(2) @ MAP_DEG / total
        x = maps.sum(1) @ MAP_DEG / total
    return np.stack([y, x], axis=1)
