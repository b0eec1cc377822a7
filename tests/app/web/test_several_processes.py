"""Several servers share a PostgreSQL database, and a participant any of them."""

import contextlib
import itertools
import threading
from collections import Counter
from dataclasses import replace

import pytest

from tests.app.web.participant import (
    SCREEN,
    Participant,
    log,
    rows,
    sent,
    short_protocol,
    slowly,
)
from tests.app.web.test_studies import agreement, put, where_to
from yoked.app.studies.arms import Arm
from yoked.app.studies.description import Study
from yoked.app.web.server import create_app
from yoked.experiments.protocols.viewing import ViewingAsked
from yoked.experiments.session.session import Session

N_SERVERS, N_ARRIVING = 3, 12


@pytest.fixture
def db_path(postgres, tmp_path, monkeypatch):
    monkeypatch.setenv("YOKED_SECRETS", str(tmp_path))
    return postgres.new()


@pytest.fixture
def study():
    return Study("bars", arms=(Arm("all", (short_protocol(),)),))


@contextlib.contextmanager
def serving(db_path, n: int = N_SERVERS):
    """Serve a database by several applications; give the clients."""
    apps = [create_app(db_path) for _ in range(n)]
    try:
        yield [app.test_client() for app in apps]
    finally:
        for app in apps:
            app.extensions["yoked"].close()


class InTurn:
    """A client whose requests go to one server after the other."""

    def __init__(self, clients) -> None:
        self._clients = itertools.cycle(clients)

    def get(self, path: str):
        return next(self._clients).get(path)

    def post(self, path: str, **options):
        return next(self._clients).post(path, **options)


def test_a_session_goes_on_at_whichever_server_a_request_comes_to(db_path, study):
    put(db_path, study)
    with serving(db_path) as clients:
        slowly(db_path)
        Participant(InTurn(clients), "/study/bars").finish()
    with log(db_path) as store:
        (row,) = store.sessions()
        trials = store.trials(row.id)
    assert row.status == "finished"
    assert [record.spec.trial for record in trials] == list(range(len(trials)))
    assert {record.response.invalid_reason for record in trials} == {None}


def test_a_response_too_soon_is_told_by_a_server_that_did_not_send_the_pixels(
    db_path, study
):
    put(db_path, study)
    with serving(db_path) as (one, other, _):
        person = Participant(one, "/study/bars")
        following = person.next()
        one.get(following["frames"])
        reply = other.post(f"{person.base}/trials/0", json=sent(rt_ms=2500.0))
        assert reply.status_code == 200
        person.post(1, sent())
    reasons = rows(db_path, "SELECT invalid_reason FROM trials ORDER BY trial")
    assert ["before the trial could" in reasons[0][0], "never" in reasons[1][0]] == [
        True,
        True,
    ]


def test_a_response_that_reaches_every_server_at_once_is_stored_once(db_path, study):
    put(db_path, study)
    with serving(db_path) as clients:
        person = Participant(clients[0], "/study/bars")
        for trial in range(4):
            clients[trial % N_SERVERS].get(f"{person.base}/trials/{trial}/frames")
            together = threading.Barrier(N_SERVERS)
            replies: list = []

            def send(client, trial=trial, together=together, replies=replies) -> None:
                together.wait(30)
                address = f"{person.base}/trials/{trial}"
                replies.append(client.post(address, json=sent()))

            threads = [threading.Thread(target=send, args=[c]) for c in clients]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
            assert [reply.status_code for reply in replies] == [200] * N_SERVERS
            assert {reply.json["next"]["trial"] for reply in replies} == {trial + 1}
            other = clients[0].post(f"{person.base}/trials/{trial}", json=sent(1))
            assert other.status_code == 409
    assert rows(db_path, "SELECT count(*), max(trial) FROM trials") == [(4, 3)]


def test_the_last_places_are_given_once_though_all_arrive_everywhere(db_path):
    arms = (Arm("a", (short_protocol(),)), Arm("b", (short_protocol(),), weight=2))
    put(db_path, Study("bars", quota=N_ARRIVING - 3, arms=arms))
    with serving(db_path) as clients:
        people = [
            clients[n % N_SERVERS].application.test_client() for n in range(N_ARRIVING)
        ]
        pages = [person.get("/study/bars").text for person in people]
        together, replies = threading.Barrier(N_ARRIVING), []

        def agree(person, page: str) -> None:
            together.wait(60)
            reply = person.post(where_to(page), data=agreement(page))
            replies.append(reply.status_code)

        threads = [
            threading.Thread(target=agree, args=pair)
            for pair in zip(people, pages, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert Counter(replies) == {303: N_ARRIVING - 3, 403: 3}
    taken = Counter(rows(db_path, "SELECT arm FROM enrolments"))
    assert taken == {(0,): 3, (1,): 6}


def test_who_withdraws_at_one_server_has_withdrawn_at_all(db_path, study):
    put(db_path, study)
    with serving(db_path) as (one, other, _):
        person = Participant(one, "/study/bars")
        person.respond(person.next())
        assert other.get(f"{person.base}/next").json["trial"] == 1
        assert one.post(f"{person.base}/withdraw").status_code in (200, 303)
        assert other.get(f"{person.base}/next").status_code == 410
    assert rows(db_path, "SELECT count(*) FROM trials") == [(0,)]


def test_a_distance_stays_known_though_another_server_hears_of_the_screen(
    db_path, study
):
    put(db_path, replace(study, viewing=ViewingAsked("card")))
    with serving(db_path) as (one, other, _):
        person = Participant(one, "/study/bars")
        other.get(f"{person.base}/next")  # which knows the session from now on
        measured = {"card_px": 404.375, "is_upright": False, "spots_px": []}
        assert one.post(f"{person.base}/viewing", json=measured).status_code == 200
        assert other.post(f"{person.base}/display", json=SCREEN).status_code == 200
    with log(db_path) as store:
        display = store.sessions()[0].display
    assert display["viewing"]["measured"] == "card"
    assert display["css_px_per_degree_is"] == "card"


def test_a_server_that_others_overtook_takes_in_what_is_new_alone(
    db_path, study, monkeypatch
):
    put(db_path, study)
    with serving(db_path) as (one, other, _):
        slowly(db_path)
        person = Participant(one, "/study/bars")
        other.get(f"{person.base}/next")
        person.respond(person.next())
        person.respond(person.next())

        def never(*args):
            raise AssertionError("the session is read from its beginning")

        monkeypatch.setattr(Session, "resume", never)
        assert other.get(f"{person.base}/next").json["trial"] == 2
        assert other.get(f"{person.base}/trials/2/frames").status_code == 200
