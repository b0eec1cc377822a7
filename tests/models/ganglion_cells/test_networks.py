"""Networks of cells: features and constants that are known are found again.

The weights of the convolutional and the recurrent ones are not: others give the same
rates. They have to explain what another of their kind, with random weights, does.
"""

import math

import numpy as np
import pytest
import torch

from tests.models.ganglion_cells.simulated import (
    biphasic,
    bump,
    noise_bars,
    over_time,
    poisson_recording,
)
from yoked.analysis.spikes.scores import explained_variance
from yoked.experiments.recordings.recording import RecordingError
from yoked.models.ganglion_cells.deep import NETWORKS
from yoked.models.ganglion_cells.fitting import FitSettings, fit
from yoked.models.ganglion_cells.learning import Learning
from yoked.models.ganglion_cells.penalised import NotFinite
from yoked.models.ganglion_cells.stimulus_fit import Grid
from yoked.models.retina.staged import StagedRetina, StagedRetinaConfig

N_BARS = 15
BINS_BEFORE = 39
ONE_PENALTY = FitSettings(grid=Grid((10.0,), (10.0,)))


def explained(model, recording):
    """Share of the explainable variance of every cell, but for the first 500 ms."""
    (test,) = recording.of("test")
    rates, counts = model.rates(test)[50:], test.counts[:, 50:]
    found = explained_variance(rates, counts, width=1).explained
    return np.array([cell.value for cell in found.cells])


def learnt(kind, recording, **learning):
    settings = FitSettings(learning=Learning(**learning))
    return fit(kind, recording, settings=settings, device="cpu")


# Two features ---------------------------------------------------------------------


def two_features(frames):
    """An OFF centre, and how much changes far from it, whichever way."""
    seen = frames[:, 0].astype(float)
    centres = np.stack([bump(N_BARS, at, 1.5) for at in (5.0, 8.0)])
    linear = -over_time(seen @ centres.T, biphasic(5.0))
    far = np.stack([abs(np.arange(N_BARS) - at) > 3 for at in (5, 8)]).astype(float)
    far /= np.linalg.norm(far, axis=1, keepdims=True)
    return linear, np.abs(over_time(seen, biphasic(3.5))) @ far.T


def multiplexed_rates(frames):
    linear, far = two_features(frames)
    return 0.3 * np.maximum(0.6 * linear + 0.9 * (far - far.mean(axis=0)) + 0.5, 0)


def test_multiplexed_cells_give_both_their_features():
    recording = poisson_recording(multiplexed_rates, 1, 40_000, n_test=1500, hold=3)
    model = learnt("multiplexed", recording, epochs=25, batch=1000, patience=3)
    assert explained(model, recording).min() >= 0.85
    linear = fit("ln", recording, settings=ONE_PENALTY)
    assert explained(linear, recording).max() < 0.6
    (test,) = recording.of("test")
    shown = model.scale.stimulus(test, model.network.history)[None]
    with torch.no_grad():
        as_is, inverted = (
            sum(model.network.features(sign * shown))[0].numpy() for sign in (1, -1)
        )
    # What changes sign with the stimulus is linear; what does not is the other feature.
    found = (as_is - inverted) / 2, (as_is + inverted) / 2
    for ours, truth in zip(found, two_features(test.frames), strict=True):
        for cell in range(2):
            assert np.corrcoef(ours[50:, cell], truth[50:, cell])[0, 1] > 0.95


# Constants of our retina ----------------------------------------------------------

SLOWER_MS, WIDER = 9.0, 2.0  # cones of 4.49 ms; what an OFF parasol pools


def other_retina():
    config = StagedRetinaConfig(noise="none", step_ms=10.0, tail_ms=0.0)
    retina = StagedRetina(config, 0.05, (1, N_BARS), 10.0, is_bar=True)
    with torch.no_grad():
        retina.photoreceptor.log_tau_y_ms.fill_(math.log(SLOWER_MS))
        retina.ganglion["off_parasol"].log_sigma_deg.add_(math.log(WIDER))
    return retina


def staged_rates_of(retina, n_cells=6):
    """Give rates of cells that each sum a few neighbours of one type."""
    columns = np.arange(retina.n_cells[1])
    middles = np.linspace(0.3, 0.7, n_cells) * len(columns)
    weights = np.exp(-0.5 * (columns - middles[:, None]) ** 2)

    def sums(frames):
        shown = torch.from_numpy(np.pad(frames, ((99, 0), (0, 0), (0, 0))))
        parts = [shown[k : k + 299] for k in range(0, len(frames), 200)]
        with torch.no_grad():
            rates = torch.cat(
                [retina(0.3 * part[None])[0, 99:, :, 0] for part in parts]
            )
        return np.stack(
            [rates[:, i % 4].numpy() @ w for i, w in enumerate(weights)], axis=1
        )

    some = sums(noise_bars(np.random.default_rng(1), 2000, N_BARS, 2))[100:]

    def rates(frames):
        drive = 2 * (sums(frames) - some.mean(axis=0)) / some.std(axis=0) + 0.5
        return 0.3 * np.logaddexp(0, drive)

    return rates


