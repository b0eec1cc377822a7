"""A model takes part: known observers, exact repetition, yoking, and interruption."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ndtr, ndtri

from yoked.experiments.protocols.answers import Confidence, Feedback
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import Task
from yoked.experiments.session.results import load_session, session_data
from yoked.experiments.session.session import Session
from yoked.experiments.stimulus.noise import level_table
from yoked.experiments.stimulus.render import digest
from yoked.experiments.store.sqlite import open_store
from yoked.models.observers.guesser import Guesser
from yoked.models.observers.template import Template
from yoked.models.simulate import run


@pytest.fixture
def store(db_path):
    opened = open_store(db_path)
    yield opened
    opened.close()


class Left:
    """An observer of one's own: two methods and a name."""

    name = "left"

    def prepare(self, viewing):
        self.viewing = viewing

    def decide(self, frames, noise):
        return np.tile(np.array([1.0, 0.0]), (len(frames), 1))


class Pupil(Left):
    """Says what it was taught with."""

    name = "pupil"
    weights_hash = "abc"

    def __init__(self):
        self.parameters = {"school": "own"}

    def learn(self, practice, progress=None):
        self.practice = practice
        if progress is not None:
            progress(2, 2)


class Interrupted(Left):
    """Somebody presses Ctrl-C in its third batch."""

    name = "interrupted"
    n_batches = 0

    def decide(self, frames, noise):
        self.n_batches += 1
        if self.n_batches == 3:
            raise KeyboardInterrupt
        return super().decide(frames, noise)


def variables(session):
    return np.array([json.loads(row) for row in session.trials["decision_variables"]])


def agreement(r, z):
    """Return Phi2(z, z; r) + Phi2(-z, -z; r) by its 1-D form, methods.md 3.1."""
    if r == 1:
        return 1.0

    def both(t):
        density = math.exp(-(t**2) / 2) / math.sqrt(2 * math.pi)
        p = ndtr((z - math.sqrt(r) * t) / math.sqrt(1 - r))
        return density * (p**2 + (1 - p) ** 2)

    return quad(both, -9, 9)[0]


# --- known observers -----------------------------------------------------------------


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
def test_dprime_and_agreement_follow_the_closed_forms(protocol, gamma):
    """D' = ||s|| / (sigma sqrt(1 + gamma^2)), agreement, methods.md 1.4 and 3.1."""
    session = run(
        protocol, Template(), seed=11, trials=12_000, contrast=0.1, internal_noise=gamma
    )
    counted = session.counted
    sd = level_table("gaussian", 0.1).astype(float).std()
    dprime = round(0.1 * 127) / sd / math.hypot(1, gamma)
    p = ndtr(dprime / math.sqrt(2))
    # Both showings of a pair share their noise field: 8,000 fields for certain.
    assert counted["correct"].mean() == pytest.approx(
        p, abs=4 * math.sqrt(p * (1 - p) / 8000)
    )
    pairs = counted[counted["repeats"].notna()]
    first = counted.set_index("trial").loc[pairs["repeats"].astype(int), "response"]
    same = (first.to_numpy() == pairs["response"].to_numpy()).mean()
    expected = agreement(1 / (1 + gamma**2), ndtri(p))
    se = math.sqrt(expected * (1 - expected) / len(pairs))
    assert len(pairs) == 4000
    assert same == pytest.approx(expected, abs=4 * se)


def test_a_guesser_is_at_chance(protocol):
    session = run(protocol, Guesser(), seed=11, trials=4000, contrast=0.3)
    assert session.counted["correct"].mean() == pytest.approx(0.5, abs=0.04)


def test_yes_no_is_unbiased_unless_a_criterion_is_given():
    protocol = load_protocol("bar-polarity")
    found = []
    for criterion in (None, 0.5):
        session = run(
            protocol, Template(), seed=3, trials=6000, contrast=0.16,
            internal_noise=1.0, criterion=criterion,
        )  # fmt: skip
        rates = session.counted.groupby("target")["response"].mean().astype(float)
        found.append(-(ndtri(rates[0]) + ndtri(rates[1])) / 2)
    assert found == pytest.approx([0.0, 0.5], abs=0.08)


def test_a_rating_task_uses_every_category():
    protocol = load_protocol("bar-polarity")
    protocol = replace(protocol, task=Task("rating", tuple("123456")))
    session = run(protocol, Template(), seed=3, trials=600, contrast=0.16)
    assert set(session.counted["response"]) == set(range(6))
    assert session.counted["correct"].mean() > 0.8


def test_a_movie_is_responded_to_like_a_still():
    protocol = load_protocol("movie-bar")
    session = run(protocol, Template(), seed=3, trials=1000, contrast=0.227)
    assert session.counted["correct"].mean() == pytest.approx(ndtr(1.61), abs=0.04)


