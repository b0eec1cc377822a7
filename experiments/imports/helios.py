"""Folders of images and labels, as the HELIOS collection has them.

`images` holds a PNG for each trial, `labels` (a folder or a table) the response, the
subject and the contrast. What is in the images is signal and noise: the noise is what
is left when the mean image of its class (target and contrast) is taken off.
"""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from ..protocols.grayscale_png import read_gray
from ..store.text import utf8_text
from .table import TableSession, checked, write_understood
from .table_file import TEXT_ENDINGS, TrialFile, read_trials
from .table_numbers import is_missing, number
from .table_settings import TableSettings

_NAMES = {"response": ("response",), "subject": ("subject", "observer")}
_NAMES |= {"contrast": ("contrast",), "target": ("target",), "image": ("image",)}
_NEEDED = ("response", "subject", "contrast")
_TABLES = (*TEXT_ENDINGS, ".xlsx", ".parquet", ".mat")
_FEWEST = 20  # images of a class, for its mean to be its signal
_CODES = ((0, 1), (1, 2), (-1, 1))
Labels = dict[str, list[Any]]


def import_helios(
    folder: str | Path,
    db_path: str | Path,
    background: float | None = None,
    is_score: bool = False,
) -> list[TableSession]:
    """Write the observers of a folder of images and labels into a database.

    Parameters
    ----------
    folder
        With `images` (grayscale PNG) and `labels`: a table with columns response,
        subject and contrast, or a file with a value in each line for each of them, in
        the order of the images. Columns target and image (a file's name) may be there.
    db_path
        The trial log; made if there is none.
    background
        Gray level of contrast 0; by default the mean of all images.
    is_score
        Whether a response of 1 says that it was right, not that there was a signal.

    Returns
    -------
    list
        One session for each subject.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or images or labels are not in it.
    ValueError
        If images and labels do not fit; one sentence. Nothing is written then.

    Examples
    --------
    `made = yoked.import_helios("project", "results.db")`, and then
    `yoked.load_session("results.db", made[0].session)`.

    >>> import_helios("no_such_project", "results.db")
    Traceback (most recent call last):
    FileNotFoundError: no_such_project must be a folder with images and labels, got \
another
    """
    folder = Path(folder)
    name = utf8_text(folder.resolve().name)
    labels = _labels(folder, name)
    paths = _images(folder, name, labels)
    target, contrast, notes = _targets(labels, name)
    response = _responses(labels, name)
    if is_score:
        pairs = zip(response, target, strict=True)
        response = [None if r is None else t if r else 1 - t for r, t in pairs]
    pixels, sha256 = _pixels(paths)
    middle = float(pixels.mean()) if background is None else float(background)
    if not middle > 0:
        raise ValueError(f"background must be more than 0, got {middle:g}")
    if background is None:
        notes.append(f"contrast 0 is the images' mean, gray level {middle:.4g}")
    noise = _without_signal(pixels / middle - 1, target, contrast, name)
    notes.append("noise is what the mean image of its class leaves of an image")
    table = TrialFile(
        name=name,
        sha256=sha256,
        names=("observer", "target", "response", "contrast"),
        cells={
            "observer": labels["subject"],
            "target": target,
            "response": response,
            "contrast": contrast,
        },
        noise_names=(),
        noise=np.empty((len(target), 0)),
        notes=tuple(notes),
    )
    is_relative = max(contrast) > 1
    settings = TableSettings(
        "yes_no", noise=noise, is_contrast_relative=is_relative, noise_kind="other"
    )
    return write_understood(checked(table, settings, table.names), db_path)


def _labels(folder: Path, name: str) -> Labels:
    """Read the labels: of one table, or of a file for each."""
    places = sorted(folder.glob("labels*"))
    if not (folder / "images").is_dir() or not places:
        rule = "a folder with images and labels"
        raise FileNotFoundError(f"{folder} must be {rule}, got another")
    files = sorted(places[0].iterdir()) if places[0].is_dir() else places[:1]
    files = [file for file in files if file.suffix.lower() in _TABLES]
    by_name = {file.stem.lower(): file for file in files}
    found: Labels = {}
    for ours, names in _NAMES.items():
        own = next((by_name[n] for n in names if n in by_name), None)
        if own is not None:
            found[ours] = _lines(own)
    if not found and len(files) == 1:
        found = _of_table(files[0])
    missing = [ours for ours in _NEEDED if ours not in found]
    if missing:
        got = ", ".join(file.name for file in files) or "none"
        raise ValueError(f"labels of {name} must have {missing[0]}, got {got}")
    sizes = {ours: len(column) for ours, column in found.items()}
    if len(set(sizes.values())) > 1:
        raise ValueError(f"labels of {name} must be of one length, got {sizes}")
    return found


def _of_table(file: Path) -> Labels:
    table = read_trials(file, {name for names in _NAMES.values() for name in names})
    return {
        ours: table.cells[there[0]]
        for ours, names in _NAMES.items()
        if (there := [n for n in names if n in table.cells])
    }


