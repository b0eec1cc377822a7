"""Cells that are known, in plain NumPy: what their recordings would be.

A step is 10 ms, and so is a frame.
"""

import numpy as np

from yoked.experiments.recordings.recording import Recording, Segment

STEP_MS = 10.0


def noise_bars(rng, n_steps, n_bars=15, frame_steps=1):
    """Give frames of black and white bars, each of which stays for some steps."""
    frames = rng.choice([-1.0, 1.0], (n_steps // frame_steps, 1, n_bars))
    return np.repeat(frames, frame_steps, axis=0).astype(np.float32)


def biphasic(peak, n_lags=33, second=0.5):
    """Give a filter over lags that first rises, then falls below 0, of unit norm."""
    t = np.arange(n_lags) / peak
    found = t * np.exp(1 - t) - second * (t / 2) ** 2 * np.exp(2 - t)
    return found / np.linalg.norm(found)


def bump(n, middle, width):
    """Give a Gaussian over bars of unit norm."""
    found = np.exp(-0.5 * ((np.arange(n) - middle) / width) ** 2)
    return found / np.linalg.norm(found)


def over_time(signal, kernel):
    """Filter every column of (step, column) by a kernel over lags; 0 came before."""
    columns = [np.convolve(each, kernel)[: len(each)] for each in signal.T]
    return np.stack(columns, axis=1)


def segment(use, frames, counts):
    """Give a segment of one frame a step."""
    clock = np.arange(len(frames), dtype=np.int32)
    return Segment(use, np.minimum(counts, 255).astype(np.uint8), frames, clock)


def poisson_recording(rates_of, seed, n_fit, n_test=0, n_repeats=40, n_bars=15, hold=1):
    """Record cells whose rates, from (step, 1, bar) to (step, cell), are known."""
    rng = np.random.default_rng(seed)
    frames = noise_bars(rng, n_fit, n_bars, hold)
    parts = [segment("fit", frames, rng.poisson(rates_of(frames))[None])]
    if n_test:
        frames = noise_bars(rng, n_test, n_bars, hold)
        rates = rates_of(frames)
        counts = rng.poisson(rates, (n_repeats, *rates.shape))
        parts.append(segment("test", frames, counts))
    n_cells = parts[0].counts.shape[2]
    cells = tuple(f"cell {k}" for k in range(n_cells))
    return Recording("simulated", STEP_MS, STEP_MS * hold, cells, tuple(parts))


class SubunitRetina:
    """Cells that sum rectified subunits, of both polarities, and rectify the sum.

    Each subunit sees a few bars through a biphasic filter. OFF subunits weigh more than
    ON ones, so that a cell has a linear part; what both share doubles frequencies.
    """

    def __init__(self, seed, n_bars=21, n_cells=3):
        rng = np.random.default_rng(seed)
        centres = np.arange(2, n_bars - 2, 2)
        self.fields = np.stack([bump(n_bars, at, 1.0) for at in centres])
        self.kernels = biphasic(peak=4.5), biphasic(peak=3.5)
        middles = rng.uniform(0.35, 0.65, n_cells) * n_bars
        wide = 0.5 * ((centres - middles[:, None]) / rng.uniform(2.5, 3.5)) ** 2
        off = np.exp(-wide) * rng.uniform(0.7, 1.3, wide.shape)
        on = np.exp(-wide) * rng.uniform(0.7, 1.3, wide.shape)
        share = rng.uniform(0.3, 0.5, (n_cells, 1))
        self.off, self.on = off, on * share

    def rates(self, frames):
        """Give expected spikes of every step: (step, cell)."""
        seen = frames[:, 0].astype(float) @ self.fields.T
        off = np.maximum(-over_time(seen, self.kernels[0]) - 0.3, 0) @ self.off.T
        on = np.maximum(over_time(seen, self.kernels[1]) - 0.3, 0) @ self.on.T
        drive = off + on
        drive = (drive - drive[100:].mean(axis=0)) / drive[100:].std(axis=0)
        return 0.25 * np.maximum(drive + 0.7, 0)


def coupled_spikes(rng, drive, kernels, refractory):
    """Let cells fire whose spikes change each other's drive: (repeat, step, cell).

    `drive` is (repeat, step, cell), `kernels` (lag, cell, source), lag 0 being the next
    step.
    """
    n_repeats, n_steps, n_cells = drive.shape
    n_lags = len(kernels)
    total = np.concatenate([drive, np.zeros((n_repeats, n_lags, n_cells))], axis=1)
    spikes = np.zeros(drive.shape, np.uint8)
    chance = rng.random(drive.shape)
    for t in range(n_steps):
        fires = chance[:, t] < np.exp(total[:, t])
        fires &= ~spikes[:, max(0, t - refractory) : t].any(axis=1)
        spikes[:, t] = fires
        if fires.any():
            added = np.einsum("rj,lij->rli", fires.astype(float), kernels)
            total[:, t + 1 : t + 1 + n_lags] += added
    return spikes
