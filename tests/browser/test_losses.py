"""Nothing is lost: the network fails, the page is reloaded, the server is killed."""

import json
from dataclasses import replace

import pytest

from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.store.sqlite import open_store

from .walking import FAST, begin, read_canvas, respond

N_TRIALS = 12


@pytest.fixture
def protocol():
    protocol = load_protocol("bar-in-noise")
    protocol = replace(protocol, catch=replace(protocol.catch, n_per_block=0))
    return protocol.with_options(N_TRIALS, 0.227, FAST)


def stored(server) -> list[tuple[int, int | None]]:
    """Return what the trial log holds: (trial, response)."""
    store = open_store(server.db_path)
    try:
        records = store.trials(store.sessions()[0].id)
        return [(record.spec.trial, record.response.response) for record in records]
    finally:
        store.close()


def test_a_network_that_goes_away_loses_nothing(page, serve, protocol):
    server = serve(protocol)
    read_canvas(page, protocol)
    begin(page, server.address)
    picks = [respond(page, protocol, index) for index in range(4)]

    page.evaluate("yokedTest.pick(4)")
    page.context.set_offline(True)
    picks.append(respond(page, protocol, 4))
    page.get_by_text("Waiting for the server").wait_for()
    assert len(stored(server)) == 4
    assert page.evaluate("yokedTest.picks.length") == 5  # no trial began meanwhile
    page.context.set_offline(False)

    picks += [respond(page, protocol, index) for index in range(5, N_TRIALS)]
    assert page.get_by_text("Waiting for the server").is_hidden()
    page.wait_for_url("**/done")
    assert stored(server) == [(pick["trial"], pick["response"]) for pick in picks]


def test_a_trial_needs_no_network_once_it_has_begun(page, serve, protocol):
    slow = replace(FAST, fixation_ms=2000.0)
    protocol = replace(protocol, timing=slow)
    server = serve(protocol)
    read_canvas(page, protocol)
    begin(page, server.address)
    page.locator(".jspsych-noise-trial-fixation").wait_for(state="visible")
    page.context.set_offline(True)
    pick = respond(page, protocol, 0)
    page.get_by_text("Waiting for the server").wait_for()
    page.context.set_offline(False)
    page.evaluate("yokedTest.pick(1)")
    assert stored(server) == [(0, pick["response"])]


def test_a_reload_while_offline_sends_the_response_that_was_kept(page, serve, protocol):
    server = serve(protocol)
    read_canvas(page, protocol)
    begin(page, server.address)
    page.evaluate("yokedTest.pick(0)")
    refuse = lambda route: route.abort()  # noqa: E731
    page.route("**/trials/0?*", refuse)
    pick = respond(page, protocol, 0)
    page.get_by_text("Waiting for the server").wait_for()
    assert stored(server) == []

    page.unroute("**/trials/0?*", refuse)
    page.reload()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Stay in the window").click()
    page.evaluate("yokedTest.pick(0)")
    assert stored(server) == [(0, pick["response"])]
    assert page.evaluate("yokedTest.picks[0].trial") == 1


def test_a_reply_that_is_lost_stores_the_response_once(page, serve, protocol):
    server = serve(protocol)
    read_canvas(page, protocol)
    begin(page, server.address)
    page.evaluate("yokedTest.pick(0)")

    def lose_the_reply(route) -> None:
        route.fetch()  # the server has stored it
        route.abort()

    page.route("**/trials/0?*", lose_the_reply, times=1)
    picks = [respond(page, protocol, index) for index in range(2)]
    page.evaluate("yokedTest.pick(2)")
    assert stored(server) == [(pick["trial"], pick["response"]) for pick in picks]


def test_a_server_that_is_killed_goes_on_where_it_was(page, serve, protocol):
    server = serve(protocol)
    read_canvas(page, protocol)
    begin(page, server.address)
    picks = [respond(page, protocol, index) for index in range(3)]
    page.evaluate("yokedTest.pick(3)")

    server.kill()
    picks.append(respond(page, protocol, 3))
    page.get_by_text("Waiting for the server").wait_for()
    server.start()  # on the same port

    picks += [respond(page, protocol, index) for index in range(4, N_TRIALS)]
    page.wait_for_url("**/done")
    assert stored(server) == [(pick["trial"], pick["response"]) for pick in picks]


def test_a_second_window_cannot_response_a_trial_again(page, serve, protocol):
    server = serve(protocol)
    read_canvas(page, protocol)
    begin(page, server.address)
    page.evaluate("yokedTest.pick(0)")
    body = json.dumps(
        {
            "response": 0,
            "rt_ms": 1.0,
            "onsets_ms": [0.0, 1.0],
            "offsets_ms": [0.5, 1.5],
            "n_shown": 1,
            "frames_shown": 2,
            "frames_dropped": 0,
            "digest": None,
            "events": [],
        }
    )
    headers = {"Content-Type": "application/json"}
    address = f"{page.url}/trials/0"
    reply = page.context.request.post(address, data=body, headers=headers)
    assert reply.ok
    respond(page, protocol, 0)
    page.get_by_role(
        "heading", name="This session is open in another window"
    ).wait_for()
    assert page.get_by_role("button", name="Load the page again").is_hidden()
    assert stored(server) == [(0, 0)]
    page.reload()
    page.get_by_role("heading", name="Welcome back").wait_for()
