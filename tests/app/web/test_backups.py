"""Backups: made while participants go on, brought back without who withdrew since."""

import shutil

import pytest
from click.testing import CliRunner

from yoked.app.cli import cli
from yoked.app.studies.backups import back_up, restore
from yoked.app.studies.withdrawal import tombstones_path

from .participant import Participant, log, rows
from .test_studies import put, serving
from .test_withdrawal import NAME, SECRETS, bytes_of, somebody, study

__all__ = ["study"]  # a fixture


def test_participants_go_on_with_a_backup_and_who_withdrew_since_is_not_in_it(
    db_path, study, tmp_path
):
    put(db_path, study)
    backup, before = tmp_path / "backup" / "copy.db", tmp_path / "before.db"
    backup.parent.mkdir()
    with serving(db_path) as client:
        gone = somebody(client)
        stays = Participant(client, "/study/bars?PROLIFIC_PID=6b2c88bb02")
        stays.respond(stays.next())
        back_up(db_path, backup)  # while it is served
        done = stays.respond(stays.next()).json["next"]["trial"]
        client.post(f"{gone.base}/withdraw")
    assert all(secret in backup.read_bytes() for secret in SECRETS)
    restored = restore(backup, db_path, before)
    assert (restored.n_sessions, len(restored.forgotten)) == (2, 1)
    assert restored.kept_as == before
    before.unlink()
    assert not any(secret in bytes_of(db_path) for secret in SECRETS)
    assert rows(db_path, "SELECT outcome FROM enrolments ORDER BY key") == [
        ("withdrawn",),
        (None,),
    ]
    with serving(db_path) as client:
        gone.client = stays.client = client
        assert gone.get(gone.base).status_code == 410
        assert stays.next()["trial"] == done - 1  # which the backup does not have
        stays.finish()
    with log(db_path) as store:
        assert {row.status for row in store.sessions()} == {"withdrawn", "finished"}


def test_tombstones_outlive_the_database(db_path, study, tmp_path):
    put(db_path, study)
    backup = tmp_path / "copy.db"
    with serving(db_path) as client:
        participant = somebody(client)
        back_up(db_path, backup)
        client.post(f"{participant.base}/withdraw")
    for left in db_path.parent.glob(f"{db_path.name}*"):
        if left != tombstones_path(db_path):
            left.unlink()  # the disk is lost, and so is the key
    restored = restore(backup, db_path, tmp_path / "unused.db")
    assert (len(restored.forgotten), restored.kept_as) == (1, None)
    assert NAME.encode() not in bytes_of(db_path)


def test_a_database_in_use_is_not_replaced(db_path, study, tmp_path):
    put(db_path, study)
    backup = tmp_path / "copy.db"
    back_up(db_path, backup)
    with serving(db_path) as client:
        participant = Participant(client, "/study/bars?PROLIFIC_PID=p")
        with pytest.raises(OSError, match="must be closed to be replaced"):
            restore(backup, db_path, tmp_path / "before.db")
        participant.finish()
    assert len(rows(db_path, "SELECT id FROM sessions")) == 1


def test_what_is_no_backup_leaves_all_as_it_was(db_path, study, tmp_path):
    put(db_path, study)
    before = db_path.read_bytes()
    other = tmp_path / "other.db"
    runner = CliRunner()
    for content in (b"", b"no database" * 1000):
        other.write_bytes(content)
        result = runner.invoke(cli, ["restore", str(other), str(db_path)])
        assert result.exit_code == 1
        assert "must be a trial log of Yoked" in result.output
    shutil.copy(db_path, other)
    result = runner.invoke(cli, ["backup", str(db_path), str(other)])
    assert (result.exit_code, "must be a new file" in result.output) == (1, True)
    assert db_path.read_bytes() == before
    assert not list(tmp_path.glob(".*"))


def test_what_a_researcher_withdraws_is_forgotten_by_a_backup_though_the_disk_is_lost(
    db_path, study, tmp_path
):
    put(db_path, study)
    backup = tmp_path / "copy.db"
    with serving(db_path) as client:
        somebody(client)
    back_up(db_path, backup)
    ((session,),) = rows(db_path, "SELECT id FROM sessions")
    CliRunner().invoke(cli, ["withdraw", str(db_path), session, "--yes"])
    assert not any(secret in db_path.read_bytes() for secret in SECRETS[1:])
    db_path.unlink()
    restored = restore(backup, db_path, tmp_path / "unused.db")
    assert restored.forgotten == (session,)
    assert not any(secret in bytes_of(db_path) for secret in SECRETS)
