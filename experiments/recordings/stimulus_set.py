"""A stimulus set in BrainIO's layout: a table, and pictures by the names in it."""

import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from ..pictures.gray import as_gray
from .population import as_contrast
from .recording import RecordingError

NO_PILLOW = 'pictures in files need pillow: pip install "yoked[plot]"'
ID = ("stimulus_id", "image_id")
FILE = ("filename", "image_file_name", "image_filename")
KINDS = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")


@dataclass(frozen=True, eq=False)
class StimulusSet:
    """Of the stimuli of a recording, in their order there.

    Attributes
    ----------
    objects
        What each shows; None where the table does not say.
    pictures
        One frame each; None where no picture was found.
    """

    objects: tuple[str, ...] | None
    pictures: Float32[np.ndarray, " stimulus frame y x"] | None


def read_stimulus_set(path: Path, stimuli: Sequence[str]) -> StimulusSet:
    """Read what was shown, of some stimuli in their order.

    Parameters
    ----------
    path
        The table (.csv). Pictures are in its folder, in a folder or in a ZIP archive of
        its name, under the name in its column `filename`, else the stimulus's. Colors
        become gray by Rec. 601's luma.

    Raises
    ------
    RecordingError
        If the table lacks a column or a stimulus, pictures are missing for some, broken
        or of several sizes.
    ModuleNotFoundError
        If there are pictures and pillow is not installed.
    """
    import pandas as pd

    if not path.is_file():
        raise RecordingError(
            f"a stimulus set must be a table (.csv), got {str(path)!r}"
        )
    table = pd.read_csv(path, dtype=str, encoding="utf-8")
    key = next((name for name in ID if name in table), None)
    if key is None:
        got = ", ".join(table.columns)
        raise RecordingError(f"{path.name} must have stimulus_id, got {got}")
    table = table.drop_duplicates(key).set_index(key)
    missing = [name for name in stimuli if name not in table.index]
    if missing:
        rule = f"all {len(stimuli)} stimuli of the recording"
        got = f"none named {missing[0]!r} ({len(missing)} missing)"
        raise RecordingError(f"{path.name} must have {rule}, got {got}")
    rows = table.loc[list(stimuli)]
    objects = None
    if "object_name" in rows:
        objects = tuple(map(str, rows["object_name"]))
    column = next((name for name in FILE if name in rows), None)
    files = list(stimuli) if column is None else list(map(str, rows[column]))
    return StimulusSet(objects, _pictures(path, files))


def _pictures(path: Path, files: list[str]) -> np.ndarray | None:
    archive = path.with_suffix(".zip")
    if archive.is_file():
        with zipfile.ZipFile(archive) as opened:
            names = set(opened.namelist())
            found = [_named(name, names.__contains__) for name in files]
            return _stacked(files, found, lambda name: opened.read(name))
    for folder in (path.with_suffix(""), path.parent):
        found = [_named(name, lambda n, f=folder: (f / n).is_file()) for name in files]
        if any(found):
            return _stacked(files, found, lambda n, f=folder: (f / n).read_bytes())
    return None


def _named(name: str, is_there: Callable[[str], bool]) -> str | None:
    """Return the file of a picture: as it is named, or with an ending."""
    tried = [name, *(f"{name}{kind}" for kind in KINDS)]
    return next((each for each in tried if is_there(each)), None)


def _stacked(
    files: list[str], found: list[str | None], read: Callable[[str], bytes]
) -> np.ndarray:
    missing = [name for name, each in zip(files, found, strict=True) if each is None]
    if missing:
        got = f"none of {missing[0]!r} ({len(missing)} missing)"
        raise RecordingError(f"pictures must be there for all stimuli, got {got}")
    made = [_gray(read(name), name) for name in found if name is not None]
    sizes = {each.shape for each in made}
    if len(sizes) > 1:
        got = " and ".join(f"{x} x {y}" for y, x in sorted(sizes)[:2])
        raise RecordingError(f"pictures must be of one size, got {got} px")
    return as_contrast(np.stack(made)[:, None])


def _gray(data: bytes, name: str) -> np.ndarray:
    try:
        from PIL import Image
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(NO_PILLOW, name="PIL") from error
    try:
        with Image.open(io.BytesIO(data)) as picture:
            return np.asarray(as_gray(picture, name), dtype=np.uint8)
    except (OSError, SyntaxError) as error:  # a broken PNG is the latter
        rule, got = "a picture that can be read", f"{len(data)} bytes: {error}"
        raise RecordingError(f"{name} must be {rule}, got {got}") from error
