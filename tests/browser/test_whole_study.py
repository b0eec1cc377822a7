"""A whole study in a real browser, as somebody does who never did it before.

An account is made by the command; all else is clicked, typed and pressed: a first
password, an authenticator app, a study, a link, somebody who takes part, what is found
of them and of a model beside them, files to take home, and a withdrawal. Each page is
looked at by axe-core, on a laptop in light colours or a phone in dark ones. With
YOKED_PICTURES=FOLDER each is also kept as a picture.
"""

import csv
import io
import json
import os
import re
import sqlite3
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyotp
import pytest
from click.testing import CliRunner

from tests.processes import PROCESSES
from yoked.app.cli import cli
from yoked.app.studies import arms
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import Block, DoublePass
from yoked.experiments.protocols.screening import Screening

from .serve import serve_file
from .test_participant import AXE, BREACHES, LAPTOP, PHONE
from .walking import FAST, read_canvas, respond

expect = pytest.importorskip("playwright.sync_api").expect

PASSWORD = "seven patient lighthouses"
STUDY = """\
name = "first-bars"
title = "Finding bars"
quota = 5

[researcher]
name = "Dr. Ada Muster, Vision Lab"
contact = "ada@uni.example"
ethics = "2026-17"

[[questionnaires]]
id = "about"
when = "before"
title.en = "About you"
[[questionnaires.questions]]
id = "hand"
kind = "single"
text.en = "With which hand do you write?"
options = ["left", "right"]

[[arms]]
name = "all"
protocol = "bar-in-noise"
"""
N_MAIN = 24
DEVICES = {
    "laptop": {"viewport": LAPTOP, "color_scheme": "light"},
    "phone": {**PHONE, "device_scale_factor": 2, "color_scheme": "dark"},
}
# A window as small as a phone's at a computer: the task asks for keys.
SMALL = {"viewport": PHONE["viewport"], "color_scheme": "dark"}
OVERFLOWING = """() => [...document.querySelectorAll("main *")].filter((each) =>
  each.getBoundingClientRect().right > document.documentElement.clientWidth + 1
  && !each.closest("details:not([open]), .unseen, pre, .scrolls")).map(
  (each) => each.outerHTML.slice(0, 120))"""


