"""Nobody there, the wrong key, or a key too soon: told, counted, and logged."""

from dataclasses import replace

import pytest

from tests.experiments.lab.recording import FAST, PERIOD, Recorder
from yoked.app.reports.lab_summary import session_summary
from yoked.experiments.lab.attention import ABSENT, NO_RESPONSES, in_words
from yoked.experiments.lab.request import Request
from yoked.experiments.lab.run import run_lab
from yoked.experiments.lab.trial import plan_trial
from yoked.experiments.protocols.checks import ProtocolError
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import Block, Task
from yoked.experiments.session.results import session_data
from yoked.experiments.store.sqlite import open_store

ONSET = 90.0  # of the last interval, from the first flip: 30 + 20 + 40 ms
AGAIN = [("f", 110)]  # a response in good time


@pytest.fixture(autouse=True)
def no_monitors(tmp_path, monkeypatch):
    monkeypatch.setenv("YOKED_CALIBRATIONS", str(tmp_path / "calibrations"))


@pytest.fixture
def few():
    protocol = load_protocol("bar-in-noise").with_options(8, 0.227, FAST)
    return replace(protocol, catch=replace(protocol.catch, n_per_block=0))


class Sat:
    """A session that somebody sat through, and all that is to be seen of it."""

    def __init__(self, db_path, protocol, script=(), pages=(), late=None, **asked):
        self.screen, self.said = Recorder(late=late or {}), []
        self.screen.script = [list(keys) for keys in script]
        self.screen.page_script = list(pages)
        self.screen.plan = plan_trial(protocol, self.screen.refresh_hz)
        self.outcome = run_lab(
            db_path,
            Request(protocol, "p01", **asked),
            self.said.append,
            lambda *_: self.screen,
            lambda *_: self.screen,
        )
        store = open_store(db_path)
        session = self.outcome.session_id
        self.row, self.trials = store.session(session), store.trials(session)
        self._events, self.excluded = store.events(session), store.excluded(session)
        self.summary = session_summary(session_data(store, session))
        store.close()

    def events(self, kind):
        return [e["detail"] for e in self._events if e["kind"] == kind]

    def texts(self, begin):
        return [text for text in self.screen.texts if text.startswith(begin)]


def misses(n):
    return [[] for _ in range(n)]


# Absent -----------------------------------------------------------------------------


def test_five_misses_in_a_row_ask_whether_somebody_is_there(db_path, few):
    sat = Sat(db_path, few, [*misses(5), *[AGAIN] * 3])
    (page,) = sat.texts("Are you there?")
    assert "no response in the last 5 trials" in page
    assert "Press F or J" in page
    assert sat.events("absent") == [{"next_trial": 5, "n_missed": 5}]
    assert len(sat.events("continued")) == 1
    assert ABSENT.format(5) in sat.said
    assert sat.outcome.is_finished


def test_a_response_between_begins_the_count_again(db_path, few):
    sat = Sat(db_path, few, [*misses(4), AGAIN, *misses(3)])
    assert sat.texts("Are you there?") == []


def test_who_is_not_there_can_be_sent_home(db_path, few):
    first_pages = ["space"] * 3  # consent, instructions, block
    sat = Sat(db_path, few, misses(8), [*first_pages, "q"])
    assert not sat.outcome.is_finished
    assert (len(sat.trials), sat.row.status) == (5, "unfinished")
    assert len(sat.events("quit")) == 1


@pytest.mark.parametrize(("absent_after", "n_asked"), [(2, 4), (0, 0)])
def test_how_many_misses_is_a_setting(db_path, few, absent_after, n_asked):
    sat = Sat(db_path, few, misses(8), absent_after=absent_after)
    assert len(sat.texts("Are you there?")) == n_asked


def test_misses_of_spoiled_trials_count_too(db_path, few):
    sat = Sat(db_path, few, misses(20), late=dict.fromkeys(range(6, 9000, 5), 1))
    assert not all(trial.response.valid for trial in sat.trials)
    assert len(sat.texts("Are you there?")) == len(sat.trials) // 5


def test_a_setting_below_zero_is_refused(few):
    with pytest.raises(ValueError, match="absent_after must be 0 or more, got -1"):
        Request(few, "p01", absent_after=-1)


