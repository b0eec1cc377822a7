"""Recordings in Neurodata Without Borders (NWB) files [1]_, read with pynwb.

What is read: the spike times in `units`, frames in `stimulus`, and the rows of `trials`
or `epochs` as segments; docs/recordings.md says every column.

References
----------
.. [1] Ruebel et al. (2022), The Neurodata Without Borders ecosystem for
   neurophysiological data science. eLife 11, e78362.
"""

import math
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ..protocols.checks import suggestion
from .nwb_stimulus import Presentation, presentation
from .recording import BACKGROUND, USES, Recording, RecordingError, Segment
from .spike_times import counts_in_steps

NO_PACKAGE = 'NWB files need pynwb: pip install "yoked[nwb]"'
SAME_DURATION = 0.01  # of frames of two stimuli
_EXACT_S = 1e-6  # times of a file are not compared more closely


@dataclass(frozen=True)
class _Row:
    """An interval in which something was shown."""

    place: int
    start_s: float
    stop_s: float
    use: str
    repeat: int
    stimulus: str | None


@dataclass(frozen=True)
class _Cell:
    """A unit: its spikes in order, and when it was observed, if that is known."""

    name: str
    times_s: np.ndarray
    observed_s: np.ndarray | None  # (interval, 2)


def load_nwb(path: Path, step_ms: float | None = None) -> Recording:
    """Read a recording from an NWB file.

    Parameters
    ----------
    step_ms
        Duration of a step; by default the one next to 1 ms of which a frame has a whole
        number.

    Raises
    ------
    RecordingError
        If the file is no NWB file, lacks something that is needed, or its parts do not
        go together.
    ModuleNotFoundError
        If pynwb is not installed.
    """
    if step_ms is not None and not 0 < step_ms < math.inf:
        raise RecordingError(f"step_ms must be more than 0, got {step_ms:g}")
    with _opened(path) as file:
        cells, series = _cells(file), dict(file.stimulus)
        if not series:
            rule = "a stimulus in nwb.stimulus"
            raise RecordingError(f"a recording must have {rule}, got none")
        rows = _rows(file, list(series))
        _check_observed(cells, rows)
        used = sorted({row.stimulus for row in rows if row.stimulus is not None})
        shown = {name: presentation(series[name]) for name in used}
        frame_ms = _frame_ms(shown)
        if step_ms is None:
            step_ms = frame_ms / max(1, round(frame_ms))
        segments = [_segment(each, cells, shown, step_ms) for each in _repeated(rows)]
    return _recording(path.stem, cells, segments, step_ms, frame_ms)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        import pynwb
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(NO_PACKAGE, name="pynwb") from error
    with ExitStack() as stack:
        # Files that other versions wrote are read, with warnings.
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        try:
            opened = stack.enter_context(pynwb.NWBHDF5IO(path=str(path), mode="r"))
            file = opened.read()
        except Exception as error:  # h5py and hdmf raise many kinds
            first = str(error).partition("\n")[0]
            raise RecordingError(
                f"{path.name} must be an NWB file, got {first}"
            ) from error
        yield file


