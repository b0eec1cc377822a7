"""The promise: a template that reads the canvas responds as one that reads arrays."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from yoked.app.web.lut import look_up_table
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import Signal, Task
from yoked.experiments.protocols.patterns import Pattern
from yoked.experiments.protocols.protocol import Protocol
from yoked.experiments.session.observer import ObserverNoise
from yoked.experiments.session.session import Session
from yoked.experiments.stimulus.render import digest
from yoked.experiments.store.sqlite import open_store
from yoked.experiments.store.trial import TrialRecord

from .walking import FAST, begin, ideal_observer, read_canvas, respond

BARS = Signal(
    "patterns", patterns=tuple(Pattern("bar", columns=(c, c)) for c in (2, 6, 10))
)


@dataclass
class Run:
    """What a session left in the trial log, and what was read off the canvas."""

    protocol: Protocol
    trials: list[TrialRecord]
    frames: (
        np.ndarray
    )  # (trial, interval, frame, y, x) of the logged trials, in process
    drawn: np.ndarray  # the same, as read off the canvas
    display: dict

    def in_process(self) -> list[int]:
        """Return the responses of a template that reads the array."""
        noise = ObserverNoise(0, np.arange(len(self.trials)))  # this template uses none
        return (
            ideal_observer(self.protocol).decide(self.frames, noise).argmax(1).tolist()
        )


@pytest.fixture
def run_template(page, serve):
    """Return a function that runs trials by a template that reads the canvas."""

    def run(protocol: Protocol, n_trials: int, lut: str = "identity") -> Run:
        server = serve(protocol, lut)
        read_canvas(page, protocol)
        begin(page, server.address)
        for index in range(n_trials):
            if index == n_trials - 1:  # the page is left after the last response
                page.evaluate("index => yokedTest.pick(index)", index)
                seen = page.evaluate("yokedTest.seen")
            respond(page, protocol, index)
        page.wait_for_url("**/done")
        store = open_store(server.db_path)
        row = store.sessions()[0]
        trials = store.trials(row.id)
        frames = Session.resume(store, row.id).frames([t.spec for t in trials])
        store.close()
        assert all(drawn["isGray"] for drawn in seen)
        levels = np.array([drawn["levels"] for drawn in in_order(seen)], np.uint8)
        return Run(protocol, trials, frames, levels.reshape(frames.shape), row.display)

    return run


def in_order(seen: list[dict]) -> list[dict]:
    return sorted(
        seen, key=lambda drawn: (drawn["trial"], drawn["interval"], drawn["frame"])
    )


def few_trials(name: str, trials: int = 4, **changes) -> Protocol:
    protocol = load_protocol(name)
    timing = replace(FAST, frame_ms=protocol.timing.frame_ms and 10.0)
    catch = replace(protocol.catch, n_per_block=0)
    short = replace(protocol, catch=catch).with_options(trials, 0.2, timing)
    return replace(short, **changes)


def test_the_canvas_and_the_array_get_the_same_responses(run_template):
    protocol = load_protocol("bar-in-noise").with_options(200, 0.227, FAST)
    n_catch = protocol.catch.n_per_block * sum(b.n_blocks for b in protocol.blocks)
    run = run_template(protocol, 200 + n_catch)

    responses = [record.response for record in run.trials]
    assert [response.response for response in responses] == run.in_process()
    digests = [digest(frames) for frames in run.frames]
    assert [response.digest for response in responses] == digests
    assert len(responses) == 200 + n_catch
    assert all(response.valid for response in responses)
    assert (run.drawn == run.frames).all()
    assert 0.6 < np.mean([record.correct for record in run.trials]) < 1


def test_an_ordinary_screen_gets_the_levels_through_its_table(run_template):
    run = run_template(few_trials("bar-in-noise"), 4, lut="srgb")
    table = np.array(look_up_table("srgb"), np.uint8)
    assert (run.drawn == table[run.frames]).all()
    assert run.display["lut"] == table.tolist()
    assert run.display["canvas_exact"]
    assert [t.response.digest for t in run.trials] == [digest(f) for f in run.frames]


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("movie-bar", {}),
        ("gabor-in-noise", {}),
        ("bar-polarity", {}),
        ("equivalent-noise", {}),
        ("phase-unknown", {}),
        ("gabor-in-noise", {"task": Task("mafc", ("1", "2", "3"))}),
        ("bar-in-noise", {"task": Task("identify", ("1", "2", "3")), "signal": BARS}),
    ],
    ids=[
        "movie",
        "gabor",
        "one interval",
        "conditions",
        "phases",
        "patches side by side",
        "patterns",
    ],
)
def test_every_shape_of_trial_is_drawn_as_it_is(run_template, name, changes):
    n = max(4, len(load_protocol(name).conditions))
    run = run_template(few_trials(name, n, **changes), n)
    assert (run.drawn == run.frames).all()
    assert [record.response.response for record in run.trials] == run.in_process()
    assert [t.response.digest for t in run.trials] == [digest(f) for f in run.frames]
