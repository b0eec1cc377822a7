"""Conditions over HTTP: each trial's pixels are those of its own condition."""

import hashlib
from collections import Counter

import pytest

import yoked
from yoked.experiments.session.results import session_data
from yoked.experiments.session.session import Session
from yoked.experiments.stimulus.render import digest

from .participant import log, recorded


@pytest.fixture
def protocol():
    """Five conditions with a staircase each, ten trials of practice and thirty more."""
    return yoked.load_protocol("equivalent-noise").with_options(trials=30)


def test_a_session_with_conditions_runs_over_http(participant, db_path):
    following, pixels = participant.next(), []
    while not following["done"]:
        assert not {"condition", "sd"} & following.keys()
        pixels.append(participant.get(following["frames"]).data)
        # Always the first interval: right in half of the trials.
        following = participant.respond(following).json["next"]
    records = recorded(db_path)
    counts = Counter(r.spec.condition for r in records if r.spec.block_kind == "main")
    assert set(counts.values()) == {6}
    with log(db_path) as store:
        name = store.sessions()[0].id
        session = Session.resume(store, name)
        frames = session.frames([record.spec for record in records])
        data = session_data(store, f"{name}/no-noise")
    assert [hashlib.sha256(each).hexdigest() for each in pixels] == [
        digest(each) for each in frames
    ]
    assert session.is_complete
    assert set(data.trials["condition"]) == {"no-noise", "catch"}
    for record, shown in zip(records, frames, strict=True):
        # The interval without the target is noise alone.
        levels = set(shown[1 - record.spec.target].ravel().tolist())
        assert (levels == {128}) == (record.spec.signal["sd"] == 0)


def test_a_page_that_is_loaded_again_goes_on_with_the_same_trial(participant):
    following = participant.next()
    for _ in range(14):
        following = participant.respond(following).json["next"]
    shown = participant.get(following["frames"]).data
    again = participant.next()
    assert again["trial"] == following["trial"]
    assert participant.get(again["frames"]).data == shown
