"""Noise matched inside a network: the closed form, a session, and what is refused."""

import json
from contextlib import closing

import pytest
import torch
from click.testing import CliRunner
from torch import nn

import yoked
from tests.app.test_matched_noise import person, within
from tests.models.networks.test_noisy import Gains, Weighted, weighted
from yoked.analysis.trials.estimate import CannotTell
from yoked.analysis.trials.responses import responses
from yoked.app.cli import cli
from yoked.app.matched_noise import pairs_of
from yoked.experiments.session.copied import copy_session
from yoked.models.drawn import DrawnPass
from yoked.models.matching import CannotMatch


class Middle(nn.Module):
    """Reads the middle bar, as the person does; the square root is not linear."""

    def __init__(self, power=1.0):
        super().__init__()
        self.elements = nn.AvgPool2d((52, 4))
        self.bar = Gains(torch.eye(13)[6])
        self.power = power

    def forward(self, x):
        seen = self.bar(self.elements(x).flatten(1)).sum(1, keepdim=True)
        return seen.sign() * seen.abs().pow(self.power)


@pytest.fixture(scope="module")
def somebody():
    return person(1.0)


@pytest.fixture(scope="module")
def middle():
    return weighted(network=Middle())


def drawn(session, observer, at):
    counted = responses(session)
    rows = [counted.table.iloc[rows] for rows in pairs_of(counted, 1024)]
    return DrawnPass(session, yoked.noisy(observer, at=at, sd=0.0), *rows)


@pytest.mark.parametrize("at", ["decision", "input", "layer:bar"])
def test_a_linear_network_has_the_noise_of_the_closed_form(somebody, middle, at):
    """At the input the stimulus's own SD, .1, is a gamma of 1."""
    closed = yoked.match_noise(somebody, middle)
    pairs = drawn(somebody, middle, at)
    unit = 0.1 if at == "input" else 1.0
    found = pairs.at(unit * closed.gamma)
    due = closed.expected_agreement
    assert abs(found.agreement - due) < 3 * found.se
    assert 0 < found.se < 0.012
    correct = closed.expected_proportion_correct
    assert found.correct == pytest.approx(correct, abs=0.02)
    sd = pairs.sd_for(due)
    assert abs(pairs.at(sd).agreement - due) <= pairs.at(sd).se / 2
    assert sd / unit == pytest.approx(closed.gamma, rel=0.15)


def test_the_noise_of_a_known_observer_is_found_again(somebody, middle):
    match = yoked.match_noise(somebody, middle, noise_at="input")
    assert within(match.internal_noise, 0.1)
    assert within(match.agreement, match.expected_agreement)
    assert within(match.proportion_correct, match.expected_proportion_correct)
    assert match.noiseless_agreement == 1
    assert "with noise of SD 0." in match.sentence
    assert "at input" in match.sentence
    assert match.table()[2]["quantity"] == "noise at input (SD)"


@pytest.mark.parametrize("protocol", ["bar-in-noise", "bar-polarity"])
def test_a_session_run_so_agrees_with_itself_as_the_person(protocol):
    contrast = 0.227 if protocol == "bar-in-noise" else 0.16
    someone = person(1.0, protocol=protocol, contrast=contrast)
    network = weighted(network=Middle(0.5))
    match = yoked.match_noise(someone, network, noise_at="layer:bar")
    noisy = yoked.noisy(network, at="layer:bar", sd=match.gamma)
    model = yoked.run(observer=noisy, yoke_to=someone, observer_seed=13)
    assert within(match.agreement, yoked.agreement(model).value)
    right = model.counted["correct"].mean()
    assert right == pytest.approx(match.expected_proportion_correct, abs=0.03)
    if protocol == "bar-polarity":  # unbiased
        chose = model.counted["response"].mean()
        assert chose == pytest.approx(model.counted["target"].mean(), abs=0.05)


def test_it_repeats_exactly_and_leaves_the_observer_as_it_was(somebody, middle):
    one, again = (drawn(somebody, middle, "input") for _ in range(2))
    assert one.at(0.1) == again.at(0.1)
    assert one.observer.sd == 0
    assert one.at(0.2).agreement < one.at(0.1).agreement < one.at(0.05).agreement


def test_a_person_who_always_agrees_gets_a_network_without_noise(middle):
    someone = person(0.0, n_pairs=100)
    match = yoked.match_noise(someone, middle, noise_at="input")
    assert match.gamma == 0
    assert match.internal_noise.high > 0


def test_noise_that_changes_nothing_cannot_be_matched(somebody):
    class Aside(Weighted):
        """A layer that varies, and of which the decision is none."""

        def forward(self, x):
            self.hidden(self.elements(x).flatten(1))
            return self.elements(x).flatten(1).sum(1, keepdim=True)

    aside = weighted(network=Aside())
    rule = r"above 1\.000, which noise of any SD gives, .*; the person's interval, from"
    with pytest.raises(CannotTell, match=rule):
        yoked.match_noise(somebody, aside, noise_at="layer:hidden")
    with pytest.raises(CannotMatch, match=r"to be met by noise there, got 0\.8"):
        drawn(somebody, aside, "layer:hidden").sd_for(0.8)


def test_what_has_no_such_place_or_is_to_repeat_is_refused(somebody, middle):
    with pytest.raises(ValueError, match="with repeatable noise, got 'input'"):
        yoked.match_noise(somebody, middle, repeatable=True, noise_at="input")
    template = yoked.load_observer("template")
    with pytest.raises(ValueError, match=r"must be a network, .* got template"):
        yoked.match_noise(somebody, template, noise_at="input")
    with pytest.raises(LookupError, match="no layer named 'baar'; did you mean 'bar'"):
        yoked.match_noise(somebody, middle, noise_at="layer:baar")


def test_a_person_who_guesses_cannot_be_matched(middle):
    rule = r"above 0\.500, which noise of any SD gives, .* reaches that low"
    with pytest.raises(CannotTell, match=rule):
        yoked.match_noise(person(50.0, n_pairs=100), middle, noise_at="input")


def test_commands_match_and_run_it(tmp_path):
    someone = person(1.0, n_pairs=100)
    db = tmp_path / "log.db"
    with closing(yoked.open_store(db)) as store:
        copy_session(someone, store)
    observer = ["--option", "fit_trials=64", "--noise-at", "input"]
    told = ["match", str(db), someone.id, "--observer", "element-mlp", *observer]
    printed = CliRunner().invoke(cli, [*told, "--json"], catch_exceptions=False)
    found = json.loads(printed.stdout)
    assert found["noise_at"] == "input"
    assert 0 < found["expected_agreement_se"] < 0.04
    run = ["simulate", "element-mlp", str(db), "--yoke-to", someone.id, *observer]
    run += ["--internal-noise", "matched", "--json"]
    printed = CliRunner().invoke(cli, run, catch_exceptions=False)
    model = yoked.load_session(db, json.loads(printed.stdout)["session"])
    added = model.row.observer.parameters["added_noise"]
    assert added == {"at": "input", "sd": found["internal_noise"]["value"]}
    run += ["--repeatable-noise", "matched"]
    refused = CliRunner().invoke(cli, run)
    assert "noise can be 'matched' at the decision only" in refused.stderr
