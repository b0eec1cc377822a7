"""Answers as they leave a study: a row for each question, apart from the trial log."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, fields

from ...experiments.store.connection import Connection
from .kept import KeptStudy


@dataclass(frozen=True)
class AnswerRow:
    """One question of one session, for whoever analyses the answers.

    Attributes
    ----------
    session, sitting, arm
        Whose, as in the trial log.
    questionnaire, question, kind
        What was asked.
    answer
        As text, options separated by semicolons, a plugin's data as JSON; empty where
        there is none.
    erased
        Whether there was one, which was erased as it may say who gave it.
    language
        In which it was asked; empty where there is no answer.
    answered_at, done_at
        ISO 8601, in UTC; `done_at` of the whole questionnaire, empty while it is not.
    """

    session: str
    sitting: int
    arm: str
    questionnaire: str
    question: str
    kind: str
    answer: str
    erased: bool
    language: str
    answered_at: str
    done_at: str


_SESSIONS = """
SELECT s.id, p.sitting, e.arm FROM enrolments e
JOIN participations p ON p.token_hash = e.token_hash
JOIN sessions s ON s.id = p.session
WHERE e.study = ? AND e.is_pilot <= ? AND s.status <> 'withdrawn' ORDER BY s.key
"""


def answer_rows(
    connection: Connection, kept: KeptStudy, pilots: bool = False
) -> Iterator[AnswerRow]:
    """List a study's answers, a row for each question of whoever began to answer.

    Parameters
    ----------
    connection
        Of the trial log.
    kept
        The study.
    pilots
        Whether pilot runs are in it.
    """
    sessions = connection.execute(_SESSIONS, [kept.key, int(pilots)]).fetchall()
    for session, sitting, arm in sessions:
        found = {
            (row[0], row[1]): row[2:]
            for row in connection.execute(
                "SELECT questionnaire, question, answer, erased_at, language, "
                "answered_at FROM answers WHERE session = ?",
                [session],
            )
        }
        done = dict(
            connection.execute(
                "SELECT questionnaire, done_at FROM questionnaires_done "
                "WHERE session = ?",
                [session],
            ).fetchall()
        )
        for asked in kept.study.questionnaires:
            if asked.id not in done and not any(q == asked.id for q, _ in found):
                continue
            for question in asked.asked:
                row = found.get((asked.id, question.id), (None, None, "", ""))
                answer, erased_at, language, at = row
                yield AnswerRow(
                    session=session,
                    sitting=sitting,
                    arm=kept.study.arms[arm].name,
                    questionnaire=asked.id,
                    question=question.id,
                    kind=question.kind,
                    answer=_as_text(answer),
                    erased=erased_at is not None,
                    language=language,
                    answered_at=at,
                    done_at=done.get(asked.id, ""),
                )


def _as_text(answer: str | None) -> str:
    given = None if answer is None else json.loads(answer)
    if given is None:
        return ""
    if isinstance(given, dict):
        return json.dumps(given, ensure_ascii=False)
    return ";".join(given) if isinstance(given, list) else str(given)


def answers_csv(connection: Connection, kept: KeptStudy, pilots: bool = False) -> str:
    """Give a study's answers as CSV: `answer_rows`, safe to open in a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([each.name for each in fields(AnswerRow)])
    for row in answer_rows(connection, kept, pilots):
        cells = {**vars(row), "answer": safe_cell(row.answer)}
        writer.writerow(cells.values())
    return text.getvalue()


def safe_cell(text: str) -> str:
    """Give a text so that a spreadsheet takes it for no formula.

    Examples
    --------
    >>> safe_cell("=1+1"), safe_cell("-3"), safe_cell("fine")
    ("'=1+1", '-3', 'fine')
    """
    if text[:1] in ("=", "+", "-", "@", "\t", "\r") and not _is_number(text):
        return f"'{text}"
    return text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
