"""Networks by name as observers: fronts, sizes, weights, controls, lesions."""

import json

import pytest
import torch

import yoked
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.session.observer import Practice, Viewing
from yoked.models import registry
from yoked.models.networks.named import NAMES, make
from yoked.models.probing.pictures import PictureReader
from yoked.models.registry import load, names

QUICK = {"fit_trials": 64, "batch": 8}
EYES = ("retinal-fixation", "coarse-fixation", "cortical-fixation")


def learnt(name, protocol, **options):
    observer = load(name, **{**QUICK, **options})
    observer.prepare(Viewing.of(protocol))
    observer.learn(Practice(protocol))
    return observer


def test_every_network_has_its_name_among_the_observers():
    assert set(NAMES) == set(registry._NETWORKS)
    assert set(NAMES) <= set(names())


def test_a_network_takes_part_and_the_log_says_which(protocol):
    observer = load("cornet-z", pooling="average", lesions=["v4:3"], **QUICK)
    session = yoked.run(protocol, observer, seed=1, trials=100, contrast=0.4)
    assert session.counted["correct"].mean() > 0.7
    found = session.row.observer.parameters
    assert (found["network"], found["front"], found["size"]) == (
        "cornet-z",
        "none",
        "small",
    )
    assert found["controls"]["pooling"] == "average"
    assert found["controls"]["lesions"] == ["v4:3"]
    assert found["preprocess"]["normalise"] == "imagenet"


@pytest.mark.parametrize("front", ["retina", "vone-block"])
def test_a_front_stands_before_a_network(protocol, front):
    observer = learnt("plain-cnn", protocol, front=front)
    assert observer.layer == "backbone.decoder.average"
    assert observer.network.front.n_channels > 1
    assert observer.parameters["preprocess"]["light"] == "contrast"
    contrast = 0.1 * torch.randn(2, 2, *protocol.frame_shape)
    observer.scores(contrast.requires_grad_()).sum().backward()
    assert contrast.grad.abs().sum() > 0


@pytest.mark.parametrize("front", ["retina", "vone-block"])
def test_the_trial_log_keeps_what_a_front_is_made_of(protocol, front):
    observer = load("plain-cnn", front=front, **QUICK)
    session = yoked.run(protocol, observer, seed=1, trials=10, contrast=0.4)
    kept = session.row.observer.parameters["configs"]["front"]
    json.dumps(kept, allow_nan=False)
    if front == "retina":
        midget, _, parasol, _ = kept["cell_types"]
        assert midget["gain_contrast"] is None  # it has no gain control
        assert parasol["gain_contrast"] > 0


@pytest.mark.parametrize("layer", ["front", "front.ganglion.on_parasol"])
def test_a_layer_of_a_front_is_read_of_all_images(protocol, layer):
    observer = learnt("plain-cnn", protocol, front="retina", layer=layer)
    contrast = 0.1 * torch.randn(6, 2, *protocol.frame_shape)
    assert observer.scores(contrast).shape == (6, 2)


def test_a_stage_of_the_retina_can_be_lesioned(protocol):
    contrast = 0.2 * torch.randn(2, 2, *protocol.frame_shape)
    channels = []
    for lesions in ((), "front.ganglion.on_parasol"):
        observer = learnt("plain-cnn", protocol, front="retina", lesions=lesions)
        with torch.random.fork_rng():
            torch.manual_seed(1)
            seen = observer.network.seen(observer.input_of(contrast))
        channels.append(seen.abs().sum((0, 1, 3, 4)))
    names = observer.network.front.channels
    silenced = channels[1] < 0.05 * channels[0]  # the noise stage comes after it
    assert [names[i] for i in torch.nonzero(silenced).flatten()] == ["on_parasol"]


def test_a_movies_frames_are_the_steps_of_a_recurrent_network():
    protocol = load_protocol("movie-bar")
    observer = learnt("cornet-rt", protocol, layer="it")
    shape = observer.input_of(torch.zeros(1, 2, *protocol.frame_shape)).shape
    assert shape[:3] == (2, 9, 3)


