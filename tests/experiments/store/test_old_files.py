"""Files of every earlier version: read as they are, and brought up to date."""

import contextlib
import sqlite3
from pathlib import Path

import pytest

import yoked
from tests import ROOT
from yoked.app.database import open_database
from yoked.experiments.store.merge import merge
from yoked.experiments.store.schema import VERSION
from yoked.experiments.store.sqlite import open_store
from yoked.experiments.store.trial_columns import TRIAL_COLUMNS

VERSIONS = range(1, VERSION)
TOKEN_OF_VERSION_1 = "b77c42ad4ae0aa8c88a055b7489f121f782a4b74bb3399b774920dd53e835088"


def old_file(folder: Path, version: int) -> Path:
    """Make the trial log that an earlier version left behind."""
    path = folder / f"version-{version}.db"
    dump = ROOT / "tests" / "vectors" / f"trial-log-{version}.sql"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(dump.read_text(encoding="utf-8"))
    return path


@pytest.fixture(params=VERSIONS)
def old(request, tmp_path) -> Path:
    return old_file(tmp_path, request.param)


def _columns(path: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return [row[1] for row in connection.execute("PRAGMA table_info(trials)")]


def test_an_old_file_is_analysed_without_being_changed(old):
    before = old.read_bytes()
    store = open_store(old, create=False, to_read=True)
    (row,) = store.sessions()
    store.close()
    session = yoked.load_session(old, row.id)
    assert len(session.trials) == 14
    assert session.trials["excluded"].tolist().index(True) == 3
    assert session.trials["offsets_ms"].isna().all()
    assert session.trials["n_shown"].isna().all()
    assert yoked.dprime(session).value > 0
    assert old.read_bytes() == before


def test_an_old_file_is_brought_up_to_date_when_it_is_written(old):
    store = open_store(old)
    (row,) = store.sessions()
    before = store.trials(row.id)
    assert [record.response.n_shown for record in before] == [None] * 14
    protocol, guesser = (
        yoked.load_protocol("bar-in-noise"),
        yoked.load_observer("guesser"),
    )
    session = yoked.run(protocol, guesser, store=store, seed=2, trials=4)
    assert store.trials(row.id) == before
    store.close()
    assert _columns(old)[1:] == list(TRIAL_COLUMNS)
    assert len(yoked.load_session(old, session.id).trials) > 0


def test_an_old_file_and_its_copy_brought_up_to_date_merge_without_a_conflict(
    old, tmp_path
):
    target, copy = tmp_path / "all.db", tmp_path / "copy.db"
    copy.write_bytes(old.read_bytes())
    open_store(copy).close()
    merged = merge(target, [old, copy, old])
    store = open_store(target, to_read=True)
    assert len(store.sessions()) == 1
    store.close()
    assert len(merged) == 3


def test_a_link_of_an_old_file_still_leads_to_its_session(old):
    open_database(old).close()
    with contextlib.closing(sqlite3.connect(old)) as connection:
        rows = connection.execute("SELECT token_hash FROM participations").fetchall()
    assert rows == [(TOKEN_OF_VERSION_1,)]
