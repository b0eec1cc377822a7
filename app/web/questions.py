"""The pages of questions before and after the task, and where their answers go."""

import logging
from collections.abc import Mapping
from typing import Any

from flask import (
    Blueprint,
    Response,
    abort,
    make_response,
    redirect,
    render_template,
    url_for,
)
from werkzeug.wrappers import Response as AnyResponse

from ...experiments.protocols.texts import in_language, language_of
from ...experiments.store.connection import Connection
from ..studies.answers import Given, OtherAnswer, answers_of, hand_in, keep_answer
from ..studies.participations import Participation
from ..studies.plugins import PluginError, pinned_plugin
from ..studies.questionnaires import AFTER, BEFORE
from ..studies.questions import AnswerError, Likert, Question, Single
from .asked import Asked, asked_of, due_questions
from .described import described
from .live import LiveSession
from .own_page import require_own_page
from .participate import find_session, gray_of, the_host
from .phrases import say, spoken
from .responses import ResponseError
from .texts import render_markdown
from .trial_api import json_body
from .trial_shapes import ANSWER, ANSWER_REPLY, ANYTHING, DONE_REPLY

blueprint = Blueprint(
    "asking", __name__, url_prefix="/session/<token>/questions/<asked>"
)
MOST_STEP = 10**9


@blueprint.get("")
def page(token: str, asked: str) -> AnyResponse:
    """Show a page of questions, with what was answered so far."""
    participation, live, found = _find(token, asked)
    if due_questions(the_host(), token, participation, live) != asked:
        return redirect(url_for("participate.session", token=token))
    questionnaire, language = found.questionnaire, participation.language
    with the_host().store.beside() as connection:
        given = answers_of(connection, participation.session, questionnaire.id)
    texts = questionnaire.text
    if questionnaire.plugin:
        return _plugin_page(token, found, language, given)
    shown = render_template(
        "questions.html",
        title=in_language(questionnaire.title, language),
        title_language=language_of(questionnaire.title, language),
        text=render_markdown(in_language(texts, language)),
        text_language=language_of(texts, language),
        asked=found,
        questions=[
            _shown(each, language, given[each.id].answer if each.id in given else None)
            for each in questionnaire.questions
        ],
        is_after=questionnaire.when == AFTER,
        page_data={
            **spoken().of("questions", "session"),
            "base": url_for(".page", token=token, asked=asked),
            "step": max((each.step for each in given.values()), default=0),
            "gray": gray_of(live) if questionnaire.when == AFTER else None,
        },
    )
    return make_response(shown)


def _plugin_page(
    token: str, found: Asked, language: str, given: Mapping[str, Given]
) -> AnyResponse:
    """Show the page of a plugin; one that changed since it was pinned is not run."""
    asked = found.questionnaire
    try:
        plugin = pinned_plugin(asked.plugin, asked.plugin_sha256)
    except PluginError as error:
        logging.getLogger(__name__).error("cannot run a plugin: %s", error)
        abort(503, say("complaint.fault"))
    base = url_for(".page", token=token, asked=asked.id)
    page = render_template(
        "plugin.html",
        title=in_language(asked.title, language),
        title_language=language_of(asked.title, language),
        asked=found,
        script=url_for(".plugin_script", token=token, asked=asked.id),
        page_data={
            **spoken().of("questions", "session", "plugin"),
            "base": base,
            "step": max((each.step for each in given.values()), default=0),
            "name": plugin.name,
            "parameters": in_one_language(dict(asked.parameters), language),
        },
    )
    return make_response(page)


@blueprint.get("/plugin.js")
def plugin_script(token: str, asked: str) -> Response:
    """Give the script of a plugin, as it was when its study was added."""
    _, _, found = _find(token, asked)
    about = found.questionnaire
    try:
        plugin = pinned_plugin(about.plugin, about.plugin_sha256)
    except PluginError:
        abort(404, say("complaint.no_page"))
    return Response(plugin.script, mimetype="text/javascript")


def in_one_language(given: Any, language: str) -> Any:
    """Give a plugin's parameters in a language: tables with `by_language` are texts.

    Examples
    --------
    >>> in_one_language({"prompt": {"by_language": {"en": "Go", "de": "Los"}}}, "de")
    {'prompt': 'Los'}
    """
    if isinstance(given, Mapping):
        texts = given.get("by_language")
        if isinstance(texts, Mapping) and len(given) == 1:
            return in_language(texts, language)
        return {name: in_one_language(each, language) for name, each in given.items()}
    if isinstance(given, list | tuple):
        return [in_one_language(each, language) for each in given]
    return given