@pytest.mark.parametrize("front", ["none", "retina", "vone-block"])
def test_steps_as_channels_tell_when(front):
    protocol = load_protocol("movie-bar")
    given = {"over_time": "channels", "size_px": 36, "field_deg": 1.8, "front": front}
    observer = learnt("plain-cnn", protocol, **given)
    assert observer.parameters["over_time"] == "channels"
    contrast = torch.zeros(1, 2, *protocol.frame_shape)
    contrast[:, 0, 1], contrast[:, 1, -2] = 0.3, 0.3  # early, late
    first, other = observer.scores(contrast)[0].tolist()
    assert first != pytest.approx(other, rel=1e-3)
    with pytest.raises(ValueError, match="left out for cornet-rt, which takes steps"):
        learnt("cornet-rt", protocol, over_time="channels")


@pytest.mark.parametrize("name", ["plain-cnn", "bl", "mobilenet-v2"])
def test_weights_of_any_number_of_classes_are_a_network(tmp_path, name):
    file = tmp_path / "seven.pt"
    size = "small"
    made = make(name, in_channels=3, n_classes=7, size=size)
    torch.save(made.state_dict(), file)
    observer = load(name, file=str(file), size=size)
    reader = PictureReader(observer, [""], 0.1, (1, 40, 40))
    assert reader.read(torch.zeros(2, 1, 40, 40))[""].shape == (2, 7)
    assert load(name, n_classes=4, size=size).name == name
    with pytest.raises(ValueError, match="n_classes must be a whole number, 1 or more"):
        load(name, n_classes=0)
    wrong = load(name, file=str(file), size=size, n_classes=4)
    with pytest.raises(ValueError, match=r"of shape .* instead of"):
        PictureReader(wrong, [""], 0.1, (1, 40, 40))


def test_seeds_make_individuals_and_a_file_brings_another(protocol, tmp_path):
    first, again, other = (
        learnt("cornet-z", protocol, seed=seed) for seed in (1, 1, 2)
    )
    assert first.weights_hash == again.weights_hash != other.weights_hash
    file = tmp_path / "mine.pt"
    torch.save(other.network.state_dict(), file)
    loaded = learnt("cornet-z", protocol, file=str(file))
    assert all(
        torch.equal(value, other.network.state_dict()[name])
        for name, value in loaded.network.state_dict().items()
    )
    shuffled = learnt("cornet-z", protocol, file=str(file), weights="shuffled")
    assert shuffled.parameters["controls"]["weights"] == "shuffled"
    assert loaded.weights_hash != shuffled.weights_hash
    with pytest.raises(ValueError, match="weights must be of this AlexNet, got no"):
        learnt("alexnet", protocol, file=str(file))


def test_controls_of_a_vone_block_are_settings_of_the_front(protocol):
    contrast = 0.2 * torch.randn(2, 2, *protocol.frame_shape)
    noisy, quiet, mixed = (
        learnt("plain-cnn", protocol, front="vone-block", front_settings=settings)
        for settings in (
            None,
            {"noise": "none"},
            {"noise": "none", "is_shuffled": True},
        )
    )
    told = mixed.parameters["configs"]["front"]
    assert (told["noise"], told["is_shuffled"]) == ("none", True)
    once, again, other = (
        each.network.seen(each.input_of(contrast)) for each in (quiet, quiet, mixed)
    )
    assert torch.equal(once, again)
    assert not torch.allclose(once, other)
    x = noisy.input_of(contrast)
    assert not torch.equal(noisy.network.seen(x), noisy.network.seen(x))


