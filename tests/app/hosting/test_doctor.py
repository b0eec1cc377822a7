"""The doctor: each thing that can stand in the way is found, and what helps is said."""

import contextlib
import http.server
import json
import os
import resource
import sqlite3
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

import yoked
from yoked.app.cli import cli
from yoked.app.hosting import doctor
from yoked.app.hosting.doctor import OK, PROBLEM, examine
from yoked.app.hosting.settings import Settings
from yoked.experiments.store.sqlite import open_store

SETTINGS = Settings(port=0)


@pytest.fixture
def log(db_path):
    """Return a database with a session."""
    with contextlib.closing(open_store(db_path)) as store:
        guesser = yoked.load_observer("guesser")
        yoked.run(yoked.load_protocol("bar-in-noise"), guesser, store=store, trials=4)
    return db_path


def found(check: str, db_path: Path | None = None, **options) -> doctor.Finding:
    settings = options.pop("settings", SETTINGS)
    (finding,) = [
        each for each in examine(db_path, settings, **options) if each.check == check
    ]
    assert (finding.status == PROBLEM) == (finding.helps is not None)
    return finding


def test_all_is_well_where_all_is_well(log):
    assert [each.check for each in examine(log, SETTINGS) if each.status != OK] == []
    assert found("database", log).says == "whole, of schema version 3"


def test_a_database_that_is_not_there_yet_is_none_of_a_problem(tmp_path):
    assert found("database", tmp_path / "new.db").says.startswith("none yet")
    missing = found("database", tmp_path / "no folder" / "new.db")
    assert (missing.status, missing.helps) == (PROBLEM, "make the folder")


def test_another_programs_file_is_named(tmp_path):
    path = tmp_path / "notes.db"
    path.write_text("no database at all, but a text of some length " * 9)
    finding = found("database", path)
    assert finding.status == PROBLEM
    assert "a file that is no SQLite database" in finding.says


def test_a_damaged_database_is_found(log):
    with log.open("rb+") as file:  # a page in the middle
        file.seek(4096 * 5)
        file.write(b"\xff" * 4096)
    finding = found("database", log)
    assert finding.status == PROBLEM
    assert "backup" in finding.helps


def test_a_stray_row_is_found(log):
    with contextlib.closing(sqlite3.connect(log)) as connection, connection:
        connection.execute("INSERT INTO events VALUES (99, '', 'x', '{}')")
    assert found("database", log).says == "damaged: 1 rows refer to none"


def test_an_older_database_is_said_to_be_brought_up_to_date(log):
    with contextlib.closing(sqlite3.connect(log)) as connection:
        connection.execute("PRAGMA user_version = 2")
    finding = found("database", log)
    assert finding.status == OK
    assert "version 2; it is copied and brought up to date" in finding.says


def test_a_database_on_a_share_is_refused(log, monkeypatch):
    share = "yoked.experiments.store.local_disk.network_share"
    monkeypatch.setattr(share, lambda _: "nfs4")
    finding = [each for each in examine(log, SETTINGS) if each.check == "database"]
    assert "on a local disk, got a network share (nfs4)" in finding[0].says


def test_a_full_disk_is_a_problem_before_it_is_full(log, monkeypatch):
    monkeypatch.setattr(doctor, "LEAST_FREE_BYTES", 10**18)
    assert found("disk", log).status == PROBLEM


@pytest.mark.skipif(os.name == "nt", reason="files have other rights on Windows")
def test_a_key_that_others_can_read_is_a_problem(log):
    key = log.with_name(f"{log.name}.key")
    key.write_bytes(bytes(32))
    key.chmod(0o644)
    assert found("key", log).helps == f"chmod 600 {key}"
    key.chmod(0o600)
    assert found("key", log).status == OK


def test_a_session_of_tomorrow_tells_of_a_clock_that_is_wrong(log):
    with contextlib.closing(sqlite3.connect(log)) as connection, connection:
        late = "2099-01-01T00:00:00.000+00:00"
        connection.execute("UPDATE sessions SET started_at = ?", [late])
    finding = found("clock", log)
    assert finding.status == PROBLEM
    assert late in finding.says


def test_too_few_open_files_are_a_problem(monkeypatch):
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 256))
    monkeypatch.setattr(resource, "setrlimit", lambda *_: None)
    assert "LimitNOFILE" in found("connections").helps
    monkeypatch.undo()
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert found("connections").status == OK


def test_missing_browser_files_are_a_problem(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "STATIC", tmp_path)
    assert "npm run vendor" in found("browser files").helps


def test_missing_and_old_packages_are_named(monkeypatch):
    asked = ["click>=99.1", "flask", "no-such-package>=1", 'torch>=99; extra == "x"']
    monkeypatch.setattr(doctor.metadata, "requires", lambda _: asked)
    says = found("packages").says
    assert says.startswith("click must be 99.1 or newer, got ")
    assert says.endswith("; no-such-package is missing")


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (Settings(), "pages begin with /"),
        (Settings(url="http://localhost/a"), "pages begin with http://localhost/a/"),
        (Settings(url="http://lab.example.org"), "the public address is not secure"),
        (Settings(url="https://lab.example.org"), "https, which a proxy must speak"),
    ],
)
def test_settings_that_do_not_go_together_are_named(settings, says):
    assert says in found("settings", settings=settings).says


class Other(http.server.BaseHTTPRequestHandler):
    """Another program, or a proxy, that has one reply for everything."""

    status, text = 200, b"welcome"

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.text)))
        self.end_headers()
        self.wfile.write(self.text)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def other(monkeypatch):
    """Return the address of another program, and what sets its reply."""
    server = http.server.HTTPServer(("127.0.0.1", 0), Other)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def reply(status: int, text: bytes) -> str:
        monkeypatch.setattr(Other, "status", status)
        monkeypatch.setattr(Other, "text", text)
        return f"http://127.0.0.1:{server.server_port}/a/"

    yield reply
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "text", "helps"),
    [
        (404, b"", "pass on the whole path, with the prefix"),
        (502, b"", "start the server behind it"),
        (503, b"not healthy", "its log says why"),
        (200, b"welcome", "let the proxy pass these addresses on"),
    ],
)
def test_a_public_address_that_does_not_lead_here_is_a_problem(
    other, status, text, helps
):
    settings = Settings(port=0, url=other(status, text))
    assert helps in found("public address", settings=settings, ask=True).helps


def test_a_public_address_that_is_well_is_well(other):
    settings = Settings(port=0, url=other(200, b"ok\n"))
    finding = found("public address", settings=settings, ask=True)
    assert finding.says == f"{settings.url}healthz is well"


def test_a_port_of_another_program_is_a_problem_and_one_of_ours_is_not(other):
    port = int(other(200, b"welcome").split(":")[2].split("/")[0])
    assert "must be free to use" in found("port", settings=Settings(port=port)).says
    other(200, b"ok\n")
    assert "a server of ours" in found("port", settings=Settings(port=port)).says


def test_the_command_ends_with_1_if_there_is_a_problem(log):
    command = ["doctor", str(log), "--port", "0", "--json"]
    result = CliRunner().invoke(cli, command)
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)
    assert rows[0] == {
        "check": "python",
        "status": "ok",
        "says": ".".join(map(str, sys.version_info[:3])),
        "helps": None,
    }
    log.write_text("damaged")
    result = CliRunner().invoke(cli, command)
    assert result.exit_code == 1
    assert "problem" in [row["status"] for row in json.loads(result.stdout)]
