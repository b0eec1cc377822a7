"""Nothing but the pixels tells the target: no other byte, no length, and no time.

Sessions that differ in their seed alone run side by side, and everything that the
server sends is kept. Who always responds alike gets the same in all of them, but for
the pixels, and for what feedback tells after a response.
"""

import base64
import hashlib
import itertools
import json
import re
import socket
from dataclasses import replace
from typing import NamedTuple
from urllib.parse import urlencode

import pytest

from tests.browser.serve import serve_file
from tests.processes import PROCESSES
from yoked.app.studies.arms import Arm
from yoked.app.studies.description import Study
from yoked.app.web.server import create_app
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import Block, DoublePass
from yoked.experiments.protocols.protocol import Protocol

from .participant import Participant, agreement, log, sent
from .test_studies import put

N_SESSIONS = 3
# What differs from person to person whatever their trials are: links, codes, clocks.
OWN = re.compile(
    rb"(?<=/session/)[\w-]{32}|(?<=value=\")[\w-]{32}(?=\")|C-[A-Z2-9]{10}"
    rb"|[A-Z2-9]{4}(?:-[A-Z2-9]{4}){3}|(?<=Date: )[^\r]*"
)
ALONG = re.compile(rb'(?<="pixels":")[A-Za-z0-9+/=]+')
TOLD = re.compile(rb'"correct":(?:true|false)')
SHOWN = ("bar-in-noise", "bar-polarity", "cued-detection", "movie-bar")


def short(name: str) -> Protocol:
    """Give practice with feedback, calibration, and blocks with catch and repeats."""
    protocol = load_protocol(name)
    double_pass = DoublePass(4, min_gap=2)
    if protocol.conditions:  # which have pairs of their own
        double_pass = DoublePass()
    return replace(
        protocol,
        timing=replace(protocol.timing, tolerance_ms=60_000.0, earliest_ms=0.0),
        blocks=(
            Block("practice", 4, feedback=True),
            *([Block("calibration", 6)] if double_pass.n_pairs else []),
            Block("main", 8, n_blocks=2),
        ),
        double_pass=double_pass,
        catch=replace(protocol.catch, n_per_block=2),
        screening=replace(protocol.screening, min_trials=1000),
    )


def study_of(protocol: Protocol) -> Study:
    return Study("bars", arms=(Arm("all", (protocol,)),))


class Reply(NamedTuple):
    """What was sent, but for what is of the person and for the pixels themselves."""

    asked: str
    head: bytes
    body: bytes
    is_told: bool  # whether a response was right


def kept(asked: str, head: bytes, body: bytes) -> Reply:
    told, n_sent = TOLD.search(body), len(body)
    if told:  # `true` is shorter than `false`
        body = TOLD.sub(b"*", body)
        due = b"Content-Length: %d\r" % n_sent
        assert due in head
        head = head.replace(due, b"Content-Length: * + %d" % (n_sent - len(told[0])))
    if asked.endswith("/frames"):
        body = b"%d bytes" % n_sent
    body = ALONG.sub(lambda found: b"%d letters" % len(found[0]), body)
    path = OWN.sub(b"*", asked.encode()).decode()
    return Reply(path, OWN.sub(b"*", head), OWN.sub(b"*", body), told is not None)


class Witness(Participant):
    """Somebody who keeps every reply, but for what is of their person."""

    def __init__(self, client, path: str) -> None:
        self.replies: list[Reply] = []
        super().__init__(client, path)

    def get(self, path: str):
        reply = super().get(path)
        self.keep(f"GET {path}", reply)
        return reply

    def post(self, trial: int, body: dict):
        reply = super().post(trial, body)
        self.keep(f"POST {trial}", reply)
        return reply

    def keep(self, asked: str, reply) -> None:
        head = f"{reply.status}\r\n{reply.headers}".encode()
        self.replies.append(kept(asked, head, reply.data))

    def finish(self, onsets: list[float]) -> None:
        """Look at every page on the way; the response is always the first one."""
        self.get(self.base)
        self.get(f"{self.base}/examples")
        following = self.next()
        while not following["done"]:
            if following["trial"] % 6 == 2:
                self.get(self.base)  # a reload
            shown = {
                "onsets_ms": onsets,
                "offsets_ms": [onset + 100.0 for onset in onsets],
            }
            following = self.respond(following, **shown).json["next"]
        self.get(f"{self.base}/done")


