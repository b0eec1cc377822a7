"""The commands of accounts: what they print, and that it lets in."""

import json

import pytest
from click.testing import CliRunner

from yoked.app.accounts import accounts as people
from yoked.app.accounts.file import opened_accounts
from yoked.app.accounts.schema import now
from yoked.app.cli import cli


def run(*arguments, **options):
    return CliRunner().invoke(cli, ["accounts", *map(str, arguments)], **options)


def printed(*arguments):
    found = run(*arguments, "--json")
    assert found.exit_code == 0, found.output
    return json.loads(found.stdout)


def test_an_account_begins_with_a_one_time_code(db_path):
    made = printed("create", db_path, "jane", "--administrator")
    assert made["page"] == f"/researchers/welcome#{made['one_time_code']}"
    with opened_accounts(db_path) as opened:
        account = opened.read(
            lambda db: people.linked(db, made["one_time_code"], now())
        )
    assert account is not None
    assert account.name == "jane"
    (row,) = printed("list", db_path)
    assert (row["name"], row["is_administrator"]) == ("jane", True)
    assert row["has_password"] is False
    assert "password" not in row


def test_a_reset_gives_a_new_code_and_ends_the_old_one(db_path):
    first = printed("create", db_path, "jane")["one_time_code"]
    second = printed("reset", db_path, "JANE", "--forget-app")["one_time_code"]
    with opened_accounts(db_path) as opened:
        found = [
            opened.read(lambda db, t=token: people.linked(db, t, now()))
            for token in (first, second)
        ]
    assert found[0] is None
    assert found[1] is not None


def test_an_account_is_removed_when_asked_twice(db_path):
    printed("create", db_path, "jane")
    assert run("remove", db_path, "jane", input="n\n").exit_code == 1
    assert len(printed("list", db_path)) == 1
    assert run("remove", db_path, "jane", "--yes").exit_code == 0
    assert printed("list", db_path) == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("create", "jane"), "must be new, got 'jane' again"),
        (("create", "jane doe"), "the name of an account must be letters"),
        (("reset", "kim"), "no account named 'kim'"),
        (("remove", "kim", "--yes"), "no account named 'kim'"),
    ],
)
def test_what_cannot_be_is_one_sentence(db_path, arguments, sentence):
    printed("create", db_path, "jane")
    found = run(arguments[0], db_path, *arguments[1:])
    assert found.exit_code == 1
    assert sentence in found.stderr
    assert found.stderr.count("\n") == 1


def test_a_database_that_is_not_there_is_made_by_create_alone(db_path):
    found = run("list", db_path)
    assert found.exit_code == 1
    assert not db_path.exists()
    printed("create", db_path, "jane")
    assert db_path.exists()
