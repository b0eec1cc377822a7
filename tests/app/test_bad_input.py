"""Bad input: one clear sentence, no traceback, and no file changed."""

import hashlib
import resource
import shutil
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests import ROOT
from yoked.app.cli import cli
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.session.session import Session
from yoked.experiments.store.rows import ObserverInfo
from yoked.experiments.store.sqlite import open_store

SHIPPED = (ROOT / "experiments" / "protocols" / "bar-in-noise.toml").read_text()
# Every command that is given a database, to try a bad one on.
ON_A_DATABASE = {
    "sessions": ("sessions", "DB"),
    "export": ("export", "DB"),
    "analyse": ("analyse", "DB"),
    "compare": ("compare", "DB", "2026-01-10-aaa", "2026-01-10-bbb"),
    "report": ("report", "DB", "-o", "PAGE"),
    "simulate": ("simulate", "bar-in-noise", "guesser", "DB", "--trials", "20"),
    "serve": ("serve", "DB", "--port", "0"),
}

ON_READING = [name for name in ON_A_DATABASE if name not in ("simulate", "serve")]


def complaints(*arguments: object) -> list[str]:
    """Return the sentences of a command that must fail with nothing but those."""
    result = CliRunner().invoke(cli, [str(a) for a in arguments])
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    return result.stderr.removeprefix("Error: ").splitlines()


def complaint(*arguments: object) -> str:
    """Return the one sentence of a command that must fail."""
    (sentence,) = complaints(*arguments)
    return sentence


def sha256(path: Path) -> str:
    """Return the hash of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def files(folder: Path) -> dict[str, str]:
    """Return the hash of every file in a folder, to compare before and after.

    SQLite's own lock file (-shm) and an empty journal (-wal) hold no data.
    """
    return {
        path.name: sha256(path)
        for path in folder.iterdir()
        if not path.name.endswith("-shm")
        and not (path.name.endswith("-wal") and path.stat().st_size == 0)
    }


def on(db: Path, command: str) -> list[object]:
    """Return a command's arguments with its files filled in."""
    return filled_in(db, ON_A_DATABASE[command])


def filled_in(db: Path, words: tuple[str, ...]) -> list[object]:
    """Return arguments with a database for DB and a page beside it for PAGE."""
    places = {"DB": db, "PAGE": db.with_name("report.html")}
    return [places.get(word, word) for word in words]


@pytest.fixture
def finished(db_path):
    """Return the id of a finished session of 20 main trials in `db_path`."""
    command = on(db_path, "simulate")
    result = CliRunner().invoke(cli, [str(word) for word in command])
    assert result.exit_code == 0, result.output
    (row,) = rows(db_path)
    return row.id


@pytest.fixture
def unfinished(db_path):
    """Return the id of a session that has not been answered, in `db_path`."""
    store = open_store(db_path)
    protocol = load_protocol("bar-in-noise")
    session = Session.start(store, protocol, ObserverInfo("person", "p1"), "web")
    store.close()
    return session.id


def rows(db: Path):
    """Return the sessions of a database."""
    store = open_store(db, create=False)
    try:
        return store.sessions()
    finally:
        store.close()


# Protocols -------------------------------------------------------------------------


def test_levels_that_leave_the_range_are_refused_with_the_numbers(tmp_path, db_path):
    path = tmp_path / "loud.toml"
    path.write_text(SHIPPED.replace("sd = 0.1", "sd = 0.3", 1))
    before = files(tmp_path)
    sentence = complaint("simulate", path, "guesser", db_path)
    assert "contrast must be at most" in sentence
    assert "levels" in sentence
    assert files(tmp_path) == before


def test_every_fault_of_a_protocol_gets_one_sentence(tmp_path):
    path = tmp_path / "faulty.toml"
    faulty = SHIPPED.replace('kind = "2afc"', 'kind = "3afc"', 1)
    path.write_text(faulty.replace("sd = 0.1", "sd = -1", 1))
    sentences = complaints("preview", path, "-o", tmp_path / "frame.png")
    assert len(sentences) == 2
    assert any("kind must be one of 2afc" in sentence for sentence in sentences)
    assert any("sd must be in (0, 1], got -1" in sentence for sentence in sentences)
    assert not (tmp_path / "frame.png").exists()


