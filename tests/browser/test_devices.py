"""What a device may lack: told on a screen, before anything is stored."""

import io
from dataclasses import replace

import pytest

from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import Task
from yoked.experiments.store.sqlite import open_store

from .walking import FAST, begin, read_canvas

expect = pytest.importorskip("playwright.sync_api").expect

LAYOUTS = {
    "Cyrillic": ("а", "о"),
    "Greek": ("φ", "ξ"),
    "Hebrew": ("כ", "ח"),
    "Arabic": ("ب", "ت"),
    "an input method": ("Process", "Process"),
    "caps lock": ("F", "J"),
}
PRESS = """([code, key]) => window.dispatchEvent(
    new KeyboardEvent("keydown", { code, key, bubbles: true, cancelable: true }))"""


@pytest.fixture
def protocol():
    return load_protocol("bar-in-noise").with_options(12, 0.227, FAST)


def n_sessions(server) -> int:
    store = open_store(server.db_path, to_read=True)
    try:
        return len(store.sessions())
    finally:
        store.close()


def open_in(browser, address: str, **options):
    context = browser.new_context(**options)
    page = context.new_page()
    page.goto(address)
    return page


def test_a_phone_is_told_that_a_keyboard_is_needed(browser, serve, protocol):
    server = serve(protocol)
    phone = {"width": 390, "height": 844}
    options = {"has_touch": True, "is_mobile": True, "device_scale_factor": 3}
    page = open_in(browser, server.address, viewport=phone, **options)
    page.get_by_text("A keyboard is needed").wait_for()
    expect(page.get_by_role("button", name="I agree")).to_be_disabled()
    assert n_sessions(server) == 0
    page.keyboard.press("f")  # one is connected after all
    page.get_by_text("A keyboard is needed").wait_for(state="detached")
    expect(page.get_by_role("button", name="I agree")).to_be_enabled()
    page.context.close()


def test_a_window_that_is_too_small_says_what_is_needed(page, serve, protocol):
    server = serve(protocol)
    page.set_viewport_size({"width": 320, "height": 180})
    page.goto(server.address)
    page.get_by_text("it has 320 × 180, and 116 × 214 are needed").wait_for()
    expect(page.get_by_role("button", name="I agree")).to_be_disabled()
    assert n_sessions(server) == 0
    page.set_viewport_size({"width": 1280, "height": 800})
    page.get_by_role("button", name="I agree", disabled=False).wait_for()


def test_a_window_that_shrinks_in_the_task_pauses_it(page, serve, protocol):
    server = serve(protocol)
    read_canvas(page, protocol)
    begin(page, server.address)
    page.evaluate("yokedTest.pick(0)")
    page.set_viewport_size({"width": 320, "height": 180})
    page.keyboard.press("f")
    page.get_by_role("heading", name="The window is too small").wait_for()
    page.set_viewport_size({"width": 1280, "height": 800})
    page.evaluate("yokedTest.pick(1)")
    box = page.locator(".jspsych-noise-trial-patch").bounding_box()
    assert box["y"] > 0
    assert box["y"] + box["height"] < 800


def test_without_javascript_the_page_says_so(browser, serve, protocol):
    server = serve(protocol)
    page = open_in(browser, server.address, java_script_enabled=False)
    expect(
        page.get_by_role("heading", name="This task needs JavaScript")
    ).to_be_visible()
    expect(page.get_by_role("button", name="I agree")).to_be_disabled()
    page.context.close()


def test_a_contrast_theme_leaves_the_gray_and_the_marks(browser, serve, protocol):
    image = pytest.importorskip("PIL.Image")
    slow = replace(FAST, fixation_ms=3000.0)
    server = serve(replace(protocol, timing=slow), "srgb")
    page = open_in(browser, server.address, forced_colors="active", color_scheme="dark")
    begin(page, server.address)
    page.locator(".jspsych-noise-trial-fixation").wait_for(state="visible")
    colours = page.evaluate(
        """() => [document.body, document.querySelector(".jspsych-noise-trial-guide"),
                  document.querySelector("#jspsych-progressbar-inner")]
           .map((element) => getComputedStyle(element).backgroundColor)"""
    )
    assert colours[0] == "rgb(188, 188, 188)"
    assert colours[1] == "rgba(0, 0, 0, 0.6)"
    picture = page.screenshot()
    box = page.locator(".jspsych-noise-trial-fixation").bounding_box()
    pixels = image.open(io.BytesIO(picture)).convert("L")
    middle = (round(box["x"] + box["width"] / 2), round(box["y"] + box["height"] / 2))
    assert pixels.getpixel(middle) < 40
    assert pixels.getpixel((5, 400)) == 188
    page.context.close()


def responses_of(server) -> list[int | None]:
    store = open_store(server.db_path, to_read=True)
    try:
        records = store.trials(store.sessions()[0].id)
        return [record.response.response for record in records]
    finally:
        store.close()


def press_in_turn(page, presses: list[tuple[str, str]]) -> None:
    """Respond to the first trials, one press each."""
    for index, press in enumerate(presses):
        page.evaluate("index => yokedTest.pick(index)", index)
        page.evaluate(PRESS, list(press))
    page.evaluate("index => yokedTest.pick(index)", len(presses))


def test_a_key_responds_by_its_place_on_any_layout(page, serve, protocol):
    server = serve(protocol)
    read_canvas(page, protocol)
    begin(page, server.address)
    places = [("KeyF", 0), ("KeyJ", 1)]
    turns = [(*places[n % 2], keys) for n, keys in enumerate(LAYOUTS.values())]
    press_in_turn(page, [(code, keys[index]) for code, index, keys in turns])
    assert responses_of(server) == [index for _, index, _ in turns]


def test_a_digit_responds_by_its_place(page, serve, protocol):
    server = serve(replace(protocol, task=Task("2afc", ("2", "num_1"))))
    read_canvas(page, protocol)
    begin(page, server.address)
    azerty, czech = ("Digit2", "é"), ("Digit2", "ě")
    press_in_turn(page, [azerty, ("Numpad1", "End"), czech])  # End: without num lock
    assert responses_of(server) == [0, 1, 0]


def test_a_key_of_none_of_the_responses_gets_a_hint(page, serve, protocol):
    hasty = replace(FAST, response_ms=600.0, feedback_ms=5000.0)
    server = serve(replace(protocol, timing=hasty))
    read_canvas(page, protocol)
    begin(page, server.address)
    page.evaluate("yokedTest.pick(0)")
    page.keyboard.press("k")
    hint = page.locator(".feedback")
    hint.wait_for()
    assert hint.inner_text() == "k is none of the keys: press F or J"


def test_a_miss_says_which_keys_and_several_ask_whether_anybody_is_there(
    page, serve, protocol
):
    hasty = replace(FAST, response_ms=60.0, feedback_ms=400.0)
    server = serve(replace(protocol, timing=hasty))
    begin(page, server.address)
    page.get_by_text("Too late: press F or J within 0.1 seconds").wait_for()
    page.get_by_role("heading", name="Are you there?").wait_for()
    store = open_store(server.db_path, to_read=True)
    assert len(store.trials(store.sessions()[0].id)) == 5
    store.close()
    page.get_by_role("button", name="I am here").click()
    page.get_by_role("heading", name="Are you there?").wait_for(state="detached")
