"""A plugin of a lab in a browser: run and kept, or stopped with the reason."""

from dataclasses import replace

import pytest

from tests.app.studies.lab_plugins import PACKAGE, put_plugin
from tests.app.web.questioned import questioned
from yoked.app.studies.questionnaires import Questionnaire, with_plugins

from .test_questions import answers

expect = pytest.importorskip("playwright.sync_api").expect


def study(**parameters):
    prompt = {"by_language": {"en": "Which word?", "de": "Welches Wort?"}}
    given = {"prompt": prompt, **parameters}
    title = {"en": "A word"}
    about = Questionnaire("w", "before", title, plugin=PACKAGE, parameters=given)
    return replace(questioned(), questionnaires=with_plugins((about,)))


@pytest.fixture
def _folder(tmp_path, monkeypatch):
    monkeypatch.setenv("YOKED_PLUGINS", str(put_plugin(tmp_path / "node_modules")))


def agree(page, server) -> None:
    page.goto(f"{server.address}study/bars?language=en")
    page.get_by_role("button", name="I agree").click()
    page.get_by_role("heading", name="A word").wait_for()


@pytest.mark.usefixtures("_folder")
def test_what_it_measures_is_kept_with_the_answers(page, serve_study):
    server = serve_study(study())
    agree(page, server)
    page.get_by_label("Which word?").fill("heron")
    page.get_by_role("button", name="Done").click()
    page.get_by_role("heading", name="A word").wait_for(state="detached")
    assert answers(server) == {"data": '{"word": "heron"}'}
    page.go_back()
    assert answers(server) == {"data": '{"word": "heron"}'}


@pytest.mark.usefixtures("_folder")
@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"sly": True}, "it would do what the page does not allow (style-src-attr)"),
        ({"nothing": 1}, "it has no parameter nothing"),
    ],
)
def test_one_that_does_not_fit_stops_and_says_why(
    browser, serve_study, parameters, sentence
):
    server = serve_study(study(**parameters))
    page = browser.new_page()
    agree(page, server)
    page.get_by_text(sentence).wait_for()
    done = page.get_by_role("button", name="Done")
    if done.count():
        done.click()
    assert page.url.endswith("/questions/w")
    assert answers(server) == {}
    page.context.close()
