"""The server's key: in a file beside the database, never in it.

Whoever has a copy of the database alone cannot tell from a keyed hash whose it is, nor
make the codes of somebody's authenticator app.
"""

import contextlib
import hmac
import os
import secrets
from pathlib import Path

from ..experiments.store.url import is_url, name_of

KEY_BYTES = 32
SECRETS = "YOKED_SECRETS"  # in the environment


def server_key(db_path: str | Path) -> bytes:
    """Give the key that belongs to a database; made at its first use.

    It is in the database's name with `.key` behind it, for its owner alone (mode 0600).
    Without it keyed hashes of before match nothing: it needs a backup of its own.

    Parameters
    ----------
    db_path
        The database; it need not be there yet.

    Returns
    -------
    bytes
        32 random bytes.

    Raises
    ------
    ValueError
        If the file is of another length: cut short, or something else.
    OSError
        If it cannot be read, or not be made.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     first = server_key(f"{folder}/results.db")
    ...     len(first), server_key(f"{folder}/results.db") == first
    (32, True)
    """
    path = key_path(db_path)
    if not path.exists():
        _make(path)
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        way = "bring it back from its backup"
        rule = f"{KEY_BYTES} bytes long, got {len(key)}; {way}"
        raise ValueError(f"the key file {str(path)!r} must be {rule}")
    return key


def key_path(db_path: str | Path) -> Path:
    """Give the place of a database's key; a link to the database has the same."""
    return beside(db_path, "key")


def beside(db_path: str | Path, end: str) -> Path:
    """Give the place of a file that belongs to a database, and is never in it.

    It stands beside a database that is a file; of one on a PostgreSQL server, in the
    folder that YOKED_SECRETS names, which all hosts that serve it share.

    Raises
    ------
    ValueError
        If the database is on a server, and no such folder is named.

    Examples
    --------
    >>> beside("/data/results.db", "key").as_posix()
    '/data/results.db.key'
    """
    if not is_url(db_path):
        path = Path(db_path).resolve()
        return path.with_name(f"{path.name}.{end}")
    folder = os.environ.get(SECRETS, "")
    if not Path(folder).is_dir() or not folder:
        rule = "the folder of the key of a database on a server"
        raise ValueError(f"{SECRETS} must name {rule}, got {folder!r}")
    return Path(folder, f"{name_of(db_path)}.{end}")


def keyed_hash(key: bytes, purpose: str, text: str) -> str:
    """Give the HMAC-SHA256 of a text, in hex: 64 characters.

    Each purpose has a key of its own, so that hashes of two purposes never match, and
    neither tells anything of the other.

    Examples
    --------
    >>> keyed_hash(bytes(32), "participant", "p1")[:16]
    '2d55a0164d018354'
    """
    return keyed_bytes(key, purpose, text).hex()


def keyed_bytes(key: bytes, purpose: str, text: str) -> bytes:
    """Give the 32 bytes of `keyed_hash`: a secret that need not be stored."""
    of_purpose = hmac.digest(key, f"yoked {purpose}".encode(), "sha256")
    return hmac.digest(of_purpose, text.encode(), "sha256")


def _make(path: Path) -> None:
    """Put a new key in its place, whole; one of a faster process stays."""
    part = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    try:
        made = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(made, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(part, path)
    except OSError as error:
        error.filename, error.filename2 = str(path), None  # not one that nobody knows
        raise
    finally:
        part.unlink(missing_ok=True)
