"""Kernels of units of any layer: exact where that is known, and what is refused."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from yoked.experiments.protocols.files import load_protocol
from yoked.models.observers.circuits import Linear
from yoked.models.registry import load
from yoked.models.white_box.kernels import white_box

TRIALS = 600


class Net(nn.Module):
    """Filters, rectified and pooled; `shared` sees both alternatives at once."""

    def __init__(self, shared=False):
        super().__init__()
        torch.manual_seed(3)
        self.features = nn.Sequential(
            nn.Conv2d(2 if shared else 1, 3, (1, 5), padding=(0, 2), bias=False),
            nn.ReLU(),
            nn.MaxPool2d((1, 2)),
        )
        self.spare = nn.Identity()

    def forward(self, x):
        return self.features(x)


class Own:
    """Has a network beside scores that are those of a linear circuit."""

    name = "own"

    def __init__(self, of="elements", **options):
        self.network, self.of, self.scored = Net(**options), of, Linear()
        self.prepare, self.learn = self.scored.prepare, self.scored.learn
        self.decide, self.scores = self.scored.decide, self.scored.scores

    def input_of(self, contrast):
        if self.of == "pixels":  # frames as rows
            return contrast.flatten(0, 2)[:, None]
        elements = contrast[..., ::52, ::4]
        if self.network.features[0].in_channels == 2:  # alternatives as channels
            return elements[:, :, 0]
        return elements.flatten(0, 1)


def layer_of(protocol, observer, layer, unit=None, **options):
    found = white_box(
        protocol,
        observer,
        contrast=0.2,
        layer=layer,
        unit=unit,
        **{"trials": TRIALS, "internal_noise": 0.5, **options},
    )
    return found.layer, found.noise_sd


def test_the_kernels_of_a_convolution_are_its_weights(protocol):
    own = Own()
    found, _ = layer_of(protocol, own, "features.0")
    assert found.units == ("0,0,6", "1,0,6", "2,0,6")
    weights = own.network.features[0].weight.detach().numpy()[:, 0, 0]
    assert found.first[:, 0, 0, 4:9] == pytest.approx(weights, abs=1e-6)
    assert np.abs(found.first[..., [0, 1, 2, 3, 9, 10, 11, 12]]).max() < 1e-6
    assert np.abs(found.second).max() < 1e-4
    assert (found.n, found.grid) == (2 * TRIALS, "elements")


def test_a_place_moves_the_kernel(protocol):
    own = Own()
    found, _ = layer_of(protocol, own, "features.0", "1,0,3", orders=1)
    weights = own.network.features[0].weight.detach().numpy()[1, 0, 0]
    assert found.units == ("1,0,3",)
    assert found.first[0, 0, 0, 1:6] == pytest.approx(weights, abs=1e-6)
    assert (found.second, found.second_formula) == (None, None)


def test_a_rectified_filter_has_its_closed_form_which_no_hessian_gives(protocol):
    """E[relu(w.n)'] = w/2; E[relu(w.n)''] = w w' / (sigma |w| sqrt(2 pi))."""
    own = Own()
    found, sd = layer_of(protocol, own, "features.1", trials=3000)
    weights = np.zeros((3, 13))
    weights[:, 4:9] = own.network.features[0].weight.detach().numpy()[:, 0, 0]
    assert found.first[:, 0, 0] == pytest.approx(weights / 2, abs=0.02)
    for w, second, se in zip(weights, found.second, found.second_se, strict=True):
        size = np.linalg.norm(w) * sd * math.sqrt(2 * math.pi)
        assert np.abs(second - np.outer(w, w) / size).max() < 5 * se.max()
        assert np.corrcoef(second.ravel(), np.outer(w, w).ravel())[0, 1] > 0.97


def test_the_kernels_of_an_energy_are_those_of_its_filters_and_their_squares(protocol):
    energy = load("energy")
    filters, _ = layer_of(protocol, energy, "0")
    pair = energy.network[0].templates.numpy()
    in_noise = protocol.noise.sd
    assert filters.first[:, 0, 0] == pytest.approx(pair.T / in_noise, abs=1e-4)
    whole, _ = layer_of(protocol, energy, "", trials=1500)
    truth = 2 * pair @ pair.T / in_noise**2
    assert whole.units == ("0",)
    assert np.abs(whole.second[0] - truth).max() < 5 * whole.second_se.max()
    shown, _ = layer_of(protocol, energy, "", with_signal=True, orders=1, trials=1500)
    seen = 2 * (pair @ pair[6]) * 0.2 / in_noise**2
    assert shown.first.ravel() == pytest.approx(seen, abs=5 * shown.first_se.max())


def test_noise_in_pixels_has_kernels_in_pixels(protocol):
    own = Own("pixels")
    found, _ = layer_of(protocol, own, "features.0", "2", grid="pixels", orders=1)
    assert found.shape == (1, 52, 52)
    weights = own.network.features[0].weight.detach().numpy()[2, 0, 0]
    assert found.units == ("2,26,26",)
    assert found.first[0, 0, 26, 24:29] == pytest.approx(weights, abs=1e-6)


def test_frames_that_are_rows_have_their_kernels_in_one_movie():
    movie = load_protocol("movie-bar")
    own = Own("pixels")
    found, _ = layer_of(movie, own, "features.0", "0,18,18", orders=1, trials=100)
    assert found.shape == (9, 1, 9)
    by_frame = found.first[0, :, 0]
    assert by_frame == pytest.approx(np.tile(by_frame[0], (9, 1)), abs=1e-6)
    assert np.abs(by_frame[0]).max() > 0


def test_alternatives_that_share_a_pass_have_the_kernel_of_the_first(protocol):
    own = Own(shared=True)
    found, _ = layer_of(protocol, own, "features.0", orders=1)
    weights = own.network.features[0].weight.detach().numpy()[:, 0, 0]
    assert found.first[:, 0, 0, 4:9] == pytest.approx(weights, abs=1e-6)
    assert found.n == TRIALS


def test_a_layer_that_is_not_there_gets_the_nearest(protocol):
    with pytest.raises(LookupError, match=r"'feature.0'; did you mean 'features.0'\?"):
        layer_of(protocol, Own(), "feature.0")
    with pytest.raises(LookupError, match=r"'xyz'; there are features, features.0"):
        layer_of(protocol, Own(), "xyz")


@pytest.mark.parametrize("unit", ["3", "0,0", "0,0,13", "-1", "a", "", "0,0,0,0"])
def test_a_unit_that_is_not_there_is_refused(protocol, unit):
    rule = r"unit of layer 'features.0' must be a channel below 3, alone or with its pl"
    with pytest.raises(ValueError, match=rule):
        layer_of(protocol, Own(), "features.0", unit)


def test_a_layer_that_is_never_called_is_refused(protocol):
    rule = "layer 'spare' must be called when the network sees a stimulus, got no call"
    with pytest.raises(ValueError, match=rule):
        layer_of(protocol, Own(), "spare")


def test_an_observer_without_a_network_is_refused(protocol):
    class Bare(Linear):
        input_of = None

    rule = r"linear must have a network and input_of\(contrast\) for kernels of its lay"
    with pytest.raises(ValueError, match=rule):
        layer_of(protocol, Bare(), "0")


def test_a_surrogate_gradient_anywhere_is_refused(protocol):
    own = Own()
    own.network.spare.has_surrogate_gradient = True
    with pytest.raises(ValueError, match="got a surrogate gradient in 'spare'"):
        layer_of(protocol, own, "features.0")


def test_too_many_second_order_kernels_are_refused():
    with pytest.raises(ValueError, match=r"units x elements\^2 must be at most 2e\+07"):
        layer_of(
            load_protocol("gabor-in-noise"), Own("pixels"), "features.0", grid="pixels"
        )
