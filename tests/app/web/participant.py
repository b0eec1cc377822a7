"""Somebody who takes part by requests alone, and a look at what was stored of them."""

import contextlib
import hashlib
import itertools
import re
import sqlite3
from dataclasses import replace

import psycopg

from yoked.app.web.server import create_app
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import Block, DoublePass
from yoked.experiments.store.sqlite import open_store
from yoked.experiments.store.url import is_url

N_TRIALS = 2 + 4 + 2 * (4 + 1)
# What a browser says of its screen.
SCREEN = {
    "refresh_ms": 8.3,
    "refresh_mad_ms": 0.1,
    "refresh_intervals": 60,
    "scale": 2,
    "device_pixel_ratio": 1.25,
    "screen_px": [1920, 1080],
    "window_px": [1280, 800],
    "full_screen": False,
    "canvas_exact": True,
    "css_px_per_degree": 38,
}


def short_protocol():
    """Two trials of practice, four of calibration, two blocks of four and a catch."""
    bars = load_protocol("bar-in-noise")
    return replace(
        bars,
        blocks=(
            Block("practice", 2, feedback=True),
            Block("calibration", 4),
            Block("main", 4, n_blocks=2),
        ),
        double_pass=DoublePass(),
        catch=replace(bars.catch, n_per_block=1),
    )


@contextlib.contextmanager
def served(db_path, protocol, **options):
    """Make an application, and close its files at the end.

    Its clock takes ten seconds from one look to the next: a request needs no time, but
    nobody is told that they were too fast.
    """
    clock = itertools.count(0.0, 10.0).__next__
    app = create_app(db_path, protocol, **{"clock": clock, **options})
    try:
        yield app
    finally:
        app.extensions["yoked"].close()


def sent(response: int | None = 0, **changes) -> dict:
    """Give what a browser sends of a trial that was shown as it should be."""
    return {
        "response": response,
        "rt_ms": None if response is None else 312.5,
        "onsets_ms": [500.0, 1100.0],
        "offsets_ms": [600.0, 1200.0],
        "n_shown": 1,
        "frames_shown": 12,
        "frames_dropped": 1,
        "digest": None,
        "events": [],
        **changes,
    }


def agreement(page: str) -> dict[str, str]:
    """Give the fields of the consent page's form."""
    return dict(re.findall(r'name="(\w+)"[^>]* value="([^"]*)"', page))


def where_to(page: str) -> str:
    """Give the address that the consent page's form is sent to."""
    return re.search(r'id="agreement" method="post" action="([^"]*)"', page)[1]


class Participant:
    """Somebody with a browser; `sent` is everything that the server sent them."""

    def __init__(self, client, path: str = "/", language: str = "") -> None:
        self.client = client
        self.sent = b""
        page = self.get(f"{path}?language={language}" if language else path)
        self.form = agreement(page.text)
        reply = client.post(where_to(page.text), data=self.form)
        assert reply.status_code == 303
        self.base = reply.location
        self.token = self.base.rsplit("/", 1)[1]

    def get(self, path: str):
        with self.client.get(path) as reply:
            self.sent += str(reply.headers).encode() + reply.data
        return reply

    def next(self) -> dict:
        return self.get(f"{self.base}/next").json

    def respond(self, following: dict, response: int | None = 0, **changes):
        """Fetch a trial's pixels and respond to it; return the reply."""
        pixels = self.get(following["frames"]).data
        body = {**sent(response), "digest": hashlib.sha256(pixels).hexdigest()}
        return self.post(following["trial"], {**body, **changes})

    def post(self, trial: int, body: dict):
        reply = self.client.post(f"{self.base}/trials/{trial}", json=body)
        self.sent += str(reply.headers).encode() + reply.data
        return reply

    def finish(self) -> None:
        following = self.next()
        while not following["done"]:
            following = self.respond(following).json["next"]


@contextlib.contextmanager
def log(db_path):
    """Open the trial log beside the server."""
    store = open_store(db_path)
    try:
        yield store
    finally:
        store.close()


def slowly(db_path) -> None:
    """Let a database on a server hand pixels out ten seconds before it does.

    Its own clock says when they were, and a request of a test needs no time.
    """
    if not is_url(db_path):
        return
    earlier = "NEW.at = NEW.at - INTERVAL '10 seconds'; RETURN NEW;"
    with psycopg.connect(db_path) as other:
        other.execute(
            "CREATE OR REPLACE FUNCTION earlier() RETURNS trigger LANGUAGE plpgsql "
            f"AS $$ BEGIN {earlier} END $$"
        )
        other.execute(
            "CREATE OR REPLACE TRIGGER earlier BEFORE INSERT OR UPDATE ON handed_out "
            "FOR EACH ROW EXECUTE FUNCTION earlier()"
        )


def recorded(db_path) -> list:
    with log(db_path) as store:
        return store.trials(store.sessions()[0].id)


def rows(db_path, query: str) -> list[tuple]:
    if is_url(db_path):
        with psycopg.connect(db_path) as other:
            return other.execute(query).fetchall()
    with contextlib.closing(sqlite3.connect(db_path)) as other:
        return other.execute(query).fetchall()
