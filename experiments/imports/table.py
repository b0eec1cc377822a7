"""Anybody's noise-masked trials as sessions: a table, and the noise that was shown.

The format is in docs/importing.md. Table and noise are checked to the last row before
anything is written, and all sessions are written in one transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..protocols.parts import (
    Block,
    Contrast,
    Display,
    DoublePass,
    Noise,
    Signal,
    Timing,
)
from ..protocols.protocol import Protocol
from ..protocols.signal import plain_signal
from ..stimulus.sources import StoredNoise
from ..store.rows import ObserverInfo
from ..store.sqlite import open_store
from .same_trials import Imported, require_new, withdraw_import
from .sessions import write_trials
from .table_arrange import arranged
from .table_arrays import load_array
from .table_file import TrialFile, read_trials
from .table_noise import (
    NoiseMeasures,
    measured,
    noise_fields,
    noise_of_columns,
    scaled,
)
from .table_notes import about_signal, about_target, left_over, unread, wanted_columns
from .table_rows import ObserverRows, observer_rows
from .table_settings import Shape, TableSettings

_SD_TOLERANCE = 0.1  # of a declared SD, relative
_PERCENT = 100.0


@dataclass(frozen=True)
class TableSession:
    """One observer of an imported table, as it was written.

    Attributes
    ----------
    session
        Its id.
    observer
        Name of the observer.
    protocol
        Name of the protocol.
    n_trials, n_pairs, n_missing
        Trials; those that repeat another; those without a response.
    noise_sd
        SD of the noise as it was shown, in contrast.
    notes
        What the analysis should know, a sentence each.
    """

    session: str
    observer: str
    protocol: str
    n_trials: int
    n_pairs: int
    n_missing: int
    noise_sd: float
    notes: tuple[str, ...]


def import_table(
    trials: str | Path,
    db_path: str | Path,
    settings: TableSettings,
    replace_sessions: Sequence[str] = (),
) -> list[TableSession]:
    r"""Write the observers of a table into a database, as finished sessions.

    Parameters
    ----------
    trials
        The table, as docs/importing.md describes: a text, Parquet, Excel, R or MATLAB.
    db_path
        The trial log; made if there is none.
    settings
        Where the noise is, and what the table does not say.
    replace_sessions
        Ids of imports that were read wrongly: they are withdrawn, and what is written
        takes their place.

    Returns
    -------
    list
        One session for each observer, in the order in which they come in the table.

    Raises
    ------
    FileNotFoundError
        If a file is missing.
    LookupError
        If a session to be replaced is not in the database.
    ModuleNotFoundError
        If a package is missing that the file's format needs.
    ValueError
        If table or noise are not as they must be, or are in the database already; one
        sentence. Nothing is written then.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> rng = np.random.default_rng(1)
    >>> noise = rng.normal(0, 0.2, (40, 5))  # (stimulus, element)
    >>> rows = ["target,response", *(f"{i % 2},{i % 2}" for i in range(40))]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = Path(folder, "ann.csv")
    ...     _ = table.write_text("\n".join(rows), encoding="utf-8")
    ...     settings = TableSettings("yes_no", noise=noise)
    ...     (found,) = import_table(table, Path(folder, "results.db"), settings)
    >>> found.observer, found.n_trials
    ('ann', 40)
    """
    return write_understood(understood(trials, settings), db_path, replace_sessions)


def write_understood(
    found: "Understood", db_path: str | Path, replace_sessions: Sequence[str] = ()
) -> list[TableSession]:
    """Write the observers of a checked table, all or none; as `import_table`."""
    table, fields, settings = found.table, found.fields, found.settings
    store = open_store(db_path)
    try:
        with store.transaction():
            for session in replace_sessions:
                withdraw_import(store, session)
            sha256 = store.add_noise(fields)
            noise_shown = StoredNoise(store.noise(sha256))
            news = [
                _imported(table, settings, noise_shown, each)
                for each in found.observers
            ]
            shared = require_new(store, news, f"{StoredNoise.name}:{sha256}")
            written = []
            for each, same in zip(found.observers, shared, strict=True):
                protocol = found.protocol(each)
                made = TableSession(
                    session="",
                    observer=each.observer,
                    protocol=protocol.name,
                    n_trials=len(each.trials),
                    n_pairs=each.n_pairs,
                    n_missing=each.n_missing,
                    noise_sd=found.measures.sd,
                    notes=(*found.notes_of(each), *same),
                )
                event = _event(table, settings, made)
                session = write_trials(
                    store,
                    protocol,
                    ObserverInfo("person", each.observer),
                    each.trials,
                    event,
                    sha256,
                )
                written.append(replace(made, session=session))
        return written
    finally:
        store.close()


@dataclass(frozen=True, eq=False)
class Understood:
    """A table and its noise, checked to the last row.

    Attributes
    ----------
    table, settings
        A row for each trial, however the file had them, and how that is read.
    fields
        The noise, (stimulus, interval, frame, row, column), in contrast or levels.
    measures
        What the noise is like.
    noise, signal
        As a protocol describes them.
    observers
        The trials of each observer.
    notes
        What the analysis should know, of all observers.
    """

    table: TrialFile
    settings: TableSettings
    fields: np.ndarray
    measures: NoiseMeasures
    noise: Noise
    signal: Signal
    observers: list[ObserverRows]
    notes: tuple[str, ...]

    def protocol(self, rows: ObserverRows) -> Protocol:
        """Describe what one observer was shown."""
        return _protocol(self.table, self.settings, self.noise, self.signal, rows)

    def notes_of(self, rows: ObserverRows) -> tuple[str, ...]:
        """Say what the analysis of one observer should know."""
        left_in = about_signal(self.fields, self.settings, rows)
        return (*self.notes, *rows.notes, *left_in)


def understood(trials: str | Path, settings: TableSettings) -> Understood:
    """Read and check a table with its noise; nothing is written.

    Raises
    ------
    FileNotFoundError
        If a file is missing.
    ModuleNotFoundError
        If a package is missing that the file's format needs.
    ValueError
        If table or noise are not as they must be; one sentence.
    """
    table = read_trials(
        trials,
        wanted_columns(settings),
        settings.noise_columns,
        settings.file_options,
        settings.noise_values,
    )
    headers = left_over(table.names, settings)
    table, settings = arranged(table, settings)
    return checked(table, settings, headers)


def checked(
    table: TrialFile, settings: TableSettings, headers: Sequence[str]
) -> Understood:
    """Check a table that has a row for each trial, and its noise."""
    given, settings = settings, settings.for_table(table.names)
    fields = _fields(table, settings)
    measures = _measured(fields)
    grid = (fields.shape[2], fields.shape[3], fields.shape[4])
    signal = _signal(settings, grid)
    observers = observer_rows(table, settings, fields, plain_signal(signal))
    noise = Noise(settings.noise_kind, _sd(settings, measures), grid, "stored")
    notes = (
        *table.notes,
        *about_target(given, settings),
        *measures.notes(settings.noise_kind),
        *unread(table, headers, settings),
    )
    found = Understood(
        table, settings, fields, measures, noise, signal, observers, notes
    )
    for each in observers:
        found.protocol(each)  # which checks it
    return found


def _measured(fields: np.ndarray) -> NoiseMeasures:
    """Measure the noise; of noise that is no contrast, say what it looks like."""
    try:
        return measured(fields)
    except ValueError as error:
        largest = float(np.abs(fields).max()) if fields.dtype.kind == "f" else 0.0
        if not 1 < largest <= _PERCENT:
            raise
        hint = "this looks like percent: --contrast-scale 0.01"
        raise ValueError(f"{error}; {hint}") from None


def _imported(
    table: TrialFile, settings: TableSettings, noise: StoredNoise, rows: ObserverRows
) -> Imported:
    """Give an observer's trials to be compared with those in the log."""
    is_named = settings.columns.get("observer", "observer") in table.names
    is_named = is_named or settings.observer is not None
    n_intervals = settings.responses.n_intervals
    return Imported.of(rows.observer, is_named, noise, n_intervals, rows.trials)


