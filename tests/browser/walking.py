"""Steps through the study's pages that several tests take."""

import json
from pathlib import Path

import numpy as np

from yoked.experiments.protocols.parts import BACKGROUND, Timing
from yoked.experiments.protocols.protocol import Protocol
from yoked.experiments.session.observer import ObserverNoise, Practice, Viewing
from yoked.models.observers.template import Template

READER = Path(__file__).with_name("reader.js").read_text()

# Every duration is a single refresh at 60 Hz; the response may take its time.
FAST = Timing(
    fixation_ms=10.0,
    interval_ms=10.0,
    gap_ms=10.0,
    response_ms=20_000.0,
    feedback_ms=10.0,
    tolerance_ms=60_000.0,  # this machine may be busy
    earliest_ms=0.0,  # and a template sees at once
)


def ideal_observer(protocol: Protocol) -> Template:
    """Return the template that the models' presenter would run."""
    template = Template()
    template.prepare(Viewing.of(protocol))
    template.learn(Practice(protocol))
    return template


def chosen(variables: np.ndarray) -> list[int]:
    """Return the responses by decision variables, (trial, alternative)."""
    if variables.shape[1] > 1:
        return variables.argmax(1).tolist()
    return (variables[:, 0] > 0).astype(int).tolist()


def read_canvas(page, protocol: Protocol) -> None:
    """Let the same template watch the canvas of every page that comes."""
    is_scene = protocol.places.count > 0
    weights = at_every_place(protocol) if is_scene else template_px(protocol)
    about = {
        "template": weights.reshape(len(weights), -1).tolist(),
        "nIntervals": protocol.n_intervals,
        "criterion": int(weights.sum()) * BACKGROUND,
    }
    if protocol.task.identifies:
        blank = np.full((1, 1, *protocol.frame_shape), 128, np.uint8)
        at_blank = ideal_observer(protocol).decide(
            blank, ObserverNoise(0, np.arange(1))
        )
        about = {
            "template": weights[0].reshape(weights.shape[1], -1).tolist(),
            "patterns": weights.reshape(*weights.shape[:2], -1).tolist(),
            "atBlank": at_blank[0].tolist(),
            "nIntervals": 1,
        }
    page.add_init_script(f"{READER}\nObject.assign(yokedTest, {json.dumps(about)});")


def template_px(protocol: Protocol) -> np.ndarray:
    """Return the template of a patch at pixel size."""
    rows, columns = protocol.display.element_px
    weights = ideal_observer(protocol).weights
    return weights.repeat(rows, axis=-2).repeat(columns, axis=-1)


def at_every_place(protocol: Protocol) -> np.ndarray:
    """Return weights of a whole scene: a template at each place, nothing elsewhere."""
    weights = template_px(protocol)
    whole = np.zeros(protocol.frame_shape, np.int64)
    shown = slice(protocol.n_before, protocol.n_before + len(weights))
    for y, x, height, width in Viewing.of(protocol).places:
        whole[shown, y : y + height, x : x + width] = weights
    return whole


def seen_on(page) -> list[dict]:
    """Return every interval that was read off the canvas.

    As one string: Playwright takes seconds for lists of a million numbers.
    """
    return json.loads(page.evaluate("JSON.stringify(yokedTest.seen)"))


def begin(page, address: str) -> None:
    """Agree, read the instructions, stay in the window."""
    page.goto(address)
    page.get_by_role("button", name="I agree").click()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Stay in the window").click()


def respond(page, protocol: Protocol, index: int) -> dict:
    """Press the key that the template picks in the page's trial `index`."""
    while True:
        pick = page.evaluate("index => yokedTest.pick(index)", index)
        if pick is not None:
            page.keyboard.press(protocol.task.keys[pick["response"]])
            return pick
        page.keyboard.press("Enter")  # a break: its button has the focus
        page.locator("#jspsych-content button").wait_for(state="detached")
