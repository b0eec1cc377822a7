"""Layers: found by name, read at a step, and no more computed than is needed."""

import pytest
import torch
from torch import nn

from yoked.models.networks.layers import Layer


class Recurrent(nn.Module):
    """Calls one module three times, then another that counts its calls."""

    def __init__(self):
        super().__init__()
        self.area = nn.Identity()
        self.after = Counting()

    def forward(self, x):
        for step in range(3):
            x = self.area(x + step)
        return self.after(x)


class Counting(nn.Module):
    n_calls = 0

    def forward(self, x):
        self.n_calls += 1
        return 10 * x


def test_a_recurrent_layer_is_read_at_a_step():
    network, x = Recurrent(), torch.zeros(2, 1)
    found = [float(Layer(network, "area", step).read(x)[0]) for step in (0, 1, 2, -1)]
    assert found == [0, 1, 3, 3]


def test_what_comes_after_the_layer_is_not_computed_again():
    network = Recurrent()
    layer = Layer(network, "area")
    for _ in range(3):
        layer.read(torch.zeros(2, 1))
    assert network.after.n_calls == 1  # the first pass finds how often it is called


def test_the_output_of_a_recurrent_module_is_its_sequence():
    network = nn.Sequential(nn.LSTM(3, 5, batch_first=True))
    assert Layer(network, "0").read(torch.zeros(2, 4, 3)).shape == (2, 4, 5)


def test_a_layer_that_is_not_there_gets_the_nearest_name():
    with pytest.raises(
        LookupError, match=r"no layer named 'aera'; did you mean 'area'"
    ):
        Layer(Recurrent(), "aera")


def test_a_name_near_to_none_gets_the_list():
    with pytest.raises(LookupError, match="no layer named 'x9'; there are area, after"):
        Layer(Recurrent(), "x9")


def test_a_step_that_never_comes_is_refused():
    with pytest.raises(
        ValueError, match="must be one of the layer's 3 in a pass, got 3"
    ):
        Layer(Recurrent(), "area", 3).read(torch.zeros(2, 1))


def test_a_layer_that_gives_no_tensor_is_refused():
    class Words(nn.Module):
        def forward(self, x):
            return "cat"

    with pytest.raises(ValueError, match="layer '0' must give a tensor, got str"):
        Layer(nn.Sequential(Words()), "0").read(torch.zeros(2))
    with pytest.raises(ValueError, match="the network must give a tensor, got str"):
        Layer(Words()).read(torch.zeros(2))
