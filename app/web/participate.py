"""The pages that a participant sees: consent, the task, thanks."""

import logging
from collections.abc import Mapping
from typing import Any

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response as AnyResponse

from ...experiments.protocols.flicker import flicker_to_warn_of
from ...experiments.protocols.protocol import Protocol
from ...experiments.protocols.texts import in_language, language_of, text_version
from ...experiments.protocols.viewing import ViewingAsked
from ..studies.description import Study
from ..studies.enrolments import Arrival, details_of
from ..studies.kept import KeptStudy
from ..studies.participations import (
    SCREENED_OUT,
    Participation,
    no_consent_code,
    set_utc_offset,
)
from ..studies.tokens import hash_of_token, is_token, new_token, withdrawal_code
from .agreed import agreed_texts, utc_offset
from .asked import due_questions
from .examples import examples_of
from .host import Host, TooEarly
from .live import LiveSession
from .meanings import meanings_of
from .needs import needs, places
from .own_page import require_own_page
from .phrases import choose, languages, name_of, say, speak, spoken
from .texts import pages, render_markdown
from .viewing import viewing_asked

blueprint = Blueprint("participate", __name__)
# What the scripts of the task say.
_TABLES = (
    "session",
    "device",
    "key",
    "task",
    "example",
    "break",
    "viewing",
    "feedback",
    "confidence",
)


def the_host() -> Host:
    """Give what this server shares."""
    return current_app.extensions["yoked"]


def find_session(
    token: str, is_trials: bool = False
) -> tuple[Participation, LiveSession]:
    """Give the session that a link leads to; a page says so where there is none.

    What is asked with each trial needs session and language alone, which are known.
    """
    host = the_host()
    find = host.finder.find_again if is_trials else host.finder.find
    participation = find(token)
    if participation is None:
        abort(404, say("complaint.no_session"))
    speak(participation.language)
    try:
        return participation, the_host().live(participation.session)
    except ValueError:
        abort(410, say("complaint.withdrawn"))


@blueprint.get("/")
def study() -> AnyResponse:
    """Show what the one study is about, and ask for consent."""
    if the_host().alone is None:
        abort(404, say("complaint.no_study"))
    return _consent_page(None)


@blueprint.get("/study/<name>")
def one_of_many(name: str) -> AnyResponse:
    """Show what a study is about, and ask for consent."""
    return _consent_page(_named(name))


@blueprint.get("/join/<link>")
def join(link: str) -> AnyResponse:
    """Show the study that a personal link leads to; looking at it does not use it."""
    kept = the_host().study_of_link(link)
    if kept is None:
        abort(404, say("refused.link"))
    return _consent_page(kept, link)


def _consent_page(kept: KeptStudy | None, link: str = "") -> AnyResponse:
    asked = _study(kept)
    language = choose(list(asked.asked_consent))
    speak(language)
    external, details = details_of(asked, request.args, is_named=not link)
    came = Arrival(new_token(), "", "", link, external, details)
    the_host().require_open(kept, came)
    text = agreed_texts(asked)[language]
    page = render_template(
        "study.html",
        title=asked.shown_title,
        asked=language,
        languages={each: name_of(each) for each in asked.asked_consent},
        consent=render_markdown(text),
        consent_version=text_version(text),
        flicker=flicker_to_warn_of(asked.protocol),
        token=came.token,
        name=None if kept is None else kept.study.name,
        came={"link": link, **_parameters(asked, external, details)},
        page_data={**needs(asked.protocol), **spoken().of("device")},
    )
    return make_response(page)


def _parameters(
    asked: Study, external: str, details: Mapping[str, str]
) -> dict[str, str]:
    """Give what a recruiter's link said, for the form to say again."""
    parameter = asked.recruitment.id_parameter
    return {} if parameter is None or not external else {parameter: external, **details}


def _study(kept: KeptStudy | None) -> Study:
    found = the_host().alone if kept is None else kept.study
    return found or abort(404)


