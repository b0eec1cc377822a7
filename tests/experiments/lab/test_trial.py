"""Frames are counted, late ones spoil a trial, keys count from the last onset.

The clock is injected: flips of this screen take what the test says, and every picture
that was on it is kept.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.experiments.lab.recording import FAST, HZ, PERIOD, Recorder
from yoked.experiments.lab.keys import BoxKeys, KeyPress
from yoked.experiments.lab.screen import padded, place
from yoked.experiments.lab.showing import PAUSED_REASON, Showing, WrongPixels
from yoked.experiments.lab.sitting import Sitting
from yoked.experiments.lab.stage import Stage, trial_pictures
from yoked.experiments.lab.trial import (
    frames_for,
    n_dropped,
    plan_trial,
    present,
    timing_faults,
)
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import Block, Task
from yoked.experiments.session.session import Session
from yoked.experiments.stimulus.render import digest
from yoked.experiments.store.rows import ObserverInfo
from yoked.experiments.store.sqlite import open_store


@pytest.fixture
def protocol():
    protocol = load_protocol("bar-in-noise").with_options(8, 0.227, FAST)
    return replace(protocol, catch=replace(protocol.catch, n_per_block=0))


@pytest.fixture
def store():
    store = open_store(":memory:")
    yield store
    store.close()


def sit(store, protocol, screen, session=None, stage=None, **options):
    """Run a session to its end; return whether it got there, and the session."""
    session = session or Session.start(
        store, protocol, ObserverInfo("person", "p01"), "lab", seed=7
    )
    screen.plan = plan_trial(protocol, screen.refresh_hz)
    stage = stage or Stage.of(protocol)
    read_back = options.pop("read_back", "block")
    showing = Showing(session, store, screen, screen, stage, read_back)
    sitting = Sitting(session, showing, screen, screen, **options)
    return sitting.run(), session


# Durations and plans ----------------------------------------------------------------


def test_durations_become_the_nearest_whole_number_of_refreshes():
    assert [frames_for(ms, 60) for ms in (0, 1, 24, 26, 100, 500)] == [
        0,
        1,
        1,
        2,
        6,
        30,
    ]
    assert [frames_for(100, hz) for hz in (59.94, 85, 120, 144)] == [6, 8, 12, 14]


def test_a_movie_s_plan_has_a_step_for_each_frame():
    steps = plan_trial(load_protocol("movie-bar"), 60)
    assert [step.picture for step in steps] == [0, *range(2, 11), 1, *range(11, 20)]
    assert {step.n_frames for step in steps if step.is_stimulus} == {2}
    assert [step.picture for step in steps if step.is_onset] == [2, 11]


def test_patches_side_by_side_are_one_presentation(protocol):
    protocol = replace(protocol, task=Task("mafc", ("1", "2", "3")))
    assert [step.picture for step in plan_trial(protocol, HZ)] == [0, 2]


def test_a_duration_that_the_screen_cannot_keep_is_named():
    movie = load_protocol("movie-bar")
    assert timing_faults(movie, 60) == timing_faults(movie, 120) == []
    (fault,) = timing_faults(movie, 20)
    assert (
        "frame_ms must be within 25 % of whole refreshes (50.00 ms at 20.0 Hz)" in fault
    )
    assert "got 33.333 ms; use a faster screen" in fault


@given(st.lists(st.integers(0, 4), min_size=1, max_size=40))
def test_every_missed_refresh_is_counted(missed):
    times = np.cumsum([0, *(PERIOD * (1 + n) for n in missed)]).tolist()
    assert n_dropped(times, HZ) == sum(missed)


def test_a_flip_that_is_a_little_late_is_no_dropped_frame():
    assert n_dropped([0.0, 14.9, 20.0], HZ) == 0
    assert n_dropped([0.0, 15.1, 20.0], HZ) == 1


# Presenting ---------------------------------------------------------------------------


def test_each_picture_stays_for_its_counted_refreshes(protocol):
    screen = Recorder()
    plan = plan_trial(protocol, HZ)
    handles = ["fixation", "empty", "first", "second"]
    shown = present(screen, plan, handles)
    wanted = ["fixation"] * 3 + ["first"] * 2 + ["empty"] * 4 + ["second"] * 2
    assert screen.shown == [*wanted, "empty"]
    assert shown.flips_ms == tuple(screen.flips)
    assert shown.onsets_ms == (screen.flips[3], screen.flips[9])
    assert (shown.frames_shown, shown.frames_dropped) == (4, 0)


def test_a_late_flip_is_counted_and_the_plan_goes_on(protocol):
    screen = Recorder(late={5: 2})
    shown = present(screen, plan_trial(protocol, HZ), list("abcd"))
    assert shown.frames_dropped == 2
    assert len(shown.flips_ms) == 12
    assert shown.onsets_ms[1] - shown.onsets_ms[0] == 6 * PERIOD + 2 * PERIOD


# The stage ------------------------------------------------------------------------


@given(
    st.tuples(st.integers(1, 24), st.integers(1, 24)),
    st.integers(1, 4),
    st.integers(1, 4),
    st.tuples(st.integers(180, 201), st.integers(300, 301)),
)
def test_patches_lie_on_whole_pixels_wherever_they_are(patch_px, n, scale, size):
    rng = np.random.default_rng(1)
    gamma = tuple(round(255 * (i / 255) ** (1 / 2.2)) for i in range(256))
    stage = Stage(patch_px, n, gamma, scale)
    patches = list(rng.integers(0, 256, (n, *patch_px)).astype(np.uint8))
    picture = stage.picture(patches)
    for put, patch in zip(stage.patches_of(picture), patches, strict=True):
        assert np.array_equal(put, np.array(gamma, np.uint8)[patch])
    whole = padded(picture, size, stage.background)
    assert (size[1] - whole.shape[0]) % 2 == (size[0] - whole.shape[1]) % 2 == 0
    assert place(whole.shape, size)[:2] == place(picture.shape, size)[:2]


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 4))
def test_marks_are_outside_the_patch_and_the_cross_is_in_its_middle(rows, columns, n):
    stage = Stage((rows, columns), n)
    empty, cross = stage.picture(), stage.picture(fixation=True)
    assert all((patch == 128).all() for patch in stage.patches_of(empty))
    assert (empty != 128).any()
    assert np.array_equal(cross, cross[::-1])
    assert np.array_equal(cross, cross[:, ::-1])


def test_a_trial_s_pictures_are_the_contract_s_frames(protocol, store):
    session = Session.start(
        store, protocol, ObserverInfo("person", "p01"), "lab", seed=7
    )
    frames = session.frames(session.next_batch(1))[0]
    stage = Stage.of(protocol, scale=2)
    pictures = trial_pictures(stage, frames)
    assert len(pictures) == 2 + 2
    for picture, patch in zip(pictures[2:], frames[:, 0], strict=True):
        assert np.array_equal(stage.patches_of(picture)[0], patch)


# A sitting --------------------------------------------------------------------------


def test_a_key_is_timed_from_the_onset_of_the_last_interval(protocol, store):
    screen = Recorder(script=[[("f", 120)], [("j", 145)]])
    finished, session = sit(store, protocol, screen)
    assert finished
    first, second = store.trials(session.id)[:2]
    # Fixation 3, interval 2, gap 4 refreshes: the last onset is 90 ms after the first.
    assert first.response.onsets_ms == (30.0, 90.0)
    assert (first.response.response, first.response.rt_ms) == (0, 30.0)
    assert (second.response.response, second.response.rt_ms) == (1, 55.0)
    assert store.session(session.id).status == "finished"


def test_early_keys_are_ignored_and_logged(protocol, store):
    screen = Recorder(script=[[("j", 10), ("f", 85), ("x", 95), ("j", 130)]])
    _, session = sit(store, protocol, screen)
    response = store.trials(session.id)[0].response
    assert (response.response, response.rt_ms, response.valid) == (1, 40.0, True)
    early = [e["detail"] for e in store.events(session.id) if e["kind"] == "early_key"]
    assert early == [
        {"trial": 0, "key": "j", "at_ms": 10.0},
        {"trial": 0, "key": "f", "at_ms": 85.0},
    ]


def test_no_key_in_time_is_no_response(protocol, store):
    screen = Recorder(script=[[("f", 391)]])
    _, session = sit(store, protocol, screen)
    response = store.trials(session.id)[0].response
    assert (response.response, response.rt_ms, response.valid) == (None, None, True)


def test_the_time_of_every_flip_is_in_the_log(protocol, store):
    screen = Recorder()
    _, session = sit(store, protocol, screen)
    flips = [e["detail"] for e in store.events(session.id) if e["kind"] == "flips"]
    assert [f["trial"] for f in flips] == list(range(8))
    assert all(f["steps_ms"] == [PERIOD] * 11 for f in flips)


def test_a_dropped_frame_repeats_the_trial_with_a_fresh_stimulus(protocol, store):
    screen = Recorder()
    flips_before = 3 * 2  # consent, instructions and the block: shown, then cleared
    screen.late = {flips_before + 5: 1}
    _, session = sit(store, protocol, screen)
    trials = store.trials(session.id)
    spoiled = trials[0].response
    assert (spoiled.valid, spoiled.frames_dropped) == (False, 1)
    assert spoiled.invalid_reason == "frames dropped: 1"
    assert len(trials) == 9
    assert trials[8].spec.stimulus_id == 8
    assert trials[8].spec.target == trials[0].spec.target
    assert all(trial.response.valid for trial in trials[1:])


def test_a_screen_that_always_drops_frames_comes_to_an_end(protocol, store):
    screen = Recorder(late=dict.fromkeys(range(0, 100_000, 5), 1))
    finished, session = sit(store, protocol, screen)
    assert finished
    assert len(store.trials(session.id)) == 8 + 4  # half a block again


def test_a_second_pass_is_repeated_with_the_same_stimulus(store):
    protocol = load_protocol("bar-in-noise").with_options(60, 0.227, FAST)
    pairs = replace(protocol.double_pass, n_pairs=10, min_gap=20)
    protocol = replace(protocol, double_pass=pairs)
    plain = Session.start(store, protocol, ObserverInfo("person", "p01"), "lab", seed=7)
    screen = Recorder()
    sit(store, protocol, screen, plain)
    second = next(t.spec for t in store.trials(plain.id) if t.spec.pass_ == 2)
    # The same again, with a frame dropped in that very trial.
    again = Recorder(late={int(6 + 12 * second.trial + 5): 1})
    _, session = sit(store, protocol, again)
    trials = store.trials(session.id)
    assert not trials[second.trial].response.valid
    repeated = [t.spec for t in trials[60:] if t.spec.pass_ == 2]
    assert [(t.stimulus_id, t.repeats) for t in repeated] == [
        (second.stimulus_id, second.repeats)
    ]


def test_nothing_of_a_trial_is_prepared_before_the_last_is_in_the_log(protocol, store):
    counts = []
    screen = Recorder()
    session = Session.start(
        store, protocol, ObserverInfo("person", "p01"), "lab", seed=7
    )
    screen.on_prepare = lambda: counts.append(len(store.trials(session.id)))
    sit(store, protocol, screen, session)
    assert counts == [0, *range(8)]  # the marks, then trial by trial


def test_escape_spoils_the_trial_and_asks(protocol, store):
    screen = Recorder(script=[[("escape", 50)]])
    finished, session = sit(store, protocol, screen)
    assert finished
    trials = store.trials(session.id)
    assert trials[0].response.invalid_reason == PAUSED_REASON
    assert trials[0].response.response is None
    assert len(trials) == 9
    assert sum("Paused." in text for text in screen.texts) == 1
    kinds = [e["kind"] for e in store.events(session.id)]
    assert kinds.count("paused") == kinds.count("continued") == 1


def test_who_quits_goes_on_later_with_the_next_trial(protocol, store):
    whole = open_store(":memory:")
    _, uninterrupted = sit(
        whole, protocol, Recorder(script=[[], [("escape", 50)]]), read_back="every"
    )
    screen = Recorder(script=[[], [("escape", 50)]])
    screen.page_script = ["space"] * 3 + ["q"]
    finished, session = sit(store, protocol, screen, read_back="every")
    assert not finished
    assert len(store.trials(session.id)) == 2
    assert store.session(session.id).status == "unfinished"
    resumed = Session.resume(store, session.id)
    finished, _ = sit(store, protocol, Recorder(), resumed, read_back="every")
    assert finished
    assert [(t.spec, t.response) for t in store.trials(session.id)] == [
        (t.spec, t.response) for t in whole.trials(uninterrupted.id)
    ]
    whole.close()


def test_who_does_not_agree_has_no_trial(protocol, store):
    screen = Recorder()
    screen.page_script = ["escape", "q"]
    finished, session = sit(store, protocol, screen)
    assert not finished
    assert store.trials(session.id) == []
    assert "consent" not in [e["kind"] for e in store.events(session.id)]


def test_practice_tells_who_was_right(protocol, store):
    protocol = replace(
        protocol, blocks=(Block("practice", 4, feedback=True), *protocol.blocks)
    )
    screen = Recorder(script=[[("f", 110)], [("j", 110)], [], [("f", 110)]])
    _, session = sit(store, protocol, screen)
    wanted = {True: "correct", False: "wrong", None: "no response"}
    told = [text for text in screen.texts if text in wanted.values()]
    assert told == [wanted[t.correct] for t in store.trials(session.id)[:4]]


def test_the_first_trial_of_a_block_is_read_back(store, protocol):
    protocol = replace(protocol, blocks=(Block("main", 4, n_blocks=2),))
    _, session = sit(store, protocol, Recorder())
    specs = [t.spec for t in store.trials(session.id)]
    own = [digest(frames) for frames in session.frames(specs)]
    digests = [t.response.digest for t in store.trials(session.id)]
    assert digests == [own[0], None, None, None, own[4], None, None, None]


def test_other_pixels_spoil_a_trial_and_then_the_session(protocol, store):
    def one_off(found):
        found = found.copy()
        found[0, 0] ^= 1
        return found

    screen = Recorder(spoil=one_off)
    session = Session.start(
        store, protocol, ObserverInfo("person", "p01"), "lab", seed=7
    )
    with pytest.raises(WrongPixels, match="shown as they are, got other pixels in 3"):
        sit(store, protocol, screen, session)
    reasons = [t.response.invalid_reason for t in store.trials(session.id)]
    assert reasons == ["pixels of the back buffer were other than drawn: 4"] * 3
    assert all(t.response.digest is None for t in store.trials(session.id))


def test_read_back_must_be_known(protocol, store):
    with pytest.raises(ValueError, match="read_back must be one of block, every"):
        sit(store, protocol, Recorder(), read_back="never")


def test_a_box_s_button_is_the_key_of_its_response():
    class Box:
        def presses(self):
            return [type("Press", (), {"response": 1, "time_ms": 5.0})()]

    keyboard = Recorder()
    keyboard.write("a page")
    both = BoxKeys(Box(), keyboard, ("f", "j")).presses()
    assert both[0] == KeyPress("j", 5.0)
    assert both[1].name == "space"
