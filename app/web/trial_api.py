"""What the task's page asks of the server, in JSON: the next trial, its response."""

import json
from contextlib import ExitStack
from typing import Any

from flask import Blueprint, Response, g, request

from ...experiments.monitors.blind_spot import ViewingError
from .described import described
from .examples import examples_of
from .live import Behind
from .participate import asked_viewing, find_session, the_host
from .phrases import say
from .responses import (
    ResponseError,
    parse_display,
    parse_model_response,
    parse_response,
)
from .trial_shapes import (
    DISPLAY,
    NEXT,
    NOTHING,
    PIXELS,
    RECEIPT,
    RESPONSE,
    VIEWING,
    VIEWING_REPLY,
)
from .viewing import kept_viewing, parse_viewing

blueprint = Blueprint("trial_api", __name__, url_prefix="/session/<token>")


@blueprint.before_request
def keep_a_connection() -> None:
    """Let what a trial asks of a database with many connections go through one."""
    g.connection = ExitStack()
    g.connection.enter_context(the_host().store.at_hand())


@blueprint.teardown_request
def give_it_back(error: BaseException | None) -> None:
    """Give the connection back once the reply is made."""
    kept = g.pop("connection", None)
    if kept is not None:
        kept.close()


@blueprint.get("/next")
@described(NEXT, is_open=True, errors=(404, 410))
def next_trial(token: str) -> dict[str, Any]:
    """Say what comes next."""
    _, live = find_session(token, is_trials=True)
    return _with_address(token, live.next())


@blueprint.get("/trials/<int:trial>/frames")
@described(PIXELS, is_open=True, errors=(404, 409, 410))
def frames(token: str, trial: int) -> Response:
    """Give the pixels of the next trial, and of no other."""
    _, live = find_session(token, is_trials=True)
    return Response(live.frames(trial), mimetype="application/octet-stream")


@blueprint.get("/examples")
@described(PIXELS, is_open=True, errors=(404, 410))
def examples(token: str) -> Response:
    """Give the pixels of the instructions' examples, where there are any."""
    _, live = find_session(token, is_trials=True)
    found = examples_of(live.session.protocol)
    levels = b"" if found is None else found.levels.tobytes()
    return Response(levels, mimetype="application/octet-stream")


@blueprint.post("/trials/<int:trial>")
@described(
    RECEIPT,
    body=RESPONSE,
    query={"pixels": {"type": "string", "enum": ["yes"]}},
    is_open=True,
    errors=(400, 404, 409, 410, 413),
)
def response(token: str, trial: int) -> dict[str, Any]:
    """Take a response; by the time of the reply it is stored.

    Whoever asks for it gets the next trial's pixels along, where they are few.
    """
    _, live = find_session(token, is_trials=True)
    is_model = live.session.row.observer.kind == "model"
    parse = parse_model_response if is_model else parse_response
    given = parse(json_body(), live.session.protocol)
    with_pixels = request.args.get("pixels") == "yes"
    try:
        receipt = live.record(trial, given, with_pixels)
    except Behind:  # another process was faster: the session as it is by now
        live = find_session(token, is_trials=True)[1]
        receipt = live.record(trial, given, with_pixels)
    return {**receipt, "next": _with_address(token, receipt["next"])}


@blueprint.post("/display")
@described(NOTHING, body=DISPLAY, is_open=True, errors=(400, 404, 409, 410, 413))
def display(token: str) -> dict[str, Any]:
    """Take the facts about the screen."""
    _, live = find_session(token, is_trials=True)
    live.set_display(parse_display(json_body()))
    return {}


@blueprint.post("/viewing")
@described(VIEWING_REPLY, body=VIEWING, is_open=True, errors=(400, 404, 409, 410, 413))
def viewing(token: str) -> dict[str, Any]:
    """Take what was measured of screen and distance; say what cannot be."""
    _, live = find_session(token, is_trials=True)
    asked = asked_viewing(token, live)
    try:
        found = parse_viewing(json_body(), asked)
    except ViewingError as error:
        return {"fault": say(f"viewing.fault_{error.reason}", **error.values)}
    kept = kept_viewing(found, asked)
    live.set_viewing(kept)
    return {"viewing": kept}


def json_body() -> object:
    """Give the request's body; a form or a text of another site is none of ours."""
    try:
        if request.is_json:
            text = request.get_data().decode()
            found = json.loads(text)
            if "\\u" in text:  # half a character is none that a database takes
                json.dumps(found, ensure_ascii=False).encode()
            return found
    except (ValueError, RecursionError):
        pass
    raise ResponseError("the body must be JSON, of type application/json")


def _with_address(token: str, following: dict[str, Any]) -> dict[str, Any]:
    if following["done"]:
        return following
    # As `url_for` writes it, in a tenth of the time: it is asked for with each trial.
    trials = f"{request.script_root}/session/{token}/trials"
    return {**following, "frames": f"{trials}/{following['trial']}/frames"}
