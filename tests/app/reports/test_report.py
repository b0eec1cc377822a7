"""The report: self-contained, true to the analysis, and whole or not there."""

import re
from dataclasses import replace

import pytest

from yoked.analysis.agreement.responses import response_agreement
from yoked.analysis.agreement.verdict import verdicts
from yoked.analysis.double_pass.change import sensitivity_change
from yoked.analysis.double_pass.lapses import lapses
from yoked.analysis.sessions.depths import depths
from yoked.analysis.sessions.summary import summarise
from yoked.analysis.trials.responses import responses
from yoked.app.reports.contrasts import by_contrast
from yoked.app.reports.numbers import inline, p_value
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
        assert f"{pooled.proportion_correct.value:.2f}<br>" in page
        assert session.id in page
    same = response_agreement(sessions[0], sessions[1]).same_response.value
    assert f"{same:.2f}<br>" in page


def test_the_page_says_what_the_bands_cover_and_whether_kernels_differ(page):
    text = " ".join(page.split())
    assert "dots and bands are the unshrunken estimate with its 95 % intervals" in text
    assert "need not hold the shrunken line" in text
    assert "the same first-order kernel? Any difference: p" in text


def test_the_page_says_which_differences_of_kernels_are_not_ruled_out(page):
    text = " ".join(page.split())
    found = re.findall(
        r"a difference of \d\.\d\d of their length would be found, and kernels with a "
        r"cosine of −?\d\.\d\d or less; smaller differences, and cosines nearer 1, are "
        r"not ruled out\.",
        text,
    )
    assert len(found) >= 2  # of two observers, and of the halves of one
    assert "what is smaller is not ruled out" not in text


def test_without_a_test_of_equal_kernels_the_page_has_the_reason(sessions, kept):
    ids = (sessions[0].id, sessions[1].id)
    pair = kept[ids]
    missing = {"equal_kernels": "a kernel needs -1 more trials"}
    profile = replace(pair.profile, equal_kernels=None, missing=missing)
    other = {**kept, ids: replace(pair, profile=profile)}
    text = " ".join(render_report(sessions[:2], kept=other).split())
    assert "No test: a kernel needs −1 more trials." in text


def test_without_catch_trials_the_page_has_a_range_for_lapses(sessions):
    trials = sessions[0].trials
    alone = replace(sessions[0], trials=trials[trials["block_kind"] != "catch"])
    one = alone.protocol.contrast.values[0]
    main = alone.trials["block_kind"] == "main"
    trials = alone.trials.assign(contrast=alone.trials["contrast"].where(~main, one))
    alone = replace(alone, trials=trials)
    found = lapses(alone, responses(alone))
    assert found.without is None
    text = " ".join(render_report([alone], orders=0).split())
    least, most = (
        f"{given.internal_noise.gamma.value:.2f}"
        for given in (found.if_tenth, found.if_none)
    )
    assert f"{least} to {most}<br>" in text
    assert f"Without lapses mean d′ is {found.if_none.dprime.value:.2f} [" in text
    assert f"with lapses on 10 % of showings {found.if_tenth.dprime.value:.2f}" in text


def test_halves_of_the_session_are_on_the_page(sessions, page):
    change = sensitivity_change(responses(sessions[0]))
    text = " ".join(page.split())
    first, second = change.dprime.first, change.dprime.second
    assert f"{first.value:.2f}<br>" in text
    assert f"{second.value:.2f}<br>" in text
    assert f">{p_value(change.passes.p_holm)}</td></tr>" in text


def test_what_was_shown_stands_once_for_displays_that_are_alike(sessions):
    # Of the same stimuli: two as the protocol asks for, one on a display of its own.
    zeros = [depths(each, orders=0).zero for each in sessions[:2]]
    units = zeros[1].physical_units
    other = replace(units, element_deg=(0.1, 1.3), geometry="as it was shown")
    changed = replace(zeros[1], physical_units=other)
    named = list(zip(("a", "b", "c"), [*zeros, changed], strict=True))
    one, two = by_contrast(named)
    assert (one.observers, two.observers) == (("a", "b"), ("c",))
    assert "elements of 0.2 × 2.6°, as the protocol asks for" in one.sentence
    assert "elements of 0.1 × 1.3°, as it was shown" in two.sentence
    signal, efficiencies = one.rows[0]
    assert signal == units.by_contrast[0]
    assert efficiencies[0] == zeros[0].efficiency.by_contrast[0].efficiency
    assert one.unit == "deg²"


