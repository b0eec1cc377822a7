"""A study's trials as files to take home, in pieces: of people, and naming nobody."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from ..studies.exports import OfStudy, sessions_of
from .psych_ds import DataSet, zip_pieces
from .trial_table import Beside
from .trials_csv import csv_pieces
from .trials_parquet import parquet_pieces, require_parquet

if TYPE_CHECKING:
    from ...experiments.store.trial_log import Store
    from ..studies.kept import KeptStudy


class Kind(NamedTuple):
    """A kind of file: what the end of its name is, and what it is called on the way."""

    ending: str
    mimetype: str


KINDS: Mapping[str, Kind] = {
    "csv": Kind("trials.csv", "text/csv"),
    "parquet": Kind("trials.parquet", "application/vnd.apache.parquet"),
    "psych-ds": Kind("psych-ds.zip", "application/zip"),
}
ENDINGS = {".csv": "csv", ".parquet": "parquet", ".zip": "psych-ds"}
STUDY_COLUMNS = ("arm", "sitting", "pilot")


def study_pieces(
    store: "Store",
    kept: "KeptStudy",
    kind: str,
    pilots: bool = False,
    models: bool = False,
) -> Iterator[bytes]:
    """Give the trials of a study as a file, in pieces of which few are in memory.

    What can be refused is refused before the first piece.

    Parameters
    ----------
    store
        The trial log, which is open until the last piece.
    kept
        The study.
    kind
        One of `KINDS`. All have the columns of the trial log, arm and sitting; a
        Psych-DS data set is a ZIP file with a CSV for each session.
    pilots
        Whether pilot runs come along, marked in the column `pilot`.
    models
        Whether models that took part come along, marked in `observer_kind`.

    Raises
    ------
    ModuleNotFoundError
        If pyarrow is needed and is not there.
    ValueError
        If a Psych-DS data set would have no session.
    """
    with store.beside() as connection:
        found = sessions_of(connection, kept, pilots, models)
    sessions = [store.session(each.session) for each in found]
    beside = Beside(STUDY_COLUMNS, {each.session: _cells(each) for each in found})
    if kind == "psych-ds":
        return zip_pieces(DataSet(store, sessions, beside))
    if kind == "parquet":
        require_parquet()
        return parquet_pieces(store, sessions, beside)
    return csv_pieces(store, sessions, beside)


def _cells(each: OfStudy) -> tuple[str, int, int]:
    return each.arm, each.sitting, int(each.is_pilot)
