"""How many people are where in a study."""

from dataclasses import dataclass
from datetime import datetime

from ...experiments.clock import utc_now
from ...experiments.store.connection import Connection
from .enrolments import WITHDRAWN, places_taken
from .kept import KeptStudy
from .participations import COMPLETE, SCREENED_OUT


@dataclass(frozen=True)
class Counts:
    """People of a study, without pilot runs.

    Attributes
    ----------
    begun
        In all.
    complete, screened_out, withdrawn
        Who has ended, by how.
    kept
        Who has not ended, and whose place is kept.
    given_up
        Who has not ended, and whose place was given back.
    pilots, models
        Pilot runs, and models that took part: in no other number.
    """

    begun: int
    complete: int
    screened_out: int
    withdrawn: int
    kept: int
    given_up: int
    pilots: int
    models: int


def counts_of(connection: Connection, kept: KeptStudy) -> Counts:
    """Count the people of a study."""
    query = (
        "SELECT outcome, count(*) FROM enrolments WHERE study = ? AND is_pilot = 0 "
        "GROUP BY outcome"
    )
    ended = dict(connection.execute(query, [kept.key]).fetchall())
    now = datetime.fromisoformat(utc_now())
    complete = ended.get(COMPLETE, 0)
    has_place = places_taken(connection, kept, now).total() - complete
    uncounted = (
        "SELECT count(*), count(l.model) FROM enrolments e "
        "LEFT JOIN links l ON l.key = e.link WHERE e.study = ? AND e.is_pilot = 1"
    )
    n_uncounted, n_models = connection.execute(uncounted, [kept.key]).fetchone()
    return Counts(
        begun=sum(ended.values()),
        complete=complete,
        screened_out=ended.get(SCREENED_OUT, 0),
        withdrawn=ended.get(WITHDRAWN, 0),
        kept=has_place,
        given_up=ended.get(None, 0) - has_place,
        pilots=n_uncounted - n_models,
        models=n_models,
    )
