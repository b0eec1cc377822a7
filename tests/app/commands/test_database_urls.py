"""Commands that take a database on a server, and those that take a file alone."""

import json

import pytest
from click.testing import CliRunner

from yoked.app.cli import cli

NOWHERE = "postgresql://yoked:secret@127.0.0.1:1/studies"


def run(*arguments: str):
    return CliRunner().invoke(cli, [str(each) for each in arguments])


@pytest.mark.parametrize("command", ["analyse", "report", "backup", "merge"])
def test_what_needs_a_file_says_so_without_the_password(command):
    result = run(command, NOWHERE, "out")
    assert result.exit_code == 2
    assert "must be a file, got postgresql://yoked@127.0.0.1:1/studies" in result.output
    assert "secret" not in result.output


def test_a_server_that_cannot_be_reached_is_one_sentence():
    result = run("sessions", NOWHERE)
    assert result.exit_code == 1
    assert "yoked@127.0.0.1:1/studies could not do it" in result.output
    assert "secret" not in result.output


def test_a_database_on_a_server_needs_a_folder_for_its_key(postgres, monkeypatch):
    monkeypatch.delenv("YOKED_SECRETS", raising=False)
    url = postgres.new()
    result = run("doctor", url, "--json")
    found = {row["check"]: row for row in json.loads(result.output)}
    assert result.exit_code == 1
    assert "YOKED_SECRETS must name the folder" in found["key"]["says"]
    assert found["database"]["status"] == "ok"


def test_the_doctor_knows_a_database_by_its_version(postgres, monkeypatch, tmp_path):
    monkeypatch.setenv("YOKED_SECRETS", str(tmp_path))
    url = postgres.new()
    assert run("accounts", "create", url, "kim").exit_code == 0
    assert [row["name"] for row in json.loads(run("accounts", "list", url).output)]
    found = {row["check"]: row for row in json.loads(run("doctor", url).output)}
    assert "reached, on PostgreSQL" in found["database"]["says"]
    nowhere = {row["check"]: row for row in json.loads(run("doctor", NOWHERE).output)}
    assert nowhere["database"]["status"] == "problem"
