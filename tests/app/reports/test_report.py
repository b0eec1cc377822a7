"""The report: self-contained, true to the analysis, and whole or not there."""

import re

import pytest

from yoked.analysis.agreement.responses import response_agreement
from yoked.analysis.sessions.summary import summarise
from yoked.app.reports.report import render_report, write_report
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.session.results import session_data
from yoked.experiments.store.sqlite import open_store
from yoked.models.observers.guesser import Guesser
from yoked.models.observers.template import Template
from yoked.models.simulate import run


class AlwaysFirst:
    """A constant responder, with a name that is no markup."""

    name = "<b>always first</b>"

    def prepare(self, viewing):
        pass

    def decide(self, frames, noise):
        import numpy as np

        return np.tile([1.0, 0.0], (len(frames), 1))


@pytest.fixture(scope="module")
def sessions():
    store = open_store(":memory:")
    protocol = load_protocol("bar-in-noise").with_options(trials=400, contrast=0.227)
    first = run(protocol, Template(), store=store, seed=1, internal_noise=1.0)
    run(None, Guesser(), store=store, yoke_to=first.id, observer_seed=2)
    run(protocol, AlwaysFirst(), store=store, seed=3)
    run(load_protocol("bar-polarity"), Template(), store=store, seed=1, trials=300)
    easy = load_protocol("bar-in-noise").with_options(trials=200, contrast=0.56)
    run(easy, Template(), store=store, seed=4)  # never wrong: two classes are empty
    yield [session_data(store, row.id) for row in store.sessions()]
    store.close()


@pytest.fixture(scope="module")
def kept():
    """What the page found of the sessions, for a report that follows."""
    return {}


@pytest.fixture(scope="module")
def page(sessions, kept):
    return render_report(sessions, kept=kept)


def test_the_page_has_the_analysis_numbers(page, sessions):
    for session in sessions:
        pooled = summarise(session).pooled
        assert f"{pooled.proportion_correct.value:.3f}<br>" in page
        assert session.id in page
    same = response_agreement(sessions[0], sessions[1]).same_response.value
    assert f"{same:.3f}<br>" in page


def test_the_page_says_what_the_bands_cover_and_whether_kernels_differ(page):
    text = " ".join(page.split())
    assert "dots and bands are the unshrunken estimate with its 95 % intervals" in text
    assert "need not hold the shrunken line" in text
    assert "the same first-order kernel? Any difference: p" in text


def test_the_page_loads_nothing_from_elsewhere(page):
    addresses = re.findall(r'(?:src|href)="([^"#]+)"|url\(([^#)]+)\)', page)
    # A matrix in a figure is a picture within the page.
    assert all("".join(one).startswith("data:image/png") for one in addresses)
    assert "<script" not in page


def test_each_kind_of_stimuli_has_its_own_section(page):
    assert page.count("<section>") == 2
    assert page.index("Which interval held the bright bar") < page.index(
        "Was the middle"
    )


def test_names_cannot_be_markup(page):
    assert "<b>always first</b>" not in page
    assert "&lt;b&gt;always first&lt;/b&gt;" in page


def test_an_observer_who_is_never_wrong_has_no_kernel_and_the_page_says_why(page):
    assert "no trial was incorrect; a kernel needs correct and incorrect trials" in page


def test_no_number_is_nan(page):
    assert not re.search(r"\bnan\b", page, re.IGNORECASE)


def test_a_report_that_fails_leaves_the_old_one(tmp_path, sessions, page, kept):
    path = tmp_path / "report.html"
    path.write_text("the old one")
    with pytest.raises(ValueError, match="sessions must be one or more, got none"):
        write_report([], path)
    assert path.read_text() == "the old one"
    done = []
    write_report(sessions[:1], path, lambda *step: done.append(step), kept=kept)
    assert path.read_text().startswith("<!doctype html>")
    assert done == [("report", 1, 1)]
