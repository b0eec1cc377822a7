"""Pictures with categories: a folder of folders, or a table that names them.

What a network is shown is gray and square: the shorter side is made as long as asked
for (bicubic), and the middle is kept.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from ..pictures.gray import as_gray
from .table_file import TEXT_ENDINGS, read_trials

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
_TWO_CUES = re.compile(r"([a-z]+)\d*-([a-z]+)\d*\.[a-z]+")


@dataclass(frozen=True)
class Pictures:
    """Pictures in files, with what they show.

    Attributes
    ----------
    files
        Where they are.
    names
        The files' names; with their folders' where a name comes twice.
    categories
        What each shows, in small letters.
    conditions
        Of each; '' where there is none.
    other_cues
        Of each, the category that its texture is of; '' where names do not tell.
    maps
        Of each, a picture of what people find important in it; None where there is
        none.
    """

    files: tuple[Path, ...]
    names: tuple[str, ...]
    categories: tuple[str, ...]
    conditions: tuple[str, ...]
    other_cues: tuple[str, ...]
    maps: tuple[Path | None, ...] = ()

    def __len__(self) -> int:
        return len(self.files)

    def contrast(
        self, size_px: int, which: slice = slice(None)
    ) -> Float32[np.ndarray, " picture frame y x"]:
        """Return some of the pictures, gray in [-1, 1]: twice the value / 255, less 1.

        Raises
        ------
        ModuleNotFoundError
            If Pillow is not installed.
        ValueError
            If a file is no picture.
        """
        read = [_gray(file, size_px) for file in self.files[which]]
        return (2 * np.stack(read)[:, None].astype(np.float32) / 255) - 1

    def importance(self, size_px: int) -> Float32[np.ndarray, " picture y x"]:
        """Return importance maps in [0, 1], black being 0; 0 all over without one.

        Raises
        ------
        ModuleNotFoundError
            If Pillow is not installed.
        ValueError
            If a file is no picture.
        """
        found = np.zeros((len(self), size_px, size_px), np.float32)
        for k, file in enumerate(self.maps):
            if file is not None:
                found[k] = _gray(file, size_px).astype(np.float32) / 255
        return found


def read_pictures(source: str | Path) -> Pictures:
    """Find pictures and what they show.

    Parameters
    ----------
    source
        A folder with a folder for each category, or for each condition with one for
        each category in it; or a table with the columns file (relative to the table),
        category, and if there are any condition and importance (files of maps).

    Raises
    ------
    FileNotFoundError
        If it, or a picture that it names, is not there.
    ValueError
        If there are no pictures, or a column is missing.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("cat/cat1-dog2.png", "dog/dog1-cat1.png"):
    ...     (folder / name).parent.mkdir()
    ...     (folder / name).touch()
    >>> found = read_pictures(folder)
    >>> found.names, found.categories, found.other_cues
    (('cat1-dog2.png', 'dog1-cat1.png'), ('cat', 'dog'), ('dog', 'cat'))
    """
    path = Path(source)
    if path.is_dir():
        rows = list(_in_folder(path))
    elif path.is_file():
        rows = list(_in_table(path))
    else:
        raise FileNotFoundError(f"no folder or table {str(path)!r}")
    if not rows:
        rule = "a picture in a folder that is called as its category"
        raise ValueError(f"{path.name} must hold {rule}, got none")
    files, categories, conditions, maps = zip(*rows, strict=True)
    cues = _other_cues(files, categories)
    return Pictures(files, _names(files), categories, conditions, cues, maps)


_Row = tuple[Path, str, str, Path | None]


def _in_folder(path: Path) -> Iterator[_Row]:
    for pattern in ("*/*", "*/*/*"):
        for file in sorted(path.glob(pattern)):
            if file.suffix.lower() in ENDINGS:
                *condition, category, _ = file.relative_to(path).parts
                yield file, category.lower(), "".join(condition), None


def _in_table(path: Path) -> Iterator[_Row]:
    if path.suffix.lower() not in (*TEXT_ENDINGS, ".parquet"):
        rule = "a folder, or a table ending in .csv or .parquet"
        raise ValueError(f"pictures must be {rule}, got {path.name}")
    wanted = {"file", "category", "condition", "importance"}
    cells = read_trials(path, wanted).cells
    for column in ("file", "category"):
        if column not in cells:
            raise ValueError(f"{path.name} must have a column {column}, got none")
    nothing = [""] * len(cells["file"])
    optional = (cells.get(each, nothing) for each in ("condition", "importance"))
    for name, category, condition, of_map in zip(
        cells["file"], cells["category"], *optional, strict=True
    ):
        file = _named(path, str(name))
        shown = "" if category is None else str(category).strip().lower()
        if shown in ("", "nan"):
            rule = "filled in for every picture"
            raise ValueError(f"category must be {rule}, got none of {name!r}")
        there = str(of_map or "").strip()
        found = None if there in ("", "nan") else _named(path, there)
        yield file, shown, str(condition or "").strip(), found


def _named(table: Path, name: str) -> Path:
    """Give a file that a table names."""
    file = table.parent / name
    if not file.is_file():
        raise FileNotFoundError(f"{table.name} names {name!r}, and there is none")
    return file


def _names(files: Sequence[Path]) -> tuple[str, ...]:
    """Give names that are different, with as many folders as that takes."""
    names = [file.name for file in files]
    for depth in (2, 3):
        if len(set(names)) < len(files):
            names = ["/".join(file.parts[-depth:]) for file in files]
    return tuple(names)


def _other_cues(files: Sequence[Path], categories: Sequence[str]) -> tuple[str, ...]:
    """Give the textures that names such as cat1-dog2.png tell, if all names do."""
    known = set(categories)
    found = [_TWO_CUES.fullmatch(file.name.lower()) for file in files]
    tells = all(
        cues and cues[1] == category and cues[2] in known
        for cues, category in zip(found, categories, strict=True)
    )
    return tuple(cues[2] if tells and cues else "" for cues in found)


def _gray(file: Path, size_px: int) -> np.ndarray:
    try:
        from PIL import Image, UnidentifiedImageError
    except ModuleNotFoundError as error:
        message = f'{file.name} needs Pillow: pip install "yoked[plot]"'
        raise ModuleNotFoundError(message, name=error.name) from error
    try:
        with Image.open(file) as opened:
            picture = as_gray(opened, file.name)
    except (UnidentifiedImageError, OSError) as error:
        raise ValueError(f"{file.name} must be a picture, got another file") from error
    scale = size_px / min(picture.size)
    wide, high = (max(size_px, round(side * scale)) for side in picture.size)
    if (wide, high) != picture.size:
        picture = picture.resize((wide, high), Image.Resampling.BICUBIC)
    left, top = (wide - size_px) // 2, (high - size_px) // 2
    return np.asarray(picture.crop((left, top, left + size_px, top + size_px)))
