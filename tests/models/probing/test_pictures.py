"""Pictures through layers: field, cut, code values, noise, trained networks."""

import numpy as np
import pytest
import torch
from torch import nn

import yoked
from yoked.models.probing.pictures import PictureReader
from yoked.models.white_box.network import outputs_of

SHORT = {
    "steps": 2,
    "batch": 8,
    "held_out": 200,
    "scored": 300,
    "checkpoint_every": 2,
}


class Pixels(nn.Module):
    """Gives its input, by a module that can be read."""

    def __init__(self):
        super().__init__()
        self.seen = nn.Identity()

    def forward(self, x):
        return self.seen(x).mean((1, 2, 3))[:, None]


def test_the_middle_of_a_picture_is_seen_and_the_rest_is_cut_off():
    observer = yoked.from_torch(Pixels(), field_deg=2.0, size_px=8, preprocess="gray")
    reader = PictureReader(observer, ["seen"], 0.25, (1, 12, 14))
    picture = torch.linspace(-1, 1, 12 * 14).view(1, 1, 12, 14)
    found = reader.read(picture)["seen"]
    assert torch.allclose(found, picture[:, :, 2:-2, 3:-3])


def test_a_small_picture_stands_in_the_middle_of_the_background():
    observer = yoked.from_torch(Pixels(), field_deg=2.0, size_px=8, preprocess="gray")
    found = PictureReader(observer, ["seen"], 0.25, (1, 4, 4)).read(
        torch.ones(1, 1, 4, 4)
    )["seen"]
    expected = torch.zeros(1, 1, 8, 8)
    expected[..., 2:-2, 2:-2] = 1
    assert torch.equal(found, expected)


def test_a_network_of_photographs_gets_code_values():
    observer = yoked.from_torch(Pixels(), preprocess={"normalise": "none"}, size_px=4)
    codes = torch.tensor([0, 51, 128, 255]).repeat(4, 1)
    contrast = (2 * codes / 255 - 1)[None, None]
    found = PictureReader(observer, ["seen"], 1.0, (1, 4, 4)).read(contrast)["seen"]
    assert torch.allclose(found[0, 0], codes / 255, atol=1e-6)


def test_several_layers_in_one_pass_are_those_that_are_read_alone():
    observer = yoked.load_observer("bl", seed=1)  # its layers are called at each step
    pictures = torch.rand(3, 1, 40, 40, generator=torch.manual_seed(1)) * 2 - 1
    shown = (0.1, (1, 40, 40))
    names = ["layer1", "layer2", "decoder"]
    together = PictureReader(observer, names, *shown).read(pictures)
    for name in names:
        alone = PictureReader(observer, [name], *shown).read(pictures)
        assert torch.equal(alone[name], together[name])


def test_noise_depends_on_a_pictures_number_alone_and_can_be_left_out():
    observer = yoked.load_observer("vonenet", seed=1)
    pictures = torch.zeros(5, 1, 64, 64)
    reader = PictureReader(observer, ["v1"], 1 / 16, (1, 64, 64), seed=3)
    whole = reader.read(pictures, 7)["v1"]
    assert torch.equal(reader.read(pictures[2:], 9)["v1"], whole[2:])
    assert not torch.equal(whole[0], whole[1])
    silent = PictureReader(observer, ["v1"], 1 / 16, (1, 64, 64), noise=False)
    assert not silent.read(pictures)["v1"].any()


@pytest.mark.parametrize(
    ("name", "layer"),
    [("retina-cnn", "second_rates"), ("plain-cnn", "stage2")],
)
def test_a_trained_network_sees_what_it_saw_in_its_task(
    name, layer, tmp_path, protocol
):
    recipe = {
        "network": {"name": name},
        "goal": {"kind": "task", "protocol": "bar-in-noise"},
        "training": SHORT,
    }
    path = tmp_path / "made.safetensors"
    yoked.train(recipe, path)
    observer = yoked.load_observer(str(path))
    shape, deg_per_px = observer.told.frame_shape, observer.told.viewing.deg_per_px
    picture = torch.rand(2, *shape, generator=torch.manual_seed(2)) - 0.5
    reader = PictureReader(observer, [layer], deg_per_px, shape)
    if name == "retina-cnn":  # the others get code values in place of light
        with outputs_of(observer.network.second_rates) as calls, torch.no_grad():
            observer.scores(picture[:, None])
        assert torch.allclose(reader.read(picture)[layer], calls[0], atol=1e-6)
    larger = torch.zeros(2, 1, shape[1] + 20, shape[2] + 20)
    larger[..., 10:-10, 10:-10] = picture
    cut = PictureReader(observer, [layer], deg_per_px, tuple(larger.shape[1:]))
    assert np.isclose(reader.field_deg, cut.field_deg)
    if name == "retina-cnn":
        assert torch.equal(cut.read(larger)[layer], reader.read(picture)[layer])


def test_what_cannot_be_shown_is_told():
    network = yoked.load_observer("cornet-z", seed=1)
    with pytest.raises(ValueError, match="must be a network that can be shown any pic"):
        PictureReader(yoked.load_observer("guesser"), ["v1"], 0.1, (1, 8, 8))
    with pytest.raises(LookupError, match="no layer named 'v3'"):
        PictureReader(network, ["v3"], 0.1, (1, 8, 8))
    with pytest.raises(ValueError, match="layers must be one or more, got none"):
        PictureReader(network, [], 0.1, (1, 8, 8))
    with pytest.raises(ValueError, match="deg_per_px must be more than 0, got 0"):
        PictureReader(network, ["v1"], 0, (1, 8, 8))
    reader = PictureReader(network, ["v1"], 0.1, (1, 8, 8))
    with pytest.raises(ValueError, match=r"pictures must be \(1, 8, 8\) .* got \(1, 8"):
        reader.read(torch.zeros(1, 1, 8, 9))
