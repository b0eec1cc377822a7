"""Accounts in a real file, and a time that stands until it is told to go on."""

from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher

from yoked.app.accounts import accounts as people
from yoked.app.accounts import passwords
from yoked.app.accounts.file import opened_accounts

START = datetime(2026, 1, 10, 9, 0, 0, tzinfo=UTC)
# Not to try the strength of a hash costs a hundredth of the time.
CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch):
    monkeypatch.setattr(passwords, "hasher", CHEAP)


@pytest.fixture
def accounts(db_path):
    with opened_accounts(db_path, create=True) as opened:
        yield opened


@pytest.fixture
def jane(accounts):
    return accounts.write(lambda db: people.create(db, None, "jane", START, True))


@pytest.fixture
def kim(accounts, jane):
    return accounts.write(lambda db: people.create(db, jane, "kim", START))


def after(**time) -> datetime:
    return START + timedelta(**time)
