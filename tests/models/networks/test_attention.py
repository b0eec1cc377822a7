"""A network that attends: gains of what is tuned, and controls that change nothing."""

import copy

import numpy as np
import pytest
import torch

import yoked
from yoked.experiments.session.observer import Practice, Viewing
from yoked.models.networks.attention import FeatureTuning, Gain
from yoked.models.probing.pictures import PictureReader

image = pytest.importorskip("PIL.Image")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write upright and level gratings of random phase, in noise."""
    made, rng = tmp_path_factory.mktemp("gratings"), np.random.default_rng(1)
    place = np.arange(32)
    for kind in ("level", "upright"):
        (made / kind).mkdir()
        for number in range(12):
            wave = np.sin(place / 2 + rng.uniform(0, 6))
            wave = np.broadcast_to(wave, (32, 32))
            wave = wave if kind == "upright" else wave.T
            codes = 128 + 60 * wave + rng.normal(0, 10, (32, 32))
            picture = image.fromarray(codes.clip(0, 255).astype(np.uint8))
            picture.save(made / kind / f"{kind}{number}.png")
    return made


def network():
    return yoked.load_observer("plain-cnn", fit_trials=64, batch=8)


@pytest.fixture(scope="module")
def tuning(folder):
    return yoked.feature_tuning(network(), folder, "stage1", size_px=32)


def test_tuning_is_in_units_of_the_sd_over_pictures_and_its_largest_is_1(folder):
    found = yoked.feature_tuning(network(), folder, "stage1", size_px=32)
    assert found.categories == ("level", "upright")
    assert found.n_pictures == (12, 12)
    assert np.abs(found.values).max() == 1
    reader = PictureReader(network(), ["stage1"], 4 / 32, (1, 32, 32))
    responses = []
    for kind in found.categories:
        for file in sorted((folder / kind).iterdir()):
            codes = np.asarray(image.open(file), np.float32)
            contrast = torch.from_numpy(2 * codes / 255 - 1)[None, None]
            responses.append(reader.read(contrast)["stage1"][0].mean((1, 2)).numpy())
    a, b = np.array(responses[:12]), np.array(responses[12:])
    expected = (a.mean(0) - b.mean(0)) / 2 / np.std(responses, axis=0)
    assert found.values[0] == pytest.approx(expected / np.abs(expected).max(), abs=1e-4)


def test_equally_many_pictures_of_each_make_a_mean_gain_of_1(tuning):
    assert tuning.values.mean(0) == pytest.approx(np.zeros(16), abs=1e-9)
    gains = [Gain("stage1", torch.tensor(1 + 0.5 * row)) for row in tuning.values]
    x = torch.rand(2, 16, 4, 4)
    mean = sum(gain(torch.nn.Identity(), (), x) for gain in gains) / 2
    assert torch.allclose(mean, x, atol=1e-6)


def shown(observer, protocol):
    observer.prepare(Viewing.of(protocol))
    observer.learn(Practice(protocol))
    generator = torch.Generator().manual_seed(1)
    x = 0.2 * torch.randn(4, 2, *protocol.frame_shape, generator=generator)
    return observer.scores(x)


def test_strength_0_changes_nothing_and_more_does(tuning, protocol):
    plain = shown(network(), protocol)
    still = shown(yoked.attend(network(), tuning, "level", 0.0), protocol)
    assert torch.equal(still, plain)
    attending = shown(yoked.attend(network(), tuning, "level", 1.0), protocol)
    assert not torch.allclose(attending, plain, rtol=1e-3)
    other = shown(yoked.attend(network(), tuning.shuffled(2), "level", 1.0), protocol)
    assert not torch.allclose(other, attending, rtol=1e-3)


def test_the_network_itself_stays_as_it_was(tuning, protocol):
    observer = network()
    plain = shown(observer, protocol)
    attending = yoked.attend(observer, tuning, "upright", 1.0)
    shown(attending, protocol)
    assert torch.equal(shown(observer, protocol), plain)
    assert attending.weights_hash == observer.weights_hash


def test_what_is_seen_of_pictures_has_the_gains(tuning):
    x = torch.rand(3, 1, 32, 32) - 0.5
    attending = yoked.attend(network(), tuning, "level", 2.0)
    plain, found = (
        PictureReader(each, ["stage1"], 4 / 32, (1, 32, 32)).read(x)["stage1"]
        for each in (network(), attending)
    )
    gains = np.maximum(0, 1 + 2 * tuning.of("level"))
    assert (gains == 0).any()
    expected = plain * torch.tensor(gains).float()[:, None, None]
    assert torch.allclose(found, expected, atol=1e-6)


def test_gains_change_no_channels_own_tuning_which_is_in_its_own_sds(tuning, folder):
    attending = yoked.attend(network(), tuning, "level", 0.5)
    found = yoked.feature_tuning(attending, folder, "stage1", size_px=32)
    assert found.values == pytest.approx(tuning.values, abs=1e-3)


def test_a_session_says_what_was_attended_to(tuning, protocol):
    observer = yoked.attend(network(), tuning, "upright", 0.5)
    session = yoked.run(protocol, observer, seed=1, trials=20, contrast=0.4)
    told = session.row.observer.parameters["attention"]
    assert (told["layer"], told["category"], told["strength"]) == (
        "stage1",
        "upright",
        0.5,
    )
    assert len(told["gains"]) == 16


def test_a_shuffled_tuning_has_the_same_values_for_other_channels(tuning):
    mixed = tuning.shuffled(1)
    for row, other in zip(tuning.values, mixed.values, strict=True):
        assert np.array_equal(np.sort(row), np.sort(other))
    assert not np.array_equal(tuning.values, mixed.values)


def test_what_cannot_be_attended_to_is_refused(tuning, protocol, folder):
    with pytest.raises(LookupError, match="no category named 'levle'; did you mean 'l"):
        yoked.attend(network(), tuning, "levle", 1.0)
    with pytest.raises(ValueError, match="strength must be 0 or more, got -1"):
        yoked.attend(network(), tuning, "level", -1)
    with pytest.raises(ValueError, match="a network that can be shown any picture, go"):
        yoked.attend(yoked.load_observer("template"), tuning, "level", 1)
    wide = FeatureTuning("stage2", ("a", "b"), np.zeros((2, 5)), (1, 1))
    with pytest.raises(ValueError, match="'stage2' must be of 5 channels, as its tun"):
        shown(yoked.attend(network(), wide, "a", 1.0), protocol)
    with pytest.raises(ValueError, match="of two categories or more, got level"):
        yoked.feature_tuning(network(), _one_kind(folder), "stage1", size_px=32)
    assert copy.deepcopy(Gain("x", torch.ones(3))).layer == "x"


def _one_kind(folder):
    table = folder / "one.csv"
    table.write_text("file,category\nlevel/level1.png,level\n", encoding="utf-8")
    return table
