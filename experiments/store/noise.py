"""Noise of other people's experiments: arrays in the trial log's table `noise`.

An array is a row under its SHA-256. One that is larger than a part is cut into parts of
whole stimuli, each a row of its own, and a row of kind 'parts' that lists them: SQLite
keeps no more than 1 GB in a cell, and nobody has to read more than is analysed.
"""

import hashlib
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Float, Int8

from .connection import Connection

PART_BYTES = 2**23
_PARTS_KEPT = 8  # in memory, of the array that is being read
_LIST = "parts"  # in the column dtype
INSERT_NOISE = (
    "INSERT INTO noise (sha256, shape, dtype, blob) VALUES (?, ?, ?, ?) "
    "ON CONFLICT DO NOTHING"
)

# SHA-256: the row's shape, dtype and blob; LookupError if there is none.
ReadRow = Callable[[str], tuple[str, str, bytes]]


def checked_noise(
    part: np.ndarray,
) -> Int8[np.ndarray, " ..."] | Float[np.ndarray, " ..."]:
    """Give noise as it is stored: int8 levels, or float32 contrast.

    Parameters
    ----------
    part
        int8 contrast levels (contrast = level / 127), or floats in contrast.

    Raises
    ------
    ValueError
        If it is of another type, is not finite, or leaves [-1, 1] contrast.

    Examples
    --------
    >>> checked_noise(np.array([0.25])).dtype
    dtype('float32')
    """
    if part.dtype == np.int8:
        if part.size and part.min() == -128:
            raise ValueError("noise must be in [-127, 127] levels, got -128")
        return np.ascontiguousarray(part)
    if not np.issubdtype(part.dtype, np.floating):
        rule = "floats in contrast, or int8 contrast levels"
        raise ValueError(f"noise must be {rule}, got {part.dtype}")
    largest = float(np.abs(part).max(initial=0))  # NaN stays NaN
    if not math.isfinite(largest):
        raise ValueError("noise must be finite numbers, got NaN or infinity")
    if largest > 1:
        raise ValueError(f"noise must be in [-1, 1] contrast, got {largest:g}")
    return np.ascontiguousarray(part, "<f4")