def trials_of(db_path) -> list[list]:
    """Give the trials of each session, in the order in which they began."""
    with log(db_path) as store:
        return [store.trials(row.id) for row in store.sessions()]


@pytest.mark.parametrize("name", SHOWN)
def test_sessions_of_other_seeds_get_the_same_bytes_but_for_the_pixels(db_path, name):
    protocol = short(name)
    put(db_path, study_of(protocol))
    onsets = [500.0 + 600.0 * interval for interval in range(protocol.n_intervals)]
    app = create_app(db_path, clock=itertools.count(0.0, 10.0).__next__)
    came = []
    for _ in range(N_SESSIONS):
        came.append(Witness(app.test_client(), "/study/bars"))
        came[-1].finish(onsets)
    app.extensions["yoked"].close()

    left = trials_of(db_path)
    plans = [tuple((t.spec.target, t.spec.block_kind) for t in each) for each in left]
    assert len(set(plans)) == N_SESSIONS  # so there is something to tell
    require_alike([witness.replies for witness in came])
    for witness, trials in zip(came, left, strict=True):
        told = [r.is_told for r in witness.replies if r.asked.startswith("POST")]
        assert told == [trial.spec.block_kind == "practice" for trial in trials]
        assert all(trial.response.valid for trial in trials)


def require_alike(sessions: list[list[Reply]]) -> None:
    """Require that all sessions got the same, one after the other."""
    first, *others = sessions
    for other in others:
        assert len(other) == len(first)
        for reply, its_reply in zip(first, other, strict=True):
            assert its_reply == reply


@pytest.fixture
def port(db_path):
    """Serve an open study in a process of its own; give its port."""
    put(db_path, study_of(short("bar-in-noise")))
    hearing, telling = PROCESSES.Pipe(duplex=False)
    arguments = db_path, None, "srgb", 0, telling.send
    process = PROCESSES.Process(target=serve_file, args=arguments)
    process.start()
    telling.close()
    with hearing:
        address = hearing.recv()
    yield int(address.split(":")[2].rstrip("/"))
    process.kill()
    process.join()


class Line:
    """A connection that is kept, and every byte that came through it."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._read = self._socket.makefile("rb")
        self.head = b""
        self.replies: list[Reply] = []

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *_: object) -> None:
        self._read.close()
        self._socket.close()

    def ask(self, method: str, path: str, body: bytes = b"", kind: str = "") -> bytes:
        """Ask as browsers do, who would take compressed bytes; give the body."""
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: lab.example\r\n"
            f"Accept-Encoding: gzip, deflate, br, zstd\r\n"
            f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._socket.sendall(head.encode() + body)
        told = b"".join(iter(self._read.readline, b"\r\n"))
        length = re.search(rb"Content-Length: (\d+)\r", told)
        assert length, told  # never in chunks
        got = self._read.read(int(length[1]))
        self.head = told
        self.replies.append(kept(f"{method} {path}", told, got))
        return got

    def take_part(self) -> None:
        """Respond to every trial with the first key."""
        form = urlencode(agreement(self.ask("GET", "/study/bars").decode()))
        kind = "application/x-www-form-urlencoded"
        self.ask("POST", "/study/bars/sessions", form.encode(), kind)
        base = re.search(rb"Location: (\S+)", self.head)[1].decode()
        following = json.loads(self.ask("GET", f"{base}/next"))
        while not following["done"]:
            if "pixels" in following:
                pixels = base64.b64decode(following["pixels"])
            else:
                pixels = self.ask("GET", following["frames"])
            body = {**sent(), "digest": hashlib.sha256(pixels).hexdigest()}
            path = f"{base}/trials/{following['trial']}?pixels=yes"
            reply = self.ask(
                "POST", path, json.dumps(body).encode(), "application/json"
            )
            following = json.loads(reply)["next"]
        self.ask("GET", f"{base}/done")


def test_a_real_server_sends_the_same_bytes_over_the_wire(port):
    came = []
    for _ in range(N_SESSIONS):
        with Line(port) as line:
            line.take_part()
        came.append(line.replies)
    require_alike(came)
    heads = b"".join(reply.head for reply in came[0])
    for header in (b"ETag", b"Last-Modified", b"Content-Encoding", b"Set-Cookie"):
        assert header.lower() not in heads.lower()
