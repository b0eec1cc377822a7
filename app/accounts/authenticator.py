"""The second step of signing in: codes of an authenticator app, and recovery codes.

The app's secret is made from the server's key and a number of the account's own. It is
not stored, so that the database alone makes no codes. Codes are those of RFC 6238.
"""

import base64
import hmac
import re
import secrets
from datetime import datetime

from pyotp.totp import TOTP

from ...experiments.store.connection import Connection
from ..keyfile import keyed_bytes
from . import audit
from .audit import Named
from .tokens import token_hash

STEP_S = 30
_STEPS_OFF = 1  # how far a phone's clock may be from ours
_SECRET_BYTES = 20  # as RFC 4226 has it; several apps take no other length
N_RECOVERY = 10
# As completion codes: no letter looks like another or like a digit.
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_RECOVERY_LETTERS = 16  # 80 bits: their SHA-256 leads to nothing


def new_salt() -> str:
    """Give what makes an account's next secret another one; it is no secret itself."""
    return secrets.token_hex(16)


def is_salt(text: str) -> bool:
    """Say whether a text has the form of a salt."""
    return re.fullmatch("[0-9a-f]{32}", text) is not None


def secret(key: bytes, account: Named, salt: str) -> str:
    """Give the secret that an authenticator app is told, in base 32.

    Parameters
    ----------
    key
        The server's.
    account
        Whose.
    salt
        By `new_salt`; stored with the account once a code has confirmed it.
    """
    found = keyed_bytes(key, "authenticator", f"{account.key} {salt}")
    return base64.b32encode(found[:_SECRET_BYTES]).decode()


def address(key: bytes, account: Named, salt: str, server: str) -> str:
    """Give the otpauth: address of a secret, which a picture for the app holds."""
    totp = TOTP(secret(key, account, salt), interval=STEP_S)
    return totp.provisioning_uri(name=account.name, issuer_name=f"Yoked {server}")


def step_of(key: bytes, account: Named, salt: str, code: str, at: datetime) -> int:
    """Give the time step that a code belongs to; 0 if it is none of about now.

    Parameters
    ----------
    key, account, salt
        As for `secret`.
    code
        Six digits; spaces make no difference.
    at
        When it was typed; steps are those of 30 s since 1970.
    """
    totp = TOTP(secret(key, account, salt), interval=STEP_S)
    typed = "".join(code.split()).encode()
    current = int(at.timestamp()) // STEP_S
    found = 0
    for step in range(current - _STEPS_OFF, current + _STEPS_OFF + 1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), typed):
            found = step
    return found


def set_up(
    connection: Connection,
    key: bytes,
    account: Named,
    salt: str,
    code: str,
    at: datetime,
) -> list[str] | None:
    """Ask for codes from now on; give the recovery codes. None if the code is wrong."""
    step = step_of(key, account, salt, code, at)
    if not step:
        return None
    query = "UPDATE accounts SET authenticator = ?, last_step = ? WHERE key = ?"
    connection.execute(query, [salt, step, account.key])
    audit.note(connection, account, "set up an authenticator app", at, account)
    return new_recovery_codes(connection, account, at)


def forget(
    connection: Connection, by: Named | None, account: Named, at: datetime
) -> None:
    """Ask for no code any more."""
    query = "UPDATE accounts SET authenticator = NULL, last_step = NULL WHERE key = ?"
    connection.execute(query, [account.key])
    connection.execute("DELETE FROM recovery_codes WHERE account = ?", [account.key])
    audit.note(connection, by, "removed an authenticator app", at, account)


def accept(
    connection: Connection,
    key: bytes,
    account: Named,
    code: str,
    at: datetime,
) -> bool:
    """Say whether a code lets an account in; each does so once.

    Codes of an earlier step than the last one that was accepted are refused as well.

    Parameters
    ----------
    connection
        In a transaction.
    key
        The server's.
    account
        Who signs in.
    code
        Of their app, or one of their recovery codes, which is used up.
    at
        When it was typed.
    """
    query = "SELECT authenticator, last_step FROM accounts WHERE key = ?"
    row = connection.execute(query, [account.key]).fetchone()
    if row is None or row[0] is None:
        return False
    salt, last_step = row
    step = step_of(key, account, salt, code, at)
    if step > (last_step or 0):
        query = "UPDATE accounts SET last_step = ? WHERE key = ?"
        connection.execute(query, [step, account.key])
        return True
    query = "DELETE FROM recovery_codes WHERE account = ? AND code_hash = ?"
    known = [account.key, token_hash(_plain(code))]
    if connection.execute(query, known).rowcount != 1:
        return False
    audit.note(connection, account, "used a recovery code", at, account)
    return True


def new_recovery_codes(
    connection: Connection, account: Named, at: datetime
) -> list[str]:
    """Give ten new recovery codes, which are shown once; those of before end."""
    codes = [_new_code() for _ in range(N_RECOVERY)]
    connection.execute("DELETE FROM recovery_codes WHERE account = ?", [account.key])
    rows = [(account.key, token_hash(_plain(code))) for code in codes]
    connection.executemany("INSERT INTO recovery_codes VALUES (?, ?)", rows)
    audit.note(connection, account, "made recovery codes", at, account)
    return codes


def n_recovery_codes(connection: Connection, account: Named) -> int:
    """Count the recovery codes that are left."""
    query = "SELECT count(*) FROM recovery_codes WHERE account = ?"
    return connection.execute(query, [account.key]).fetchone()[0]


def _new_code() -> str:
    letters = "".join(secrets.choice(_LETTERS) for _ in range(_RECOVERY_LETTERS))
    return "-".join(letters[i : i + 4] for i in range(0, _RECOVERY_LETTERS, 4))


def _plain(code: str) -> str:
    """Give a recovery code without what people change when they type it."""
    return "".join(code.split()).replace("-", "").upper()
