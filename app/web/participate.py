"""The pages that a participant sees: consent, the task, thanks."""

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

from ...experiments.protocols.protocol import Protocol
from ...experiments.protocols.texts import in_language, text_version
from .live import LiveSession
from .participations import Participation
from .study import Study
from .texts import pages, render_markdown

blueprint = Blueprint("participate", __name__)


def the_study() -> Study:
    """Give the study that this server serves."""
    return current_app.extensions["yoked"]


def find_session(token: str) -> tuple[Participation, LiveSession]:
    """Give the session that a link leads to; a page says so where there is none."""
    participation = the_study().participation(token)
    if participation is None:
        abort(404, "This link leads to no session. Please check that it is complete.")
    try:
        return participation, the_study().live(participation.session)
    except ValueError:
        abort(410, "This session was withdrawn, and its data were deleted.")


@blueprint.get("/")
def study() -> str:
    """Show what the study is about, and ask for consent."""
    consents = the_study().protocol.texts.consent
    language = _language(list(consents))
    text = in_language(consents, language)
    return render_template(
        "study.html",
        title=the_study().protocol.title,
        language=language,
        languages=list(consents),
        consent=render_markdown(text),
        consent_version=text_version(text),
    )


@blueprint.post("/sessions")
def agree() -> AnyResponse:
    """Begin a session: only this, never a GET, which link previews send as well."""
    consents = the_study().protocol.texts.consent
    language = request.form.get("language", "")
    agreed = request.form.get("consent_version", "")
    if language not in consents or agreed != text_version(consents[language]):
        abort(
            409, "The consent text has changed. Please read it again before agreeing."
        )
    token = the_study().begin(language, agreed)
    return redirect(url_for("participate.session", token=token), code=303)


@blueprint.get("/declined")
def declined() -> str:
    """Thank somebody who would rather not; nothing was stored."""
    return render_template(
        "message.html",
        language="en",
        heading="That is quite all right",
        message="Nothing was stored. Thank you for reading; you may close this page.",
        back=url_for("participate.study"),
        back_label="Back to the study",
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
        language=participation.language,
        page_data=_page_data(token, participation.language, live),
    )
    return make_response(page)


@blueprint.get("/session/<token>/done")
def done(token: str) -> AnyResponse:
    """Thank a participant, with the completion code once all trials are stored."""
    participation, live = find_session(token)
    if not live.is_complete:
        return redirect(url_for("participate.session", token=token))
    debrief = in_language(live.session.protocol.texts.debrief, participation.language)
    page = render_template(
        "done.html",
        language=participation.language,
        debrief=render_markdown(debrief or "# Thank you"),
        code=participation.completion_code,
        n_trials=live.session.n_recorded,
    )
    return make_response(page)


@blueprint.get("/healthz")
def healthz() -> Response:
    """Say whether the server can store: for a monitor, not for people."""
    the_study().check_writable()
    return Response("ok\n", mimetype="text/plain")


def _language(known: list[str]) -> str:
    """Give the language asked for in the address, or by the browser, or the first."""
    asked = request.args.get("language", "")
    return (
        asked
        if asked in known
        else request.accept_languages.best_match(known) or known[0]
    )


def _page_data(token: str, language: str, live: LiveSession) -> dict:
    """Give what the browser must know before the first trial; see js/types.js.

    Nothing of a trial, and no contrast: these would tell what to look for, and when.
    """
    protocol = live.session.protocol
    instructions = in_language(protocol.texts.instructions, language)
    display = live.session.row.display or {}
    return {
        "base": url_for("participate.session", token=token),
        "keys": protocol.task.keys,
        "side_by_side": protocol.n_onsets < protocol.n_intervals,
        "shape": _shape(protocol),
        "deg_per_element": protocol.display.deg_per_element,
        "element_px": protocol.display.element_px,
        "timing": vars(protocol.timing),
        "lut": display["lut"],
        "background": protocol.display.background,
        "instructions": pages(instructions),
        "n_recorded": live.session.n_recorded,
    }


def _shape(protocol: Protocol) -> dict[str, int]:
    frames, height, width = protocol.frame_shape
    return {
        "intervals": protocol.n_intervals,
        "frames": frames,
        "height": height,
        "width": width,
    }