@blueprint.post("/<question>")
@described(
    ANSWER_REPLY, body=ANSWER, is_open=True, errors=(400, 403, 404, 409, 410, 413)
)
def answer(token: str, asked: str, question: str) -> dict[str, Any]:
    """Keep an answer; what none may be is kept as none, and said."""
    require_own_page()
    participation, live, found = _find(token, asked)
    about = found.questionnaire.question(question)
    given, step = _parsed(json_body())
    if about is None:
        abort(404, say("complaint.no_page"))
    fault = None
    try:
        taken = about.taken(given)
    except AnswerError as error:
        taken, fault = None, say(error.reason, **error.values)
    place = (found.questionnaire.id, question)
    language = language_of(about.text, participation.language)

    def keep(connection: Connection) -> None:
        _require_there(connection, participation)
        session = participation.session
        keep_answer(connection, session, place, taken, step, language)

    _write(live, keep)
    return {} if fault is None else {"fault": fault}


@blueprint.post("")
@described(
    DONE_REPLY, body=ANYTHING, is_open=True, errors=(400, 403, 404, 409, 410, 413)
)
def done(token: str, asked: str) -> dict[str, Any]:
    """Take a page of questions as done, or say which lack an answer."""
    require_own_page()
    participation, live, found = _find(token, asked)
    json_body()

    def finish(connection: Connection) -> list[str]:
        _require_there(connection, participation)
        return hand_in(connection, participation.session, found.questionnaire)

    missing = _write(live, finish)
    if missing:
        return {"faults": {each: say("questions.required") for each in missing}}
    return {"next": url_for("participate.session", token=token)}


def _find(token: str, asked: str) -> tuple[Participation, LiveSession, Asked]:
    """Give a questionnaire of somebody's sitting, or say that there is none."""
    participation, live = find_session(token)
    for when in (BEFORE, AFTER):
        if when == AFTER and not live.is_complete:
            break  # nobody says how it went before it was
        for each in asked_of(the_host(), token, participation, when):
            if each.questionnaire.id == asked:
                return participation, live, each
    abort(404, say("complaint.no_page"))


def _require_there(connection: Connection, whose: Participation) -> None:
    """Refuse what comes after somebody has withdrawn."""
    query = "SELECT status FROM sessions WHERE id = ?"
    (status,) = connection.execute(query, [whose.session]).fetchone()
    if status == "withdrawn":
        abort(410, say("complaint.withdrawn"))


def _write(live: LiveSession, job: Any) -> Any:
    live.answers.spend("answers")
    try:
        return the_host().write(job, f"session {live.session.id}")
    except OtherAnswer:
        abort(409, say("questions.elsewhere"))


def _parsed(body: object) -> tuple[object, int]:
    """Give answer and step of a request's body."""
    if not isinstance(body, dict) or body.keys() != {"answer", "step"}:
        raise ResponseError("an answer must be an object with answer and step")
    step = body["step"]
    if not isinstance(step, int) or isinstance(step, bool) or not 0 < step <= MOST_STEP:
        raise ResponseError(f"step must be a whole number from 1 to {MOST_STEP}")
    return body["answer"], step


def _shown(question: Question, language: str, given: Any) -> dict[str, Any]:
    """Give what the page shows of a question, in a language that it has."""
    options: list[tuple[str, str]] = []
    options_language = language
    if isinstance(question, Single | Likert):
        options_language = language_of(question.labels, language)
        options = question.read(options_language)
    chosen = given if isinstance(given, list) else [given]
    return {
        "id": question.id,
        "kind": question.kind,
        "about": question,
        "text": in_language(question.text, language),
        "language": language_of(question.text, language),
        "hint": in_language(question.hint, language),
        "hint_language": language_of(question.hint, language),
        "described": " ".join(
            f"{question.id}-{part}"
            for part in (("hint",) if question.hint else ()) + ("fault",)
        ),
        "options": options,
        "options_language": options_language,
        "given": "" if given is None else given,
        "chosen": [str(each) for each in chosen if each is not None],
    }
