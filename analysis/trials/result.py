"""A result: what knows its plain form, its table and its data frame.

Every statistic with more than one number ends in a frozen dataclass that is a `Result`.
Nobody else writes its numbers out: the commands print `to_dict` as JSON and `table` in
a terminal, and a notebook shows the same table.
"""

import html
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

from .chance import CountedP
from .estimate import Estimate, plain_number

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

MOST_NUMBERS = 64 * 64  # of an array that is written out
ABOUT_THE_FORM = ("format", "formula", "note")  # texts that name no observer or task
ROW = ["quantity", "contrast", "value", "se", "low", "high", "n", "formula", "note"]

Cells = dict[str, str | int]
Quantity = tuple[str, float | None, Estimate | float]  # path, contrast, what it is


@dataclass(frozen=True, eq=False)
class Result:
    """What a statistic found: a base for frozen dataclasses.

    Fields are numbers, texts, arrays, estimates, other results, and tuples or mappings
    of these.
    """

    def parts(self) -> dict[str, Any]:
        """Give what the result is made of, by name: its fields, unless it says else."""
        return self._fields_but()

    def _fields_but(self, *names: str) -> dict[str, Any]:
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: value for name, value in values.items() if name not in names}

    def to_dict(self) -> dict[str, Any]:
        """Give the result as JSON can hold it.

        Infinities are texts and NaN is None, as `estimate.plain_number` has it; an
        array of more than 64 x 64 numbers, which `arrays` has, is None.
        """
        return {name: as_plain(part) for name, part in self.parts().items()}

    def arrays(self) -> "dict[str, np.ndarray]":
        """Give every array by its path, such as "fitted.kernel", whatever its size."""
        import numpy as np

        return {
            ".".join(path): leaf
            for path, leaf in _leaves(self)
            if isinstance(leaf, np.ndarray)
        }

    def table(self) -> list[Cells]:
        """Give the rows that a terminal prints: short texts by column."""
        rows = list(_quantities(self))
        has_contrast = any(contrast is not None for _, contrast, _ in rows)
        return [
            {
                "quantity": name,
                **({"contrast": short(contrast)} if has_contrast else {}),
                "value": short(value),
            }
            for name, contrast, value in rows
        ]

    def to_frame(self) -> "pd.DataFrame":
        """Give the numbers as a data frame, one row per quantity and contrast.

        Returns
        -------
        DataFrame
            `quantity` is the path in the plain form; `contrast` that of an entry of
            `by_contrast`, which the path does not number; then `value`, `se`, `low`
            and `high`, what it rests on, `n`, its `formula` and `note`. Before them
            stand the names that the result has. Arrays are left to `arrays`.
        """
        return as_frame(self._rows())

    def _rows(self) -> list[dict[str, Any]]:
        """One mapping per row of the data frame."""
        names = {
            name: part
            for name, part in self.parts().items()
            if isinstance(part, str) and name not in ABOUT_THE_FORM
        }
        return [{**names, **quantity_row(*each)} for each in _quantities(self)]

    def _repr_html_(self) -> str:
        """Give the table, for a notebook."""
        return as_html(self.table())


def as_plain(value: object) -> Any:
    """Return a value made of JSON's types alone.

    Infinite numbers become the texts "Infinity" and "-Infinity"; NaN and arrays of more
    than 64 x 64 numbers become None.

    Examples
    --------
    >>> as_plain({"p": (0.5, float("nan")), "dprime": Estimate.missing("d/1", "why")})
    ... # doctest: +ELLIPSIS
    {'p': [0.5, None], 'dprime': {'value': None, ... 'note': 'why'}}
    >>> as_plain([1.0, float("inf")])
    [1.0, 'Infinity']
    """
    if isinstance(value, Result | Estimate):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {str(key): as_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_plain(item) for item in value]
    if is_dataclass(value):
        return {
            each.name: as_plain(getattr(value, each.name)) for each in fields(value)
        }
    if hasattr(value, "tolist"):  # of NumPy, which a command may do without
        array: Any = value
        return None if array.size > MOST_NUMBERS else as_plain(array.tolist())
    if isinstance(value, float):
        return plain_number(value)
    return value if isinstance(value, str | int | None) else str(value)


