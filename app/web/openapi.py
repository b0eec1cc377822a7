"""The OpenAPI 3.1 description of a server: made of its addresses and what they say."""

import inspect
import re
from typing import Any

from flask import Blueprint, Flask, Response, current_app, jsonify
from werkzeug.routing import IntegerConverter, Rule

from .described import JSON, Described, Schema, Shape, Shapes, described
from .researchers.api import ROOT
from .researchers.entry import FORM_HEADER, cookie_name
from .researchers.rows import Fault

blueprint = Blueprint("openapi", __name__, url_prefix=ROOT)
OF_PARTICIPANTS = ("trial_api", "asking")  # blueprints
_BY_TOKEN = {"token": []}
_TOO_OFTEN, _CANNOT_STORE = 429, 503
_REASONS = {
    400: "What was sent breaks a rule.",
    401: "Nobody is signed in, or the token is none, has expired or was revoked.",
    403: "Whoever asks may not.",
    404: "There is none, or whoever asks has no part in it.",
    409: "It cannot be done as things are.",
    410: "Whose session it is has withdrawn.",
    413: "The body is longer than any that is taken.",
    429: "Too often; again after `Retry-After` seconds.",
    503: "Nothing can be stored now; the same again later.",
}


@blueprint.get("/openapi.json")
@described({"type": "object"}, is_open=True)
def openapi() -> Response:
    """Give this description."""
    return jsonify(document(current_app))


def document(app: Flask) -> dict[str, Any]:
    """Describe an application's endpoints for programs.

    Parameters
    ----------
    app
        Within a request, which says by what the cookie is called.

    Raises
    ------
    LookupError
        If an endpoint says nothing of itself.
    """
    shapes, paths = Shapes(), {}
    for rule in endpoints(app):
        view = app.view_functions[rule.endpoint]
        said = getattr(view, "described", None)
        if said is None:
            raise LookupError(f"an endpoint must be described, got {rule.endpoint}")
        address = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for method in methods(rule):
            operation = _operation(rule, said, shapes)
            summary, _, more = (inspect.getdoc(view) or "").partition("\n")
            operation["summary"] = summary.rstrip(".")
            if more.strip():
                operation["description"] = more.strip()
            paths.setdefault(address, {})[method.lower()] = operation
    shapes.of(Fault)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Yoked",
            "version": "1",
            "description": "Studies for researchers; what a participant's page asks.",
        },
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": shapes.found,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API token, made on the page of the account.",
                },
                "cookie": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": cookie_name("sign-in"),
                    "description": "The sign-in of a browser.",
                },
                "form": {
                    "type": "apiKey",
                    "in": "header",
                    "name": FORM_HEADER,
                    "description": "The form token of that sign-in's pages.",
                },
            },
        },
    }


def endpoints(app: Flask) -> list[Rule]:
    """List what is described: all below the root, and what a task's page asks."""
    return [
        rule
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(f"{ROOT}/")
        or rule.endpoint.startswith("trial_api.")
        or (rule.endpoint.startswith("asking.") and "POST" in methods(rule))
    ]


def methods(rule: Rule) -> list[str]:
    """Give the methods of an address that are written down for it."""
    return sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})


def _operation(rule: Rule, said: Described, shapes: Shapes) -> dict[str, Any]:
    group, _, name = rule.endpoint.partition(".")
    is_of_participants = group in OF_PARTICIPANTS
    operation: dict[str, Any] = {
        "operationId": f"{group}_{name}",
        "tags": ["participants" if is_of_participants else "researchers"],
        "parameters": [
            *(_of_path(each, rule) for each in sorted(rule.arguments)),
            *(
                {"name": each, "in": "query", "schema": schema}
                for each, schema in said.query.items()
            ),
        ],
        "responses": {
            str(said.status): _reply(said.reply, shapes),
            **{str(each): _refusal(each, shapes) for each in _errors(said, rule)},
        },
        "security": _security(said, rule),
    }
    if said.status == 201:
        headers = {"Location": {"schema": {"type": "string"}}}
        operation["responses"]["201"]["headers"] = headers
    if said.body is not None:
        content = {JSON: {"schema": shapes.of(said.body)}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _errors(said: Described, rule: Rule) -> list[int]:
    if said.is_open and not rule.arguments:
        return []
    known = {*said.errors, _TOO_OFTEN, _CANNOT_STORE}
    return sorted(known if said.is_open else {*known, 401})


def _security(said: Described, rule: Rule) -> list[dict[str, list]]:
    if said.is_open:
        return []
    by_cookie: dict[str, list] = {"cookie": []}
    if "GET" not in methods(rule):
        by_cookie["form"] = []
    return [_BY_TOKEN, by_cookie]


def _of_path(name: str, rule: Rule) -> Schema:
    # Of a rule that is registered; only what has a converter is in it.
    converter = rule._converters[name]
    schema: Schema = {"type": "string", "minLength": 1}
    if isinstance(converter, IntegerConverter):
        schema = {"type": "integer", "minimum": 0, "maximum": converter.max}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _reply(shape: Shape | str | None, shapes: Shapes) -> dict[str, Any]:
    if shape is None:
        return {"description": "Done."}
    if isinstance(shape, str):
        schema = {"type": "string", "format": "binary"}
        return {"description": "The file.", "content": {shape: {"schema": schema}}}
    return {"description": "Done.", "content": {JSON: {"schema": shapes.of(shape)}}}


def _refusal(status: int, shapes: Shapes) -> dict[str, Any]:
    reply = {
        "description": _REASONS[status],
        "content": {JSON: {"schema": shapes.of(Fault)}},
    }
    if status == _TOO_OFTEN:
        reply["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
    return reply
