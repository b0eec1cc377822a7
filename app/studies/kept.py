"""Studies as the database keeps them: pinned to their protocols, open or not."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from ...experiments.clock import utc_now
from ...experiments.protocols.checks import suggestion
from ...experiments.protocols.sittings import SittingPlan
from ...experiments.store.connection import Connection
from ...experiments.store.trial_log import Store
from .arms import Arm
from .description import Study, state_after, study_from_json


@dataclass(frozen=True)
class KeptStudy:
    """A study in the database.

    Attributes
    ----------
    key
        Its number there.
    study
        What it asks of whom.
    state
        'draft', 'open', 'paused' or 'closed'.
    made_at
        ISO 8601, in UTC.
    """

    key: int
    study: Study
    state: str
    made_at: str


def add_study(store: Store, study: Study) -> None:
    """Keep a study, as a draft, with all its protocols.

    Raises
    ------
    ValueError
        If there is one of that name.
    """
    with store.transaction(), store.beside() as connection:
        store.hold("studies")
        known = connection.execute(
            "SELECT 1 FROM studies WHERE name = ?", [study.name]
        ).fetchone()
        if known:
            rule = "one that no study here has"
            raise ValueError(f"the name of a study must be {rule}, got {study.name!r}")
        made = connection.execute(
            "INSERT INTO studies (name, description, state, made_at) "
            "VALUES (?, ?, 'draft', ?) RETURNING key",
            [study.name, study.to_json(), utc_now()],
        )
        ((key,),) = made.fetchall()
        for number, arm in enumerate(study.arms):
            for protocol in arm.protocols:
                store.add_protocol(protocol)
            connection.execute(
                "INSERT INTO arms VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [key, number, *_cells(arm)],
            )


def _cells(arm: Arm) -> tuple[str, int, str | None, float, str, str]:
    plan, gap = (
        (None, 0.0) if arm.plan is None else (arm.plan.name, arm.plan.min_gap_hours)
    )
    hashes = json.dumps([protocol.hash for protocol in arm.protocols])
    return (arm.name, arm.weight, plan, gap, hashes, json.dumps(arm.keys))


def find_study(store: Store, name: str) -> KeptStudy:
    """Give a study by its name.

    Raises
    ------
    LookupError
        If there is none.
    """
    for kept in _studies(store, "name = ?", name):
        return kept
    with store.beside() as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM studies")]
    hint = suggestion(name, names)
    raise LookupError(f"a study must be in the database, got {name!r}{hint}")


def study_of_key(store: Store, key: int) -> KeptStudy:
    """Give a study by its number, which a row of another table has."""
    return next(_studies(store, "key = ?", key))


def state_of(connection: Connection, key: int) -> str:
    """Give the state that a study is in."""
    query = "SELECT state FROM studies WHERE key = ?"
    return connection.execute(query, [key]).fetchone()[0]


def key_of(connection: Connection, name: str) -> int | None:
    """Give a study's number by its name; None if there is none."""
    query = "SELECT key FROM studies WHERE name = ?"
    row = connection.execute(query, [name]).fetchone()
    return None if row is None else row[0]


def every_study(store: Store) -> list[KeptStudy]:
    """List the studies in the order in which they were made."""
    return list(_studies(store, "1 = ?", 1))


def set_state(store: Store, name: str, state: str) -> None:
    """Open, pause or close a study.

    Raises
    ------
    LookupError
        If there is no such study.
    ValueError
        If there is no such state, or it cannot go there.
    """
    with store.transaction(), store.beside() as connection:
        kept = find_study(store, name)
        connection.execute(
            "UPDATE studies SET state = ? WHERE key = ?",
            [state_after(kept.state, state), kept.key],
        )


def _studies(store: Store, where: str, value: str | int) -> Iterator[KeptStudy]:
    query = "SELECT key, description, state, made_at FROM studies"
    with store.beside() as connection:
        rows = connection.execute(f"{query} WHERE {where} ORDER BY key", [value])
        for key, description, state, made_at in rows.fetchall():
            arms = tuple(_arms(store, connection, key))
            yield KeptStudy(key, study_from_json(description, arms), state, made_at)


def _arms(store: Store, connection: Connection, study: int) -> Iterator[Arm]:
    query = (
        'SELECT name, weight, "plan", min_gap_hours, protocols, keys FROM arms '
        "WHERE study = ? ORDER BY number"
    )
    for name, weight, plan, gap, hashes, keys in connection.execute(query, [study]):
        protocols = tuple(store.protocol(each) for each in json.loads(hashes))
        of_plan = None if plan is None else SittingPlan(plan, protocols, gap)
        yield Arm(name, protocols, weight, of_plan, tuple(json.loads(keys)))
