"""Windows, tabs and ways back: one session, one place where it goes on."""

import re
from dataclasses import replace

import pytest

from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.store.sqlite import open_store

from .walking import FAST, begin, read_canvas, respond

ELSEWHERE = "This session is open in another window"


@pytest.fixture
def protocol():
    protocol = load_protocol("bar-in-noise")
    protocol = replace(protocol, catch=replace(protocol.catch, n_per_block=0))
    return protocol.with_options(12, 0.227, FAST)


def sessions(server) -> list:
    store = open_store(server.db_path, to_read=True)
    try:
        return store.sessions()
    finally:
        store.close()


def test_going_back_and_agreeing_again_finds_the_session(page, serve, protocol):
    server = serve(protocol)
    read_canvas(page, protocol)
    begin(page, server.address)
    page.evaluate("yokedTest.pick(0)")
    page.keyboard.press("f")
    page.evaluate("yokedTest.pick(1)")
    address = page.url
    page.go_back()
    page.get_by_role("button", name="I agree", disabled=False).click()
    page.get_by_role("heading", name="Welcome back").wait_for()
    assert page.url == address
    assert len(sessions(server)) == 1


def test_two_windows_do_not_disturb_each_other(page, serve, protocol):
    server = serve(protocol)
    read_canvas(page, protocol)
    begin(page, server.address)
    page.evaluate("yokedTest.pick(0)")
    second = page.context.new_page()
    second.goto(page.url)
    heading = second.get_by_role("heading", name=ELSEWHERE)
    heading.wait_for()
    assert heading.bounding_box()["y"] < 400  # in sight, not below the window
    assert second.get_by_role("button").all() == []  # nothing there invites to a fight
    page.bring_to_front()
    page.keyboard.press("f")
    page.evaluate("yokedTest.pick(1)")
    page.close()
    second.get_by_role("heading", name="Welcome back").wait_for()
    assert second.get_by_role("heading", name=ELSEWHERE).is_hidden()
    assert [row.n_trials for row in sessions(server)] == [1]


def test_the_last_page_is_as_gray_as_the_task_and_copies_its_code(
    browser, serve, protocol
):
    server = serve(protocol, "srgb")
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    read_canvas(page, protocol)
    begin(page, server.address)
    for index in range(12):
        respond(page, protocol, index)
    page.wait_for_url("**/done")
    gray = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert gray == "rgb(188, 188, 188)"
    code = page.locator("#completion-code").inner_text()
    assert re.fullmatch("[CS]-[A-Z2-9]{10}", code)
    page.get_by_role("button", name="Copy").click()
    page.get_by_text("Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == code
    # At this screen the next person has a session of their own.
    page.goto(server.address)
    page.get_by_role("button", name="I agree", disabled=False).click()
    page.get_by_role("heading", name="What to do").wait_for()
    assert len(sessions(server)) == 2
    context.close()
