"""Which is closer: sentences and table are what was found, by the page’s names."""

import re
from dataclasses import replace

import numpy as np
import pytest

from yoked.analysis.agreement.closer import Closer, ModelDifference, closer
from yoked.analysis.trials.estimate import Estimate
from yoked.app.reports.closer_table import closer_renamed, closer_shown
from yoked.experiments.protocols.files import load_protocol
from yoked.models.observers.guesser import Guesser
from yoked.models.observers.template import Template
from yoked.models.simulate import run


def difference(measure, question, pair, z, p):
    made = Estimate(0.1 * z, 0.1, 0.1 * z - 0.2, 0.1 * z + 0.2, 900, "any/1")
    return ModelDifference(
        *(measure, question, *pair, 0.5, 0.4, (1, 1), made, z, p, p, p),
        *(np.zeros(1), np.zeros(1, int)),
    )


def found(differences, missing=None):
    models = ("a", "b", "c")
    sessions = tuple(f"session-{name}" for name in models)
    common = ("session-0", "ann", sessions, models, 900, 700)
    return Closer(*common, tuple(differences), missing or {})


ANSWERS, SAME = "the same answers", "the same computation"


def test_who_is_closer_is_said_of_each_question_and_what_is_untold_too():
    shown = closer_shown(
        found(
            [
                difference("latent", ANSWERS, ("a", "c"), 4, 0.001),
                difference("kappa", ANSWERS, ("a", "c"), 4, 0.001),
                difference("latent", ANSWERS, ("b", "c"), 4, 0.001),
                difference("kappa", ANSWERS, ("b", "c"), 4, 0.001),
                difference("latent", ANSWERS, ("a", "b"), 1, 0.4),
                difference("kappa", ANSWERS, ("a", "b"), 1, 0.4),
                difference("share", SAME, ("a", "b"), -1, 0.4),
                difference("kernel", SAME, ("a", "b"), -4, 0.01),
            ],
            {"share: c": "internal noise is too uncertain", "kernel: c": "too noisy"},
        )
    )
    assert dict(shown.sentences) == {
        ANSWERS: "a and b are closer than c; of a and b it cannot be told",
        SAME: (
            "b is closer than a (by the first-order kernel alone); "
            "c cannot be compared (why: below)"
        ),
    }
    assert shown.table.notes == (
        ("a", "internal noise is too uncertain"),
        ("b", "too noisy"),
    )
    titles = ("models", "latent correlation", "error consistency κ")
    assert shown.table.titles[:3] == titles
    (last,) = [row for row in shown.table.rows if "a less b" in row[0][0]]
    assert "<b>b</b>" in last[4][0]
    assert "cannot be told" in last[3][0]


def test_measures_that_tell_otherwise_tell_nothing():
    shown = closer_shown(
        found(
            [
                difference("latent", ANSWERS, ("a", "b"), 4, 0.001),
                difference("kappa", ANSWERS, ("a", "b"), -4, 0.001),
            ]
        )
    )
    assert shown.sentences[0][1].startswith("of a and b it cannot be told")


@pytest.fixture(scope="module")
def real():
    protocol = load_protocol("bar-in-noise").with_options(trials=400, contrast=0.2)
    sessions = [
        run(protocol, each, seed=1, internal_noise=1.0)
        for each in (Template(), Template(), Guesser())
    ]
    return sessions, closer(sessions[0], sessions[1:])


def test_a_template_is_closer_to_a_template_than_a_guesser_is(real):
    shown = closer_shown(real[1])
    assert shown.sentences[0][1] == "template is closer than guesser"
    cell = shown.table.rows[0][1][0]
    one = real[1].differences[0]
    assert f"{one.difference.value:.2f}<br>" in cell
    assert re.search(r"p &lt;\xa0\.001, Holm &lt;\xa0\.001", str(cell))


def test_names_of_the_page_are_in_the_reasons_too(real):
    sessions, of_all = real
    ids = [session.id for session in sessions]
    one = replace(of_all, missing={"share: guesser": "why", "latent": "no pairs"})
    names = dict(zip(ids, ("ann", "model 1", "model 2"), strict=True))
    renamed = closer_renamed(one, names)
    assert renamed.missing == {"share: model 2": "why", "latent": "no pairs"}
    assert {each.other for each in renamed.differences} == {"model 2"}
