"""Personal links: each lets one person in once; and links of pilot runs."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...experiments.clock import utc_now
from ...experiments.store.connection import Connection
from .tokens import hash_of_token, new_token

MOST_AT_ONCE = 10_000


@dataclass(frozen=True)
class Link:
    """A link that the study's researchers made.

    Attributes
    ----------
    key, study
        Its number, and its study's.
    label
        The researchers' own word for it: no name of a person.
    is_pilot
        Whether it leads to runs that count for nothing, as often as anybody likes.
    made_at, revoked_at
        ISO 8601, in UTC; None while it holds.
    """

    key: int
    study: int
    label: str
    is_pilot: bool
    made_at: str
    revoked_at: str | None = None


_COLUMNS = "key, study, label, is_pilot, made_at, revoked_at"


def make_links(
    connection: Connection,
    study: int,
    labels: Sequence[str],
    is_pilot: bool = False,
) -> list[str]:
    """Make links, one for each label; give their tokens, which are stored nowhere.

    Raises
    ------
    ValueError
        If these are too many at once.
    """
    if not 1 <= len(labels) <= MOST_AT_ONCE:
        raise ValueError(
            f"links must be from 1 to {MOST_AT_ONCE} at once, got {len(labels)}"
        )
    made = [(new_token(), label) for label in labels]
    insert = (
        "INSERT INTO links (token_hash, study, label, is_pilot, made_at) "
        "VALUES (?, ?, ?, ?, ?)"
    )
    at = utc_now()
    rows = [(hash_of_token(t), study, label, int(is_pilot), at) for t, label in made]
    connection.executemany(insert, rows)
    return [token for token, _ in made]


def find_link(connection: Connection, token: str) -> Link | None:
    """Give the link that has a token and holds; None if there is none."""
    query = f"SELECT {_COLUMNS} FROM links WHERE token_hash = ? AND revoked_at IS NULL"
    row = connection.execute(query, [hash_of_token(token)]).fetchone()
    return None if row is None else _link(row)


def links_of(connection: Connection, study: int) -> list[tuple[Link, bool]]:
    """List a study's links in the order in which they were made, and who was used."""
    query = (
        f"SELECT {_COLUMNS}, EXISTS (SELECT 1 FROM enrolments e WHERE e.link = l.key) "
        "FROM links l WHERE study = ? ORDER BY key"
    )
    rows = connection.execute(query, [study]).fetchall()
    return [(_link(row[:-1]), bool(row[-1])) for row in rows]


def revoke_link(connection: Connection, study: int, key: int) -> None:
    """Let a link lead nowhere; who has begun by it goes on.

    Raises
    ------
    LookupError
        If the study has no such link.
    """
    update = "UPDATE links SET revoked_at = coalesce(revoked_at, ?) "
    found = connection.execute(
        f"{update} WHERE key = ? AND study = ?", [utc_now(), key, study]
    )
    if not found.rowcount:
        raise LookupError(f"a link must be one of the study's, got number {key}")


def _link(row: Sequence) -> Link:
    key, study, label, is_pilot, made_at, revoked_at = row
    return Link(key, study, label, bool(is_pilot), made_at, revoked_at)
