"""Scores: people whose computation is known are found close to it, at every depth."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import CliRunner

import yoked
from tests.app.test_matched_noise import answered, person
from yoked.analysis.trials.estimate import Estimate
from yoked.app.cli import cli
from yoked.app.scores.card import told
from yoked.app.scores.kept import KeptAnswers
from yoked.app.scores.person import Person, some
from yoked.experiments.session.copied import copy_session
from yoked.experiments.stimulus.seeds import derived_seed
from yoked.experiments.store.sqlite import open_store
from yoked.models.asked import Asked
from yoked.models.matching import Noise

MIDDLE = 6


def by_energy(session, gamma=0.5, seed=5):
    """Return a session whose observer we simulate: a complex cell on the middle."""
    trials, rng = session.trials, np.random.default_rng(seed)
    seen = np.stack([session.noise.field(trials, k) for k in range(2)], 1)
    bars = seen.reshape(len(trials), 2, -1).astype(float)
    target = trials["target"].to_numpy(int)
    bars[np.arange(len(trials)), target, MIDDLE] += 127 * 0.295
    # A pair in quadrature about the middle bar, a little blurred, by a transform.
    away = np.minimum((np.arange(13) - MIDDLE) % 13, (MIDDLE - np.arange(13)) % 13)
    signal = np.exp(-0.5 * (away / 1.2) ** 2)
    analytic = np.fft.fft(signal) * (np.fft.fftfreq(13) > 0)
    pair = np.fft.ifft(analytic)
    energy = np.abs(bars @ pair) ** 2
    energy += gamma * energy.std() * rng.normal(size=energy.shape)
    return answered(session, energy.argmax(1))


@pytest.fixture(scope="module")
def linear_person():
    """Return somebody who looks at the middle bar."""
    return person(1.0, n_pairs=900)


@pytest.fixture(scope="module")
def energetic():
    """Return somebody who answers by energy, at a contrast that an energy can see."""
    shown = person(1.0, n_pairs=1500, contrast=0.295, seed=9)
    return by_energy(shown)


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    """Ask the references once for all tests, as an interrupted score does."""
    return KeptAnswers(tmp_path_factory.mktemp("answers"))


@pytest.fixture(scope="module")
def scored(linear_person, ask):
    observers = [yoked.load_observer(name) for name in ("energy", "guesser")]
    return yoked.score(observers, linear_person, ask=ask)


def card_of(score, observer):
    (found,) = [each for each in score.cards if each.observer == observer]
    return found


def shares(score, observer):
    return card_of(score, observer).people[0].shares


def has(estimate, value):
    return estimate.low <= value <= estimate.high


def test_who_does_what_the_template_does_is_at_the_ceiling_with_it(scored):
    responses, kernel, _ = shares(scored, "template")
    assert has(responses, 1.0)
    assert responses.low > 0.8
    assert has(kernel, 1.0)
    assert kernel.low > 0.9


def test_who_does_something_else_is_below_it(scored, linear_person):
    card = card_of(scored, "energy")
    assert shares(scored, "energy")[0].high < 0.95
    assert card.people[0].difference("ideal", "share").difference.high < 0
    assert scored.references[0] == "template"
    assert [each.observer for each in scored.cards][-1] == "guesser"
    assert "cannot be told" in card_of(scored, "guesser").sentence
    assert linear_person.observer in card.sentence


def test_noise_is_matched_or_it_is_said_why_not(scored):
    match = card_of(scored, "template").people[0].match
    assert has(match.internal_noise, 1.0)
    guesser = card_of(scored, "guesser").people[0]
    assert guesser.match is None
    assert "agree with itself" in guesser.missing["match"]


def test_an_energy_is_found_at_order_zero_and_two_where_a_template_is_not(
    energetic, ask
):
    score = yoked.score(yoked.load_observer("template"), energetic, ask=ask)
    assert score.references == ("energy",)  # the best circuit
    responses, _, second = shares(score, "energy")
    assert has(responses, 1.0)
    assert has(second, 1.0)
    assert second.low > 0.5
    assert shares(score, "template")[0].high < 0.7
    apart = card_of(score, "template").people[0].difference("circuit", "share")
    assert apart.closer == "energy"
    assert "further than those of the best shallow circuit (energy)" in (
        card_of(score, "template").sentence
    )


def test_the_best_circuit_is_chosen_on_trials_that_it_is_not_compared_on(energetic):
    someone = Person(energetic)
    chosen, compared = someone.split.held_out, someone.split.training
    assert not np.intersect1d(chosen, compared).size
    stimuli = energetic.counted["stimulus_id"].to_numpy(int)
    assert not np.intersect1d(stimuli[chosen], stimuli[compared]).size


def test_responses_are_those_of_a_yoked_run(linear_person):
    seed = derived_seed("tests", 3)
    asked = Asked.of(linear_person, yoked.load_observer("ln"), seed)
    ours = asked.responded(Noise(0.4, 0.3))
    run = yoked.run(
        observer=yoked.load_observer("ln"),
        yoke_to=linear_person,
        internal_noise=0.4,
        repeatable_noise=0.3,
        observer_seed=seed,
    )
    for column in ("response", "correct", "trial", "target"):
        assert ours.counted[column].tolist() == run.counted[column].tolist()


def test_trials_that_a_network_has_learnt_are_left_out(linear_person, ask):
    observer = yoked.load_observer("template")
    learnt = linear_person.counted["trial"].to_numpy(int)[:700]
    observer.trained_on = {"session": linear_person.id, "trials": learnt.tolist()}
    observer.name = "trained"
    card = card_of(yoked.score(observer, linear_person, ask=ask), "trained").people[0]
    assert card.n_left_out == 700
    assert card.n_trials == len(linear_person.counted) - 700
    whole = linear_person.counted
    part = some(linear_person, np.arange(700, len(whole))).counted
    assert not part["trial"].isin(learnt).any()
    observer.trained_on["trials"] = whole["trial"].tolist()
    with pytest.raises(ValueError, match="one or more that the network has not learnt"):
        yoked.score(observer, linear_person, ask=ask)


def test_an_observer_that_can_do_nobodys_task_is_refused(linear_person, ask):
    class Fussy(type(yoked.load_observer("template"))):
        name = "fussy"

        def learn(self, practice):
            raise ValueError("the task must be another, got this one")

    with pytest.raises(ValueError, match=r"guesser: the task must be another, got"):
        yoked.score(Fussy(), linear_person, ask=ask)


class Squares(torch.nn.Module):
    """Squares of the bars' sums: what pixels do not have."""

    def forward(self, images):
        bars = images.mean((1, 2)).reshape(len(images), 13, 4).mean(2)
        return torch.cat([bars, (bars - bars.mean(1, keepdim=True)) ** 2], 1)


