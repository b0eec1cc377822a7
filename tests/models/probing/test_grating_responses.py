"""Gratings through layers: where units look, known filters, VOneBlock's battery."""

import numpy as np
import pytest
import torch
from torch import nn

import yoked
from tests import ROOT
from yoked.analysis.tuning.battery import battery
from yoked.analysis.tuning.properties import firing_rates, properties_of
from yoked.experiments.recordings.ringach2002 import load_ringach2002
from yoked.models.backbones.vone_block import VOneBlock, VOneConfig
from yoked.models.probing.grating_responses import GratingReader

RINGACH = ROOT.parent / "shared" / "data" / "ringach2002"
# The raw similarities of an independent implementation, of mean rates (seed 0).
VONE = {
    "circular_variance": 0.730,
    "orientation_bandwidth": 0.878,
    "orthogonal_ratio": 0.696,
    "orientation_selective": 0.993,
    "variance_over_bandwidth": 0.742,
    "ratio_less_variance": 0.850,
    "modulation_ratio": 0.713,
    "max_dc": 0.807,
    "preferred_orientation": 0.953,
    "peak_frequency": 0.917,
    "frequency_bandwidth": 0.868,
    "frequency_selective": 0.945,
    "suppression_index": 0.359,
    "summation_field": 0.615,
    "surround_diameter": 0.368,
}


class Filters(nn.Module):
    """Cosines under Gaussian windows, of known orientation: 2 c/deg at 8 px/deg."""

    def __init__(self, orientations):
        super().__init__()
        place = (torch.arange(11) - 5) / 8
        y, x = torch.meshgrid(place, place, indexing="ij")
        theta = torch.deg2rad(torch.tensor(orientations))[:, None, None]
        along = x * torch.cos(theta) + y * torch.sin(theta)
        window = torch.exp(-(x**2 + y**2) / (2 * 0.3**2))
        both = [f(2 * torch.pi * 2 * along) * window for f in (torch.cos, torch.sin)]
        self.register_buffer("filters", torch.cat(both)[:, None])
        self.energy = nn.Identity()

    def forward(self, x):
        pair = nn.functional.conv2d(x, self.filters, padding=5).unflatten(1, (2, -1))
        return self.energy((pair**2).sum(1)).mean((2, 3))[:, :1]


class VOne(nn.Module):
    def __init__(self):
        super().__init__()
        self.v1 = VOneBlock(1, VOneConfig())

    def forward(self, x):
        return self.v1(x).mean((1, 2, 3))[:, None]


def test_energy_filters_look_where_they_stand_and_prefer_what_they_hold():
    given = [0.0, 30.0, 75.0, 120.0]
    observer = yoked.from_torch(
        Filters(given), field_deg=4.0, size_px=32, preprocess="gray"
    )
    told = []
    reader = GratingReader(
        observer, "energy", progress=lambda done, total: told.append((done, total))
    )
    responses = reader.responses()
    assert told[-1] == (9097, 9097)
    # (.5, .5) degrees is a corner of four pixels, whose middles are within .15.
    assert reader.n_units == len(given) * 4
    found = properties_of(firing_rates(responses))
    preferred = found["preferred_orientation"].reshape(len(given), 4)
    assert np.abs(preferred - np.array(given)[:, None]).max() <= 3
    assert np.abs(np.log2(found["peak_frequency"] / 2)).max() < 0.25
    assert found["modulation_ratio"].max() < 0.2  # energy knows no phase


def test_a_layer_that_looks_elsewhere_is_told():
    corner = nn.Sequential(nn.Conv2d(1, 2, 5), nn.Flatten(), nn.Linear(2 * 28 * 28, 1))
    with torch.no_grad():
        corner[2].weight.zero_()
        corner[2].weight[0, 0] = 1.0
    observer = yoked.from_torch(corner, field_deg=4.0, size_px=32, preprocess="gray")
    with pytest.raises(ValueError, match=r"within 0.15 degrees of .*none"):
        GratingReader(observer, "2").responses()
    with pytest.raises(ValueError, match="passes must be 1 or more, got 0"):
        GratingReader(observer, "2", passes=0)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(
    not RINGACH.is_dir(), reason="the table of Ringach et al. (2002) is not here"
)
def test_vone_block_scores_what_an_independent_implementation_has():
    # 80 of the 224 px, around which no grating that its middle cells see goes on.
    observer = yoked.from_torch(
        VOne(), field_deg=80 / 28, size_px=80, preprocess="gray"
    )
    responses = GratingReader(observer, "v1", noise=False).responses()
    found = battery(responses, "vone-block", "v1", load_ringach2002(RINGACH))
    for score in found.properties:
        assert score.similarity.value == pytest.approx(VONE[score.name], abs=0.02)
    variance = found.properties[0]
    assert variance.median == pytest.approx(0.376, abs=0.01)


class Noisy(nn.Module):
    """Draws noise of its own for every picture."""

    def forward(self, x):
        return x + 0.01 * torch.randn_like(x)


def test_what_one_set_gives_does_not_depend_on_which_others_are_shown():
    torch.manual_seed(1)
    filters = nn.Sequential(nn.Conv2d(1, 4, 5, padding=2), Noisy())
    noisy = yoked.from_torch(filters, preprocess="gray", size_px=15, field_deg=2.5)
    whole = GratingReader(noisy, "1").responses()
    part = GratingReader(noisy, "1").responses(("orientation", "size"))
    assert part.frequency is None
    for name in ("blank", "orientation", "size"):
        assert np.array_equal(getattr(part, name), getattr(whole, name))


@pytest.mark.parametrize(("what", "told"), [("field_deg", 8), ("size_px", 32)])
def test_what_a_network_says_itself_cannot_be_told(what, told):
    filters = nn.Sequential(nn.Conv2d(1, 4, 5, padding=2))
    own = yoked.from_torch(filters, preprocess="gray", size_px=15, field_deg=2.5)
    with pytest.raises(ValueError, match=f"{what} must be left out .* got {told}"):
        GratingReader(own, "0", **{what: told})
