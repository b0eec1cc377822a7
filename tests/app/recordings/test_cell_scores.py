"""Scores of models of cells: of a known one, and what cannot be scored."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from tests.app.recordings.small import rates_of, small
from yoked.app.recordings.cell_scores import score_cells
from yoked.experiments.recordings.recording import RecordingError
from yoked.models.ganglion_cells.cell_model import (
    CellModel,
    log_likelihood_of_rates,
    sampled_spikes,
)


@dataclass
class Known(CellModel):
    """The very rates that the recording was drawn from."""

    kind: str = "known"
    cells: tuple = ("light", "dark")
    step_ms: float = 10.0
    shape: tuple = (1, 7)
    background: float = 0.0
    likelihood: str = "poisson"
    n_parameters: int = 0

    def rates(self, segment):
        return rates_of(segment.shown())

    def log_likelihood(self, segment):
        return log_likelihood_of_rates(segment, self.rates(segment), "poisson")

    def simulate(self, segment, n_repeats, seed):
        return sampled_spikes(self.rates(segment), n_repeats, seed)

    def settings(self):
        return {}

    def state(self):
        return {}


@pytest.fixture(scope="module")
def recording():
    return small()


def test_the_true_rates_reach_the_ceiling_and_explain_all(recording):
    found = score_cells(Known(), recording)
    for share, explained in zip(
        found.psth.share.cells, found.explained.explained.cells, strict=True
    ):
        assert share.value == pytest.approx(1, abs=0.02)
        assert explained.value == pytest.approx(1, abs=0.05)
    for bits, given, bound in zip(
        found.bits.bits.cells,
        found.bits_given_spikes.cells,
        found.bits.ceiling_lower_bound.cells,
        strict=True,
    ):
        assert given.value == pytest.approx(bits.value, abs=1e-6)
        assert bits.value > bound.value  # the true rate is better than a PSTH
    assert found.noise.rmse.value < 2 * found.noise.rmse_of_halves.value


def test_a_table_has_one_row_for_a_model(recording):
    (row,) = score_cells(Known(), recording).table()
    assert row["model"] == "known"
    assert row["PSTH r"].startswith("0.9")


def test_what_cannot_be_scored_is_one_sentence(recording):
    fit, repeats, test = recording.segments
    once = replace(test, counts=test.counts[:1])
    fewer = replace(test, counts=test.counts[:9])
    short = replace(
        test, counts=test.counts[:, :40], frame_of_step=test.frame_of_step[:40]
    )
    for segments, sentence in (
        ((fit, repeats), "must have one segment with its stimulus for test or more"),
        ((fit, once), "must be shown twice or more, to score models by, got once"),
        ((fit, test, fewer), r"must be shown equally often, got \[9, 30\]"),
        ((fit, short), "must be longer than 667 ms, got 400 ms"),
    ):
        with pytest.raises(RecordingError, match=sentence):
            score_cells(Known(), replace(recording, segments=segments))
    with pytest.raises(RecordingError, match=r"the model's, \['light', 'dark'\]"):
        score_cells(Known(), recording.only(("dark",)))


def test_a_single_cell_has_no_noise_correlations(recording):
    class One(Known):
        def rates(self, segment):
            return super().rates(segment)[:, 1:]

    found = score_cells(One(cells=("dark",)), recording.only(("dark",)))
    assert found.noise is None
    assert found.table()[0]["RMSE of noise r"] == "-"
    assert np.isfinite(found.psth.r.mean.value)