def _lines(file: Path) -> list[Any]:
    """Give a file's lines; its first may be the column's name."""
    lines = file.read_text(encoding="utf-8-sig").split("\n")
    values = [line.strip() for line in lines if line.strip()]
    return values[1:] if values and values[0].lower() == file.stem.lower() else values


def _images(folder: Path, name: str, labels: Labels) -> list[Path]:
    """Give the image of each trial: by its name, or in the order of their numbers."""
    there = sorted((folder / "images").glob("*.png"), key=_by_number)
    n = len(labels["response"])
    if "image" in labels:
        by_name = {path.stem: path for path in there}
        stems = [str(cell).removesuffix(".png") for cell in labels["image"]]
        absent = [stem for stem in stems if stem not in by_name]
        if absent:
            raise ValueError(f"images of {name} must have {absent[0]}.png, got none")
        return [by_name[stem] for stem in stems]
    if len(there) != n:
        rule = f"as many as labels, {n}"
        raise ValueError(f"images of {name} must be {rule}, got {len(there)}")
    return there


def _by_number(path: Path) -> list[tuple[int, str]]:
    """Sort 2.png before 10.png."""
    parts = re.findall(r"\d+|\D+", path.stem)
    return [(int(p), "") if p.isdigit() else (-1, p) for p in parts]


def _targets(labels: Labels, name: str) -> tuple[list[int], list[float], list[str]]:
    """Give targets and contrasts; where no column has the target, by contrast."""
    contrast = [number(cell) for cell in labels["contrast"]]
    if None in contrast:
        row = contrast.index(None)
        got = repr(labels["contrast"][row])
        where = f"contrast in row {row + 1} of {name}"
        raise ValueError(f"{where} must be a number, got {got}")
    values = [value for value in contrast if value is not None]
    sizes = [abs(value) for value in values]
    if "target" in labels:
        return _binary(labels["target"], "target", name), sizes, []
    target = [int(value > 0) for value in values]
    if len(set(target)) == 1:
        rule = "be told by a column target, or by contrasts of which some are 0 or less"
        raise ValueError(f"targets of {name} must {rule}, got neither")
    return target, sizes, ["the target is where the contrast is more than 0"]


def _binary(cells: Sequence[Any], what: str, name: str) -> list[int]:
    found = _coded(cells, what, name)
    if None in found:
        where = f"{what} in row {found.index(None) + 1} of {name}"
        raise ValueError(f"{where} must be one of two numbers, got nothing")
    return [code for code in found if code is not None]


def _responses(labels: Labels, name: str) -> list[int | None]:
    return _coded(labels["response"], "response", name)


def _coded(cells: Sequence[Any], what: str, name: str) -> list[int | None]:
    """Give codes 0 and 1 of a column that has 0 and 1, 1 and 2, or -1 and 1."""
    values = [None if is_missing(cell) else number(cell) for cell in cells]
    for low, high in _CODES:
        known = {None: None, float(low): 0, float(high): 1}
        wrong = [
            row
            for row, value in enumerate(values)
            if value not in known or (value is None and not is_missing(cells[row]))
        ]
        if not wrong:
            return [known[value] for value in values]
    odd = next((c for c in cells if number(c) not in (-1, 0, 1, 2)), "others")
    rule = "0 and 1, 1 and 2, or -1 and 1"
    raise ValueError(f"{what} of {name} must be {rule}, got {odd!r}")


def _pixels(paths: Sequence[Path]) -> tuple[Float[np.ndarray, " trial y x"], str]:
    """Read all images, of one size, and give the SHA-256 of all of them."""
    sha256, fields = hashlib.sha256(), []
    for path in paths:
        data = path.read_bytes()
        sha256.update(data)
        try:
            field = read_gray(data)
        except ValueError as error:
            raise ValueError(f"{path.name}: {error}") from None
        if fields and field.shape != fields[0].shape:
            size, got = fields[0].shape, field.shape
            raise ValueError(f"{path.name} must be of {size} pixels, got {got}")
        fields.append(field)
    return np.stack(fields).astype(np.float64), sha256.hexdigest()


def _without_signal(
    shown: Float[np.ndarray, " trial y x"],
    target: Sequence[int],
    contrast: Sequence[float],
    name: str,
) -> Float[np.ndarray, " trial 1 1 y x"]:
    """Take the mean image of each class off, which is its signal."""
    noise = shown.copy()
    classes = np.array(list(zip(target, contrast, strict=True)))
    for each in np.unique(classes, axis=0):
        rows = (classes == each).all(axis=1)
        if rows.sum() < _FEWEST:
            rule = f"{_FEWEST} or more of target {each[0]:g} at contrast {each[1]:g}"
            raise ValueError(f"images of {name} must be {rule}, got {rows.sum()}")
        noise[rows] -= shown[rows].mean(axis=0)
    return noise[:, None, None]
