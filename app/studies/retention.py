"""Recruiters' names for people, and what people wrote, go when their time is over."""

from datetime import datetime, timedelta

from ...experiments.store.connection import Connection
from .answers import erase_texts
from .kept import KeptStudy


def erase_ids(connection: Connection, kept: KeptStudy, now: datetime) -> int:
    """Erase a study's names of people whose part ended long enough ago; give how many.

    With them go the texts that they wrote in questionnaires, but of questions of which
    the study says that nobody can be told by their answers.

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
    query = "SELECT key, coalesce(ended_at, begun_at) FROM enrolments WHERE study = ?"
    until = now - timedelta(days=kept.study.keep_ids_days)
    old = [
        key
        for key, at in connection.execute(query, [kept.key]).fetchall()
        if datetime.fromisoformat(at) < until
    ]
    erase_texts(connection, kept, old)
    delete = "DELETE FROM external_ids WHERE enrolment = ?"
    return sum(connection.execute(delete, [key]).rowcount for key in old)
