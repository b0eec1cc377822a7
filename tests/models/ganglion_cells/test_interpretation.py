"""Attributions: complete, and right where the answer is known."""

import numpy as np
import pytest
import torch
from torch import nn

from tests.models.ganglion_cells.simulated import noise_bars, segment
from yoked.models.ganglion_cells.binned import Scale
from yoked.models.ganglion_cells.deep import NETWORKS, Deep
from yoked.models.ganglion_cells.deep_retina import HISTORY, Windowed
from yoked.models.ganglion_cells.interpretation import Attribution, attribution

N_BARS = 15
SCALE = Scale(steps=1, mean=0.1, sd=0.9, background=0.0)


@pytest.fixture(scope="module")
def shown():
    frames = noise_bars(np.random.default_rng(1), 120, N_BARS, 2)
    return segment("test", frames, np.zeros((1, 120, 2), np.uint8))


def made(kind, network):
    cells = "a", "b"
    return Deep(kind, cells, 10.0, (1, N_BARS), 0.0, "poisson", SCALE, network.eval())


def random(kind, seed=1):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = NETWORKS[kind]((1, N_BARS), 2)
    network.start_at(torch.tensor([10.0, 20.0]))
    return network


@pytest.mark.parametrize("kind", ["cnn-2016", "bn-cnn", "amacrine-feedback"])
def test_attributions_add_up_to_the_response(kind, shown):
    model = made(kind, random(kind))
    found = attribution(model, shown, cell=1)
    assert found.of_type.shape[0] == len(found.response) == 120
    assert found.response.std() > 0
    assert found.incompleteness < 0.01
    rates = model.rates(shown)[:, 1] * 100
    # But for the rate at the background, and what is more than 400 ms ago.
    assert np.ptp(rates - found.response) < 0.05


def test_of_a_linear_network_they_are_weights_times_input(shown):
    torch.manual_seed(3)
    first, last = nn.Conv2d(HISTORY, 4, (1, 5)), nn.Linear(4 * 11, 2)
    model = made("linear", Windowed(nn.Sequential(first, nn.Flatten(), last)))
    found = attribution(model, shown, cell=0, n_points=1)
    filters = first.weight.detach().double().numpy()[:, :, 0]  # (type, lag, bar)
    weights = last.weight.detach().double().numpy()[0].reshape(4, 11)
    before = np.zeros((HISTORY - 1, N_BARS))
    seen = np.concatenate([before, shown.frames[:, 0]]) / SCALE.sd
    expected = np.zeros((120, 4))
    for t in range(120):
        for place in range(11):
            patch = seen[t : t + HISTORY, place : place + 5]
            expected[t] += weights[:, place] * np.einsum("klb,lb->k", filters, patch)
    assert found.of_type == pytest.approx(expected, abs=1e-4)


def test_a_type_that_leads_nowhere_is_no_pathway(shown):
    network = random("cnn-2016")
    with torch.no_grad():
        network.network[3].weight[:, [k for k in range(16) if k not in (2, 9)]] = 0
    found = attribution(made("cnn-2016", network), shown, cell=0)
    assert set(np.flatnonzero(found.of_type.any(axis=0))) == {2, 9}
    assert set(found.pathways(share=1.0)[:2]) == {2, 9}
    assert set(found.pathways()) <= {2, 9}


def test_a_background_tells_nothing():
    still = segment("test", np.zeros((50, 1, N_BARS), np.float32), np.zeros((1, 50, 2)))
    found = attribution(made("bn-cnn", random("bn-cnn")), still, cell=0)
    assert not found.of_type.any()
    assert found.incompleteness == 0


def test_refusals(shown):
    model = made("multiplexed", random("multiplexed"))
    rule = "must be one whose first layer is a convolution, got multiplexed"
    with pytest.raises(ValueError, match=rule):
        attribution(model, shown, cell=0)
    model = made("bn-cnn", random("bn-cnn"))
    with pytest.raises(ValueError, match=r"cell must be in \[0, 2\), got 2"):
        attribution(model, shown, cell=2)
    with pytest.raises(ValueError, match="n_points must be 1 or more, got 0"):
        attribution(model, shown, cell=0, n_points=0)
    with pytest.raises(ValueError, match=r"share must be in \(0, 1\], got 0"):
        Attribution(np.zeros((3, 2)), np.zeros(3)).pathways(share=0)
