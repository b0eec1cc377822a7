"""Any network as an observer: what it reads, how it learns, and what is refused."""

import json
import math

import numpy as np
import pytest
import torch
from torch import nn

import yoked
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.session.observer import ObserverNoise, Practice, Viewing
from yoked.models.registry import load

MINE = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, n_channels=4):
        super().__init__()
        torch.manual_seed(5)
        self.conv = nn.Conv2d(3, n_channels, 4, 4)
        self.relu = nn.ReLU()
    def forward(self, x):
        return self.relu(self.conv(x))

def make_net(n_channels=4):
    return Net(n_channels)

ready = Net()
"""


def small(seed=0, n_channels=4):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(3, n_channels, 4, 4),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(n_channels * 169, 6),
    )


def learnt(observer, protocol):
    observer.prepare(Viewing.of(protocol))
    observer.learn(Practice(protocol))
    return observer


def decide(observer, protocol, n=50):
    frames = Practice(protocol).draw(n, 7000)[1]
    return observer.decide(frames, ObserverNoise(1, np.arange(n)))


@pytest.fixture
def own_file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(MINE)
    return path


def test_a_linear_readout_of_pixels_is_the_ideal_observer(protocol):
    observer = yoked.from_torch(
        nn.AvgPool2d((52, 4)), preprocess="contrast", readout="linear"
    )
    session = yoked.run(protocol, observer, seed=1, trials=1000, contrast=0.227)
    ideal = yoked.run(protocol, load("template"), seed=1, trials=1000, contrast=0.227)
    efficiency = (yoked.dprime(session).value / yoked.dprime(ideal).value) ** 2
    assert efficiency > 0.9
    kernel = yoked.kernel(session, method="weighted_sum")
    assert kernel.kernel.argmax() == 6


def test_readouts_of_one_network_are_what_they_say(protocol):
    network = small()
    logit, unit, other = (
        decide(learnt(yoked.from_torch(network, readout=text), protocol), protocol)
        for text in ("logit:4-1", "unit:4", "unit:1")
    )
    np.testing.assert_allclose(logit, unit - other, atol=1e-5)
    assert np.ptp(logit) > 0


def test_alternatives_in_passes_of_their_own_decide_alike(protocol):
    together, apart = (
        learnt(yoked.from_torch(small(), readout="unit:0", share_pass=share), protocol)
        for share in (True, False)
    )
    np.testing.assert_allclose(
        decide(together, protocol), decide(apart, protocol), atol=1e-5
    )


def test_the_middle_of_a_channel_is_read_of_a_layer(protocol):
    observer = learnt(yoked.from_torch(small(), layer="1", readout="unit:3"), protocol)
    frames = torch.from_numpy(Practice(protocol).draw(2)[1])
    x = observer.input_of((frames.float() - 128) / 127)
    features = small()[:2](x)
    found = observer.scores((frames.float() - 128) / 127)
    torch.testing.assert_close(found.flatten(), features[:, 3, 6, 6])


@pytest.mark.parametrize("frames", ["one-by-one", "steps", "channels"])
def test_a_movie_reaches_the_network_as_it_was_asked_for(frames):
    protocol, seen = load_protocol("movie-bar"), []

    class Last(nn.Module):
        def forward(self, x):
            seen.append(tuple(x.shape[1:]))
            return x.flatten(1)[:, -1:]

    preprocess = {"light": "contrast", "channels": 1, "normalise": "none"}
    observer = yoked.from_torch(Last(), preprocess={**preprocess, "frames": frames})
    assert decide(learnt(observer, protocol), protocol, 4).shape == (4, 2)
    size = protocol.frame_shape[1:]
    assert set(seen) == {
        {"one-by-one": (1, *size), "steps": (9, 1, *size), "channels": (9, *size)}[
            frames
        ]
    }


def test_a_linear_readout_weighs_every_frame_of_a_movie():
    protocol = load_protocol("movie-bar")
    observer = yoked.from_torch(nn.AvgPool2d(12), preprocess="contrast", fit_trials=256)
    learnt(observer, protocol)
    assert observer.fitted.weights.numel() % 9 == 0
    weights = observer.fitted.weights.view(9, -1).norm(dim=1)
    assert weights.argmax() == 4  # the bar is in the middle frame


def test_ones_own_network_stays_as_it_was(protocol):
    network = small().train()
    before = {name: p.clone() for name, p in network.state_dict().items()}
    observer = learnt(yoked.from_torch(network, fit_trials=64), protocol)
    decide(observer, protocol, 5)
    assert network.training
    assert all(p.requires_grad for p in network.parameters())
    assert all(torch.equal(p, before[name]) for name, p in network.state_dict().items())
    assert not any(p.requires_grad for p in observer.network.parameters())


def test_scores_can_be_differentiated(protocol):
    observer = learnt(yoked.from_torch(small(), readout="logit:0-1"), protocol)
    contrast = torch.zeros(2, 2, *protocol.frame_shape, requires_grad=True)
    observer.scores(contrast).sum().backward()
    assert (contrast.grad.flatten(2).abs().sum(2) > 0).all()


def test_the_log_says_how_the_network_saw(protocol, db_path):
    from yoked.experiments.store.sqlite import open_store

    network = small()
    observer = yoked.from_torch(
        network, layer="1", field_deg=4, size_px=52, fit_trials=64, name="mine"
    )
    store = open_store(db_path)
    session = yoked.run(
        protocol, observer, store=store, seed=1, trials=100, contrast=0.3
    )
    row = store.session(session.id)
    store.close()
    parameters = json.loads(json.dumps(row.observer.parameters))
    assert row.observer.name == "mine"
    assert parameters["network"] == "torch.nn.modules.container.Sequential"
    assert parameters["layer"] == "1"
    assert parameters["size_px"] == [52, 52]
    assert parameters["preprocess"]["light"] == "srgb"
    assert parameters["readout"]["kind"] == "linear"
    assert parameters["readout"]["n_samples"] == 128
    assert 0.4 < parameters["readout"]["cross_validated_proportion_correct"] <= 1
    assert len(row.observer.weights_hash) == 64


def test_other_weights_and_other_readouts_have_another_hash(protocol):
    hashes = {
        learnt(
            yoked.from_torch(small(seed), fit_trials=64, seed=fit), protocol
        ).weights_hash
        for seed, fit in [(0, 1), (1, 1), (0, 2), (0, 1)]
    }
    assert len(hashes) == 3


def test_progress_is_told_while_features_are_taken(protocol):
    told = []
    observer = yoked.from_torch(small(), fit_trials=128)
    observer.prepare(Viewing.of(protocol))
    observer.learn(Practice(protocol), lambda done, n: told.append((done, n)))
    assert told == [(64, 128), (128, 128)]


@pytest.mark.parametrize("member", ["make_net", "Net"])
def test_what_makes_a_network_in_a_users_file_takes_both_kinds_of_options(
    own_file, protocol, member
):
    observer = load(f"{own_file}:{member}", n_channels=2, layer="relu", fit_trials=64)
    assert observer.name == member
    learnt(observer, protocol)
    assert observer.network.conv.out_channels == 2


def test_a_network_that_is_there_in_a_users_file_is_an_observer(own_file, protocol):
    observer = load(f"{own_file}:ready", layer="conv", readout="unit:1")
    assert decide(learnt(observer, protocol), protocol, 3).shape == (3, 2)


class Bare(nn.Module):
    def forward(self, x):
        return x.flatten(1)[:, :1]


def test_a_class_without_a_way_to_be_made_takes_from_torchs_options(tmp_path):
    path = tmp_path / "bare.py"
    path.write_text(
        "from torch import nn\nclass Bare(nn.Module):\n    def forward(self, x):\n"
        "        return x.flatten(1)[:, :1]\n"
    )
    assert load(f"{path}:Bare", fit_trials=64, batch=4).name == "Bare"


def test_a_retinas_settings_are_in_the_log(protocol):
    dim, bright = (
        learnt(
            yoked.from_torch(
                yoked.Fronted(
                    yoked.retina_front(0.05, (52, 52), 100.0, luminance), Bare()
                ),
                preprocess="contrast",
            ),
            protocol,
        ).parameters
        for luminance in (5.0, 500.0)
    )
    assert dim["configs"]["front"]["luminance_cd_m2"] == 5.0
    assert dim["configs"]["front"]["deg_per_px"] == 0.05
    assert dim != bright


def test_a_holder_of_layers_is_no_layer(protocol):
    network = nn.ModuleDict({"held": nn.ModuleDict({"in": nn.ReLU()})})
    network.forward = lambda x: network["held"]["in"](x)
    with pytest.raises(LookupError, match=r"'held' must be one that .* holds held.in"):
        learnt(yoked.from_torch(network, layer="held"), protocol)


def test_a_wrong_option_of_a_users_network_gets_the_nearest(own_file):
    with pytest.raises(ValueError, match="got 'layre'; did you mean 'layer'"):
        load(f"{own_file}:ready", layre="conv")
    with pytest.raises(
        ValueError, match=r"n_channels, or one of from_torch's .*'layre'"
    ):
        load(f"{own_file}:make_net", n_channels=2, layre="conv", fit_trials=64)
    with pytest.raises(ValueError, match="got 'n_chanels'; did you mean 'n_channels'"):
        load(f"{own_file}:make_net", n_chanels=2)


def test_timm_that_is_not_there_says_what_to_install(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(
        ModuleNotFoundError, match="timm:vit needs timm: pip install timm"
    ):
        load("timm:vit")


class Constant(nn.Module):
    def __init__(self, value):
        super().__init__()
        self.value = value

    def forward(self, x):
        return self.value.expand(len(x), -1) if self.value.dim() else self.value


@pytest.mark.parametrize(
    ("network", "options", "error", "rule"),
    [
        (small(), {"layer": "4"}, LookupError, "no layer named '4'"),
        (
            small(),
            {"layer": "conv"},
            LookupError,
            "no layer named 'conv'; there are 0, 1",
        ),
        (
            small(),
            {"readout": "unit:6"},
            ValueError,
            r"unit must be within the layer's",
        ),
        (small(), {"readout": "output"}, ValueError, "output must be one number an im"),
        (
            small(),
            {"field_deg": 2.0},
            ValueError,
            r"field of view \(field_deg\) must be",
        ),
        (
            small(),
            {"fit_trials": 100},
            ValueError,
            "fit_trials must be a multiple of 64",
        ),
        (
            small(),
            {"size_px": 40},
            ValueError,
            r"Sequential must be one that takes \(2, 3, 40, 40\) images, got: mat1 and",
        ),
        (
            small(),
            {"preprocess": "gray"},
            ValueError,
            r"Sequential must be one that takes \(2, 1, 52, 52\) images, got: Given",
        ),
        (small(), {"batch": 0}, ValueError, "batch must be a whole number, 1 or more"),
        (small(), {"threads": 0}, ValueError, "threads must be a whole number, 1 or"),
        (
            Constant(torch.tensor(1.0)),
            {},
            ValueError,
            r"output of Constant must have one row for each of the 2 images, got \(\)",
        ),
        (
            Constant(torch.full((1, 3), math.nan)),
            {},
            ValueError,
            "features must be finite, got nan or inf",
        ),
    ],
)
def test_bad_input_is_one_clear_sentence(protocol, network, options, error, rule):
    with pytest.raises(error, match=rule):
        learnt(yoked.from_torch(network, **options), protocol)


def test_an_output_that_is_no_number_is_refused(protocol):
    observer = yoked.from_torch(Constant(torch.full((1, 1), math.nan)))
    with pytest.raises(
        ValueError, match="decisions of Constant must be finite, got nan"
    ):
        yoked.run(protocol, observer, seed=1, trials=100, contrast=0.3)


def test_only_a_network_is_taken():
    with pytest.raises(ValueError, match=r"net must be a torch.nn.Module, got str"):
        yoked.from_torch("resnet")


def test_it_must_learn_before_it_decides(protocol):
    observer = yoked.from_torch(small())
    with pytest.raises(ValueError, match="must learn before it decides, got no learn"):
        decide(observer, protocol)
    with pytest.raises(ValueError, match="must be prepared before it learns, got no v"):
        observer.learn(Practice(protocol))
