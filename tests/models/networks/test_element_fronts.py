"""Fronts of `element-mlp`: what each does to contrast, and that they are read alike."""

import pytest
import torch

import yoked
from yoked.experiments.session.observer import Viewing
from yoked.models.networks.element_fronts import FRONTS, element_front
from yoked.models.networks.element_mlp import element_mlp

BARS = 0.05, (52, 52), (52, 4)  # bar-in-noise


def bars(n=64, sd=0.1):
    torch.manual_seed(2)
    columns = sd * torch.randn(n, 1, 1, 13).repeat_interleave(4, 3)
    return columns.expand(n, 1, 52, 52).contiguous()


@pytest.mark.parametrize("name", FRONTS)
def test_each_has_one_place_an_element_and_is_near_1_for_noise_of_a_tenth(name):
    front = element_front(name, *BARS)
    seen = front(bars())
    assert seen.shape[-2:] == (1, 13)
    assert seen[0].numel() == 13 * front.n_channels
    assert 0.4 < float(seen.square().mean().sqrt()) < 2.5
    torch.testing.assert_close(front(0 * bars()), 0 * seen)  # gray gives nothing
    assert not list(front.parameters())


@pytest.mark.parametrize("name", FRONTS)
def test_rectification_is_what_tells_the_retinas_apart(name):
    front = element_front(name, *BARS)
    one, other = bars(), bars().flip(-1)
    is_additive = torch.allclose(
        front(one + other), front(one) + front(other), atol=1e-5
    )
    assert is_additive == (name in ("none", "linear-retina"))
    if name == "retina":
        linear = element_front("linear-retina", *BARS)
        on, off = front(one).unbind(2)
        torch.testing.assert_close(on - off, linear(one)[:, :, 0], atol=1e-5, rtol=0)


def test_an_observer_says_which_front_it_has():
    assert "front" not in element_mlp().parameters
    observer = yoked.load_observer("element-mlp", front="vone-block")
    assert observer.parameters["front"] == "vone-block"
    protocol = yoked.load_protocol("movie-bar")
    shown = Viewing.of(protocol), protocol.frame_shape, protocol.n_intervals
    network = observer.trainable(*shown)
    contrast = torch.zeros(2, *shown[1]).expand(2, 2, *shown[1])
    assert network(contrast).shape == (2, 2)


def test_an_unknown_front_is_one_sentence():
    with pytest.raises(ValueError, match="front must be one of none, retina, linear-"):
        element_mlp(front="thalamus")
