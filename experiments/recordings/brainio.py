"""A population's responses from NetCDF files in BrainIO's layout.

An assembly is one variable of the dimensions presentation x neuroid, or also time_bin;
everything else is a coordinate along one of them. A row is one presentation of a
stimulus, named by `stimulus_id` (`image_id` in older files). A stimulus set is a table
(.csv) with a row for each stimulus, its pictures in a folder or a ZIP archive beside
it. Layouts are those of Brain-Score's data tutorial and packaging [1]_.

References
----------
.. [1] https://github.com/brain-score/brainio: its specification and
   brainio/packaging.py
"""

from pathlib import Path
from typing import Any

import numpy as np

from .population import PopulationRecording
from .recording import RecordingError
from .stimulus_set import StimulusSet, read_stimulus_set

NO_XARRAY = 'NetCDF files need xarray and h5netcdf: pip install "yoked[brain]"'
WINDOW_MS = (70.0, 170.0)  # of the responses in IT and V4 (Majaj et al. 2015)
STIMULUS = ("stimulus_id", "image_id")
UNIT = ("neuroid_id",)
SUBJECT = ("animal", "subject", "monkey")
DIMENSIONS = ({"presentation", "neuroid"}, {"presentation", "neuroid", "time_bin"})


def read_brainio(
    path: Path,
    stimuli: Path | None = None,
    width_deg: float | None = None,
    window_ms: tuple[float, float] = WINDOW_MS,
) -> PopulationRecording:
    """Read a population's responses from an assembly.

    Parameters
    ----------
    stimuli
        The table of the stimulus set, if pictures or objects are wanted of it.
    width_deg
        Visual angle across a picture.
    window_ms
        From when to when responses are averaged, where there are time bins: over those
        that lie in it as a whole.

    Raises
    ------
    RecordingError
        If the file is not in this layout, or no time bin is in the window.
    ModuleNotFoundError
        If xarray or h5netcdf is not installed.
    """
    values, coords, dims = _assembly(path)
    if set(dims) not in DIMENSIONS:
        rule = "presentation, neuroid and perhaps time_bin"
        got = ", ".join(dims)
        raise RecordingError(f"dimensions of {path.name} must be {rule}, got {got}")
    rows = np.moveaxis(
        values, [dims.index("presentation"), dims.index("neuroid")], (0, 1)
    )
    notes = []
    if rows.ndim == 3:
        rows, note = _in_window(rows, coords["time_bin"], window_ms)
        notes.append(note)
    shown, cells = coords["presentation"], coords["neuroid"]
    names = _texts(shown, STIMULUS, path)
    units = _texts(cells, UNIT, path)
    order = tuple(dict.fromkeys(names))
    responses, note = _by_repeat(rows, names, order, shown.get("repetition"))
    notes += [note] if note else []
    table = None if stimuli is None else read_stimulus_set(stimuli, order)
    return PopulationRecording(
        name=path.stem,
        responses=responses,
        stimuli=order,
        units=_unique(units),
        objects=_objects(shown, names, order, table),
        regions=_optional(cells, ("region",)),
        subjects=_optional(cells, SUBJECT),
        pictures=None if table is None else table.pictures,
        deg_per_px=_deg_per_px(table, width_deg),
        notes=tuple(notes),
    )


def _assembly(
    path: Path,
) -> tuple[np.ndarray, dict[str, dict[str, np.ndarray]], tuple[str, ...]]:
    """Return the values, the coordinates of each dimension, and the dimensions."""
    try:
        import h5netcdf  # noqa: F401  # what xarray reads the file with
        import xarray
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(NO_XARRAY, name=error.name) from error
    try:
        with xarray.open_dataset(path, engine="h5netcdf") as opened:
            file: Any = opened.load()
    except Exception as error:  # h5py and xarray raise many kinds
        first = str(error).partition("\n")[0]
        raise RecordingError(
            f"{path.name} must be a NetCDF-4 file, got {first}"
        ) from error
    wide = [name for name, each in file.variables.items() if each.ndim >= 2]
    if len(wide) != 1:
        got = ", ".join(map(str, wide)) or "none"
        rule = "one variable of presentations and neuroids"
        raise RecordingError(f"{path.name} must have {rule}, got {got}")
    data = file.variables[wide[0]]
    dims = tuple(map(str, data.dims))
    coords: dict[str, dict[str, np.ndarray]] = {dim: {} for dim in dims}
    for name, each in file.variables.items():
        if each.ndim == 1 and str(each.dims[0]) in coords:
            # Old files have a level that was an index under its name and "_".
            coords[str(each.dims[0])][str(name).rstrip("_")] = np.asarray(each.values)
    return np.asarray(data.values, dtype=np.float64), coords, dims