# Without any response ---------------------------------------------------------------


def test_a_session_without_a_response_does_not_end_without_a_word(db_path, few):
    sat = Sat(db_path, few, misses(8))
    assert sat.row.status == "finished"
    assert NO_RESPONSES in sat.screen.texts
    assert "no response was recorded" in NO_RESPONSES
    assert sat.events("no_response") == [{"n_trials": 8}]
    assert any("No response in any of 8 trials" in said for said in sat.said)
    assert sat.summary.to_dict()["responses"] == 0
    assert sat.summary.table()[0]["responses"] == 0


def test_with_one_response_the_end_is_as_ever(db_path, few):
    sat = Sat(db_path, few, [AGAIN, *misses(7)])
    assert NO_RESPONSES not in sat.screen.texts
    assert sat.events("no_response") == []
    assert sat.summary.responses == 1


def test_a_session_that_cannot_be_believed_is_said_to_be_screened_out(db_path, few):
    screening = replace(few.screening, median_rt_ms=0)
    protocol = replace(few.with_options(trials=20), screening=screening)
    sat = Sat(db_path, protocol, [AGAIN] * 20)
    rule = "one key must be at most 95% of the responses, got 20 of 20"
    assert sat.events("screened_out") == [{"rules": [rule]}]
    assert f"Screened out: {rule}." in sat.said
    assert sat.summary.screened_out == (rule,)
    both = [[("fj"[n % 2], 110)] for n in range(20)]
    fine = Sat(db_path, protocol, both)
    assert fine.events("screened_out") == []


# Too soon ---------------------------------------------------------------------------


def soon(few):
    """Return a protocol whose responses before 50 ms are anticipations."""
    return replace(few, timing=replace(FAST, earliest_ms=50))


def test_a_response_too_soon_is_told_counted_and_excluded(db_path, few):
    sat = Sat(db_path, soon(few), [[("f", ONSET + 20)], *[[("f", ONSET + 60)]] * 7])
    (told,) = sat.texts("Too soon")
    assert told == "Too soon: wait for the last pattern, then press F or J."
    assert sat.excluded == {0}
    assert sat.summary.anticipations == 1
    assert "Responses before 50 ms, excluded: 1." in sat.said


def test_a_key_before_the_onset_is_told_and_counted(db_path, few):
    sat = Sat(db_path, soon(few), [[("j", 40), ("f", ONSET + 60)], *[AGAIN] * 7])
    assert len(sat.texts("Too soon")) == 1 + 7  # AGAIN is at 20 ms
    assert sat.events("early_key") == [{"trial": 0, "key": "j", "at_ms": 40.0}]
    assert 0 not in sat.excluded  # its response came in time


def test_where_there_is_one_interval_it_is_the_pattern(db_path):
    protocol = load_protocol("bar-polarity").with_options(2, 0.16, FAST)
    sat = Sat(db_path, protocol, [[("f", 10), ("f", 60)]] * 4)
    assert sat.texts("Too soon: wait for the pattern, then press")


def test_who_was_too_soon_in_practice_is_not_told_right_or_wrong(db_path, few):
    protocol = replace(
        soon(few), blocks=(Block("practice", 2, feedback=True), *few.blocks)
    )
    sat = Sat(db_path, protocol, [[("f", ONSET + 20)]] * 2)
    assert len(sat.texts("Too soon")) >= 2
    assert not {"correct", "wrong"} & set(sat.screen.texts[3:5])


def test_what_is_told_stays_long_enough_to_be_read(db_path, few):
    sat = Sat(db_path, soon(few), [[("f", ONSET + 20)], *[[("f", ONSET + 60)]] * 7])
    shown = sat.screen.shown
    number = next(i for i, s in enumerate(shown) if str(s).startswith("Too soon"))
    assert sat.screen.flips[number + 1] - sat.screen.flips[number] >= 1500 - PERIOD


# Another key ------------------------------------------------------------------------


