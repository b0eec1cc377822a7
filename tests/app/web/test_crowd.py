"""A crowd: idle and slow clients cost nobody anything, and a class arrives at once."""

import contextlib
import http.client
import json
import os
import re
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlencode

import pytest

from yoked.app.hosting.process import most_connections
from yoked.experiments.protocols.files import load_protocol

N_IDLE, N_ARRIVING = 1200, 100
BEGUN = b"POST /sessions HTTP/1.1\r\nHost: x\r\n"
SERVER = Path(__file__).parents[2] / "browser" / "serve.py"


@pytest.fixture
def served(tmp_path):
    """Start a server of its own process; give its port, its file and the process."""
    protocol = tmp_path / "protocol.json"
    protocol.write_text(json.dumps(load_protocol("bar-in-noise").to_dict()), "utf-8")
    db_path = tmp_path / "results.db"
    process = subprocess.Popen(
        [sys.executable, str(SERVER), str(db_path), str(protocol), "identity", "0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    address = process.stdout.readline().strip()
    yield int(address.rstrip("/").rsplit(":", 1)[1]), db_path, process
    process.kill()
    process.communicate()


def arrive(port: int, outcomes: list) -> None:
    """Go from the study's page to the first trial's pixels, as a browser does."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(method: str, path: str, **options):
        line.request(method, path, **options)
        reply = line.getresponse()
        return reply, reply.read()

    try:
        page = ask("GET", "/")[1].decode()
        form = dict(re.findall(r'name="(\w+)"[^>]* value="([^"]*)"', page))
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        reply, _ = ask("POST", "/sessions", body=urlencode(form), headers=kind)
        base = reply.headers["Location"]
        assert ask("GET", base)[0].status == 200
        following = json.loads(ask("GET", f"{base}/next")[1])
        outcomes.append(len(ask("GET", following["frames"])[1]))
    except Exception as error:
        outcomes.append(repr(error))
    finally:
        line.close()


def test_idle_and_slow_clients_cost_an_arriving_class_nothing(served):
    port, db_path, _ = served
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2 * N_IDLE:
        pytest.skip(f"this machine lets a process open {hard} files only")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2 * N_IDLE), hard))
    with contextlib.ExitStack() as stack:
        for number in range(N_IDLE):
            idle = socket.create_connection(("127.0.0.1", port), timeout=60)
            stack.callback(idle.close)
            if number % 3 == 0:  # one of three never ends its request
                idle.sendall(BEGUN + b"Content-Le")
            if number % 3 == 1:  # or its body
                idle.sendall(BEGUN + b"Content-Length: 900\r\n\r\nx")
        outcomes: list = []
        threads = [
            threading.Thread(target=arrive, args=(port, outcomes))
            for _ in range(N_ARRIVING)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert outcomes == [2 * 52 * 52] * N_ARRIVING
    with contextlib.closing(sqlite3.connect(db_path)) as connection:
        (n,) = connection.execute("SELECT count(*) FROM sessions").fetchone()
    assert n == N_ARRIVING


def test_a_body_that_is_too_long_is_refused_before_it_is_read(served):
    port, _, _ = served
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    line.putrequest("POST", "/sessions")
    line.putheader("Content-Length", str(10**9))
    line.endheaders(b"x" * 1000)
    assert line.getresponse().status == 413
    line.close()


def test_as_many_connections_are_taken_as_the_system_lets_us_have():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    most = most_connections()
    assert most >= 256
    assert hard == resource.RLIM_INFINITY or most <= hard


def test_where_connections_run_out_the_idlest_make_room(tmp_path, served):
    """A server that may open few files goes on serving behind many idle clients."""
    protocol = tmp_path / "protocol.json"
    limit = 700
    process = subprocess.Popen(
        [sys.executable, SERVER, tmp_path / "few.db", protocol, "identity", "0"],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)),
    )
    try:
        port = int(process.stdout.readline().strip().rstrip("/").rsplit(":", 1)[1])
        with contextlib.ExitStack() as stack:
            for _ in range(limit):
                idle = socket.create_connection(("127.0.0.1", port), timeout=60)
                stack.callback(idle.close)
            outcomes: list = []
            arrive(port, outcomes)
        assert outcomes == [2 * 52 * 52]
    finally:
        process.kill()
        process.communicate()


def test_a_kill_leaves_no_session_without_its_consent(served):
    port, db_path, process = served
    outcomes: list = []
    threads = [
        threading.Thread(target=arrive, args=(port, outcomes)) for _ in range(60)
    ]
    for thread in threads:
        thread.start()
    while not any(isinstance(outcome, int) for outcome in outcomes):
        assert any(thread.is_alive() for thread in threads)
    os.kill(process.pid, signal.SIGKILL)
    for thread in threads:
        thread.join(60)
    with contextlib.closing(sqlite3.connect(db_path)) as connection:
        query = "SELECT session FROM participations"
        ghosts = connection.execute(
            f"SELECT id FROM sessions WHERE id NOT IN ({query})"
        ).fetchall()
        (n,) = connection.execute("SELECT count(*) FROM sessions").fetchone()
    assert ghosts == []
    assert n > 0
