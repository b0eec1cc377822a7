"""What layers of a network give for the pictures of a recording."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float32

from ...experiments.recordings.population import PopulationRecording
from ...experiments.recordings.recording import RecordingError

FRAME_MS = 100.0  # how long a picture stays where a recording does not say it
_AT_ONCE = 64  # pictures between two reports

Progress = Callable[[str, float, int], None]


def layer_features(
    observer: Any,
    layers: Sequence[str],
    recording: PopulationRecording,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, Float32[np.ndarray, " stimulus feature"]]:
    """Show a recording's pictures to a network and read some of its layers.

    Parameters
    ----------
    observer
        A network by name, of `yoked.from_torch`, or trained.
    layers
        Names of modules.
    seed
        Of the network's own noise, if it has any.
    progress
        Told the observer, how many pictures were shown, and of how many.

    Raises
    ------
    RecordingError
        If the pictures, or how large they were, are not known.
    ValueError
        If the observer is no network that sees pictures.
    LookupError
        If the network has no such layer.
    """
    import torch

    from ...models.probing.pictures import PictureReader

    if recording.pictures is None:
        rule = "known to be shown to a network"
        raise RecordingError(f"pictures must be {rule}, got none in {recording.name}")
    if recording.deg_per_px is None:
        rule = "known to be placed in a network's field of view"
        got = f"neither deg_per_px in {recording.name} nor a width in degrees"
        raise RecordingError(f"the size of pictures must be {rule}, got {got}")
    shape = recording.pictures.shape
    frame_shape = (shape[1], shape[2], shape[3])
    frame_ms = recording.frame_ms or FRAME_MS
    reader = PictureReader(
        observer, layers, recording.deg_per_px, frame_shape, frame_ms, seed
    )
    found: dict[str, list[np.ndarray]] = {name: [] for name in layers}
    for start in range(0, len(recording.pictures), _AT_ONCE):
        part = np.ascontiguousarray(recording.pictures[start : start + _AT_ONCE])
        for name, rows in reader.read(torch.from_numpy(part), start).items():
            found[name].append(rows.flatten(1).numpy())
        if progress is not None:
            n = len(recording.pictures)
            progress(f"pictures through {observer.name}", start + len(part), n)
    return {name: np.concatenate(parts) for name, parts in found.items()}