def test_a_key_that_is_none_of_the_task_s_gets_a_hint(db_path, few):
    sat = Sat(db_path, few, [[("k", 120)], *[AGAIN] * 7])
    (hint,) = sat.texts("That key")
    assert hint == "That key is no response: press F or J."
    assert sat.events("other_key") == [{"trial": 0, "key": "k", "at_ms": 120.0}]
    assert "Pressed, and no response: k (1)." in sat.said


def test_a_response_after_it_needs_no_hint(db_path, few):
    sat = Sat(db_path, few, [[("k", 100), ("f", 120)], *[AGAIN] * 7])
    assert sat.texts("That key") == []
    assert sat.trials[0].response.response == 0
    assert len(sat.events("other_key")) == 1


def test_a_protocol_with_keys_that_nobody_can_press_is_refused(db_path, few):
    capitals = replace(few, task=Task("2afc", ("F", "J")))
    with pytest.raises(
        ProtocolError, match=r"task\.keys must be keys that browser and"
    ):
        Sat(db_path, capitals)
    pauses = replace(few, task=Task("2afc", ("f", "escape")))
    with pytest.raises(ProtocolError, match="'escape' pauses"):
        Sat(db_path, pauses)
    assert not db_path.exists() or open_store(db_path).sessions() == []


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (("f", "j"), "F or J"),
        (("1", "2", "3"), "1, 2 or 3"),
        (("left", "right"), "the left arrow or the right arrow"),
        (("num_1", "space"), "1 on the number pad or the space bar"),
        (("return", "a"), "Enter or A"),
    ],
)
def test_keys_are_said_as_they_are_printed(keys, words):
    assert in_words(keys) == words


def test_at_a_box_the_hint_speaks_of_its_buttons(db_path, few):
    screen = Recorder(backend="box, script", script=[[("j", 40)], *[AGAIN] * 7])
    screen.plan = plan_trial(few, screen.refresh_hz)
    asked = Request(few, "p01", box="COM3")
    run_lab(db_path, asked, print, lambda *_: screen, lambda *_: screen)
    hint = "Too soon: wait for the last pattern, then press a button of the box."
    assert hint in screen.texts


# Stamps -----------------------------------------------------------------------------


def test_a_trial_has_the_offset_of_each_interval(db_path, few):
    sat = Sat(db_path, few)
    assert {trial.response.onsets_ms for trial in sat.trials} == {(30.0, 90.0)}
    assert {trial.response.offsets_ms for trial in sat.trials} == {(50.0, 110.0)}


def test_a_movie_has_them_too(db_path):
    timing = replace(FAST, frame_ms=20)
    protocol = load_protocol("movie-bar").with_options(2, 0.2, timing)
    sat = Sat(db_path, protocol)
    assert sat.trials[0].response.onsets_ms == (30.0, 250.0)
    assert sat.trials[0].response.offsets_ms == (210.0, 430.0)


def test_what_lasted_too_long_is_judged_from_the_stamps(db_path, few):
    """Three refreshes late are 30 ms, beyond the protocol's tolerance of 20."""
    flips_before = 3 * 2
    sat = Sat(db_path, few, late={flips_before + 4: 3})
    assert not sat.trials[0].response.valid
    assert sat.trials[0].response.invalid_reason == (
        "frames dropped: 3; an interval lasted too long: 50 ms where 20 were asked for"
    )


def test_a_refresh_that_was_measured_at_half_spoils_what_was_shown(db_path, few):
    """Frames counted at 50 Hz on a screen of 100 Hz: none dropped, all half as long."""
    timing = replace(FAST, interval_ms=100, fixation_ms=100, gap_ms=100)
    protocol = replace(few, timing=timing)
    sat = Sat.__new__(Sat)
    screen = Recorder(refresh_hz=50.0)
    screen.plan = plan_trial(protocol, 50.0)
    outcome = run_lab(
        db_path, Request(protocol, "p01"), print, lambda *_: screen, lambda *_: screen
    )
    store = open_store(db_path)
    sat.trials = store.trials(outcome.session_id)
    store.close()
    assert not any(trial.response.valid for trial in sat.trials)
    assert {trial.response.frames_dropped for trial in sat.trials} == {0}
    assert "the fixation lasted too short" in str(sat.trials[0].response.invalid_reason)
