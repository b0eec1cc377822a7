"""An older file is copied before it is brought up to date; its sessions go on."""

import contextlib
import re
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlite_utils.migrations import Migrations

import yoked
from tests import ROOT
from tests.app.web.participant import Participant, served, short_protocol
from yoked.app.studies.tables import migrations
from yoked.experiments.store.merge import merge
from yoked.experiments.store.schema import VERSION
from yoked.experiments.store.sqlite import open_store

TOKEN = "2bvULMesydETcTLdvO0_eN6XdZ8-i9bk"
COPY = re.compile(r"results-before-[\w.]+-\d{4}-\d\d-\d\dT\d{6}\.\d{6}Z\.db")


@pytest.fixture
def old(tmp_path):
    """Return the served file that version 2 left in the middle of a session."""
    path = tmp_path / "results.db"
    dump = ROOT / "tests" / "vectors" / "served-2.sql"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(dump.read_text(encoding="utf-8"))
    return path


def contents(path: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        return [f"version {version}", *connection.iterdump()]


def copies(path: Path) -> list[Path]:
    return sorted(path.parent.glob("results-before-*"))


def open_with_app(path: Path) -> None:
    open_store(path, beside=[migrations]).close()


def test_a_copy_of_an_older_file_stands_beside_it_as_it_was(old, caplog):
    before = contents(old)
    open_with_app(old)
    (copy,) = copies(old)
    assert COPY.fullmatch(copy.name)
    assert contents(copy) == before
    assert before[0] == "version 2"
    assert contents(old)[0] == f"version {VERSION}"
    (line,) = caplog.messages
    assert line == (
        f"results.db is brought up to date; as it was, it is {copy.name} beside it"
    )
    # One file, which can be moved as it is.
    assert sorted(path.name for path in old.parent.iterdir()) == [copy.name, old.name]


def test_a_file_that_lacks_nothing_is_not_copied(old):
    open_with_app(old)
    open_with_app(old)
    assert len(copies(old)) == 1


def test_neither_is_a_new_file_nor_one_that_is_served_for_the_first_time(db_path):
    protocol = yoked.load_protocol("bar-in-noise")
    with contextlib.closing(open_store(db_path)) as store:
        yoked.run(protocol, yoked.load_observer("guesser"), store=store, trials=4)
    open_with_app(db_path)
    assert [path.name for path in db_path.parent.iterdir()] == [db_path.name]


def test_new_tables_of_a_served_file_are_worth_a_copy(old):
    open_with_app(old)
    more = Migrations("yoked-test")

    @more(name="0001_more")
    def _more(db) -> None:
        db.execute("CREATE TABLE more (x INTEGER) STRICT")

    open_store(old, beside=[migrations, more]).close()
    assert len(copies(old)) == 2
    assert "CREATE TABLE more (x INTEGER) STRICT;" in contents(old)


def test_what_only_reads_changes_and_copies_nothing(old):
    before = old.read_bytes()
    open_store(old, to_read=True).close()
    assert (old.read_bytes(), copies(old)) == (before, [])


def test_a_session_of_the_version_before_is_finished_by_this_one(old):
    with served(old, short_protocol(), lut="identity") as app:
        client = app.test_client()
        somebody = Participant(client)  # who begins after the upgrade
        participant = Participant.__new__(Participant)
        participant.client, participant.sent = client, b""
        participant.base, participant.token = f"/session/{TOKEN}", TOKEN
        following = participant.next()
        assert following["trial"] == 5
        participant.finish()
        done = participant.get(f"{participant.base}/done").text
        assert "All 16 trials are stored" in done
        somebody.finish()
    assert len(copies(old)) == 1


def test_the_way_back_is_to_put_the_copy_in_its_place(old, tmp_path):
    before = contents(old)
    open_with_app(old)
    (copy,) = copies(old)
    old.rename(tmp_path / "of-the-new-version.db")
    copy.rename(old)
    assert contents(old) == before
    open_with_app(old)  # and the way forward is open again
    assert contents(old)[0] == f"version {VERSION}"


def test_what_both_versions_collected_comes_together_again(old, tmp_path):
    """After a way back nothing is lost of what the newer version had collected."""
    with served(old, short_protocol(), lut="identity") as app:
        Participant(app.test_client()).finish()
    (copy,) = copies(old)
    newer, both = old.rename(tmp_path / "newer.db"), tmp_path / "both.db"
    merge(both, [copy, newer])
    with contextlib.closing(open_store(both, to_read=True)) as store:
        assert sorted(row.n_trials for row in store.sessions()) == [5, 16]


@pytest.mark.skipif(sys.platform == "win32", reason="limits of files are of POSIX")
def test_without_room_for_the_copy_nothing_is_changed(old):
    import resource

    before, limit = contents(old), old.stat().st_size // 2
    run = subprocess.run(
        excluding(old),
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert run.returncode == 1
    (line,) = run.stderr.splitlines()
    assert line.endswith("results.db is as it was: a copy must come before its upgrade")
    assert contents(old) == before
    assert not copies(old)


def test_a_migration_that_breaks_leaves_the_file_as_it_was(old):
    before = contents(old)
    broken = Migrations("yoked-test")

    @broken(name="0001_broken")
    def _broken(db) -> None:
        db.execute("CREATE TABLE half (x INTEGER) STRICT")
        raise RuntimeError("a fault of ours")

    with pytest.raises(RuntimeError, match="a fault of ours"):
        open_store(old, beside=[migrations, broken])
    assert contents(old) == before


def test_two_that_open_an_older_file_at_once_copy_it_once(old):
    threads = [threading.Thread(target=open_with_app, args=(old,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(copies(old)) == 1
    assert contents(old)[0] == f"version {VERSION}"


@pytest.mark.skipif(sys.platform == "win32", reason="files have other rights there")
def test_the_copy_is_for_the_same_eyes(old):
    old.chmod(0o640)
    open_with_app(old)
    assert stat.S_IMODE(copies(old)[0].stat().st_mode) == 0o640


def excluding(path: Path) -> list[str]:
    """Return a command that writes to a file."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        (session,) = connection.execute("SELECT id FROM sessions").fetchone()
    command = [sys.executable, "-m", "yoked", "exclude", str(path), session, "0"]
    return [*command, "--reason", "a test"]


def test_a_command_says_so_in_one_line(old):
    run = subprocess.run(excluding(old), capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    first, second = run.stderr.splitlines()
    assert first.startswith("results.db is brought up to date; as it was, it is resul")
    assert second.startswith("Excluded 1 trials")
