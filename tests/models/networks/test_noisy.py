"""Noise inside a network: how much it is, that it repeats, and what is refused."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torch import nn

import yoked
from yoked.app.cli import cli
from yoked.experiments.protocols import parts
from yoked.experiments.session.observer import ObserverNoise, Practice, Viewing
from yoked.models.decision import measured
from yoked.models.networks.noise_places import element_noise, front_of
from yoked.models.networks.retina_cnn import RetinaCNNConfig, RetinaNetwork
from yoked.models.noise import drawn_for

N = 2000
CONTRAST = 0.3


class Gains(nn.Module):
    """A gain for each unit: no matrix product, whose last digits differ by place."""

    def __init__(self, gains):
        super().__init__()
        self.gains = nn.Parameter(gains)

    def forward(self, x):
        return x * self.gains


class Weighted(nn.Module):
    """Linear: one weight an element of 52 x 4 px, by way of two scaled layers."""

    def __init__(self, scale=1.0):
        super().__init__()
        self.elements = nn.AvgPool2d((52, 4))
        weights = torch.linspace(0, 2, 13)
        weights[:3] = 0  # these units are silent
        self.hidden = Gains(scale * weights)
        self.last = Gains(torch.ones(13) / scale)

    def forward(self, x):
        return self.last(self.hidden(self.elements(x).flatten(1))).sum(1, keepdim=True)


def weighted(scale=1.0, network=None):
    given = {"preprocess": "contrast", "batch": 50, "name": "weighted"}
    return yoked.from_torch(network or Weighted(scale), **given)


def ready(observer, protocol):
    observer.prepare(Viewing.of(protocol))
    observer.learn(Practice(protocol))
    return observer


def decided(observer, protocol, n=N, trials=None, seed=1):
    trials = np.arange(n) if trials is None else trials
    frames = Practice(protocol).draw(n, 9000, 0.1)[1]
    return observer.decide(frames, ObserverNoise(seed, trials))


def with_noise(protocol, at, sd, observer=None):
    return ready(yoked.noisy(observer or weighted(), at=at, sd=sd), protocol)


@pytest.mark.parametrize(("at", "sd"), [("input", 0.15), ("decision", 1.5)])
def test_it_is_as_much_noise_at_the_decision_as_gamma_says(protocol, at, sd):
    """The stimulus's noise has an SD of .1: as much of it is a gamma of 1."""
    plain = ready(weighted(), protocol)
    added = decided(with_noise(protocol, at, sd), protocol) - decided(plain, protocol)
    external = measured(plain, Practice(protocol), 3, 8192).external_sd
    assert added.std() / external == pytest.approx(1.5, rel=0.03)
    assert np.corrcoef(added.T)[0, 1] == pytest.approx(0, abs=0.06)


def test_in_a_layer_each_unit_has_it_in_its_own_unit(protocol):
    """So a linear network whose units are independent has gamma again."""
    plain = ready(weighted(), protocol)
    noisy = with_noise(protocol, "layer:hidden", 1.5)
    added = decided(noisy, protocol) - decided(plain, protocol)
    external = measured(plain, Practice(protocol), 3, 8192).external_sd
    assert added.std() / external == pytest.approx(1.5, rel=0.05)


def test_the_scale_of_a_units_response_does_not_matter(protocol):
    one, other = (
        with_noise(protocol, "layer:hidden", 1.0, weighted(scale))
        for scale in (1.0, 1024.0)
    )
    found = decided(one, protocol, 100)
    assert decided(other, protocol, 100) == pytest.approx(found, abs=1e-5)


def test_a_unit_that_is_silent_stays_silent(protocol):
    noisy = with_noise(protocol, "layer:hidden", 1.0)
    kept = []
    after = noisy._observer.network.last
    with after.register_forward_pre_hook(lambda module, x: kept.append(x[0])):
        decided(noisy, protocol, 100)
    units = torch.cat(kept)
    assert (units[:, :3] == 0).all()
    assert (units[:, 3:].std(0) > 0).all()


