"""`element-mlp`: it sees one number an element, and is an observer like others."""

import numpy as np
import pytest
import torch

import yoked
from yoked.experiments.session.observer import ObserverNoise, Practice, Viewing
from yoked.models.networks.element_mlp import ElementMLP, element_mlp
from yoked.models.registry import kind, names


def test_pixels_of_an_element_count_by_their_mean_alone():
    torch.manual_seed(1)
    network = ElementMLP(2, (4, 6), (2, 3), (8,))
    x = torch.rand(5, 2, 4, 6)
    means = x.reshape(5, 2, 2, 2, 2, 3).mean((3, 5))
    same = means.repeat_interleave(2, 2).repeat_interleave(3, 3)
    torch.testing.assert_close(network(x), network(same))
    assert network.layers[0].in_features == 2 * 2 * 2


@pytest.mark.parametrize("name", ["bar-in-noise", "movie-bar"])
def test_it_takes_part_and_can_be_trained(name):
    protocol = yoked.load_protocol(name)
    observer, practice = element_mlp(widths=[32]), Practice(protocol)
    observer.prepare(Viewing.of(protocol))
    observer.learn(practice)
    _, frames = practice.draw(16)
    found = observer.decide(frames, ObserverNoise(1, np.arange(16)))
    assert found.shape == (16, protocol.n_intervals)
    assert observer.parameters["widths"] == [32]
    shown = (Viewing.of(protocol), protocol.frame_shape, protocol.n_intervals)
    one, again, other = (
        element_mlp(seed=seed).trainable(*shown).state_dict() for seed in (1, 1, 2)
    )
    first = "network.layers.0.weight"
    assert torch.equal(one[first], again[first])
    assert not torch.equal(one[first], other[first])


def test_it_is_listed_as_a_network():
    assert "element-mlp" in names()
    assert kind("element-mlp") == "network"


def test_widths_are_whole_numbers():
    with pytest.raises(ValueError, match=r"whole numbers of units, .* got \[8, 0\]"):
        element_mlp(widths=[8, 0])