def short_bars():
    """Give what is shipped as bar-in-noise in a minute: practice, two blocks."""
    bars = load_protocol("bar-in-noise").with_options(N_MAIN, 0.227, FAST)
    return replace(
        bars,
        blocks=(Block("practice", 2, feedback=True), Block("main", N_MAIN // 2, 2)),
        double_pass=DoublePass(6, min_gap=3),
        catch=replace(bars.catch, n_per_block=1),
        screening=Screening(median_rt_ms=0.0),  # a template is faster than a person
    )


def serve_short(db_path: Path, announce: Callable[[str], None]) -> None:
    """Serve studies that get the short protocol by the name of the shipped one."""
    arms.load_protocol = lambda _: short_bars()
    serve_file(db_path, None, "srgb", 0, announce)


@pytest.fixture
def served(tmp_path):
    """Start a server with an empty database; give its file and its address."""
    db_path = tmp_path / "results.db"
    hearing, telling = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=serve_short, args=(db_path, telling.send))
    process.start()
    telling.close()
    with hearing:
        address = hearing.recv()
    yield db_path, address
    process.kill()
    process.join()


class Visitor:
    """Somebody with a browser of their own, who looks at each page."""

    def __init__(self, browser, device: str, options: dict) -> None:
        self.context = browser.new_context(**options, accept_downloads=True)
        self.page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self._device, self._n_looks = device, 0
        self.faults: list[str] = []
        self._folder = os.environ.get("YOKED_PICTURES")

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def follow(self, name: str) -> None:
        self.page.get_by_role("link", name=name, exact=True).first.click()

    def fill(self, label: str, text: str) -> None:
        self.page.get_by_label(label, exact=True).fill(text)

    def look(self, heading: str) -> None:
        """Find a page by its heading: nothing sticks out of it, and axe is content."""
        heading_there = self.page.get_by_role("heading", name=heading, level=1)
        expect(heading_there).to_be_visible()
        self._n_looks += 1
        if self._folder:
            words = re.sub("[^a-z0-9]+", "-", heading.lower()).strip("-")
            name = f"{self._device}-{self._n_looks:02d}-{words}.png"
            self.page.screenshot(path=Path(self._folder, name), full_page=True)
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = self.page.evaluate(BREACHES) + self.page.evaluate(OVERFLOWING)
        self.faults += [f"{heading}: {each}" for each in found]

    def take_home(self, name: str) -> Path:
        """Press a link to a file; give where it is."""
        with self.page.expect_download() as coming:
            self.follow(name)
        return Path(coming.value.path())


@pytest.mark.slow
@pytest.mark.parametrize("device", list(DEVICES))
def test_a_whole_study_from_the_first_password_to_a_withdrawal(browser, served, device):
    if not AXE.is_file():
        pytest.skip("no axe-core here: `npm ci` fetches it")
    db_path, address = served
    jane = Visitor(browser, f"{device}-jane", DEVICES[device])
    small = SMALL if device == "phone" else DEVICES[device]
    person = Visitor(browser, f"{device}-person", small)

    first_sign_in(jane, db_path, address)
    link = make_a_study(jane)
    takes_part(person, link, jane)
    watched(jane)
    beside_a_model(jane)
    taken_home(jane)
    administered(jane)
    withdrawn(person, jane, db_path)
    for each in (jane, person):
        each.context.close()
        assert each.faults == []


def first_sign_in(jane: Visitor, db_path: Path, address: str) -> None:
    """Set the first password and an app, and sign in with both."""
    command = ["accounts", "create", str(db_path), "jane", "--administrator", "--json"]
    made = CliRunner().invoke(cli, command)
    assert made.exit_code == 0, made.output
    jane.page.goto(f"{address}researchers")
    jane.look("Sign in")
    jane.page.goto(address.rstrip("/") + json.loads(made.stdout)["page"])
    jane.look("Set your password")
    jane.fill("New password", PASSWORD)
    jane.fill("The same again", PASSWORD)
    jane.press("Set password")
    jane.look("Sign in")
    jane.fill("Password", PASSWORD)
    jane.press("Sign in")
    jane.look("Studies")
    jane.follow("jane")
    jane.look("jane")

    jane.follow("Set up an app")
    jane.page.get_by_text("No camera? Type this instead").click()
    jane.look("Set up an authenticator app")
    secret = jane.page.locator("#secret").inner_text().replace(" ", "")
    app = pyotp.TOTP(secret)
    jane.fill("Code of the app", app.now())
    jane.fill("Your current password", PASSWORD)
    jane.press("Ask me for codes from now on")
    jane.look("Your recovery codes")
    jane.follow("I have them")
    jane.look("jane")

    jane.press("Sign out")
    jane.fill("Name", "jane")
    jane.fill("Password", PASSWORD)
    jane.press("Sign in")
    jane.look("One more step")
    jane.fill("Code of your authenticator app", app.at(time.time() + 30))  # the next
    jane.press("Go on")


def make_a_study(jane: Visitor) -> str:
    """Make a study and open it; give a personal link to it."""
    jane.follow("Studies")
    jane.look("Studies")
    jane.fill("What it asks of whom", STUDY.replace("quota = 5", "quota = -5"))
    jane.press("Make study")
    expect(jane.page.get_by_role("alert")).to_contain_text("Quota must be")
    jane.look("Studies")
    jane.fill("What it asks of whom", STUDY)
    jane.press("Make study")
    jane.look("Finding bars")
    jane.press("Open")
    expect(jane.page.get_by_text("open", exact=True)).to_be_visible()
    jane.fill("Your word for them", "monday")
    jane.press("Make links")
    jane.look("Personal links")
    told = jane.page.locator("#made").inner_text()
    jane.follow("Back to the study")
    jane.look("Finding bars")
    return re.search(r"http\S+/join/\S+", told)[0]


def takes_part(person: Visitor, link: str, jane: Visitor) -> None:
    """Go from the link to the code; the monitor shows it half-way."""
    protocol, page = short_bars(), person.page
    read_canvas(page, protocol)
    page.goto(link)
    expect(page.get_by_role("button", name="I agree")).to_be_enabled()
    person.look("Taking part")
    person.press("I agree")
    person.look("About you")
    page.get_by_label("right").check()
    person.press("Continue")
    page.locator(".example-patch canvas").nth(3).wait_for()
    person.look("What to do")
    person.press("Continue")
    person.look("Before you begin")
    person.press("Stay in the window")
    n_trials = 2 + N_MAIN + 2
    for index in range(n_trials):
        if index == 2:
            person.look("Practice: done")
        if index == 2 + N_MAIN // 2 + 1:
            person.look("Time for a break")
            jane.page.reload()
            expect(jane.page.get_by_text(f"{index} of {n_trials}")).to_be_visible()
            jane.look("Finding bars")
        respond(page, protocol, index)
    page.wait_for_url("**/done")
    person.look("Thank you")


def watched(jane: Visitor) -> None:
    """See on the study's page that somebody is done, and what is known of them."""
    jane.page.reload()
    row = jane.page.locator("#monitor tbody tr")
    expect(row).to_contain_text("complete")
    expect(row).to_contain_text(f"{N_MAIN + 4} of {N_MAIN + 4}")
    jane.look("Finding bars")


def beside_a_model(jane: Visitor) -> None:
    """Let a model take part from the page of results, and see both there."""
    jane.follow("Results so far")
    jane.look("Results so far")
    jane.press("Let it take part")
    monitor = jane.page.locator("#monitor")
    patient = {"timeout": 240_000}  # computed at lowest priority
    rows = monitor.locator("table").first.locator("tbody tr")
    expect(rows).to_have_count(2, **patient)
    expect(monitor.get_by_text("done", exact=True)).to_be_visible(**patient)
    expect(monitor).not_to_have_attribute("data-computing", "", **patient)
    jane.look("Results so far")
    kinds = [each.split() for each in rows.locator("td:nth-child(2)").all_inner_texts()]
    assert kinds == [["person"], ["model"]]
    for number in range(2):
        rows.nth(number).get_by_role("link").click()
        found = monitor.get_by_role("heading", name="So far")
        expect(found).to_be_visible(**patient)
        jane.look("")
        jane.page.go_back()


def taken_home(jane: Visitor) -> None:
    """Take trials, log and answers home: the person's alone."""
    jane.follow("Finding bars")
    n_trials = N_MAIN + 4
    text = jane.take_home("CSV").read_text(encoding="utf-8")
    assert len(list(csv.DictReader(io.StringIO(text)))) == n_trials
    log = sqlite3.connect(jane.take_home("Trial log"))
    assert log.execute("SELECT count(*) FROM trials").fetchall() == [(n_trials,)]
    log.close()
    assert ",right" in jane.take_home("Answers").read_text(encoding="utf-8")
    jane.follow("What is kept about participants")
    jane.look("What is kept about participants")


def administered(jane: Visitor) -> None:
    """See the other pages of an administrator."""
    jane.follow("Accounts")
    jane.fill("Name", "kim")
    jane.press("Make account")
    jane.look("The account is made")
    jane.follow("Accounts")
    jane.look("Accounts")
    jane.follow("kim")
    jane.look("kim")
    jane.follow("Audit log")
    jane.look("Audit log")
    jane.page.goto(jane.page.url.replace("/audit", "/studies/none"))
    jane.look("")


def withdrawn(person: Visitor, jane: Visitor, db_path: Path) -> None:
    """Delete all that somebody gave, as they can; nothing of it is left."""
    person.page.get_by_text("If you change your mind").click()
    person.look("Thank you")
    person.follow("withdraw")
    person.look("Withdraw")
    person.press("Delete my data")
    person.look("Your data are deleted")
    jane.page.go_back()
    jane.follow("Studies")
    jane.follow("first-bars")
    jane.look("Finding bars")
    text = jane.take_home("CSV").read_text(encoding="utf-8")
    assert list(csv.DictReader(io.StringIO(text))) == []
