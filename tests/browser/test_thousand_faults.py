"""A thousand faults between real browsers and the real server: nothing is lost.

The network as in `proxy.py`; and the server is killed, its disk is full, its clock
jumps, tabs are reloaded, closed and opened again.
"""

import contextlib
import json
import os
import random
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import DoublePass
from yoked.experiments.store.sqlite import open_store

from .proxy import Proxy
from .test_faults import SIT
from .walking import FAST, read_canvas

N_PEOPLE, N_KILLS, N_FAULTS = 8, 50, 1000
EVENTS = {"kill": N_KILLS, "reload": 40, "reopen": 40, "full disk": 20, "clock": 20}
JUMPS = ("+3h", "-2h", "+40d", "-1d", "+0")
FULL_S = 1.5  # how long the disk is full
SERVE = Path(__file__).with_name("serve.py")
CLOCK = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)


class Tough:
    """A server's process, whose clock and disk are the test's to spoil."""

    def __init__(self, folder: Path, place: Path | str, protocol) -> None:
        self.place, self._clock = place, folder / "clock"
        self._said = folder / "server.log"
        self._protocol = folder / "protocol.json"
        self._protocol.write_text(json.dumps(protocol.to_dict()))
        self._clock.write_text("+0")
        self.port, self._process = 0, None

    def start(self) -> None:
        told = os.environ | {
            "LD_PRELOAD": str(CLOCK or ""),
            "FAKETIME_TIMESTAMP_FILE": str(self._clock),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        with self._said.open("a") as said:
            self._process = subprocess.Popen(
                [sys.executable, SERVE, self.place, self._protocol, "identity",
                 str(self.port)],
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
                env=told,
            )  # fmt: skip
        address = self._process.stdout.readline()
        assert address, self._said.read_text()[-2000:]
        self.port = int(address.split(":")[2].split("/")[0])

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def jump(self, by: str) -> None:
        """Let the clock jump: all that looks at it sees it there."""
        part = self._clock.with_suffix(".part")
        part.write_text(by)
        part.rename(self._clock)

    def fill(self, is_full: bool) -> None:
        """Let every write beyond a file's first page fail, or no more."""
        _, most = resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE)
        limit = 4096 if is_full else most
        resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (limit, most))


class People:
    """Who sits at the pages, each in a browser's context of their own."""

    def __init__(self, browser, address: str, protocol) -> None:
        self._protocol, self._contexts, self.pages = protocol, [], []
        self._places: list[str | None] = [None] * N_PEOPLE
        for _ in range(N_PEOPLE):
            window = {"width": 1280, "height": 800}
            self._contexts.append(browser.new_context(viewport=window))
            self.pages.append(self._sit(len(self.pages), address))
            agree = self.pages[-1].get_by_role("button", name="I agree", disabled=False)
            agree.click()
            self.pages[-1].wait_for_url("**/session/**")
            self._places[len(self.pages) - 1] = self.pages[-1].url

    def _sit(self, number: int, address: str):
        page = self._contexts[number].new_page()
        read_canvas(page, self._protocol)
        page.add_init_script(SIT.replace("CODES", json.dumps(["KeyF", "KeyJ"])))
        with contextlib.suppress(Exception):  # a server that is not there
            page.goto(address)
        return page

    def left(self) -> list[int]:
        return [n for n, page in enumerate(self.pages) if "/done" not in page.url]

    def reload(self, number: int) -> None:
        with contextlib.suppress(Exception):
            self.pages[number].reload(timeout=5000)
        if "chrome-error" in self.pages[number].url:
            self.reopen(number)

    def reopen(self, number: int) -> None:
        self.pages[number].close()
        self.pages[number] = self._sit(number, self._places[number])

    def stay(self) -> None:
        """Try again where a browser shows that nothing was there."""
        for number in self.left():
            if not self.pages[number].url.startswith("http"):
                self.reopen(number)

    def told(self) -> list[set[tuple[int, int | None]]]:
        """Give what each was told is stored."""
        kept = [page.evaluate("localStorage.acknowledged") for page in self.pages]
        return [{tuple(pair) for pair in json.loads(each)} for each in kept]


