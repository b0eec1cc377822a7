"""Training on pictures: what is learnt, repeated, resumed, loaded and refused."""

import numpy as np
import pytest
import torch

import yoked
from yoked.models.probing.pictures import PictureReader
from yoked.models.regimes.loop import HELD_OUT, rows_of
from yoked.models.regimes.train import PicturePlan

from .pictures import KINDS, SIZE, recipe


@pytest.mark.parametrize(
    "network",
    [
        {},
        {"options": {"activation": "tanh", "pooling": "average"}},
        {"options": {"front": "vone-block"}},
        {"name": "resnet-18"},
        {"name": "bl"},
    ],
    ids=["plain", "tanh", "vone-block", "with normalisation", "in time"],
)
def test_a_network_learns_what_pictures_show(folder, network):
    steps = {"bl": 25, "resnet-18": 40}.get(network.get("name", ""), 40)
    made = yoked.train_on_pictures(recipe(folder, steps, network))
    assert made.categories == KINDS
    assert made.held_out_correct > 0.9


def test_what_was_learnt_is_what_a_network_of_that_name_has(folder, tmp_path):
    file = tmp_path / "net.safetensors"
    plan = PicturePlan(recipe(folder))
    made = plan.run(file)
    observer = yoked.load_observer("plain-cnn", file=str(file), size_px=2 * SIZE)
    across = 4.0 / SIZE
    reader = PictureReader(observer, [""], across, (1, SIZE, SIZE))
    contrast = torch.from_numpy(plan.held_out.contrast)
    logits = reader.read(contrast)[""]
    assert logits.shape == (100, 2)
    right = (logits.argmax(1).numpy() == plan.held_out.labels).mean()
    assert right == pytest.approx(made.held_out_correct)
    # The standardised classifier became part of the weights: they say the same.
    torch.testing.assert_close(logits, plan.learner.asked(plan.held_out.contrast))


def test_the_same_recipe_gives_the_same_weights_and_another_seed_others(folder):
    one, same = (yoked.train_on_pictures(recipe(folder, 4)) for _ in range(2))
    other = yoked.train_on_pictures(recipe(folder, 4), seed=2)
    assert one.weights_hash == same.weights_hash != other.weights_hash


class Killed(Exception):
    """Stands for whatever ends a training."""


@pytest.mark.parametrize(
    "regime",
    [
        {},
        {"kind": "similarity", "layers": ["stage1", "stage2"]},
        {"kind": "adversarial", "attack_steps": 2},
    ],
    ids=["plain", "similarity", "adversarial"],
)
def test_a_killed_training_goes_on_to_the_same_weights(folder, tmp_path, regime):
    if regime.get("kind") == "similarity":
        regime = {**regime, "population": {"units": 16, "repeats": 1}}
    given = recipe(folder, 10, **regime)
    whole = yoked.train_on_pictures(given)
    file = tmp_path / "net.safetensors"

    def kill(done, total, words):
        if done == 7:
            raise Killed

    with pytest.raises(Killed):
        yoked.train_on_pictures(given, file, progress=kill)
    assert not file.exists()
    with pytest.raises(ValueError, match=r"must be resumed \(--resume\) or removed"):
        yoked.train_on_pictures(given, file)
    with pytest.raises(ValueError, match="must be of this recipe"):
        yoked.train_on_pictures(given, file, seed=5, resume=True)
    again = yoked.train_on_pictures(given, file, resume=True)
    assert again.weights_hash == whole.weights_hash
    assert again.history == whole.history
    assert [each.name for each in tmp_path.iterdir()] == [file.name]


def test_training_leaves_torch_and_its_settings_as_they_were(folder):
    torch.manual_seed(3)
    before = torch.get_rng_state()
    threads, one_dnn = torch.get_num_threads(), torch.backends.mkldnn.enabled
    yoked.train_on_pictures(recipe(folder, 2))
    assert torch.equal(before, torch.get_rng_state())
    assert (threads, one_dnn) == (
        torch.get_num_threads(),
        torch.backends.mkldnn.enabled,
    )


def test_every_picture_comes_once_in_a_pass_and_in_another_order_in_the_next():
    passes = [[rows_of(12, 4, 3 * k + j, seed=1) for j in range(3)] for k in (0, 1)]
    one, other = (np.concatenate(each) for each in passes)
    assert sorted(one) == sorted(other) == list(range(12))
    assert one.tolist() != other.tolist()
    assert len(rows_of(3, 64, 0, seed=1)) == 3  # fewer pictures than a batch


def test_pictures_held_out_are_asked_with_noise_of_their_own_number(folder):
    network = {"options": {"front": "vone-block"}}
    learner = PicturePlan(recipe(folder, 2, network)).learner
    contrast = np.zeros((70, 1, SIZE, SIZE), np.float32)
    whole = learner.asked(contrast, HELD_OUT)
    assert not torch.equal(whole[0], whole[1])
    part = learner.asked(contrast[65:], HELD_OUT + 65)
    torch.testing.assert_close(whole[65:], part)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"regime": {"kind": "aligment"}}, "kind must be one of none, alignment"),
        (
            {"regime": {"kind": "alignment"}},
            r"layers must be one, got \[\]",
        ),
        (
            {"regime": {"kind": "harmonizer", "control": "pixels"}},
            "control must be left out or one of shuffled, got 'pixels'",
        ),
        (
            {"regime": {"kind": "none", "layers": ["stage1"]}},
            "layers must be left out of the regime none",
        ),
        ({"regime": {"kind": "adversarial", "eps": 0}}, r"eps must be in \(0, 1\]"),
        ({"regime": {"task_weight": 0}}, "task_weight must be more than 0 in the regi"),
        ({"training": {"steps": 1}}, "steps must be 2 or more, got 1"),
        ({"training": {"rate": 1e9, "steps": 9}}, "the training loss must be finite"),
    ],
)
def test_what_breaks_rules_is_refused_in_one_sentence(folder, changed, sentence):
    with pytest.raises(ValueError, match=sentence):
        yoked.train_on_pictures({**recipe(folder, 2), **changed})


def test_pictures_held_out_must_be_others_of_known_categories(folder, tmp_path):
    given = recipe(folder, 2)
    same = {**given["pictures"], "held_out": given["pictures"]["fit"]}
    with pytest.raises(ValueError, match=r"other ones than those that are learnt"):
        yoked.train_on_pictures({**given, "pictures": same})
    table = tmp_path / "x.csv"
    picture = folder / "test" / "0.png"
    table.write_text(f"file,category\n{picture},askew\n", encoding="utf-8")
    other = {**given["pictures"], "held_out": str(table)}
    with pytest.raises(ValueError, match="of the categories that are learnt"):
        yoked.train_on_pictures({**given, "pictures": other})
    with pytest.raises(LookupError, match="no network named 'plain-cn'"):
        yoked.train_on_pictures({**given, "network": {"name": "plain-cn"}})
