"""The recording of Mahuas et al. (2020): six ganglion cells, random bars, 50 minutes.

Files of the public repository gmahuas/2stepGLM at commit 7478ad3 (MIT): 50 segments of
36 s that were shown once, 54 repeats of a segment whose stimulus was not published, and
a test recording, 54 repeats with their stimulus. Steps of 1.667 ms; a frame of 31 bars,
each 0 or 1, stays for ten of them.

References
----------
.. [1] Mahuas, Isacchini, Marre, Ferrari & Mora (2020), A new inference approach for
   training shallow and deep generalized linear models of noisy interacting neurons.
   NeurIPS 33.
"""

from pathlib import Path
from typing import Any

import numpy as np

from .recording import Recording, RecordingError, Segment

STEP_MS = 5 / 3
STEPS_A_FRAME = 10
NON_REPEATED = "nonrepeat_data_bars.mat"
REPEATED = "repeat_data_bars.mat"
TEST = (
    "test_data_bars.mat",
    "test_data_bars_first_half.mat",
)  # the first that is there


def load_mahuas2020(folder: Path) -> Recording:
    """Read the recording from the folder that has its files.

    Raises
    ------
    RecordingError
        If a file is not there, is no MATLAB file, or is not as published.
    """
    once = _read(folder / NON_REPEATED)
    again = _read(folder / REPEATED)
    test_file = next((f for f in TEST if (folder / f).is_file()), TEST[0])
    test = _read(folder / test_file)
    spikes, bars = _spikes(once, "spikes_train"), _array(once, "stimulus", 4)
    segments = [
        _segment("fit", spikes[..., k : k + 1], bars[..., k])
        for k in range(spikes.shape[-1])
    ]
    repeats = _spikes(again, "spikes_train").transpose(2, 1, 0)
    segments.append(Segment("repeats", np.ascontiguousarray(repeats)))
    shown = _array(test, "stimulus_test", 3)
    segments.append(_segment("test", _spikes(test, "spikes_test"), shown))
    cells = tuple(f"cell-{k + 1}" for k in range(spikes.shape[0]))
    frame_ms = STEP_MS * STEPS_A_FRAME
    return Recording("mahuas2020", STEP_MS, frame_ms, cells, tuple(segments))


def _read(file: Path) -> dict[str, Any]:
    from scipy.io import loadmat

    if not file.is_file():
        rule = "a folder with the files of mahuas2020"
        raise RecordingError(f"a recording must be {rule}, got none of {file.name}")
    try:
        return loadmat(file)
    except Exception as error:  # scipy raises many kinds on damaged files
        rule = "a whole MATLAB file"
        raise RecordingError(f"{file.name} must be {rule}, got {error}") from error


def _array(found: dict[str, Any], name: str, n_axes: int) -> np.ndarray:
    """Give a variable of a file."""
    value = found.get(name)
    if not isinstance(value, np.ndarray) or value.ndim != n_axes:
        got = "none" if value is None else f"{np.ndim(value)}"
        raise RecordingError(f"{name} must be an array of {n_axes} axes, got {got}")
    return value


def _spikes(found: dict[str, Any], name: str) -> np.ndarray:
    """Give spikes of (cell, step, repeat)."""
    return _array(found, name, 3).astype(np.uint8)


def _segment(use: str, spikes: np.ndarray, bars: np.ndarray) -> Segment:
    """Make a segment of spikes (cell, step, repeat) and bars (bar, 1, step)."""
    counts = np.ascontiguousarray(spikes.transpose(2, 1, 0))
    shown = bars.transpose(2, 1, 0).astype(np.float32)  # (step, 1, bar)
    clock = np.arange(len(shown), dtype=np.int32) // STEPS_A_FRAME
    frames = shown[::STEPS_A_FRAME]
    if not np.array_equal(frames[clock], shown):
        step = int(np.flatnonzero((frames[clock] != shown).any(axis=(1, 2)))[0])
        rule = f"the same for all {STEPS_A_FRAME} steps of a frame"
        raise RecordingError(f"the bars must be {rule}, got others at step {step}")
    return Segment(use, counts, frames, clock)
