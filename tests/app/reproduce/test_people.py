"""Part B: a person's shadow is left what it learnt, and who is not there is named."""

import json

import pytest

import yoked
from yoked.app.reproduce.people import PRETRAINED, beside_people, left_out


@pytest.fixture
def person(tmp_path, protocol, monkeypatch):
    """Return a trial log and a session in it, and no pretrained weights anywhere."""
    monkeypatch.setenv("YOKED_CACHE", str(tmp_path / "cache"))
    log, given = tmp_path / "people.db", {"trials": 600, "contrast": 0.15}
    twin = yoked.load_observer("template")
    session = yoked.run(
        protocol, twin, store=log, seed=1, internal_noise=1.0, observer_seed=5, **given
    )
    return log, session


def test_a_pretrained_network_that_is_not_there_is_named_where_it_could_see(person):
    _, session = person
    said = f"part B: without {PRETRAINED}, which `yoked weights {PRETRAINED}` fetches"
    assert left_out([session]) == said
    assert left_out([]) is None


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_person_stands_beside_circuits_networks_and_her_shadow(person, tmp_path):
    """A minute or two; what came out of real people is in docs/deep-vs-shallow.md."""
    log, session = person
    beside_people(log, [session], tmp_path / "out")
    (folder,) = (tmp_path / "out").iterdir()
    cards = json.loads((folder / "score.json").read_text())["cards"]
    scores = {card["observer"]: card["tasks"][0]["people"][0] for card in cards}
    assert {"template", "energy", "retina-cnn", "shadow"} <= set(scores)
    assert PRETRAINED not in scores
    assert scores["shadow"]["n_left_out"] > 0
    n = len(session.counted)
    assert scores["shadow"]["n_trials"] + scores["shadow"]["n_left_out"] == n
    assert scores["template"]["n_trials"] == n
    assert scores["template"]["depths"][0]["share"]["value"] > 0.8
    before = (folder / "shadow.safetensors").stat().st_mtime_ns
    beside_people(log, [session], tmp_path / "out")
    assert (folder / "shadow.safetensors").stat().st_mtime_ns == before
