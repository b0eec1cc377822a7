"""Personal links: each lets one person in once; links of pilot runs, and of models."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ...experiments.clock import utc_now
from ...experiments.store.connection import Connection
from .tokens import hash_of_token, new_token

MOST_AT_ONCE = 10_000


@dataclass(frozen=True)
class ModelOfLink:
    """The model that takes part by a link, which lets it in once.

    Attributes
    ----------
    name, parameters, weights_hash
        Of the observer, as the trial log has them.
    observer_seed
        Of its own noise.
    arm
        Number of the arm, whose protocol it was prepared for.
    """

    name: str
    observer_seed: int
    arm: int
    parameters: Mapping[str, Any] = field(default_factory=dict)
    weights_hash: str | None = None


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
    model
        The model that it is for; None where it is a person's.
    """

    key: int
    study: int
    label: str
    is_pilot: bool
    made_at: str
    revoked_at: str | None = None
    model: ModelOfLink | None = None


_COLUMNS = "key, study, label, is_pilot, made_at, revoked_at, model"


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


def make_model_link(connection: Connection, study: int, model: ModelOfLink) -> str:
    """Make the link of a model; give its token, which is stored nowhere.

    What it leads to is in no count, no quota and no payment, as a pilot run.
    """
    token = new_token()
    row = [
        hash_of_token(token),
        study,
        model.name,
        utc_now(),
        json.dumps(asdict(model)),
    ]
    connection.execute(
        "INSERT INTO links (token_hash, study, label, is_pilot, made_at, model) "
        "VALUES (?, ?, ?, 1, ?, ?)",
        row,
    )
    return token


def find_link(connection: Connection, token: str) -> Link | None:
    """Give the link that has a token and holds; None if there is none."""
    query = f"SELECT {_COLUMNS} FROM links WHERE token_hash = ? AND revoked_at IS NULL"
    row = connection.execute(query, [hash_of_token(token)]).fetchone()
    return None if row is None else _link(row)


def links_of(connection: Connection, study: int) -> list[tuple[Link, bool]]:
    """List people's links in the order in which they were made, and which were used."""
    query = (
        f"SELECT {_COLUMNS}, EXISTS (SELECT 1 FROM enrolments e WHERE e.link = l.key) "
        "FROM links l WHERE study = ? AND model IS NULL ORDER BY key"
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
    key, study, label, is_pilot, made_at, revoked_at, model = row
    of_model = None if model is None else ModelOfLink(**json.loads(model))
    return Link(key, study, label, bool(is_pilot), made_at, revoked_at, of_model)
