"""The place of internal noise as a factor of a sweep."""

import pytest

import yoked
from yoked.app.sweeps.plan import Plan

NET = {"name": "element-mlp", "options": {"fit_trials": 128}}
PLACES = ("decision", "input", "layer:layers.1")


def recipe_of(**changes):
    observers = [
        {**NET, "label": f"at-{n}", "noise_at": place} for n, place in enumerate(PLACES)
    ]
    shown = {"protocols": ["bar-in-noise"], "trials": 200, "contrast": 0.3}
    return {"observer": observers, "internal_noise": 0.1, **shown, **changes}


def test_one_network_has_noise_at_several_places(tmp_path):
    table = yoked.sweep(recipe_of(), tmp_path / "out", processes=1)
    assert table["status"].tolist() == ["done"] * 3
    assert table["noise_at"].tolist() == list(PLACES)
    assert (table["internal_noise"] == 0.1).all()
    log = tmp_path / "out" / "results.db"
    for _, row in table.iterrows():
        session = yoked.load_session(log, row["session"])
        added = session.row.observer.parameters.get("added_noise")
        if row["noise_at"] == "decision":
            assert added is None
        else:
            assert added == {"at": row["noise_at"], "sd": 0.1}


def test_noise_at_the_decision_changes_no_cell_that_was_done(tmp_path):
    plain = [{key: o[key] for key in o if key != "noise_at"} for o in [NET]]
    one = Plan(recipe_of(observer=plain), tmp_path)
    other = Plan(recipe_of(observer=[{**NET, "noise_at": "decision"}]), tmp_path)
    moved = Plan(recipe_of(observer=[{**NET, "noise_at": "input"}]), tmp_path)
    assert one.cells[0].inputs == other.cells[0].inputs != moved.cells[0].inputs


@pytest.mark.parametrize(
    ("observer", "sentence"),
    [
        (NET | {"noise_at": "retina"}, "retina"),
        (
            {"name": "template", "noise_at": "input"},
            "noise_at must be left out for template, which is no network, got 'input'",
        ),
    ],
)
def test_a_place_that_there_is_not_is_one_sentence(tmp_path, observer, sentence):
    with pytest.raises(ValueError, match=sentence):
        Plan(recipe_of(observer=[observer]), tmp_path)
