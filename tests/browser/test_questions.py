"""Pages of questions in a browser: by keyboard, by finger, through a reload."""

import sqlite3

import pytest

from tests.app.web.questioned import questioned
from yoked.app.studies.answers_csv import answer_rows
from yoked.app.studies.kept import find_study
from yoked.experiments.store.sqlite import open_store

from .test_participant import AXE, BREACHES, PHONE

expect = pytest.importorskip("playwright.sync_api").expect


@pytest.fixture
def server(serve_study):
    return serve_study(questioned())


def answers(server) -> dict[str, str]:
    store = open_store(server.db_path, to_read=True)
    try:
        with store.beside() as connection:
            rows = answer_rows(connection, find_study(store, "bars"))
            return {row.question: row.answer for row in rows}
    finally:
        store.close()


def agree(page, server, language: str = "en") -> None:
    page.goto(f"{server.address}study/bars?language={language}")
    page.get_by_role("button", name="I agree").click()
    page.get_by_role("heading", name="About you").wait_for()


def stored(page, question: str):
    """Wait until what is done in this context is acknowledged."""
    return page.expect_response(f"**/questions/about/{question}")


def test_questions_are_answered_by_keyboard_alone_and_axe_finds_no_fault(page, server):
    agree(page, server)
    if AXE.is_file():
        page.evaluate(AXE.read_text(encoding="utf-8"))
        assert page.evaluate(BREACHES) == []
    page.keyboard.press("Tab")
    page.keyboard.type("17")
    page.keyboard.press("Tab")
    said = page.get_by_text("Please give a number from 18 to 99.")
    said.wait_for()
    age = page.get_by_label("How old are you?")
    expect(age).to_have_attribute("aria-invalid", "true")
    page.keyboard.press("ArrowDown")  # a radio button
    page.keyboard.press("Tab")
    page.keyboard.press("Space")  # the first checkbox
    page.keyboard.press("Enter")
    page.get_by_role("alert").get_by_role("link").press("Enter")
    expect(age).to_be_focused()
    if AXE.is_file():
        assert page.evaluate(BREACHES) == []
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("31")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Continue").wait_for()
    page.get_by_role("heading", name="About you").wait_for(state="detached")
    given = answers(server)
    assert given == {"age": "31", "hand": "right", "eyes": "glasses"}


def test_a_reload_loses_nothing_and_nothing_is_there_twice(page, server):
    agree(page, server)
    with stored(page, "hand"):
        page.get_by_label("With the left").check()
    page.get_by_label("How old are you?").type("4")  # not left yet, so not sent
    page.reload()
    expect(page.get_by_label("How old are you?")).to_have_value("4")
    expect(page.get_by_label("With the left")).to_be_checked()
    page.get_by_text("Please give a number from 18 to 99.").wait_for()
    page.get_by_label("How old are you?").fill("44")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("heading", name="About you").wait_for(state="detached")
    page.go_back()
    assert answers(server) == {"age": "44", "hand": "left", "eyes": ""}
    with sqlite3.connect(server.db_path) as db:
        assert db.execute("SELECT count(*) FROM answers").fetchone()[0] <= 3


@pytest.mark.parametrize(("typed", "then"), [("4", "44"), ("44", "4")])
def test_no_click_is_lost_to_a_page_that_moves_under_it(page, server, typed, then):
    """Pressing the button leaves the field: the reply comes before the release."""
    agree(page, server)
    page.get_by_label("With the left").check()
    age = page.get_by_label("How old are you?")
    with stored(page, "age"):
        age.fill(typed)
        age.blur()
    said = page.get_by_text("Please give a number from 18 to 99.")
    expect(said).to_be_visible(visible=typed == "4")
    age.fill(then)
    button = page.get_by_role("button", name="Continue")
    where = button.bounding_box()
    page.mouse.move(where["x"] + where["width"] / 2, where["y"] + 3)
    with stored(page, "age"):
        page.mouse.down()
    for _ in range(2):  # until the page has been drawn with what the reply changes
        page.evaluate("() => new Promise((done) => requestAnimationFrame(done))")
    assert button.bounding_box() == where
    page.mouse.up()
    if then == "44":
        page.get_by_role("heading", name="About you").wait_for(state="detached")
    else:
        page.get_by_role("alert").get_by_role("link").wait_for()


def test_a_server_that_is_killed_loses_no_answer(page, server):
    agree(page, server)
    with stored(page, "hand"):
        page.get_by_label("With the right").check()
    server.kill()
    page.get_by_label("How old are you?").fill("52")
    page.get_by_role("button", name="Continue").click()
    page.get_by_text("Waiting for the server").wait_for()
    server.start()
    page.get_by_role("heading", name="About you").wait_for(state="detached")
    assert answers(server)["age"] == "52"


def test_a_phone_has_room_for_fingers(browser, server):
    context = browser.new_context(**PHONE)
    page = context.new_page()
    page.goto(f"{server.address}study/bars?language=en")
    page.keyboard.press("f")  # the task needs one, and one is connected
    page.get_by_role("button", name="I agree").tap()
    page.get_by_role("heading", name="About you").wait_for()
    for label in page.locator(".options label, .none").all():
        box = label.bounding_box()
        assert box["height"] >= 40
        assert box["x"] + box["width"] <= 390
    with stored(page, "eyes"):
        page.get_by_text("Contact lenses").tap()
    assert answers(server)["eyes"] == "lenses"
    context.close()


def test_a_session_says_by_which_clock_it_was_begun(browser, server):
    context = browser.new_context(timezone_id="Asia/Kolkata")
    page = context.new_page()
    agree(page, server)
    context.close()
    with sqlite3.connect(server.db_path) as db:
        query = "SELECT utc_offset_min FROM participations"
        assert db.execute(query).fetchall() == [(330,)]