@pytest.mark.parametrize(
    ("text", "sentence"), [("title = ", "must be TOML"), ("\0", "must be TOML")]
)
def test_a_file_that_is_no_toml_is_named(tmp_path, text, sentence):
    path = tmp_path / "notes.toml"
    path.write_text(text)
    said = complaint("preview", path, "-o", tmp_path / "frame.png")
    assert said.startswith("notes.toml")
    assert sentence in said


def test_an_unknown_protocol_gets_the_nearest_name(tmp_path):
    said = complaint("preview", "bar-in-nose", "-o", tmp_path / "frame.png")
    assert said == "no protocol named 'bar-in-nose'; did you mean 'bar-in-noise'?"


def test_a_contrast_out_of_range_is_refused(db_path):
    command = ("simulate", "bar-in-noise", "guesser", db_path, "--contrast", "0.9")
    assert "contrast must be at most" in complaint(*command)
    assert not db_path.exists()


# Observers -------------------------------------------------------------------------


def test_an_unknown_observer_gets_the_nearest_name(db_path):
    said = complaint("simulate", "bar-in-noise", "retna-cnn", db_path)
    assert said == "no observer named 'retna-cnn'; did you mean 'retina-cnn'?"
    assert not db_path.exists()


def test_an_observer_that_lacks_a_method_is_refused(tmp_path, db_path):
    path = tmp_path / "mine.py"
    path.write_text("class Mine:\n    name = 'mine'\n")
    said = complaint("simulate", "bar-in-noise", f"{path}:Mine", db_path)
    assert "must have name, prepare and decide" in said
    assert not db_path.exists()


# Databases -------------------------------------------------------------------------


@pytest.mark.parametrize("command", ON_A_DATABASE)
def test_a_file_that_is_no_database_stays_as_it_is(tmp_path, command):
    path = tmp_path / "letter.db"
    path.write_text("Dear colleague, " * 100)
    before = files(tmp_path)
    assert "must be a trial log of Yoked" in complaint(*on(path, command))
    assert files(tmp_path) == before


@pytest.mark.parametrize("command", ON_A_DATABASE)
def test_a_database_of_another_program_stays_as_it_is(tmp_path, command):
    path = tmp_path / "recipes.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.close()
    before = files(tmp_path)
    assert "must be a trial log of Yoked" in complaint(*on(path, command))
    assert files(tmp_path) == before


@pytest.mark.parametrize("command", ON_A_DATABASE)
def test_a_database_of_a_newer_version_stays_as_it_is(db_path, finished, command):
    with sqlite3.connect(db_path) as connection:
        connection.execute("PRAGMA user_version = 9999")
    connection.close()
    before = files(db_path.parent)
    assert "a newer Yoked wrote it" in complaint(*on(db_path, command))
    assert files(db_path.parent) == before


@pytest.mark.parametrize("command", ON_READING)
def test_reading_a_database_that_is_not_there_makes_none(db_path, command):
    assert "must exist" in complaint(*on(db_path, command))
    assert not db_path.exists()


