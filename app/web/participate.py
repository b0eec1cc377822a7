"""The pages that a participant sees: consent, the task, thanks."""

import logging
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

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
from ...experiments.protocols.keys import KEY_CODES
from ...experiments.protocols.protocol import Protocol
from ...experiments.protocols.texts import in_language, language_of, text_version
from .examples import examples_of
from .live import LiveSession
from .participations import (
    SCREENED_OUT,
    Participation,
    is_token,
    new_token,
    no_consent_code,
)
from .phrases import choose, name_of, say, speak, spoken
from .study import Study, TooEarly
from .texts import pages, render_markdown

blueprint = Blueprint("participate", __name__)
# What the scripts of the task say.
_TABLES = (
    "session",
    "device",
    "key",
    "task",
    "example",
    "break",
    "feedback",
    "confidence",
)


def the_study() -> Study:
    """Give the study that this server serves."""
    return current_app.extensions["yoked"]


def find_session(token: str) -> tuple[Participation, LiveSession]:
    """Give the session that a link leads to; a page says so where there is none."""
    participation = the_study().participation(token)
    if participation is None:
        abort(404, say("complaint.no_session"))
    speak(participation.language)
    try:
        return participation, the_study().live(participation.session)
    except ValueError:
        abort(410, say("complaint.withdrawn"))


@blueprint.get("/")
def study() -> str:
    """Show what the study is about, and ask for consent."""
    protocol = the_study().protocol
    consents = protocol.texts.consent
    language = choose(list(consents))
    speak(language)
    text = in_language(consents, language)
    return render_template(
        "study.html",
        title=protocol.title,
        asked=language,
        languages={each: name_of(each) for each in consents},
        consent=render_markdown(text),
        consent_version=text_version(text),
        flicker=flicker_to_warn_of(protocol),
        token=new_token(),
        page_data={**needs(protocol), **spoken().of("device")},
    )


@blueprint.post("/sessions")
def agree() -> AnyResponse:
    """Begin a session: only this, never a GET, which link previews send as well.

    The page's token makes it safe to send twice: who goes back and agrees again finds
    the session that began.
    """
    _require_own_page()
    consents = the_study().protocol.texts.consent
    language = request.form.get("language", "")
    agreed = request.form.get("consent_version", "")
    token = request.form.get("token", "")
    if language in consents:
        speak(language)
    if language not in consents or agreed != text_version(consents[language]):
        abort(409, say("complaint.other_consent"))
    if not is_token(token):
        abort(400, say("complaint.incomplete"))
    the_study().begin(token, language, agreed)
    return redirect(url_for("participate.session", token=token), code=303)


def _require_own_page() -> None:
    """Refuse what another site sends in a visitor's name."""
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site is not None:
        is_own = site in ("same-origin", "none")
    else:
        is_own = origin in (None, "null") or _host_of(origin) == request.host
    if not is_own:
        abort(403, say("complaint.other_site"))


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


@blueprint.get("/declined")
def declined() -> str:
    """Thank somebody who would rather not; nothing was stored."""
    speak(choose(list(the_study().protocol.texts.consent)))
    return render_template(
        "declined.html",
        code=no_consent_code(the_study().protocol.hash),
    )


@blueprint.get("/session/<token>")
def session(token: str) -> AnyResponse:
    """Show the task's page, or the end where no trial is left."""
    participation, live = find_session(token)
    if live.is_complete:
        return redirect(url_for("participate.done", token=token))
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
    _require_own_page()
    _, live = find_session(token)
    if live.is_complete:
        try:
            the_study().begin_next(token)
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
    debriefs = live.session.protocol.texts.debrief
    debrief = in_language(debriefs, participation.language)
    page = render_template(
        "done.html",
        debrief=render_markdown(debrief),
        debrief_language=language_of(debriefs, participation.language),
        code=participation.code,
        is_screened_out=participation.outcome == SCREENED_OUT,
        n_trials=live.session.n_recorded,
        gray=_gray(live),
        sitting=participation.sitting,
        following=the_study().following(token),
        token=token,
    )
    return make_response(page)


@blueprint.get("/healthz")
def healthz() -> Response:
    """Say whether participants are served: for a monitor, not for people."""
    try:
        the_study().health.require()
    except Exception as error:
        logging.getLogger(__name__).error("not healthy: %s", error)
        return Response("not healthy\n", status=503, mimetype="text/plain")
    return Response("ok\n", mimetype="text/plain")


def needs(protocol: Protocol) -> dict:
    """Give what a device must be able to do, to be found out before anything is stored.

    See js/types.js.
    """
    return {
        "keys": _keys(protocol),
        "touch": protocol.task.touch,
        "side_by_side": protocol.n_onsets < protocol.n_intervals,
        "shape": _shape(protocol),
        "deg_per_element": protocol.display.deg_per_element,
        "element_px": protocol.display.element_px,
        "timing": {**vars(protocol.timing), **_cue_times(protocol)},
    }


def _cue_times(protocol: Protocol) -> dict[str, tuple[float, ...]]:
    """Give the durations of a cue's frames; nothing without a cue."""
    times = protocol.cue.frames_ms
    return {f"{protocol.cue.when}_ms": times} if times else {}


def _page_data(token: str, language: str, live: LiveSession) -> dict:
    """Give what the browser must know before the first trial; see js/types.js.

    Nothing of a trial, and no contrast: these would tell what to look for, and when.
    """
    protocol = live.session.protocol
    instructions = in_language(protocol.texts.instructions, language)
    display = live.session.row.display or {}
    return {
        **needs(protocol),
        **spoken().of(*_TABLES),
        "base": url_for("participate.session", token=token),
        "lut": display["lut"],
        "background": protocol.display.background,
        "instructions": pages(instructions),
        "instructions_language": language_of(protocol.texts.instructions, language),
        "examples": _examples(token, protocol),
        "n_recorded": live.session.n_recorded,
        "confidence": _confidence(protocol, language),
        "feedback": vars(protocol.feedback),
    }


def _examples(token: str, protocol: Protocol) -> dict[str, Any] | None:
    """Give where the examples' pixels are, and what is pressed for each."""
    found = examples_of(protocol)
    if found is None:
        return None
    address = url_for("trial_api.examples", token=token)
    return {"levels": address, "responses": found.responses}


def _keys(protocol: Protocol) -> list[dict[str, str]]:
    """Give the response keys in order: name, and place on the keyboard."""
    return _places(protocol.task.keys)


def _places(names: Sequence[str]) -> list[dict[str, str]]:
    return [{"name": key, "code": KEY_CODES[key]} for key in names]


def _confidence(protocol: Protocol, language: str) -> dict[str, Any] | None:
    """Give what is asked after the choice; None where nothing is."""
    asked = protocol.confidence
    if not asked.is_asked:
        return None
    prompt = in_language(asked.prompt, language)
    html = render_markdown(prompt) if prompt else ""
    return {"keys": _places(asked.keys), "prompt": html}


def _gray(live: LiveSession) -> int:
    """Give the screen level of the task's background."""
    display = live.session.row.display or {}
    return display["lut"][live.session.protocol.display.background]


def _shape(protocol: Protocol) -> dict[str, int]:
    frames, height, width = protocol.frame_shape
    return {
        "intervals": protocol.n_intervals,
        "frames": frames,
        "height": height,
        "width": width,
    }
