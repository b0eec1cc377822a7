"""Time and answers in the lab: jitter, no limit, confidence, tones."""

import sys
from dataclasses import replace

import pytest

from tests.experiments.lab.recording import FAST, HZ, Recorder, run
from yoked.experiments.lab.pages import confidence_page
from yoked.experiments.lab.showing import Showing
from yoked.experiments.lab.sitting import Sitting
from yoked.experiments.lab.stage import Stage
from yoked.experiments.lab.trial import frames_for, plan_trial
from yoked.experiments.protocols.answers import Confidence, Feedback
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import Block
from yoked.experiments.session.durations import as_drawn
from yoked.experiments.session.session import Session
from yoked.experiments.store.rows import ObserverInfo
from yoked.experiments.store.sqlite import open_store

SURE = Confidence(keys=("1", "2", "3", "4"), prompt={"de": "Wie sicher?"})


class Rater(Recorder):
    """Answers how sure by a script of its own."""

    def __init__(self, *rated: str, **fields):
        super().__init__(**fields)
        self.rated = list(rated)

    def page_key(self):
        is_asked = self.texts[-1].startswith(("How sure", "Wie sicher"))
        return self.rated.pop(0) if is_asked else super().page_key()


@pytest.fixture
def store():
    store = open_store(":memory:")
    yield store
    store.close()


@pytest.fixture
def protocol():
    protocol = load_protocol("bar-in-noise").with_options(4, 0.227, FAST)
    return replace(protocol, catch=replace(protocol.catch, n_per_block=0))


def sit(store, protocol, screen, play=None, language="en"):
    """Run a session; return its trials, and whether it got to its end."""
    person = ObserverInfo("person", "p01")
    session = Session.start(store, protocol, person, "lab", seed=7)
    screen.plan = plan_trial(protocol, screen.refresh_hz)
    stage = Stage.of(protocol)
    showing = Showing(
        session, store, screen, screen, stage, language=language, play=play
    )
    finished = Sitting(session, showing, screen, screen, language, 0).run()
    return store.trials(session.id), finished, session


def test_confidence_is_asked_after_a_response_and_logged_from_one(store, protocol):
    asked = replace(protocol, confidence=SURE)
    screen = Rater("1", "4", "2", script=[[("f", 110)], [("f", 110)], [], [("f", 110)]])
    trials, finished, _ = sit(store, asked, screen)
    assert finished
    assert [t.response.confidence for t in trials] == [1, 4, None, 2]
    assert [t.response.response for t in trials] == [0, 0, None, 0]
    assert all(t.response.valid for t in trials)


def test_the_question_is_asked_in_the_participant_s_language():
    assert confidence_page(SURE, "de").startswith("Wie sicher?")
    assert confidence_page(Confidence(keys=("1", "2")), "de").startswith("How sure are")


def test_escape_at_the_question_spoils_the_trial(store, protocol):
    asked = replace(protocol, confidence=SURE)
    screen = Rater("escape", *"11111", page_script=["space"] * 40)
    trials, finished, _ = sit(store, asked, screen)
    assert finished
    assert trials[0].response.confidence is None
    assert trials[0].response.invalid_reason == "paused with Escape"
    assert all(t.response.valid for t in trials[1:])
    assert len(trials) == 5  # it came again


def test_a_response_without_a_limit_is_waited_for(store, protocol):
    timing = replace(FAST, response_ms=0.0)
    screen = Recorder(script=[[("j", 90_000)]])
    trials, _, _ = sit(store, protocol.with_options(timing=timing), screen)
    assert trials[0].response.response == 1
    assert trials[0].response.rt_ms > 89_000


def test_fixation_and_gap_last_as_drawn(store, protocol):
    timing = replace(FAST, fixation_jitter_ms=200.0, gap_jitter_ms=100.0)
    jittered = protocol.with_options(trials=12, timing=timing)
    trials, _, session = sit(store, jittered, Recorder())
    shown = set()
    for record in trials:
        asked = as_drawn(session, record.spec.trial).timing
        first, second = record.response.onsets_ms
        fixation = frames_for(asked.fixation_ms, HZ) * 1000 / HZ
        gap = frames_for(asked.gap_ms, HZ) * 1000 / HZ
        assert (first, second - first) == (fixation, 20 + gap)
        shown.add(first)
    assert len(shown) > 5
    assert all(record.response.valid for record in trials)


@pytest.mark.parametrize(
    ("by", "writes"), [("text", True), ("tone", False), ("both", True)]
)
def test_feedback_is_written_or_played(store, protocol, by, writes):
    told = replace(
        protocol, feedback=Feedback(by=by), blocks=(Block("main", 4, feedback=True),)
    )
    played: list[bool] = []
    screen = Recorder()
    play = played.append if told.feedback.has_tones else None
    trials, _, _ = sit(store, told, screen, play)
    assert played == ([] if by == "text" else [bool(t.correct) for t in trials])
    assert any(text in ("correct", "wrong") for text in screen.texts) == writes


def test_a_missing_response_is_written_also_where_there_are_tones(store, protocol):
    told = replace(
        protocol,
        feedback=Feedback(by="tone"),
        blocks=(Block("main", 4, feedback=True),),
    )
    played: list[bool] = []
    screen = Recorder(script=[[], [("f", 110)], [("f", 110)], [("f", 110)]])
    sit(store, told, screen, played.append)
    assert len(played) == 3
    assert screen.texts.count("no response") == 1


def test_where_no_sound_can_be_played_feedback_is_written_and_that_is_logged(
    tmp_path, monkeypatch, protocol
):
    monkeypatch.setitem(sys.modules, "psychopy.sound", None)  # none of its libraries
    told = replace(
        protocol,
        feedback=Feedback(by="tone"),
        blocks=(Block("main", 4, feedback=True),),
    )
    screen, said = Recorder(), []
    outcome = run(tmp_path / "lab.db", screen, said, protocol=told, participant="p01")
    assert outcome.is_finished
    (sentence,) = [line for line in said if "Tones" in line]
    assert sentence.endswith("feedback is written on the screen.")
    assert screen.texts.count("correct") + screen.texts.count("wrong") == 4
    store = open_store(tmp_path / "lab.db")
    kinds = [event["kind"] for event in store.events(outcome.session_id)]
    store.close()
    assert kinds.count("no_sound") == 1