def test_what_only_a_person_has_changes_nothing_for_a_model(protocol, store):
    """Durations that vary, confidence and tones: the stimuli stay what they are."""
    asked = replace(
        protocol,
        timing=replace(protocol.timing, fixation_jitter_ms=300, response_ms=0),
        confidence=Confidence(keys=("1", "2", "3"), prompt={"en": "How sure?"}),
        feedback=Feedback(by="tone"),
    )
    plain, full = run(protocol, Template(), seed=3), run(asked, Template(), seed=3)
    same = ["stimulus_id", "contrast", "target", "response", "digest"]
    assert full.trials[same].equals(plain.trials[same])
    run(asked, Template(), seed=3, store=store)
    (row,) = store.sessions()
    responses = [record.response for record in store.trials(row.id)]
    assert {(r.confidence, r.rt_ms, r.onsets_ms) for r in responses} == {
        (None, None, None)
    }


def test_a_calibrated_session_ends_near_the_proportion_it_aims_at(protocol):
    session = run(protocol, Template(), seed=5, internal_noise=1.35)
    assert session.status == "finished"
    assert 0.65 <= session.counted["correct"].mean() <= 0.85


# --- the observer's own noise --------------------------------------------------------


def noise_of(session, silent):
    return variables(session) - variables(silent)


def test_the_two_passes_and_two_observers_share_no_noise(protocol, store):
    options = {"seed": 2, "trials": 3000, "contrast": 0.1, "store": store}
    silent = run(protocol, Template(), **options)
    first, second = (
        run(protocol, Template(), internal_noise=1.0, **options) for _ in range(2)
    )
    one, other = noise_of(first, silent), noise_of(second, silent)
    assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 4 / math.sqrt(6000)
    trials = first.trials
    pairs = trials[trials["repeats"].notna()]
    again, before = one[pairs["trial"]], one[pairs["repeats"].astype(int)]
    correlation = np.corrcoef(again.ravel(), before.ravel())[0, 1]
    assert abs(correlation) < 4 / math.sqrt(again.size)


def test_no_two_sessions_of_a_log_have_the_same_observer_seed(protocol, store):
    for _ in range(3):
        run(protocol, Guesser(), seed=2, trials=4, contrast=0.1, store=store)
    run(protocol, Template(), seed=2, trials=4, contrast=0.1, store=store)
    rows = store.sessions()
    assert len({row.observer_seed for row in rows} - {2}) == 4


def test_a_session_is_repeated_exactly_in_another_log(protocol, store):
    options = {"trials": 300, "internal_noise": 1.0}
    first = run(protocol, Template(), seed=2, store=store, **options)
    again = run(protocol, Template(), seed=2, **options)
    by_seed = run(
        protocol, Template(), seed=2, observer_seed=first.row.observer_seed, **options
    )
    sent = ["contrast", "target", "response", "decision_variables", "digest"]
    assert first.trials[sent].equals(again.trials[sent])
    assert first.trials[sent].equals(by_seed.trials[sent])


def test_an_observer_seed_in_use_is_refused(protocol, store):
    options = {"trials": 4, "contrast": 0.1, "store": store, "observer_seed": 9}
    run(protocol, Guesser(), seed=2, **options)
    with pytest.raises(ValueError, match="observer_seed must be that of no other"):
        run(protocol, Guesser(), seed=3, **options)


@pytest.mark.parametrize("observer", [Template, Guesser])
@pytest.mark.parametrize("name", ["bar-in-noise", "bar-polarity"])
def test_the_size_of_a_batch_changes_nothing(name, observer):
    protocol = load_protocol(name)
    found = [
        run(protocol, observer(), seed=4, trials=150, internal_noise=1.0, batch=batch)
        for batch in (1, 7, 256)
    ]
    sent = ["contrast", "target", "response", "decision_variables", "digest"]
    assert found[0].trials[sent].equals(found[1].trials[sent])
    assert found[0].trials[sent].equals(found[2].trials[sent])


# --- the log -------------------------------------------------------------------------


def test_a_session_is_logged_like_a_persons(protocol, store, db_path):
    session = run(protocol, Pupil(), store=store, seed=8, trials=20, internal_noise=0)
    row = store.session(session.id)
    assert (row.observer.kind, row.presenter) == ("model", "model")
    assert row.status == "finished"
    assert row.observer.parameters == {"school": "own", "internal_noise": 0.0}
    assert row.observer.weights_hash == "abc"
    assert load_session(db_path, session.id).trials.equals(session.trials)
    kinds = session.trials["block_kind"].value_counts()
    assert kinds["main"] == 20
    assert kinds["calibration"] == 60


def test_digests_are_those_of_the_pixels(protocol, store):
    session = run(protocol, Left(), store=store, seed=8, trials=10, contrast=0.1)
    records = store.trials(session.id)
    frames = Session.resume(store, session.id).frames([r.spec for r in records])
    assert [r.response.digest for r in records] == [digest(shown) for shown in frames]


