"""Time and answers in a browser: jitter, no limit, confidence, tones."""

from dataclasses import replace

from yoked.experiments.protocols.answers import Confidence, Feedback
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import Block
from yoked.experiments.session.durations import drawn_timing
from yoked.experiments.store.sqlite import open_store

from .walking import FAST, begin, read_canvas

N_TRIALS = 4
# Counts the tones that the page starts, with their frequencies.
TONES = """
window.tones = [];
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...at) {
  window.tones.push(this.frequency.value);
  return start.apply(this, at);
};
"""

TWO_FRAMES = """() => new Promise(
  (done) => requestAnimationFrame(() => requestAnimationFrame(done)))"""


def test_confidence_is_asked_and_tones_tell_right_from_wrong(page, serve):
    timing = replace(
        FAST, response_ms=0.0, fixation_jitter_ms=400.0, feedback_ms=50.0,
        tolerance_ms=60_000.0,
    )  # fmt: skip
    protocol = replace(
        load_protocol("bar-in-noise").with_options(N_TRIALS, 0.4, timing),
        blocks=(Block("main", N_TRIALS, feedback=True),),
        confidence=Confidence(keys=("1", "2", "3"), prompt={"en": "And how *sure*?"}),
        feedback=Feedback(by="tone", correct_hz=900, wrong_hz=300),
    )
    protocol = replace(protocol, catch=replace(protocol.catch, n_per_block=0))
    server = serve(protocol)
    read_canvas(page, protocol)
    page.add_init_script(TONES)
    begin(page, server.address)
    for index in range(N_TRIALS):
        page.evaluate("index => yokedTest.pick(index)", index)
        page.keyboard.press("fj"[index % 2])
        question = page.locator(".confidence")
        question.wait_for()
        assert question.inner_text().startswith("And how sure?")
        page.evaluate(TWO_FRAMES)  # the question is shown, and takes a press
        page.keyboard.press("123"[index % 3])
        question.wait_for(state="detached")
    page.wait_for_url("**/done")
    store = open_store(server.db_path, to_read=True)
    (row,) = store.sessions()
    trials = store.trials(row.id)
    store.close()
    assert [t.response.confidence for t in trials] == [1, 2, 3, 1]
    assert [t.response.response for t in trials] == [0, 1, 0, 1]
    assert all(t.response.valid for t in trials)
    for record in trials:
        asked = drawn_timing(timing, row.seed, record.spec.trial).fixation_ms
        shown = record.response.onsets_ms[0]
        # A busy machine may measure a slower refresh, and count fewer of them.
        assert shown > asked / 2 - 20


def test_a_tone_for_each_response(page, serve):
    timing = replace(FAST, feedback_ms=3000.0)
    protocol = replace(
        load_protocol("bar-in-noise").with_options(2, 0.4, timing),
        blocks=(Block("main", 2, feedback=True),),
        feedback=Feedback(by="both", correct_hz=900, wrong_hz=300),
    )
    protocol = replace(protocol, catch=replace(protocol.catch, n_per_block=0))
    server = serve(protocol)
    read_canvas(page, protocol)
    page.add_init_script(TONES)
    begin(page, server.address)
    page.evaluate("index => yokedTest.pick(index)", 0)
    page.keyboard.press("f")
    page.locator(".feedback").wait_for()
    told = page.locator(".feedback").inner_text()
    assert page.evaluate("tones") == [900 if told == "Correct" else 300]
