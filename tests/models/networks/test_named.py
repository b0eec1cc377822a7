"""Networks by name: what is known of each is true of it."""

import pytest
import torch
from torch import nn

from yoked.models.networks.controls import Controls, apply
from yoked.models.networks.inputs import NORMALISATIONS
from yoked.models.networks.named import NAMES, NETWORKS, known, make


@pytest.mark.parametrize("name", NAMES)
def test_what_is_known_of_a_network_is_true_of_it(name):
    told = known(name)
    network = make(name, in_channels=1, n_classes=2)
    assert getattr(network, "takes_steps", False) == told.takes_steps
    assert told.normalisation in NORMALISATIONS
    read = []
    layer = network.get_submodule(told.layer)
    layer.register_forward_hook(lambda _, __, output: read.append(output))
    with torch.no_grad():
        network(torch.zeros(3, 1, 28, 28))
    features = read[-1].flatten(1)
    assert len(features) == 3
    assert features.shape[1] >= 16


@pytest.mark.parametrize("name", ["cornet-z", "vonenet", "ssn"])
def test_the_same_seed_makes_the_same_network_and_torchs_generator_stays(name):
    before = torch.get_rng_state()
    one, same, other = (
        make(name, in_channels=1, n_classes=2, seed=seed).state_dict()
        for seed in (1, 1, 2)
    )
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(one[key], same[key]) for key in one)
    assert any(not torch.equal(one[key], other[key]) for key in one)


def test_networks_are_made_ready_to_respond():
    assert not make("resnet-18", in_channels=1, n_classes=2).training


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"ssn"}))  # reads its rates
def test_a_network_leaves_nothing_on_the_cpu(name):
    lesions = (known(name).layer, f"{known(name).layer}:3")
    network = make(name, in_channels=1, n_classes=2, controls=Controls(lesions=lesions))
    if any(isinstance(module, nn.MaxPool2d) for module in network.modules()):
        apply(network, Controls(pooling="none"))
    assert network.to("meta")(torch.zeros(2, 1, 28, 28, device="meta")).is_meta


def test_the_thirteen_networks_are_there():
    assert len(NAMES) == len(NETWORKS) == 13


def test_unknown_networks_and_sizes_are_refused():
    with pytest.raises(LookupError, match="no network named 'cornet-x'; did you mean"):
        make("cornet-x", in_channels=1, n_classes=2)
    with pytest.raises(LookupError, match="no network named 'zebra'; there are plain-"):
        known("zebra")
    with pytest.raises(ValueError, match="size must be one of small, full, got 'tiny'"):
        make("cornet-z", in_channels=1, n_classes=2, size="tiny")
