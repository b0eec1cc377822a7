"""What a study's files cost: memory for one piece, whatever the number of trials."""

import itertools
import sqlite3
import tracemalloc
from contextlib import closing

import pytest

from yoked.app.exports.study_files import KINDS, study_pieces
from yoked.app.studies.arms import Arm
from yoked.app.studies.description import Study
from yoked.app.studies.kept import add_study, find_study
from yoked.app.studies.tables import migrations
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.store.sqlite import open_store
from yoked.models.observers.guesser import Guesser
from yoked.models.simulate import run

TRIALS = 1000
MOST_MIB = 40.0
NUMBERS = itertools.count()


def put_sessions(db_path, n: int) -> None:
    """Put a study with so many sessions of a thousand trials into a database."""
    protocol = load_protocol("bar-in-noise").with_options(TRIALS, contrast=0.2)
    store = open_store(db_path, beside=[migrations])
    add_study(
        store, Study("bars", consent={"en": "?"}, arms=(Arm("all", (protocol,)),))
    )
    for _ in range(n):
        session = run(protocol, Guesser(), store=store, seed=1 + next(NUMBERS))
        token = f"t{next(NUMBERS)}"
        with store.transaction(), store.beside() as connection:
            connection.execute(
                "INSERT INTO enrolments (token_hash, study, arm, is_pilot, begun_at, "
                "withdrawal_hash) VALUES (?, 1, 0, 0, 'now', ?)",
                [token, token],
            )
            connection.execute(
                "INSERT INTO participations "
                "VALUES (?, ?, 1, 'en', 'v', 'now', ?, NULL, NULL)",
                [session.id, token, token],
            )
    store.close()


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    path = tmp_path_factory.mktemp("large") / "large.db"
    put_sessions(path, 16)
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_never_all_in_memory(large, kind):
    with closing(open_store(large, to_read=True)) as store:
        kept = find_study(store, "bars")
        next(study_pieces(store, kept, kind))  # what is loaded once
        tracemalloc.start()
        n_bytes = sum(map(len, study_pieces(store, kept, kind)))
        peak_mib = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
    assert n_bytes > 1e6
    assert peak_mib < MOST_MIB


def test_who_takes_a_file_slowly_keeps_no_reading_open(large):
    with closing(open_store(large, to_read=True)) as store:
        pieces = study_pieces(store, find_study(store, "bars"), "csv")
        next(pieces)
        with closing(sqlite3.connect(large)) as other:
            other.execute("CREATE TABLE beside (x INTEGER)")
            other.execute("DROP TABLE beside")
            busy = other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        pieces.close()
    assert not busy
