"""Yoking from Python: a model is shown a session that was read, without a store."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import yoked

SPECS = ["trial", "stimulus_id", "target", "contrast", "repeats", "block", "block_kind"]


def person(protocol="bar-in-noise", **options):
    observer = yoked.load_observer("template", efficiency=0.8)
    options = {"seed": 1, "trials": 120, "internal_noise": 1.0} | options
    return yoked.run(yoked.load_protocol(protocol), observer, **options)


def test_a_model_is_yoked_to_a_session_that_no_store_holds():
    source = person()
    model = yoked.run(observer=yoked.load_observer("template"), yoke_to=source)
    assert model.yoked_to == source.id
    assert model.trials[SPECS].equals(source.trials[SPECS])
    assert model.trials["digest"].equals(source.trials["digest"])
    assert yoked.compare(source, model).n_shared == len(source.counted)


def test_it_answers_as_it_does_through_a_store(tmp_path):
    path = tmp_path / "results.db"
    source = person(store=path)
    through = yoked.run(
        observer=yoked.load_observer("template"),
        store=path,
        yoke_to=source.id,
        observer_seed=5,
    )
    read = yoked.load_session(path, source.id)
    alone = yoked.run(
        observer=yoked.load_observer("template"), yoke_to=read, observer_seed=5
    )
    names = ["response", "decision_variables", "digest"]
    assert through.trials[names].equals(alone.trials[names])
    store = yoked.open_store(path)
    assert {row.id for row in store.sessions()} == {source.id, through.id}
    store.close()


def test_a_session_is_found_in_the_store_by_itself(tmp_path):
    path = tmp_path / "results.db"
    source = person(store=path)
    observer = yoked.load_observer("guesser")
    model = yoked.run(observer=observer, store=str(path), yoke_to=source)
    assert yoked.load_session(path, model.id).yoked_to == source.id


def test_a_follower_of_a_follower_has_the_first_source():
    source = person()
    second = yoked.run(observer=yoked.load_observer("guesser"), yoke_to=source)
    third = yoked.run(observer=yoked.load_observer("template"), yoke_to=second)
    assert third.yoked_to == source.id


def test_stored_noise_comes_along(tmp_path):
    rng = np.random.default_rng(3)
    n, signal = 60, np.array([0.0, 0.1, 0.0])
    table = pd.DataFrame(
        {
            "stimulus_id": np.arange(n),
            "target": np.arange(n) % 2,
            "response": rng.integers(0, 2, n),
            "contrast": 0.1,
        }
    )
    table.to_csv(tmp_path / "ann.csv", index=False)
    noise = rng.normal(0, 0.1, (n, 2, 1, 1, 3)).astype(np.float32)
    settings = yoked.TableSettings("2afc", noise=noise, signal=signal / 0.1)
    path = tmp_path / "results.db"
    (made,) = yoked.import_table(tmp_path / "ann.csv", path, settings)
    source = yoked.load_session(path, made.session)
    model = yoked.run(observer=yoked.load_observer("template"), yoke_to=source)
    for interval in (0, 1):
        shown = model.noise.field(model.trials, interval)
        assert np.array_equal(shown, noise[:, interval])
    assert yoked.compare(source, model).n_shared == n


def test_exclusions_and_conditions():
    source = person()
    trials = source.trials.assign(excluded=source.trials["trial"] % 7 == 0)
    model = yoked.run(
        observer=yoked.load_observer("template"), yoke_to=replace(source, trials=trials)
    )
    assert len(model.trials) == len(source.trials)
    whole = person("equivalent-noise", trials=100)
    part = yoked.by_condition(whole)["sd-0.05"]
    with pytest.raises(ValueError, match="a finished one, with all its conditions"):
        yoked.run(observer=yoked.load_observer("template"), yoke_to=part)
    model = yoked.run(observer=yoked.load_observer("template"), yoke_to=whole)
    assert list(yoked.by_condition(model)) == list(yoked.by_condition(whole))
