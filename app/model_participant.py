"""A model takes part in a study as a person does: by a link, over HTTP, trial by trial.

It gets the bytes that a browser gets and nothing more: no seed, no stimulus id, no
target. What it is told beforehand is what instruction and practice are to a person: the
protocol, and trials on reserved seeds.
"""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urljoin, urlsplit

import numpy as np

from ..experiments.protocols.protocol import Protocol
from ..experiments.session.observer import Observer, ObserverNoise, Practice, optional
from ..models.decision import Decision, calibrate, checked_variables, rehearse
from ..models.runnable import require_runnable
from ..models.simulate import Progress, teach

if TYPE_CHECKING:
    from ..experiments.session.observer import Frames

_TRIES = 30  # of a request that a server cannot take now
_WAIT_S = 1.0


@dataclass(frozen=True)
class Prepared:
    """A model that knows its task.

    Attributes
    ----------
    observer, decision
        Prepared, trained and calibrated.
    observer_seed
        Of its own noise.
    protocol
        What it was prepared for.
    """

    observer: Observer
    decision: Decision
    observer_seed: int
    protocol: Protocol


def prepare(
    protocol: Protocol,
    observer: Observer,
    observer_seed: int,
    internal_noise: float = 0.0,
    criterion: float | None = None,
    progress: Progress | None = None,
) -> Prepared:
    """Teach a model a protocol on reserved trials, as `yoked.run` does.

    Parameters
    ----------
    protocol, observer
        What, and whom.
    observer_seed
        Of the model's own noise in the session to come.
    internal_noise, criterion
        As for `yoked.run`.
    progress
        Told how far a training is.

    Raises
    ------
    ValueError
        If the protocol cannot be run, or a number does not fit.
    """
    require_runnable(protocol, None, criterion)
    practice = Practice(protocol)
    teach(observer, practice, progress)
    rehearse(observer, practice, observer_seed)
    found = calibrate(observer, practice, observer_seed, internal_noise, criterion)
    return Prepared(observer, found, observer_seed, protocol)


def take_part(
    prepared: Prepared, link: str, progress: Callable[[float], object] | None = None
) -> str:
    """Take part by a link, from consent to the page of thanks.

    Parameters
    ----------
    prepared
        The model.
    link
        The whole address of its link.
    progress
        Told the share of the session that is done.

    Returns
    -------
    str
        Token of the session.

    Raises
    ------
    OSError
        If the server cannot be reached, or refuses.
    """
    visit = Visit(link)
    form = _Form(visit.get(link))
    base = visit.post_form(form.action, form.fields)
    page = _PageData(visit.get(base)).found
    shape = tuple(page["shape"][n] for n in ("intervals", "frames", "height", "width"))
    following = json.loads(visit.get(f"{base}/next"))
    while not following["done"]:
        if progress is not None:
            progress(following["progress"])
        levels = visit.get(following["frames"])
        body = respond(prepared, following["trial"], levels, shape)
        receipt = visit.post_json(f"{base}/trials/{following['trial']}", body)
        following = receipt["next"]
    visit.get(f"{base}/done")
    return base.rpartition("/")[2]


def respond(
    prepared: Prepared, trial: int, levels: bytes, shape: tuple[int, ...]
) -> dict[str, Any]:
    """Give a model's response to the bytes of one trial, as it is sent.

    Parameters
    ----------
    prepared
        The model.
    trial
        Number of the trial, on which its own noise depends.
    levels
        Contrast levels as the server sends them.
    shape
        (interval, frame, y, x).
    """
    observer = prepared.observer
    frames: Frames = np.frombuffer(levels, np.uint8).reshape(1, *shape)
    device = optional(observer, "device")
    if device is not None:
        import torch

        frames = torch.from_numpy(frames.copy()).to(device)
    noise = ObserverNoise(prepared.observer_seed, np.array([trial]))
    variables = checked_variables(observer, frames, noise, prepared.protocol.task)
    responses, noisy = prepared.decision.respond(variables, noise)
    return {
        "response": int(responses[0]),
        "decision_variables": np.asarray(noisy[0], float).tolist(),
        "digest": hashlib.sha256(levels).hexdigest(),
    }


class Visit:
    """One connection to a server, which is opened again where it was closed.

    Parameters
    ----------
    url
        Of any page of the server.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        make = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = make(parts.netloc, timeout=60)
        self._at = url

    def get(self, address: str) -> bytes:
        """Give what stands at an address."""
        return self._ask("GET", address)[1]

    def post_form(self, address: str, fields: Mapping[str, str]) -> str:
        """Send a form; give where it leads."""
        kind = "application/x-www-form-urlencoded"
        headers, _ = self._ask("POST", address, urlencode(fields).encode(), kind)
        return headers["location"]

    def post_json(self, address: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Send JSON; give the reply's."""
        kind, sent = "application/json", json.dumps(body).encode()
        return json.loads(self._ask("POST", address, sent, kind)[1])

    def _ask(
        self, method: str, address: str, body: bytes | None = None, kind: str = ""
    ) -> tuple[dict[str, str], bytes]:
        """Ask until there is a reply: the same again changes nothing more."""
        parts = urlsplit(urljoin(self._at, address))
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        headers = {"Content-Type": kind} if kind else {}
        for _ in range(_TRIES):
            try:
                self._connection.request(method, path, body, headers)
                reply = self._connection.getresponse()
                content = reply.read()
            except (HTTPException, ConnectionResetError, BrokenPipeError):
                self._connection.close()
                continue
            if reply.status not in (429, 503):
                break
            time.sleep(float(reply.getheader("Retry-After") or _WAIT_S))
        else:
            raise OSError("the server must reply, got nothing after many requests")
        if reply.status >= 400:
            said = _Text(content).found if not kind else content.decode()
            got = f"{reply.status}: {said}"
            raise OSError(f"the server must let the model take part, got {got}")
        return {name.lower(): value for name, value in reply.getheaders()}, content


class _Form(HTMLParser):
    """The form of the consent page: where it goes, and its hidden fields."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self._is_in = False
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {key: value or "" for key, value in attrs}
        if tag == "form":
            self._is_in = found.get("id") == "agreement"
            if self._is_in:
                self.action = found["action"]
        elif tag == "input" and self._is_in and found.get("name"):
            self.fields[found["name"]] = found.get("value", "")


class _PageData(HTMLParser):
    """What the task's page is told."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.found: dict[str, Any] = {}
        self._is_in = False
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._is_in = tag == "script" and ("id", "page-data") in attrs

    def handle_data(self, data: str) -> None:
        if self._is_in:
            self.found = json.loads(data)
            self._is_in = False


class _Text(HTMLParser):
    """The sentence of a page that complains."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.found, self._tag = "", ""
        self.feed(page.decode(errors="replace"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._tag = tag

    def handle_data(self, data: str) -> None:
        if self._tag == "p" and not self.found:
            self.found = data.strip()
