"""A recording in bins: what networks of cells see and foretell.

A bin is a whole number of steps, 10 ms as near as that goes. Its stimulus is the mean
over its steps, less the mean of the stimulus that is fitted on, in units of its SD; its
spikes are summed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from ...experiments.recordings.recording import Recording, Segment
from .cell_model import as_tensor

BIN_MS = 10.0


@dataclass(frozen=True)
class Scale:
    """How stimulus and time become what a network sees.

    Attributes
    ----------
    steps
        In a bin.
    mean, sd
        Of the stimulus that is fitted on.
    background
        Of the recording, in its own unit.
    """

    steps: int
    mean: float
    sd: float
    background: float

    @classmethod
    def of(cls, recording: Recording) -> "Scale":
        """Measure that of a recording."""
        frames = [s.frames for s in recording.of("fit") if s.frames is not None]
        values = np.concatenate([each.ravel() for each in frames])
        steps = max(1, round(BIN_MS / recording.step_ms))
        mean, sd = float(values.mean()), float(values.std())
        return cls(steps, mean, sd or 1.0, recording.background)

    def stimulus(self, segment: Segment, history: int) -> Float32[Tensor, " bin y x"]:
        """Give a segment's stimulus, after as many bins of background as are needed.

        The last bin may be only partly filled; the last frame stays for all of it.
        """
        shown = segment.shown(self.background)
        n_bins = -(-len(shown) // self.steps)
        rest = n_bins * self.steps - len(shown)
        shown = np.concatenate([shown, np.repeat(shown[-1:], rest, axis=0)])
        means = shown.reshape(n_bins, self.steps, *shown.shape[1:]).mean(axis=1)
        before = np.full((history - 1, *shown.shape[1:]), self.background)
        return as_tensor((np.concatenate([before, means]) - self.mean) / self.sd)


@dataclass(frozen=True, eq=False)
class Chunks:
    """Stretches of a recording, each with the bins before it.

    Attributes
    ----------
    stimulus
        All segments', one after the other, each with its history before it.
    counts
        Spikes of every bin of it; NaN where a bin is history alone.
    starts
        Where each stretch begins, history included.
    length
        Bins of a stretch, history included.
    """

    stimulus: Float32[Tensor, " bin y x"]
    counts: Float32[Tensor, " bin cell"]
    starts: Tensor
    length: int

    @classmethod
    def of(
        cls,
        segments: Sequence[Segment],
        scale: Scale,
        history: int,
        n_answered: int,
        device: str | torch.device,
    ) -> "Chunks":
        """Cut segments into stretches of `n_answered` bins and those before them."""
        stimuli, counts, starts, n = [], [], [], 0
        for segment in segments:
            for spikes in segment.counts:
                stimulus = scale.stimulus(segment, history)
                n_whole = len(spikes) // scale.steps
                whole = spikes[: n_whole * scale.steps].astype(np.float32)
                summed = whole.reshape(n_whole, scale.steps, -1).sum(axis=1)
                stimulus = stimulus[: history - 1 + n_whole]
                unknown = np.full((history - 1, summed.shape[1]), np.nan)
                stimuli.append(stimulus)
                counts.append(as_tensor(np.concatenate([unknown, summed])))
                # What was seen before a segment is not known: where it is long enough
                # the bins that would need it are history alone.
                begin = min(history - 1, max(0, n_whole - n_answered))
                firsts = range(begin, n_whole - n_answered + 1, n_answered)
                starts += [n + first for first in firsts]
                n += len(stimulus)
        return cls(
            torch.cat(stimuli).to(device),
            torch.cat(counts).to(device),
            torch.tensor(starts),
            history - 1 + n_answered,
        )

    def batch(
        self, chosen: Tensor, history: int
    ) -> tuple[
        Float32[Tensor, " sequence bin y x"], Float32[Tensor, " sequence answered cell"]
    ]:
        """Give stretches, and the spikes of the bins that they foretell."""
        at = self.starts[chosen][:, None] + torch.arange(self.length)
        return self.stimulus[at], self.counts[at[:, history - 1 :]]