def _fields(table: TrialFile, settings: TableSettings) -> np.ndarray:
    """Give the noise, (stimulus, interval, frame, row, column), scaled."""
    n_intervals = settings.responses.n_intervals
    if settings.noise_columns is not None:
        n_fields = 1 if settings.is_side_by_side else n_intervals
        array = noise_of_columns(table, settings.noise_columns, n_fields)
    else:
        assert settings.noise is not None
        array = load_array(settings.noise, "noise")
    beside = settings.is_side_by_side
    if beside and array.ndim == 3 and settings.shape is None:
        array = array[:, None, None]  # fields of rows and columns
    fields = noise_fields(array, n_intervals, settings.shape, beside)
    return scaled(fields, settings.contrast_scale)


def _protocol(
    table: TrialFile,
    settings: TableSettings,
    noise: Noise,
    signal: Signal,
    rows: ObserverRows,
) -> Protocol:
    """Describe what one observer was shown."""
    if noise.grid[0] > 1 and settings.frame_ms is None:
        rule = f"given for noise of {noise.grid[0]} frames"
        raise ValueError(f"frame_ms must be {rule}, got none")
    name = settings.name or Path(table.name).stem
    unit = "relative" if rows.is_contrast_relative else "contrast"
    return Protocol(
        name=name,
        title=f"Imported: {name}",
        task=settings.responses,
        display=Display(float(settings.deg_per_element)),
        noise=noise,
        signal=signal,
        contrast=Contrast(rows.contrasts, keep_correct=(0.0, 1.0), unit=unit),
        blocks=tuple(Block("main", n) for n in rows.block_sizes),
        timing=Timing(frame_ms=float(settings.frame_ms or 0.0)),
        double_pass=DoublePass(rows.n_pairs, min_gap=1),
    )


