"""The Methods paragraph: what it says of people, models and imports; its refusals."""

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from yoked.analysis.sessions.depths import depths
from yoked.analysis.trials.estimate import Estimate
from yoked.app.cli import cli
from yoked.app.reports.methods_comparison import comparison_sentences
from yoked.app.reports.methods_paragraph import (
    _formulas,
    methods_paragraph,
    paragraphs,
)
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.session.results import session_data
from yoked.experiments.store.rows import ObserverInfo
from yoked.experiments.store.sqlite import open_store
from yoked.models.observers.template import Template
from yoked.models.simulate import run


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("methods") / "results.db"
    store = open_store(path)
    protocol = load_protocol("bar-in-noise").with_options(trials=300, contrast=0.227)
    first = run(protocol, Template(), store=store, seed=11, internal_noise=1.0)
    run(protocol, Template(), store=store, seed=12, internal_noise=1.0)
    run(load_protocol("bar-polarity"), Template(), store=store, seed=13, trials=300)
    store.exclude(first.id, [3, 4], "a test", "the phone rang")
    store.close()
    return path


@pytest.fixture(scope="module")
def sessions(path):
    store = open_store(path)
    yield [session_data(store, row.id) for row in store.sessions()]
    store.close()


@pytest.fixture(scope="module")
def found(sessions):
    return [depths(session, orders=0) for session in sessions]


def as_people(session, presenter, name):
    """The same session, as if a person of that code had answered it."""
    observer = ObserverInfo("person", name)
    row = replace(
        session.row, observer=observer, presenter=presenter, observer_seed=None
    )
    return replace(session, row=row)


def test_it_says_exclusions_n_versions_seeds_software_and_stimulus(sessions, found):
    text = methods_paragraph(sessions[:2], found[:2])
    assert "Of 600 main trials in the log, 2 excluded did not enter" in text
    assert "rests on 598 trials (298 to 300 each)" in text
    assert "d', dprime-2afc-loglinear/2; " in text
    assert "Seeds of the noise: 11, 12." in text
    assert "two-alternative forced choice" in text
    assert sessions[0].protocol.stimulus_hash in text
    assert sessions[0].row.software.replace("yoked", "Yoked") in text
    assert "2 sessions of models: template (2 sessions)." in text


def with_first(found, first):
    """The same analysis, as if its course said which values to read."""
    course = replace(found.zero.course, first=first)
    return replace(found, zero=replace(found.zero, course=course))


def test_it_names_a_formula_only_where_it_made_a_number_that_is_reported(found):
    constant = named_formulas([with_first(found[0], "constant")])
    assert constant["internal noise"] == "gamma-likelihood-smooth-thresholds/1"
    assert constant["lapse rate"] == "lapse-rate-catch-trials-wilson/1"
    # One contrast has no threshold, 2AFC no ROC, and order one was not asked for.
    assert list(constant) == [
        "d'",
        "criterion",
        "proportion correct",
        "agreement of passes",
        "internal noise",
        "lapse rate",
        "efficiency",
    ]
    moving = named_formulas([with_first(found[0], "conditional")])
    assert moving.keys() - constant.keys() == {
        "d' given the course of the criterion",
        "internal noise given it",
    }
    assert moving["internal noise given it"] == "gamma-given-course/1"


def named_formulas(found):
    text = next(_formulas(found))
    listed = text.partition("versions: ")[2].partition(". Intervals")[0]
    return dict(each.split(", ", 1) for each in listed.split("; "))


def test_a_number_that_is_missing_names_no_formula(found):
    pooled = found[0].zero.summary.pooled
    gamma = Estimate.missing("gamma-never/1", "no trial was shown twice")
    noise = replace(pooled.internal_noise, gamma=gamma)
    summary = replace(
        found[0].zero.summary, pooled=replace(pooled, internal_noise=noise)
    )
    without = replace(found[0], zero=replace(found[0].zero, summary=summary))
    assert "internal noise" not in named_formulas([with_first(without, "constant")])


def test_each_order_has_its_formulas_and_the_exact_law_where_it_holds(sessions):
    deep = depths(sessions[0], orders=1)
    assert named_formulas([deep]).keys() >= {"fitted kernel", "linear share"}
    share = named_formulas([deep])["linear share"]
    assert share == deep.one.linear_share.linear.formula
    gamma = Estimate.normal(1.0, 0.1, 200, "gamma-exact-law/1")
    law = replace(deep.one.decision_law, law="exact", gamma=gamma)
    exact = replace(deep, one=replace(deep.one, decision_law=law))
    key = "internal noise by the exact law"
    assert named_formulas([exact])[key] == "gamma-exact-law/1"
    assert key not in named_formulas([deep])


def test_noise_that_is_stored_has_no_seed_to_repeat_it(sessions, found):
    row = replace(sessions[0].row, noise_source="stored:" + "0" * 64)
    stored = replace(sessions[0], row=row)
    text = methods_paragraph([stored], found[:1])
    assert "The noise is stored with the trials." in text
    assert "Seed of the noise" not in text
    both = methods_paragraph([stored, sessions[1]], found[:2])
    assert "Seed of the noise: 12. The noise of 1 session is stored" in both


def test_people_are_counted_and_never_named(sessions, found):
    people = [as_people(s, "lab", "p-secret-7") for s in sessions[:2]]
    text = methods_paragraph(people, found[:2])
    assert "1 participant took part in the laboratory in 2 sessions." in text
    assert "p-secret-7" not in text
    assert "own noise" not in text
    online = as_people(sessions[0], "web", "p-secret-8")
    assert "1 participant took part online in 1 session." in methods_paragraph(
        [online], found[:1]
    )
    imported = as_people(sessions[0], "import", "subject-1")
    assert "came from imported data" in methods_paragraph([imported], found[:1])


def test_each_kind_of_stimuli_has_its_paragraph(sessions, found):
    assert paragraphs(sessions, found).count("stimulus hash") == 2
    with pytest.raises(ValueError, match="same stimuli for one paragraph, got 2"):
        methods_paragraph(sessions, found)
    with pytest.raises(ValueError, match="must be one or more, got none"):
        methods_paragraph([], [])


def test_the_command_writes_it(path, tmp_path):
    out = tmp_path / "methods.txt"
    arguments = ["analyse", str(path), "--orders", "0", "--json", "--methods", str(out)]
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0, done.output
    assert len(json.loads(done.stdout)) == 3
    assert out.read_text().count("The task (") == 2


def test_comparisons_have_their_margin_and_their_corrections(sessions):
    first, second = sessions[0], sessions[1]
    (said,) = comparison_sentences([(first, second)])
    assert "alike where it lies above a margin of 0.9" in said
    assert "corrected by Bonferroni over all pairs and orders, to hold at 95 %" in said
    _, nearer = comparison_sentences([(first, second), (first, second)])
    assert "max-T, 10,000 draws" in nearer
    assert "Holm's method beside it" in nearer
    assert list(comparison_sentences([])) == []