def _cells(file: Any) -> list[_Cell]:
    units = file.units
    columns = () if units is None else units.colnames
    if units is None or "spike_times" not in columns:
        got = "no units" if units is None else f"units with {', '.join(columns)}"
        raise RecordingError(f"a recording must have units with spike_times, got {got}")
    n = len(units)
    names = [f"unit-{each}" for each in units.id[:]]
    if "unit_name" in columns:
        given = [_text(units["unit_name"][k]) for k in range(n)]
        names = given if len(set(given)) == n else names
    observed = "obs_intervals" in columns
    return [
        _Cell(
            names[k],
            np.sort(np.asarray(units["spike_times"][k], dtype=np.float64)),
            np.asarray(units["obs_intervals"][k], float) if observed else None,
        )
        for k in range(n)
    ]


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _rows(file: Any, stimuli: list[str]) -> list[_Row]:
    """Read the intervals in their order in time."""
    table = file.trials if file.trials is not None else file.epochs
    if table is None:
        rule = "trials or epochs, whose rows are segments"
        raise RecordingError(f"a recording must have {rule}, got neither")
    columns, rows = table.colnames, []
    for k in range(len(table)):
        value = {
            name: table[name][k]
            for name in ("start_time", "stop_time", "use", "repeat", "stimulus")
            if name in columns
        }
        use = _text(value.get("use", "fit"))
        if not use:
            continue
        if use not in USES:
            near = suggestion(use, USES)
            rule = f"one of {', '.join(USES)}, or empty"
            raise RecordingError(f"use of row {k} must be {rule}, got {use!r}{near}")
        start_s, stop_s = float(value["start_time"]), float(value["stop_time"])
        if not -math.inf < start_s < stop_s < math.inf:
            rule, got = "after its start", f"{start_s:g} to {stop_s:g} s"
            raise RecordingError(f"row {k} must stop {rule}, got {got}")
        repeat, stimulus = _repeat(k, value), _stimulus(k, value, stimuli)
        rows.append(_Row(k, start_s, stop_s, use, repeat, stimulus))
    rows.sort(key=lambda row: row.start_s)
    for one, other in pairwise(rows):
        if other.start_s < one.stop_s - _EXACT_S:
            got = f"row {other.place} from {other.start_s:g} s in row {one.place}"
            raise RecordingError(f"segments must not overlap, got {got}")
    return rows


def _repeat(row: int, value: dict[str, Any]) -> int:
    found = float(value.get("repeat", 0))
    found = 0.0 if math.isnan(found) else found
    if found < 0 or found != int(found):
        rule = "a whole number from 0"
        raise RecordingError(f"repeat of row {row} must be {rule}, got {found:g}")
    return int(found)


def _stimulus(row: int, value: dict[str, Any], stimuli: list[str]) -> str | None:
    """Give the name of the stimulus; None where it is said to be unknown."""
    names = ", ".join(stimuli)
    if "stimulus" not in value:
        if len(stimuli) > 1:
            rule = f"named in a column stimulus where there are several, {names}"
            raise RecordingError(f"a stimulus must be {rule}, got no such column")
        return stimuli[0]
    name = _text(value["stimulus"])
    if name and name not in stimuli:
        near = suggestion(name, stimuli)
        rule = f"one of {names}, or empty"
        raise RecordingError(
            f"stimulus of row {row} must be {rule}, got {name!r}{near}"
        )
    return name or None


def _check_observed(cells: list[_Cell], rows: list[_Row]) -> None:
    """Refuse segments in which a unit was not observed: it would seem silent there."""
    for cell in cells:
        if cell.observed_s is None:
            continue
        first, last = cell.observed_s[:, 0] - _EXACT_S, cell.observed_s[:, 1] + _EXACT_S
        for row in rows:
            if not ((first <= row.start_s) & (row.stop_s <= last)).any():
                rule = "in one of the obs_intervals of every unit"
                got = f"{row.start_s:g} to {row.stop_s:g} s, which {cell.name} has not"
                raise RecordingError(f"row {row.place} must be {rule}, got {got}")


def _frame_ms(shown: dict[str, Presentation]) -> float:
    """Give how long a frame stays, in all stimuli that are shown."""
    if not shown:
        rule = "one row or more with a stimulus"
        raise RecordingError(f"a recording must have {rule}, got none")
    found = [each.frame_ms for each in shown.values()]
    if max(found) > min(found) * (1 + SAME_DURATION):
        got = ", ".join(
            f"{each.frame_ms:.4g} ms in {each.name}" for each in shown.values()
        )
        raise RecordingError(f"frames must stay equally long in all stimuli, got {got}")
    return found[0]


def _repeated(rows: list[_Row]) -> list[list[_Row]]:
    """Put rows together that are repeats of one segment."""
    found: list[list[_Row]] = []
    current: dict[tuple[str, str | None], list[_Row]] = {}
    for row in rows:
        key = (row.use, row.stimulus)
        if row.repeat == 0:
            current[key] = []
            found.append(current[key])
        expected = len(current.get(key, []))
        if row.repeat != expected:
            rule = "numbered 0, 1, 2 and so on in their order"
            got = f"{row.repeat} in row {row.place} instead of {expected}"
            raise RecordingError(f"repeats must be {rule}, got {got}")
        current[key].append(row)
    return found


