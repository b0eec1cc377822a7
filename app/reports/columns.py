"""What columns of all tables of sessions share: the observer, and a part's number."""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any

from .entries import Entry
from .tables import Column, Shown, Table, absent, number, table

if TYPE_CHECKING:
    from markupsafe import Markup

Named = tuple[str, Entry]  # the observer's name on this page
_UNDER = {"one": "kernels", "two": "two.kernel"}  # without it there is nothing else


def by_observer(columns: Sequence[Column], rows: Sequence[Named]) -> Table | None:
    """Fill a table with a row for each session, its observer first."""
    return table([Column("observer", "", who), *columns], rows)


def told(
    title: str,
    meaning: str,
    path: str,
    of: Callable[[Any], Any] = lambda found: found,
    show: Callable[[Any], Shown] = number,
    why: str = "",
) -> Column:
    """Make a column of a number of a part, or of the reason why it is not there.

    Parameters
    ----------
    title, meaning, show
        As `Column` has them.
    path, of, why
        As for `part`.
    """
    return Column(title, meaning, part(path, of, why), show)


def part(path: str, of: Callable[[Any], Any], why: str = "") -> Callable[[Named], Any]:
    """Return a getter of a number of a part such as "zero.course", or of the reason.

    Parameters
    ----------
    path
        The part, as `Depths.missing` names it.
    of
        Takes the number out of the part; None is unknown.
    why
        The reason, where the part has none of its own.
    """

    def get(row: Named) -> Any:
        depths = row[1].depths
        found = reduce(
            lambda at, name: at and getattr(at, name), path.split("."), depths
        )
        value = None if found is None else of(found)
        if value is not None:
            return value
        order = path.partition(".")[0]
        missing = depths.missing
        reasons = (missing.get(key) for key in (path, _UNDER.get(order, ""), "trials"))
        return absent(next(filter(None, reasons), why or "not told by these data"))

    return get


def who(row: Named) -> Shown:
    """Show the observer."""
    return Shown(bold(row[0]))


def bold(name: str) -> "Markup":
    """Set a name in bold."""
    from markupsafe import Markup

    return Markup("<strong>{}</strong>").format(name)
