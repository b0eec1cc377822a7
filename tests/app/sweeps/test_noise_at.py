"""The place of internal noise as a factor of a sweep."""

import pytest

import yoked
from yoked.app.sweeps.plan import Plan
from yoked.experiments.store.sqlite import open_store

NET = {"name": "element-mlp", "options": {"fit_trials": 128}}
PLACES = ("decision", "input", "layer:layers.1")
SHOWN = {"protocols": ["bar-in-noise"], "trials": 200, "contrast": 0.3}


def recipe_of(*observers, **changes):
    return {"observer": [*observers], "internal_noise": 0.1, **SHOWN, **changes}


def test_one_network_has_noise_at_several_places_each_matched(tmp_path):
    template = yoked.load_observer("template", efficiency=0.5)
    protocol, db = yoked.load_protocol("bar-in-noise"), tmp_path / "people.db"
    given = {"trials": 300, "contrast": 0.227, "internal_noise": 1.0}
    yoked.run(protocol, template, store=db, seed=2, **given)
    (row,) = open_store(db).sessions()
    observers = [
        {**NET, "label": f"at-{n}", "noise_at": place} for n, place in enumerate(PLACES)
    ]
    people = {"db": str(db), "sessions": [row.id], "depths": False}
    recipe = {"observer": observers, "people": people, "internal_noise": "matched"}
    table = yoked.sweep(recipe, tmp_path / "out", processes=1)
    assert table["status"].tolist() == ["done"] * 3
    assert table["noise_at"].tolist() == list(PLACES)
    for _, cell in table.iterrows():
        session = yoked.load_session(tmp_path / "out" / "results.db", cell["session"])
        added = session.row.observer.parameters.get("added_noise")
        if cell["noise_at"] == "decision":
            assert added is None
        else:
            assert added == {"at": cell["noise_at"], "sd": cell["internal_noise"]}


def test_noise_at_the_decision_changes_no_cell_that_was_done(tmp_path):
    one = Plan(recipe_of(NET), tmp_path)
    other = Plan(recipe_of(NET | {"noise_at": "decision"}), tmp_path)
    moved = Plan(recipe_of(NET | {"noise_at": "input"}), tmp_path)
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
        Plan(recipe_of(observer), tmp_path)


def test_numbers_have_one_unit_in_a_sweep(tmp_path):
    both = NET, NET | {"label": "inside", "noise_at": "input"}
    with pytest.raises(ValueError, match="'matched' where observers have noise at sev"):
        Plan(recipe_of(*both), tmp_path)
    silent = recipe_of(NET | {"noise_at": "input"}, internal_noise=0.0)
    with pytest.raises(ValueError, match="more than 0 where noise_at is told, got 0"):
        Plan(silent, tmp_path)
