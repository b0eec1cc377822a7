"""The .Rdata files in which rcicr keeps the stimuli of an experiment."""

from pathlib import Path
from typing import Any

import numpy as np

from .face_stimuli import FaceStimuli, checked_parameters, file_sha256, require_patches
from .table_columns import r_objects

_NEEDED = ("stimuli_params", "base_faces", "img_size")


def read_rcicr(path: str | Path, base_face: str | None = None) -> FaceStimuli:
    """Read the stimuli of an rcicr experiment.

    Parameters
    ----------
    path
        The file that `generateStimuli2IFC` wrote.
    base_face
        Which base picture was shown; needed where the file has several.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ModuleNotFoundError
        If the package rdata is not installed.
    ValueError
        If it is no such file; one sentence.
    """
    path = Path(path)
    name, sha256 = file_sha256(path)
    held = _objects(path)
    missing = [key for key in _NEEDED if key not in held]
    if missing:
        found = ", ".join(map(str, held)) or "none"
        raise ValueError(f"{name} must hold {missing[0]} of rcicr, got {found}")
    kind = _text(held.get("noise_type", "sinusoid"))
    if kind != "sinusoid":
        raise ValueError(f"noise_type of {name} must be sinusoid, got {kind}")
    face = _chosen(name, held["stimuli_params"], base_face)
    where = f"stimuli_params of {face} in {name}"
    picture = np.asarray(held["base_faces"][face], np.float64)
    size = int(np.asarray(held["img_size"]).ravel()[0])
    if picture.shape != (size, size) or not 0 <= picture.min() <= picture.max() <= 1:
        rule = f"{size} x {size} numbers from 0 to 1"
        raise ValueError(f"base face {face} of {name} must be {rule}, got others")
    stimuli = FaceStimuli(
        file=name,
        sha256=sha256,
        parameters=checked_parameters(held["stimuli_params"][face], where),
        size=size,
        picture=picture,
        details={"base_face": face, **_details(held)},
    )
    _require_sinusoids(held, stimuli)
    return stimuli


def _objects(path: Path) -> dict[str, Any]:
    held = r_objects(path)
    if list(held) == [""]:
        raise ValueError(f"{path.name} must hold named objects, got {type(held[''])}")
    return held


def _text(value: Any) -> str:
    return str(np.asarray(value).ravel()[0])


def _chosen(name: str, faces: Any, wanted: str | None) -> str:
    known = list(faces) if isinstance(faces, dict) else []
    if wanted is None and len(known) == 1:
        return str(known[0])
    if wanted is None or wanted not in known:
        rule = f"one of {', '.join(map(str, known)) or 'none'}"
        got = "none" if wanted is None else repr(wanted)
        raise ValueError(f"the base face of {name} must be {rule}, got {got}")
    return wanted


def _details(held: dict[str, Any]) -> dict[str, Any]:
    """Give the file's own label and seed, where it has them."""
    found: dict[str, Any] = {}
    if "seed" in held:
        found["seed"] = float(np.asarray(held["seed"]).ravel()[0])
    if "label" in held:
        found["label"] = _text(held["label"])
    return found


def _require_sinusoids(held: dict[str, Any], stimuli: FaceStimuli) -> None:
    """Compare the sinusoids in the file, which before 0.3.3 had other names."""
    own = held.get("p", held.get("s"))
    if not isinstance(own, dict):
        raise ValueError(f"{stimuli.file} must hold the noise p of rcicr, got none")
    patches = np.asarray(own.get("patches", own.get("sinusoids")), np.float64)
    index = np.asarray(own.get("patchIdx", own.get("sinIdx")), np.float64)
    require_patches(patches, index, stimuli, f"the noise p of {stimuli.file}")
