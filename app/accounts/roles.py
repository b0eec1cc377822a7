"""Who may do what in which study. Administrators may everything, without a role."""

from datetime import datetime

from ...experiments.store.connection import Connection
from . import audit
from .accounts import COLUMNS, Account, account_of

VIEWER, EDITOR, OWNER = "viewer", "editor", "owner"
ROLES = (VIEWER, EDITOR, OWNER)  # each may what those before it may


def require_known(role: str) -> None:
    """Raise ValueError if there is no such role."""
    if role not in ROLES:
        raise ValueError(f"a role must be one of {', '.join(ROLES)}, got {role!r}")


def role_in(connection: Connection, account: Account, study: int) -> str | None:
    """Give the role of an account in a study; None without one.

    Parameters
    ----------
    connection
        Of the file.
    account
        Whose; administrators are owners of every study.
    study
        Its key.
    """
    if account.is_administrator:
        return OWNER
    query = "SELECT role FROM study_roles WHERE account = ? AND study = ?"
    row = connection.execute(query, [account.key, study]).fetchone()
    return None if row is None else row[0]


def is_enough(role: str | None, needed: str) -> bool:
    """Say whether a role may what another one may.

    Examples
    --------
    >>> is_enough("owner", "viewer"), is_enough("viewer", "editor")
    (True, False)
    >>> is_enough(None, "viewer")
    False
    """
    return role is not None and ROLES.index(role) >= ROLES.index(needed)


def studies_of(connection: Connection, account: Account) -> dict[int, str]:
    """Give the roles of an account by the key of the study."""
    query = "SELECT study, role FROM study_roles WHERE account = ? ORDER BY study"
    return dict(connection.execute(query, [account.key]).fetchall())


def people_of(connection: Connection, study: int) -> list[tuple[Account, str]]:
    """List the accounts that have a role in a study, with their roles, by name."""
    query = (
        f"SELECT {COLUMNS}, r.role FROM study_roles r "
        "JOIN accounts a ON a.key = r.account WHERE r.study = ? ORDER BY a.name"
    )
    rows = connection.execute(query, [study])
    return [(account_of(row[:-1]), row[-1]) for row in rows]


def give(
    connection: Connection,
    by: Account | None,
    account: Account,
    study: int,
    role: str | None,
    at: datetime,
) -> None:
    """Give an account a role in a study; None takes it away.

    Raises
    ------
    ValueError
        If there is no such role, or the study would be left without an owner.
    """
    if role is not None:
        require_known(role)
    if role != OWNER:
        _require_another_owner(connection, account, study)
    connection.execute(
        "DELETE FROM study_roles WHERE account = ? AND study = ?", [account.key, study]
    )
    if role is not None:
        row = [account.key, study, role]
        connection.execute("INSERT INTO study_roles VALUES (?, ?, ?)", row)
    what = "took a role away" if role is None else "gave a role"
    audit.note(connection, by, what, at, account, study, role)


def _require_another_owner(
    connection: Connection, account: Account, study: int
) -> None:
    query = "SELECT account FROM study_roles WHERE study = ? AND role = 'owner'"
    owners = [row[0] for row in connection.execute(query, [study])]
    if owners == [account.key]:
        rule = "left; make somebody else one first"
        raise ValueError(f"an owner of the study must be {rule}")
