"""What is kept of a participant, handed to them: by their link, or by their code."""

from flask import Blueprint, abort, render_template, request
from werkzeug.wrappers import Response

from ..exports.own_data import FILE, own_data
from ..studies.tokens import hash_of_token
from .own_page import require_own_page
from .participate import the_host
from .phrases import choose, languages, say, speak

blueprint = Blueprint("own_data", __name__)


@blueprint.get("/session/<token>/my-data.zip")
def of_session(token: str) -> Response:
    """Send all that is kept of whoever has a link; it changes nothing."""
    if the_host().finder.find(token) is None:
        abort(404, say("complaint.no_session"))
    return sent(hash_of_token(token))


@blueprint.get("/my-data")
def ask_for_code() -> str:
    """Ask for a withdrawal code: for whoever has no link any more."""
    speak(choose(list(languages())))
    return render_template("my_data.html")


@blueprint.post("/my-data")
def by_code() -> Response:
    """Send all that is kept of whoever has a code, which no address may hold."""
    speak(choose(list(languages())))
    require_own_page()
    whose = the_host().whose_code(request.form.get("code", "")[:100])
    if whose is None:
        abort(404, say("withdraw.unknown"))
    return sent(whose)


def sent(token_hash: str) -> Response:
    """Send what is kept of somebody as a file."""
    file = own_data(the_host().reader, token_hash)
    reply = Response(file, mimetype="application/zip")
    reply.headers["Content-Disposition"] = f"attachment; filename={FILE}"
    return reply
