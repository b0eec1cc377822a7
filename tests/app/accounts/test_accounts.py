"""Accounts, their one-time links, sign-ins, tokens and roles, in a real file."""

import sqlite3

import pytest

from yoked.app.accounts import accounts as people
from yoked.app.accounts import audit, passwords, roles, sign_ins, tokens
from yoked.app.accounts.file import requires_codes, set_requires_codes

from .conftest import START, after


def written(accounts) -> list[tuple]:
    rows = accounts.read(lambda db: list(audit.entries(db)))
    return [(row.by, row.what, row.about) for row in reversed(rows)]


def test_a_new_account_has_no_password_and_no_rights(accounts, jane, kim):
    assert jane.is_administrator
    assert not kim.is_administrator
    assert not kim.has_password
    assert not kim.has_authenticator
    assert accounts.read(lambda db: people.credentials(db, "kim")) == (kim, None)
    assert accounts.read(people.every) == [jane, kim]


def test_a_name_is_one_whatever_its_capitals(accounts, jane):
    assert accounts.read(lambda db: people.find(db, "JANE")) == jane
    with pytest.raises(ValueError, match="must be new, got 'Jane' again"):
        accounts.write(lambda db: people.create(db, None, "Jane", START))


@pytest.mark.parametrize("name", ["", "a b", "é", "-x", "x" * 101, "<b>", "a\n"])
def test_a_name_that_is_none_is_refused(accounts, name):
    with pytest.raises(ValueError, match="the name of an account must be letters"):
        accounts.write(lambda db: people.create(db, None, name, START))


def test_a_one_time_link_works_once(accounts, kim):
    token = accounts.write(lambda db: people.new_link(db, None, kim, START))
    assert accounts.read(lambda db: people.linked(db, token, START)) == kim
    first = accounts.write(lambda db: people.use_link(db, token, "a hash", START))
    assert first == kim
    again = accounts.write(lambda db: people.use_link(db, token, "another", START))
    assert again is None
    _, stored = accounts.read(lambda db: people.credentials(db, "kim"))
    assert stored == "a hash"


def test_a_one_time_link_ends_with_its_time_and_with_the_next_one(accounts, kim):
    first = accounts.write(lambda db: people.new_link(db, None, kim, START))
    in_time, late = after(hours=23.9), after(hours=24)
    assert accounts.read(lambda db: people.linked(db, first, in_time)) == kim
    assert accounts.read(lambda db: people.linked(db, first, late)) is None
    accounts.write(lambda db: people.new_link(db, None, kim, START))
    assert accounts.read(lambda db: people.linked(db, first, START)) is None


def test_a_reset_ends_password_and_sign_ins(accounts, kim):
    accounts.write(lambda db: people.set_password(db, kim, kim, "a hash", START))
    token = accounts.write(lambda db: sign_ins.begin(db, kim, START))
    link = accounts.write(lambda db: people.reset(db, None, kim, START))
    assert accounts.read(lambda db: people.credentials(db, "kim"))[1] is None
    assert accounts.read(lambda db: sign_ins.find(db, token, START)) is None
    assert accounts.read(lambda db: people.linked(db, link, START)) is not None


def test_a_password_that_is_changed_ends_all_sign_ins_but_one(accounts, kim):
    begun = [accounts.write(lambda db: sign_ins.begin(db, kim, START)) for _ in "ab"]
    found = [accounts.read(lambda db, t=t: sign_ins.find(db, t, START)) for t in begun]
    accounts.write(
        lambda db: people.set_password(db, kim, kim, "a hash", START, found[1].key)
    )
    kept = [accounts.read(lambda db, t=t: sign_ins.find(db, t, START)) for t in begun]
    assert [each is None for each in kept] == [True, False]


def test_one_administrator_stays(accounts, jane, kim):
    for change in (
        lambda db: people.set_administrator(db, jane, jane, False, START),
        lambda db: people.set_disabled(db, jane, jane, True, START),
    ):
        with pytest.raises(ValueError, match="must be left; make somebody else one"):
            accounts.write(change)
    accounts.write(lambda db: people.set_administrator(db, jane, kim, True, START))
    accounts.write(lambda db: people.set_administrator(db, jane, jane, False, START))
    assert [each.is_administrator for each in accounts.read(people.every)] == [0, 1]


