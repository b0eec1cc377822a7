"""Locally connected layers: at first a convolution, then free at each place."""

import pytest
import torch
from torch import nn

from yoked.models.backbones.unshared import unshared


@pytest.mark.parametrize(
    "conv",
    [
        nn.Conv2d(2, 3, 3, padding=1),
        nn.Conv2d(2, 3, 5, stride=2, padding=2, bias=False),
        nn.Conv2d(2, 3, (3, 1), stride=(1, 2), dilation=(2, 1)),
    ],
)
def test_an_unshared_layer_starts_equal_to_its_convolution(conv):
    x = torch.randn(2, 2, 12, 9, generator=torch.Generator().manual_seed(0))
    layer = unshared(conv, (12, 9))
    assert torch.allclose(layer(x), conv(x), atol=1e-6)
    n_places = layer.out_size[0] * layer.out_size[1]
    assert layer.weight.numel() == conv.weight.numel() * n_places


def test_training_makes_its_places_differ():
    layer = unshared(nn.Conv2d(1, 1, 3), (6, 6))
    x = torch.randn(8, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    optimiser = torch.optim.SGD(layer.parameters(), lr=0.1)
    layer(x).square().sum().backward()
    optimiser.step()
    assert layer.weight.std(dim=2).min() > 0


def test_it_takes_a_convolutions_place_in_a_network():
    network = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
    x = torch.ones(1, 1, 8, 8)
    before = network(x)
    network[0] = unshared(network[0], (8, 8))
    assert torch.allclose(network(x), before, atol=1e-6)


def test_other_convolutions_and_sizes_are_refused():
    for conv in (nn.Conv2d(2, 2, 3, groups=2), nn.Conv2d(1, 1, 3, padding="same")):
        with pytest.raises(ValueError, match="must be of one group and padded with"):
            unshared(conv, (8, 8))
    layer = unshared(nn.Conv2d(1, 1, 3), (8, 8))
    with pytest.raises(
        ValueError, match=r"must be \(8, 8\) px as it was made, got \(9"
    ):
        layer(torch.zeros(1, 1, 9, 8))
