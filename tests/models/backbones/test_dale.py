"""Dale's principle: signs by sender, the same everywhere, through training."""

import pytest
import torch
from torch import nn

from yoked.models.backbones.dale import dale
from yoked.models.networks.named import build


@pytest.mark.parametrize("name", ["plain-cnn", "resnet-18", "blt", "mobilenet-v2"])
def test_signs_hold_after_steps_of_training(name):
    network = dale(build(name, 1, n_classes=2, size="small", seed=1))
    layers = [m for m in network.modules() if hasattr(m, "parametrizations")]
    signs = [m.parametrizations.weight[0].signs for m in layers]
    optimiser = torch.optim.Adam(network.parameters(), lr=0.05)
    x = torch.randn(4, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    for _ in range(3):
        optimiser.zero_grad()
        network(x).square().mean().backward()
        optimiser.step()
    for layer, sign in zip(layers, signs, strict=True):
        assert (layer.weight * sign >= 0).all()


def test_a_channel_has_one_sign_wherever_it_goes():
    network = dale(build("alexnet", 1, n_classes=2, size="small", seed=1))
    conv, first_linear = network.features[10], network.classifier[1]
    assert conv.weight.sign().unique(dim=0).shape[0] == 1  # one pattern for all
    by_place = first_linear.weight.unflatten(1, (32, 4)).sign()  # channel, place
    assert (by_place == by_place[:, :, :1]).all()
    assert by_place[0, :, 0].tolist() == [1.0] * 24 + [-1.0] * 8


def test_the_first_layer_and_magnitudes_of_excitation_stay_and_both_balance():
    network = build("plain-cnn", 1, n_classes=2, size="small", seed=1)
    first, second = (network.get_submodule(f"stage{n}")[0] for n in (1, 2))
    before = first.weight.clone(), second.weight.abs()
    dale(network)
    assert torch.equal(first.weight, before[0])
    assert torch.equal(second.weight[:, :12], before[1][:, :12])
    assert torch.allclose(second.weight[:, 12:], -3 * before[1][:, 12:])
    total, size = second.weight.sum(), second.weight.abs().sum()
    assert abs(float((total / size).detach())) < 0.05


def test_the_share_of_inhibition_can_be_chosen():
    def share(inhibitory):
        network = dale(nn.Sequential(nn.Linear(1, 20), nn.Linear(20, 1)), inhibitory)
        return float((network[1].weight < 0).float().mean())

    assert share(0.2) == pytest.approx(0.2)
    assert share(0.0) == 0
    with pytest.raises(ValueError, match="inhibitory must be from 0 to below 1, got 1"):
        share(1)


def test_a_network_of_one_layer_is_refused():
    with pytest.raises(ValueError, match="in a network of two layers with weights or"):
        dale(nn.Sequential(nn.Linear(2, 2)))
