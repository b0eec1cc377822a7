"""The end of a server: what is in flight is stored and acknowledged, nothing else."""

import contextlib
import os
import signal
import socket
import sqlite3
import sys
import time

import pytest

from tests.app.web.participant import Participant, recorded, sent
from yoked.app.hosting.process import GRACE_S

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows ends a process without a word"
)
N_IN_FLIGHT = 3


def until_refused(port: int) -> None:
    """Return once nobody listens any more: refused, or reset as the listener closed."""
    deadline = time.monotonic() + 60
    with contextlib.suppress(ConnectionRefusedError, ConnectionResetError):
        while time.monotonic() < deadline:
            socket.create_connection(("127.0.0.1", port)).close()
            os.sched_yield()
        raise AssertionError("connections are still taken")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_responses_in_flight_are_stored_and_acknowledged(serve, client, number):
    server = serve()
    people = [Participant(client(server)) for _ in range(N_IN_FLIGHT)]
    following = [person.next() for person in people]
    for person, each in zip(people, following, strict=True):
        person.get(each["frames"])
    idle = client(server)
    idle.get("/")
    with contextlib.closing(sqlite3.connect(server.db_path)) as other:
        other.execute("BEGIN IMMEDIATE")  # nobody can write meanwhile
        for person in people:
            person.client.send_post(f"{person.base}/trials/0", json_body=sent(rt_ms=99))
        assert client(server).get("/").status_code == 200  # all were read before this
        server.process.send_signal(number)
        until_refused(server.port)
        assert server.process.poll() is None
        other.rollback()
    receipts = [person.client.reply() for person in people]
    assert [receipt.status_code for receipt in receipts] == [200] * N_IN_FLIGHT
    assert all(receipt.json["next"]["trial"] == 1 for receipt in receipts)
    code, written = server.ended()
    assert (code, written) == (0, "")
    with contextlib.closing(sqlite3.connect(server.db_path)) as log:
        assert log.execute("SELECT count(*), min(rt_ms) FROM trials").fetchone() == (
            N_IN_FLIGHT,
            99,
        )


def test_an_idle_server_ends_at_once_and_a_session_goes_on_at_the_next(serve, client):
    server = serve()
    participant = Participant(client(server))
    participant.respond(participant.next())
    begun = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    assert server.ended() == (0, "")
    assert time.monotonic() - begun < GRACE_S
    participant.client = client(serve())
    following = participant.next()
    assert following["trial"] == 1
    assert participant.respond(following).status_code == 200
    assert [trial.spec.trial for trial in recorded(server.db_path)] == [0, 1]


@pytest.mark.slow
def test_a_request_that_never_ends_does_not_hold_the_server(serve):
    server = serve()
    with socket.create_connection(("127.0.0.1", server.port)) as line:
        line.sendall(b"POST /sessions HTTP/1.1\r\nContent-Length: 900\r\n\r\nx")
        server.process.send_signal(signal.SIGTERM)
        assert server.ended() == (0, "")
