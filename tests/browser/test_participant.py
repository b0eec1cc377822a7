"""What participants meet besides trials: examples, a second look, fingers, readers."""

from dataclasses import replace

import numpy as np
import pytest

from tests import ROOT
from yoked.app.web.examples import examples_of
from yoked.experiments.protocols.breaks import Breaks
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import Block, DoublePass, Texts
from yoked.experiments.store.sqlite import open_store

from .walking import FAST, begin, read_canvas, respond

expect = pytest.importorskip("playwright.sync_api").expect

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
LAPTOP, SMALL = {"width": 1280, "height": 800}, {"width": 320, "height": 180}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 3,
}
CANVASES = """() => [...document.querySelectorAll(".example-patch canvas")].map(
  (canvas) => [...canvas.getContext("2d")
    .getImageData(0, 0, canvas.width, canvas.height).data]
    .filter((_, i) => i % 4 === 0))"""
FOCUSED = "document.activeElement.textContent"
BREACHES = """async () => (await axe.run(document, { runOnly: [
  "wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"] })).violations.map(
  ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)"""


@pytest.fixture
def protocol():
    """Two blocks of two trials, in two languages."""
    bars = load_protocol("bar-in-noise").with_options(4, 0.227, FAST)
    consent = {**bars.texts.consent, "de": "# Teilnahme"}
    instructions = {**bars.texts.instructions, "de": "# Die Aufgabe"}
    return replace(
        bars,
        texts=Texts(consent, instructions, bars.texts.debrief),
        blocks=(Block("main", 2, n_blocks=2),),
        double_pass=DoublePass(),
        catch=replace(bars.catch, n_per_block=0),
    )


def test_the_examples_are_the_server_s_pixels_and_name_the_keys(page, serve, protocol):
    page.goto(serve(protocol).address)
    page.get_by_role("button", name="I agree").click()
    page.locator(".example-patch canvas").nth(3).wait_for()
    levels = np.array(page.evaluate(CANVASES), np.uint8)
    due = examples_of(protocol).levels
    assert np.array_equal(levels, due.reshape(4, -1))  # the identity table
    captions = page.locator(".examples figcaption").all_inner_texts()
    assert captions == ["Press F", "Press J"]
    assert page.locator(".examples kbd").all_inner_texts() == ["F", "J"]


def test_the_device_is_looked_at_again_before_each_block(page, serve, protocol):
    server = serve(protocol)
    read_canvas(page, protocol)
    begin(page, server.address)
    for index in range(2):
        respond(page, protocol, index)
    page.get_by_role("heading", name="Time for a break").wait_for()
    page.set_viewport_size(SMALL)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="The task cannot be shown just now").wait_for()
    page.get_by_text("it has 320 × 180, and 116 × 214 are needed").wait_for()
    page.set_viewport_size({**LAPTOP, "width": 1200})
    respond(page, protocol, 2)  # it went on by itself
    page.evaluate("yokedTest.pick(3)")
    store = open_store(server.db_path, to_read=True)
    (row,) = store.sessions()
    told = [event for event in store.events(row.id) if event["kind"] == "display"]
    store.close()
    sizes = [tuple(event["detail"]["window_px"]) for event in told]
    # A busy machine may measure another rate, and store the same window again.
    assert list(dict.fromkeys(sizes)) == [(1280, 800), (320, 180), (1200, 800)]
    assert row.display["window_px"] == [1200, 800]


