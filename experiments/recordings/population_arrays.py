"""A population's responses from a file of NumPy arrays (.npz).

docs/brain.md has every key: `responses` must be there, all else may be left out.
"""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from ..protocols.checks import suggestion
from .population import PopulationRecording, as_contrast
from .recording import RecordingError

KEYS = (
    "responses",
    "stimuli",
    "units",
    "objects",
    "regions",
    "subjects",
    "pictures",
    "deg_per_px",
    "frame_ms",
    "name",
)


def read_arrays(path: Path) -> PopulationRecording:
    """Read a population's responses from arrays.

    Raises
    ------
    RecordingError
        If it is no such file, a key is not known, or the arrays do not fit.
    """
    arrays = _arrays(path)
    for key in arrays:
        if key not in KEYS:
            near, rule = suggestion(key, KEYS), f"one of {', '.join(KEYS)}"
            raise RecordingError(
                f"a key of {path.name} must be {rule}, got {key!r}{near}"
            )
    if "responses" not in arrays:
        got = ", ".join(arrays) or "nothing"
        raise RecordingError(f"{path.name} must have responses, got {got}")
    responses = arrays["responses"]
    if responses.dtype.kind not in "biuf" or responses.ndim not in (2, 3):
        rule = "numbers, (stimulus, unit) or (repeat, stimulus, unit)"
        got = f"{responses.dtype} {responses.shape}"
        raise RecordingError(f"responses must be {rule}, got {got}")
    responses = responses.astype(np.float64)
    responses = responses if responses.ndim == 3 else responses[None]
    _, n_stimuli, n_units = responses.shape
    return PopulationRecording(
        name=str(arrays.get("name", path.stem)),
        responses=responses,
        stimuli=_texts(arrays, "stimuli") or _numbered("stimulus", n_stimuli),
        units=_texts(arrays, "units") or _numbered("unit", n_units),
        objects=_texts(arrays, "objects"),
        regions=_texts(arrays, "regions"),
        subjects=_texts(arrays, "subjects"),
        pictures=_pictures(arrays.get("pictures")),
        deg_per_px=_number(arrays, "deg_per_px"),
        frame_ms=_number(arrays, "frame_ms"),
    )


def _arrays(path: Path) -> dict[str, Any]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except (ValueError, OSError, zipfile.BadZipFile, AttributeError) as error:
        first = str(error).partition("\n")[0]
        rule = "arrays without Python objects (.npz)"
        raise RecordingError(f"{path.name} must be {rule}, got {first}") from error


def _texts(arrays: dict[str, Any], key: str) -> tuple[str, ...] | None:
    found = arrays.get(key)
    return None if found is None else tuple(map(str, np.ravel(found).tolist()))


def _numbered(what: str, n: int) -> tuple[str, ...]:
    return tuple(f"{what}-{k}" for k in range(n))


def _number(arrays: dict[str, Any], key: str) -> float | None:
    found = arrays.get(key)
    if found is None:
        return None
    if np.size(found) != 1 or np.asarray(found).dtype.kind not in "iuf":
        raise RecordingError(f"{key} must be one number, got {found!r}")
    return float(np.asarray(found).item())


def _pictures(found: np.ndarray | None) -> np.ndarray | None:
    """Return pictures as contrast; code values of uint8 become it."""
    if found is None:
        return None
    found = found[:, None] if found.ndim == 3 else found
    return as_contrast(found) if found.dtype == np.uint8 else found.astype(np.float32)
