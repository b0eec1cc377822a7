"""Pictures placed on a screen of so many degrees, as Brain-Score places them."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...experiments.pictures.gray import require_eight_bits
from .stimuli import ID, PATH, PictureSet, picture_set, presented

if TYPE_CHECKING:
    from PIL.Image import Image

DEGREES = "degrees"
GRAY = (128, 128, 128)
NO_PILLOW = 'pictures in files need Pillow: pip install "yoked[plot]"'


def place_on_screen(
    stimuli: Any,
    target_visual_degrees: float,
    source_visual_degrees: float | None = None,
    folder: str | Path | None = None,
) -> PictureSet:
    """Show pictures in their size to who sees another number of degrees.

    A picture of 8 degrees, for who sees 14, gets a gray frame (128) around it, so that
    the whole is 14 / 8 as large; for who sees 6 its middle is cut out. Nothing is
    resampled. So Brain-Score's function of this name does it [1]_, which writes JPEG
    where JPEG is given; here the files are PNG, whose gray is exact.

    Parameters
    ----------
    stimuli
        A StimulusSet, a table with `stimulus_id` and a column of files, or a list of
        files.
    target_visual_degrees
        What is seen: a model's `visual_degrees()`.
    source_visual_degrees
        Across a picture; None where the column `degrees` says it of each.
    folder
        Where to write the pictures; by default a new temporary one.

    Returns
    -------
    PictureSet
        The same table, with `stimulus_path` and `degrees` of the placed pictures.

    Raises
    ------
    ValueError
        If both or neither of `source_visual_degrees` and a column `degrees` are given,
        or a number of degrees is not above 0.

    References
    ----------
    .. [1] brain-score/vision, benchmark_helpers/screen.py

    Examples
    --------
    >>> from PIL import Image
    >>> file = Path(tempfile.mkdtemp()) / "white.png"
    >>> Image.new("L", (80, 80), 255).save(file)
    >>> placed = place_on_screen([file], 14, 8)
    >>> with Image.open(placed.get_stimulus(str(file))) as picture:
    ...     picture.size, picture.getpixel((0, 0)), picture.getpixel((70, 70))
    ((140, 140), (128, 128, 128), (255, 255, 255))
    """
    shown = presented(stimuli)
    known = shown.columns.get(DEGREES)
    if (known is None) == (source_visual_degrees is None):
        rule = "given once, as source_visual_degrees or as a column degrees"
        got = "both" if known is not None else "neither"
        raise ValueError(f"the degrees of stimuli must be {rule}, got {got}")
    given = np.full(len(shown), source_visual_degrees) if known is None else known
    source = np.asarray(given, float)
    if not (source > 0).all() or not target_visual_degrees > 0:
        got = min(float(source.min()), target_visual_degrees)
        raise ValueError(f"degrees must be above 0, got {got:g}")
    where = Path(folder or tempfile.mkdtemp(prefix="yoked-screen-"))
    where.mkdir(parents=True, exist_ok=True)
    placed = {}
    for each, file, degrees in zip(shown.ids, shown.files, source, strict=True):
        if each not in placed:
            ratio = target_visual_degrees / degrees
            placed[each] = _placed(file, ratio, where / f"{len(placed):06d}.png")
    files = [placed[each] for each in shown.ids]
    columns = dict(shown.columns)
    columns[PATH] = np.array(list(map(str, files)), object)
    columns[DEGREES] = np.full(len(files), target_visual_degrees)
    name = getattr(stimuli, "identifier", None) or "stimuli"
    return picture_set(columns, files, f"{name}--target{target_visual_degrees:g}")


def _placed(file: Path, ratio: float, to: Path) -> Path:
    """Write a picture as placed, unless it has its size already."""
    if ratio == 1:
        return file
    try:
        from PIL import Image
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(NO_PILLOW, name=error.name) from error
    with Image.open(file) as opened:
        require_eight_bits(opened, file.name)
        on_screen(opened, ratio).save(to)
    return to


def on_screen(picture: "Image", ratio: float) -> "Image":
    """Give a picture with gray around it, or its middle, `ratio` times as large."""
    from PIL import Image

    size = np.array(picture.size)
    wanted = (ratio * size).round().astype(int)
    if ratio < 1:
        left, top = ((size - wanted) / 2).round().astype(int).tolist()
        return picture.crop((left, top, left + int(wanted[0]), top + int(wanted[1])))
    whole = Image.new("RGB", (int(wanted[0]), int(wanted[1])), GRAY)
    left, top = ((wanted - size) / 2).round().astype(int).tolist()
    whole.paste(picture.convert("RGB"), (left, top))
    return whole


def write_pictures(levels: np.ndarray, folder: Path) -> PictureSet:
    """Write gray pictures (picture, y, x) of eight bits as PNG files, and list them."""
    try:
        from PIL import Image
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(NO_PILLOW, name=error.name) from error
    files = [folder / f"{k:06d}.png" for k in range(len(levels))]
    for file, each in zip(files, levels, strict=True):
        Image.fromarray(each).convert("RGB").save(file, compress_level=1)
    names = [file.stem for file in files]
    table = pd.DataFrame({ID: names, PATH: list(map(str, files))})
    return picture_set({n: table[n].tolist() for n in table}, files, folder.name)