def test_sessions_of_one_observer_have_names_that_differ(page, sessions):
    twice = [s for s in sessions if s.observer == "template"]
    of_one = [s for s in twice if s.protocol.name == "bar-in-noise"]
    assert len(of_one) == 2
    for session in of_one:
        assert f"template {session.id.rpartition('-')[2]}" in page


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


def test_the_page_says_what_a_classification_image_is():
    protocol = load_protocol("orientation-noise").with_options(trials=300)
    session = run(protocol, Template(), seed=1, internal_noise=1.0)
    page = render_report([session], orders=1)
    assert "covariance of the noise, not the template itself" in page
    assert "the sum of 24 images with random coefficients" in page
    assert "kernel in coefficients" in page


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


def test_the_verdict_comes_first_with_its_numbers_and_its_rule(page, kept, sessions):
    profile = kept[sessions[0].id, sessions[1].id].profile
    (pair,) = verdicts([profile])
    text = " ".join(page.split())
    assert text.index('class="verdict"') < text.index("<h2>")
    assert text.count('<li><span class="kind') == 1
    start = text.index('<li><span class="kind')
    said = text[start : text.index("</li>", start)]
    assert pair.kind.removesuffix("s") in said
    for depth in pair.depths:
        assert depth.name in said
        assert (inline(depth.share) if depth.reason is None else depth.reason) in said
    assert "above a margin of 0.9; else these data cannot tell" in text


def test_the_margin_is_an_option_and_is_printed(sessions, kept):
    page = render_report(sessions[:2], kept=kept, margin=0.8)
    assert "above a margin of 0.8;" in page
    assert "margin 0.8" in page  # and in the picture


def test_without_pairs_the_page_says_that_nobody_is_compared(sessions, kept):
    page = " ".join(render_report(sessions[2:3], kept=kept).split())
    assert "nobody is compared: there is no verdict" in page
    assert 'class="verdict"' not in page


def test_a_doubt_about_the_noise_stands_at_its_session(sessions, kept):
    why = "no kernel (p = 0.4), though: noise and trials may not belong together"
    entry = kept[(sessions[2].id,)]
    one = kept[(sessions[0].id,)].depths.one
    depths_of = replace(entry.depths, one=replace(one, doubt=why))
    other = {**kept, (sessions[2].id,): replace(entry, depths=depths_of)}
    text = " ".join(render_report(sessions[2:3], kept=other).split())
    warned = re.search(r'<p class="warn"><strong>(.*?)</strong>: (.*?)</p>', text)
    assert "always first" in warned[1]
    assert warned[2] == why.replace("p = 0.4", "p .4") + "."
    assert text.index(warned[0]) < text.index("Order zero")


def test_the_methods_of_the_page_have_the_verdicts_margin_and_correction(
    sessions, kept
):
    text = " ".join(render_report(sessions[:2], kept=kept, margin=0.8).split())
    methods = text[text.index('class="methods"') :]
    n = len([d for d in kept[sessions[0].id, sessions[1].id].profile.depths])
    assert "above a margin of 0.8; intervals are corrected by Bonferroni" in methods
    assert re.search(rf"\([1-{n}] shares, each at 9\d\.\d %\)", methods)


def test_every_dash_in_a_table_has_its_reason_below_it(page):
    for found in re.findall(r"<table>.*?(?=<table>|</section>)", page, re.DOTALL):
        letters = set(re.findall(r"<td[^>]*>–<sup>([a-z]+)</sup></td>", found))
        dashes = re.findall(r"<td[^>]*>–", found)
        assert len(dashes) == len(re.findall(r"<td[^>]*>–<sup>", found))
        notes = found.partition('class="notes"')[2].partition("</p>")[0]
        assert letters <= set(re.findall(r"<sup>([a-z]+)</sup> \S", notes))


def test_no_column_of_a_table_is_empty(page):
    for found in re.findall(r"<tbody>(.*?)</tbody>", page, re.DOTALL):
        rows = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in found.split("</tr>")]
        rows = [row for row in rows if row]
        for column in zip(*rows, strict=True):
            assert not all(cell.startswith("–") for cell in column)


def test_a_minus_is_one_sign(page):
    text = re.sub(r"<(style|svg).*?</\1>", "", page, flags=re.DOTALL)
    text = re.sub(r"<code>.*?</code>|<[^>]+>", " ", text)
    assert not re.search(r"(?:^|[\s(\[])-\.?\d", text)


def test_sessions_of_several_stimuli_are_one_page_with_sections(page):
    titles = re.findall(r"<h2>(.*?)</h2>", page)
    assert len(titles) == len(set(titles)) == page.count("<section>") == 2
