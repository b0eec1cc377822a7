"""The report as pictures: on a desk, on a telephone, and on paper, in real Chromium."""

from dataclasses import replace

import pytest

from yoked.app.reports.report import render_report
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.session.results import session_data
from yoked.experiments.store.sqlite import open_store
from yoked.models.observers.guesser import Guesser
from yoked.models.observers.template import Template
from yoked.models.simulate import run

pytestmark = pytest.mark.browser
TELEPHONE = {"width": 390, "height": 844}
DESK = {"width": 1366, "height": 768}
# What is wider than the page, and which letters of a picture are small.
WIDER = """() => [...document.querySelectorAll('body *')]
  .filter(e => e.getClientRects().length)
  .map(e => [e.tagName, e.getBoundingClientRect()])
  .filter(([, box]) => box.left < -0.5 || box.right > innerWidth + 0.5)
  .map(([name, box]) => `${name} ${box.left} ${box.right}`)"""
SMALL = """() => [...document.querySelectorAll('svg text')]
  .map(e => [e.textContent, parseFloat(getComputedStyle(e).fontSize)
             * e.ownerSVGElement.getScreenCTM().a])
  .filter(([text, px]) => text.trim() && px < 9.5)"""


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    """A person's stand-in and two models with one long name, and fields of noise."""
    store = open_store(":memory:")
    bar = load_protocol("bar-in-noise").with_options(trials=200, contrast=0.227)
    first = run(bar, Template(), store=store, seed=1, internal_noise=1.0)
    run(None, Guesser(), store=store, yoke_to=first.id, observer_seed=2)
    again = {"yoke_to": first.id, "observer_seed": 3, "internal_noise": 1.0}
    run(None, Template(efficiency=0.5), store=store, **again)
    gabor = load_protocol("gabor-in-noise").with_options(trials=200, contrast=0.09)
    run(gabor, Template(), store=store, seed=4)
    sessions = [session_data(store, row.id) for row in store.sessions()]
    row = sessions[1].row
    named = replace(row.observer, name="a-laboratory-2015-exp1-observer1")
    sessions[1] = replace(sessions[1], row=replace(row, observer=named))
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render_report(sessions, orders=1))
    store.close()
    return path


@pytest.fixture
def opened(browser, page_file):
    """Return a function that opens the page on a screen, with all its details open."""
    contexts = []

    def open_(size):
        contexts.append(browser.new_context(viewport=size))
        page = contexts[-1].new_page()
        page.goto(page_file.as_uri())
        page.evaluate(
            "document.querySelectorAll('details').forEach(d => d.open = true)"
        )
        return page

    yield open_
    for each in contexts:
        each.close()


@pytest.mark.parametrize("size", [TELEPHONE, DESK], ids=["telephone", "desk"])
def test_nothing_is_wider_than_the_screen(opened, size):
    page = opened(size)
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert page.evaluate(WIDER) == []


@pytest.mark.parametrize("size", [TELEPHONE, DESK], ids=["telephone", "desk"])
def test_no_letter_of_a_picture_is_small(opened, size):
    assert opened(size).evaluate(SMALL) == []


def test_on_a_telephone_every_number_stands_beside_its_name(opened):
    page = opened(TELEPHONE)
    cell = page.locator("td[data-of='d′']").first
    said = cell.evaluate("e => getComputedStyle(e, '::before').content")
    assert said == '"d′"'
    assert not page.locator("thead").first.is_visible()


def test_the_verdict_and_its_picture_are_on_the_first_screen(opened):
    page = opened(DESK)
    for part in (".verdict ul", ".verdict .picture svg"):
        box = page.locator(part).first.bounding_box()
        assert box["y"] + box["height"] <= DESK["height"]


def test_on_paper_all_is_open_and_pictures_stand_two_in_a_row(browser, page_file):
    page = browser.new_page(viewport={"width": 688, "height": 1017})  # A4 less margins
    page.goto(page_file.as_uri())
    page.emulate_media(media="print")
    cards = page.locator(".cards").nth(1).locator(".card")
    boxes = [cards.nth(k).bounding_box() for k in range(2)]
    assert boxes[0]["y"] == boxes[1]["y"]
    assert page.evaluate(WIDER) == []
    assert page.locator("details.source ul").first.is_visible()
    page.close()
