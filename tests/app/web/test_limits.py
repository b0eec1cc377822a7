"""Limits on what may be written: by token and by study, never by address."""

import pytest

from yoked.app.web.limits import Budget, TooMany
from yoked.app.web.live import SCREENS_AT_ONCE

from .participant import SCREEN, Participant, agreement, rows, served
from .test_health import Clock

AT_ONCE = 20  # sessions, in place of hundreds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def app(db_path, protocol, clock, monkeypatch):
    monkeypatch.setattr("yoked.app.web.host.ARRIVALS_AT_ONCE", AT_ONCE)
    with served(db_path, protocol, clock=clock) as app:
        yield app


def send_screens(participant, n: int) -> list[int]:
    url = f"{participant.base}/display"
    screens = ({**SCREEN, "refresh_ms": 8.0 + i / 1000} for i in range(n))
    return [participant.client.post(url, json=s).status_code for s in screens]


def test_a_flood_of_screens_is_stopped_and_a_screen_that_changes_is_not(
    participant, db_path, clock
):
    codes = send_screens(participant, 300)
    assert codes == [200] * SCREENS_AT_ONCE + [429] * (300 - SCREENS_AT_ONCE)
    count = "SELECT count(*) FROM events WHERE kind = 'display'"
    assert rows(db_path, count) == [(SCREENS_AT_ONCE,)]
    clock.now = 60.0
    assert send_screens(participant, 6) == [200] * 6
    assert participant.respond(participant.next()).status_code == 200


def test_the_same_screen_again_is_not_stored_again(participant, db_path):
    url = f"{participant.base}/display"
    for _ in range(50):
        assert participant.client.post(url, json=SCREEN).status_code == 200
    assert rows(db_path, "SELECT count(*) FROM events") == [(1,)]


def test_one_token_s_flood_costs_another_nothing(app, participant):
    other = Participant(app.test_client())
    send_screens(participant, 100)
    assert send_screens(other, 5) == [200] * 5


def test_a_flood_of_sessions_is_stopped_for_the_study(client, db_path, clock):
    form = agreement(client.get("/").text)

    def arrive(number: int) -> int:
        token = f"{number:032d}"
        return client.post("/sessions", data={**form, "token": token}).status_code

    codes = [arrive(number) for number in range(AT_ONCE + 3)]
    assert codes == [303] * AT_ONCE + [429] * 3
    assert arrive(0) == 303  # who is here already finds the session again
    reply = client.post("/sessions", data={**form, "token": "x" * 32})
    assert "One moment, please" in reply.text
    assert int(reply.headers["Retry-After"]) >= 1
    clock.now = 1.0
    assert [arrive(number) for number in range(1000, 1006)] == [303] * 5 + [429]


def test_a_budget_comes_back_with_time_and_no_further_than_full():
    clock = Clock()
    budget = Budget(2, 0.5, clock)
    for at, n_granted in ((0.0, 2), (2.0, 1), (1000.0, 2)):
        clock.now = at
        for _ in range(n_granted):
            budget.spend("things")
        with pytest.raises(
            TooMany, match=r"things must be at most 2 at once and 0\.5 a second"
        ):
            budget.spend("things")
