"""A recording of cells as a population: movies before bins, spikes in them.

A bin is as long as a frame of the stimulus. A stimulus is what was shown in the last
bins up to and with this one, a movie, as cells answer to what came before; a response
is how many spikes a cell had in the bin, in each repeat.
"""

import numpy as np

from .population import InTime, PopulationRecording
from .recording import Recording, RecordingError

FRAMES = 20  # of a movie: a third of a second at 60 Hz


def of_recording(
    recording: Recording, frames: int = FRAMES, use: str = "test"
) -> PopulationRecording:
    """Give the segments of one use as movies and responses.

    Movies are (frame - background) over the largest such number in the recording, so
    that they are contrast in [-1, 1].

    Parameters
    ----------
    frames
        Of a movie. Cells of the retina remember about a third of a second.
    use
        Which segments: those for test were shown several times.

    Raises
    ------
    RecordingError
        If there is no such segment whose stimulus is known, it is shorter than a movie,
        or segments were not shown equally often.

    Examples
    --------
    >>> from yoked.experiments.recordings.recording import Segment
    >>> counts = np.ones((3, 40, 2), np.uint8)  # three repeats, two cells
    >>> shown = np.random.default_rng(1).normal(size=(10, 1, 8)).astype(np.float32)
    >>> clock = np.repeat(np.arange(10, dtype=np.int32), 4)
    >>> one = Segment("test", counts, shown, clock)
    >>> recording = Recording("made-up", 4.0, 16.0, ("a", "b"), (one,))
    >>> found = of_recording(recording, frames=5)
    >>> found.responses.shape, found.pictures.shape
    ((3, 6, 2), (6, 5, 1, 8))
    """
    if frames < 1:
        raise RecordingError(f"frames of a movie must be 1 or more, got {frames}")
    segments = recording.of(use)
    repeats = {segment.n_repeats for segment in segments}
    if len(repeats) > 1:
        got = sorted(repeats)
        raise RecordingError(f"segments must be shown equally often, got {got}")
    width = max(1, round(recording.frame_ms / recording.step_ms))
    responses, movies, names, runs = [], [], [], []
    for at, segment in enumerate(segments):
        n = segment.n_steps // width
        if n < frames:
            rule = f"{frames} frames or longer, as a movie is"
            raise RecordingError(f"a segment for {use} must be {rule}, got {n}")
        whole = segment.counts[:, : n * width].astype(np.float64)
        binned = whole.reshape(len(whole), n, width, -1).sum(axis=2)
        shown = segment.shown(recording.background)[width // 2 :: width][:n]
        windows = np.lib.stride_tricks.sliding_window_view(shown, frames, axis=0)
        responses.append(binned[:, frames - 1 :])
        movies.append(np.moveaxis(windows, -1, 1))
        names += [f"segment-{at}-bin-{k}" for k in range(frames - 1, n)]
        runs += [f"segment-{at}"] * (n - frames + 1)
    contrast = np.concatenate(movies) - np.float32(recording.background)
    largest = float(np.abs(contrast).max()) or 1.0
    return PopulationRecording(
        name=recording.name,
        responses=np.concatenate(responses, axis=1),
        stimuli=tuple(names),
        units=recording.cells,
        pictures=(contrast / np.float32(largest)).astype(np.float32),
        frame_ms=recording.frame_ms,
        in_time=InTime(tuple(runs), frames - 1),
        notes=(
            f"stimuli are movies of {frames} frames that overlap: tenths in time are "
            "held out, and what shares frames with them is not fitted to",
        ),
    )
