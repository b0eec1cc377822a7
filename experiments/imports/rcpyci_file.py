"""The stimuli of rcpyci, made again from their seed, and parameters as an array."""

from pathlib import Path
from typing import Any

import numpy as np

from .face_stimuli import (
    FaceStimuli,
    checked_parameters,
    file_sha256,
    read_picture,
    sized,
)
from .table_arrays import load_array

_MOST_SCALES = 6


def read_rcpyci(
    path: str | Path, picture: str | Path | None = None, image_size: int | None = None
) -> FaceStimuli:
    """Read the stimuli of an rcpyci experiment.

    Parameters
    ----------
    path
        The .npz that `setup_experiment` wrote: the parameters are drawn again from its
        seed, as `numpy.random` does. Or the parameters themselves: a .npy array
        (stimulus, coefficient) of anybody's.
    picture
        The base picture, a grayscale PNG.
    image_size
        Rows and columns of the picture, where it is not given.

    Raises
    ------
    FileNotFoundError
        If a file is missing.
    ValueError
        If one is not as it must be; one sentence.
    """
    path = Path(path)
    name, sha256 = file_sha256(path)
    if path.suffix.lower() == ".npz":
        parameters, details = _drawn_again(path)
    else:
        parameters = checked_parameters(load_array(path, "parameters"), name)
        details = {}
    behind = None if picture is None else read_picture(picture)
    size, behind = sized(parameters, behind, image_size)
    return FaceStimuli(name, sha256, parameters, size, behind, details)


def _drawn_again(path: Path) -> tuple[np.ndarray, dict[str, Any]]:
    try:
        with np.load(path, allow_pickle=False) as held:
            said = {key: held[key].item() for key in held.files if not held[key].shape}
    except (ValueError, OSError) as error:
        got = str(error).splitlines()[0]
        raise ValueError(f"{path.name} must be a .npz of rcpyci, got {got}") from None
    for key in ("seed", "n_trials", "n_scales"):
        if not isinstance(said.get(key), int):
            rule = f"hold {key} of rcpyci, a whole number"
            raise ValueError(f"{path.name} must {rule}, got {said.get(key)!r}")
    if not (1 <= said["n_scales"] <= _MOST_SCALES and said["n_trials"] >= 1):
        rule = f"1 trial or more, of 1 to {_MOST_SCALES} scales"
        got = f"{said['n_trials']} of {said['n_scales']}"
        raise ValueError(f"{path.name} must have {rule}, got {got}")
    kind = said.get("noise_type", "sinusoid")
    if kind != "sinusoid":
        raise ValueError(f"noise_type of {path.name} must be sinusoid, got {kind}")
    n = sum(12 * 4**scale for scale in range(said["n_scales"]))
    draws = np.random.RandomState(said["seed"])  # its stream is frozen
    parameters = draws.uniform(-1, 1, (said["n_trials"], n))
    kept = ("seed", "n_trials", "n_scales", "label")
    return parameters, {key: said[key] for key in kept if key in said}
