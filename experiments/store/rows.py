"""Sessions and observers as rows of the trial log, and back."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .connection import Connection

OBSERVER_COLUMNS = ("kind", "name", "parameters", "weights_hash")


@dataclass(frozen=True)
class ObserverInfo:
    """Who responds: a person or a model.

    Attributes
    ----------
    kind
        'person' or 'model'.
    name
        A participant code, or the model's name.
    parameters
        What else the model was made with.
    weights_hash
        SHA-256 of a network's weights.
    """

    kind: str
    name: str
    parameters: dict[str, Any] = field(default_factory=dict)
    weights_hash: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in ("person", "model"):
            raise ValueError(
                f"observer kind must be person or model, got {self.kind!r}"
            )
        if not self.name:
            raise ValueError("an observer's name must be a text, got ''")


@dataclass(frozen=True)
class SessionRow:
    """One session, without its trials.

    Attributes
    ----------
    id
        Date and a few letters; unique in the file.
    presenter
        'web', 'lab', 'model' or 'import'.
    observer_seed
        Seed of a model's internal noise; None for a person.
    yoked_to
        Id of the session whose trials were shown; None if it had its own.
    status
        'unfinished', 'finished' or 'withdrawn'.
    software
        Version of Yoked that ran it.
    display, device
        What the stimulus was shown on, with the look-up table.
    n_trials, n_responses
        Trials recorded so far, and those of them with a response.
    """

    id: str
    protocol_hash: str
    protocol_name: str
    stimulus_hash: str
    observer: ObserverInfo
    presenter: str
    seed: int
    observer_seed: int | None
    noise_source: str
    yoked_to: str | None
    status: str
    software: str
    display: dict[str, Any] | None
    device: dict[str, Any] | None
    started_at: str
    ended_at: str | None
    n_trials: int
    n_responses: int = 0


def json_or_none(value: object) -> str | None:
    """Give a value as compact JSON; None stays None.

    Raises
    ------
    ValueError
        If it holds a number that JSON has not: NaN or infinity.
    """
    return None if value is None else as_json(value)


def as_json(value: object) -> str:
    """Give a value as compact JSON with sorted keys; NumPy's numbers are numbers."""
    return _COMPACT.encode(value)


def _plain(value: object) -> object:
    """Turn what JSON does not know into what it does."""
    if hasattr(value, "tolist"):
        return value.tolist()  # pyright: ignore[reportAttributeAccessIssue]
    return str(value)


def observer_key(connection: Connection, cells: Sequence[object]) -> int:
    """Give the key of an observer's row, which is written if it is new."""
    columns = ", ".join(OBSERVER_COLUMNS)
    insert = f"INSERT INTO observers ({columns}) VALUES (?, ?, ?, ?)"
    connection.execute(f"{insert} ON CONFLICT DO NOTHING", cells)
    query = f"SELECT id FROM observers WHERE ({columns}) = (?, ?, ?, ?)"
    return connection.execute(query, cells).fetchone()[0]


def session_row(row: dict[str, Any]) -> SessionRow:
    """Give a joined row of sessions, observers and protocols as an object."""
    observer = ObserverInfo(
        kind=row["observer_kind"],
        name=row["observer_name"],
        parameters=json.loads(row["observer_parameters"]),
        weights_hash=row["weights_hash"] or None,
    )
    same = (
        "id", "protocol_hash", "protocol_name", "stimulus_hash", "presenter", "seed",
        "observer_seed", "noise_source", "yoked_to", "status", "software", "started_at",
        "ended_at", "n_trials", "n_responses",
    )  # fmt: skip
    return SessionRow(
        observer=observer,
        display=None if row["display"] is None else json.loads(row["display"]),
        device=None if row["device"] is None else json.loads(row["device"]),
        **{name: row[name] for name in same},
    )


# One for all: to make an encoder takes as long as to write a small value.
_COMPACT = json.JSONEncoder(
    separators=(",", ":"), sort_keys=True, allow_nan=False, default=_plain
)
