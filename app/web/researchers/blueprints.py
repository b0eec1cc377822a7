"""What the blueprints of researchers have in common: their forms and their errors."""

import logging
import sqlite3

from flask import (
    Blueprint,
    Response,
    g,
    jsonify,
    make_response,
    render_template,
    url_for,
)
from werkzeug.exceptions import HTTPException, InternalServerError

from ..limits import TooMany
from ..responses import ResponseError
from .entry import enter

_HEADINGS = {
    401: "Please sign in",
    403: "That is not for you",
    404: "There is nothing here",
    409: "Please go back",
    429: "One moment, please",
    503: "One moment, please",
}


def protected(blueprint: Blueprint, by_token: bool = False) -> Blueprint:
    """Let pages take forms of their own sign-in only; give them back.

    Parameters
    ----------
    blueprint
        Not yet registered.
    by_token
        Whether they are for programs too: then errors are JSON.
    """
    blueprint.before_request(lambda: enter(by_token))
    return speaking(blueprint, by_token)


def speaking(blueprint: Blueprint, as_json: bool = False) -> Blueprint:
    """Let a blueprint say errors as pages of researchers, or as JSON; give it back."""

    def complain(error: Exception) -> Response:
        return _complaint(error, as_json)

    blueprint.register_error_handler(HTTPException, complain)
    blueprint.register_error_handler(TooMany, complain)
    blueprint.register_error_handler(ResponseError, complain)
    for kind in (sqlite3.Error, OSError):
        blueprint.register_error_handler(kind, complain)
    return blueprint


def _complaint(error: Exception, as_json: bool) -> Response:
    """Say what is wrong, to a program or a person."""
    if isinstance(error, TooMany):
        status, said = 429, f"That was too often. Please wait {error.wait_s} s."
    elif isinstance(error, HTTPException) and error.response is not None:
        return make_response(error.response)  # a redirection, or a page of its own
    elif isinstance(error, ResponseError):
        status, said = 400, f"{error}."
    elif isinstance(error, HTTPException) and not isinstance(
        error, InternalServerError
    ):
        status, said = error.code or 500, error.description or error.name
    elif isinstance(error, sqlite3.Error | OSError):
        logging.getLogger(__name__).error("could not store: %s", error)
        g.setdefault("sign_in", None)  # whoever asks is not looked for once more
        status, said = 503, "The server cannot store anything now. Please try again."
    else:
        status, said = 500, "The server met a fault. It is in the server's log."
    reply = make_response(
        jsonify(error=said)
        if as_json
        else render_template(
            "researchers/message.html",
            heading=_HEADINGS.get(status, "That did not work"),
            message=said,
            back=url_for("researchers_account.home"),
        ),
        status,
    )
    if isinstance(error, TooMany):
        reply.headers["Retry-After"] = str(error.wait_s)
    if status == 401:
        reply.headers["WWW-Authenticate"] = "Bearer"
    return reply


def sentence(text: str) -> str:
    """Give an error as a sentence of a page.

    Examples
    --------
    >>> sentence("the password must be yours, got another")
    'The password must be yours, got another.'
    """
    return text[:1].upper() + text[1:].rstrip(".") + "."
