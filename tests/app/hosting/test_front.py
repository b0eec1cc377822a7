"""The front: the prefix, and whose word is taken about who asks."""

import pytest
from flask import Flask, jsonify, request, session, url_for

from tests.app.web.participant import Participant, served, short_protocol
from yoked.app.hosting.front import put_behind
from yoked.app.hosting.settings import Settings, read_settings

PROXY, STRANGER = "10.1.2.3", "192.0.2.7"
FORWARDED = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "lab.example.org",
    "X-Remote-User": "ann",
    "Forwarded": "for=203.0.113.9",
}


def asking(**settings):
    """Return a client of a page that says what it was told."""
    app = Flask(__name__)
    app.secret_key = "of a test"

    @app.get("/seen")
    def seen():
        session["a"] = 1
        return jsonify(
            client=request.remote_addr,
            url=request.url,
            user=request.remote_user,
            here=url_for("seen"),
            headers=sorted(name.lower() for name, _ in request.headers),
        )

    put_behind(app, read_settings(settings, None, {}))
    return app.test_client()


def seen(client, peer, headers=FORWARDED, path="/seen"):
    return client.get(path, headers=headers, environ_base={"REMOTE_ADDR": peer}).json


BEHIND = {"trusted_proxies": "10.0.0.0/8,::1", "sign_on_header": "X-Remote-User"}


@pytest.mark.parametrize("peer", [PROXY, "::1", f"::ffff:{PROXY}"])
def test_a_named_proxy_is_believed(peer):
    found = seen(asking(**BEHIND), peer)
    assert found["client"] == "203.0.113.9"
    assert found["url"] == "https://lab.example.org/seen"
    assert found["user"] == "ann"
    assert found["headers"] == ["host", "user-agent"]


@pytest.mark.parametrize("settings", [BEHIND, {}])
def test_nobody_else_is(settings):
    found = seen(asking(**settings), STRANGER)
    assert (found["client"], found["user"]) == (STRANGER, None)
    assert found["url"] == "http://localhost/seen"
    hidden = {"x-remote-user"} if settings else set()
    assert not set(found["headers"]) & {"x-forwarded-for", "forwarded", *hidden}


@pytest.mark.parametrize(
    ("hops", "client"),
    [
        # What a client wrote itself stands to the left of what proxies added.
        ("127.0.0.1, 203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, 10.9.9.9", "203.0.113.9"),
        ("10.9.9.9", "10.9.9.9"),
        ("2001:db8::5", "2001:db8::5"),
        ("[2001:db8::5]", "2001:db8::5"),
        ("nonsense", PROXY),
        ("203.0.113.9, nonsense", PROXY),
        ("", PROXY),
    ],
)
def test_the_client_is_the_first_that_is_no_proxy_of_ours(hops, client):
    found = seen(asking(**BEHIND), PROXY, {"X-Forwarded-For": hops})
    assert found["client"] == client


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Forwarded-Host", "lab.example.org/../x"),
        ("X-Forwarded-Host", "a b"),
        ("X-Forwarded-Host", ""),
        ("X-Forwarded-Proto", "javascript"),
    ],
)
def test_what_is_no_host_and_no_scheme_changes_nothing(name, value):
    found = seen(asking(**BEHIND), PROXY, {name: value})
    assert found["url"] == "http://localhost/seen"


def test_all_pages_are_below_the_prefix_and_none_elsewhere():
    client = asking(prefix="/psych/yoked/")
    assert seen(client, STRANGER, path="/psych/yoked/seen")["here"] == (
        "/psych/yoked/seen"
    )
    for path in ("/seen", "/", "/psych/yokedseen", "/psych/yoked/psych/yoked/seen"):
        assert client.get(path).status_code == 404
    reply = client.get("/psych/yoked")
    assert (reply.status_code, reply.location) == (308, "/psych/yoked/")


def test_cookies_go_to_the_pages_below_the_prefix_and_over_tls():
    client = asking(url="https://lab.example.org/psych/yoked/")
    cookie = client.get("/psych/yoked/seen").headers["Set-Cookie"]
    assert "Path=/psych/yoked/" in cookie
    assert "Secure" in cookie


def test_somebody_takes_part_below_a_prefix(db_path):
    with served(db_path, short_protocol(), lut="identity") as app:
        put_behind(app, Settings(prefix="/psych/yoked/"))
        participant = Participant(app.test_client(), "/psych/yoked/")
        participant.finish()
        assert participant.base.startswith("/psych/yoked/session/")
        page = participant.get(f"{participant.base}/done").text
        assert 'id="completion-code">' in page
        sent = participant.sent.decode("latin-1")
    # No address of ours leads out of the prefix.
    assert not [
        part
        for mark in ('src="', 'href="', 'action="', '"base": "', '"frames": "')
        for part in sent.split(mark)[1:]
        if not part.startswith(("/psych/yoked/", "data:"))
    ]
