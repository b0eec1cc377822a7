"""Fetching: what is pinned arrives whole, anything else leaves no trace."""

import contextlib
import functools
import http.server
import socket
import threading

import pytest

from yoked.experiments.imports.fetch import FetchError, fetch_murray2015

NAME = "experiment2_subject01.txt"


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def serve(monkeypatch):
    """Return a function that serves a folder over HTTP and gives its address."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with contextlib.ExitStack() as stack:

        def start(folder):
            handler = functools.partial(QuietHandler, directory=folder)
            server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            return f"http://127.0.0.1:{server.server_port}"

        yield start


def test_the_published_file_arrives_byte_for_byte(serve, shared_data, tmp_path):
    published = shared_data(f"murray2015/{NAME}")
    folder = tmp_path / "new" / "folder"
    path = fetch_murray2015(folder, NAME, url=serve(published.parent))
    assert path == folder / NAME
    assert path.read_bytes() == published.read_bytes()
    assert list(folder.iterdir()) == [path]


def test_a_file_that_is_there_is_not_fetched_again(serve, shared_data, tmp_path):
    url = serve(shared_data(f"murray2015/{NAME}").parent)
    path = fetch_murray2015(tmp_path, NAME, url)
    assert fetch_murray2015(tmp_path, NAME, url="http://127.0.0.1:9/nothing") == path


def test_a_spoiled_copy_is_replaced(serve, shared_data, tmp_path):
    published = shared_data(f"murray2015/{NAME}")
    (tmp_path / NAME).write_text("spoiled")
    path = fetch_murray2015(tmp_path, NAME, url=serve(published.parent))
    assert path.read_bytes() == published.read_bytes()


def test_altered_bytes_are_refused_and_the_folder_stays_as_it_was(serve, tmp_path):
    served, folder = tmp_path / "served", tmp_path / "here"
    served.mkdir()
    folder.mkdir()
    (served / NAME).write_text("altered")
    (folder / NAME).write_text("mine")
    with pytest.raises(FetchError, match=rf"{NAME} must have SHA-256 21cd493e\w+, got"):
        fetch_murray2015(folder, NAME, url=serve(served))
    assert [path.read_text() for path in folder.iterdir()] == ["mine"]


def test_a_missing_page_is_one_sentence(serve, tmp_path):
    with pytest.raises(FetchError, match=rf"{NAME} could not be fetched: .*not found"):
        fetch_murray2015(tmp_path / "here", NAME, url=serve(tmp_path))
    assert not (tmp_path / "here").exists()


def test_no_connection_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.socket() as unused:  # bound, never listening: it refuses connections
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(FetchError, match=r"could not be fetched: .*refused"):
            fetch_murray2015(tmp_path, NAME, url)


def test_a_file_without_a_pinned_hash_is_refused(tmp_path):
    with pytest.raises(LookupError, match=r"must be one of experiment1_subject01\.txt"):
        fetch_murray2015(tmp_path, "experiment9_subject01.txt")
