"""Simulated participants of a server: they do by HTTP what a browser does.

Each fetches the pixels of its trial, waits as long as a trial takes, responds, and
notes when the receipt came. They share one thread: 500 of them need half a core.
"""

import asyncio
import base64
import hashlib
import json
import random
import re
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from ..experiments.protocols.protocol import Protocol

_FORM = "application/x-www-form-urlencoded"
_ARRIVING_AT_ONCE = 20  # consent pages that are under way


@dataclass
class Load:
    """What simulated participants met.

    Attributes
    ----------
    latencies_ms
        From a response to its receipt, of those in the time that counts.
    acknowledged
        By the address of a session, the trials that have a receipt.
    faults
        What a reply was that should have been another, at most a hundred of them.
    begun_at, ended_at
        Of the time that counts, on the clock of `time.perf_counter`.
    """

    latencies_ms: list[float] = field(default_factory=list)
    acknowledged: dict[str, list[int]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    begun_at: float = 0.0
    ended_at: float = 0.0


def take_part(
    address: str, protocol: Protocol, n: int, seconds: float, every_s: float
) -> Load:
    """Let people take part at a server for some time.

    Parameters
    ----------
    address
        Of the page of consent, on this machine.
    protocol
        That is served there.
    n
        How many take part at once.
    seconds
        That count, once everybody has begun.
    every_s
        From one response of somebody to their next; 0 for as fast as they can.

    Returns
    -------
    Load
        With a receipt for each trial that was acknowledged.
    """
    # In a thread of its own: a caller in a notebook has a loop that runs already.
    with ThreadPoolExecutor(1) as thread:
        people = _all(address, protocol, n, seconds, every_s)
        return thread.submit(asyncio.run, people).result()


async def _all(
    address: str, protocol: Protocol, n: int, seconds: float, every_s: float
) -> Load:
    load, arriving = Load(), asyncio.Semaphore(_ARRIVING_AT_ONCE)
    all_here, left = asyncio.Event(), n
    sent = as_shown(protocol)

    async def person(number: int) -> None:
        nonlocal left
        line = _Line(address)
        try:
            async with arriving:
                base, following = await _arrive(line, address)
            left -= 1
            if not left:
                load.begun_at = time.perf_counter()
                all_here.set()
            await all_here.wait()
            await asyncio.sleep(every_s * number / n)
            until = load.begun_at + seconds
            await _trials(line, base, following, sent, until, every_s, load)
        except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
            if not all_here.is_set():
                raise
            load.faults.append(repr(error))
        finally:
            line.close()

    await asyncio.gather(*(person(number) for number in range(n)))
    load.ended_at = time.perf_counter()
    return load


def as_shown(protocol: Protocol) -> dict[str, Any]:
    """Give what a browser would send of a trial that was shown as it was asked for."""
    timing = protocol.timing
    cue_ms = sum(protocol.cue.frames_ms)
    lasts = timing.shown_ms(protocol.noise.grid[0])
    at = timing.fixation_ms + (cue_ms if protocol.n_before else 0.0)
    onsets = [
        at + k * (lasts + timing.gap_ms + cue_ms) for k in range(protocol.n_onsets)
    ]
    return {
        "rt_ms": 350.0,
        "onsets_ms": onsets,
        "offsets_ms": [onset + lasts for onset in onsets],
        "n_shown": 1,
        "frames_shown": 12,
        "frames_dropped": 0,
        "events": [],
    }


async def _arrive(line: "_Line", address: str) -> tuple[str, Any]:
    """Agree to the consent text; give the session's address and its first trial."""
    page = (await line.get(urlsplit(address).path)).decode()
    form = dict(re.findall(r'name="(\w+)"[^>]* value="([^"]*)"', page))
    found = re.search(r'id="agreement" method="post" action="([^"]*)"', page)
    if found is None:
        raise ValueError("the page of consent must have its form, got none")
    status, headers, _ = await line.ask(
        "POST", found[1], urlencode(form).encode(), _FORM
    )
    if status != 303:
        raise ValueError(f"an agreement must begin a session, got status {status}")
    base = urlsplit(headers["location"]).path
    await line.get(base)
    return base, json.loads(await line.get(f"{base}/next"))


async def _trials(
    line: "_Line",
    base: str,
    following: dict[str, Any],
    sent: Mapping[str, Any],
    until: float,
    every_s: float,
    load: Load,
) -> None:
    """Respond to one trial after the other, each at its time."""
    choose, due = random.Random(base), time.perf_counter()
    done = load.acknowledged.setdefault(base, [])
    while not following["done"] and time.perf_counter() < until:
        pixels = await _pixels(line, following)
        due += every_s
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        if every_s and time.perf_counter() > until:
            return
        body = {**sent, "response": choose.randrange(2)}
        body["digest"] = hashlib.sha256(pixels).hexdigest()
        number = following["trial"]
        begun = time.perf_counter()
        status, _, reply = await line.ask(
            "POST", f"{base}/trials/{number}?pixels=yes", json.dumps(body).encode()
        )
        ended = time.perf_counter()
        if status != 200:
            load.faults.append(f"status {status}: {reply[:200]!r}")
            return
        load.latencies_ms.append(1000 * (ended - begun))
        done.append(number)
        following = json.loads(reply)["next"]


async def _pixels(line: "_Line", following: Mapping[str, Any]) -> bytes:
    """Give a trial's pixels: they came along with a receipt, or are fetched."""
    if "pixels" in following:
        return base64.b64decode(following["pixels"])
    return await line.get(following["frames"])


class _Line:
    """A connection to a server, kept open, and opened again where it was closed."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def get(self, path: str) -> bytes:
        """Give what is at a path; raise ValueError where it is not there."""
        status, _, body = await self.ask("GET", path)
        if status != 200:
            raise ValueError(f"a page must be there, got status {status}")
        return body

    async def ask(
        self, method: str, path: str, body: bytes = b"", kind: str = "application/json"
    ) -> tuple[int, dict[str, str], bytes]:
        """Send a request; give status, headers and body of the reply."""
        if self._reader is None or self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(
                self._host, self._port
            )
        head = f"{method} {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n"
        if method == "POST":
            head += f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        self._writer.write(head.encode() + b"\r\n" + body)
        await self._writer.drain()
        lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *rest = lines.strip().split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in rest)
        }
        got = await self._reader.readexactly(int(headers.get("content-length", 0)))
        if headers.get("connection", "").lower() == "close":
            self.close()
        return int(first.split()[1]), headers, got

    def close(self) -> None:
        """Close the connection."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None
