"""A population's responses from whatever holds them."""

from dataclasses import replace
from pathlib import Path

from .brainio import WINDOW_MS, read_brainio
from .files import load_recording
from .population import PopulationRecording
from .population_arrays import read_arrays
from .population_of_cells import FRAMES, of_recording
from .recording import RecordingError
from .stimulus_set import read_stimulus_set


def load_population(
    path: str | Path,
    stimuli: str | Path | None = None,
    width_deg: float | None = None,
    window_ms: tuple[float, float] = WINDOW_MS,
    frames: int = FRAMES,
) -> PopulationRecording:
    """Read responses of a population of units to pictures or movies.

    Parameters
    ----------
    path
        Arrays (.npz), a NetCDF file in BrainIO's layout (.nc), or a recording of cells
        that `load_recording` reads, whose test segments are taken as movies.
    stimuli
        A stimulus set in BrainIO's layout (.csv, pictures beside it) for objects and
        pictures.
    width_deg
        Visual angle across a picture, where the file does not say it; where it does,
        that stays, with a note.
    window_ms
        From when to when responses are averaged in files with time bins.
    frames
        Of a movie, of a recording of cells.

    Raises
    ------
    RecordingError
        If it is none of these, or breaks a rule; one sentence says which.
    ModuleNotFoundError
        If a package that reads the file is not installed.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> folder = tempfile.TemporaryDirectory()
    >>> file = Path(folder.name) / "cells.npz"
    >>> np.savez(file, responses=np.ones((4, 30, 5)))  # repeats, stimuli, units
    >>> found = load_population(file)
    >>> found.n_repeats, len(found.stimuli), found.units[0]
    (4, 30, 'unit-0')
    >>> folder.cleanup()
    """
    path = Path(path)
    table = None if stimuli is None else Path(stimuli)
    if path.suffix in (".nc", ".nc4", ".netcdf") and path.is_file():
        return read_brainio(path, table, width_deg, window_ms)
    if path.suffix == ".npz" and path.is_file():
        found = _with_stimuli(read_arrays(path), table)
    elif path.is_dir() or (path.suffix == ".nwb" and path.is_file()):
        found = of_recording(load_recording(path), frames)
    else:
        rule = "arrays (.npz), a NetCDF file (.nc) or a recording of cells"
        raise RecordingError(f"a population must be {rule}, got {str(path)!r}")
    if width_deg is None or found.pictures is None:
        return found
    n_px = found.pictures.shape[-1]
    if found.deg_per_px is None:
        return replace(found, deg_per_px=width_deg / n_px)
    own = found.deg_per_px * n_px
    note = f"its pictures are {own:g} degrees wide, as it says, and not {width_deg:g}"
    return replace(found, notes=(*found.notes, note))


def _with_stimuli(
    recording: PopulationRecording, table: Path | None
) -> PopulationRecording:
    if table is None:
        return recording
    found = read_stimulus_set(table, recording.stimuli)
    return replace(
        recording,
        objects=recording.objects or found.objects,
        pictures=found.pictures if recording.pictures is None else recording.pictures,
    )