def test_a_disabled_account_has_neither_sign_ins_nor_links(accounts, kim):
    token = accounts.write(lambda db: sign_ins.begin(db, kim, START))
    link = accounts.write(lambda db: people.new_link(db, None, kim, START))
    accounts.write(lambda db: people.set_disabled(db, None, kim, True, START))
    accounts.write(lambda db: people.set_disabled(db, None, kim, False, START))
    assert accounts.read(lambda db: sign_ins.find(db, token, START)) is None
    assert accounts.read(lambda db: people.linked(db, link, START)) is None


def test_a_sign_in_ends_after_a_week_or_twelve_idle_hours(accounts, kim):
    token = accounts.write(lambda db: sign_ins.begin(db, kim, START))

    def find(at):
        return accounts.read(lambda db: sign_ins.find(db, token, at))

    assert find(after(hours=11.9)).account.name == "kim"
    assert find(after(hours=12)) is None
    for hours in range(0, 24 * 7, 6):
        at = after(hours=hours)
        sign_in = find(at)
        accounts.write(lambda db, s=sign_in, at=at: sign_ins.seen(db, s, at))
    assert find(after(days=6.99)) is not None
    assert find(after(days=7)) is None


def test_a_sign_in_that_awaits_its_code_ends_soon_and_is_not_listed(accounts, kim):
    token = accounts.write(lambda db: sign_ins.begin(db, kim, START, awaits_code=True))
    assert accounts.read(lambda db: sign_ins.every(db, kim, START)) == []
    found = accounts.read(lambda db: sign_ins.find(db, token, after(minutes=4.9)))
    assert found.awaits_code
    assert accounts.read(lambda db: sign_ins.find(db, token, after(minutes=5))) is None


def test_a_token_ends_with_its_time_and_is_revoked_by_its_owner_alone(
    accounts, jane, kim
):
    token = accounts.write(lambda db: tokens.make(db, kim, " nightly ", 30, START))
    assert token.startswith("yoked_")
    whose, known = accounts.read(lambda db: tokens.find(db, token, after(days=29.9)))
    assert (whose, known.name, known.used_on) == (kim.key, "nightly", None)
    assert accounts.read(lambda db: tokens.find(db, token, after(days=30))) is None
    accounts.write(lambda db: tokens.revoke(db, jane, known.key, START))
    assert accounts.read(lambda db: tokens.find(db, token, START)) is not None
    accounts.write(lambda db: tokens.revoke(db, kim, known.key, START))
    assert accounts.read(lambda db: tokens.find(db, token, START)) is None


@pytest.mark.parametrize(
    ("name", "days", "match"),
    [
        ("", 30, "the name of a token must be 1 to 100 characters, got 0"),
        ("x", 0, "a token must end in 1 to 366 days, got 0"),
        ("x", 367, "a token must end in 1 to 366 days, got 367"),
    ],
)
def test_a_token_without_name_or_end_is_refused(accounts, kim, name, days, match):
    with pytest.raises(ValueError, match=match):
        accounts.write(lambda db: tokens.make(db, kim, name, days, START))


def test_a_role_holds_in_its_study_alone_and_administrators_need_none(
    accounts, jane, kim
):
    accounts.write(lambda db: roles.give(db, jane, kim, 7, "editor", START))

    def role(account, study):
        return accounts.read(lambda db: roles.role_in(db, account, study))

    assert role(kim, 7) == "editor"
    assert role(kim, 8) is None
    assert role(jane, 8) == "owner"
    assert accounts.read(lambda db: roles.studies_of(db, kim)) == {7: "editor"}
    assert accounts.read(lambda db: roles.people_of(db, 7)) == [(kim, "editor")]
    accounts.write(lambda db: roles.give(db, jane, kim, 7, None, START))
    assert role(kim, 7) is None


def test_a_study_keeps_an_owner(accounts, jane, kim):
    accounts.write(lambda db: roles.give(db, jane, kim, 7, "owner", START))
    for role in ("viewer", None):
        with pytest.raises(ValueError, match="an owner of the study must be left"):
            accounts.write(lambda db, r=role: roles.give(db, jane, kim, 7, r, START))
    with pytest.raises(ValueError, match="one of viewer, editor, owner, got 'boss'"):
        accounts.write(lambda db: roles.give(db, jane, kim, 7, "boss", START))