def short(value: object) -> str:
    """Return a value at the length that a person reads: four significant digits.

    What is unknown is "-"; a p that no permutation reached has its floor beside it.

    Examples
    --------
    >>> short(1.6402873), short(1052773201.7), short([0.31, 1 / 3]), short(None)
    ('1.64', '1,052,773,202', '0.31 to 0.3333', '-')
    >>> from yoked.analysis.trials.chance import counted_p
    >>> short(float("inf")), short(counted_p(0, 199))
    ('∞', '0.005, the floor of 199 permutations')
    """
    if isinstance(value, Estimate):
        return value.short()
    if isinstance(value, CountedP) and value.is_floor:
        return f"{float(value):.4g}, {value.floor_words}"
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    if isinstance(value, float) and math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"
    if isinstance(value, list | tuple) and len(value) == 2:
        return f"{short(value[0])} to {short(value[1])}"  # an interval
    if isinstance(value, list | tuple):
        return (
            f"{len(value)} values" if len(value) > 4 else ", ".join(map(short, value))
        )
    return str(value)


def as_html(rows: list[Cells]) -> str:
    """Return rows as an HTML table; a single row with a line for each column.

    Examples
    --------
    >>> as_html([{"trials": 300}])
    '<table><tr><th>trials</th><td>300</td></tr></table>'
    """
    if len(rows) == 1:
        lines = [[_cell("th", name), _cell("td", x)] for name, x in rows[0].items()]
    else:
        names = list(dict.fromkeys(name for row in rows for name in row))
        lines = [
            [_cell("th", name) for name in names],
            *([_cell("td", row.get(name, "-")) for name in names] for row in rows),
        ]
    return "<table>{}</table>".format("".join(f"<tr>{''.join(x)}</tr>" for x in lines))


def as_frame(rows: list[dict[str, Any]]) -> "pd.DataFrame":
    """Return rows of quantities as a data frame with numeric columns."""
    import pandas as pd

    frame = pd.DataFrame(rows, columns=None if rows else list(ROW))
    return frame.astype({**dict.fromkeys(ROW[1:6], "float64"), "n": "Int64"})


def quantity_row(
    name: str, contrast: float | None, value: Estimate | float
) -> dict[str, Any]:
    """Return one row of a data frame; a number that is no estimate is a value alone."""
    numbers = (
        [getattr(value, column) for column in ROW[2:]]
        if isinstance(value, Estimate)
        else [value, *[None] * 6]
    )
    return dict(zip(ROW, (name, contrast, *numbers), strict=True))


def _cell(tag: str, text: object) -> str:
    return f"<{tag}>{html.escape(str(text))}</{tag}>"


def _inside(value: object) -> dict[str, Any] | None:
    """What a value is made of; None for one that is not taken apart."""
    if isinstance(value, Result):
        return value.parts()
    if isinstance(value, Mapping):
        return {str(name): part for name, part in value.items()}
    if isinstance(value, list | tuple):
        return {str(number): part for number, part in enumerate(value)}
    if is_dataclass(value) and not isinstance(value, Estimate):
        return {each.name: getattr(value, each.name) for each in fields(value)}
    return None


def _leaves(
    value: object, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    inside = _inside(value)
    if inside is None:
        yield path, value
        return
    for name, part in inside.items():
        yield from _leaves(part, (*path, name))


def _quantities(
    value: object, path: tuple[str, ...] = (), contrast: float | None = None
) -> Iterator[Quantity]:
    """Yield estimates and numbers; a contrast stands beside its path, not in it."""
    inside = _inside(value)
    if inside is None:
        if isinstance(value, Estimate):
            yield ".".join(path), contrast, value
        elif isinstance(value, Real) and not isinstance(value, bool):
            kept = value if isinstance(value, CountedP) else float(value)
            yield ".".join(path), contrast, kept
        return
    if isinstance(inside.get("contrast"), float):
        path, contrast = path[:-1], inside.pop("contrast")
    for name, part in inside.items():
        yield from _quantities(part, (*path, name), contrast)
