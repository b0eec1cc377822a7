"""Files that a protocol names: images of one's own, and a picture, as NumPy arrays."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int8

from .checks import ProtocolError
from .contents import keep
from .images import Images, Shape, scaled
from .noise_and_signal import FULL_CONTRAST

_WHOLE = 10_000  # the largest weight, as an integer


def with_own_files(data: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Read the files that a protocol's plain data names, and name their contents.

    Parameters
    ----------
    data
        What a TOML file held; what is no file is left as it is.
    folder
        Where the files' names begin.

    Returns
    -------
    dict
        The data without the files' names. The relative sizes that images have in their
        file are in `weights`.

    Raises
    ------
    ProtocolError
        If a file is not there, is no such array, or is not what its SHA-256 says.
    """
    noise = data.get("noise")
    if not isinstance(noise, dict):
        return dict(data)
    noise, basis = dict(noise), noise.get("basis")
    if "picture" in noise:
        picture = _picture(folder, noise.pop("picture"), _grid(noise))
        given = noise.get("picture_sha256")
        _require_sha256("noise.picture_sha256", given, keep(picture))
    if isinstance(basis, dict) and basis.get("kind") == "array":
        noise["basis"] = _basis(folder, basis, _grid(noise))
    return {**data, "noise": noise}


def _grid(noise: Mapping[str, Any]) -> Shape:
    grid: Any = noise.get("grid")
    whole = isinstance(grid, list) and all(isinstance(size, int) for size in grid)
    if not whole or len(grid) != 3:
        raise ProtocolError(
            [f"noise.grid must be three whole numbers from 1 to 1024, got {grid!r}"]
        )
    return (grid[0], grid[1], grid[2])


def _require_sha256(key: str, given: object, found: str) -> None:
    """What is shown must be pinned: a protocol whose images changed is another one."""
    name = key.rpartition(".")[2]
    if given is None:
        raise ProtocolError(
            [f'{key} must be given, got nothing; the line is {name} = "{found}"']
        )
    if given != found:
        raise ProtocolError([f'{key} must be "{found}" for this file, got {given!r}'])


def _read(key: str, folder: Path, name: object) -> np.ndarray:
    if not isinstance(name, str) or not name:
        raise ProtocolError([f"{key} must be the name of a .npy file, got {name!r}"])
    path = folder / name
    if not path.is_file():
        raise FileNotFoundError(f"{key} must be a file that exists, got {str(path)!r}")
    try:
        values = np.load(path, allow_pickle=False)
    except ValueError as error:
        rule = "a NumPy array without Python objects"
        raise ProtocolError([f"{key} must be {rule}, got {error}"]) from error
    numbers = np.issubdtype(values.dtype, np.number) and values.dtype.kind != "c"
    if not numbers or not np.isfinite(values).all():
        rule = "finite real numbers"
        raise ProtocolError([f"{key} must be {rule}, got {values.dtype}"])
    return values


def _require_shape(
    key: str, got: tuple[int, ...], rules: Mapping[str, tuple[int, ...]]
) -> None:
    if got not in rules.values():
        rule = " or ".join(
            f"({names}) = {list(sizes)}" for names, sizes in rules.items()
        )
        raise ProtocolError([f"{key} must be {rule}, got {list(got)}"])


def _picture(folder: Path, name: object, grid: Shape) -> Images:
    """Read a picture: whole numbers are levels, floats are contrast."""
    values = _read("noise.picture", folder, name)
    rules = {"frame, row, column": grid, "row, column": grid[1:]}
    _require_shape("noise.picture", values.shape, rules)
    if values.dtype.kind == "f":
        values = np.rint(FULL_CONTRAST * np.round(values, 9))
    largest = int(np.abs(values).max())
    if largest > FULL_CONTRAST:
        rule = "contrasts from -1 to 1, or levels from -127 to 127"
        raise ProtocolError([f"noise.picture must be {rule}, got level {largest}"])
    levels = np.broadcast_to(values.astype(np.int8), grid)
    if not levels.any():
        rule = "other than 0 somewhere"
        raise ProtocolError([f"noise.picture must be {rule}, got 0 everywhere"])
    return Images.of_array(np.ascontiguousarray(levels)[None])


def _basis(folder: Path, basis: Mapping[str, Any], grid: Shape) -> dict[str, Any]:
    basis = dict(basis)
    values = _read("noise.basis.file", folder, basis.pop("file", None))
    rules = {
        "image, frame, row, column": (len(values), *grid),
        "image, row, column": (len(values), *grid[1:]),
    }
    _require_shape("noise.basis.file", values.shape, rules)
    values = values.astype(np.float64).reshape(len(values), -1, *grid[1:])
    weights = _weights(values, basis.pop("weights", None))
    if basis.pop("each_frame", False):
        values, weights = _in_each_frame(values, grid), np.tile(weights, grid[0])
    images = Images.of_array(_in_all_frames(values, grid))
    _require_sha256("noise.basis.sha256", basis.get("sha256"), keep(images))
    basis["sha256"] = images.sha256
    whole = np.rint(_WHOLE * weights / weights.max())
    if (whole != _WHOLE).any():
        basis["weights"] = (whole / _WHOLE).tolist()
    return basis


def _weights(values: np.ndarray, given: Any) -> Float[np.ndarray, " image"]:
    """Give peak x weight: the sizes that images have relative to each other stay."""
    peaks = np.abs(values).max(axis=(1, 2, 3))
    if given is None:
        return peaks
    fits = isinstance(given, list) and len(given) == len(peaks)
    fits = fits and all(isinstance(w, int | float) and w > 0 for w in given)
    if not fits:
        rule = f"{len(peaks)} numbers above 0, one per image"
        raise ProtocolError([f"noise.basis.weights must be {rule}, got {given!r}"])
    return peaks * np.array(given, np.float64)


def _in_all_frames(
    values: np.ndarray, grid: Shape
) -> Int8[np.ndarray, " image frame row column"]:
    """Scale every image to its own peak; one frame stands for all."""
    return np.stack([np.broadcast_to(scaled(image), grid) for image in values])


def _in_each_frame(values: np.ndarray, grid: Shape) -> np.ndarray:
    """Give a set of images per frame, frame outermost."""
    sets = np.zeros((grid[0], len(values), *grid))
    for frame in range(grid[0]):
        own = frame if values.shape[1] > 1 else 0
        sets[frame, :, frame] = values[:, own]
    return sets.reshape(-1, *grid)