def test_a_finger_responds_where_the_task_takes_it(browser, serve, protocol):
    touched = replace(protocol, task=replace(protocol.task, touch=True))
    server = serve(touched)
    context = browser.new_context(**PHONE)
    page = context.new_page()
    page.set_default_timeout(20_000)
    read_canvas(page, touched)
    page.goto(server.address)
    page.get_by_role("button", name="I agree").tap()
    captions = page.locator(".examples figcaption")
    expect(captions).to_have_text(["Press first", "Press second"])  # there are no keys
    page.get_by_role("button", name="Continue").tap()
    page.get_by_role("button", name="Stay in the window").tap()
    buttons = page.locator(".jspsych-noise-trial-touch")
    picks = []
    for index in range(4):
        if index == 2:
            page.get_by_role("button", name="Continue").tap()
        pick = page.evaluate("index => yokedTest.pick(index)", index)
        assert buttons.all_inner_texts() == ["first", "second"]
        patch = page.locator(".jspsych-noise-trial-patch").bounding_box()
        assert patch["y"] + patch["height"] < buttons.first.bounding_box()["y"]
        buttons.nth(pick["response"]).tap()
        picks.append(pick["response"])
    page.wait_for_url("**/done")
    context.close()
    store = open_store(server.db_path, to_read=True)
    (row,) = store.sessions()
    responses = [record.response for record in store.trials(row.id)]
    by = [e["detail"] for e in store.events(row.id) if e["kind"] == "touch"]
    store.close()
    assert [each.response for each in responses] == picks
    assert all(each.valid and each.rt_ms > 0 for each in responses)
    assert [(each["trial"], each["detail"]) for each in by] == [
        (trial, "touch") for trial in range(4)
    ]


def test_a_break_lasts_as_long_as_the_protocol_says(page, serve, protocol):
    patient = replace(protocol, breaks=Breaks(at_least_s=2.0))
    server = serve(patient)
    read_canvas(page, patient)
    begin(page, server.address)
    for index in range(2):
        respond(page, patient, index)
    page.get_by_role("heading", name="Time for a break").wait_for()
    go = page.get_by_role("button", name="Continue")
    expect(go).to_be_disabled()
    told = page.locator(".jspsych-content [role=status]")
    expect(told).to_have_text("You can go on in 2 seconds.")
    page.keyboard.press("Enter")  # from the heading: too early
    expect(page.get_by_role("heading", name="Time for a break")).to_be_visible()
    expect(go).to_be_enabled()
    expect(told).to_have_text("You can go on now.")
    page.keyboard.press("Enter")
    page.evaluate("yokedTest.pick(2)")


def test_a_session_can_be_read_and_run_by_keyboard_alone(page, serve, protocol):
    """Each screen's heading has the focus, Enter goes on, and axe finds no fault."""
    if not AXE.is_file():
        pytest.skip("no axe-core here: `npm ci` fetches it")

    def require_readable(heading: str) -> None:
        expect(page.get_by_role("heading", name=heading, level=1)).to_be_visible()
        page.evaluate(AXE.read_text(encoding="utf-8"))
        assert page.evaluate(BREACHES) == []

    read_canvas(page, protocol)
    page.goto(f"{serve(protocol, 'srgb').address}?language=de")
    expect(page.get_by_role("button", name="Ich stimme zu")).to_be_enabled()
    require_readable("Teilnahme")
    assert page.get_by_role("navigation", name="Sprache").count() == 1
    page.get_by_role("button", name="Ich stimme zu").press("Enter")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    page.locator(".example-patch canvas").nth(3).wait_for()
    require_readable("Die Aufgabe")
    assert page.evaluate(FOCUSED) == "Die Aufgabe"
    expect(page.get_by_role("main")).to_match_aria_snapshot(
        """
        - main:
          - heading "Die Aufgabe" [level=1]
          - heading "So sieht es aus" [level=2]
          - paragraph
          - figure: /Drücken Sie F/
          - figure: /Drücken Sie J/
          - button "Weiter"
        """
    )
    page.keyboard.press("Enter")
    require_readable("Bevor Sie beginnen")
    page.get_by_role("button", name="Im Fenster bleiben").press(" ")
    for index in range(2):
        respond(page, protocol, index)
    require_readable("Zeit für eine Pause")
    assert page.evaluate(FOCUSED) == "Zeit für eine Pause"
    assert page.get_by_role("progressbar").get_attribute("aria-valuenow") == "50"
    page.keyboard.press(" ")  # nothing to scroll to
    for index in range(2, 4):
        respond(page, protocol, index)
    page.wait_for_url("**/done")
    require_readable("Thank you")  # the protocol has no German one
    assert page.locator("[lang=en] h1").count() == 1