@pytest.mark.parametrize("command", ON_READING)
def test_a_truncated_database_is_called_damaged(db_path, finished, command):
    with db_path.open("r+b") as file:
        file.truncate(db_path.stat().st_size // 2)
    before = files(db_path.parent)
    assert "damaged" in complaint(*on(db_path, command))
    assert files(db_path.parent) == before


def test_a_folder_is_no_database(tmp_path):
    result = CliRunner().invoke(cli, ["sessions", str(tmp_path)])
    assert result.exit_code == 2
    assert "is a directory" in result.stderr


# Published data --------------------------------------------------------------------


@pytest.fixture
def published(shared_data, tmp_path) -> Path:
    """Return a copy of a published file that a test may damage."""
    return Path(
        shutil.copy(shared_data("murray2015/experiment1_subject01.txt"), tmp_path)
    )


def test_a_truncated_data_file_writes_nothing(published, db_path, finished):
    content = published.read_bytes()
    published.chmod(0o644)
    published.write_bytes(content[: len(content) // 2])
    before = files(db_path.parent)
    said = complaint("import", "murray2015", published, db_path)
    assert "altered or cut short" in said
    assert files(db_path.parent) == before


def test_an_altered_data_file_writes_nothing(published, db_path):
    published.chmod(0o644)
    published.write_bytes(published.read_bytes().replace(b"\t2\t", b"\t1\t", 1))
    assert "altered" in complaint("import", "murray2015", published, db_path)
    assert not db_path.exists()


def test_a_data_file_that_is_not_there_is_named(tmp_path, db_path):
    said = complaint("import", "murray2015", tmp_path / "nothing.txt", db_path)
    assert "nothing.txt: no such file" in said
    assert not db_path.exists()


# Sessions --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        ("export", "DB", "--session", "2026-01-10-zzz"),
        ("analyse", "DB", "2026-01-10-zzz"),
        ("compare", "DB", "2026-01-10-zzz", "2026-01-10-zzz"),
        ("report", "DB", "2026-01-10-zzz", "-o", "PAGE"),
        ("simulate", "guesser", "DB", "--yoke-to", "2026-01-10-zzz"),
    ],
)
def test_a_session_that_does_not_exist_is_named(db_path, finished, command):
    before = files(db_path.parent)
    said = complaint(*filled_in(db_path, command))
    assert "'2026-01-10-zzz'" in said
    assert files(db_path.parent) == before


def test_yoking_to_an_unfinished_session_is_refused(db_path, unfinished):
    said = complaint("simulate", "guesser", db_path, "--yoke-to", unfinished)
    assert f"session {unfinished} must be finished" in said
    assert len(rows(db_path)) == 1


@pytest.mark.parametrize(
    "command", [("analyse", "DB"), ("report", "DB", "-o", "PAGE"), ("compare", "DB")]
)
def test_an_unfinished_session_is_refused_where_it_is_named(
    db_path, unfinished, command
):
    before = files(db_path.parent)
    words = filled_in(db_path, command)
    said = complaint(*words[:2], unfinished, unfinished, *words[2:])
    assert f"session {unfinished} must be finished, got unfinished" in said
    assert files(db_path.parent) == before


# The machine -----------------------------------------------------------------------


def test_a_port_in_use_is_named(db_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "yoked", "serve", db_path, "--port", str(port)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert run.returncode == 1
    (sentence,) = run.stderr.splitlines()
    assert sentence.startswith(f"Error: port {port} of 127.0.0.1")
    assert "in use" in sentence


def test_export_to_a_full_device_says_that_it_is_full(db_path, finished):
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    assert "the disk is full" in complaint("export", db_path, "/dev/full")


def test_a_file_that_cannot_grow_loses_no_trial(db_path, finished):
    stored = rows(db_path)
    limit = db_path.stat().st_size + 20_000
    run = subprocess.run(
        [sys.executable, "-m", "yoked", "simulate", "bar-in-noise", "guesser", db_path],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 1
    assert "Traceback" not in run.stderr
    assert run.stderr.splitlines()[-1].startswith("Error: ")
    assert_whole(db_path, stored)


def test_a_full_disk_loses_no_trial(db_path, finished, tmp_path):
    stored = rows(db_path)
    disk, kept = tmp_path / "disk", tmp_path / "kept.db"
    disk.mkdir()
    script = f"""
        mount -t tmpfs -o size=250k tmpfs "{disk}" || exit 42
        cp "{db_path}" "{disk}/full.db"
        "{sys.executable}" -m yoked simulate bar-in-noise guesser "{disk}/full.db"
        code=$?
        "{sys.executable}" -m yoked sessions "{disk}/full.db" > "{tmp_path}/after.json"
        cp "{disk}"/full.db "{kept}" && cp "{disk}"/full.db-wal "{kept}-wal"
        exit $code
    """
    # In a mount namespace of its own: the tiny disk vanishes with the process.
    inside = ["unshare", "--user", "--map-root-user", "--mount", "bash", "-c", script]
    if shutil.which("unshare") is None:
        pytest.skip("this system has no unshare, which makes a tiny disk")
    run = subprocess.run(inside, capture_output=True, text=True, timeout=60)
    if "unshare" in run.stderr or run.returncode == 42:
        pytest.skip("this system lets nobody mount a tiny disk")
    assert run.returncode == 1
    assert "the disk is full" in run.stderr.splitlines()[-1]
    assert "Traceback" not in run.stderr
    assert_whole(kept, stored)


def assert_whole(db: Path, stored: list) -> None:
    """Check that a database is sound and still has every session it had."""
    connection = sqlite3.connect(db)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    assert rows(db)[: len(stored)] == stored


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="this system has no /proc")
def test_a_folder_that_takes_no_files_is_named():
    said = complaint("preview", "bar-in-noise", "-o", "/proc/frame.png")
    assert said.startswith("/proc/frame.png: ")
