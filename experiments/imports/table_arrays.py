"""Arrays of noise and signal in files: NumPy's, MATLAB's, R's, or a long table."""

from pathlib import Path

import numpy as np

from .table_columns import r_objects
from .table_file import TEXT_ENDINGS, read_trials
from .table_matlab import array_of_matlab, only_array
from .table_numbers import whole_number

_LONG = {"stimulus_id", "stimulus", "interval", "element", "segment", "value"}


def load_array(source: str | Path | np.ndarray, what: str) -> np.ndarray:
    """Give an array, or map the one in a file.

    Parameters
    ----------
    source
        The array, or a .npy, .mat or R data file, or a text with columns stimulus_id
        (or stimulus), element (or segment) and value, and interval where there are
        several.
    what
        'noise' or 'signal', for sentences; and the array's name among several.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no file of numbers.
    """
    if isinstance(source, np.ndarray):
        return source
    path = Path(source)
    ending = path.suffix.lower()
    if ending == ".mat":
        return array_of_matlab(path, what)
    if ending in (".rda", ".rdata", ".rds"):
        return _of_r(path, what)
    if ending in TEXT_ENDINGS:
        return _of_long_table(path)
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        got = str(error).splitlines()[0].rstrip(".")
        raise ValueError(
            f"{what} must be a .npy file, got {path.name}: {got}"
        ) from None
    if not isinstance(array, np.ndarray):
        raise ValueError(f"{what} must be a .npy file, got the archive {path.name}")
    return array


def _of_r(path: Path, what: str) -> np.ndarray:
    """Give a matrix or array of an R data file."""
    held = {name: np.asarray(value) for name, value in r_objects(path).items()}
    arrays = {name: a for name, a in held.items() if a.dtype.kind in "fiu"}
    return only_array(path.name, arrays, what)


def _of_long_table(path: Path) -> np.ndarray:
    """Put an array together from a row for each element of each field."""
    table = read_trials(path, _LONG - {"value"}, noise_values="value")
    axes = []
    for names in (("stimulus_id", "stimulus"), ("interval",), ("element", "segment")):
        there = [name for name in names if name in table.cells]
        if there:
            axes.append(_counted(table.cells[there[0]], path, there[0]))
        elif len(names) > 1:
            rule = f"a column {' or '.join(names)}, and value"
            got = ", ".join(table.names[:8])
            raise ValueError(f"{path.name} must have {rule}, got {got}")
    if not table.noise_names:
        rule, got = "a column value", ", ".join(table.names[:8])
        raise ValueError(f"{path.name} must have {rule}, got {got}")
    shape = [int(axis.max()) + 1 for axis in axes]
    array = np.full(shape, np.nan)
    array[tuple(axes)] = table.noise[:, 0]
    if len(table) != array.size or np.isnan(array).any():
        size = " x ".join(map(str, shape))
        rule = f"a row for each of {size} elements"
        raise ValueError(f"{path.name} must have {rule}, got {len(table)}")
    return array


def _counted(cells: list[object], path: Path, name: str) -> np.ndarray:
    """Give a column that counts from 0 or 1, from 0."""
    numbers = [whole_number(cell) for cell in cells]
    wrong = [row for row, n in enumerate(numbers) if n is None or n < 0]
    if wrong:
        where = f"{name} in row {wrong[0] + 1} of {path.name}"
        got = repr(cells[wrong[0]])
        raise ValueError(f"{where} must be a whole number from 0, got {got}")
    found = np.array(numbers, np.int64)
    return found - (1 if found.min() == 1 else 0)