def _segment(
    rows: list[_Row],
    cells: list[_Cell],
    shown: dict[str, Presentation],
    step_ms: float,
) -> Segment:
    """Make a segment of its repeats, whose clock is that of the first."""
    first = rows[0]
    n_steps = [_n_steps(row, step_ms) for row in rows]
    frame_ms = next(iter(shown.values())).frame_ms
    if (max(n_steps) - min(n_steps)) * step_ms > frame_ms:
        rule, at = "equally long, to within a frame", f"row {first.place}"
        got = f"{min(n_steps) * step_ms:g} to {max(n_steps) * step_ms:g} ms"
        raise RecordingError(f"repeats from {at} on must be {rule}, got {got}")
    n = min(n_steps)
    counts = np.zeros((len(rows), n, len(cells)), np.uint8)
    for r, row in enumerate(rows):
        for c, cell in enumerate(cells):
            near = np.searchsorted(cell.times_s, [row.start_s - 1, row.stop_s + 1])
            times = cell.times_s[near[0] : near[1]]
            counts[r, :, c], _ = counts_in_steps(times, n, step_ms, row.start_s)
    if first.stimulus is None:
        return Segment(first.use, counts)
    stimulus = shown[first.stimulus]
    clock = stimulus.clock(n, step_ms, first.start_s)
    seen = clock[clock != BACKGROUND]
    if not len(seen):
        rule = f"frames of {stimulus.name}"
        got = f"none from {first.start_s:g} to {first.stop_s:g} s"
        raise RecordingError(f"row {first.place} must have {rule}, got {got}")
    begin, end = int(seen.min()), int(seen.max()) + 1
    frames = stimulus.frames(begin, end)
    for row in rows[1:]:
        _check_same(stimulus, frames, begin, first, row)
    clock = np.where(clock == BACKGROUND, BACKGROUND, clock - begin).astype(np.int32)
    return Segment(first.use, counts, frames, clock)


def _n_steps(row: _Row, step_ms: float) -> int:
    n_steps = math.floor((row.stop_s - row.start_s) * 1000 / step_ms + _EXACT_S)
    if n_steps < 1:
        rule, got = f"a step of {step_ms:g} ms or longer", row.stop_s - row.start_s
        raise RecordingError(f"row {row.place} must be {rule}, got {got:g} s")
    return n_steps


def _check_same(
    stimulus: Presentation, frames: np.ndarray, begin: int, first: _Row, row: _Row
) -> None:
    """Refuse a repeat that did not show the same frames at the same times."""
    onset_s = stimulus.onset_s
    wanted = onset_s[begin : begin + len(frames)] - first.start_s + row.start_s
    at = int(np.argmin(np.abs(onset_s - wanted[0])))
    found = onset_s[at : at + len(frames)]
    in_time = len(found) == len(wanted) and (
        np.abs(found - wanted).max() <= stimulus.frame_ms / 2000
    )
    if not in_time or not np.array_equal(stimulus.frames(at, at + len(frames)), frames):
        rule = f"show the frames of row {first.place} at the same times"
        raise RecordingError(f"row {row.place} must {rule}, got others")


def _recording(
    name: str,
    cells: list[_Cell],
    segments: list[Segment],
    step_ms: float,
    frame_ms: float,
) -> Recording:
    notes = []
    n_spikes = sum(len(cell.times_s) for cell in cells)
    n_counted = sum(int(segment.counts.sum()) for segment in segments)
    if n_counted < n_spikes:
        notes.append(
            f"of the {n_spikes} spikes of all units, {n_spikes - n_counted} are in no "
            "segment and are not counted"
        )
    frames = [s.frames for s in segments if s.frames is not None]
    background = float(np.mean([each.mean(dtype=np.float64) for each in frames]))
    clocks = [s.frame_of_step for s in segments if s.frame_of_step is not None]
    if any((clock == BACKGROUND).any() for clock in clocks):
        notes.append(
            f"where no frame was shown, the stimulus is the mean of its frames, "
            f"{background:.4g}"
        )
    return Recording(
        name,
        step_ms,
        frame_ms,
        tuple(cell.name for cell in cells),
        tuple(segments),
        background=background,
        notes=tuple(notes),
    )