def _sd(settings: TableSettings, measures: NoiseMeasures) -> float:
    """Give the nominal SD, which the noise must have, or the noise's own."""
    if settings.noise_sd is None:
        return float(f"{measures.sd:.3g}")
    nominal = float(settings.noise_sd)
    if not abs(nominal - measures.sd) <= _SD_TOLERANCE * measures.sd:
        rule = f"within {_SD_TOLERANCE:.0%} of the noise's own {measures.sd:.3g}"
        raise ValueError(f"noise_sd must be {rule}, got {nominal:g}")
    return nominal


def _signal(settings: TableSettings, grid: Shape) -> Signal:
    """Give the signal's shape, scaled to a largest magnitude of 1."""
    gains = (float(settings.gains[0]), float(settings.gains[1]))
    if settings.signal is None:
        return Signal("unknown", gains)
    array = load_array(settings.signal, "signal")
    if array.shape != grid and array.shape != (int(np.prod(grid)),):
        array = _without_ones(array, grid)
    if not np.issubdtype(array.dtype, np.number) or not np.isfinite(array).all():
        raise ValueError(f"signal must be finite numbers, got {array.dtype}")
    values = np.asarray(array, np.float64).ravel()
    largest = np.abs(values).max()
    if largest == 0:
        raise ValueError("signal must not be 0 everywhere, got nothing else")
    return Signal("array", gains, values=tuple(np.round(values / largest, 9).tolist()))


def _without_ones(array: np.ndarray, grid: Shape) -> np.ndarray:
    """Take an array that leaves out axes of length 1, or has more of them."""
    if tuple(n for n in array.shape if n > 1) != tuple(n for n in grid if n > 1):
        size = "x".join(map(str, grid))
        raise ValueError(f"signal must be of the noise's {size}, got {array.shape}")
    return array.reshape(grid)


def _event(
    table: TrialFile, settings: TableSettings, made: TableSession
) -> dict[str, object]:
    """Give what the log keeps of how the table was read."""
    noise, signal = (
        source.name if isinstance(source, Path) else source
        for source in (settings.noise, settings.signal)
    )
    return {
        "file": table.name,
        "sha256": table.sha256,
        "columns": dict(settings.columns),
        "noise": noise if isinstance(noise, str) else settings.noise_columns,
        "signal": signal if isinstance(signal, str) else None,
        "contrast_scale": settings.contrast_scale,
        "noise_sd": made.noise_sd,
        "notes": list(made.notes),
    }
