"""A whole session, as a participant clicks and presses through it."""

import json
import re
import sqlite3
from dataclasses import replace

import pytest

from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import Block, DoublePass
from yoked.experiments.protocols.screening import Screening
from yoked.experiments.store.sqlite import open_store

from .walking import FAST, begin, read_canvas, respond

expect = pytest.importorskip("playwright.sync_api").expect


@pytest.fixture
def protocol():
    """A short study with every kind of block, and timing that ends at once."""
    return replace(
        load_protocol("bar-in-noise"),
        timing=FAST,
        blocks=(
            Block("practice", 3, feedback=True),
            Block("calibration", 6),
            Block("main", 4, n_blocks=2),
        ),
        double_pass=DoublePass(),
        catch=replace(load_protocol("bar-in-noise").catch, n_per_block=1),
        screening=Screening(median_rt_ms=0.0),  # a template is faster than a person
    )


N_TRIALS = 3 + 6 + 2 * (4 + 1)


def trials_of(server) -> list:
    store = open_store(server.db_path)
    try:
        return store.trials(store.sessions()[0].id)
    finally:
        store.close()


def test_a_participant_goes_from_consent_to_the_completion_code(page, serve, protocol):
    feedback = replace(protocol.timing, feedback_ms=400.0)
    protocol = replace(protocol, timing=feedback)
    server = serve(protocol, "srgb")
    read_canvas(page, protocol)
    page.goto(server.address)
    expect(page.get_by_role("heading", name="Taking part")).to_be_visible()
    page.get_by_role("button", name="I agree").click()

    page.get_by_role("heading", name="What to do").wait_for()
    page.keyboard.press("Enter")  # the button has the focus
    page.get_by_role("button", name="Stay in the window").click()

    verdicts = []
    for index in range(3):  # practice tells right from wrong
        respond(page, protocol, index)
        verdicts.append(page.locator(".feedback").inner_text())
    correct = [record.correct for record in trials_of(server)[:3]]
    assert verdicts == ["Correct" if right else "Not this time" for right in correct]

    page.get_by_role("heading", name="Practice: done").wait_for()
    page.keyboard.press("Enter")
    for index in range(3, 9):
        respond(page, protocol, index)
        assert page.locator(".feedback").count() == 0
    page.get_by_role("heading", name="First measurement: done").wait_for()
    page.get_by_role("button", name="Continue").click()
    respond(page, protocol, 9)

    page.reload()  # in the middle of a block
    page.get_by_role("heading", name="Welcome back").wait_for()
    assert page.get_by_role("heading", name="What to do").count() == 0
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Stay in the window").click()
    n_before = len(trials_of(server))
    for index in range(N_TRIALS - n_before):  # the page counts anew
        respond(page, protocol, index)

    page.wait_for_url("**/done")
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    code = page.locator("#completion-code").inner_text()
    assert re.fullmatch("C-[A-Z2-9]{10}", code)
    page.reload()
    assert page.locator("#completion-code").inner_text() == code
    page.goto(page.url.removesuffix("/done"))
    assert page.locator("#completion-code").inner_text() == code

    trials = trials_of(server)
    assert [record.spec.trial for record in trials] == list(range(N_TRIALS))
    kinds = [record.spec.block_kind for record in trials]
    assert kinds[:9] == ["practice"] * 3 + ["calibration"] * 6
    assert sorted(kinds[9:]) == ["catch"] * 2 + ["main"] * 8
    assert all(record.response.rt_ms > 0 for record in trials)
    assert all(len(record.response.onsets_ms) == 2 for record in trials)


def test_examples_that_come_late_hold_up_nobody(page, serve, protocol):
    server = serve(protocol)
    read_canvas(page, protocol)
    late = []
    page.route("**/examples", lambda route: late.append(route))
    begin(page, server.address)
    with page.expect_response("**/examples"):
        late[0].continue_()
    respond(page, protocol, 0)  # and the page has met no fault


