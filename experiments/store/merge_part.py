"""Which rows of a trial log are merged: all, or what some sessions need."""

import json
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass

from ..protocols.contents import contents_of
from .noise import rows_of


@dataclass(frozen=True)
class Part:
    """The rows of a source by their keys; None for all of them.

    Attributes
    ----------
    sessions
        Ids.
    protocols
        Hashes.
    noise
        SHA-256 of arrays, of their parts, and of protocols' images.
    """

    sessions: frozenset[str] | None = None
    protocols: frozenset[str] | None = None
    noise: frozenset[str] | None = None

    @classmethod
    def of(cls, source: sqlite3.Connection, wanted: Collection[str] | None) -> "Part":
        """Give what some sessions need, those that they are yoked to included.

        Raises
        ------
        LookupError
            If there is no such session.
        """
        if wanted is None:
            return cls()
        query = "SELECT id, yoked_to, protocol, noise_source FROM sessions"
        rows = {row[0]: row[1:] for row in source.execute(query)}
        sessions: set[str] = set()
        due = list(wanted)
        while due:
            if (each := due.pop()) not in rows:
                raise LookupError(f"a session must be in the database, got {each!r}")
            if each not in sessions:
                sessions.add(each)
                due += [rows[each][0]] if rows[each][0] else []
        protocols = {rows[each][1] for each in sessions}
        noise = {
            row
            for each in sessions
            if rows[each][2].startswith("stored:")
            for row in rows_of(source, rows[each][2].removeprefix("stored:"))
        }
        for key in protocols:
            found = source.execute("SELECT json FROM protocols WHERE hash = ?", [key])
            noise |= set(contents_of(json.loads(found.fetchone()[0])))
        return cls(*map(frozenset, (sessions, protocols, noise)))