def _named(name: str | None) -> KeptStudy | None:
    """Give the study of a name; a page says so where there is none."""
    if name is None:
        return None if the_host().alone is not None else abort(404)
    kept = the_host().study(name)
    if kept is None:
        abort(404, say("complaint.no_page"))
    return kept


@blueprint.post("/sessions")
@blueprint.post("/study/<name>/sessions")
def agree(name: str | None = None) -> AnyResponse:
    """Begin a session: only this, never a GET, which link previews send as well.

    The page's token makes it safe to send twice: who goes back and agrees again finds
    the session that began. A personal link and a recruiter's name for somebody lead to
    one session wherever they are opened.
    """
    require_own_page()
    kept = _named(name)
    asked, form = _study(kept), request.form
    language, agreed = form.get("language", ""), form.get("consent_version", "")
    token, link = form.get("token", ""), form.get("link", "")
    text = agreed_texts(asked).get(language)
    if text is not None:
        speak(language)
    if text is None or agreed != text_version(text):
        abort(409, say("complaint.other_consent"))
    if not is_token(token) or (link and not is_token(link)):
        abort(400, say("complaint.incomplete"))
    external, details = details_of(asked, form, is_named=not link)
    came = Arrival(token, language, agreed, link, external, details)
    token = the_host().begin(kept, came, text)
    _keep_offset(token)
    return redirect(url_for("participate.session", token=token), code=303)


def _keep_offset(token: str) -> None:
    """Keep by which clock somebody begins a session, where their browser told."""
    minutes = utc_offset(request.form.get("utc_offset_min", ""))
    if minutes is not None:
        held = f"link {hash_of_token(token)}"
        the_host().write(lambda db: set_utc_offset(db, token, minutes), held)


@blueprint.get("/declined")
@blueprint.get("/study/<name>/declined")
def declined(name: str | None = None) -> str:
    """Thank somebody who would rather not; nothing was stored."""
    kept = _named(name)
    asked = _study(kept)
    speak(choose(list(asked.asked_consent)))
    return render_template(
        "declined.html",
        name=name,
        code=no_consent_code(asked.protocol.hash),
        back_to=asked.recruitment.no_consent,
    )


@blueprint.get("/session/<token>")
def session(token: str) -> AnyResponse:
    """Show the task's page, or the end where no trial is left."""
    participation, live = find_session(token)
    if live.is_complete:
        return redirect(url_for("participate.done", token=token))
    asked = due_questions(the_host(), token, participation, live)
    if asked is not None:
        return redirect(url_for("asking.page", token=token, asked=asked))
    protocol = live.session.protocol
    page = render_template(
        "session.html",
        title=protocol.title,
        page_data=_page_data(token, participation.language, live),
    )
    return make_response(page)


@blueprint.post("/session/<token>/next")
def next_sitting(token: str) -> AnyResponse:
    """Begin the sitting of a plan that is due, on the link of the one before it."""
    require_own_page()
    _, live = find_session(token)
    if live.is_complete:
        try:
            the_host().begin_next(token)
            _keep_offset(token)
        except TooEarly:
            abort(409, say("complaint.too_early"))
    return redirect(url_for("participate.session", token=token), code=303)


@blueprint.get("/session/<token>/done")
def done(token: str) -> AnyResponse:
    """Thank a participant, with the completion code once all trials are stored."""
    participation, live = find_session(token)
    if not live.is_complete:
        return redirect(url_for("participate.session", token=token))
    # The last response may have been stored meanwhile, and with it the outcome.
    participation, live = find_session(token)
    asked = due_questions(the_host(), token, participation, live)
    if asked is not None:
        return redirect(url_for("asking.page", token=token, asked=asked))
    debriefs = live.session.protocol.texts.debrief
    debrief = in_language(debriefs, participation.language)
    page = render_template(
        "done.html",
        debrief=render_markdown(debrief),
        debrief_language=language_of(debriefs, participation.language),
        code=participation.code,
        is_screened_out=participation.outcome == SCREENED_OUT,
        n_trials=live.session.n_recorded,
        gray=gray_of(live),
        sitting=participation.sitting,
        following=the_host().following(token),
        token=token,
        back_to=the_host().way_back(token, participation),
        withdrawal_code=withdrawal_code(the_host().key, token),
    )
    return make_response(page)


