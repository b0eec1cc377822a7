"""Places and cues of a session: drawn, balanced, logged, and the same after a break."""

import json
from collections import Counter

import numpy as np
import pytest
from scipy.special import ndtri

import yoked
from tests import VECTORS_FOLDER
from tests.experiments.session.test_conditions import main, run
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.protocol import Protocol
from yoked.experiments.protocols.signal import signal_levels
from yoked.experiments.session.observer import Practice, Viewing
from yoked.experiments.session.schedule import PlannedSchedule
from yoked.experiments.session.schedules import YokedSchedule
from yoked.experiments.stimulus.noise import draws_u16
from yoked.experiments.stimulus.render import digests, render
from yoked.experiments.stimulus.sources import noise_source
from yoked.experiments.store.sqlite import open_store
from yoked.experiments.store.trial_batch import TrialColumns

VECTORS = json.loads((VECTORS_FOLDER / "places.json").read_text())
SCENES = sorted(VECTORS)
CUED = load_protocol("cued-detection")
OPEN = load_protocol("position-unknown")


def scene(base=CUED, **parts) -> Protocol:
    data = base.to_dict()
    for part, table in parts.items():
        is_table = isinstance(table, dict) and isinstance(data.get(part, {}), dict)
        data[part] = {**data.get(part, {}), **table} if is_table else table
    return Protocol.from_dict(data)


def test_frames_of_scenes_are_the_golden_ones_on_every_backend():
    for name, golden in VECTORS.items():
        protocol, trials = load_protocol(name), golden["trials"]
        source = noise_source("yoked-1", protocol, golden["seed"])
        for backend in ("numpy", "numba", "torch"):
            frames = render(protocol, source, trials, backend)
            assert list(frames.shape) == golden["shape"]
            assert digests(frames) == golden["digests"]


@pytest.mark.parametrize("name", SCENES)
def test_the_field_of_a_place_has_the_stream_of_interval_times_places_plus_place(name):
    protocol, golden = load_protocol(name), VECTORS[name]
    source, last = noise_source("yoked-1", protocol, golden["seed"]), 4
    interval = protocol.n_intervals - 1
    trials = {k: v[:2] for k, v in golden["trials"].items()}  # catch has another SD
    for i, place in enumerate(trials["place"]):
        stream = 16 + interval * last + place
        ids = np.array([trials["stimulus_id"][i]])
        u = (draws_u16(golden["seed"], ids, stream, 144)[0] + 0.5) / 65536
        levels = np.rint(127 * np.clip(0.15 * ndtri(u), -1, 1))
        assert (source.field(trials, interval)[i].ravel() == levels).all()
        assert golden["here"][i] == levels[:8].tolist()


def test_the_floor_of_a_place_has_a_stream_of_its_own_and_pairs_are_opposite():
    base = load_protocol("face-like").to_dict()
    noise = {**base["noise"], "pairs": "opposite", "floor_sd": 0.02}
    task = {"kind": "2afc", "keys": ["f", "j"]}
    places = {"arrangement": "row", "n": 2, "spacing_deg": 8}
    protocol = scene(load_protocol("face-like"), noise=noise, task=task, places=places)
    source = noise_source("yoked-1-basis", protocol, 3)
    table = {"stimulus_id": [5], "place": [1], "block_kind": ["main"]}
    first, second = (source.coefficients(table, k) for k in (0, 1))
    assert (first == -second).all()
    other = source.fields.coefficients(table, 0)
    assert (other != first).any()
    floors = [source.fields.floor(table, k) for k in range(4)]
    assert len({floor.tobytes() for floor in floors}) == 4
    u = draws_u16(3, np.array([5]), 1024 + 1 * 2 + 1, 8)[0]
    levels = np.rint(127 * 0.02 * ndtri((u + 0.5) / 65536))
    assert (floors[3].ravel()[:8] == levels).all()
    shown = {"contrast": [0.1], "target": [1], **table}
    frames = render(protocol, source, shown, "numpy")
    assert (frames == render(protocol, source, shown)).all()


def test_a_scene_is_patches_on_gray_with_the_signal_at_its_place_alone():
    golden = VECTORS["position-unknown"]
    trials = {k: v[:2] for k, v in golden["trials"].items()}
    source = noise_source("yoked-1", OPEN, 5)
    without = render(OPEN, source, {**trials, "contrast": [0.0, 0.0]}).astype(int)
    difference = render(OPEN, source, trials) - without
    signal = np.repeat(np.repeat(signal_levels(OPEN, 0.16)[0], 4, 0), 4, 1)
    for trial, (target, place) in enumerate(
        zip(trials["target"], trials["place"], strict=True)
    ):
        top, left, height, width = Viewing.of(OPEN).places[place]
        there = difference[trial, target, 0, top : top + height, left : left + width]
        assert (there == signal).all()
        there[:] = 0
    assert not difference.any()


