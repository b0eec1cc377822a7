"""What was shown against what was asked: a page that stalls, a screen that changes."""

from dataclasses import replace

import pytest

from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import DoublePass, Timing
from yoked.experiments.store.sqlite import open_store

from .walking import begin, read_canvas

ASKED = Timing(
    fixation_ms=300.0,
    interval_ms=100.0,
    gap_ms=300.0,
    response_ms=5_000.0,
    feedback_ms=0.0,
    tolerance_ms=60.0,  # this machine may be busy
    earliest_ms=0.0,
)
# Let the page's animation frames come as a screen's at a divisor of its rate would.
HALF_RATE = """
const own = requestAnimationFrame.bind(window);
window.yokedDivisor = 1;
window.requestAnimationFrame = (callback) => {
  let left = window.yokedDivisor;
  const tick = (timeMs) => (--left > 0 ? own(tick) : callback(timeMs));
  return own(tick);
};
"""
STALL = """(ms) => {
  const end = performance.now() + ms;
  while (performance.now() < end);
}"""


@pytest.fixture
def protocol():
    protocol = load_protocol("bar-in-noise")
    protocol = replace(protocol, catch=replace(protocol.catch, n_per_block=0))
    return replace(protocol.with_options(8, 0.227, ASKED), double_pass=DoublePass())


def trials_of(server) -> list:
    store = open_store(server.db_path, to_read=True)
    try:
        return store.trials(store.sessions()[0].id)
    finally:
        store.close()


def run(page, n: int, first: int = 0) -> None:
    for index in range(first, first + n):
        page.evaluate("index => yokedTest.pick(index)", index)
        page.keyboard.press("f")
    page.evaluate("index => yokedTest.pick(index)", first + n)


def test_a_page_that_stalls_makes_an_invalid_trial_that_is_repeated(
    page, serve, protocol
):
    slow = replace(ASKED, fixation_ms=2000.0)
    protocol = replace(protocol, timing=slow)
    server = serve(protocol)
    read_canvas(page, protocol)
    begin(page, server.address)
    page.locator(".jspsych-noise-trial-fixation").wait_for(state="visible")
    page.evaluate(STALL, 700)
    run(page, 2)
    first, second = trials_of(server)
    assert not first.response.valid
    assert "the fixation lasted too long" in first.response.invalid_reason
    assert second.response.valid, second.response.invalid_reason
    store = open_store(server.db_path, to_read=True)
    kinds = [event["kind"] for event in store.events(store.sessions()[0].id)]
    store.close()
    assert "stall" in kinds


def test_a_refresh_rate_that_changes_is_measured_again(page, serve, protocol):
    page.add_init_script(HALF_RATE)
    server = serve(protocol)
    read_canvas(page, protocol)
    begin(page, server.address)
    run(page, 1)
    page.evaluate("() => { window.yokedDivisor = 3; }")
    run(page, 3, first=1)
    records = trials_of(server)
    assert records[0].response.valid, records[0].response.invalid_reason
    spoiled = [r.response.invalid_reason for r in records if not r.response.valid]
    assert spoiled
    assert all("lasted too long" in reason for reason in spoiled)
    assert records[3].response.valid, records[3].response.invalid_reason
    onset, offset = records[3].response.onsets_ms[0], records[3].response.offsets_ms[0]
    assert offset - onset == pytest.approx(100, abs=60)


def test_a_reload_that_shows_a_trial_again_is_counted_in_its_row(page, serve, protocol):
    server = serve(protocol)
    read_canvas(page, protocol)
    begin(page, server.address)
    page.evaluate("yokedTest.pick(0)")
    for _ in range(2):
        page.reload()
        page.get_by_role("button", name="Continue").click()
        page.get_by_role("button", name="Stay in the window").click()
        page.evaluate("yokedTest.pick(0)")
    run(page, 2)
    assert [r.response.n_shown for r in trials_of(server)] == [3, 1]
