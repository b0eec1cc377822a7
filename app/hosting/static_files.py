"""The files that browsers get, at addresses that change whenever a file does.

All are read once, when the server starts, and their folder's name has a hash of all:
a page of this server never loads a file of another version, whatever is installed
while it runs, and browsers may keep what they have for ever.
"""

import hashlib
import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from flask import Flask, Response, abort

STATIC = Path(str(files("yoked.static")))
KINDS = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}  # what else stands in the folder is no page's
FOR_EVER = "public, max-age=31536000, immutable"
# What a page of another version gets in place of each of its scripts.
OUTDATED = "js/outdated.js"
_VERSION_LETTERS = 12


def serve_static_files(app: Flask, folder: Path | None = None) -> None:
    """Give an application the endpoint `static`, for `url_for("static", filename=...)`.

    A page that was loaded from a server of another version may still ask for files of
    that version. In place of a script it gets one that loads the page again, since half
    of its scripts may be old ones: a session goes on at the trial that was due. A style
    sheet is the present one.

    Parameters
    ----------
    app
        An application made with `static_folder=None`.
    folder
        Where the files are; by default those of this package.
    """
    found = read_static_files(folder or STATIC)
    version = version_of(found)

    def current(filename: str) -> Response:
        if filename not in found:
            abort(404)
        response = Response(found[filename], mimetype=_kind(filename))
        response.headers["Cache-Control"] = FOR_EVER
        return response

    def outdated(filename: str) -> Response:
        name = filename.partition("/")[2]
        if filename.endswith(".js"):
            return Response(found[OUTDATED], mimetype=_kind(OUTDATED))
        if name in found and name.endswith(".css"):
            return Response(found[name], mimetype=_kind(name))
        abort(404)

    app.add_url_rule(f"/static/{version}/<path:filename>", "static", current)
    app.add_url_rule("/static/<path:filename>", "outdated", outdated)


def read_static_files(folder: Path) -> dict[str, bytes]:
    """Read the files that browsers may ask for, by their path below a folder."""
    found = {}
    for place, _, names in os.walk(folder, followlinks=True):
        for name in names:
            path = Path(place, name)
            if path.suffix in KINDS:
                found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return found


def version_of(found: Mapping[str, bytes]) -> str:
    """Give a name for the content of files, which any change changes.

    Examples
    --------
    >>> version_of({"js/main.js": b"one"}), version_of({"js/main.js": b"two"})
    ('a5899f543fca', '9a3b47219b99')
    """
    digest = hashlib.sha256()
    for name in sorted(found):
        digest.update(f"{name}\n{len(found[name])}\n".encode())
        digest.update(found[name])
    return digest.hexdigest()[:_VERSION_LETTERS]


def _kind(filename: str) -> str:
    return KINDS[Path(filename).suffix]
