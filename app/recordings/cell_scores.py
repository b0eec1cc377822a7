"""How well a fitted model foretells the segments that were kept for testing.

What is scored is the recording's test segments, each shown several times, without
their first third of a second: what was shown before they began is not known, and models
of recorded cells remember about that long.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...analysis.spikes.blocks import PerCell
from ...analysis.spikes.likelihood import (
    BitsPerSpike,
    bits_given_spikes,
    bits_per_spike,
)
from ...analysis.spikes.noise_correlations import (
    NoiseCorrelationError,
    noise_correlation_error,
)
from ...analysis.spikes.scores import (
    ExplainedVariance,
    PsthCorrelation,
    explained_variance,
    psth_correlation,
)
from ...analysis.trials.result import Cells, Result
from ...experiments.recordings.recording import Recording, RecordingError

if TYPE_CHECKING:
    from ...models.ganglion_cells.cell_model import CellModel

FORMAT = "yoked-cell-scores/1"  # of the plain form, which docs/json.md describes
LEFT_OUT_MS = 1000 / 3
SMOOTHED_MS = 100 / 3  # of the PSTH: 20 steps of 5/3 ms
EXPLAINED_MS = 50 / 3  # a bin of the explained variance
CORRELATED_MS = 125 / 3  # a bin of noise correlations: 25 steps of 5/3 ms
N_SIMULATED = 400  # repeats: their own noise is small beside the recording's
_SEED = 1


@dataclass(frozen=True, eq=False)
class CellScores(Result):
    """What a model of ganglion cells is worth on segments that it has not seen.

    Attributes
    ----------
    recording, model
        Names.
    cells
        Names of the cells.
    n_parameters
        Numbers that the model has learnt.
    psth
        Correlation of its rates with the PSTH.
    explained
        Share of the explainable variance.
    bits
        What its rates tell of single spikes, given the stimulus alone.
    bits_given_spikes
        What it tells given earlier spikes as well; as `bits` in models without
        couplings.
    noise
        Noise correlations of its simulated spikes against the measured ones; None of a
        single cell.
    """

    recording: str
    model: str
    cells: tuple[str, ...]
    n_parameters: int
    psth: PsthCorrelation
    explained: ExplainedVariance
    bits: BitsPerSpike
    bits_given_spikes: PerCell
    noise: NoiseCorrelationError | None

    def parts(self) -> dict[str, Any]:
        """Give the fields, and the format of all of them first."""
        return {"format": FORMAT, **super().parts()}

    def table(self) -> list[Cells]:
        """Give one row: means over cells."""
        bound = self.bits.ceiling_lower_bound
        noise = self.noise
        return [
            {
                "model": self.model,
                "numbers": f"{self.n_parameters:,}",
                "PSTH r": self.psth.r.mean.short(),
                "of the ceiling": self.psth.share.mean.short(),
                "explained": self.explained.explained.mean.short(),
                "bits/spike": self.bits.bits.mean.short(),
                "reachable": "-" if bound is None else bound.mean.short(),
                "given spikes": self.bits_given_spikes.mean.short(),
                "RMSE of noise r": "-" if noise is None else noise.rmse.short(),
                "of halves": "-" if noise is None else noise.rmse_of_halves.short(),
            }
        ]


def score_cells(model: "CellModel", recording: Recording) -> CellScores:
    """Score a model on the test segments of a recording.

    Raises
    ------
    RecordingError
        If the recording has other cells, steps or frames than the model; no test
        segment with its stimulus that was shown twice or more; or several that were not
        shown equally often.
    """
    model.require(recording)
    segments = recording.of("test")
    if len({segment.n_repeats for segment in segments}) > 1:
        got = sorted({segment.n_repeats for segment in segments})
        raise RecordingError(f"test segments must be shown equally often, got {got}")
    if segments[0].n_repeats < 2:
        rule = "shown twice or more, to score models by"
        raise RecordingError(f"test segments must be {rule}, got once")
    steps = {name: _steps(ms, recording) for name, ms in _DURATIONS.items()}
    first = steps["left_out"]
    if min(segment.n_steps for segment in segments) <= 2 * first:
        rule = f"longer than {2 * LEFT_OUT_MS:.0f} ms"
        got = min(segment.n_steps for segment in segments) * recording.step_ms
        raise RecordingError(f"test segments must be {rule}, got {got:.0f} ms")
    rates = np.concatenate([model.rates(s)[first:] for s in segments])
    told = np.concatenate([model.log_likelihood(s)[first:] for s in segments])
    counts = np.concatenate([s.counts[:, first:] for s in segments], axis=1)
    # Where a step has one spike at most a second one is not seen.
    seen = np.minimum(counts, 1) if model.likelihood == "bernoulli" else counts
    noise = None
    if recording.n_cells > 1:
        simulated = [model.simulate(s, N_SIMULATED, _SEED)[:, first:] for s in segments]
        noise = noise_correlation_error(
            counts, np.concatenate(simulated, axis=1), steps["correlated"], "total"
        )
    return CellScores(
        recording=recording.name,
        model=model.kind,
        cells=recording.cells,
        n_parameters=model.n_parameters,
        psth=psth_correlation(rates, counts, steps["smoothed"]),
        explained=explained_variance(rates, counts, steps["explained"]),
        bits=bits_per_spike(rates, seen, model.likelihood),
        bits_given_spikes=bits_given_spikes(told, seen, model.likelihood),
        noise=noise,
    )


_DURATIONS = {
    "left_out": LEFT_OUT_MS,
    "smoothed": SMOOTHED_MS,
    "explained": EXPLAINED_MS,
    "correlated": CORRELATED_MS,
}


def _steps(ms: float, recording: Recording) -> int:
    return max(1, round(ms / recording.step_ms))
