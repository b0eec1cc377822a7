"""A recording from whatever holds it, checked."""

from pathlib import Path

from .mahuas2020 import NON_REPEATED, load_mahuas2020
from .nwb import load_nwb
from .plain import HEAD, read_plain
from .problems import check
from .recording import Recording, RecordingError


def load_recording(
    path: str | Path, step_ms: float | None = None, cells: tuple[str, ...] = ()
) -> Recording:
    """Read a recording and check it.

    Parameters
    ----------
    path
        A folder with `recording.toml` (the plain format), a folder with the files of
        mahuas2020, or an NWB file.
    step_ms
        Duration of a step, of an NWB file alone, which has none: see `load_nwb`.
    cells
        Only these, in their order; all unless told otherwise. Others are not checked.

    Raises
    ------
    RecordingError
        If it is none of these, breaks a rule, or has problems; a line for each.
    ModuleNotFoundError
        If it is an NWB file and pynwb is not installed.

    Examples
    --------
    >>> load_recording("cells.csv")
    Traceback (most recent call last):
    ...
    yoked.experiments.recordings.recording.RecordingError: a recording must be a folder
    with recording.toml, a folder with the files of mahuas2020, or an NWB file (.nwb),
    got 'cells.csv'
    """
    recording = _read(Path(path), step_ms)
    recording = recording.only(tuple(cells)) if cells else recording
    check(recording)
    return recording


def _read(path: Path, step_ms: float | None) -> Recording:
    if path.suffix == ".nwb" and path.is_file():
        return load_nwb(path, step_ms)
    if step_ms is not None:
        rule = "left out where a recording has its own"
        raise RecordingError(f"step_ms must be {rule}, got {step_ms:g}")
    if (path / HEAD).is_file():
        return read_plain(path)
    if (path / NON_REPEATED).is_file():
        return load_mahuas2020(path)
    folders = f"a folder with {HEAD}, a folder with the files of mahuas2020"
    rule = f"{folders}, or an NWB file (.nwb)"
    raise RecordingError(f"a recording must be {rule}, got {str(path)!r}")