@pytest.mark.parametrize("at", ["input", "layer:hidden", "decision"])
def test_a_trial_has_its_noise_whatever_the_batch_and_another_trial_another(
    protocol, at
):
    noisy = with_noise(protocol, at, 1.0)
    found = decided(noisy, protocol, 120)
    frames = Practice(protocol).draw(120, 9000, 0.1)[1]
    rows = np.random.default_rng(1).permutation(120)[:77]
    again = noisy.decide(frames[rows], ObserverNoise(1, rows))
    assert np.array_equal(again, found[rows])
    second = decided(noisy, protocol, 120, np.arange(500, 620))
    assert (second != found).all()
    noisy.sd = 0.0
    assert np.array_equal(
        decided(noisy, protocol, 120), decided(noisy._observer, protocol, 120)
    )


def test_it_may_be_in_every_call_of_a_recurrent_layer(protocol):
    class Twice(Weighted):
        def forward(self, x):
            x = self.elements(x).flatten(1)
            return self.last(self.hidden(self.hidden(x))).sum(1, keepdim=True)

    plain = ready(weighted(network=Twice()), protocol)
    added = [
        decided(with_noise(protocol, "layer:hidden", sd, plain), protocol)
        - decided(plain, protocol)
        for sd in (1.0, 2.0)
    ]
    assert added[1] == pytest.approx(2 * added[0], rel=1e-3, abs=1e-5)
    # Linear, and each call has its own: variances add up to twice the external one.
    external = measured(plain, Practice(protocol), 3, 8192).external_sd
    assert added[0].std() / external == pytest.approx(math.sqrt(2), rel=0.05)


def test_a_session_repeats_and_its_second_pass_draws_new_noise(protocol):
    chosen = replace(
        protocol.with_options(300, CONTRAST), double_pass=parts.DoublePass(100, 50)
    )
    noisy = yoked.noisy(weighted(), at="input", sd=0.1)
    one, again = (yoked.run(chosen, noisy, seed=1, batch=b) for b in (256, 64))
    columns = ["response", "decision_variables"]
    assert one.trials[columns].equals(again.trials[columns])
    assert 0.5 < yoked.agreement(one).value < 0.95
    logged = one.row.observer.parameters["added_noise"]
    assert logged == {"at": "input", "sd": 0.1}


@pytest.mark.parametrize("sd", [0.0, 0.5, 3.0])
def test_the_criterion_is_unbiased_with_the_noise(sd):
    """Noise before a square raises its decision variables."""

    class Squared(Weighted):
        def forward(self, x):
            x = self.hidden(self.elements(x).flatten(1))
            return (x + 0.3).square().sum(1, keepdim=True)

    protocol = yoked.load_protocol("bar-polarity").with_options(1500, 0.16)
    noisy = yoked.noisy(weighted(network=Squared()), at="layer:hidden", sd=sd)
    session = yoked.run(protocol, noisy, seed=2)
    said_yes = (session.counted["response"] == 1).mean()
    assert said_yes == pytest.approx(0.5, abs=0.05)


def test_noise_at_the_front_is_behind_what_stands_before_the_network(protocol):
    observer = yoked.load_observer("plain-cnn", front="vone-block", fit_trials=64)
    noisy = ready(yoked.noisy(observer, at="front", sd=2.0), protocol)
    same = ready(yoked.noisy(observer, at="layer:front", sd=2.0), protocol)
    found = decided(noisy, protocol, 6)
    assert np.array_equal(found, decided(same, protocol, 6))
    assert (found != decided(observer, protocol, 6)).any()


def test_a_front_is_found_by_what_it_is():
    retina = RetinaNetwork(RetinaCNNConfig(), 0.05, (1, 52, 52))
    assert front_of(retina) == "retina"
    assert front_of(yoked.make_network("vonenet", in_channels=1, n_classes=2)) == "v1"
    staged = yoked.retina_front(0.05, (52, 52), 100.0)
    assert front_of(yoked.Fronted(staged, nn.Identity())) == "front"
    assert front_of(nn.Sequential(staged, nn.Flatten())) == "0"


