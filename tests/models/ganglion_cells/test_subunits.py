"""A retina of rectified subunits: networks explain its cells, LN cannot.

Half of what a cell sums are ON subunits, half OFF ones, so that LN finds a part of it
only; its filters are slow enough for LN's cosines.
"""

import pytest

from tests.models.ganglion_cells.simulated import SubunitRetina, poisson_recording
from yoked.analysis.spikes.scores import explained_variance
from yoked.models.ganglion_cells.fitting import FitSettings, fit
from yoked.models.ganglion_cells.learning import Learning
from yoked.models.ganglion_cells.stimulus_fit import Grid

SHORT = FitSettings(
    grid=Grid(l1=(30.0, 10.0), smoothness=(30.0,)),
    learning=Learning(epochs=16, rate=0.005, batch=800, patience=3),
)


LONGER = [pytest.param(seed, 120_000, marks=pytest.mark.slow) for seed in (1, 3)]


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("seed", "n_steps"), [(2, 50_000), *LONGER])
def test_networks_explain_subunits_that_a_linear_filter_does_not(seed, n_steps):
    retina = SubunitRetina(seed, n_bars=21, n_cells=8)
    recording = poisson_recording(
        retina.rates, seed, n_steps, n_test=2000, n_repeats=50, n_bars=21, hold=3
    )
    explained = {}
    for kind in ("ln", "cnn-2016", "bn-cnn"):
        model = fit(kind, recording, settings=SHORT, device="cpu")
        explained[kind] = of_test(model, recording)
    assert 0.5 < explained["ln"] < 0.75
    assert explained["cnn-2016"] >= 0.9
    assert explained["bn-cnn"] >= 0.9


def of_test(model, recording):
    """Explained share of the explainable variance, but for the first 500 ms."""
    (test,) = recording.of("test")
    rates, counts = model.rates(test)[50:], test.counts[:, 50:]
    return explained_variance(rates, counts, width=1).explained.mean.value
