"""Backbones at full size have the published numbers of parameters."""

from itertools import pairwise

import pytest
import torch

from yoked.models.backbones.bl_net import BLNet, BLTConfig
from yoked.models.backbones.cornet_s import CORnetS
from yoked.models.networks.named import NETWORKS, build

PUBLISHED = {
    "alexnet": 61_100_840,
    "resnet-18": 11_689_512,
    "cornet-z": 2_071_656,
    "cornet-rt": 5_208_936,
    "cornet-s": 53_416_616,
    "mobilenet-v2": 3_504_872,
    "efficientnet-lite0": 4_652_008,
}
# Not published: V1 of CORnet-S (46,528) gives way to the bottleneck (512 x 64).
VONENET = 53_416_616 - 46_528 + 512 * 64


def n_parameters(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_network_has_as_many_parameters_as_published(name):
    with torch.device("meta"):
        network = build(name, in_channels=3, n_classes=1000, size="full", seed=1)
    assert n_parameters(network) == PUBLISHED[name]


def test_the_parts_of_cornet_s_have_as_many_as_published():
    with torch.device("meta"):
        network = CORnetS(3, 1000)
    parts = {name: n_parameters(part) for name, part in network.named_children()}
    assert parts == {
        "v1": 46_528,
        "v2": 2_519_808,
        "v4": 10_078_720,
        "it": 40_258_560,
        "decoder": 513_000,
    }


def test_vonenet_is_cornet_s_with_another_v1():
    with torch.device("meta"):
        network = build("vonenet", in_channels=3, n_classes=1000, size="full", seed=1)
    assert n_parameters(network) == VONENET


def test_bl_has_26_75_million_weights_in_convolutions_and_blt_more_top_down():
    def n_weights(network: torch.nn.Module) -> int:
        return sum(p.numel() for p in network.parameters() if p.dim() == 4)

    with torch.device("meta"):
        bl, blt = BLNet(3, 1000), BLNet(3, 1000, BLTConfig())
    assert n_weights(bl) == 26_753_824
    assert bl.n_steps == 8
    c = (96, 128, 192, 256, 512, 1024, 2048)
    top_down = sum(9 * a * b for a, b in pairwise(c))
    assert n_weights(blt) - n_weights(bl) == top_down


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("side", [28, 64])
def test_the_small_variant_takes_28_to_64_px_and_is_small(name, side):
    network = build(name, in_channels=1, n_classes=2, size="small", seed=1).eval()
    with torch.no_grad():
        answers = network(torch.zeros(2, 1, side, side))
    assert answers.shape == (2, 2)
    assert answers.isfinite().all()
    assert n_parameters(network) < 1_000_000


def test_full_networks_take_their_own_size():
    for name, known in NETWORKS.items():
        # The shapes alone, but where a circuit looks at its rates.
        with torch.device("cpu" if name == "ssn" else "meta"), torch.no_grad():
            network = build(name, in_channels=3, n_classes=1000, size="full", seed=1)
            side = known.size_px
            assert network.eval()(torch.zeros(1, 3, side, side)).shape == (1, 1000)
