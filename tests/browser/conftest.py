"""A real Chromium and a real server, for tests that click, press and look."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.processes import PROCESSES
from yoked.app.studies.description import Study
from yoked.app.studies.kept import add_study, set_state
from yoked.app.studies.tables import migrations
from yoked.experiments.protocols.protocol import Protocol
from yoked.experiments.store.sqlite import open_store

from .serve import serve_file

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


def find_chromium() -> str | None:
    named = os.environ.get("CHROMIUM")
    return named or next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="session")
def launch() -> Iterator[Callable]:
    """Return a function that starts Chromium, with further flags."""
    playwright = pytest.importorskip("playwright.sync_api")
    executable = find_chromium()
    if executable is None:
        pytest.skip("no Chromium here: install one, or name it in CHROMIUM")
    with playwright.sync_playwright() as driver:
        yield lambda *flags: driver.chromium.launch(
            executable_path=executable, args=[*FLAGS, *flags]
        )


@pytest.fixture(scope="session")
def browser(launch):
    """A browser that many tests share, each in a context of its own."""
    browser = launch()
    yield browser
    browser.close()


@pytest.fixture
def page(browser):
    """A page of its own context, in which a fault of ours fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_default_timeout(20_000)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda entry: faults.append(entry.text) if is_ours(entry) else 0)
    yield page
    context.close()
    assert not faults


def is_ours(entry) -> bool:
    """Whether a console message is a fault; a network that a test cut is none."""
    return entry.type == "error" and "Failed to load resource" not in entry.text


@dataclass
class Server:
    """A server process of one protocol, or of studies, and one trial log."""

    db_path: Path
    protocol_path: Path | None
    lut: str
    prefix: str = "/"
    port: int = 0
    address: str = ""

    def start(self) -> None:
        hearing, telling = PROCESSES.Pipe(duplex=False)
        arguments = self.db_path, self.protocol_path, self.lut, self.port, telling.send
        told = {n: text for n, text in os.environ.items() if n.startswith("YOKED_")}
        arguments += (self.prefix, told)
        self._process = PROCESSES.Process(target=serve_file, args=arguments)
        self._process.start()
        telling.close()
        with hearing:
            self.address = hearing.recv()  # EOFError: the server did not start
        self.port = int(self.address.split(":")[2].split("/")[0])

    def kill(self) -> None:
        """End the process as a power cut would."""
        self._process.kill()
        self._process.join()


@pytest.fixture
def serve_study(tmp_path: Path) -> Iterator[Callable[[Study], Server]]:
    """Return a function that serves a study, open, at /study/NAME."""
    servers: list[Server] = []

    def start(study: Study) -> Server:
        server = Server(tmp_path / f"studies-{len(servers)}.db", None, study.lut)
        store = open_store(server.db_path, beside=[migrations])
        add_study(store, study)
        set_state(store, study.name, "open")
        store.close()
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.kill()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Return a function that serves a protocol."""
    servers: list[Server] = []

    def start(protocol: Protocol, lut: str = "identity", prefix: str = "/") -> Server:
        path = tmp_path / f"protocol-{len(servers)}.json"
        path.write_text(json.dumps(protocol.to_dict()))
        server = Server(tmp_path / f"results-{len(servers)}.db", path, lut, prefix)
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.kill()
