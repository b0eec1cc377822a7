"""The promise through a study, in Chromium and in Firefox: see test_promise.py."""

from dataclasses import replace

import numpy as np
import pytest

from yoked.app.lut import look_up_table
from yoked.app.studies.arms import Arm
from yoked.app.studies.description import Study
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import Block
from yoked.experiments.protocols.protocol import Protocol
from yoked.experiments.stimulus.render import digest

from .firefox import ENTER, FirefoxPage, find_firefox, firefox
from .test_promise import Run, left_by
from .walking import FAST, begin, read_canvas, respond, seen_on

N_MAIN = 6
BUTTON = "#jspsych-content button"


@pytest.fixture(scope="module")
def driven(tmp_path_factory):
    """Give a Firefox that the tests here share."""
    executable = find_firefox()
    if executable is None:
        pytest.skip("no Firefox here: install one, or name it in FIREFOX")
    with firefox(executable, tmp_path_factory.mktemp("firefox") / "profile") as page:
        yield page


def short(name: str) -> Protocol:
    """Give two trials of practice, and blocks with one catch trial each."""
    protocol = load_protocol(name)
    timing = replace(FAST, frame_ms=protocol.timing.frame_ms and 10.0)
    catch = replace(protocol.catch, n_per_block=1)
    small = replace(protocol, catch=catch).with_options(N_MAIN, timing=timing)
    main = [block for block in small.blocks if block.kind == "main"]
    return replace(small, blocks=(Block("practice", 2, feedback=True), *main))


def n_trials(protocol: Protocol) -> int:
    blocks = [b for b in protocol.blocks for _ in range(b.n_blocks)]
    return sum(b.n_trials + (b.kind == "main") for b in blocks)


def in_chromium(page, address: str, protocol: Protocol) -> list[dict]:
    """Let the template respond to every trial; give what it saw."""
    read_canvas(page, protocol)
    begin(page, address)
    last = n_trials(protocol) - 1
    for index in range(last):
        respond(page, protocol, index)
    page.evaluate("index => yokedTest.pick(index)", last)
    seen = seen_on(page)
    respond(page, protocol, last)
    page.wait_for_url("**/done")
    return seen


def in_firefox(page: FirefoxPage, address: str, protocol: Protocol) -> list[dict]:
    """Let the template respond to every trial; give what it saw."""
    read_canvas(page, protocol)
    page.goto(address)
    page.press("a")  # without a screen it has no mouse, and asks for any key
    for words in ("I agree", "Continue", "Stay in the window"):
        page.click(words)
    page.until("() => document.querySelector('canvas')?.width ?? null")
    seen: list[dict] = []
    last = n_trials(protocol) - 1
    for index in range(last + 1):
        while (pick := page.evaluate("(i) => yokedTest.pick(i)", index)) is None:
            page.press(ENTER)  # a break: its button has the focus
            page.until(f"() => document.querySelector('{BUTTON}') ? null : 1")
        if index == last:  # the page is left after the last response
            seen = page.evaluate("() => yokedTest.seen")
        page.press(protocol.task.keys[pick["response"]])
    page.until("() => location.pathname.endsWith('/done') ? 1 : null")
    return seen


def holds(run: Run, lut: str) -> None:
    """Check that pixels, responses and digests are those of the array."""
    table = np.array(look_up_table(lut), np.uint8)
    assert len(run.trials) == n_trials(run.protocol)
    assert run.display["canvas_exact"]
    assert (run.drawn == table[run.frames]).all()
    assert [t.response.digest for t in run.trials] == [digest(f) for f in run.frames]
    assert all(record.response.valid for record in run.trials)
    if lut == "identity":  # otherwise it reads other numbers than in process
        assert [t.response.response for t in run.trials] == run.in_process()


@pytest.fixture
def serve_one(serve_study):
    """Return a function that serves a study of one arm; it gives server and address."""

    def start(protocol: Protocol, lut: str):
        study = Study("promise", arms=(Arm("all", (protocol,)),), lut=lut)
        server = serve_study(study)
        return server, f"{server.address}study/promise"

    return start


@pytest.mark.parametrize(("name", "lut"), [("bar-in-noise", "identity")])
def test_a_template_in_chromium_responds_as_one_that_reads_arrays(
    page, serve_one, name, lut
):
    protocol = short(name)
    server, address = serve_one(protocol, lut)
    seen = in_chromium(page, address, protocol)
    holds(left_by(server, protocol, seen), lut)


@pytest.mark.parametrize(
    ("name", "lut"),
    [
        ("bar-in-noise", "identity"),
        ("bar-in-noise", "srgb"),
        ("movie-bar", "identity"),
        pytest.param("gabor-in-noise", "identity", marks=pytest.mark.slow),
        pytest.param("bar-polarity", "identity", marks=pytest.mark.slow),
    ],
)
def test_a_template_in_firefox_responds_as_one_that_reads_arrays(
    driven, serve_one, name, lut
):
    protocol = short(name)
    server, address = serve_one(protocol, lut)
    with driven.fresh():
        seen = in_firefox(driven, address, protocol)
    holds(left_by(server, protocol, seen), lut)