def short(n_trials: int):
    protocol = load_protocol("bar-in-noise")
    protocol = replace(protocol, catch=replace(protocol.catch, n_per_block=0))
    protocol = protocol.with_options(n_trials, 0.227, FAST)
    return replace(protocol, double_pass=DoublePass())


def sit_through(
    launch, server: Tough, protocol, n_faults: int, events: dict[str, Callable]
) -> Counter[str]:
    """Let people sit through faults; hold the log against what they were told."""
    rng = random.Random(31)
    left = [
        name for name, many in EVENTS.items() if name in events for _ in range(many)
    ]
    rng.shuffle(left)
    server.start()
    proxy = Proxy(server.port, n_faults - len(left), seed=17)
    browser = launch()
    people, done = People(browser, proxy.address, protocol), Counter()
    deadline = time.monotonic() + 5400
    while people.left():
        assert time.monotonic() < deadline, f"stuck: {people.left()}, {done}"
        if left and proxy.injected.total() * len(EVENTS) > done.total():
            name = left.pop()
            events[name](people, rng)
            done[name] += 1
        people.stay()
        people.pages[0].wait_for_timeout(300)
    told = people.told()
    browser.close()
    proxy.close()
    with contextlib.closing(open_store(server.place)) as store:
        logs = [
            [(r.spec.trial, r.response.response) for r in store.trials(row.id)]
            for row in store.sessions()
        ]
    assert proxy.wrong == []
    assert proxy.n_left == len(left) == 0
    assert all([n for n, _ in log] == list(range(len(log))) for log in logs)
    for acknowledged in told:  # each is there, once and as it was given
        (own,) = [log for log in logs if acknowledged <= set(log)]
        assert len(acknowledged) >= len(own) - 1
        logs.remove(own)
    assert logs == []
    print(f"\n{n_faults} faults: {dict(proxy.injected)}, {dict(done)}")
    print(f"replies of the server: {dict(proxy.statuses)}")
    return done + proxy.injected


@pytest.fixture
def tough(tmp_path) -> Iterator[Callable[..., Tough]]:
    """Return a function that makes a server that can be spoilt."""
    servers = []

    def make(protocol, place: Path | str | None = None) -> Tough:
        servers.append(Tough(tmp_path, place or tmp_path / "results.db", protocol))
        return servers[-1]

    yield make
    for server in servers:
        with contextlib.suppress(AttributeError):
            server.kill()


@pytest.mark.slow
@pytest.mark.timeout(6000)
def test_a_thousand_faults_lose_nothing_and_stop_nobody(launch, tough):
    if CLOCK is None:
        pytest.skip("libfaketime is not installed: apt-get install libfaketime")
    protocol = short(160)
    server = tough(protocol)

    def kill(people, rng) -> None:
        server.kill()
        server.start()

    def full(people, rng) -> None:
        server.fill(True)
        people.pages[0].wait_for_timeout(1000 * FULL_S)
        server.fill(False)

    events = {
        "kill": kill,
        "reload": lambda people, rng: people.reload(rng.randrange(N_PEOPLE)),
        "reopen": lambda people, rng: people.reopen(rng.randrange(N_PEOPLE)),
        "full disk": full,
        "clock": lambda people, rng: server.jump(rng.choice(JUMPS)),
    }
    done = sit_through(launch, server, protocol, N_FAULTS, events)
    assert done.total() == N_FAULTS


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_a_database_that_is_restarted_under_it_loses_nothing(
    launch, tough, postgres, tmp_path, monkeypatch
):
    monkeypatch.setenv("YOKED_SECRETS", str(tmp_path))
    protocol = short(60)
    server = tough(protocol, postgres.new())

    def restart(people, rng) -> None:
        postgres.stop(rng.choice((2, 3)))  # SIGINT, or SIGQUIT: as after a fall
        people.pages[0].wait_for_timeout(1000)
        postgres.start()

    def kill(people, rng) -> None:
        server.kill()
        server.start()

    events = {"full disk": restart, "clock": kill}
    sit_through(launch, server, protocol, 150, events)
