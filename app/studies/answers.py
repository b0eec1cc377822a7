"""What participants answered in questionnaires, in tables of its own.

An answer is kept as it is given; a questionnaire is done once all that it requires is
there. Nothing of it is in the trial log or in a study's export of that.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from ...experiments.clock import utc_now
from ...experiments.store.connection import Connection
from .kept import KeptStudy
from .questionnaires import Questionnaire, identifying
from .questions import Answer


class OtherAnswer(ValueError):
    """A questionnaire is done, or a later answer is there: this one comes too late."""


@dataclass(frozen=True)
class Given:
    """An answer that is kept; `answer` is None where it was taken back or erased."""

    answer: Answer | list[str] | None
    step: int


def answers_of(
    connection: Connection, session: str, questionnaire: str
) -> dict[str, Given]:
    """Give what somebody answered so far, by question."""
    query = (
        "SELECT question, answer, step FROM answers "
        "WHERE session = ? AND questionnaire = ?"
    )
    rows = connection.execute(query, [session, questionnaire]).fetchall()
    return {
        question: Given(None if answer is None else json.loads(answer), step)
        for question, answer, step in rows
    }


def keep_answer(
    connection: Connection,
    session: str,
    place: tuple[str, str],
    answer: Answer | None,
    step: int,
    language: str,
) -> None:
    """Keep an answer; the same again changes nothing, an older one neither.

    Parameters
    ----------
    connection
        Of the trial log, within a transaction.
    session
        Not withdrawn.
    place
        Ids of questionnaire and question.
    answer
        As its question takes it; None where it was taken back.
    step
        Rises with each change of this answer.
    language
        In which it was asked.

    Raises
    ------
    OtherAnswer
        If there is another one of that step or a later one, or the questionnaire is
        done.
    """
    text = None if answer is None else json.dumps(answer, ensure_ascii=False)
    known = connection.execute(
        "SELECT answer, step FROM answers "
        "WHERE session = ? AND questionnaire = ? AND question = ?",
        [session, *place],
    ).fetchone()
    if known is not None and known[0] == text and known[1] >= step:
        return
    if is_done(connection, session, place[0]) or (known and known[1] >= step):
        raise OtherAnswer
    connection.execute(
        "INSERT INTO answers (session, questionnaire, question, answer, step, "
        "language, answered_at) VALUES (?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (session, questionnaire, question) DO UPDATE SET "
        "answer = excluded.answer, step = excluded.step, "
        "language = excluded.language, answered_at = excluded.answered_at",
        [session, *place, text, step, language, utc_now()],
    )


def is_done(connection: Connection, session: str, questionnaire: str) -> bool:
    """Whether somebody has handed a questionnaire in."""
    return questionnaire in done_of(connection, session)


def done_of(connection: Connection, session: str) -> set[str]:
    """Give the ids of the questionnaires that somebody has handed in."""
    query = "SELECT questionnaire FROM questionnaires_done WHERE session = ?"
    return {row[0] for row in connection.execute(query, [session])}


def hand_in(connection: Connection, session: str, asked: Questionnaire) -> list[str]:
    """Take a questionnaire as done, or give the questions that lack an answer.

    A second time changes nothing.
    """
    given = answers_of(connection, session, asked.id)
    missing = [
        each.id
        for each in asked.asked
        if each.required and (each.id not in given or given[each.id].answer is None)
    ]
    if is_done(connection, session, asked.id):
        return []
    if not missing:
        connection.execute(
            "INSERT INTO questionnaires_done VALUES (?, ?, ?)",
            [session, asked.id, utc_now()],
        )
    return missing


def forget_answers(connection: Connection, sessions: Iterable[str]) -> None:
    """Delete all that somebody answered: they have withdrawn.

    With it goes by which clock they did.
    """
    clear = "UPDATE participations SET utc_offset_min = NULL WHERE session = ?"
    for session in sessions:
        connection.execute(clear, [session])
        for table in ("answers", "questionnaires_done"):
            connection.execute(f"DELETE FROM {table} WHERE session = ?", [session])


def erase_texts(
    connection: Connection, kept: KeptStudy, enrolments: Iterable[int]
) -> int:
    """Erase what people wrote that may say who they are; give how many answers.

    That they answered stays.
    """
    places = list(identifying(kept.study.questionnaires))
    update = (
        "UPDATE answers SET answer = NULL, erased_at = ? "
        "WHERE questionnaire = ? AND question = ? AND answer IS NOT NULL "
        "AND session IN (SELECT p.session FROM participations p JOIN enrolments e "
        "ON e.token_hash = p.token_hash WHERE e.key = ?)"
    )
    return sum(
        connection.execute(update, [utc_now(), *place, enrolment]).rowcount
        for enrolment in enrolments
        for place in places
    )