def test_a_read_out_of_squares_foretells_an_energy_better_than_pixels(energetic, ask):
    options = {"readout": "linear", "preprocess": "contrast"}
    observer = yoked.from_torch(Squares(), name="squares", **options)
    found = (
        card_of(yoked.score(observer, energetic, ask=ask), "squares").people[0].readout
    )
    assert found.n_units == 26
    assert found.difference.low > 0.05
    assert found.pixels.high < found.features.low


def test_two_people_on_the_same_trials_have_a_line_of_their_own(linear_person, ask):
    twin = replace(
        answered(linear_person, linear_person.trials["response"].to_numpy(int)),
        row=replace(
            linear_person.row,
            id="2026-01-02-twin",
            observer=replace(linear_person.row.observer, name="twin"),
        ),
    )
    template = yoked.load_observer("template")
    score = yoked.score(template, [linear_person, twin], ask=ask)
    (pair,) = score.people
    assert {pair.one, pair.other} == {linear_person.observer, "twin"}
    assert pair.shares[1].value == pytest.approx(1, abs=0.01)
    task = card_of(score, "template").tasks[0]
    assert task.n_people == 2
    assert len(task.means) == 3
    assert "2 people" in card_of(score, "template").sentence


def test_what_was_asked_is_not_asked_again(linear_person, ask, tmp_path):
    class Counting(type(yoked.load_observer("template"))):
        name, n = "counting", 0

        def decide(self, frames, noise):
            Counting.n += len(frames)
            if Counting.n > Counting.most:
                raise KeyboardInterrupt
            return super().decide(frames, noise)

    kept = shutil.copytree(ask.folder, tmp_path / "answers")
    n_before, Counting.most = len(list(kept.iterdir())), 9000
    with pytest.raises(KeyboardInterrupt):
        yoked.score(Counting(), linear_person, ask=KeptAnswers(kept))
    assert len(list(kept.iterdir())) == n_before  # whole ones alone
    Counting.most, Counting.n = 10**9, 0
    once = yoked.score(Counting(), linear_person, ask=KeptAnswers(kept))
    asked = Counting.n
    again = yoked.score(Counting(), linear_person, ask=KeptAnswers(kept))
    assert asked == Counting.n > 0
    assert len(list(kept.iterdir())) == n_before + 1
    assert again.table() == once.table()


