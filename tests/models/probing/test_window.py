"""What units see: the receptive field of known networks, and none of dead ones."""

import numpy as np
import pytest
import torch
from torch import nn

import yoked
from yoked.models.probing.pictures import PictureReader
from yoked.models.probing.window import middle_units, seen_window


def reader_of(network, layer):
    observer = yoked.from_torch(network, preprocess="gray", size_px=24, field_deg=4)
    return PictureReader(observer, [layer], 4 / 24, (1, 24, 24))


def pictures(n=40):
    rng = np.random.default_rng(1)
    return torch.from_numpy(rng.uniform(-1, 1, (n, 1, 24, 24)).astype(np.float32))


@pytest.mark.parametrize("pool", [nn.MaxPool2d(2), nn.AvgPool2d(2)])
def test_the_window_is_the_receptive_field(pool):
    torch.manual_seed(1)
    network = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), pool, nn.Conv2d(8, 8, 3, padding=1)
    )
    reader = reader_of(network, "3")
    units = middle_units((8, 12, 12))
    # 3 of the 12 places, each of 2 px and the px beside them: from 2 * 5 - 1 to 2 * 8.
    assert seen_window(reader, "3", units, pictures()) == (slice(9, 17), slice(9, 17))


def test_nothing_outside_the_window_changes_a_unit():
    torch.manual_seed(2)
    observer = yoked.load_observer("plain-cnn", weights="random", seed=3)
    reader = PictureReader(observer, ["stage2"], 4 / 56, (1, 56, 56))
    rng = np.random.default_rng(2)
    shown = torch.from_numpy(rng.uniform(-1, 1, (64, 1, 56, 56)).astype(np.float32))
    units = middle_units((32, 16, 16))
    rows, columns = seen_window(reader, "stage2", units, shown)
    other = torch.from_numpy(rng.uniform(-1, 1, (64, 1, 56, 56)).astype(np.float32))
    other[..., rows, columns] = shown[..., rows, columns]
    found = [
        reader.read(each)["stage2"].flatten(1)[:, units] for each in (shown, other)
    ]
    assert torch.allclose(*found, atol=1e-5)
    other[..., rows, columns] = -shown[..., rows, columns]
    assert not torch.allclose(
        found[0], reader.read(other)["stage2"].flatten(1)[:, units], atol=1e-2
    )


def test_units_that_nothing_changes_have_no_window():
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU())
    with torch.no_grad():
        network[0].bias.fill_(-1e3)
    with pytest.raises(ValueError, match="must be changed by some pixel"):
        seen_window(reader_of(network, "1"), "1", middle_units((2, 22, 22)), pictures())