def test_the_logged_decision_variables_are_those_that_decided(protocol):
    session = run(protocol, Template(), seed=8, trials=200, internal_noise=1.0)
    chosen = variables(session).argmax(1)
    assert (chosen == session.trials["response"].to_numpy(int)).all()


def test_what_the_calibration_found_is_logged(protocol, store):
    session = run(
        protocol, Template(), store=store, seed=8, trials=10, internal_noise=0.5
    )
    (event,) = [e for e in store.events(session.id) if e["kind"] == "decision"]
    detail = event["detail"]
    assert detail["internal_sd"] == pytest.approx(0.5 * detail["external_sd"])


def test_an_interrupt_keeps_the_responded_trials_and_does_not_finish(protocol, store):
    with pytest.raises(KeyboardInterrupt, match=r"^$"):
        run(
            protocol, Interrupted(), store=store, seed=8, trials=100, contrast=0.1,
            batch=10,
        )  # fmt: skip
    (row,) = store.sessions()
    assert (row.status, row.n_trials) == ("unfinished", 10)
    assert len(session_data(store, row.id).trials) == 10


# --- yoking --------------------------------------------------------------------------


def test_a_yoked_model_sees_the_same_pixels_and_has_noise_of_its_own(protocol, store):
    source = run(protocol, Template(), store=store, seed=8, internal_noise=1.0)
    yoked = run(None, Template(0.5), store=store, yoke_to=source.id, internal_noise=1.0)
    same = ["trial", "stimulus_id", "contrast", "target", "repeats", "digest"]
    assert source.trials[same].equals(yoked.trials[same])
    assert yoked.yoked_to == source.id
    assert yoked.seed == source.seed
    assert yoked.row.observer_seed not in {source.row.observer_seed, source.seed}
    assert not source.trials["response"].equals(yoked.trials["response"])


def test_another_model_without_noise_responses_yoked_trials_as_the_first_did(
    protocol, store
):
    source = run(protocol, Template(), store=store, seed=8)
    yoked = run(protocol, Template(), store=store, yoke_to=source.id)
    assert source.trials["response"].equals(yoked.trials["response"])


def test_an_unfinished_source_is_refused(protocol, store):
    with pytest.raises(KeyboardInterrupt, match=r"^$"):
        run(protocol, Interrupted(), store=store, seed=8, trials=100, batch=10)
    with pytest.raises(ValueError, match="must be finished before another is yoked"):
        run(None, Template(), store=store, yoke_to=store.sessions()[0].id)
    assert len(store.sessions()) == 1


def test_a_source_that_does_not_exist_is_refused(store):
    with pytest.raises(LookupError, match="a session must be in the database, got 'x'"):
        run(None, Template(), store=store, yoke_to="x")


# --- learning, progress, refusals ----------------------------------------------------


def test_an_observer_learns_the_protocol_that_is_run(protocol):
    pupil = Pupil()
    run(protocol, pupil, seed=1, trials=10, contrast=0.1)
    assert pupil.practice.protocol.contrast.values == (0.1,)
    assert pupil.viewing.element_px == (52, 4)


def test_progress_is_told_of_training_and_trials(protocol):
    told = []
    run(
        protocol, Pupil(), seed=1, trials=20, contrast=0.1, batch=16,
        progress=lambda *what: told.append(what),
    )  # fmt: skip
    n = told[-1][2]
    assert told[0] == ("training", 2, 2)
    assert told[1:] == [("trials", 16, n), ("trials", n, n)]


def test_practice_shares_no_trial_with_the_session(protocol):
    pupil = Pupil()
    session = run(protocol, pupil, seed=1, trials=50, contrast=0.1)
    _, practised = pupil.practice.draw(50, contrast=0.1)
    shown = set(session.trials["digest"])
    assert not shown & {digest(frames) for frames in practised}


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"protocol": None}, "protocol must be given unless yoke_to is"),
        ({"yoke_to": "x"}, "must be a session, or come with a store, got 'x' alone"),
        ({"batch": 0}, "batch must be 1 or more, got 0"),
        ({"internal_noise": -1.0}, "internal_noise must be 0 or more, got -1"),
        ({"criterion": 0.0}, "criterion must be given for yes/no and rating"),
    ],
)
def test_options_that_make_no_sense_are_refused(protocol, options, rule):
    options = {"protocol": protocol, "seed": 1, **options}
    with pytest.raises(ValueError, match=rule):
        run(observer=Template(), **options)


def test_what_is_refused_leaves_no_session_behind(protocol, store):
    with pytest.raises(ValueError, match="internal_noise must be 0 or more"):
        run(protocol, Template(), store=store, internal_noise=-1.0)
    assert store.sessions() == []


def test_trials_of_a_yoked_session_are_its_sources(protocol, store):
    with pytest.raises(
        ValueError, match="left to the source in a yoked session, got 5"
    ):
        run(None, Template(), store=store, yoke_to="x", trials=5)
