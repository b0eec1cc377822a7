"""Recipes of sweeps: every fault is a sentence, before anything is done."""

import re
import tomllib

import pytest

import yoked
from tests import ROOT
from yoked.app.sweeps.recipe import load_sweep, sweep_recipe_of

PLAIN = {"observer": [{"name": "template"}], "protocols": ["bar-in-noise"]}


def test_the_recipes_of_the_page_are_recipes():
    page = (ROOT / "docs" / "sweeps.md").read_text()
    blocks = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    own, people = (sweep_recipe_of(tomllib.loads(block)) for block in blocks)
    assert own.seed_list == (1, 2, 3)
    assert [each.called for each in own.observer] == ["template", "half"]
    assert people.internal_noise == "matched"
    assert [each.called for each in people.observer] == ["net", "template"]
    assert sweep_recipe_of(people.to_dict()) == people


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"sedes": 2}, "sedes must be one of .*, got 'sedes'; did you mean 'seeds'"),
        ({"seeds": 0}, "seeds must be 1 or more, got 0"),
        ({"seeds": [1, 1]}, r"seeds must be whole numbers in .*, got \[1, 1\]"),
        ({"seeds": [2**63]}, "seeds must be whole numbers in "),
        ({"seeds": "three"}, "seeds must be a whole number, got 'three'"),
        ({"observer": []}, "observer must be one table or more"),
        (
            {"observer": [{}]},
            r"observer\[0\].name or train must be one of the two, got",
        ),
        (
            {"observer": [{"name": "template"}, {"name": "template"}]},
            r"observer\[0\].label must be other than every other observer's, got 'temp",
        ),
        (
            {"observer": [{"name": "retina-cnn", "options": {"seed": 1}}]},
            r"observer\[0\].options must be without seed, which the sweep sets",
        ),
        ({"observer": [{"train": "net.pt"}]}, "must be a recipe's TOML file"),
        ({"observer": [{"name": "guesser", "label": "a/b"}]}, "label must be letters"),
        (
            {"protocols": []},
            "protocols or people must be one of the two, got 'neither'",
        ),
        ({"people": {"db": "x.db"}}, "protocols or people must be one of the two"),
        ({"trials": 0}, "trials must be 1 or more, got 0"),
        ({"contrast": 2}, r"contrast must be in \[0, 1\], got 2"),
        ({"internal_noise": -1}, "internal_noise must be 0 or more, got -1"),
        (
            {"internal_noise": "matched"},
            "internal_noise must be a number, or 'matched' with people, got 'matched'",
        ),
        (
            {"protocols": [], "people": {"db": "x.db"}, "trials": 5},
            "trials must be left out with people, whose sessions have them, got 5",
        ),
    ],
)
def test_a_fault_is_one_sentence(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        sweep_recipe_of({**PLAIN, **changes})


@pytest.mark.parametrize(
    ("changes", "error", "sentence"),
    [
        (
            {"observer": [{"name": "templete"}]},
            LookupError,
            "no observer named 'templete'; did you mean 'template'?",
        ),
        (
            {"observer": [{"name": "template", "options": {"efficency": 1}}]},
            ValueError,
            "did you mean 'efficiency'?",
        ),
        (
            {"observer": [{"name": "mine.py:Net"}]},
            FileNotFoundError,
            "an observer's file must exist, got",
        ),
        (
            {"observer": [{"train": "none.toml"}]},
            FileNotFoundError,
            "a recipe must be a file, got",
        ),
        ({"protocols": ["bar-in-nose"]}, LookupError, "did you mean 'bar-in-noise'"),
        (
            {"protocols": [], "people": {"db": "none.db"}},
            FileNotFoundError,
            "a database must exist, got",
        ),
    ],
)
def test_what_there_is_not_is_said_before_a_folder_is_made(
    changes, error, sentence, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=re.escape(sentence)):
        yoked.sweep({**PLAIN, **changes}, "out")
    assert not (tmp_path / "out").exists()


def test_people_are_those_who_finished(tmp_path):
    protocol = yoked.load_protocol("bar-in-noise")
    options = {
        "store": tmp_path / "people.db",
        "seed": 1,
        "trials": 20,
        "contrast": 0.2,
    }
    model = yoked.run(protocol, yoked.load_observer("guesser"), **options)
    recipe = {"observer": [{"name": "template"}]}
    of = {"db": str(tmp_path / "people.db")}
    with pytest.raises(ValueError, match="log with a finished session of a person"):
        yoked.sweep({**recipe, "people": of}, tmp_path / "out")
    of["sessions"] = [f"{model.id}x"]
    near = f"no session named '{model.id}x' in .*; did you mean '{model.id}'"
    with pytest.raises(LookupError, match=near):
        yoked.sweep({**recipe, "people": of}, tmp_path / "out")


def test_a_file_that_is_no_toml_is_one_sentence(tmp_path):
    path = tmp_path / "sweep.toml"
    path.write_text("seeds = [")
    with pytest.raises(ValueError, match=r"sweep\.toml must be TOML, got"):
        load_sweep(path)
    with pytest.raises(FileNotFoundError, match="a recipe must be a file, got"):
        load_sweep(tmp_path / "none.toml")
