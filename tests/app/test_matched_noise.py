"""Matched noise: a known observer is found again, and runs as it was foretold."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import yoked
from tests.models.test_decision import Noisy
from yoked.analysis.trials.estimate import CannotTell
from yoked.app.cli import cli
from yoked.experiments.imports.murray2015 import import_murray2015
from yoked.experiments.protocols import parts

CONTRAST = 0.227


def person(gamma, n_pairs=800, protocol="bar-in-noise", contrast=CONTRAST, seed=3):
    """Return a session whose observer we simulate ourselves, from the middle bar.

    Its responses are made from the noise fields alone, with NumPy's own generator.
    """
    chosen = yoked.load_protocol(protocol).with_options(2 * n_pairs + 100, contrast)
    chosen = replace(chosen, double_pass=parts.DoublePass(n_pairs, 50))
    session = yoked.run(chosen, yoked.load_observer("guesser"), seed=seed)
    trials, rng = session.trials, np.random.default_rng(seed)
    target, strength = trials["target"].to_numpy(int), round(127 * contrast)
    seen = [session.noise.field(trials, k) for k in range(chosen.n_intervals)]
    bars = np.stack([field[..., 6].reshape(len(trials)) for field in seen], 1)
    bars = bars.astype(float)
    if chosen.n_intervals == 2:
        bars[np.arange(len(trials)), target] += strength
    else:
        bars[:, 0] += strength * (2 * target - 1)
    external = 12.7  # levels: an SD of .1
    bars += gamma * external * rng.normal(size=bars.shape)
    response = bars.argmax(1) if bars.shape[1] == 2 else (bars[:, 0] > 0).astype(int)
    return answered(session, response)


def answered(session, response):
    """Return a session with other responses."""
    correct = response == session.trials["target"].to_numpy(int)
    columns = {"response": pd.array(response, "Int64")}
    columns["correct"] = pd.array(correct, "boolean")
    return replace(session, trials=session.trials.assign(**columns))


@pytest.fixture(scope="module")
def somebody():
    return person(1.0)


@pytest.fixture(scope="module")
def template():
    return yoked.load_observer("template")


def within(estimate, value):
    return estimate.low <= value <= estimate.high


def test_the_internal_noise_of_a_known_observer_is_found_again(somebody, template):
    match = yoked.match_noise(somebody, template)
    assert within(match.internal_noise, 1.0)
    assert match.expected_agreement == pytest.approx(match.agreement.value, abs=1e-7)
    assert within(match.proportion_correct, match.expected_proportion_correct)
    assert match.noiseless_agreement == 1
    assert match.n_pairs == match.agreement.n == 800


def test_yoked_with_it_the_model_agrees_with_itself_as_the_person(somebody, template):
    match = yoked.match_noise(somebody, template)
    noise = {"internal_noise": match.gamma, "observer_seed": 13}
    model = yoked.run(observer=template, yoke_to=somebody, **noise)
    assert within(match.agreement, yoked.agreement(model).value)


def test_it_is_found_again_in_yes_no(template):
    match = yoked.match_noise(
        person(1.0, protocol="bar-polarity", contrast=0.16), template
    )
    assert within(match.internal_noise, 1.0)
    assert within(match.proportion_correct, match.expected_proportion_correct)


def test_repeatable_noise_matches_accuracy_too_in_a_session(somebody, template):
    """Somebody who does not look at every fifth stimulus, at both showings."""
    rng = np.random.default_rng(8)
    ids = somebody.trials["stimulus_id"].to_numpy(int)
    unseen = np.isin(ids, rng.choice(np.unique(ids), len(np.unique(ids)) // 5))
    seen = somebody.trials["response"].to_numpy(int)
    someone = answered(somebody, np.where(unseen, ids % 2, seen))
    alone = yoked.match_noise(someone, template)
    both = yoked.match_noise(someone, template, repeatable=True)
    assert alone.expected_proportion_correct > alone.proportion_correct.high
    assert both.repeatable_noise > 0
    assert both.note is None
    assert both.expected_agreement == pytest.approx(both.agreement.value, abs=1e-7)
    correct = both.proportion_correct
    assert both.expected_proportion_correct == pytest.approx(correct.value, abs=1e-7)
    model = yoked.run(
        observer=template,
        yoke_to=someone,
        internal_noise=both.gamma,
        repeatable_noise=both.repeatable_noise,
        observer_seed=13,
    )
    assert within(both.agreement, yoked.agreement(model).value)
    right = model.counted["correct"].mean()
    assert right == pytest.approx(correct.value, abs=3 * correct.se)
    logged = model.row.observer.parameters["repeatable_noise"]
    assert logged == both.repeatable_noise


class Grainy:
    """A template with noise of its own, as a noisy layer has it."""

    name = "grainy"

    def __init__(self, template):
        self.prepare, self.learn = template.prepare, template.learn
        self._decide, self._sd = template.decide, None

    def decide(self, frames, noise):
        found = self._decide(frames, noise)
        self._sd = self._sd or 0.5 * found.std()  # of the first reserved trials
        return found + self._sd * noise.normal(found.shape[1])


def test_noise_of_the_models_own_counts_and_the_rest_is_added(somebody, template):
    own = Grainy(yoked.load_observer("template"))
    match = yoked.match_noise(somebody, own)
    assert match.noiseless_agreement < 0.95
    assert 0 < match.gamma < yoked.match_noise(somebody, template).gamma
    noise = {"internal_noise": match.gamma, "observer_seed": 13}
    model = yoked.run(observer=own, yoke_to=somebody, **noise)
    assert within(match.agreement, yoked.agreement(model).value)


def test_a_worse_model_gets_no_repeatable_noise_and_a_sentence(somebody):
    worse = yoked.load_observer("template", efficiency=0.2)
    match = yoked.match_noise(somebody, worse, repeatable=True)
    assert match.repeatable_noise == 0
    assert match.note.startswith("repeatable noise only lowers accuracy")
    assert match.note in match.sentence


def test_a_person_who_guesses_cannot_be_matched(template):
    with pytest.raises(
        CannotTell, match=r"above 0\.500, .*; the person's interval, from"
    ):
        yoked.match_noise(person(50.0, n_pairs=100), template)


def test_a_model_that_only_guesses_cannot_be_matched(somebody):
    rule = r"agree with itself as often as the person to be matched, got 0\.[45]"
    with pytest.raises(CannotTell, match=rule):
        yoked.match_noise(somebody, Noisy())


def test_a_person_who_always_agrees_gets_a_model_without_noise(template):
    match = yoked.match_noise(person(0.0, n_pairs=100), template)
    assert match.gamma == 0
    assert match.internal_noise.high > 0
    assert match.expected_proportion_correct == match.noiseless_proportion_correct


def test_a_session_without_pairs_is_refused(template):
    session = yoked.run(
        yoked.load_protocol("bar-in-noise"), template, seed=1, trials=100
    )
    none = pd.array([pd.NA] * len(session.trials), "Int64")
    alone = session.trials.assign(repeats=none)
    with pytest.raises(CannotTell, match="no trial was shown and answered twice"):
        yoked.match_noise(replace(session, trials=alone), template)


def test_observer_1_of_murray_2015(shared_data, tmp_path, template):
    path = tmp_path / "murray.db"
    file = shared_data("murray2015/experiment1_subject01.txt")
    session = yoked.load_session(path, import_murray2015(file, path))
    match = yoked.match_noise(session, template)
    assert round(match.agreement.value, 4) == 0.7588
    assert round(match.proportion_correct.value, 4) == 0.7055
    assert match.gamma == pytest.approx(0.916, abs=0.02)
    assert match.expected_proportion_correct == pytest.approx(0.731, abs=0.003)
    assert match.noiseless_proportion_correct == pytest.approx(0.7945, abs=0.003)


def test_the_command_prints_one_table_and_one_sentence(tmp_path):
    db = tmp_path / "results.db"
    options = ("--seed", "1", "--internal-noise", "1", "--option", "efficiency=0.5")
    run = CliRunner().invoke
    made = run(cli, ["simulate", "bar-in-noise", "template", str(db), *options])
    session = json.loads(made.stdout)["session"]
    asked = ["match", str(db), session, "--observer", "template", "--repeatable"]
    found = run(cli, [*asked, "--table"])
    assert "internal noise (gamma)" in found.stdout
    assert max(map(len, found.stdout.splitlines())) <= 80
    assert "to agree with itself on 0.725 of the pairs" in found.stderr
    gamma = json.loads(run(cli, [*asked, "--json"]).stdout)["internal_noise"]["value"]
    noises = ["--internal-noise", "matched", "--repeatable-noise", "matched"]
    yoke = ["simulate", "template", str(db), "--yoke-to", session, *noises]
    model = json.loads(run(cli, yoke).stdout)["session"]
    logged = yoked.load_session(db, model).row.observer.parameters
    assert logged["internal_noise"] == pytest.approx(gamma)
    assert logged["repeatable_noise"] > 0


@pytest.mark.parametrize(
    ("noises", "text"),
    [
        (["--internal-noise", "matched"], "noise can be 'matched' with --yoke-to only"),
        (["--internal-noise", "much"], "'much' is not a valid number or 'matched'"),
    ],
)
def test_noise_that_cannot_be_is_refused_before_a_file_is_made(tmp_path, noises, text):
    db = tmp_path / "results.db"
    asked = ["simulate", "bar-in-noise", "template", str(db), *noises]
    found = CliRunner().invoke(cli, asked)
    assert text in found.stderr
    assert not db.exists()