@pytest.mark.parametrize("front", EYES)
def test_a_network_with_an_eye_is_an_observer_like_any_other(protocol, front):
    options = {"front": front, "front_settings": {"reach": 0.1}, **QUICK}
    observer = load("plain-cnn", **options)
    session = yoked.run(protocol, observer, seed=1, trials=60, contrast=0.4)
    assert session.counted["correct"].mean() > 0.8
    kept = session.row.observer.parameters
    assert (kept["front"], kept["layer"]) == (front, "over_gazes")
    assert kept["configs"]["front"]["reach"] == 0.1
    assert "backbone.stage1" in dict(observer.network.named_modules())
    x = torch.randn(1, 2, *protocol.frame_shape, requires_grad=True)
    observer.scores(x).sum().backward()
    assert x.grad.abs().sum() > 0


@pytest.mark.parametrize("front", EYES)
def test_a_network_with_an_eye_is_trained_and_then_answers_the_same_twice(
    protocol, front
):
    observer = load("plain-cnn", front=front, **QUICK)
    network = observer.trainable(Viewing.of(protocol), protocol.frame_shape, 2)
    x = 0.2 * torch.randn(4, 2, *protocol.frame_shape)
    network.train()
    assert not torch.equal(network(x), network(x))  # another gaze each time
    network(x).sum().backward()
    assert network.network.backbone.stage1[0].weight.grad.abs().sum() > 0
    network.eval()
    assert torch.equal(network(x), network(x))


@pytest.mark.parametrize("front", EYES)
def test_pictures_are_shown_to_a_network_with_an_eye(front):
    observer = load("plain-cnn", front=front)
    layers = ["backbone.stage1", "over_gazes", ""]
    x = torch.rand(3, 1, 56, 56) - 0.5
    found = PictureReader(observer, layers, 0.05, (1, 56, 56)).read(x)
    assert [len(each) for each in found.values()] == [3, 3, 3]
    for name, rows in found.items():
        alone = PictureReader(observer, [name], 0.05, (1, 56, 56)).read(x)
        assert torch.equal(alone[name], rows)


@pytest.mark.parametrize(("name", "option"), [("blt", "steps"), ("ssn", "recurrent")])
def test_recurrence_has_its_control_with_the_same_weights(protocol, name, option):
    value = {"steps": 1, "recurrent": False}[option]
    whole, control = learnt(name, protocol), learnt(name, protocol, **{option: value})
    assert control.parameters[option] == value
    states = (whole.network.state_dict(), control.network.state_dict())
    assert all(map(torch.equal, *(state.values() for state in states)))
    x = whole.input_of(0.3 * torch.randn(2, 2, *protocol.frame_shape))
    assert not torch.allclose(whole.network(x), control.network(x), rtol=1e-3)


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"steps": 1}, "steps must be left out for cornet-z, which takes no steps"),
        ({"recurrent": False}, "recurrent must be left out for cornet-z, which"),
        ({"front_settings": {}}, "front_settings must come with one of retinal-fix"),
        (
            {"front": "vone-block", "front_settings": {"px_per_deg": 9}},
            "front_settings must be without px_per_deg, which is no choice with",
        ),
        (
            {"front": "vone-block", "front_settings": {"noize": "none"}},
            "noize.*did you mean 'noise'",
        ),
        ({"front": "retinal-fixaton"}, "did you mean 'retinal-fixation'"),
        ({"front": "eye"}, "vone-block or learned:FILE, got 'eye'"),
        (
            {"weights": "trained"},
            "weights must be random or shuffled for cornet-z with",
        ),
        ({"over_time": "sum"}, "over_time must be one of mean, channels, got 'sum'"),
        ({"size": "huge"}, "size must be one of small, full, got 'huge'"),
        ({"activation": "gelu"}, "activation must be one of relu, tanh, elu, linear"),
        ({"lesions": "v9"}, "no layer named 'v9'"),
        ({"lyaer": "v2"}, "got 'lyaer'; did you mean 'layer'"),
    ],
)
def test_what_a_network_cannot_be_is_refused(protocol, options, rule):
    with pytest.raises((ValueError, LookupError), match=rule):
        learnt("cornet-z", protocol, **options)
