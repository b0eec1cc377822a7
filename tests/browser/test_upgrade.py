"""A server that is brought up to date: pages of before go on, none is half and half."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.processes import PROCESSES
from yoked.app.hosting import static_files
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import Block, DoublePass

from .conftest import Server
from .serve import serve_file
from .walking import FAST, begin, read_canvas, respond

N_TRIALS = 4


def serve_changed(folder: Path, *arguments) -> None:
    """Serve as ever, with the static files of another folder."""
    static_files.STATIC = folder
    serve_file(*arguments)


class Upgraded(Server):
    """A server that can be started anew as another version of itself."""

    def upgrade(self, folder: Path) -> None:
        """Start the next version in its place, with a line more in every script."""
        shutil.copytree(static_files.STATIC, folder)
        for script in folder.glob("js/*.js"):
            script.write_text(script.read_text() + "\n// of the next version\n")
        hearing, telling = PROCESSES.Pipe(duplex=False)
        arguments = self.db_path, self.protocol_path, self.lut, self.port, telling.send
        self.kill()
        self._process = PROCESSES.Process(
            target=serve_changed, args=(folder, *arguments)
        )
        self._process.start()
        telling.close()
        with hearing:
            assert hearing.recv() == self.address


@pytest.fixture
def protocol():
    bars = load_protocol("bar-in-noise")
    return replace(
        bars,
        timing=FAST,
        blocks=(Block("main", N_TRIALS),),
        double_pass=DoublePass(),
        catch=replace(bars.catch, n_per_block=0),
    )


@pytest.fixture
def server(tmp_path, protocol):
    path = tmp_path / "protocol.json"
    path.write_text(json.dumps(protocol.to_dict()))
    server = Upgraded(tmp_path / "results.db", path, "identity")
    server.start()
    yield server
    server.kill()


def scripts_of(page) -> set[str]:
    """Return the versions of all scripts that a page has loaded."""
    loaded = "performance.getEntriesByType('resource').map(entry => entry.name)"
    return {name.split("/")[4] for name in page.evaluate(loaded) if "/static/" in name}


def test_a_page_of_before_goes_on_to_the_end(page, server, protocol, tmp_path):
    read_canvas(page, protocol)
    begin(page, server.address)
    before = scripts_of(page)
    respond(page, protocol, 0)
    server.upgrade(tmp_path / "next")
    for index in range(1, N_TRIALS):
        respond(page, protocol, index)
    page.wait_for_url("**/done")
    assert page.locator("#completion-code").inner_text()[1] == "-"
    after = scripts_of(page)
    assert len(before) == len(after) == 1
    assert before != after


def test_a_page_that_meets_the_next_version_half_way_is_loaded_again(
    page, server, tmp_path
):
    """The upgrade comes between a page and its scripts, as between two requests."""
    page.goto(server.address)
    page.get_by_role("button", name="I agree").click()
    page.get_by_role("button", name="Continue").wait_for()
    address, before = page.url, scripts_of(page)
    page.goto("about:blank")
    requests = []

    def upgrade(route) -> None:
        requests.append(route.request.url)
        if len(requests) == 1:
            server.upgrade(tmp_path / "next")
        route.continue_()

    page.route("**/static/**", upgrade)
    page.goto(address)
    page.get_by_role("button", name="Continue").wait_for()
    assert any(next(iter(before)) in url for url in requests), "none of the old version"
    assert len(scripts_of(page)) == 1
    assert scripts_of(page) != before
