"""The server: its headers, its port, and what it does without."""

import re
import socket
import subprocess
import sys

import pytest

from yoked.app.hosting.settings import Settings
from yoked.app.web.serving import serve


def test_every_reply_has_the_headers_of_a_careful_server(participant):
    script = re.search(r'src="(/static/[^"]+)"', participant.get("/").text)[1]
    paths = ("/", participant.base, f"{participant.base}/next", script)
    for path in (*paths, "/static/x.js", "/nowhere", "/healthz"):
        headers = participant.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert participant.get(participant.base).headers["Cache-Control"] == "no-store"


def test_a_port_in_use_is_refused_in_one_sentence(db_path, protocol):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        sentence = (
            f"port {port} of 127.0.0.1 must be free to use: address already in use"
        )
        with pytest.raises(OSError, match=sentence):
            serve(db_path, protocol, Settings(port=port))


SERVE_AND_END = r"""
import gc, signal, sys
from yoked.app.hosting.settings import Settings
from yoked.app.web.serving import serve

def announce(url):
    print(gc.get_threshold())
    signal.raise_signal(signal.SIGTERM)

gc.set_threshold(700, 10, 10)
serve(sys.argv[1], "bar-in-noise", Settings(port=0), announce=announce)
print(gc.get_threshold(), gc.get_freeze_count())
"""


def test_a_server_looks_for_garbage_seldom_and_only_while_it_runs(db_path):
    command = [sys.executable, "-c", SERVE_AND_END, str(db_path)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    assert run.stdout == "(7000, 10, 100)\n(700, 10, 10) 0\n"


SERVE_A_TRIAL = r"""
import re, sys
from yoked.app.web.server import create_app
client = create_app(sys.argv[1], "bar-in-noise").test_client()
form = dict(re.findall(r'name="(\w+)"[^>]* value="([^"]*)"', client.get("/").text))
base = client.post("/sessions", data=form).location
assert len(client.get(client.get(base + "/next").json["frames"]).data) == 2 * 52 * 52
print(sorted({"torch", "psychopy", "matplotlib"} & set(sys.modules)))
"""


def test_a_trial_is_served_without_torch_and_psychopy(db_path):
    command = [sys.executable, "-c", SERVE_A_TRIAL, str(db_path)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    assert run.stdout == "[]\n"