@blueprint.get("/session/<token>/withdraw")
def ask_to_withdraw(token: str) -> str:
    """Ask whether somebody wants their data deleted; nothing happens yet."""
    find_session(token)
    return render_template("withdraw.html", token=token)


@blueprint.post("/session/<token>/withdraw")
def withdraw(token: str) -> str:
    """Delete all that somebody gave, for good."""
    require_own_page()
    find_session(token)
    the_host().withdraw(token)
    return render_template("withdrawn.html")


@blueprint.get("/withdraw")
def ask_for_code() -> str:
    """Ask for a withdrawal code: for whoever has no link any more."""
    speak(choose(list(languages())))
    return render_template("withdraw.html", token=None)


@blueprint.post("/withdraw")
def withdraw_by_code() -> str:
    """Delete all that belongs to a code, for good."""
    speak(choose(list(languages())))
    require_own_page()
    if not the_host().withdraw_by_code(request.form.get("code", "")[:100]):
        abort(404, say("withdraw.unknown"))
    return render_template("withdrawn.html")


@blueprint.get("/healthz")
def healthz() -> Response:
    """Say whether participants are served: for a monitor, not for people."""
    try:
        the_host().health.require()
    except Exception as error:
        logging.getLogger(__name__).error("not healthy: %s", error)
        return Response("not healthy\n", status=503, mimetype="text/plain")
    return Response("ok\n", mimetype="text/plain")


def _page_data(token: str, language: str, live: LiveSession) -> dict:
    """Give what the browser must know before the first trial; see js/types.js.

    Nothing of a trial, and no contrast: these would tell what to look for, and when.
    """
    protocol = live.session.protocol
    instructions = in_language(protocol.texts.instructions, language)
    display, asked = live.session.row.display or {}, asked_viewing(token, live)
    return {
        **needs(protocol),
        **spoken().of(*_TABLES),
        "base": url_for("participate.session", token=token),
        "lut": display["lut"],
        "background": protocol.display.background,
        "instructions": pages(instructions),
        "instructions_language": language_of(protocol.texts.instructions, language),
        "keys": places(display.get("keys") or protocol.task.keys),
        "examples": _examples(token, protocol),
        "n_recorded": live.session.n_recorded,
        "viewing": {
            "measure": asked.measure,
            "n_spots": asked.repeats,
            "found": display.get("viewing"),
        },
        "confidence": _confidence(protocol, language),
        "feedback": vars(protocol.feedback),
        "break_s": protocol.breaks.at_least_s,
        "responses": meanings_of(protocol, language),
    }


def asked_viewing(token: str, live: LiveSession) -> ViewingAsked:
    """Give what is measured of screen and distance in a session."""
    kept = the_host().study_of(token)
    study = the_host().alone if kept is None else kept.study
    return viewing_asked(live.session.protocol, study)


def _examples(token: str, protocol: Protocol) -> dict[str, Any] | None:
    """Give where the examples' pixels are, and what is pressed for each."""
    found = examples_of(protocol)
    if found is None:
        return None
    address = url_for("trial_api.examples", token=token)
    return {"levels": address, "responses": found.responses}


def _confidence(protocol: Protocol, language: str) -> dict[str, Any] | None:
    """Give what is asked after the choice; None where nothing is."""
    asked = protocol.confidence
    if not asked.is_asked:
        return None
    prompt = in_language(asked.prompt, language)
    html = render_markdown(prompt) if prompt else ""
    return {"keys": places(asked.keys), "prompt": html}


def gray_of(live: LiveSession) -> int:
    """Give the screen level of the task's background."""
    display = live.session.row.display or {}
    return display["lut"][live.session.protocol.display.background]
