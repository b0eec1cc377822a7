"""Card and blind spot in a browser of known geometry: what is drawn, kept and shown."""

import math
from dataclasses import replace

import pytest

from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.viewing import ViewingAsked
from yoked.experiments.session.results import session_data
from yoked.experiments.store.sqlite import open_store

from .test_participant import AXE, BREACHES, PHONE
from .walking import FAST

expect = pytest.importorskip("playwright.sync_api").expect

CARD_CSS_PX = 200
# Presses as soon as the point is so many CSS px from the square; gives where it was.
PRESS_AT = """(wanted) => new Promise((resolve) => {
  const left = (name) => parseFloat(document.querySelector(name)?.style.left ?? "NaN");
  const look = () => {
    const away = left(".spot-square") - left(".spot-point");
    if (!(away >= wanted)) return void requestAnimationFrame(look);
    dispatchEvent(new KeyboardEvent("keydown", { code: "Space" }));
    resolve(away);
  };
  look();
})"""


@pytest.fixture
def protocol():
    bars = load_protocol("bar-in-noise").with_options(2, 0.227, FAST)
    return replace(bars, viewing=ViewingAsked("distance", 3))


def readable(page) -> list[str]:
    if not AXE.is_file():
        return []
    page.evaluate(AXE.read_text(encoding="utf-8"))
    return page.evaluate(BREACHES)


def begin(page, server) -> None:
    page.goto(server.address)
    page.get_by_role("button", name="I agree").click()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Stay in the window").click()
    page.get_by_role("heading", name="How large is your screen?").wait_for()


def lay_card(page, css_px: int = CARD_CSS_PX) -> None:
    """Make the drawn card as large as a card, by keyboard."""
    slider = page.get_by_label("Width of the drawn card")
    slider.fill(str(css_px - 1))
    slider.press("ArrowRight")
    assert page.locator(".card").bounding_box()["width"] == css_px
    page.get_by_role("button", name="It is as large as my card").press("Enter")


def find_spots(page, css_px: list[float]) -> list[float]:
    page.get_by_role("button", name="Right eye covered: begin").press("Enter")
    found = []
    for n, wanted in enumerate(css_px):
        word = "Once more" if n == len(css_px) - 1 else f"{len(css_px) - n} more"
        page.get_by_text(word).wait_for()
        found.append(page.evaluate(PRESS_AT, wanted))
    return found


def session_of(server):
    store = open_store(server.db_path, to_read=True)
    try:
        return session_data(store, store.sessions()[0].id)
    finally:
        store.close()


def test_the_distance_is_that_of_the_geometry_and_the_patches_follow(
    page, serve, protocol
):
    server = serve(protocol, "srgb")
    begin(page, server)
    assert readable(page) == []
    lay_card(page)
    px_per_mm = CARD_CSS_PX / 85.60
    wanted = 300 * math.tan(math.radians(13.5)) * px_per_mm  # somebody very near
    found = find_spots(page, [wanted * share for share in (0.97, 1.0, 1.03)])
    page.get_by_text("You sit about 30 cm from the screen.").wait_for()
    assert readable(page) == []
    page.reload()  # it is asked once
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Stay in the window").click()
    page.locator(".jspsych-noise-trial-patch").wait_for()
    box = page.locator(".jspsych-noise-trial-patch").bounding_box()
    session = session_of(server)
    viewing = session.row.display["viewing"]
    due = [each / px_per_mm / math.tan(math.radians(13.5)) for each in found]
    assert viewing["distances_mm"] == pytest.approx(due, abs=0.1)
    assert viewing["distance_mm"] == pytest.approx(sum(due) / 3, abs=0.1)
    per_degree = 2 * viewing["distance_mm"] * math.tan(math.radians(0.5)) * px_per_mm
    assert viewing["px_per_degree"] == pytest.approx(per_degree, rel=1e-3)
    # .2 degrees an element of 4 px: .6 times, and so once, not twice as otherwise.
    assert session.row.display["scale"] == 1
    assert box["width"] == protocol.frame_shape[2]
    assert session.viewing.deg_per_element == pytest.approx(4 / per_degree, rel=1e-3)


def test_what_cannot_be_is_said_and_can_be_left_out(page, serve, protocol):
    server = serve(protocol)
    begin(page, server)
    lay_card(page)
    find_spots(page, [130.0, 190.0, 300.0])
    page.get_by_text("The distances differ much").wait_for()
    page.get_by_role("button", name="Try again").click()
    page.get_by_role("button", name="I have no such card").click()
    page.locator(".jspsych-noise-trial-patch").wait_for()
    display = session_of(server).row.display
    assert display["css_px_per_degree_is"] == "assumed"
    assert display["scale"] == 2


def test_a_phone_takes_the_card_upright_and_fingers(browser, serve, protocol):
    touched = replace(protocol, task=replace(protocol.task, touch=True))
    context = browser.new_context(**PHONE)
    page = context.new_page()
    page.set_default_timeout(20_000)
    begin(page, serve(touched))
    card = page.locator(".card").bounding_box()
    assert card["height"] / card["width"] == pytest.approx(85.60 / 53.98, rel=0.01)
    slider = page.get_by_label("Width of the drawn card")
    slider.fill("300")
    assert page.locator(".card").bounding_box()["width"] == 300
    page.get_by_role("button", name="Smaller").tap()
    assert page.locator(".card").bounding_box()["width"] == 299
    page.get_by_role("button", name="It is as large as my card").tap()
    page.get_by_role("button", name="Right eye covered: begin").tap()
    # So near that it goes before the edge is nobody; who holds a phone is not held.
    page.get_by_text("The point came to the edge of the screen.").wait_for()
    page.get_by_role("button", name="Go on without it").tap()
    page.locator(".jspsych-noise-trial-patch").wait_for()
    context.close()