def _in_window(
    rows: np.ndarray, bins: dict[str, np.ndarray], window_ms: tuple[float, float]
) -> tuple[np.ndarray, str]:
    """Average the time bins within the window; a single bin is taken as it is."""
    if rows.shape[2] == 1:
        return rows[:, :, 0], "the only time bin of the file was taken"
    if not {"time_bin_start", "time_bin_end"} <= set(bins):
        got = ", ".join(bins) or "none"
        rule = "time_bin_start and time_bin_end, in ms"
        raise RecordingError(f"coordinates of time_bin must be {rule}, got {got}")
    start, end = (bins[f"time_bin_{name}"].astype(float) for name in ("start", "end"))
    low, high = window_ms
    inside = (start >= low - 1e-6) & (end <= high + 1e-6)
    if not inside.any():
        got = f"bins from {start.min():g} to {end.max():g} ms"
        rule = f"one or more within {low:g} to {high:g} ms"
        raise RecordingError(f"time bins must be {rule}, got {got}")
    n = int(inside.sum())
    note = f"responses are means of {n} time bins within {low:g} to {high:g} ms"
    return rows[:, :, inside].mean(axis=2), note


def _by_repeat(
    rows: np.ndarray,
    names: tuple[str, ...],
    order: tuple[str, ...],
    repetition: np.ndarray | None,
) -> tuple[np.ndarray, str | None]:
    """Return (repeat, stimulus, unit), NaN where a repeat is missing."""
    place = {name: k for k, name in enumerate(order)}
    stimulus = np.array([place[name] for name in names])
    note = None
    repeat = _in_order(stimulus)
    if repetition is not None:
        named = np.unique(repetition, return_inverse=True)[1]
        pairs = set(zip(stimulus.tolist(), named.tolist(), strict=True))
        if len(pairs) < len(stimulus):
            note = "repetition names some presentations twice: they are in their order"
        else:
            repeat = named
    made = np.full((int(repeat.max()) + 1, len(order), rows.shape[1]), np.nan)
    made[repeat, stimulus] = rows
    return made, note


def _in_order(stimulus: np.ndarray) -> np.ndarray:
    """Return how often the stimulus of each presentation was shown before."""
    seen: dict[int, int] = {}
    repeat = np.zeros(len(stimulus), int)
    for row, each in enumerate(stimulus.tolist()):
        repeat[row] = seen.get(each, 0)
        seen[each] = repeat[row] + 1
    return repeat


def _texts(
    coords: dict[str, np.ndarray], names: tuple[str, ...], path: Path
) -> tuple[str, ...]:
    found = _optional(coords, names)
    if found is None:
        got = ", ".join(coords) or "none"
        rule = f"{' or '.join(names)}"
        raise RecordingError(f"coordinates of {path.name} must have {rule}, got {got}")
    return found


def _optional(
    coords: dict[str, np.ndarray], names: tuple[str, ...]
) -> tuple[str, ...] | None:
    for name in names:
        if name in coords:
            return tuple(map(_text, coords[name].tolist()))
    return None


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _unique(units: tuple[str, ...]) -> tuple[str, ...]:
    """Number units whose names are not unique, as those of two animals may be."""
    if len(set(units)) == len(units):
        return units
    return tuple(f"{name}-{k}" for k, name in enumerate(units))


def _objects(
    shown: dict[str, np.ndarray],
    names: tuple[str, ...],
    order: tuple[str, ...],
    table: StimulusSet | None,
) -> tuple[str, ...] | None:
    """Return what each stimulus shows, of the file or else of the stimulus set."""
    found = _optional(shown, ("object_name",))
    if found is None:
        return None if table is None else table.objects
    by_name = dict(zip(reversed(names), reversed(found), strict=True))
    return tuple(by_name[name] for name in order)


def _deg_per_px(table: StimulusSet | None, width_deg: float | None) -> float | None:
    if table is None or table.pictures is None or width_deg is None:
        return None
    return width_deg / table.pictures.shape[-1]
