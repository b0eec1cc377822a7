"""The trial log as Parquet: typed columns, in pieces of some thousand trials."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ...experiments.imports.table_columns import needed
from ...experiments.store.trial_columns import (
    FLAG,
    INTEGER,
    NUMBERS,
    REAL,
    TRIAL,
)
from .column_meanings import COLUMN_MEANINGS, STUDY_MEANINGS
from .sink import Sink
from .trial_table import Beside, columns_of, rows_of

if TYPE_CHECKING:
    from ...experiments.store.rows import SessionRow
    from ...experiments.store.trial_log import Store

ROWS = 8192  # of a group: what is in memory at once
_WHOLE, _FLAGS = {"seed", "sitting"}, {"excluded", "pilot"}
_KINDS = {column.name: column.kind for column in TRIAL}


def require_parquet() -> None:
    """Raise ModuleNotFoundError, in one sentence, where Parquet cannot be written."""
    needed("pyarrow", "Parquet tables")


def parquet_pieces(
    store: "Store", sessions: Sequence["SessionRow"], beside: Beside | None = None
) -> Iterator[bytes]:
    """Give a Parquet file of the trials of sessions in pieces.

    Columns and their order are the CSV's; numbers are numbers, all 63 bits of a seed
    included, flags are true or false, what a CSV has as a JSON list is a list, and
    what is missing is null. The meaning of each column is in its field's metadata.
    """
    require_parquet()
    import pyarrow as pa
    from pyarrow import parquet

    beside = beside or Beside()
    names = columns_of(beside)
    schema = pa.schema([_field(pa, name) for name in names])
    sink = Sink()
    with parquet.ParquetWriter(pa.PythonFile(sink, "w"), schema) as writer:
        for rows in _groups(store, sessions, beside):
            columns = zip(*rows, strict=True)
            arrays = [
                pa.array(_values(name, cells), schema.field(name).type)
                for name, cells in zip(names, columns, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            yield sink.taken()
    yield sink.taken()


def _groups(
    store: "Store", sessions: Sequence["SessionRow"], beside: Beside
) -> Iterator[list[list[Any]]]:
    """Give the rows of all sessions, as many at a time as a group has."""
    group: list[list[Any]] = []
    for session in sessions:
        for cells in rows_of(store, session, beside):
            group.append(cells)
            if len(group) == ROWS:
                yield group
                group = []
    if group:
        yield group


def _field(pa: Any, name: str) -> Any:
    """Give the type of a column, with what it means."""
    kind = _KINDS.get(name)
    if kind is FLAG or name in _FLAGS:
        found = pa.bool_()
    elif kind is INTEGER or name in _WHOLE:
        found = pa.int64()
    elif kind is REAL:
        found = pa.float64()
    else:
        found = pa.list_(pa.float64()) if kind is NUMBERS else pa.string()
    return pa.field(name, found, metadata=_meaning(name))


def _meaning(name: str) -> dict[str, str]:
    told = {**COLUMN_MEANINGS, **STUDY_MEANINGS}[name]
    return {key: str(told[key]) for key in ("description", "unitText") if key in told}


def _values(name: str, cells: Sequence[Any]) -> Sequence[Any]:
    """Give a column's cells as values; an object stays the JSON text that it is."""
    kind = _KINDS.get(name)
    if kind is not None and kind in (FLAG, NUMBERS):
        return kind.from_cells(cells)
    return [bool(cell) for cell in cells] if name in _FLAGS else cells
