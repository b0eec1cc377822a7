"""Secrets that open something, and codes that people type; only hashes are stored."""

import base64
import hashlib
import re
import secrets

from ..keyfile import keyed_bytes

_BYTES = 24  # 192 bits, 32 characters of a link
_TOKEN = re.compile("[A-Za-z0-9_-]{32}")
# Read aloud and typed by people: no letter here looks like another or like a digit.
_CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def new_token() -> str:
    """Make the token of a link; nothing is stored."""
    return secrets.token_urlsafe(_BYTES)


def is_token(text: str) -> bool:
    """Say whether a text has the form of a token."""
    return _TOKEN.fullmatch(text) is not None


def hash_of_token(token: str) -> str:
    """Give the SHA-256 of a token; it has too many bits to be found by trying."""
    return hashlib.sha256(token.encode()).hexdigest()


def token_for(key: bytes, who: str) -> str:
    """Give the token that somebody always has: whoever comes again finds their session.

    Parameters
    ----------
    key
        Of this server.
    who
        Study and person, or personal link.

    Examples
    --------
    >>> token_for(b"k" * 32, "bars p1") == token_for(b"k" * 32, "bars p1")
    True
    """
    drawn = keyed_bytes(key, "session", who)[:_BYTES]
    return base64.urlsafe_b64encode(drawn).decode()


def withdrawal_code(key: bytes, token: str) -> str:
    """Give the code with which whoever has a link can withdraw: 80 bits, 4 by 4.

    Examples
    --------
    >>> len(withdrawal_code(b"k" * 32, "x" * 32))
    19
    """
    code = letters(keyed_bytes(key, "withdrawal code", token)[:16])
    return "-".join(code[start : start + 4] for start in range(0, 16, 4))


def new_code(length: int) -> str:
    """Make a code that can be read aloud: 5 bits a letter."""
    return letters(secrets.token_bytes(length))


def letters(noise: bytes) -> str:
    """Give one letter or digit for each byte."""
    return "".join(_CODE_LETTERS[byte % len(_CODE_LETTERS)] for byte in noise)


def as_typed(code: str) -> str:
    """Give a code as it was made, from what somebody typed.

    Examples
    --------
    >>> as_typed(" abcd-efgh ")
    'ABCDEFGH'
    """
    return "".join(letter for letter in code.upper() if letter in _CODE_LETTERS)
