"""Files that a protocol names: images, a picture and signals, as .npy or PNG."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int8

from .checks import ProtocolError
from .contents import keep
from .grayscale_png import read_gray
from .images import Images, Shape, scaled
from .levels import BACKGROUND, FULL_CONTRAST

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
        key, name = "noise.picture", noise.pop("picture")
        picture = _kept_levels(_levels(key, folder, name, _grid(noise)))
        _require_sha256(f"{key}_sha256", noise.get("picture_sha256"), picture)
    data = _with_signal(data, noise, folder)
    if isinstance(basis, dict) and basis.get("kind") == "array":
        noise["basis"] = _basis(folder, basis, _grid(noise))
    return {**data, "noise": noise}


def _with_signal(
    data: Mapping[str, Any], noise: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Read the file of a signal, which is scaled to its peak, and those of patterns."""
    signal = data.get("signal")
    if not isinstance(signal, dict):
        return dict(data)
    signal = dict(signal)
    if "file" in signal:
        values = _values("signal.file", folder, signal.pop("file"), _grid(noise))
        sha256 = _kept_levels(scaled(values.astype(np.float64)))
        _require_sha256("signal.sha256", signal.get("sha256"), sha256)
    patterns = signal.get("patterns")
    if isinstance(patterns, list) and all(isinstance(each, dict) for each in patterns):
        signal["patterns"] = [
            _pattern(f"signal.patterns[{i}]", each, folder, noise)
            for i, each in enumerate(patterns)
        ]
    return {**data, "signal": signal}


def _pattern(
    key: str, pattern: Mapping[str, Any], folder: Path, noise: Mapping[str, Any]
) -> dict[str, Any]:
    pattern = dict(pattern)
    if "file" in pattern:
        levels = _levels(f"{key}.file", folder, pattern.pop("file"), _grid(noise))
        sha256 = pattern.get("sha256")
        _require_sha256(f"{key}.sha256", sha256, _kept_levels(levels))
    return pattern


def _kept_levels(levels: Int8[np.ndarray, " frame row column"]) -> str:
    return keep(Images.of_array(np.ascontiguousarray(levels)[None]))


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
        rule = "the name of a .npy or .png file"
        raise ProtocolError([f"{key} must be {rule}, got {name!r}"])
    path = folder / name
    if not path.is_file():
        raise FileNotFoundError(f"{key} must be a file that exists, got {str(path)!r}")
    if path.suffix.lower() == ".png":
        return _gray_levels(key, path)
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


def _gray_levels(key: str, path: Path) -> np.ndarray:
    """Give the contrast levels of a PNG, whose 128 is the background; 0 counts as 1."""
    try:
        pixels = read_gray(path.read_bytes())
    except ValueError as error:
        raise ProtocolError([f"{key}: {error}"]) from error
    return np.maximum(pixels.astype(np.int16), 1) - BACKGROUND


def _require_shape(
    key: str, got: tuple[int, ...], rules: Mapping[str, tuple[int, ...]]
) -> None:
    if got not in rules.values():
        rule = " or ".join(
            f"({names}) = {list(sizes)}" for names, sizes in rules.items()
        )
        raise ProtocolError([f"{key} must be {rule}, got {list(got)}"])


def _values(key: str, folder: Path, name: object, grid: Shape) -> np.ndarray:
    """Read what fills the grid, or one frame of it, which then fills all of them."""
    values = _read(key, folder, name)
    rules = {"frame, row, column": grid, "row, column": grid[1:]}
    _require_shape(key, values.shape, rules)
    if not values.any():
        raise ProtocolError([f"{key} must be other than 0 somewhere, got 0 everywhere"])
    return np.broadcast_to(values, grid)


def _levels(
    key: str, folder: Path, name: object, grid: Shape
) -> Int8[np.ndarray, " frame row column"]:
    """Read a picture: whole numbers are levels, floats are contrast."""
    values = _values(key, folder, name, grid)
    if values.dtype.kind == "f":
        values = np.rint(FULL_CONTRAST * np.round(values, 9))
    largest = int(np.abs(values).max())
    if not 0 < largest <= FULL_CONTRAST:
        rule = "contrasts from -1 to 1, or levels from -127 to 127, not all 0"
        raise ProtocolError([f"{key} must be {rule}, got level {largest}"])
    return values.astype(np.int8)


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
