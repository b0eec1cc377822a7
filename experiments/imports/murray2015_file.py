"""The files of Murray, Patel & Yee (2015): one row a trial, in blocks.

A block stands between a start time with the columns' names and an end time. Every row
is checked against the rules of its columns and against the rows before it. What some
published files have instead is left out, and said: the header of a block that was
broken off, a title where a time is expected, no end.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

_COLUMNS = ["trial", "matchtrial", "target_interval", "randseed", "randnseed"]
_COLUMNS += ["signal_contrast", "response", "correct", "rt"]
_HIGHEST_CONTRAST = 0.5  # beside noise that is cut at .5


class Row(NamedTuple):
    """One row of a file, as its columns are."""

    trial: float
    match: float
    target_interval: float
    seed: float
    spare_seed: float
    contrast: float
    response: float
    correct: float
    rt_s: float


@dataclass(frozen=True)
class FileBlock:
    """One block of a file; times are local, in ISO 8601, None where they are not there.

    Attributes
    ----------
    rows
        Its trials, one at least: `Row`, or what another set has for one.
    """

    started_at: str | None
    ended_at: str | None
    rows: tuple[Any, ...]


RowReader = Callable[[str, Sequence[str], Sequence[Any]], Any]


def read_blocks(
    name: str,
    text: str,
    columns: Sequence[str] = _COLUMNS,
    row: RowReader | None = None,
) -> tuple[tuple[FileBlock, ...], tuple[str, ...]]:
    """Cut a file at its comments and check every row.

    Parameters
    ----------
    name, text
        The file's, its name for sentences.
    columns
        Names of its columns.
    row
        Checks the words of a row, of which it gets the place and the rows before it.

    Returns
    -------
    tuple of FileBlock, tuple of str
        Its blocks; a sentence for each thing that was not as in the other files.

    Raises
    ------
    ValueError
        If a row breaks a rule, or a comment is where none can be; with its line.
    """
    reader = _Reader(name, columns, row or _row)
    for number, line in enumerate(text.splitlines(), start=1):
        if words := line.split():
            reader.take(number, words)
    reader.end(is_whole_line=text.endswith(("\n", "\r")))
    return tuple(reader.blocks), tuple(reader.notes)


class _Reader:
    """Takes a file line by line; between lines it knows in what block it is."""

    def __init__(self, name: str, columns: Sequence[str], row: RowReader) -> None:
        self.name, self._columns, self._row = name, list(columns), row
        self.blocks: list[FileBlock] = []
        self.notes: list[str] = []
        self._number = 0
        self._close()

    def _close(self) -> None:
        self._began = 0  # in which line; 0: no block is open
        self._started: str | None = None
        self._is_titled = False
        self._rows: list[Any] = []

    @property
    def _where(self) -> str:
        return f"line {self._number} of {self.name}"

    def take(self, number: int, words: Sequence[str]) -> None:
        """Take the words of the next line."""
        self._number = number
        if words[0] != "%":
            self._require_open()
            self._rows.append(self._row(self._where, words, self._rows))
        elif words[1:2] == ["finished"]:
            self._require_open()
            self._end_block(self._ended(words[2:]))
        elif words[1:] == self._columns:
            if self._is_titled and not self._began:
                self._began = number
        else:
            self._begin(words[1:])

    def _ended(self, words: Sequence[str]) -> str:
        """Read when a block ended; without a date it was that of its start."""
        if len(words) != 1 or ":" not in words[0] or self._started is None:
            return _time(self._where, words)
        began = datetime.fromisoformat(self._started)
        ended = _time(self._where, [f"{began:%d-%b-%Y}", *words])
        if ended < self._started:  # after midnight
            ended = (datetime.fromisoformat(ended) + timedelta(days=1)).isoformat()
        return ended

    def _require_open(self) -> None:
        if not self._began:
            raise ValueError(f"{self._where} must come after its block's start time")

    def _begin(self, words: Sequence[str]) -> None:
        """Begin a block with its time; a title is none, and is left out."""
        if self._rows and _is_time(words):
            rule = "end the block before the next begins"
            raise ValueError(f"{self._where} must {rule}")
        if not self._rows and not _is_time(words):
            got = " ".join(words)
            self.notes.append(f"{self._where} is no time, but {got!r}: left out")
            self._is_titled = True
            return
        started = _time(self._where, words)
        if self._started is not None:
            self._leave_out()
        self._began, self._started = self._number, started

    def _leave_out(self) -> None:
        where = f"line {self._began} of {self.name}"
        self.notes.append(f"{where} begins a block without a trial: left out")
        self._close()

    def _end_block(self, ended: str | None) -> None:
        if not self._rows:
            self._leave_out()
            return
        self.blocks.append(FileBlock(self._started, ended, tuple(self._rows)))
        self._close()

    def end(self, is_whole_line: bool) -> None:
        """Close the last block, also where no line does."""
        if self._rows and not is_whole_line:
            rule = "end with a new line, as the file has no line '% finished'"
            raise ValueError(f"{self._where} must {rule}; it was cut short")
        if self._rows:
            self.notes.append(
                f"{self.name} has no line '% finished' after its trial "
                f"{len(self._rows)}: it was broken off, or cut short"
            )
        if self._began:
            self._end_block(None)


def _is_time(words: Sequence[str]) -> bool:
    try:
        _time("", words)
    except ValueError:
        return False
    return True


def _time(where: str, words: Sequence[str]) -> str:
    try:
        return datetime.strptime(" ".join(words), "%d-%b-%Y %H:%M:%S").isoformat()
    except ValueError:
        rule = "a time like 03-Jul-2013 11:39:52"
        raise ValueError(f"{where} must be {rule}, got {' '.join(words)!r}") from None


def _row(where: str, words: Sequence[str], before: Sequence[Row]) -> Row:
    """Check one row of numbers against the rules of its columns and the rows before."""
    if len(words) != len(_COLUMNS):
        raise ValueError(f"{where} must have 9 columns, got {len(words)}")
    try:
        row = Row(*map(float, words))
    except ValueError:
        raise ValueError(f"{where} must hold numbers, got {' '.join(words)}") from None
    number = len(before) + 1
    is_correct = row.response == row.target_interval
    rules = (
        ("trial", str(number), row.trial == number),
        (
            "matchtrial",
            "-1 or an earlier trial",
            row.match == -1 or row.match in range(1, number),
        ),
        ("target_interval", "1 or 2", row.target_interval in {1, 2}),
        ("randseed", "a whole number in [0, 2^32)", _is_seed(row.seed)),
        ("randnseed", "a whole number in [0, 2^32)", _is_seed(row.spare_seed)),
        ("signal_contrast", "in (0, .5]", 0 < row.contrast <= _HIGHEST_CONTRAST),
        ("response", "1 or 2", row.response in {1, 2}),
        (
            "correct",
            f"{is_correct:d} as response and target say",
            row.correct == is_correct,
        ),
        ("rt", "a time in s from 0", 0 <= row.rt_s < math.inf),
    )
    for (column, rule, holds), word in zip(rules, words, strict=True):
        if not holds:
            raise ValueError(f"{column} in {where} must be {rule}, got {word}")
    if row.match > 0 and _stimulus(row) != _stimulus(before[int(row.match) - 1]):
        first = int(row.match)
        raise ValueError(f"{where} must repeat trial {first}, got another stimulus")
    return row


def _is_seed(value: float) -> bool:
    return 0 <= value < 2**32 and value == int(value)


def _stimulus(row: Row) -> tuple[float, float, float]:
    return row.seed, row.target_interval, row.contrast
