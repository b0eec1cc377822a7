"""Trials and probabilities of objects from files: tables, and Brain-Score's NetCDF.

Brain-Score keeps people's choices as a variable along `presentation`, with coordinates
`stimulus_id` (once `image_id`), `truth`, `sample_obj` and `dist_obj`, and a model's
probabilities as one along `presentation` and `choice`. In a table these are columns, a
probability's named `probability_` and the object.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..store.text import observer_name
from .object_tables import ObjectProbabilities, ObjectTrials
from .table_file import read_trials
from .table_numbers import is_missing, number, whole_number

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

# What others call our columns, in small letters; of several, the first counts.
NAMES = {
    "image": ("stimulus_id", "image_id", "image", "stimulus", "filename", "imagename"),
    "target": ("truth", "sample_obj", "target", "category", "object_name", "label"),
    "distractor": ("dist_obj", "distractor"),
    "choice": ("choice", "response"),
    "observer": ("observer", "subject", "worker_id", "participant"),
}
PROBABILITY = "probability_"
_NETCDF = (".nc", ".nc4", ".h5")


@dataclass(frozen=True)
class _Columns:
    """Columns of a table by name, from whatever kind of file."""

    name: str
    cells: Mapping[str, list[Any]]

    def texts(self, ours: str) -> list[str] | None:
        """Give a column by any of its names, as texts; None if there is none."""
        small = {name.lower(): name for name in self.cells}
        there = [small[name] for name in NAMES[ours] if name in small]
        return [_text(cell) for cell in self.cells[there[0]]] if there else None

    def needed(self, ours: str) -> list[str]:
        """Give a column that must be there."""
        found = self.texts(ours)
        if found is None:
            rule, got = " or ".join(NAMES[ours]), ", ".join(list(self.cells)[:8])
            raise ValueError(f"{self.name} must have a column {rule}, got {got}")
        return found


def read_object_trials(source: "str | Path | pd.DataFrame") -> ObjectTrials:
    """Read people's trials with a picture and two objects to choose from.

    Parameters
    ----------
    source
        A table (CSV, Parquet, ...) or a data frame with a row for each trial and the
        columns image, target, distractor and choice, or Brain-Score's names of these;
        or a NetCDF file of Brain-Score's (`.nc`). People are pooled.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ModuleNotFoundError
        If NetCDF is to be read and the extra `brain` is not installed.
    ValueError
        If a column is not there, or a trial is not as it must be.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = {"image": ["a.png", "a.png"], "target": "dog", "distractor": "cat"}
    >>> read_object_trials(pd.DataFrame({**rows, "choice": ["dog", "cat"]})).choice
    ('dog', 'cat')
    """
    table = _columns(source)
    image, said = table.needed("image"), table.needed("choice")
    words = [
        [word.lower() for word in table.needed(ours)]
        for ours in ("target", "distractor")
    ]
    rows = [
        (where, target, other, answer.lower())
        for where, target, other, answer in zip(image, *words, said, strict=True)
        if answer
    ]
    n_missing = len(image) - len(rows)
    note = f"{n_missing} trials without a response were left out"
    columns = zip(*rows, strict=True) if rows else ((), (), (), ())
    return ObjectTrials(*map(tuple, columns), notes=(note,) if n_missing else ())


def read_object_probabilities(
    source: "str | Path | pd.DataFrame", observer: str | None = None
) -> ObjectProbabilities:
    """Read the probability that a model gave each object for each image.

    Parameters
    ----------
    source
        A table or a data frame with a row for each image, a column image and a column
        `probability_dog` for each object, such as `yoked label` writes; or a NetCDF
        file of Brain-Score's (`.nc`), probabilities along presentation and choice.
    observer
        Which, if the table has several; by default its only one.

    Raises
    ------
    FileNotFoundError, ModuleNotFoundError
        As in `read_object_trials`.
    LookupError
        If the table has no such observer.
    ValueError
        If there are no probabilities, or they are not as they must be.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = {"image": ["a.png"], "probability_cat": [0.2], "probability_dog": [0.8]}
    >>> found = read_object_probabilities(pd.DataFrame(rows), observer="net")
    >>> found.object, found.probability.tolist()
    (('cat', 'dog'), [[0.2, 0.8]])
    """
    if not hasattr(source, "to_dict") and Path(str(source)).suffix in _NETCDF:
        return _probabilities_in(_netcdf(Path(str(source))), _stem(source), observer)
    table = _columns(source)
    names = [name for name in table.cells if name.lower().startswith(PROBABILITY)]
    if not names:
        rule, got = f"columns {PROBABILITY}OBJECT", ", ".join(list(table.cells)[:8])
        raise ValueError(f"{table.name} must have {rule}, got {got}")
    image, who = table.needed("image"), table.texts("observer")
    known = list(dict.fromkeys(who or [observer or _stem(table.name)]))
    observer = _only(table.name, known, observer)
    rows = [i for i in range(len(image)) if who is None or who[i] == observer]
    return ObjectProbabilities(
        observer=observer_name(observer),
        image=tuple(image[i] for i in rows),
        object=tuple(name[len(PROBABILITY) :].lower() for name in names),
        probability=np.array(
            [[_number(table, name, i) for name in names] for i in rows], float
        ).reshape(len(rows), len(names)),
    )


def _only(table: str, known: list[str], observer: str | None) -> str:
    if observer is None and len(known) == 1:
        return known[0]
    if observer not in known:
        got = f"got {observer!r}" if observer else "got none"
        raise LookupError(f"observer must be one of {table}, {', '.join(known)}; {got}")
    return observer


def _number(table: _Columns, name: str, row: int) -> float:
    found = number(table.cells[name][row])
    if found is None:
        where = f"{name} in row {row + 1} of {table.name}"
        raise ValueError(f"{where} must be a number, got {table.cells[name][row]!r}")
    return found


def _text(cell: Any) -> str:
    """Give a cell as a text: numbers that are whole without a point."""
    if isinstance(cell, bytes):
        cell = cell.decode()
    whole = whole_number(cell) if isinstance(cell, float) else None
    return (
        ""
        if is_missing(cell)
        else " ".join(str(cell if whole is None else whole).split())
    )


def _stem(source: object) -> str:
    return "model" if hasattr(source, "to_dict") else Path(str(source)).stem


def _columns(source: Any) -> _Columns:
    """Read a table, whatever it is in."""
    if hasattr(source, "to_dict"):
        cells = {str(name): list(source[name]) for name in source.columns}
        return _Columns("the data frame", cells)
    path = Path(source)
    if path.suffix in _NETCDF:
        return _trials_in(_netcdf(path), path.name)
    wanted = {name for names in NAMES.values() for name in names}
    names = read_trials(path, wanted).names
    more = {name for name in names if name.lower().startswith(PROBABILITY)}
    table = read_trials(path, wanted | more)
    return _Columns(table.name, table.cells)


def _netcdf(path: Path) -> "xr.DataArray":
    """Read the variable of a file of NetCDF, its coordinates with it."""
    if not path.is_file():
        raise FileNotFoundError(f"no file {str(path)!r}")
    try:
        import xarray
    except ModuleNotFoundError as error:
        message = f'{path.name} needs xarray: pip install "yoked[brain]"'
        raise ModuleNotFoundError(message, name=error.name) from error
    with xarray.open_dataset(path) as found:
        variables = list(found.data_vars)
        if len(variables) != 1:
            got = ", ".join(map(str, variables)) or "none"
            raise ValueError(f"{path.name} must hold one variable, got {got}")
        return found[variables[0]].load()


def _along(array: "xr.DataArray", dimension: str) -> dict[str, list[Any]]:
    """Give the coordinates along one dimension, as columns."""
    return {
        str(name): list(coordinate.values.tolist())
        for name, coordinate in array.coords.items()
        if coordinate.dims == (dimension,)
    }


def _trials_in(array: "xr.DataArray", name: str) -> _Columns:
    if array.dims != ("presentation",):
        got = ", ".join(map(str, array.dims))
        raise ValueError(f"choices in {name} must lie along presentation, got {got}")
    said = list(array.values.tolist())
    return _Columns(name, {**_along(array, "presentation"), "choice": said})


def _probabilities_in(
    array: "xr.DataArray", name: str, observer: str | None
) -> ObjectProbabilities:
    if set(array.dims) != {"presentation", "choice"}:
        got = ", ".join(map(str, array.dims))
        rule = "lie along presentation and choice"
        raise ValueError(f"probabilities in {name} must {rule}, got {got}")
    array = array.transpose("presentation", "choice")
    columns = _Columns(name, _along(array, "presentation"))
    objects = _Columns(name, _along(array, "choice")).needed("choice")
    return ObjectProbabilities(
        observer=observer_name(observer or name),
        image=tuple(columns.needed("image")),
        object=tuple(word.lower() for word in objects),
        probability=np.asarray(array.values, float),
    )
