"""Passwords: what they must be, and their Argon2id hashes.

A hash takes 64 MiB and some tenths of a second of one core, whether or not there is
such an account: never in the writer's thread, for which participants wait.
"""

import base64
import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST, LONGEST = 12, 1000  # characters
# RFC 9106 has 4 lanes; with one, a sign-in leaves the other cores to participants.
hasher = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)


def require_password(password: str, name: str) -> None:
    """Raise ValueError if a password is too short, far too long, or the name.

    There is no rule of capitals and digits: length is what counts.

    Examples
    --------
    >>> require_password("three quiet herons", "jane")
    >>> require_password("heron", "jane")
    Traceback (most recent call last):
    ValueError: the password must be 12 characters or longer, got 5
    """
    said = _composed(password)
    if len(said) < SHORTEST:
        rule = f"{SHORTEST} characters or longer, got {len(said)}"
        raise ValueError(f"the password must be {rule}")
    if len(said) > LONGEST:
        rule = f"{LONGEST} characters or shorter, got {len(said)}"
        raise ValueError(f"the password must be {rule}")
    if said.casefold().strip() == name.casefold():
        raise ValueError("the password must be another than the name of the account")


def hashed(password: str) -> str:
    """Give the Argon2id hash of a password, with its salt and parameters."""
    return hasher.hash(_composed(password))


def fits(password: str, stored: str | None) -> bool:
    """Say whether a password is the one of a hash; without a hash it takes as long."""
    try:
        hasher.verify(stored or _nobodys(), _composed(password)[: LONGEST + 1])
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def is_outdated(stored: str) -> bool:
    """Say whether a hash was made with other parameters than those of today."""
    return hasher.check_needs_rehash(stored)


def _nobodys() -> str:
    """Give a hash that no password has, as costly to check as somebody's."""
    costs = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    parts = (secrets.token_bytes(hasher.salt_len), secrets.token_bytes(hasher.hash_len))
    salt, found = (base64.b64encode(part).decode().rstrip("=") for part in parts)
    return f"$argon2id$v=19${costs}${salt}${found}"


def _composed(password: str) -> str:
    """Give one text for what keyboards send in several ways."""
    return unicodedata.normalize("NFKC", password)
