"""The load that a server carries: simulated participants at a real server's process.

Server, participants and database share one machine: what is measured is what two cores
do for all of them, the wait for the disk included.
"""

import os
import re
import secrets
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ..experiments.protocols.files import load_protocol
from ..experiments.protocols.protocol import Protocol
from ..experiments.store.connection import Connection
from ..experiments.store.sqlite import open_store
from ..experiments.store.trial_log import Store
from ..experiments.store.url import is_url, without_password
from .keyfile import SECRETS
from .participants import Load, take_part
from .studies.tokens import hash_of_token

FASTEST_PEOPLE = 32  # who respond as fast as they can
COMMIT_S = 5.0
_ROW_BYTES = 600  # of a trial with its digest and time stamps


def web_load(
    protocol: str,
    n: int = 500,
    seconds: float = 60.0,
    every_s: float = 2.0,
    url: str | None = None,
    folder: Path | None = None,
) -> dict[str, Any]:
    """Measure how long a response waits for its receipt, and how many there can be.

    Parameters
    ----------
    protocol
        Its name, or its file.
    n
        How many take part at once.
    seconds
        That count, after everybody has begun.
    every_s
        From one response of somebody to their next.
    url
        Of an empty PostgreSQL database; None for a file.
    folder
        Where the file is made: on the disk that is asked about. A temporary one unless
        told otherwise.

    Returns
    -------
    dict
        Latencies in ms, from the response to its receipt, which says that it is
        durable; trials lost and doubled, of those that have a receipt; and the highest
        rate of durable trials beside the raw rate of durable commits.
    """
    loaded = load_protocol(protocol)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        db: Path | str = Path(place, "load.db") if url is None else url
        with _served(db, protocol, Path(place)) as address:
            usual = take_part(address, loaded, n, seconds, every_s)
        checked = _checked(db, usual)
        with _served(db, protocol, Path(place)) as address:
            fastest = take_part(address, loaded, FASTEST_PEOPLE, seconds / 4, 0.0)
        lost = _checked(db, fastest)
        commits = _commits(db)
    latency = np.percentile(usual.latencies_ms or [np.nan], [50, 99, 100])
    rate = len(fastest.latencies_ms) / (fastest.ended_at - fastest.begun_at)
    return {
        "protocol": loaded.name,
        "frame_bytes": _bytes(loaded),
        "database": "SQLite" if url is None else f"PostgreSQL, {without_password(url)}",
        "cores": os.cpu_count(),
        "participants": n,
        "every_s": every_s,
        "seconds": round(usual.ended_at - usual.begun_at, 1),
        "trials": len(usual.latencies_ms),
        "trials_per_s": round(
            len(usual.latencies_ms) / (usual.ended_at - usual.begun_at), 1
        ),
        "p50_ms": round(float(latency[0]), 1),
        "p99_ms": round(float(latency[1]), 1),
        "longest_ms": round(float(latency[2]), 1),
        **checked,
        "faults": len(usual.faults) + len(fastest.faults),
        "first_fault": next(iter(usual.faults + fastest.faults), None),
        "highest_trials_per_s": round(rate, 1),
        "highest_lost": lost["lost"] + lost["doubled"],
        "commits_per_s": round(commits, 1),
        "ratio": round(rate / commits, 2),
    }


def _bytes(protocol: Protocol) -> int:
    """Give how many bytes of pixels a trial has."""
    frames, height, width = protocol.frame_shape
    return protocol.n_onsets * frames * height * width


@contextmanager
def _served(db: Path | str, protocol: str, secret: Path) -> Iterator[str]:
    """Serve a protocol by a process of its own; give the address."""
    command = [sys.executable, "-m", "yoked", "serve", str(db), "--port", "0"]
    process = subprocess.Popen(
        [*command, "--protocol", protocol, "--log-level", "error"],
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, SECRETS: str(secret)},
    )
    try:
        assert process.stderr is not None
        said = process.stderr.readline()
        found = re.search(r"http://\S+", said)
        if found is None:
            rest = process.communicate()[0] or ""
            raise RuntimeError(f"a server must start, got {said}{rest}")
        yield found[0]
    finally:
        process.terminate()
        process.communicate()


def _checked(db: Path | str, load: Load) -> dict[str, int]:
    """Look for each trial with a receipt in the log: once, with the pixels as sent."""
    with closing(open_store(db, to_read=True)) as store:
        return _found(store, load)


def _found(store: Store, load: Load) -> dict[str, int]:
    known = {}
    with store.beside() as connection:
        query = "SELECT token_hash, session FROM participations"
        known = dict(connection.execute(query).fetchall())
    lost = doubled = other = 0
    for base, acknowledged in load.acknowledged.items():
        session = known.get(hash_of_token(base.rsplit("/", 1)[1]))
        stored = [] if session is None else store.trial_cells(session)["trial"]
        lost += len(set(acknowledged) - set(stored))
        doubled += len(acknowledged) - len(set(acknowledged))
        if session is not None:
            reasons = store.trial_cells(session)["invalid_reason"]
            other += sum("other bytes" in (reason or "") for reason in reasons)
    return {"lost": lost, "doubled": doubled, "other_pixels": other}


def _commits(db: Path | str) -> float:
    """Give the rate at which rows of a trial's size are made durable one by one."""
    if is_url(db):
        with closing(open_store(db)) as store:
            return _rate(store.beside)
    with closing(sqlite3.connect(db, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = FULL")

        @contextmanager
        def same() -> Iterator[Connection]:
            yield connection

        return _rate(same)


def _rate(opened: Callable[[], AbstractContextManager[Connection]]) -> float:
    table = f"commits_{secrets.token_hex(4)}"
    row = "x" * _ROW_BYTES
    with opened() as connection:
        connection.execute(f"CREATE TABLE {table} (number INTEGER, cell TEXT)")
        try:
            return _counted(connection, f"INSERT INTO {table} VALUES (?, ?)", row)
        finally:
            connection.execute(f"DROP TABLE {table}")


def _counted(connection: Connection, insert: str, row: str) -> float:
    begun, n = time.perf_counter(), 0
    while time.perf_counter() < begun + COMMIT_S:
        connection.execute(insert, [n, row])
        n += 1
    return n / (time.perf_counter() - begun)
