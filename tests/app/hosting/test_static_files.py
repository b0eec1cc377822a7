"""Static files: an address for each version, and never two versions in one page."""

import re
import shutil

import pytest
from flask import Flask, url_for

from yoked.app.hosting.static_files import (
    FOR_EVER,
    OUTDATED,
    STATIC,
    read_static_files,
    serve_static_files,
    version_of,
)


@pytest.fixture
def folder(tmp_path):
    """Return a copy of the static files that may be changed."""
    return shutil.copytree(STATIC, tmp_path / "static")


def client_of(folder):
    app = Flask(__name__, static_folder=None)
    serve_static_files(app, folder)
    return app.test_client()


def address_in(client, filename: str) -> str:
    with client.application.test_request_context():
        return url_for("static", filename=filename)


def test_a_file_has_a_new_address_whenever_any_file_changes(folder):
    before = address_in(client_of(folder), "js/main.js")
    assert address_in(client_of(folder), "js/main.js") == before
    upload = folder / "js" / "upload.js"
    upload.write_text(upload.read_text() + "// changed\n")
    after = address_in(client_of(folder), "js/main.js")
    assert before != after
    assert re.fullmatch("/static/[0-9a-f]{12}/js/main.js", after)


def test_files_may_be_kept_for_ever(folder):
    client = client_of(folder)
    for name, text in read_static_files(folder).items():
        reply = client.get(address_in(client, name))
        assert reply.data == text
        assert reply.headers["Cache-Control"] == FOR_EVER
    kind = client.get(address_in(client, "js/main.js")).content_type
    assert kind == "text/javascript; charset=utf-8"


def test_a_running_server_keeps_its_version_whatever_is_installed(folder):
    client = client_of(folder)
    before = client.get(address_in(client, "js/main.js")).data
    shutil.rmtree(folder)
    assert client.get(address_in(client, "js/main.js")).data == before


def test_a_script_of_another_version_loads_the_page_again(folder):
    client = client_of(folder)
    for path in ("/static/0123456789ab/js/main.js", "/static/js/gone.js"):
        reply = client.get(path)
        assert reply.data == (folder / OUTDATED).read_bytes()
        assert "Cache-Control" not in reply.headers
    reply = client.get("/static/0123456789ab/css/yoked.css")
    assert reply.data == (folder / "css" / "yoked.css").read_bytes()
    assert "Cache-Control" not in reply.headers
    assert client.get("/static/0123456789ab/vendor/NOTICE.txt").status_code == 404


@pytest.mark.parametrize("name", ["../pyproject.toml", "vendor.mjs", "js/", "x.js"])
def test_what_no_page_needs_is_not_served(name):
    client = client_of(STATIC)
    version = version_of(read_static_files(STATIC))
    assert client.get(f"/static/{version}/{name}").status_code == 404


def test_every_kind_of_file_that_pages_name_is_served():
    found = read_static_files(STATIC)
    assert {"js/main.js", "css/yoked.css", "vendor/jspsych.js", OUTDATED} <= set(found)
    assert "__init__.py" not in found
