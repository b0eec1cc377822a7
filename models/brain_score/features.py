"""What layers of an observer's network have of pictures in files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...experiments.imports.picture_folder import Pictures
from ..probing.pictures import PASS, PictureReader, seen_by

FITTING = PASS << 20  # pictures that a read-out is fitted to are numbered from here
_MOST_PASSES = 1 << 20


class Features:
    """Shows pictures that fill a number of degrees to a network.

    Parameters
    ----------
    observer
        A network that pictures can be shown to.
    layers
        Of the network.
    degrees
        Across a picture.
    size_px
        Across a picture as shown; None for as many as the network has there.
    seed
        Of the network's own noise.
    every_call
        Whether each call of a layer in a pass is wanted: (picture, call, *unit).
    """

    def __init__(
        self,
        observer: Any,
        layers: Sequence[str],
        degrees: float,
        size_px: int | None = None,
        seed: int = 0,
        every_call: bool = False,
    ) -> None:
        _, field, size = seen_by(observer, degrees)
        self._px = size_px or max(1, round(degrees / field * max(size)))
        frame = 1, self._px, self._px
        across = degrees / self._px
        self._reader = PictureReader(
            observer,
            list(layers),
            across,
            frame,
            seed=seed,
            field_deg=degrees,
            every_call=every_call,
        )

    def of(
        self, files: Sequence[Path], passes: int = 1, first: int = 0
    ) -> dict[str, np.ndarray]:
        """Give the mean over passes of each layer, in single precision.

        Parameters
        ----------
        files
            Pictures; each showing has noise of its own.
        passes
            How often all are shown. When the second pass gives what the first gave, the
            network has no noise, and there is no third.
        first
            Number of the first.

        Raises
        ------
        ValueError
            If there is no pass, or a file is no picture.
        """
        if not 1 <= passes < _MOST_PASSES:
            rule = f"1 to {_MOST_PASSES - 1}"
            raise ValueError(f"number_of_trials must be {rule}, got {passes}")
        once = self._once(files, first)
        if passes == 1:
            return once
        total = {name: rows.astype(np.float64) for name, rows in once.items()}
        for k in range(1, passes):
            again = self._once(files, first + k * PASS)
            if k == 1 and all(np.array_equal(again[n], once[n]) for n in once):
                return once
            for name, rows in again.items():
                total[name] += rows
        return {
            name: (sum_ / passes).astype(np.float32) for name, sum_ in total.items()
        }

    def _once(self, files: Sequence[Path], first: int) -> dict[str, np.ndarray]:
        """Show all pictures, a batch at a time."""
        none = ("",) * len(files)
        shown = Pictures(tuple(files), tuple(map(str, files)), none, none, none)
        found: dict[str, list[np.ndarray]] = {}
        step = self._reader.batch
        for start in range(0, len(files), step):
            batch = shown.contrast(self._px, slice(start, start + step))
            rows = self._reader.read(torch.from_numpy(batch), first + start)
            for name, each in rows.items():
                found.setdefault(name, []).append(each.numpy())
        return {name: np.concatenate(parts) for name, parts in found.items()}