def test_a_time_constant_of_our_retina_moves_toward_that_of_the_cells():
    retina = other_retina()
    recording = poisson_recording(staged_rates_of(retina), 1, 6000, n_test=1500, hold=2)
    model = learnt("staged-retina", recording, epochs=8, rate=0.03, batch=600)
    assert explained(model, recording).mean() >= 0.9
    start, now = NETWORKS["staged-retina"]((1, N_BARS), 6).retina, model.network.retina
    # Sizes are told far less well by so little: weights over space stand for them.
    before, after, truth = (
        one.photoreceptor.constant("tau_y_ms").log().item()
        for one in (start, now, retina)
    )
    assert before + 0.3 * (truth - before) < after < truth + 0.1


# Another of their kind ------------------------------------------------------------


def another(kind, n_cells, n_bars, n_filters=3, seed=100):
    """Make a network with random weights: few filters, which are smooth."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = NETWORKS[kind]((1, n_bars), n_cells).eval()
    layers = [one for one in network.modules() if isinstance(one, torch.nn.Conv2d)]
    first = layers[0].weight.data
    for axis, sd in ((1, 2.5), (3, 1.2)):
        at = np.arange(first.shape[axis])
        smooth = np.exp(-0.5 * ((at[:, None] - at) / sd) ** 2)
        smooth = torch.from_numpy(smooth).float()
        first = torch.movedim(torch.movedim(first, axis, -1) @ smooth, -1, axis)
    first /= first.flatten(1).norm(dim=1)[:, None, None, None]
    layers[0].weight.data = first
    for layer in layers[:1] if kind == "amacrine-feedback" else layers[:2]:
        layer.weight.data[n_filters:] = 0
        layer.bias.data[n_filters:] = 0
    return network


def rates_of(network, n_bars):
    """Give a network's rates, with a mean of about .33 spikes a step and an SD of .25.

    The last softplus is undone, so that how strongly it rectifies can be set.
    """

    def drive(frames):
        shown = torch.from_numpy(np.pad(frames, ((BINS_BEFORE, 0), (0, 0), (0, 0))))
        found = []
        with torch.no_grad():
            for k in range(0, len(frames), 500):
                found.append(network(shown[None, k : k + 500 + BINS_BEFORE])[0])
        rates = torch.cat(found).double().numpy()
        return rates + np.log(-np.expm1(-rates))

    some = drive(noise_bars(np.random.default_rng(5), 3000, n_bars, 4))[50:]

    def rates(frames):
        about = (drive(frames) - some.mean(axis=0)) / some.std(axis=0)
        return 0.2 * np.logaddexp(0, 2 * about + 1)

    return rates


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("kind", "n_cells", "n_bars", "n_steps", "learning"),
    [
        ("amacrine-feedback", 8, 15, 24_000, {"epochs": 8, "batch": 500}),
        pytest.param(
            "cnn-2016",
            16,
            17,
            120_000,
            {"epochs": 16, "rate": 0.005, "batch": 500, "patience": 2},
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "bn-cnn",
            16,
            17,
            100_000,
            {"epochs": 20, "batch": 500, "patience": 2},
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_network_explains_another_of_its_kind(
    kind, n_cells, n_bars, n_steps, learning
):
    truth = rates_of(another(kind, n_cells, n_bars), n_bars)
    recording = poisson_recording(
        truth, 1, n_steps, n_test=1500, n_repeats=50, n_bars=n_bars, hold=4
    )
    model = learnt(kind, recording, **learning)
    assert explained(model, recording).mean() >= 0.9


# Refusals -------------------------------------------------------------------------


def test_a_loss_that_is_not_finite_says_in_which_epoch():
    recording = poisson_recording(multiplexed_rates, 1, 2000)
    rule = "the loss of a network must be finite in every epoch, got nan in epoch 1"
    with pytest.raises(NotFinite, match=rule):
        learnt("multiplexed", recording, epochs=2, rate=1e30)


def test_a_recording_that_is_too_short_to_learn_from_is_refused():
    recording = poisson_recording(multiplexed_rates, 1, 400)
    rule = "must be long enough for 5 stretches of 100 bins to learn from, got 400 step"
    with pytest.raises(RecordingError, match=rule):
        learnt("multiplexed", recording)
