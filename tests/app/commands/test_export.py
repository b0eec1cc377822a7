"""`yoked export --format`: the trial log's own CSV, PsychoPy's, and Psych-DS."""

import csv
import io
import json

import pandas as pd
import pytest
from click.testing import CliRunner

from yoked.app.cli import cli
from yoked.app.exports.wide_csv import wide_columns
from yoked.experiments.session.session import Session
from yoked.experiments.store.rows import ObserverInfo
from yoked.experiments.store.sqlite import open_store
from yoked.experiments.store.trial import Response


@pytest.fixture
def sessions(db_path, protocol):
    """Return the ids of two sessions of three trials in `db_path`."""
    store = open_store(db_path)
    ids = []
    for seed, name in enumerate(("p1", "p2"), 5):
        person = ObserverInfo("person", name)
        session = Session.start(store, protocol, person, "lab", seed=seed)
        for _ in range(3):
            response = Response(1, rt_ms=300.5, onsets_ms=(0.0, 600.25))
            session.record(session.next_batch(1), [response])
        ids.append(session.id)
    store.close()
    return ids


def run(*arguments):
    return CliRunner().invoke(cli, ["export", *map(str, arguments)])


def test_the_wide_csv_is_printed_or_written(db_path, sessions, tmp_path):
    printed = run(db_path, "--format", "psychopy")
    assert printed.exit_code == 0, printed.output
    rows = list(csv.DictReader(io.StringIO(printed.stdout)))
    assert list(rows[0]) == wide_columns(2)
    assert [row["key_resp.rt"] for row in rows] == ["0.3005"] * 6
    assert {row["participant"] for row in rows} == {"p1", "p2"}
    result = run(db_path, tmp_path / "wide.csv", "--format", "psychopy")
    assert result.stderr == f"6 trials of 2 sessions in {tmp_path / 'wide.csv'}.\n"
    data = (tmp_path / "wide.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")  # utf-8-sig, as PsychoPy's files
    assert data.decode("utf-8-sig") == printed.stdout


def test_the_plain_csv_is_what_it_was(db_path, sessions, tmp_path):
    run(db_path, tmp_path / "trials.csv")
    text = (tmp_path / "trials.csv").read_text()
    assert text.startswith("session,observer,")
    assert text == run(db_path, "--format", "csv").stdout


def test_a_psych_ds_folder_is_written(db_path, sessions, tmp_path):
    result = run(db_path, tmp_path / "shared", "--format", "psych-ds")
    assert result.exit_code == 0, result.output
    described = json.loads((tmp_path / "shared/dataset_description.json").read_text())
    assert described["description"].startswith("6 trials of 2 sessions, 2 participants")
    assert len(list((tmp_path / "shared" / "data").iterdir())) == 2


@pytest.mark.parametrize("style", ["csv", "psychopy", "psych-ds"])
def test_one_session_can_be_chosen(db_path, sessions, tmp_path, style):
    place = tmp_path / "one"
    result = run(db_path, place, "--format", style, "--session", sessions[1])
    assert result.stderr == f"3 trials of 1 sessions in {place}.\n"


@pytest.mark.parametrize("style", ["csv", "psychopy", "psych-ds"])
def test_an_unknown_session_writes_nothing(db_path, sessions, tmp_path, style):
    place = tmp_path / "one"
    result = run(db_path, place, "--format", style, "--session", "2020-01-01-abc")
    assert result.exit_code == 1
    assert "must be in the database, got '2020-01-01-abc'" in result.stderr
    assert not place.exists()


def test_a_psych_ds_folder_cannot_be_printed(db_path, sessions):
    result = run(db_path, "--format", "psych-ds")
    assert result.exit_code == 2
    assert "--format psych-ds needs the name of a folder to make" in result.stderr


def test_a_folder_that_is_full_is_refused(db_path, sessions, tmp_path):
    place = tmp_path / "shared"
    place.mkdir()
    (place / "notes.txt").write_text("mine")
    result = run(db_path, place, "--format", "psych-ds")
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert "must not exist, or be an empty folder" in line
    assert [path.name for path in place.iterdir()] == ["notes.txt"]


def test_an_unknown_format_is_a_usage_error(db_path, sessions):
    result = run(db_path, "--format", "spss")
    assert result.exit_code == 2
    assert "'spss' is not one of 'csv', 'psychopy', 'psych-ds'" in result.stderr


def test_every_way_to_write_csv_keeps_formulas_and_seeds_as_text(
    db_path, protocol, tmp_path
):
    """R and spreadsheets round an integer of 19 digits, and calculate '=1+1'."""
    seed, name = 2640386212269488957, '=HYPERLINK("http://x";"y")'
    store = open_store(db_path)
    person = ObserverInfo("person", name)
    session = Session.start(store, protocol, person, "lab", seed=seed)
    reason = "@SUM(A1)"
    response = Response(1, valid=False, invalid_reason=reason, rt_ms=-0.5)
    session.record(session.next_batch(1), [response])
    store.close()
    run(db_path, tmp_path / "set", "--format", "psych-ds")
    (data,) = (tmp_path / "set" / "data").iterdir()
    listed = CliRunner().invoke(cli, ["sessions", str(db_path), "--csv"]).stdout
    texts = {
        "csv": run(db_path).stdout,
        "psychopy": run(db_path, "--format", "psychopy").stdout,
        "psych-ds": data.read_text(encoding="utf-8"),
        "sessions": listed,
    }
    for style, text in texts.items():
        (row,) = csv.DictReader(io.StringIO(text))
        who = "participant" if style == "psychopy" else "observer"
        assert row[who] == f"'{name}", style
        assert row.get("seed", f"seed:{seed}") == f"seed:{seed}", style
        assert row.get("invalid_reason", f"'{reason}") == f"'{reason}", style
        assert row.get("rt_ms", "-0.5") == "-0.5", style
        (read,) = pd.read_csv(io.StringIO(text)).to_dict("records")
        assert read.get("seed", f"seed:{seed}") == f"seed:{seed}", style


def test_a_seed_as_it_was_exported_is_taken_as_a_seed(tmp_path):
    seed = 2640386212269488957
    words = ("simulate", "bar-in-noise", "guesser", "--trials", "20", "--csv")
    rows = [
        next(csv.DictReader(io.StringIO(done.stdout)))
        for text in (f"seed:{seed}", str(seed))
        for db in [str(tmp_path / f"{text[:4]}.db")]
        for done in [CliRunner().invoke(cli, [*words, db, "--seed", text])]
    ]
    assert [row["seed"] for row in rows] == [f"seed:{seed}"] * 2
