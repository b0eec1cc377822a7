"""`yoked merge`: what it prints, and what it says when it refuses."""

import hashlib
import json
import sqlite3

import pytest
from click.testing import CliRunner

from yoked.app.cli import cli
from yoked.app.database import open_database
from yoked.app.studies import participations
from yoked.app.studies.tokens import new_token
from yoked.experiments.session.session import Session
from yoked.experiments.store.rows import ObserverInfo
from yoked.experiments.store.sqlite import open_store
from yoked.experiments.store.trial import Response


@pytest.fixture
def labs(tmp_path, protocol):
    """Return two databases with a session of three trials each."""
    paths = [tmp_path / "lab-1.db", tmp_path / "lab-2.db"]
    for number, path in enumerate(paths):
        store = open_store(path)
        person = ObserverInfo("person", f"p{number}")
        session = Session.start(store, protocol, person, "lab", seed=5 + number)
        for _ in range(3):
            session.record(session.next_batch(1), [Response(1, rt_ms=300.0)])
        store.close()
    return paths


def run(*arguments):
    return CliRunner().invoke(cli, ["merge", *map(str, arguments)])


def test_the_command_prints_a_row_a_source(tmp_path, labs):
    result = run(tmp_path / "all.db", *labs)
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)
    assert [row["source"] for row in rows] == [str(path) for path in labs]
    assert [(row["new"], row["trials"]) for row in rows] == [(1, 3), (1, 3)]
    assert result.stderr == f"{tmp_path / 'all.db'} holds all of it now.\n"
    listed = CliRunner().invoke(cli, ["sessions", str(tmp_path / "all.db")])
    assert {row["observer"] for row in json.loads(listed.stdout)} == {"p0", "p1"}


def test_a_second_time_the_command_says_that_nothing_was_new(tmp_path, labs):
    run(tmp_path / "all.db", *labs)
    result = run(tmp_path / "all.db", *labs)
    assert result.exit_code == 0
    assert result.stderr.startswith("Nothing was new: ")
    assert [row["unchanged"] for row in json.loads(result.stdout)] == [1, 1]


def test_conflicts_are_listed_a_line_each(tmp_path, labs):
    target = tmp_path / "all.db"
    run(target, *labs)
    before = hashlib.sha256(target.read_bytes()).hexdigest()
    for path in labs:
        connection = sqlite3.connect(path)
        connection.execute("UPDATE sessions SET seed = 99")
        connection.commit()
        connection.close()
    result = run(target, *labs)
    assert result.exit_code == 1
    assert result.stdout == ""
    head, *conflicts = result.stderr.splitlines()
    assert head == "Error: nothing was merged, because the files contradict each other:"
    assert [line.split(": ")[0] for line in conflicts] == [str(path) for path in labs]
    assert all("has seed 99, but " in line for line in conflicts)
    assert hashlib.sha256(target.read_bytes()).hexdigest() == before


def test_what_stays_is_said(tmp_path, labs):
    store = open_store(labs[0])
    session, token = store.sessions()[0].id, new_token()
    open_database(labs[0]).close()
    with store.transaction(), store.beside() as beside:
        participations.add(beside, token, session, "en", "v1")
    store.close()
    result = run(tmp_path / "all.db", *labs)
    assert f"participations: not merged, stays in {labs[0]}." in result.stderr


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "a database must exist, got "),
        ("participant,response\n" * 50, "got a file that is no SQLite database"),
    ],
)
def test_a_source_that_is_none_gets_one_sentence(tmp_path, labs, text, sentence):
    source = tmp_path / "source.db"
    if text is not None:
        source.write_text(text)
    result = run(tmp_path / "all.db", labs[0], source)
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    assert sentence in line
    assert not (tmp_path / "all.db").exists()


def test_a_merge_without_sources_is_a_usage_error(tmp_path):
    result = run(tmp_path / "all.db")
    assert result.exit_code == 2
    assert "Missing argument 'SOURCE...'" in result.stderr
