"""What a model is to look at: stimulus sets, tables and lists of files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ID = "stimulus_id"
PATH = "stimulus_path"
PATHS = (PATH, "path", "file", "filename", "image_file_name")
_DIMENSIONS = ("presentation", "neuroid", "time_bin", "choice")


class PictureSet(pd.DataFrame):
    """A table of stimuli that knows their files, as Brain-Score's StimulusSet does.

    Attributes
    ----------
    stimulus_paths
        The file of each `stimulus_id`.
    identifier
        A name of the set.
    """

    _metadata = ["identifier", "stimulus_paths"]  # noqa: RUF012  # pandas' own way
    identifier: str
    stimulus_paths: Mapping[Any, Path]

    @property
    def _constructor(self) -> type["PictureSet"]:
        return PictureSet

    def get_stimulus(self, stimulus_id: Any) -> Path:
        """Give the file of a stimulus."""
        return self.stimulus_paths[stimulus_id]


def picture_set(
    columns: Mapping[str, Any], files: Sequence[Path], identifier: str
) -> PictureSet:
    """Make a set of a table's columns, with `stimulus_id` among them, and its files."""
    made = PictureSet(dict(columns))
    made.identifier = identifier
    made.stimulus_paths = dict(zip(columns[ID], files, strict=True))
    return made


@dataclass(frozen=True, eq=False)
class Presented:
    """What is presented: a row for each presentation.

    Attributes
    ----------
    ids
        Of the stimuli; one may be presented several times.
    files
        Pictures.
    columns
        All that the stimulus set says of them, with `stimulus_id` and `stimulus_path`.
    """

    ids: tuple[Any, ...]
    files: tuple[Path, ...]
    columns: Mapping[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.ids)

    def column(self, name: str) -> list[Any]:
        """Give a column.

        Raises
        ------
        ValueError
            If there is none, or it is not filled in for every stimulus.
        """
        if name not in self.columns:
            got = ", ".join(self.columns)
            raise ValueError(f"stimuli must have a column {name}, got {got}")
        found = self.columns[name].tolist()
        if pd.isna(np.array(found, object)).any() or "" in found:
            raise ValueError(f"{name} must be filled in for every stimulus, got none")
        return found


def presented(stimuli: Any, folder: Path | None = None) -> Presented:
    """Read stimuli: a StimulusSet, a table with a column of files, or a list of files.

    Parameters
    ----------
    stimuli
        What has `get_stimulus(stimulus_id)` or `stimulus_paths`, as Brain-Score's
        StimulusSet has; a DataFrame with `stimulus_id` and one of `stimulus_path`,
        `path`, `file`, `filename` or `image_file_name`; or paths, which are their own
        ids.
    folder
        What a table's relative paths are in; by default the current one.

    Raises
    ------
    ValueError
        If there is no stimulus, no `stimulus_id` or no file of it.
    FileNotFoundError
        If a file is not there.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "cat.png"
    >>> file.touch()
    >>> table = pd.DataFrame({"stimulus_id": ["a"], "file": [file], "age": [3]})
    >>> list(presented(table).columns)
    ['stimulus_id', 'file', 'age', 'stimulus_path']
    """
    is_table = isinstance(stimuli, pd.DataFrame)
    found = _of_table(stimuli, folder) if is_table else _of_files(stimuli)
    if not len(found):
        raise ValueError("stimuli must be one or more, got none")
    missing = [file for file in found.files if not file.is_file()]
    if missing:
        n = len(missing)
        raise FileNotFoundError(f"no picture {str(missing[0])!r} ({n} missing)")
    return found


def _of_files(stimuli: Any) -> Presented:
    if isinstance(stimuli, str | Path) or not isinstance(stimuli, Sequence):
        rule = "a stimulus set, a table or a list of files"
        raise ValueError(f"stimuli must be {rule}, got {type(stimuli).__name__}")
    files = tuple(map(Path, stimuli))
    ids = tuple(map(str, files))
    return Presented(ids, files, {ID: _column(ids), PATH: _column(ids)})


def _of_table(stimuli: pd.DataFrame, folder: Path | None) -> Presented:
    wrong = [name for name in _DIMENSIONS if name in stimuli]
    if wrong:
        rule = f"called other than {', '.join(_DIMENSIONS)}"
        raise ValueError(f"columns of stimuli must be {rule}, got {wrong[0]}")
    if ID not in stimuli:
        got = ", ".join(map(str, stimuli.columns)) or "none"
        raise ValueError(f"stimuli must have a column {ID}, got {got}")
    ids = tuple(stimuli[ID].tolist())
    files = tuple(_file(stimuli, row, each, folder) for row, each in enumerate(ids))
    columns = {str(name): _column(stimuli[name]) for name in stimuli}
    columns.setdefault(PATH, _column([str(file) for file in files]))
    return Presented(ids, files, columns)


def _file(stimuli: pd.DataFrame, row: int, name: Any, folder: Path | None) -> Path:
    """Give the file of a stimulus."""
    if (paths := getattr(stimuli, "stimulus_paths", None)) is not None:
        if name not in paths:
            rule = "known for every stimulus"
            raise ValueError(f"the file must be {rule}, got none for {name!r}")
        return Path(paths[name])
    column = next((each for each in PATHS if each in stimuli), None)
    if column is not None:
        return Path(folder or "", str(stimuli[column].iloc[row]))
    if hasattr(stimuli, "get_stimulus"):
        return Path(stimuli.get_stimulus(name))
    rule = f"stimulus_paths, get_stimulus or a column {', '.join(PATHS)}"
    got = ", ".join(map(str, stimuli.columns))
    raise ValueError(f"stimuli must have {rule}, got {got}")


def _column(values: Any) -> np.ndarray:
    """Give a column of numbers or booleans as it is, any other as objects."""
    found = np.asarray(values)
    return found if found.dtype.kind in "biuf" else np.array(list(values), object)