def test_places_and_cues_are_balanced_in_every_block_and_class():
    specs = main(run(PlannedSchedule(scene(cue={"neutral": 0.2}), 7)))
    fresh = [s for s in specs if s.pass_ == 1]
    for target in (0, 1):
        own = [s for s in fresh if s.target == target]
        counts = Counter(s.place for s in own[: len(own) // 48 * 48])
        assert set(counts.values()) == {len(own) // 48 * 12}
        neutral = sum(s.cue is None for s in own) / len(own)
        pointed = [s for s in own if s.cue is not None]
        assert neutral == pytest.approx(0.2, abs=0.01)
        valid = np.mean([s.cue == s.place for s in pointed])
        assert valid == pytest.approx(0.75, abs=0.01)
        away = Counter((s.cue - s.place) % 4 for s in pointed)
        assert max(away[k] for k in (1, 2, 3)) - min(away[k] for k in (1, 2, 3)) < 15


def test_a_second_pass_shows_place_and_cue_of_its_first():
    specs = {s.trial: s for s in main(run(PlannedSchedule(CUED, 7)))}
    second = [s for s in specs.values() if s.repeats is not None]
    assert len(second) == 200
    for s in second:
        first = specs[s.repeats]
        assert (s.place, s.cue, s.target) == (first.place, first.cue, first.target)


def test_practice_calibration_and_catch_trials_have_places_and_cues():
    records = run(PlannedSchedule(CUED, 7))
    kinds = Counter(r.spec.block_kind for r in records)
    assert set(kinds) == {"practice", "calibration", "main", "catch"}
    assert all(r.spec.place is not None and r.spec.cue is not None for r in records)


def test_protocols_without_places_have_neither():
    records = run(PlannedSchedule(load_protocol("bar-in-noise"), 7))
    assert {(r.spec.place, r.spec.cue) for r in records} == {(None, None)}


def test_targets_of_a_scene_are_those_of_the_same_blocks_without_it():
    """Places have ranges of their own on stream 0, and disturb no other draw."""
    data = CUED.to_dict()
    del data["places"], data["cue"]
    plain = main(run(PlannedSchedule(Protocol.from_dict(data), 7)))
    specs = main(run(PlannedSchedule(CUED, 7)))
    assert [s.target for s in specs] == [s.target for s in plain]
    assert [s.repeats for s in specs] == [s.repeats for s in plain]


def test_a_session_breaks_off_and_goes_on_with_the_same_places(tmp_path):
    protocol = CUED.with_options(trials=40, contrast=0.2)
    whole = run(PlannedSchedule(protocol, 9))
    replayed = PlannedSchedule(protocol, 9)
    for record in whole[:17]:
        replayed.record(record)
    assert [r.spec for r in run(replayed)] == [r.spec for r in whole[17:]]
    yoked_to = YokedSchedule(protocol, TrialColumns.of(whole))
    assert [r.spec for r in run(yoked_to)] == [r.spec for r in whole]


def test_the_log_keeps_places_and_cues_and_gives_the_frames_back(tmp_path):
    store = open_store(tmp_path / "log.db")
    protocol = scene(cue={"neutral": 0.25}).with_options(trials=60)
    session = yoked.run(protocol, yoked.load_observer("template"), store=store, seed=4)
    store.close()
    read = yoked.load_session(tmp_path / "log.db", session.id)
    assert read.trials["place"].dtype == "Int64"
    assert read.trials["cue"].isna().any()
    frames = yoked.render(read.protocol, read.noise, read.trials)
    assert digests(frames) == read.trials["digest"].tolist()


def test_conditions_have_places_and_cues_of_their_own():
    conditions = [
        {"name": "four"},
        {"name": "two", "places": {"n": 2, "first_deg": 0}, "cue": {"validity": 0.8}},
        {"name": "neutral", "cue": {"neutral": 1.0}},
    ]
    protocol = scene(
        places={"size_deg": 10}, conditions=conditions, double_pass={"n_pairs": 60}
    )
    specs = main(run(PlannedSchedule(protocol, 5)))
    by_name = {
        each["name"]: [s for s in specs if s.condition == each["name"]]
        for each in conditions
    }
    assert {s.place for s in by_name["two"]} == {0, 1}
    assert {s.place for s in by_name["four"]} == {0, 1, 2, 3}
    assert {s.cue for s in by_name["neutral"]} == {None}
    session = yoked.run(
        protocol.with_options(trials=30), yoked.load_observer("guesser"), seed=2
    )
    frames = yoked.render(session.protocol, session.noise, session.trials)
    assert digests(frames) == session.trials["digest"].tolist()
    with pytest.raises(ValueError, match="places must be the same in all conditions"):
        yoked.run(protocol, yoked.load_observer("template"), seed=2)


def test_reserved_trials_have_cues_as_often_valid_as_the_session_s():
    table = Practice(CUED).table(4000)
    assert np.mean(table["cue"] == table["place"]) == pytest.approx(0.75, abs=0.02)
    counts = np.bincount(table["place"])
    assert counts.min() > 900
    other = Practice(CUED, stream=1).table(4000)
    assert (other["place"] != table["place"]).any()


def test_a_trial_without_a_place_is_refused_in_a_scene():
    table = {
        "stimulus_id": [1],
        "contrast": [0.1],
        "target": [0],
        "block_kind": ["main"],
    }
    source = noise_source("yoked-1", OPEN, 5)
    with pytest.raises(
        ValueError, match="place must be from 0 to 3 in each trial, got N"
    ):
        render(OPEN, source, table)
    with pytest.raises(
        ValueError, match="place must be from 0 to 3 in each trial, got 4"
    ):
        render(OPEN, source, {**table, "place": [4]})


def test_a_movie_has_the_frames_of_its_cue_before_it():
    noise, signal = {"grid": [3, 12, 12]}, {"frames": [0, 2]}
    protocol = scene(noise=noise, signal=signal, timing={"frame_ms": 50.0})
    assert protocol.times_ms == (200, 50, 50, 50)
    assert protocol.frame_shape[0] == 4
    viewing = Viewing.of(protocol)
    assert viewing.times_ms == protocol.times_ms
    assert len(viewing.places) == 4
