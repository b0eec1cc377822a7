"""Coding mistakes of a table: seen although the value that betrays them is absent."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from yoked.app.cli import cli
from yoked.experiments.imports.table import import_table
from yoked.experiments.imports.table_settings import TableSettings
from yoked.experiments.session.results import load_session
from yoked.experiments.session.session import Session
from yoked.experiments.store.rows import ObserverInfo
from yoked.experiments.store.sqlite import open_store

N = 400
RNG = np.random.default_rng(7)
NOISE = RNG.normal(0, 0.15, (N, 9))
TARGET = RNG.integers(0, 2, N)
OWN = RNG.normal(0, 0.1, N)
RESPONSE = (NOISE[:, 4] + 0.2 * TARGET + OWN > 0.1).astype(int)
PAIRS = {
    "trial": range(N),
    "stimulus_id": [*range(N // 2)] * 2,
    "repeats": pd.array([None] * (N // 2) + [*range(N // 2)], dtype="Int64"),
    "target": np.tile(TARGET[: N // 2], 2),
}


def write(folder, drop=(), **columns):
    data = {"target": TARGET, "response": RESPONSE, **columns}
    path = folder / "ann.csv"
    pd.DataFrame(data).drop(columns=[*drop]).to_csv(path, index=False)
    return path


def read(folder, task="yes_no", noise=NOISE, options=None, **columns):
    """Import a table into a database of its own."""
    how = TableSettings(task, noise=noise, **(options or {}))
    db = folder / f"{len([*folder.glob('*.db')])}.db"
    (made,) = import_table(write(folder, **columns), db, how)
    return made, load_session(db, made.session)


def test_a_table_without_a_mistake_gets_no_note(tmp_path):
    rt = RNG.uniform(300, 900, N)
    assert read(tmp_path, rt_ms=rt, stimulus_id=range(N))[0].notes == ()
    assert read(tmp_path, **PAIRS, response=agreeing())[0].notes == ()


# Ids ---------------------------------------------------------------------------------


def test_ids_that_may_start_at_1_are_told_with_both_ways_out(tmp_path):
    ids = [*range(1, N), 1]
    made, _ = read(tmp_path, stimulus_id=ids)
    assert made.notes == (
        "no stimulus_id is 0, and the largest is 399: if they count from 1, each trial "
        "has the noise of another; --counted-from stimulus_id=1 reads them so, and "
        "--counted-from stimulus_id=0 says that they are right",
    )
    right = {"counted_from": {"stimulus_id": 0}}
    made, as_they_are = read(tmp_path, stimulus_id=ids, options=right)
    assert made.notes == ()
    renamed = {"columns": {"stimulus_id": "field"}}
    made, _ = read(tmp_path, field=ids, options=renamed)
    assert made.notes[0].startswith("no field is 0")
    assert read(tmp_path, field=ids, options={**renamed, **right})[0].notes == ()
    shifted = {"counted_from": {"stimulus_id": 1}}
    made, session = read(tmp_path, stimulus_id=ids, options=shifted)
    assert made.notes == ()
    assert session.trials["stimulus_id"].tolist() == [*range(N - 1), 0]
    assert as_they_are.trials["stimulus_id"].tolist() == ids


def test_ids_that_reach_the_number_of_stimuli_are_refused_with_the_reason(tmp_path):
    with pytest.raises(
        ValueError,
        match=r"stimulus_id in row 400 of ann\.csv must be a row of the noise, from 0 "
        r"to 399, got '400'; none is 0: if they start at 1, say --counted-from "
        r"stimulus_id=1",
    ):
        read(tmp_path, stimulus_id=range(1, N + 1))
    made, session = read(
        tmp_path,
        stimulus_id=range(1, N + 1),
        options={"counted_from": {"stimulus_id": 1}},
    )
    assert made.notes == ()
    assert session.trials["stimulus_id"].tolist() == [*range(N)]


def test_a_0_among_ids_that_count_from_1_is_refused(tmp_path):
    options = {"counted_from": {"stimulus_id": 1}}
    with pytest.raises(
        ValueError, match=r"row 1 .* must be a row of the noise, from 1 to 400, got '0'"
    ):
        read(tmp_path, stimulus_id=range(N), options=options)


def test_an_id_far_beyond_the_array_is_no_matter_of_counting(tmp_path):
    with pytest.raises(ValueError, match=r"from 0 to 399, got '900'$"):
        read(tmp_path, stimulus_id=[900, *range(1, N)])


# Responses and targets ---------------------------------------------------------------


def test_responses_and_targets_from_1_are_refused_with_the_reason(tmp_path):
    for name, codes in (("response", RESPONSE), ("target", TARGET)):
        with pytest.raises(
            ValueError,
            match=rf"{name} in row \d+ of ann\.csv must be 0 or 1, got '2'; none is 0: "
            rf"if they start at 1, say --counted-from {name}=1",
        ):
            read(tmp_path, **{name: codes + 1})
    options = {"counted_from": {"response": 1, "target": 1}}
    _, session = read(
        tmp_path, response=RESPONSE + 1, target=TARGET + 1, options=options
    )
    assert session.trials["response"].tolist() == RESPONSE.tolist()
    assert session.trials["target"].tolist() == TARGET.tolist()


def test_a_rating_that_never_is_0_is_told(tmp_path):
    ratings = 3 * TARGET + RNG.integers(0, 2, N) + 1  # 1, 2, 4, 5 of 0 to 5
    six = {"n_alternatives": 6}
    made, _ = read(tmp_path, "rating", response=ratings, options=six)
    assert made.notes == (
        "no response is 0, of 0 to 5: if they count from 1, --counted-from response=1 "
        "reads them so, and --counted-from response=0 says that they are right",
    )
    for first in (0, 1):
        told = {**six, "counted_from": {"response": first}}
        made, session = read(tmp_path, "rating", response=ratings, options=told)
        assert made.notes == ()
        assert session.trials["response"].tolist() == (ratings - first).tolist()


def test_targets_and_responses_of_several_places_without_0_are_told(tmp_path):
    noise = RNG.normal(0, 0.1, (N, 4, 5))
    target = RNG.integers(1, 4, N)
    made, _ = read(
        tmp_path, "mafc", noise, {"n_alternatives": 4}, target=target, response=target
    )
    assert [note.split(":")[0] for note in made.notes] == [
        "no target is 0, of 0 to 3",
        "no response is 0, of 0 to 3",
    ]


def test_responses_that_are_all_1_may_be_all_the_first(tmp_path):
    made, _ = read(tmp_path, response=1)
    assert made.notes[0].startswith("no response is 0, of 0 to 1: if they count from 1")
    assert read(tmp_path, response=0)[0].notes == ()


@pytest.mark.parametrize(("only", "task"), [(0, "yes_no"), (1, "yes_no"), (0, "2afc")])
def test_one_target_only_is_told(tmp_path, only, task):
    noise = NOISE if task == "yes_no" else np.stack([NOISE, -NOISE], axis=1)
    made, _ = read(tmp_path, task, noise, target=only)
    (note,) = [note for note in made.notes if note.startswith("every target is")]
    assert note == (
        f"every target is {only}: with one target only there is no d', and what was "
        "seen cannot be told from a preference for a response"
    )


# Response times ----------------------------------------------------------------------


def test_response_times_in_seconds_are_told(tmp_path):
    seconds = RNG.uniform(0.3, 0.9, N).round(4)
    made, session = read(tmp_path, rt_ms=seconds)
    assert made.notes == (
        f"rt_ms has a median of {np.median(seconds):.3g} ms: if these are seconds, "
        "--rt-unit s reads them so, and --rt-unit ms says that they are right",
    )
    assert session.trials["rt_ms"].tolist() == seconds.tolist()
    made, session = read(tmp_path, rt_ms=seconds, options={"rt_unit": "s"})
    assert made.notes == ()
    np.testing.assert_allclose(session.trials["rt_ms"], 1000 * seconds, rtol=1e-12)
    assert read(tmp_path, rt_ms=seconds, options={"rt_unit": "ms"})[0].notes == ()


def test_some_early_or_missing_response_times_are_no_seconds(tmp_path):
    times = np.where(np.arange(N) % 5 == 0, 0.5, 350.0)
    times[1::5] = np.nan
    assert read(tmp_path, rt_ms=times)[0].notes == ()
    assert read(tmp_path, rt_ms=0)[0].notes == ()  # not measured


# Two passes --------------------------------------------------------------------------


def agreeing(share=0.75):
    """Return the first pass, and a second that agrees in a share of the trials."""
    rng = np.random.default_rng(11)
    first = RESPONSE[: N // 2]
    second = np.where(rng.random(N // 2) < share, first, 1 - first)
    return np.concatenate([first, second])


def test_passes_that_agree_far_below_chance_are_told(tmp_path):
    made, _ = read(tmp_path, **PAIRS, response=agreeing(0.25))
    (note,) = [note for note in made.notes if "second" in note]
    assert note.endswith(
        "of 200 second showings got the response of the first, and by chance it is "
        "50%: were the keys the other way round in one pass?"
    )
    assert read(tmp_path, **PAIRS, response=agreeing(0.45))[0].notes == ()


def test_passes_that_agree_in_no_trial_are_refused(tmp_path):
    with pytest.raises(
        ValueError,
        match=r"responses of ann to 200 second showings must agree with the first in "
        r"some trial, got none; the keys were the other way round in one pass",
    ):
        read(tmp_path, **PAIRS, response=agreeing(0.0))
    assert not [*tmp_path.glob("*.db")]


def test_few_pairs_that_never_agree_may_be_chance(tmp_path):
    pairs = {**PAIRS, "repeats": pd.array([None] * (N - 5) + [0, 1, 2, 3, 4], "Int64")}
    pairs["stimulus_id"] = [*range(N - 5), 0, 1, 2, 3, 4]
    pairs["target"] = np.concatenate([TARGET[: N - 5], TARGET[:5]])
    response = np.concatenate([RESPONSE[: N - 5], 1 - RESPONSE[:5]])
    assert read(tmp_path, **pairs, response=response)[0].notes == ()


# The options -------------------------------------------------------------------------


def test_the_command_has_the_ways_out_that_the_notes_name(tmp_path, db_path):
    np.save(tmp_path / "noise.npy", NOISE)
    seconds = RNG.uniform(0.3, 0.9, N).round(4)
    path = write(tmp_path, stimulus_id=range(1, N + 1), rt_ms=seconds)
    done = CliRunner().invoke(
        cli,
        [
            *("import", "table", str(path), str(db_path), "--task", "yes_no"),
            *("--noise", str(tmp_path / "noise.npy")),
            *("--counted-from", "stimulus_id=1", "--rt-unit", "s"),
        ],
    )
    assert done.exit_code == 0, done.output
    (row,) = json.loads(done.stdout)
    assert row["notes"] == []
    trials = load_session(db_path, row["session"]).trials
    assert trials["stimulus_id"].tolist() == [*range(N)]
    assert trials["rt_ms"].median() > 300


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"counted_from": {"trial": 1}},
            r"counted_from must be of target, response or stimulus_id, got 'trial'",
        ),
        (
            {"counted_from": {"target": 2}},
            r"counted_from of target must be 0 or 1, got 2",
        ),
        ({"rt_unit": "min"}, r"rt_unit must be ms or s, got 'min'"),
    ],
)
def test_settings_that_cannot_be_are_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        TableSettings("yes_no", noise=NOISE, **options)


def test_an_import_that_was_read_wrongly_is_replaced(tmp_path, db_path):
    """Else a note would come too late: the same trials cannot be imported again."""
    seconds = RNG.uniform(0.3, 0.9, N).round(4)
    path = write(tmp_path, stimulus_id=[*range(1, N), 1], rt_ms=seconds)
    wrong = TableSettings("yes_no", noise=NOISE)
    right = TableSettings(
        "yes_no", noise=NOISE, counted_from={"stimulus_id": 1}, rt_unit="s"
    )
    (first,) = import_table(path, db_path, wrong)
    (second,) = import_table(path, db_path, right, [first.session])
    (third,) = import_table(path, db_path, right, [second.session])
    assert third.notes == ()
    store = open_store(db_path)
    states = {row.id: (row.status, row.n_trials) for row in store.sessions()}
    store.close()
    assert states == {
        first.session: ("withdrawn", 0),
        second.session: ("withdrawn", 0),
        third.session: ("finished", N),
    }
    assert len(load_session(db_path, third.session).counted) == N


def test_only_an_import_can_be_replaced(tmp_path, db_path, protocol):
    path, how = write(tmp_path), TableSettings("yes_no", noise=NOISE)
    (first,) = import_table(path, db_path, how)
    store = open_store(db_path)
    lab = Session.start(store, protocol, ObserverInfo("person", "ann"), "lab")
    store.close()
    for session, sentence in (
        (
            lab.id,
            f"{lab.id} must be an import that is not withdrawn, .* got one of lab",
        ),
        ("none", "a session must be in the database, got 'none'"),
    ):
        with pytest.raises((ValueError, LookupError), match=sentence):
            import_table(path, db_path, how, [first.session, session])
    store = open_store(db_path)
    assert [row.status for row in store.sessions()] == ["finished", "unfinished"]
    store.withdraw(first.session)
    store.close()
    with pytest.raises(ValueError, match="to be replaced, got withdrawn"):
        import_table(path, db_path, how, [first.session])
