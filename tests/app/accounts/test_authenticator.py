"""Codes of an authenticator app: the standard's own, each once; and recovery codes."""

import base64

import pyotp
import pytest

from yoked.app.accounts import authenticator
from yoked.app.accounts.accounts import find

from .conftest import START, after

SALT = "0" * 32


def code_at(accounts, account, at, salt=SALT) -> str:
    return pyotp.TOTP(authenticator.secret(accounts.key, account, salt)).at(at)


@pytest.fixture
def codes(accounts, kim):
    """Set up kim's app with the code of the start; return the recovery codes."""
    code = code_at(accounts, kim, START)
    return accounts.write(
        lambda db: authenticator.set_up(db, accounts.key, kim, SALT, code, START)
    )


def accept(accounts, account, code, at) -> bool:
    return accounts.write(
        lambda db: authenticator.accept(db, accounts.key, account, code, at)
    )


def test_codes_are_those_of_the_standard(accounts, kim, monkeypatch):
    """RFC 6238, appendix B: SHA-1, the last six of its eight digits."""
    secret = base64.b32encode(b"12345678901234567890").decode()
    monkeypatch.setattr(authenticator, "secret", lambda *_: secret)
    for seconds, code in ((59, "287082"), (1111111109, "081804"), (2e9, "279037")):
        at = START.fromtimestamp(seconds, START.tzinfo)
        step = authenticator.step_of(b"", kim, SALT, code, at)
        assert step == int(seconds) // 30


def test_a_secret_is_an_accounts_and_a_servers_own(accounts, jane, kim):
    key = accounts.key
    secrets = {
        authenticator.secret(key, kim, SALT),
        authenticator.secret(key, jane, SALT),
        authenticator.secret(key, kim, "1" * 32),
        authenticator.secret(bytes(32), kim, SALT),
    }
    assert len(secrets) == 4
    assert {len(each) for each in secrets} == {32}


def test_the_address_names_account_and_server(accounts, kim):
    found = authenticator.address(accounts.key, kim, SALT, "yoked.example")
    assert found.startswith("otpauth://totp/Yoked%20yoked.example:kim?secret=")


def test_setting_up_needs_a_right_code(accounts, kim):
    wrong = code_at(accounts, kim, after(hours=1))
    for code in (wrong, "", "abcdef", "１２３４５６"):
        found = accounts.write(
            lambda db, c=code: authenticator.set_up(
                db, accounts.key, kim, SALT, c, START
            )
        )
        assert found is None
    assert not accounts.read(lambda db: find(db, "kim")).has_authenticator


def test_a_code_is_accepted_once_and_so_is_that_of_setting_up(accounts, kim, codes):
    assert not accept(accounts, kim, code_at(accounts, kim, START), START)
    later = after(seconds=30)
    code = code_at(accounts, kim, later)
    assert accept(accounts, kim, f"{code[:3]} {code[3:]}", later)
    assert not accept(accounts, kim, code, later)
    assert not accept(accounts, kim, code, after(seconds=59))


def test_a_clock_may_be_a_step_off_and_not_two(accounts, kim, codes):
    at = after(minutes=10)
    for seconds, is_accepted in ((-60, False), (60, False), (-30, True), (30, True)):
        code = code_at(accounts, kim, after(minutes=10, seconds=seconds))
        assert accept(accounts, kim, code, at) is is_accepted
    # After that of the next step the one of now has gone by.
    assert not accept(accounts, kim, code_at(accounts, kim, at), at)


def test_a_recovery_code_lets_in_once_however_it_is_typed(accounts, kim, codes):
    assert len(set(codes)) == 10
    assert accept(accounts, kim, codes[3].lower().replace("-", " "), START)
    assert not accept(accounts, kim, codes[3], START)
    assert accounts.read(lambda db: authenticator.n_recovery_codes(db, kim)) == 9


def test_another_accounts_recovery_code_lets_nobody_in(accounts, jane, kim, codes):
    assert not accept(accounts, jane, codes[0], START)
    assert not accept(accounts, kim, "", START)
    assert accept(accounts, kim, codes[0], START)


def test_new_recovery_codes_end_those_of_before(accounts, kim, codes):
    new = accounts.write(lambda db: authenticator.new_recovery_codes(db, kim, START))
    assert not set(new) & set(codes)
    assert not accept(accounts, kim, codes[0], START)
    assert accept(accounts, kim, new[0], START)


def test_what_was_forgotten_accepts_nothing(accounts, kim, codes):
    accounts.write(lambda db: authenticator.forget(db, None, kim, START))
    assert not accounts.read(lambda db: find(db, "kim")).has_authenticator
    assert not accept(accounts, kim, codes[0], START)
    later = after(minutes=1)
    assert not accept(accounts, kim, code_at(accounts, kim, later), later)


def test_neither_secret_nor_codes_are_in_the_database(accounts, kim, codes, db_path):
    secret = authenticator.secret(accounts.key, kim, SALT)
    hidden = [secret.encode(), base64.b32decode(secret), accounts.key]
    hidden += [code.encode() for code in codes]
    hidden += [code.replace("-", "").encode() for code in codes]
    files = [f for f in db_path.parent.iterdir() if not f.name.endswith(".key")]
    assert len(files) >= 1
    for file in files:
        assert not [each for each in hidden if each in file.read_bytes()]


def test_without_the_servers_key_recovery_codes_still_let_in(accounts, kim, codes):
    later = after(minutes=1)
    code = code_at(accounts, kim, later)
    accounts.key = bytes(32)
    assert not accept(accounts, kim, code, later)
    assert accept(accounts, kim, codes[0], later)
