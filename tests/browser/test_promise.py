"""The promise: a template that reads the canvas responds as one that reads arrays."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from yoked.app.lut import look_up_table
from yoked.experiments.protocols.files import load_protocol, protocol_names
from yoked.experiments.protocols.parts import BACKGROUND, Signal, Task
from yoked.experiments.protocols.patterns import Pattern
from yoked.experiments.protocols.protocol import Protocol
from yoked.experiments.session.observer import ObserverNoise
from yoked.experiments.session.session import Session
from yoked.experiments.stimulus.render import digest
from yoked.experiments.store.sqlite import open_store
from yoked.experiments.store.trial import TrialRecord

from .walking import (
    FAST,
    at_every_place,
    begin,
    chosen,
    ideal_observer,
    read_canvas,
    respond,
    seen_on,
)

# All but the published experiment whose noise can only be imported.
SHOWN = [n for n in protocol_names() if load_protocol(n).noise.source == "yoked-1"]

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
        if self.protocol.places.count:  # the page's template weighs them all alike
            weights = at_every_place(self.protocol)
            sums = (self.frames.astype(int) - BACKGROUND) * weights
            return chosen(sums.sum(axis=(2, 3, 4)))
        noise = ObserverNoise(0, np.arange(len(self.trials)))  # this template uses none
        return chosen(ideal_observer(self.protocol).decide(self.frames, noise))


@pytest.fixture
def run_template(page, serve):
    """Return a function that runs trials by a template that reads the canvas."""

    def run(protocol: Protocol, n_trials: int, lut: str = "identity") -> Run:
        server = serve(protocol, lut)
        read_canvas(page, protocol)
        begin(page, server.address)
        seen: list[dict] = []
        for index in range(n_trials):
            if index == n_trials - 1:  # the page is left after the last response
                page.evaluate("index => yokedTest.pick(index)", index)
                seen = seen_on(page)
            respond(page, protocol, index)
        page.wait_for_url("**/done")
        return left_by(server, protocol, seen)

    return run


def left_by(server, protocol: Protocol, seen: list[dict]) -> Run:
    """Give what the server's one session left, beside what its browser saw."""
    store = open_store(server.db_path)
    row = store.sessions()[0]
    trials = store.trials(row.id)
    frames = Session.resume(store, row.id).frames([t.spec for t in trials])
    store.close()
    assert all(drawn["isGray"] for drawn in seen)
    levels = np.array([drawn["levels"] for drawn in in_order(seen)], np.uint8)
    return Run(
        protocol, trials, frames, levels.reshape(frames.shape), row.display or {}
    )


def in_order(seen: list[dict]) -> list[dict]:
    return sorted(
        seen, key=lambda drawn: (drawn["trial"], drawn["interval"], drawn["frame"])
    )


def few_trials(name: str, trials: int = 4, **changes) -> Protocol:
    protocol = load_protocol(name)
    timing = replace(FAST, frame_ms=protocol.timing.frame_ms and 10.0)
    catch = replace(protocol.catch, n_per_block=0)
    main = tuple(block for block in protocol.blocks if block.kind == "main")
    short = replace(protocol, catch=catch, blocks=main)
    return replace(short.with_options(trials, timing=timing), **changes)


def as_it_is(run: Run) -> None:
    assert (run.drawn == run.frames).all()
    assert [record.response.response for record in run.trials] == run.in_process()
    assert [t.response.digest for t in run.trials] == [digest(f) for f in run.frames]


def test_the_canvas_and_the_array_get_the_same_responses(run_template):
    protocol = load_protocol("bar-in-noise").with_options(100, 0.227, FAST)
    n_catch = protocol.catch.n_per_block * sum(b.n_blocks for b in protocol.blocks)
    run = run_template(protocol, 100 + n_catch)

    responses = [record.response for record in run.trials]
    assert [response.response for response in responses] == run.in_process()
    digests = [digest(frames) for frames in run.frames]
    assert [response.digest for response in responses] == digests
    assert len(responses) == 100 + n_catch
    assert all(response.valid for response in responses)
    assert (run.drawn == run.frames).all()
    assert np.mean([record.correct for record in run.trials]) > 0.6


def test_an_ordinary_screen_gets_the_levels_through_its_table(run_template):
    run = run_template(few_trials("bar-in-noise"), 4, lut="srgb")
    table = np.array(look_up_table("srgb"), np.uint8)
    assert (run.drawn == table[run.frames]).all()
    assert run.display["lut"] == table.tolist()
    assert run.display["canvas_exact"]
    assert [t.response.digest for t in run.trials] == [digest(f) for f in run.frames]


@pytest.mark.parametrize("name", SHOWN)
def test_every_shipped_protocol_is_drawn_as_it_is(run_template, name):
    n = max(4, len(load_protocol(name).conditions))
    run = run_template(few_trials(name, n), n)
    as_it_is(run)
    assert {t.spec.condition for t in run.trials} == {
        each.name for each in run.protocol.conditions
    } or not run.protocol.conditions


def test_a_scene_that_is_cued_afterwards_is_drawn_as_it_is(run_template):
    data = few_trials("position-unknown").to_dict()
    data["places"]["eccentricity_deg"] = 4.0
    data["display"]["element_px"] = [2, 2]  # few pixels: the page sends all of them
    data["cue"] = {"kind": "ring", "when": "after", "validity": 0.9, "neutral": 0.5}
    run = run_template(Protocol.from_dict(data), 4)
    as_it_is(run)
    assert all(record.response.valid for record in run.trials)
    assert {len(record.response.onsets_ms) for record in run.trials} == {2}
    observer, noise = ideal_observer(run.protocol), ObserverNoise(0, np.arange(4))
    seen = observer.decide(run.drawn, noise)  # which reads the cue, too
    assert (seen == observer.decide(run.frames, noise)).all()


def test_patterns_to_be_identified_are_drawn_as_they_are(run_template):
    task = Task("identify", ("1", "2", "3"))
    as_it_is(run_template(few_trials("bar-in-noise", task=task, signal=BARS), 4))


def test_patches_side_by_side_are_drawn_as_they_are(run_template):
    as_it_is(
        run_template(
            few_trials("gabor-in-noise", task=Task("mafc", ("1", "2", "3"))), 4
        )
    )
