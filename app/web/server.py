"""The web application: its parts, its headers and its errors."""

import base64
import hashlib
import json
import logging
import re
import sqlite3
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import (
    Flask,
    current_app,
    jsonify,
    make_response,
    render_template,
    request,
    url_for,
)
from markupsafe import Markup
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.wrappers import Response

from ...experiments.protocols.files import load_protocol
from ...experiments.protocols.protocol import Protocol
from ...experiments.protocols.sittings import SittingPlan
from ...experiments.store.trial_log import StoreError, TrialConflict
from ..accounts.single_sign_on import SingleSignOn
from ..hosting.static_files import STATIC, serve_static_files
from ..studies.description import Study, alone
from ..studies.enrolments import Refused
from . import openapi, own_data, participate, questions, trial_api
from .addresses import WholeNumber, refuse_null_characters
from .host import Host
from .limits import Clock, TooMany
from .live import OutOfTurn, StaleSession
from .phrases import languages, say, spoken
from .researchers.register import register_researchers
from .responses import MOST_BYTES, ResponseError

# Only the import map stands in a page itself: browsers take none from a file.
POLICY = (
    "default-src 'none'; script-src 'self' 'sha256-{}'; style-src 'self'; "
    "connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",  # the address of a session holds its token
    # Isolated from other sites a page gets clocks of 5 microseconds instead of 100.
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class _App(Flask):
    """Flask, but for its log of faults: an address holds a participant's token."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Give a view as it is: none of ours is asynchronous, which Flask asks each."""
        return func

    def log_exception(self, exc_info: Any) -> None:
        """Log a fault by the endpoint that met it."""
        self.logger.error("a fault in %s", request.endpoint, exc_info=exc_info)


def create_app(
    db_path: str | Path,
    protocol: Protocol | str | None = None,
    lut: str = "srgb",
    clock: Clock = time.monotonic,
    plan: SittingPlan | None = None,
    single_sign_on: SingleSignOn | None = None,
) -> Flask:
    """Make the web application: of one protocol, or of a database's studies.

    Parameters
    ----------
    db_path
        The trial log; made if there is none.
    protocol
        A protocol, or what `load_protocol` takes; None for the studies of the
        database.
    lut
        'srgb' for ordinary screens, 'identity' for linear ones and tests; studies of
        the database have their own.
    clock
        Seconds, rising: what response times and limits are held against.
    plan
        Of sittings, instead of a protocol.
    single_sign_on
        The proxies that say which researcher somebody is.

    Raises
    ------
    FileNotFoundError
        If jsPsych has not been fetched.
    LookupError, ProtocolError, StoreError
        If protocol or trial log are not what they should be.
    ValueError
        If a language's file of one's own does not fit.
    """
    require_vendor()
    languages()  # a file of one's own that does not fit is refused now
    served = _served(protocol, lut, plan)
    app = _App(__package__ or "", static_folder=None)
    app.url_map.converters["int"] = WholeNumber
    app.before_request(refuse_null_characters)
    serve_static_files(app)
    app.config["MAX_CONTENT_LENGTH"] = MOST_BYTES
    host = app.extensions["yoked"] = Host(db_path, served, clock)
    app.register_blueprint(participate.blueprint)
    app.register_blueprint(own_data.blueprint)
    app.register_blueprint(questions.blueprint)
    app.register_blueprint(trial_api.blueprint)
    app.register_blueprint(openapi.blueprint)
    register_researchers(app, host, single_sign_on, clock=clock)
    app.jinja_env.globals.update(
        import_map=import_map, here=here, say=say, spoken=spoken
    )
    app.after_request(_add_headers)
    _register_errors(app)
    return app


def _served(
    protocol: Protocol | str | None, lut: str, plan: SittingPlan | None
) -> Study | None:
    """Give the one study that is served; None for those of the database."""
    if plan is not None:
        return alone(plan.protocols[0], plan, lut)
    if isinstance(protocol, str):
        protocol = load_protocol(protocol)
    return None if protocol is None else alone(protocol, lut=lut)


def require_vendor() -> None:
    """Raise FileNotFoundError if jsPsych has not been fetched."""
    if not (STATIC / "vendor" / "jspsych.js").is_file():
        rule = "in static/vendor; fetch it with `npm ci && npm run vendor`"
        raise FileNotFoundError(f"jsPsych must be {rule}")


def import_map() -> Markup:
    """Say where the plugin's import of "jspsych" leads: to the script of the page."""
    path = url_for("static", filename="plugin-noise-trial/browser/jspsych.js")
    return Markup(json.dumps({"imports": {"jspsych": path}}))


def here(**changes: str) -> str:
    """Give the address of this page with other parameters, the rest as they are."""
    asked = {**request.args, **(request.view_args or {}), **changes}
    return url_for(request.endpoint or "", **asked)


@lru_cache(maxsize=8)
def _policy(root: str) -> str:
    """Give the policy of pages below a prefix, which stands in their import map."""
    found = base64.b64encode(hashlib.sha256(import_map().encode()).digest()).decode()
    return POLICY.format(found)


def _add_headers(response: Response) -> Response:
    response.headers.extend(HEADERS)
    response.headers["Content-Security-Policy"] = _policy(request.script_root)
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    return response


def _register_errors(app: Flask) -> None:
    app.register_error_handler(ResponseError, lambda error: _complaint(400, str(error)))
    for kind in (OutOfTurn, TrialConflict):
        app.register_error_handler(kind, lambda error: _complaint(409, str(error)))
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(TooMany, _too_many)
    # A session that was withdrawn while it ran takes nothing more.
    app.register_error_handler(StoreError, _withdrawn)
    for kind in (sqlite3.Error, StaleSession, OSError):
        app.register_error_handler(kind, _cannot_store)


def _http_error(error: HTTPException) -> tuple[Response | str, int]:
    if isinstance(error, InternalServerError):
        return _complaint(500, say("complaint.fault"))
    if error.description == type(error).description:  # none of our own sentences
        name = "complaint.no_page" if error.code == 404 else "session.refused"
        return _complaint(error.code or 500, say(name))
    return _complaint(error.code or 500, error.description or error.name)


def _refused(error: Refused) -> tuple[Response | str, int]:
    """Say why somebody may not begin."""
    return _complaint(403, say(f"refused.{error.reason}"))


def _withdrawn(error: StoreError) -> tuple[Response | str, int]:
    """Say so, without the session's name that the error has."""
    return _complaint(410, say("complaint.withdrawn"))


def _cannot_store(error: Exception) -> tuple[Response | str, int]:
    """Reply 503: the browser keeps what it has, and tries again."""
    logging.getLogger(__name__).error("could not store: %s", error)
    return _complaint(503, say("complaint.cannot_store"))


def _too_many(error: TooMany) -> Response:
    """Reply 429: a page tries again by itself, a person after a moment."""
    reply = make_response(_complaint(429, say("complaint.too_many")))
    reply.headers["Retry-After"] = str(error.wait_s)
    return reply


def _is_alone() -> bool:
    """Whether the first page of this server is that of its one study."""
    return current_app.extensions["yoked"].alone is not None


# A trial's number that is none leads to no endpoint.
_OF_A_TRIAL = re.compile("/session/[^/]+/trials/")


def _is_of_program() -> bool:
    """Whether a script or a program asks, which reads JSON."""
    path = request.path
    if path.startswith(f"{openapi.ROOT}/") or _OF_A_TRIAL.match(path):
        return True
    is_of_script = request.blueprint in openapi.OF_PARTICIPANTS
    is_page = request.blueprint == "asking" and request.method != "POST"
    return (is_of_script and not is_page) or request.is_json


_HEADINGS = {
    403: "403",
    404: "404",
    409: "409",
    410: "410",
    429: "wait",
    503: "wait",
}


def _complaint(status: int, sentence: str) -> tuple[Response | str, int]:
    """Say what is wrong: to the task's page in JSON, to a participant as a page."""
    if _is_of_program():
        return jsonify(error=sentence), status
    suffix = f"_{_HEADINGS[status]}" if status in _HEADINGS else ""
    page = render_template(
        "message.html",
        heading=say(f"complaint.heading{suffix}"),
        message=sentence,
        back=url_for("participate.study") if _is_alone() else None,
        back_label=say("complaint.back"),
    )
    return page, status
