"""The server's loop: it never gets in the way of the thread that sends a reply."""

import contextlib
import http.client
import threading

from flask import Flask, Response, request

from yoked.app.hosting.process import run
from yoked.app.hosting.settings import Settings

PART, N_PARTS = bytes(2**20), 40  # more than waits to be sent before a thread does
LONG_S = 30


def channel_of_request():
    return request.environ["waitress.client_disconnected"].__self__


@contextlib.contextmanager
def served(app):
    """Run a server in a thread; give a function that opens a connection."""
    begun, addresses = threading.Event(), []
    app.config["MAX_CONTENT_LENGTH"] = 1000

    @app.get("/end")
    def end():
        channel_of_request().server.end()
        return "ends"

    def announce(address: str) -> None:
        addresses.append(address)
        begun.set()

    thread = threading.Thread(target=run, args=(app, Settings(port=0), announce))
    thread.start()
    assert begun.wait(LONG_S)
    host = addresses[0].split("/")[2]
    with contextlib.ExitStack() as stack:

        def connect() -> http.client.HTTPConnection:
            line = http.client.HTTPConnection(host, timeout=LONG_S)
            stack.callback(line.close)
            return line

        try:
            yield connect
        finally:
            connect().request("GET", "/end")
            thread.join(LONG_S)
    assert not thread.is_alive()


def test_the_loop_leaves_a_connection_to_the_thread_that_sends_on_it():
    app, sending, go_on = Flask(__name__), threading.Event(), threading.Event()
    found = []

    @app.get("/")
    def sends():
        channel = channel_of_request()
        found.append(channel)
        with channel.outbuf_lock:  # as waitress holds it while it sends
            channel.total_outbufs_len += 1
            sending.set()
            go_on.wait(LONG_S)
            channel.total_outbufs_len -= 1
        return "sent"

    with served(app) as connect:
        line = connect()
        line.request("GET", "/")
        assert sending.wait(LONG_S)
        (channel,) = found
        assert not channel.writable()
        go_on.set()
        assert line.getresponse().read() == b"sent"
        line.request("GET", "/")  # the loop hears the connection again
        assert line.getresponse().read() == b"sent"


def test_what_a_slow_client_leaves_is_sent_by_the_loop():
    app = Flask(__name__)

    @app.get("/")
    def large():
        return Response(PART for _ in range(N_PARTS))

    with served(app) as connect:
        slow, other = connect(), connect()
        slow.request("GET", "/")
        reply = slow.getresponse()
        other.request("GET", "/")
        assert len(other.getresponse().read()) == N_PARTS * len(PART)
        assert len(reply.read()) == N_PARTS * len(PART)
