"""What layers of a network give for the pictures of a recording."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float32

from ...experiments.recordings.population import PopulationRecording
from ...experiments.recordings.recording import RecordingError

if TYPE_CHECKING:
    from ...models.networks.sight import SeesPictures

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

    A network that sees the frames of a movie one by one is shown each for itself; its
    features of all frames stand beside each other.

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

    from ...models.networks.sight import SeesPictures
    from ...models.probing.pictures import PictureReader

    if recording.pictures is None:
        rule = "known to be shown to a network"
        raise RecordingError(f"pictures must be {rule}, got none in {recording.name}")
    if recording.deg_per_px is None:
        rule = "known to be placed in a network's field of view"
        got = f"neither deg_per_px in {recording.name} nor a width in degrees"
        raise RecordingError(f"the size of pictures must be {rule}, got {got}")
    pictures = recording.pictures
    n, n_frames, height, width = pictures.shape
    if isinstance(observer, SeesPictures) and _one_by_one(observer):
        pictures = pictures.reshape(n * n_frames, 1, height, width)
    frame_shape = (pictures.shape[1], height, width)
    frame_ms = recording.frame_ms or FRAME_MS
    reader = PictureReader(
        observer, layers, recording.deg_per_px, frame_shape, frame_ms, seed
    )
    found: dict[str, list[np.ndarray]] = {name: [] for name in layers}
    for start in range(0, len(pictures), _AT_ONCE):
        part = np.ascontiguousarray(pictures[start : start + _AT_ONCE])
        for name, rows in reader.read(torch.from_numpy(part), start).items():
            found[name].append(rows.flatten(1).numpy())
        if progress is not None:
            done = start + len(part)
            progress(f"pictures through {observer.name}", done, len(pictures))
    return {name: np.concatenate(parts).reshape(n, -1) for name, parts in found.items()}


def _one_by_one(observer: "SeesPictures") -> bool:
    """Whether a network sees each frame of a movie as a picture of its own."""
    sight = observer.sight()
    return sight.n_frames == 1 and sight.preprocess.frames == "one-by-one"
