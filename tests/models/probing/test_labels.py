"""A network's choices: written as a table, read by choices and objects."""

import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torch import nn

import yoked
from yoked.app.cli import cli
from yoked.models.probing.readout import OwnClasses, read_indices

Image = pytest.importorskip("PIL.Image")
SHAPES, TEXTURES = ("disk", "box"), {"disk": 1, "box": 0}


def drawn(shape, texture, rng):
    """Draw a shape filled with stripes along an axis, on gray."""
    y, x = np.mgrid[:64, :64] - 31.5 + rng.integers(-2, 3, (2, 1, 1))
    inside = np.hypot(x, y) < 24 if shape == "disk" else np.maximum(abs(x), abs(y)) < 21
    stripes = np.sin((x, y)[TEXTURES[texture]] * np.pi / 4 + rng.uniform(0, 6))
    return np.where(inside, 128 + 100 * stripes, 128).astype(np.uint8)


def written(folder, cues, n, seed):
    rng = np.random.default_rng(seed)
    for shape, texture in cues:
        (folder / shape).mkdir(parents=True, exist_ok=True)
        for i in range(n):
            picture = Image.fromarray(drawn(shape, texture, rng))
            picture.save(folder / shape / f"{shape}{seed}{i}-{texture}{i}.png")
    return folder


class Stripes(nn.Module):
    """Sees texture alone: how much changes along x, and along y."""

    def __init__(self):
        super().__init__()
        self.seen = nn.Identity()

    def forward(self, x):
        along = [x.diff(dim=d).square().mean((1, 2, 3)) for d in (-1, -2)]
        return self.seen(torch.stack(along, dim=1))


class Logits(nn.Module):
    """Says class 2 of bright pictures, and class 0 of dark ones."""

    def forward(self, x):
        bright = x.mean((1, 2, 3))
        return torch.stack([-bright, -9 + 0 * bright, bright], dim=1) * 9


def network(module):
    return yoked.from_torch(
        module, name="stripes", field_deg=4.0, size_px=64, preprocess="gray"
    )


def test_a_network_that_sees_texture_alone_has_a_shape_bias_of_0(tmp_path):
    same = [(shape, shape) for shape in SHAPES]
    crossed = [("disk", "box"), ("box", "disk")]
    fit = written(tmp_path / "fit", same, 12, 1)
    new = written(tmp_path / "new", crossed, 12, 2)
    table = yoked.label_pictures(
        network(Stripes()), new, fit, "seen", size_px=64, name="texture"
    )
    assert len(table) == 24
    assert np.allclose(table.filter(like="probability_").sum(axis=1), 1)
    found = yoked.choices(yoked.read_choices(table))
    (net,) = found.observers
    assert (net.is_model, found.conflicts.n_conflicts) == (True, 24)
    assert net.shape_bias.value == 0
    assert net.proportion_correct.value == 0
    given = yoked.read_object_probabilities(table)
    assert (given.observer, given.object) == ("texture", ("box", "disk"))


def test_own_classes_are_put_together(tmp_path):
    for name, gray in (("dark", 20), ("light", 230)):
        (tmp_path / "new" / name).mkdir(parents=True)
        for i in range(3):
            file = tmp_path / "new" / name / f"{i}.png"
            Image.new("L", (40, 32), gray + i).save(file)
    table = yoked.label_pictures(
        network(Logits()),
        tmp_path / "new",
        indices={"dark": [0, 1], "light": [2]},
        size_px=32,
    )
    assert (table.choice == table.category).all()
    assert table.image.tolist()[0] == "dark/0.png"  # the name comes twice


def test_the_command_writes_what_choices_reads(tmp_path):
    same = [(shape, shape) for shape in SHAPES]
    fit = written(tmp_path / "fit", same, 4, 1)
    new = written(tmp_path / "new", same, 4, 2)
    words = ["label", "cornet-z", new, "--fit", fit, "--layer", "it", "--size-px", 64]
    words += ["--option", "seed=1", "-o", tmp_path / "net.csv"]
    ran = CliRunner().invoke(cli, [str(word) for word in words])
    assert ran.exit_code == 0, ran.output
    said = json.loads(ran.stdout)
    assert said["n_pictures"] == 8
    (net,) = yoked.choices(yoked.read_choices(tmp_path / "net.csv")).observers
    assert net.proportion_correct.value == said["proportion_correct"]


def test_what_is_wrong_is_said_in_one_sentence(tmp_path):
    folder = written(tmp_path / "fit", [("disk", "disk"), ("box", "box")], 2, 1)
    net = network(Stripes())
    with pytest.raises(ValueError, match="must be other ones than those that the read"):
        yoked.label_pictures(net, folder, folder, "seen", size_px=64)
    with pytest.raises(ValueError, match="fit or indices must be given, one of them"):
        yoked.label_pictures(net, folder)
    with pytest.raises(ValueError, match="class numbers must be below 2, the"):
        OwnClasses({"a": [0], "b": [7]}).probabilities(np.zeros((1, 2)))
    (tmp_path / "classes.toml").write_text("cat = 3", encoding="utf-8")
    with pytest.raises(ValueError, match="must be a list of class numbers, like"):
        read_indices(tmp_path / "classes.toml")
