"""A cued session over HTTP: its pixels, and nothing else that tells place or cue."""

import hashlib
from dataclasses import replace

import pytest

import yoked
from yoked.experiments.session.session import Session
from yoked.experiments.stimulus.render import digest

from .participant import log, recorded

# Of a fixation of 500 ms, an arrow of 200 and patches of 100.
STAMPS = {"onsets_ms": [700.0], "offsets_ms": [800.0]}


@pytest.fixture
def protocol():
    """Twenty main trials and the practice, no calibration."""
    made = yoked.load_protocol("cued-detection")
    short = tuple(block for block in made.blocks if block.kind != "calibration")
    return replace(made, blocks=short).with_options(trials=20)


def test_a_cued_session_runs_over_http(participant, db_path, protocol):
    following, pixels = participant.next(), []
    while not following["done"]:
        assert not {"place", "cue", "target"} & following.keys()
        pixels.append(participant.get(following["frames"]).data)
        following = participant.respond(following, **STAMPS).json["next"]
    records = recorded(db_path)
    with log(db_path) as store:
        session = Session.resume(store, store.sessions()[0].id)
        frames = session.frames([record.spec for record in records])
    assert [hashlib.sha256(each).hexdigest() for each in pixels] == [
        digest(each) for each in frames
    ]
    assert session.is_complete
    assert {record.spec.place for record in records} == {0, 1, 2, 3}
    assert all(record.spec.cue in range(4) for record in records)
    assert all(record.response.valid for record in records)
    assert len(pixels[0]) == 2 * 150 * 150


def test_a_trial_without_the_time_of_its_cue_is_not_valid(participant, db_path):
    stamps = {"onsets_ms": [500.0], "offsets_ms": [600.0]}
    participant.respond(participant.next(), **stamps)
    (record,) = recorded(db_path)
    why = "the fixation and a cue lasted too short: 500 ms where 700 were asked for"
    assert record.response.invalid_reason == why
