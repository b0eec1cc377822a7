"""Which page of questions a participant is due to answer."""

from dataclasses import dataclass

from ..studies.answers import done_of
from ..studies.participations import SCREENED_OUT, Participation
from ..studies.questionnaires import AFTER, BEFORE, Questionnaire
from .host import Host
from .live import LiveSession


@dataclass(frozen=True)
class Asked:
    """A questionnaire, and its place among those of its time.

    Attributes
    ----------
    questionnaire
        What is asked.
    number, count
        Its place among those before or after the task, from 1, and how many these are.
    is_done
        Whether it was handed in.
    """

    questionnaire: Questionnaire
    number: int
    count: int
    is_done: bool


def asked_of(
    host: Host, token: str, participation: Participation, when: str
) -> list[Asked]:
    """List the questionnaires before or after the task of somebody's sitting."""
    kept = host.study_of(token)
    if kept is None or not kept.study.questionnaires:
        return []
    own = [
        each
        for each in kept.study.questionnaires
        if each.is_asked(when, participation.sitting)
    ]
    with host.store.beside() as connection:
        done = done_of(connection, participation.session)
    return [
        Asked(each, number, len(own), each.id in done)
        for number, each in enumerate(own, 1)
    ]


def due_questions(
    host: Host, token: str, participation: Participation, live: LiveSession
) -> str | None:
    """Give the id of the questionnaire that is due now; None where none is.

    Those before the task are due until its first trial, those after it once all trials
    are stored. Who was screened out is asked nothing more, and a model nothing at all.
    """
    if live.session.row.observer.kind == "model":
        return None
    if not live.is_complete:
        due = [] if live.session.n_recorded else [BEFORE]
    else:
        due = [] if participation.outcome == SCREENED_OUT else [AFTER]
    for when in due:
        for each in asked_of(host, token, participation, when):
            if not each.is_done:
                return each.questionnaire.id
    return None