def add_noise(connection: Connection, noise: np.ndarray) -> str:
    """Write an array inside the caller's transaction; the same again is a no-op.

    Parameters
    ----------
    connection
        Of the trial log.
    noise
        (stimulus, interval, frame, row, column): int8 contrast levels, or floats in
        contrast, which are kept as float32. May be a memory map.

    Returns
    -------
    str
        SHA-256 of dtype, shape and values.

    Raises
    ------
    ValueError
        If it has other axes, is empty, or `checked_noise` refuses it.
    """
    if noise.ndim != 5 or not noise.size:
        rule = "(stimulus, interval, frame, row, column) and not empty"
        raise ValueError(f"noise must be {rule}, got shape {noise.shape}")
    n_bytes = math.prod(noise.shape[1:]) * (1 if noise.dtype == np.int8 else 4)
    n_rows = max(1, PART_BYTES // n_bytes)
    parts = [
        _add_part(connection, checked_noise(noise[first : first + n_rows]))
        for first in range(0, len(noise), n_rows)
    ]
    if len(parts) == 1:
        return parts[0]
    dtype = "int8" if noise.dtype == np.int8 else "float32"
    listed = {"dtype": dtype, "rows": n_rows, "parts": parts}
    blob = json.dumps(listed, separators=(",", ":")).encode()
    return _add_row(connection, noise.shape, _LIST, blob)


def _add_part(connection: Connection, part: np.ndarray) -> str:
    return _add_row(connection, part.shape, part.dtype.name, part.tobytes())


def _add_row(
    connection: Connection, shape: tuple[int, ...], dtype: str, blob: bytes
) -> str:
    plain = json.dumps(list(shape), separators=(",", ":"))
    sha256 = hashlib.sha256(f"{dtype} {plain}\n".encode() + blob).hexdigest()
    connection.execute(INSERT_NOISE, (sha256, plain, dtype, blob))
    return sha256


def read_row(connection: Connection, sha256: str) -> tuple[str, str, bytes]:
    """Give shape, dtype and blob of one row of the table `noise`.

    Raises
    ------
    LookupError
        If there is none of that SHA-256.
    """
    query = "SELECT shape, dtype, blob FROM noise WHERE sha256 = ?"
    row = connection.execute(query, [sha256]).fetchone()
    if row is None:
        raise LookupError(f"stored noise must be in the database, got {sha256!r}")
    return row


@dataclass(frozen=True)
class _Layout:
    """How an array is cut: the whole shape, and the parts with rows of each."""

    shape: tuple[int, ...]
    dtype: str
    rows: int
    parts: tuple[str, ...]


class LoggedNoise:
    """An array of the trial log, of which only the parts asked for are read.

    Indexed as `fields[stimuli, interval]`; the last few parts stay in memory.

    Parameters
    ----------
    sha256
        Which array.
    read_row
        Reads a row of the table `noise`, also when the store has been closed.

    Raises
    ------
    LookupError
        If the trial log has no such array.

    Examples
    --------
    >>> from yoked.experiments.store.sqlite import open_store
    >>> store = open_store(":memory:")
    >>> sha256 = store.add_noise(np.zeros((3, 2, 1, 1, 4), np.int8))
    >>> fields = store.noise(sha256)
    >>> fields.shape, fields[np.array([2, 2]), 1].shape
    ((3, 2, 1, 1, 4), (2, 1, 1, 4))
    >>> store.close()
    """

    def __init__(self, sha256: str, read_row: ReadRow) -> None:
        self.sha256 = sha256
        self._read_row = read_row
        self._layout = _layout(sha256, read_row)
        self._part = lru_cache(maxsize=_PARTS_KEPT)(self._read_part)

    @property
    def shape(self) -> tuple[int, ...]:
        """Stimuli, intervals, frames, rows, columns."""
        return self._layout.shape

    @property
    def dtype(self) -> np.dtype:
        """int8 for contrast levels, float32 for contrast."""
        return np.dtype(self._layout.dtype)

    def __getitem__(self, key: Any) -> np.ndarray:
        """Give the fields of (stimuli, interval), (stimulus, frame, row, column)."""
        stimuli, interval = np.asarray(key[0], np.int64), int(key[1])
        if stimuli.size and not 0 <= stimuli.min() <= stimuli.max() < self.shape[0]:
            wrong = stimuli[(stimuli < 0) | (stimuli >= self.shape[0])][0]
            rule = f"a row of the stored noise, below {self.shape[0]}"
            raise ValueError(f"stimulus_id must be {rule}, got {wrong}")
        fields = np.empty((len(stimuli), *self.shape[2:]), self.dtype)
        which, within = np.divmod(stimuli, self._layout.rows)
        for number in np.unique(which):
            rows = np.flatnonzero(which == number)
            fields[rows] = self._part(int(number))[within[rows], interval]
        return fields

    def _read_part(self, number: int) -> np.ndarray:
        sha256 = self._layout.parts[number]
        shape, dtype, blob = self._read_row(sha256)
        kind = np.dtype(dtype).newbyteorder("<")
        return np.frombuffer(blob, kind).reshape(json.loads(shape))


def _layout(sha256: str, read_row: ReadRow) -> _Layout:
    shape, dtype, blob = read_row(sha256)
    whole = tuple(json.loads(shape))
    if dtype != _LIST:
        return _Layout(whole, dtype, whole[0], (sha256,))
    listed = json.loads(blob)
    return _Layout(whole, listed["dtype"], listed["rows"], tuple(listed["parts"]))


def drop_withdrawn_noise(connection: Connection) -> None:
    """Delete the arrays of withdrawn sessions that no other session needs."""
    query = (
        "SELECT DISTINCT substr(noise_source, 8) FROM sessions "
        "WHERE noise_source LIKE 'stored:%' AND status {} 'withdrawn'"
    )
    needed, gone = (
        {sha for (of,) in connection.execute(query.format(sign)).fetchall()
         for sha in rows_of(connection, of)}
        for sign in ("<>", "=")
    )  # fmt: skip
    for sha256 in gone - needed:
        connection.execute("DELETE FROM noise WHERE sha256 = ?", [sha256])


def rows_of(connection: Connection, sha256: str) -> Iterator[str]:
    """List an array's row and those of its parts, as far as they are there."""
    yield sha256
    query = "SELECT blob FROM noise WHERE sha256 = ? AND dtype = ?"
    row = connection.execute(query, [sha256, _LIST]).fetchone()
    yield from json.loads(row[0])["parts"] if row else ()
