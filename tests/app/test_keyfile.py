"""The server's key: made once, private, beside the database; and its hashes."""

import hashlib
import hmac
import os
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from yoked.app.keyfile import key_path, keyed_bytes, keyed_hash, server_key


def test_a_key_is_made_once_and_stays(db_path):
    key = server_key(db_path)
    assert len(key) == 32
    assert key != bytes(32)
    assert server_key(str(db_path)) == key
    assert sorted(db_path.parent.iterdir()) == [Path(f"{db_path}.key")]


@pytest.mark.skipif(sys.platform == "win32", reason="modes are another matter there")
def test_only_its_owner_may_read_it_whatever_the_umask_says(db_path):
    before = os.umask(0)
    try:
        server_key(db_path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(key_path(db_path).stat().st_mode) == 0o600


def test_two_databases_have_two_keys(tmp_path):
    assert server_key(tmp_path / "one.db") != server_key(tmp_path / "two.db")


def test_a_link_to_the_database_has_its_key(db_path, tmp_path):
    db_path.touch()
    link = tmp_path / "link.db"
    link.symlink_to(db_path)
    assert server_key(link) == server_key(db_path)
    assert not (tmp_path / "link.db.key").exists()


def test_many_who_make_it_at_once_get_the_same(db_path):
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(server_key, [db_path] * 64))
    assert len(keys) == 1
    assert [path.name for path in db_path.parent.iterdir()] == ["results.db.key"]


@pytest.mark.parametrize("n", [0, 31, 33])
def test_a_key_of_another_length_is_refused_and_left_as_it_is(db_path, n):
    key_path(db_path).write_bytes(bytes(n))
    with pytest.raises(ValueError, match=f"must be 32 bytes long, got {n}; bring it"):
        server_key(db_path)
    assert len(key_path(db_path).read_bytes()) == n


def test_a_key_that_cannot_be_read_or_made_is_an_error_of_the_system(tmp_path):
    key_path(tmp_path / "results.db").mkdir()
    with pytest.raises(OSError, match=r"results\.db\.key"):
        server_key(tmp_path / "results.db")
    with pytest.raises(FileNotFoundError, match=r"nowhere/results\.db\.key"):
        server_key(tmp_path / "nowhere" / "results.db")


def test_a_keyed_hash_is_the_hmac_under_the_purposes_own_key():
    key = bytes(range(32))
    of_purpose = hmac.new(key, b"yoked participant", hashlib.sha256).digest()
    expected = hmac.new(of_purpose, b"5f9e", hashlib.sha256).hexdigest()
    assert keyed_hash(key, "participant", "5f9e") == expected
    assert keyed_bytes(key, "participant", "5f9e").hex() == expected


def test_another_key_purpose_or_text_gives_another_hash():
    key, other = bytes(32), bytes([1] * 32)
    hashes = {
        keyed_hash(key, "a", "b"),
        keyed_hash(other, "a", "b"),
        keyed_hash(key, "b", "a"),
        keyed_hash(key, "ab", ""),
        keyed_hash(key, "", "ab"),
    }
    assert len(hashes) == 5