def test_an_interval_with_nought_and_one_in_it_tells_nothing():
    def share(low, high):
        return Estimate(0.5, 0.2, low, high, 100, "share/1")

    assert told(share(0.1, 1.2), "a", "b").value == 0.5
    assert told(share(-0.1, 0.8), "a", "b").value == 0.5
    nothing = told(share(-0.1, 1.2), "a", "b")
    assert nothing.value is None
    assert "must leave out 0 or 1, got 0.50 [-0.10, 1.20]" in nothing.note


@pytest.fixture(scope="module")
def people_db(linear_person, tmp_path_factory):
    path = tmp_path_factory.mktemp("people") / "people.db"
    info = replace(linear_person.row.observer, kind="person", name="p07")
    who = replace(linear_person, row=replace(linear_person.row, observer=info))
    store = open_store(path)
    copy_session(who, store)
    store.close()
    return path


def test_the_command_writes_page_picture_and_numbers(people_db, ask, tmp_path):
    out = tmp_path / "score"
    shutil.copytree(ask.folder, out / "answers")
    runner = CliRunner()
    command = ["score", "energy", "--people", str(people_db), "--out", str(out)]
    found = runner.invoke(cli, [*command, "--json"])
    assert found.exit_code == 0, found.output
    score = json.loads(found.stdout)
    assert score == json.loads((out / "score.json").read_text())
    assert score["format"] == "yoked-score/1"
    names = [card["observer"] for card in score["cards"]]
    assert sorted(names) == ["energy", "linear", "template"] or len(names) == 3
    page = (out / "score.html").read_text()
    assert "How close to people" in page
    assert page.count("<svg") == 1 + len(names)
    assert (out / "bar-in-noise.svg").stat().st_size > 1000
    table = pd.read_csv(out / "score.csv").set_index(["observer", "quantity"])
    assert table.loc[("template", "kappa"), "value"] > 0.2
    assert set(table.index.get_level_values(0)) == set(names)


def test_a_budget_is_printed_and_nothing_else_is_done(people_db, tmp_path):
    out = tmp_path / "score"
    command = ["score", "energy", "--people", str(people_db), "--dry-run"]
    found = CliRunner().invoke(cli, [*command, "--out", str(out)])
    assert found.exit_code == 0
    assert "1 observers and 7 references on 1,900 trials of 1 people" in found.stderr
    assert json.loads(found.stdout)["seconds"] > 0
    assert not out.exists()


@pytest.mark.parametrize(
    ("observers", "sentence"),
    [
        ([], "observers must be one or more, got none"),
        (["ln", "ln"], "observers must have different names, got ln twice"),
    ],
)
def test_whom_it_cannot_score_is_refused(linear_person, observers, sentence):
    with pytest.raises(ValueError, match=sentence):
        yoked.score([yoked.load_observer(each) for each in observers], linear_person)


def test_a_log_without_people_is_refused(tmp_path):
    path = tmp_path / "models.db"
    protocol = yoked.load_protocol("bar-in-noise")
    template = yoked.load_observer("template")
    yoked.run(protocol, template, store=path, seed=1, trials=100, contrast=0.2)
    found = CliRunner().invoke(cli, ["score", "ln", "--people", str(path)])
    assert found.exit_code == 1
    assert "must hold a person's finished session" in found.stderr
