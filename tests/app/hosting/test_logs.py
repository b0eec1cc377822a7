"""What a server writes down: times and faults, and nothing of who asked for what."""

import logging
import re
import signal
import socket
import struct
import sys
import threading
from pathlib import Path

import pytest

from tests.app.web.participant import Participant
from yoked.app.hosting import logs
from yoked.app.hosting.logs import HIDDEN, log_to_stderr, without_people

TOKEN = "Ab3-_xYz" * 4
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [A-Z]+ [\w.]+: ")


@pytest.mark.parametrize(
    ("said", "logged"),
    [
        ("192.0.2.7 went", f"{HIDDEN} went"),
        ("('192.0.2.7', 51234)", f"('{HIDDEN}', 51234)"),
        ("of 192.0.2.7:51234.", f"of {HIDDEN}."),
        ("of [2001:db8::1]:443", f"of {HIDDEN}"),
        ("of ::ffff:192.0.2.7", f"of {HIDDEN}"),
        (f"GET /session/{TOKEN}/next", f"GET /session/{HIDDEN}/next"),
        (f"KeyError: '{TOKEN}'", f"KeyError: '{HIDDEN}'"),
        ("/?PROLIFIC_PID=5f&STUDY_ID=6", f"/?{HIDDEN}"),
        (
            "http://lab.example.org/s?x=1 failed",
            f"http://lab.example.org/s?{HIDDEN} fa",
        ),
    ],
)
def test_what_could_name_a_person_is_hidden(said, logged):
    assert without_people(said).startswith(logged)


@pytest.mark.parametrize(
    "said",
    [
        "a fault in trial_api.frames at 12:30:05, Python 3.11.7",
        'File "/usr/lib/python3.11/site-packages/waitress/channel.py", line 361, in x',
        "could not store: database or disk is full?",
        "in test_the_name_of_a_function_may_be_as_long_as_this_one",
        "yoked::x, 1:2, ::",
    ],
)
def test_nothing_else_is(said):
    assert without_people(said) == said


@pytest.fixture
def logging_as_before(monkeypatch):
    root, waitress = logging.getLogger(), logging.getLogger("waitress.queue")
    handlers, levels = list(root.handlers), (root.level, waitress.level)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    root.handlers = []
    yield
    logging.captureWarnings(False)
    root.handlers = handlers
    root.setLevel(levels[0])
    waitress.setLevel(levels[1])


@pytest.mark.usefixtures("logging_as_before")
def test_a_line_has_the_time_in_utc_the_level_and_who_wrote_it(capsys):
    log_to_stderr("warning")
    logging.getLogger("yoked.test").warning("from %s", "192.0.2.7")
    logging.getLogger("yoked.test").info("less")
    line = capsys.readouterr().err
    assert LINE.match(line)
    assert line.endswith(f"Z WARNING yoked.test: from {HIDDEN}\n")


@pytest.mark.usefixtures("logging_as_before")
def test_an_exception_that_ends_a_thread_is_logged_without_people(capsys):
    log_to_stderr("error")

    def fail() -> None:
        raise RuntimeError("asked by 192.0.2.7")

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    written = capsys.readouterr().err
    assert f"{logs.__name__}: a thread has ended" in written
    assert f"RuntimeError: asked by {HIDDEN}" in written


@pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM ends it without a word")
def test_a_session_with_faults_leaves_no_trace_of_who_took_part(serve, client):
    """Faults of ours, of requests and of connections, at the finest level."""
    script = Path(__file__).with_name("faulty.py")
    server = serve("--log-level", "debug", script=script)
    mine = client(server)
    mine.headers = {"User-Agent": "browser-of-ann", "Referer": "http://secret.example/"}
    participant = Participant(mine)
    statuses = []
    for _ in range(6):
        following = participant.next()
        reply = participant.respond(following)
        statuses.append(reply.status_code)
        statuses.append(participant.get(following["frames"]).status_code)
    assert 500 in statuses
    assert mine.get(f"/session/{TOKEN}/next?PROLIFIC_PID=5f3e").status_code == 404
    assert mine.get(f"{participant.base}/trials/9?a=secret").status_code == 405
    assert mine.post(f"{participant.base}/display", data={}).status_code == 400
    for broken in (
        b"GET /%s HTTP/9.9\r\n\r\n" % TOKEN.encode(),
        b"GARBAGE\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", server.port)) as line:
            line.sendall(broken)
            line.recv(1000)
    for _ in range(3):  # and whoever goes away before the reply is read
        line = socket.create_connection(("127.0.0.1", server.port))
        line.sendall(f"GET {participant.base}?x=secret HTTP/1.1\r\n\r\n".encode() * 3)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        line.close()
    server.process.send_signal(signal.SIGTERM)
    code, written = server.ended()
    assert code == 0
    assert "a fault in trial_api.frames" in written
    assert "RuntimeError" in written
    for secret in (
        participant.token,
        TOKEN,
        "127.0.0.1",
        "PROLIFIC_PID",
        "5f3e",
        "secret",
        "browser-of-ann",
    ):
        assert secret not in written, written
    print(written)
