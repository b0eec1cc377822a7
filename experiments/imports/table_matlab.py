"""MATLAB's files, of version 5 and 7.3: variables, and a struct as a table."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .table_columns import ColumnSheet, chosen_part, needed
from .table_numbers import FileOptions

_V73 = b"MATLAB 7.3"
_HDF5 = b"\x89HDF"


def read_matlab(path: Path, wanted: set[str], options: FileOptions) -> ColumnSheet:
    """Read a table of a .mat file: the fields of a struct, or variables of one length.

    Raises
    ------
    ModuleNotFoundError
        If a file of version 7.3 is to be read without h5py.
    ValueError
        If it is no such file, or has no table.
    """
    held = matlab_variables(path)
    structs = {name: value for name, value in held.items() if isinstance(value, dict)}
    about: dict[str, Any] = {"format": "MATLAB"}
    if structs or options.part is not None:
        name = chosen_part(path.name, "a struct", structs, options.part)
        about["part"] = name
        held = structs[name]
    columns = {name: c for name, v in held.items() if (c := _column(v)) is not None}
    columns = _of_one_length(columns, wanted)
    if not columns:
        rule = "hold a struct of columns, or columns (a `table` only by table2struct)"
        got = ", ".join(held) or "nothing"
        raise ValueError(f"{path.name} must {rule}, got {got}")
    return ColumnSheet(path.name, columns, about)


def matlab_variables(path: Path) -> dict[str, Any]:
    """Give the variables of a .mat file: arrays, lists of texts, structs as dicts.

    Raises
    ------
    ModuleNotFoundError
        If a file of version 7.3 is to be read without h5py.
    ValueError
        If it is no such file.
    """
    with path.open("rb") as file:
        begins = file.read(600)
    if begins.startswith(_V73) or begins.startswith(_HDF5) or _HDF5 in begins[512:]:
        return _version_73(path)
    from scipy.io import loadmat

    try:
        held = loadmat(path, squeeze_me=False, chars_as_strings=True)
    except Exception as error:  # whatever a file that is no .mat makes scipy raise
        got = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"{path.name} must be a .mat file, got {got}") from None
    return {n: _plain(v) for n, v in held.items() if not n.startswith("__")}


def _plain(value: Any) -> Any:
    """Turn scipy's structs into dicts, and its cells into lists."""
    value = np.asarray(value)
    if value.dtype.names:
        if value.size == 1:
            return {name: _plain(value[name].flat[0]) for name in value.dtype.names}
        # A struct array is a table row by row.
        return {n: [_single(v) for v in value[n].flat] for n in value.dtype.names}
    if value.dtype == object:
        return [_single(v) for v in value.flat]
    return value


def _single(value: Any) -> Any:
    """Give the one number or text in a cell; None if it is empty."""
    value = np.asarray(value)
    if value.dtype.kind == "U":
        return str(value.flat[0]) if value.size else ""
    return value.flat[0].item() if value.size == 1 else None


def _version_73(path: Path) -> dict[str, Any]:
    h5py = needed("h5py", "MATLAB's files of version 7.3")
    try:
        with h5py.File(path, "r") as file:
            return {n: _of_hdf5(file, v) for n, v in file.items() if n[:1] != "#"}
    except OSError as error:
        got = str(error).splitlines()[0]
        raise ValueError(f"{path.name} must be a .mat file, got {got}") from None


def _of_hdf5(file: Any, item: Any) -> Any:
    """Read a variable of version 7.3, whose axes are the other way round."""
    kind = item.attrs.get("MATLAB_class", b"").decode()
    if hasattr(item, "items"):  # a group is a struct
        return {name: _of_hdf5(file, field) for name, field in item.items()}
    array = np.asarray(item[()])
    if item.attrs.get("MATLAB_empty", 0):
        return "" if kind == "char" else np.empty((0, 0))
    if array.dtype == object:  # references: a cell, or a field of a struct array
        return [_referred(file, reference) for reference in array.T.flat]
    array = array.T
    if kind == "char":
        rows = ["".join(map(chr, row)) for row in np.atleast_2d(array)]
        return np.array(rows)
    return array.astype(bool) if kind == "logical" else array


def _referred(file: Any, reference: Any) -> Any:
    value = _of_hdf5(file, file[reference])
    return value if isinstance(value, str) else _single(value)


def _column(value: Any) -> list[Any] | None:
    """Give a vector as a column; None for what is none."""
    if isinstance(value, list):
        return value
    if isinstance(value, Mapping):
        return None
    array = np.asarray(value)
    if array.dtype.kind == "V" or array.ndim > 2:
        return None
    if array.size == max(array.shape, default=0):
        cells = array.ravel().tolist()
        return [c.rstrip() if isinstance(c, str) else c for c in cells]
    return None


def _of_one_length(
    columns: dict[str, list[Any]], wanted: set[str]
) -> dict[str, list[Any]]:
    """Leave out what has another length than most columns: settings, a signal."""
    lengths = [len(column) for column in columns.values() if len(column) > 1]
    if not lengths:
        return columns
    n_rows = max(set(lengths), key=lambda n: (lengths.count(n), n))
    return {name: c for name, c in columns.items() if len(c) == n_rows}


def array_of_matlab(path: Path, what: str) -> np.ndarray:
    """Give the array `what` of a .mat file, or its only one of two axes and more."""
    arrays = {
        name: value
        for name, value in matlab_variables(path).items()
        if isinstance(value, np.ndarray) and value.dtype.kind in "fiub"
    }
    return only_array(path.name, arrays, what)


def only_array(file: str, arrays: Mapping[str, np.ndarray], what: str) -> np.ndarray:
    """Choose an array by its name, or the only one that is no vector.

    Raises
    ------
    ValueError
        If there is no such array, or several.

    Examples
    --------
    >>> held = {"noise": np.zeros((3, 4)), "key": np.ones(3)}
    >>> only_array("d.mat", held, "noise").shape
    (3, 4)
    """
    if what in arrays:
        return arrays[what]
    wide = [name for name, a in arrays.items() if min(a.shape, default=0) > 1]
    if len(wide) == 1:
        return arrays[wide[0]]
    got = ", ".join(arrays) or "none"
    raise ValueError(f"{file} must hold an array named {what}, got {got}")