def test_the_session_says_what_it_was_shown_on(page, serve, protocol):
    server = serve(protocol, "srgb")
    read_canvas(page, protocol)
    begin(page, server.address)
    respond(page, protocol, 0)
    page.evaluate("yokedTest.pick(1)")
    display = json.loads(
        sqlite3.connect(server.db_path)
        .execute("SELECT display FROM sessions")
        .fetchone()[0]
    )
    assert 10 < display["refresh_ms"] < 25
    assert display["refresh_intervals"] >= 60
    assert display["scale"] == 2
    assert display["device_pixel_ratio"] == 1
    assert display["window_px"] == [1280, 800]
    assert display["css_px_per_degree_is"] == "assumed"
    assert display["lut_name"] == "srgb"
    assert display["canvas_exact"]
    assert not display["full_screen"]


def test_durations_are_counted_in_refreshes_of_the_screen(page, serve, protocol):
    timing = replace(FAST, fixation_ms=200.0, interval_ms=100.0, gap_ms=300.0)
    protocol = replace(protocol, timing=timing)
    server = serve(protocol)
    read_canvas(page, protocol)
    begin(page, server.address)
    for index in range(3):
        respond(page, protocol, index)
    page.evaluate("yokedTest.pick(3)")
    store = open_store(server.db_path)
    (row,) = store.sessions()
    refresh_ms = row.display["refresh_ms"]
    for response in (record.response for record in store.trials(row.id)):
        first, second = response.onsets_ms
        assert response.frames_shown == 2 * round(100 / refresh_ms)
        # A refresh that this machine missed lengthens what it fell into.
        slack = response.frames_dropped + 1.1  # .1: refresh_ms is measured
        for duration_ms, elapsed_ms in ((200, first), (400, second - first)):
            asked = round(duration_ms / refresh_ms)
            assert elapsed_ms / refresh_ms == pytest.approx(asked, abs=slack)
    store.close()


def test_full_screen_is_an_offer(page, serve, protocol):
    server = serve(protocol)
    read_canvas(page, protocol)
    page.goto(server.address)
    page.get_by_role("button", name="I agree").click()
    page.get_by_role("button", name="Continue").click()
    page.evaluate(
        "() => { Element.prototype.requestFullscreen = () => Promise.reject(Error()) }"
    )
    page.get_by_role("button", name="Full screen", exact=True).click()
    respond(page, protocol, 0)  # it goes on in the window


def test_declining_stores_nothing(page, serve, protocol):
    server = serve(protocol)
    page.goto(server.address)
    page.get_by_role("link", name="No, thank you").click()
    expect(page.get_by_role("heading", name="That is quite all right")).to_be_visible()
    store = open_store(server.db_path)
    assert store.sessions() == []
    store.close()


def test_early_keys_are_no_responses_and_are_logged(page, serve, protocol):
    slow = replace(protocol.timing, fixation_ms=2000.0)
    protocol = replace(protocol, timing=slow)
    server = serve(protocol)
    read_canvas(page, protocol)
    begin(page, server.address)
    page.locator(".jspsych-noise-trial-fixation").wait_for(state="visible")
    page.keyboard.press("j")
    pick = respond(page, protocol, 0)
    page.evaluate("yokedTest.pick(1)")
    store = open_store(server.db_path)
    session = store.sessions()[0].id
    (early,) = [e for e in store.events(session) if e["kind"] == "early_key"]
    assert early["detail"]["detail"] == "j"
    assert early["detail"]["trial"] == 0
    assert store.trials(session)[0].response.response == pick["response"]
    store.close()


def test_no_key_in_time_is_stored_as_no_response(page, serve, protocol):
    hasty = replace(protocol.timing, response_ms=60.0, feedback_ms=200.0)
    server = serve(replace(protocol, timing=hasty))
    begin(page, server.address)
    page.get_by_text("Too late").wait_for()
    (first, *_) = trials_of(server)
    assert first.response.response is None
    assert first.response.rt_ms is None
    assert first.correct is None
