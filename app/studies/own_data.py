"""All that is kept of one person, to be handed to them."""

from typing import Any

from ...experiments.store.trial_log import Store
from .inventory import TABLES
from .kept import study_of_key

Rows = list[dict[str, Any]]


def rows_about(store: Store, token_hash: str) -> dict[str, Rows]:
    """Give every row that is kept of somebody, by table, as the database has it.

    Parameters
    ----------
    store
        The trial log, with the tables beside it.
    token_hash
        Of their link.
    """
    with store.beside() as connection:
        found: dict[str, Rows] = {}
        for name, table in TABLES.items():
            query = f"SELECT * FROM {name} WHERE {table.whose}"
            cursor = connection.execute(query, [token_hash])
            columns = [column[0] for column in cursor.description]
            found[name] = [
                dict(zip(columns, row, strict=True)) for row in cursor.fetchall()
            ]
    return found


def study_and_arm(store: Store, rows: dict[str, Rows]) -> tuple[str, str] | None:
    """Give title and arm of somebody's study; None at a server of one protocol."""
    for enrolment in rows["enrolments"]:
        if enrolment["study"] is not None:
            study = study_of_key(store, enrolment["study"]).study
            return study.shown_title, study.arms[enrolment["arm"]].name
    return None
