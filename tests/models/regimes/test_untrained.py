"""What training begins with: random weights, scaled, of its seed."""

import pytest
import torch

import yoked
from yoked.models.regimes.untrained import untrained


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    image = pytest.importorskip("PIL.Image")
    folder = tmp_path_factory.mktemp("pictures")
    for part in ("fit", "new"):
        for kind, gray in (("dark", 40), ("light", 180)):
            (folder / part / kind).mkdir(parents=True)
            for i in range(6):
                file = folder / part / kind / f"{i}.png"
                image.new("L", (16, 16), gray + 9 * i + (part == "new")).save(file)
    return {
        "network": {"name": "plain-cnn", "seed": 3},
        "pictures": {
            "fit": str(folder / "fit"),
            "held_out": str(folder / "new"),
            "size_px": 16,
        },
        "training": {"steps": 2, "batch": 4, "rate": 1e-9, "decay": 0.0},
    }


def test_a_training_that_stands_still_is_where_it_began(recipe, tmp_path):
    made = untrained(recipe, tmp_path / "first.safetensors")
    still = yoked.train_on_pictures(recipe).weights
    for name, values in made.weights.items():
        if not name.startswith("decoder"):  # where features' mean and SD are folded in
            assert torch.allclose(values, still[name], atol=1e-6)
    read = yoked.read_weights(str(tmp_path / "first.safetensors"))
    assert set(read) == set(made.weights)
    observer = yoked.load_observer(
        "plain-cnn", file=str(tmp_path / "first.safetensors"), pooling="none"
    )
    assert observer.sight().size_px == 64


def test_another_seed_begins_elsewhere(recipe):
    other = {**recipe, "network": {"name": "plain-cnn", "seed": 4}}
    one, two = (untrained(each).weights["stage1.0.weight"] for each in (recipe, other))
    assert not torch.equal(one, two)
    assert torch.equal(one, untrained(recipe).weights["stage1.0.weight"])