def test_a_scene_has_it_in_its_places_alone():
    protocol = yoked.load_protocol("cued-detection")
    viewing = Viewing.of(protocol)
    frames = Practice(protocol).draw(3)[1]
    contrast = torch.zeros(frames.shape)
    with drawn_for(ObserverNoise(1, np.arange(3))):
        noise = element_noise(contrast, viewing)
    high, wide = viewing.element_px
    outside = torch.ones(frames.shape[3:], dtype=torch.bool)
    for top, left, height, width in viewing.places:
        patch = noise[..., top : top + height, left : left + width]
        outside[top : top + height, left : left + width] = False
        elements = patch[..., ::high, ::wide]
        spread = elements.repeat_interleave(high, 3).repeat_interleave(wide, 4)
        assert torch.equal(patch, spread)
        assert elements.std() == pytest.approx(1, abs=0.2)
    assert (noise[..., outside] == 0).all()


@pytest.mark.parametrize(
    ("at", "rule"),
    [
        ("inputs", r"layer:NAME or decision, got 'inputs'; did you mean 'input'\?"),
        ("layer", "input, front, layer:NAME or decision, got 'layer'"),
        ("layer:", "got 'layer:'"),
        ("input:3", "got 'input:3'"),
    ],
)
def test_a_place_that_is_none_is_refused(at, rule):
    with pytest.raises(ValueError, match=rule):
        yoked.noisy(weighted(), at=at, sd=1.0)


def test_what_has_no_such_place_is_refused(protocol):
    with pytest.raises(LookupError, match=r"no layer named 'hiden'; did you mean"):
        with_noise(protocol, "layer:hiden", 1.0)
    with pytest.raises(ValueError, match=r"retina, a VOneBlock .* got Weighted"):
        with_noise(protocol, "front", 1.0)
    with pytest.raises(ValueError, match=r"must be a network, .* got template; at any"):
        yoked.noisy(yoked.load_observer("template"), at="input", sd=1.0)
    with pytest.raises(ValueError, match="noise at no other place, got noise at input"):
        yoked.noisy(yoked.noisy(weighted(), at="input", sd=1.0), at="front", sd=1.0)
    with pytest.raises(ValueError, match="sd must be 0 or more, got -1"):
        yoked.noisy(weighted(), at="input", sd=-1)


def test_a_layer_without_use_is_refused(protocol):
    class Idle(Weighted):
        def __init__(self):
            super().__init__()
            self.idle = nn.Linear(1, 1)
            self.constant = nn.Linear(13, 13)
            nn.init.zeros_(self.constant.weight)

        def forward(self, x):
            flat = self.elements(x).flatten(1)
            return super().forward(x) + self.constant(flat).sum(1, keepdim=True)

    rule = "'idle' must be one that is called before the decision is read"
    with pytest.raises(ValueError, match=rule):
        with_noise(protocol, "layer:idle", 1.0, weighted(network=Idle()))
    rule = "'constant' must be one whose output depends on the stimulus's noise"
    with pytest.raises(ValueError, match=rule):
        with_noise(protocol, "layer:constant", 1.0, weighted(network=Idle()))


def test_a_command_runs_a_network_with_it(tmp_path):
    command = ["simulate", "bar-in-noise", "element-mlp", str(tmp_path / "log.db")]
    command += ["--option", "fit_trials=64", "--trials", "40", "--contrast", "0.3"]
    command += ["--noise-at", "layer:layers.1", "--internal-noise", "2", "--json"]
    printed = CliRunner().invoke(cli, command, catch_exceptions=False)
    session = yoked.load_session(
        tmp_path / "log.db", json.loads(printed.stdout)["session"]
    )
    parameters = session.row.observer.parameters
    assert parameters["added_noise"] == {"at": "layer:layers.1", "sd": 2.0}
    assert parameters["internal_noise"] == 0
    command[2:4] = ["template", str(tmp_path / "other.db")]
    refused = CliRunner().invoke(cli, [*command[:4], "--noise-at", "input"])
    assert "the observer must be a network, such as retina-cnn" in refused.stderr
    assert not (tmp_path / "other.db").exists()
