"""Cells that are linear and then nonlinear, simulated frame by frame in NumPy."""

import numpy as np

from yoked.experiments.recordings.recording import Recording, Segment

STEP_MS, STEPS_A_FRAME = 4.0, 5
FRAME_MS = STEP_MS * STEPS_A_FRAME
CELLS = ("on-1", "off-1", "on-2", "off-2")
# How an answer goes on after a frame's onset: in that frame, in the next ones.
COURSE = (0.6, 1.0, 0.5, -0.3, -0.3, -0.2)


def white(rng, n_frames, n_elements=12):
    """Return frames of black and white bars, each new."""
    frames = rng.choice([-1.0, 1.0], size=(n_frames, 1, n_elements))
    return frames.astype(np.float32)


def slow(rng, n_frames, n_elements=12):
    """Return frames that change slowly: an autoregressive process of one frame."""
    frames = rng.normal(size=(n_frames, 1, n_elements))
    for k in range(1, n_frames):
        frames[k] = 0.9 * frames[k - 1] + 0.44 * frames[k]
    return frames.astype(np.float32)


def counts_of(rng, frames, n_repeats=1, rate_hz=12.0, latency_frames=0):
    """Return the spikes of four cells, one at most in a step: (repeat, step, cell)."""
    x = frames[:, 0, :].astype(float)
    n_frames, n_elements = x.shape
    centres = np.linspace(n_elements * 0.2, n_elements * 0.8, len(CELLS))
    profiles = np.exp(-0.5 * ((np.arange(n_elements)[:, None] - centres) / 1.2) ** 2)
    profiles *= [1, -1, 1, -1]
    drive = np.zeros((n_frames, len(CELLS)))
    for k, weight in enumerate(COURSE):
        lag = k + latency_frames
        drive[lag:] += weight * (x[: n_frames - lag] @ profiles)
    rate = np.exp(1.2 * drive / drive.std(axis=0))
    rate *= rate_hz / rate.mean(axis=0)
    chance = 1 - np.exp(-np.repeat(rate, STEPS_A_FRAME, axis=0) * STEP_MS / 1000)
    return (rng.random((n_repeats, *chance.shape)) < chance).astype(np.uint8)


def segment(rng, use, n_frames, n_repeats=1, stimulus=white, **cells):
    """Return a segment whose spikes follow its frames."""
    frames = stimulus(rng, n_frames)
    clock = np.repeat(np.arange(n_frames, dtype=np.int32), STEPS_A_FRAME)
    return Segment(use, counts_of(rng, frames, n_repeats, **cells), frames, clock)


def recording(*segments):
    """Return the recording of segments."""
    return Recording("simulated", STEP_MS, FRAME_MS, CELLS, tuple(segments))


def earlier(segment, n_steps):
    """Return a segment whose spikes come n steps earlier; below 0, later."""
    counts, clock = segment.counts, segment.frame_of_step
    n = abs(n_steps)
    counts, clock = (
        (counts[:, n:], clock[:-n]) if n_steps > 0 else (counts[:, :-n], clock[n:])
    )
    counts, clock = np.ascontiguousarray(counts), np.ascontiguousarray(clock)
    return Segment(segment.use, counts, segment.frames, clock)
