"""What an address or a form may hold, before anything is looked for by it."""

from typing import Any

from flask import abort, request
from werkzeug.routing import IntegerConverter, Map

LARGEST = 2**31 - 1  # of a number in an address; any database takes it


class WholeNumber(IntegerConverter):
    """A whole number in an address that a database can look for."""

    def __init__(self, map: Map, **options: Any) -> None:  # as werkzeug calls it
        super().__init__(map, **{"max": LARGEST, **options})


def refuse_null_characters() -> None:
    """Refuse a null character in an address or a form: no database takes one."""
    query = request.query_string
    is_bad = "\0" in request.path or b"\0" in query or b"%00" in query
    if request.method == "POST" and not request.is_json:
        said = (*request.form.keys(), *request.form.values())
        is_bad = is_bad or any("\0" in text for text in said)
    if is_bad:
        abort(400)
