"""Recruiters' names for people are erased when their time is over."""

from datetime import datetime, timedelta

from ...experiments.store.connection import Connection
from .kept import KeptStudy


def erase_ids(connection: Connection, kept: KeptStudy, now: datetime) -> int:
    """Erase a study's names of people whose part ended long enough ago; give how many.

    Who never ended counts from when they began. Keyed hashes stay: they refuse a
    second participation, and tell nothing without the server's key.

    Parameters
    ----------
    connection
        Of the trial log, within a transaction.
    kept
        Says for how many days names are kept.
    now
        In UTC.
    """
    query = (
        "SELECT x.enrolment, coalesce(e.ended_at, e.begun_at) FROM external_ids x "
        "JOIN enrolments e ON e.key = x.enrolment WHERE e.study = ?"
    )
    until = now - timedelta(days=kept.study.keep_ids_days)
    old = [
        (key,)
        for key, at in connection.execute(query, [kept.key])
        if datetime.fromisoformat(at) < until
    ]
    connection.executemany("DELETE FROM external_ids WHERE enrolment = ?", old)
    return len(old)
