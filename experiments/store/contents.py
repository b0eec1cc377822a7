"""Images and pictures that a protocol names by SHA-256, in the trial log's `noise`.

A row's blob is what the SHA-256 is of, so that a log needs no file beside it.
"""

import json
from collections.abc import Mapping
from typing import Any

from ..protocols.contents import contents_of, is_kept, keep, kept
from ..protocols.images import Images
from .connection import Connection
from .noise import INSERT_NOISE

IMAGES = "yoked-basis-1"  # in the column dtype


def add_contents(connection: Connection, plain: Mapping[str, Any]) -> None:
    """Write what a protocol names inside the caller's transaction, unless it is there.

    Parameters
    ----------
    connection
        Of the trial log.
    plain
        The protocol as plain data.
    """
    for sha256, what in contents_of(plain).items():
        images = kept(sha256, what)
        shape = json.dumps([images.n, *images.shape], separators=(",", ":"))
        connection.execute(INSERT_NOISE, (sha256, shape, IMAGES, images.plain))


def read_contents(connection: Connection, plain: Mapping[str, Any]) -> None:
    """Read what a protocol names, unless this process has it; see `contents.keep`.

    What is in no log is missed by the protocol's own rules.
    """
    query = "SELECT blob FROM noise WHERE sha256 = ? AND dtype = ?"
    for sha256 in contents_of(plain):
        if not is_kept(sha256):
            row = connection.execute(query, [sha256, IMAGES]).fetchone()
            if row is not None:
                keep(Images.of_plain(row[0]))


def missing_contents(
    connection: Connection,
) -> list[tuple[str, str, str]]:
    """Give protocol, what it names, and SHA-256 where a log does not have it."""
    missing = []
    query = "SELECT 1 FROM noise WHERE sha256 = ?"
    for name, text in connection.execute("SELECT name, json FROM protocols"):
        for sha256, what in contents_of(json.loads(text)).items():
            if connection.execute(query, [sha256]).fetchone() is None:
                missing.append((name, what, sha256))
    return missing
