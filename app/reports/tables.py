"""A table of the report: what every column means, and why a cell has no number.

A cell without a number has a letter, and the table its reason below. A column without
any number is not there: the task has no such thing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from string import ascii_lowercase
from typing import TYPE_CHECKING, Any

from ...analysis.trials.chance import CountedP
from ...analysis.trials.estimate import Estimate
from .numbers import interval, p_value, prose

if TYPE_CHECKING:
    from markupsafe import Markup


@dataclass(frozen=True)
class Shown:
    """What stands in a cell, and what must be said of it below.

    Attributes
    ----------
    text
        Text or markup; a dash where there is no number.
    note
        A sentence without its full stop, or nothing.
    """

    text: "str | Markup"
    note: str = ""

    @property
    def is_absent(self) -> bool:
        """Whether there is no number."""
        return self.text == "–"


def absent(reason: str) -> Shown:
    """Say why there is no number."""
    return Shown("–", reason)


def number(estimate: Estimate, decimals: int = 2) -> Shown:
    """Show an estimate above its interval, or why it has no value."""
    if estimate.value is None:
        return absent(estimate.note or "")
    return Shown(interval(estimate, decimals))


def fine(estimate: Estimate) -> Shown:
    """Show a contrast or bits with three decimals."""
    return number(estimate, 3)


def chance(p: float) -> Shown:
    r"""Show a p value; where it is the least that permutations give, say so below.

    Examples
    --------
    >>> from yoked.analysis.trials.chance import counted_p
    >>> chance(counted_p(0, 200))
    Shown(text='≤\xa0.005', note='the floor of 200 permutations')
    """
    if isinstance(p, CountedP) and p.is_floor:
        return Shown(f"≤\xa0{p_value(float(p))}", p.floor_words)
    return Shown(p_value(p))


def plain(value: object) -> Shown:
    """Show a word as it is, and a count with commas.

    Examples
    --------
    >>> plain(9900).text, plain("sparse").text
    ('9,900', 'sparse')
    """
    return Shown(f"{value:,}" if isinstance(value, int) else str(value))


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes
    ----------
    title
        Above it.
    meaning
        What it is, to be read below the table.
    of
        Gives the value of a row, or what is `Shown` in its place.
    show
        Makes a value shown.
    """

    title: str
    meaning: str
    of: Callable[[Any], Any]
    show: Callable[[Any], Shown] = number


@dataclass(frozen=True)
class Table:
    """A table as a page shows it.

    Attributes
    ----------
    titles
        Of the columns that are there.
    meanings
        Pairs of a title and its meaning.
    rows
        Of each row its cells, each a text and the letters of its notes.
    notes
        Pairs of a letter and its sentence.
    """

    titles: tuple[str, ...]
    meanings: tuple[tuple[str, str], ...]
    rows: tuple[tuple[tuple["str | Markup", str], ...], ...]
    notes: tuple[tuple[str, str], ...]


def table(columns: Sequence[Column], rows: Sequence[Any]) -> Table | None:
    """Fill a table; None where no column but the first has a number.

    Examples
    --------
    >>> columns = [
    ...     Column("observer", "", lambda row: row[0], plain),
    ...     Column("d′", "sensitivity", lambda row: row[1]),
    ... ]
    >>> missing = Estimate.missing("dprime/1", "no trial has target 1")
    >>> found = table(columns, [("ann", Estimate(1, 0.1, 0.8, 1.2, 9, "dprime/1")),
    ...                         ("bob", missing)])
    >>> found.rows[1], found.notes
    ((('bob', ''), ('–', 'a')), (('a', 'no trial has target 1'),))
    """
    filled = [(each, [_cell(each, row) for row in rows]) for each in columns]
    first, *others = filled
    kept = [
        (each, cells)
        for each, cells in others
        if not all(cell.is_absent for cell in cells)
    ]
    if not kept:
        return None
    kept = [first, *kept]
    by_row = list(zip(*(cells for _, cells in kept), strict=True))
    said = dict.fromkeys(cell.note for row in by_row for cell in row if cell.note)
    letters = {note: _letter(number) for number, note in enumerate(said)}
    return Table(
        titles=tuple(each.title for each, _ in kept),
        meanings=tuple((each.title, each.meaning) for each, _ in kept if each.meaning),
        rows=tuple(
            tuple((cell.text, letters.get(cell.note, "")) for cell in row)
            for row in by_row
        ),
        notes=tuple((letter, prose(note)) for note, letter in letters.items()),
    )


def _cell(column: Column, row: Any) -> Shown:
    value = column.of(row)
    return value if isinstance(value, Shown) else column.show(value)


def _letter(n: int) -> str:
    """Count a to z, then aa, ab and on."""
    more, last = divmod(n, 26)
    return (ascii_lowercase[more - 1] if more else "") + ascii_lowercase[last]
