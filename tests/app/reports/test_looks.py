"""What pages show of sessions so far: known observers, people and models alike."""

import json
from dataclasses import replace

import numpy as np
import pytest

import yoked
from yoked.analysis.plot.means import draw_means
from yoked.app.reports import looks
from yoked.app.reports.looking import answers
from yoked.app.reports.looks import look_at, means_of, row_of
from yoked.experiments.store.sqlite import open_store

CONTRAST = 0.15


def ran(store, seed, trials=400, name="template", **options):
    protocol = yoked.load_protocol("bar-in-noise")
    observer = yoked.load_observer("template")
    observer.name = name
    shown = {"trials": trials, "contrast": CONTRAST, "internal_noise": 1.0}
    return yoked.run(protocol, observer, store=store, seed=seed, **shown, **options)


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    path = tmp_path_factory.mktemp("looks") / "log.db"
    store = open_store(path)
    sessions = [ran(store, seed, name=f"t{seed}") for seed in (1, 2, 3)]
    sessions.append(ran(store, 4, trials=8))
    store.close()
    return path, sessions


def asked(path, *questions):
    return list(answers(str(path), map(json.dumps, questions)))


def test_a_look_has_the_numbers_of_the_analysis(log):
    path, (session, *_) = log
    (look,) = asked(path, {"look": session.id})
    summary = yoked.summarise(session)
    table = look["table"]
    assert table["dprime"]["value"] == summary.pooled.dprime.value
    assert table["internal_noise"]["value"] == summary.pooled.internal_noise.gamma.value
    assert (table["kind"], table["trials"], table["pairs"]) == ("model", 400, 133)
    assert look["kernel"]["svg"].startswith("<svg")
    assert look["course"]["svg"].startswith("<svg")
    assert look["rt_ms"] is None  # a model has no times
    assert asked(path, {"row": session.id}) == [{"table": table}]


def test_a_session_of_few_trials_says_what_it_cannot_tell(log):
    path, sessions = log
    (look,) = asked(path, {"look": sessions[-1].id})
    assert look["table"]["trials"] == 8
    assert "why" in look["kernel"] or "svg" in look["kernel"]
    json.dumps(look, allow_nan=False)


def test_the_mean_kernel_is_that_of_the_group(log, monkeypatch):
    _, sessions = log
    drawn = []

    def seen(panels):
        drawn.append(panels)
        return draw_means(panels)

    monkeypatch.setattr(looks, "draw_means", seen)
    (found,) = means_of({"people": sessions[:3], "template": [sessions[0]]})
    assert [each["svg"][:4] for each in found["pictures"]] == ["<svg"] * 2
    ((people, alone),) = drawn
    group = yoked.group(sessions[:3]).kernel
    assert np.allclose(people.kernel, group.kernel)
    assert np.allclose(people.se, group.se)
    assert people.label == "people, n = 3"
    assert alone.label == "template"
    assert int(alone.kernel.argmax()) == 6  # the bar is in the middle
    middle = people.kernel.ravel()
    assert middle[6] > 3 * np.abs(np.delete(middle, 6)).max()


def test_other_stimuli_have_a_picture_of_their_own(log):
    _, (session, *_) = log
    protocol = yoked.load_protocol("gabor-in-noise")
    template = yoked.load_observer("template")
    other = yoked.run(protocol, template, seed=1, trials=200, contrast=0.05)
    found = means_of({"people": [session, other]})
    assert [each["title"] for each in found] == [
        session.protocol.title,
        protocol.title,
    ]


def test_who_has_no_kernel_yet_is_named_with_the_reason(log):
    _, (session, *_) = log
    trials = session.trials.assign(response=0, correct=session.trials["target"] == 0)
    same = replace(session, trials=trials)
    (found,) = means_of({"people": [same]})
    assert found["pictures"] == [{"why": "No kernel can be told yet."}]
    assert session.observer in found["missing"]


def test_a_question_that_breaks_leaves_the_next_one_alone(log):
    path, (session, *_) = log
    fault, row = asked(path, {"look": "nothing"}, {"row": session.id})
    assert "must be in the database" in fault["fault"]
    assert row["table"] == json.loads(json.dumps(row_of(session)))
    assert look_at(session)["table"]["session"] == session.id
