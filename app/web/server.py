"""The web application: its parts, its headers and its errors."""

import base64
import hashlib
import json
import logging
import sqlite3
import time
from importlib.resources import files
from pathlib import Path
from typing import Any

from flask import Flask, jsonify, make_response, render_template, request, url_for
from markupsafe import Markup
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.wrappers import Response

from ...experiments.protocols.files import load_protocol
from ...experiments.protocols.protocol import Protocol
from ...experiments.protocols.sittings import SittingPlan
from ...experiments.store.trial_log import StoreError, TrialConflict
from . import participate, trial_api
from .limits import Clock, TooMany
from .live import OutOfTurn, StaleSession
from .researchers.register import register_researchers
from .responses import MOST_BYTES, ResponseError
from .study import Study

STATIC = Path(str(files("yoked.static")))

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

    def log_exception(self, exc_info: Any) -> None:
        """Log a fault by the endpoint that met it."""
        self.logger.error("a fault in %s", request.endpoint, exc_info=exc_info)


def create_app(
    db_path: str | Path,
    protocol: Protocol | str = "bar-in-noise",
    lut: str = "srgb",
    clock: Clock = time.monotonic,
    plan: SittingPlan | None = None,
) -> Flask:
    """Make the web application that collects one protocol.

    Parameters
    ----------
    db_path
        The trial log; made if there is none.
    protocol
        A protocol, or what `load_protocol` takes.
    lut
        'srgb' for ordinary screens, 'identity' for linear ones and tests.
    clock
        Seconds, rising: what response times and limits are held against.
    plan
        Of sittings, instead of a protocol.

    Raises
    ------
    FileNotFoundError
        If jsPsych has not been fetched.
    LookupError, ProtocolError, StoreError
        If protocol or trial log are not what they should be.
    """
    require_vendor()
    if plan is not None:
        protocol = plan.protocols[0]
    elif isinstance(protocol, str):
        protocol = load_protocol(protocol)
    app = _App(__package__ or "", static_folder=str(STATIC))
    app.config["MAX_CONTENT_LENGTH"] = MOST_BYTES
    study = app.extensions["yoked"] = Study(db_path, protocol, lut, clock, plan)
    app.register_blueprint(participate.blueprint)
    app.register_blueprint(trial_api.blueprint)
    study.keep_open(register_researchers(app, db_path, study.write, clock=clock))
    app.jinja_env.globals["import_map"] = import_map
    app.after_request(_add_headers)
    _register_errors(app)
    return app


def require_vendor() -> None:
    """Raise FileNotFoundError if jsPsych has not been fetched."""
    if not (STATIC / "vendor" / "jspsych.js").is_file():
        rule = "in static/vendor; fetch it with `npm ci && npm run vendor`"
        raise FileNotFoundError(f"jsPsych must be {rule}")


def import_map() -> Markup:
    """Say where the plugin's import of "jspsych" leads: to the script of the page."""
    path = url_for("static", filename="plugin-noise-trial/browser/jspsych.js")
    return Markup(json.dumps({"imports": {"jspsych": path}}))


def _add_headers(response: Response) -> Response:
    response.headers.update(HEADERS)
    found = base64.b64encode(hashlib.sha256(import_map().encode()).digest()).decode()
    response.headers["Content-Security-Policy"] = POLICY.format(found)
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    return response


def _register_errors(app: Flask) -> None:
    app.register_error_handler(ResponseError, lambda error: _complaint(400, str(error)))
    for kind in (OutOfTurn, TrialConflict):
        app.register_error_handler(kind, lambda error: _complaint(409, str(error)))
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(TooMany, _too_many)
    # A session that was withdrawn while it ran takes nothing more.
    app.register_error_handler(StoreError, lambda error: _complaint(410, str(error)))
    for kind in (sqlite3.Error, StaleSession, OSError):
        app.register_error_handler(kind, _cannot_store)


def _http_error(error: HTTPException) -> tuple[Response | str, int]:
    if isinstance(error, InternalServerError):
        return _complaint(500, "The server met a fault. What was confirmed is stored.")
    return _complaint(error.code or 500, error.description or error.name)


def _cannot_store(error: Exception) -> tuple[Response | str, int]:
    """Reply 503: the browser keeps what it has, and tries again."""
    logging.getLogger(__name__).error("could not store: %s", error)
    return _complaint(
        503, "The server cannot store anything now. Please try again soon."
    )


def _too_many(error: TooMany) -> Response:
    """Reply 429: a page tries again by itself, a person after a moment."""
    reply = make_response(_complaint(429, "Many people are arriving. " + AGAIN))
    reply.headers["Retry-After"] = str(error.wait_s)
    return reply


AGAIN = "Please go back and try again in a few seconds."
_HEADINGS = {
    404: "There is nothing here",
    409: "Please go back",
    410: "This session is over",
    429: "One moment, please",
    503: "One moment, please",
}


def _complaint(status: int, sentence: str) -> tuple[Response | str, int]:
    """Say what is wrong: to the task's page in JSON, to a participant as a page."""
    if request.blueprint == "trial_api":
        return jsonify(error=sentence), status
    page = render_template(
        "message.html",
        language="en",
        heading=_HEADINGS.get(status, "That did not work"),
        message=sentence,
        back=url_for("participate.study"),
        back_label="To the start of the study",
    )
    return page, status