def test_who_is_removed_leaves_nothing_but_a_name_in_the_audit_log(
    accounts, jane, kim, db_path
):
    accounts.write(lambda db: sign_ins.begin(db, kim, START))
    accounts.write(lambda db: tokens.make(db, kim, "x", 3, START))
    accounts.write(lambda db: roles.give(db, jane, kim, 7, "owner", START))
    accounts.write(lambda db: people.new_link(db, jane, kim, START))
    accounts.write(lambda db: people.remove(db, None, kim, START))
    for table in ("sign_ins", "api_tokens", "study_roles", "account_links"):
        count = f"SELECT count(*) FROM {table}"
        assert accounts.read(lambda db, q=count: db.execute(q).fetchone()) == (0,)
    assert written(accounts)[-1] == (None, "removed an account", "kim")
    again = accounts.write(lambda db: people.create(db, None, "kim", START))
    assert again.key > kim.key


def test_the_audit_log_is_append_only(accounts, jane, kim):
    assert written(accounts) == [
        (None, "made an account", "jane"),
        ("jane", "made an account", "kim"),
    ]
    for change in ("UPDATE audit SET what = 'x'", "DELETE FROM audit"):
        with pytest.raises(sqlite3.DatabaseError, match="append-only"):
            accounts.write(lambda db, q=change: db.execute(q))
    assert len(written(accounts)) == 2


def test_the_audit_log_comes_in_pages(accounts, jane):
    for number in range(5):
        detail = str(number)
        accounts.write(lambda db, d=detail: audit.note(db, jane, "x", START, detail=d))
    first = accounts.read(lambda db: list(audit.entries(db, most=3)))
    rest = accounts.read(lambda db: list(audit.entries(db, first[-1].key, most=3)))
    assert [row.detail for row in first + rest][:5] == ["4", "3", "2", "1", "0"]


def test_what_a_job_raises_undoes_what_it_wrote(accounts, jane):
    def job(db):
        people.create(db, jane, "kim", START)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        accounts.write(job)
    assert accounts.read(people.every) == [jane]


def test_the_server_may_ask_everybody_for_codes(accounts):
    assert not accounts.read(requires_codes)
    accounts.write(lambda db: set_requires_codes(db, True))
    assert accounts.read(requires_codes)
    accounts.write(lambda db: set_requires_codes(db, False))
    assert not accounts.read(requires_codes)


def test_the_form_token_of_a_sign_in_is_its_own():
    assert sign_ins.form_token("one") != sign_ins.form_token("two")
    assert "one" not in sign_ins.form_token("one")


def test_a_password_needs_length_and_another_text_than_the_name():
    passwords.require_password("x" * 12, "jane")
    for password in ("", "x" * 11):
        with pytest.raises(ValueError, match=f"or longer, got {len(password)}"):
            passwords.require_password(password, "jane")
    with pytest.raises(ValueError, match="1000 characters or shorter, got 1001"):
        passwords.require_password("x" * 1001, "jane")
    with pytest.raises(ValueError, match="another than the name"):
        passwords.require_password("Jane.Doe@Psych", "jane.doe@psych")


def test_a_password_fits_however_its_letters_are_composed():
    stored = passwords.hashed("zwölf Häuser am Fluss")
    assert passwords.fits("zwo\u0308lf Ha\u0308user am Fluss", stored)
    assert not passwords.fits("zwolf Hauser am Fluss", stored)
    assert not passwords.fits("zwölf Häuser am Fluss", None)
    assert not passwords.fits("zwölf Häuser am Fluss", "no hash at all")


def test_a_name_that_is_nobodys_costs_the_hash_that_somebodys_does(monkeypatch):
    tried = []
    real = passwords.hasher

    class Counting:
        def __getattr__(self, name):
            return getattr(real, name)

        def verify(self, stored, password):
            tried.append(stored.split("$")[:4])
            return real.verify(stored, password)

    monkeypatch.setattr(passwords, "hasher", Counting())
    assert passwords.fits("three quiet herons", passwords.hashed("three quiet herons"))
    assert not passwords.fits("three quiet herons", None)
    assert tried[0] == tried[1]  # the same kind and the same parameters


def test_a_hash_of_other_parameters_is_outdated():
    stored = passwords.hashed("three quiet herons")
    assert not passwords.is_outdated(stored)
    assert passwords.is_outdated(stored.replace("t=1", "t=2"))
