"""Every address of the server: by nobody, by others, and with what breaks things."""

import contextlib
import json
import re
import sqlite3
from urllib.parse import quote

import pytest

from tests.app.web.participant import Participant
from tests.app.web.questioned import questioned
from tests.app.web.test_studies import put
from yoked.app.accounts import roles
from yoked.app.studies.kept import find_study
from yoked.app.web.responses import MOST_BYTES

from .conftest import Browser
from .test_pages import new_api_token
from .test_studies import let

# For whoever comes: consent pages and forms that ask for a key of their own.
OPEN = {
    "/",
    "/api/v1/openapi.json",
    "/declined",
    "/healthz",
    "/join/<link>",
    "/my-data",
    "/researchers/sign-in",
    "/researchers/sign-in/code",
    "/researchers/sign-in/proxy",
    "/researchers/welcome",
    "/sessions",
    "/static/<path:filename>",
    "/static/<version>/<path:filename>",
    "/study/<name>",
    "/study/<name>/declined",
    "/study/<name>/sessions",
    "/withdraw",
}
# For whoever has an account, about themselves alone.
OWN = re.compile(
    "/researchers/(account|sign-out|studies$|$)|/api/v1/(account|studies)$"
)
ENDS = re.compile("/sign-out|/withdraw$")  # after which nothing more can be tried
SEEN = {"sign_ins": "seen_at", "accounts": "last_seen_at", "api_tokens": "used_on"}


@pytest.fixture
def participant(app, db_path, jane):
    put(db_path, questioned())
    let(app, "jane", find_study(app.extensions["yoked"].store, "bars"), roles.OWNER)
    return Participant(app.test_client(), "/study/bars")


def contents(db_path) -> dict[str, list]:
    """Give all rows of all tables, but when somebody was seen and a server's probes."""
    with contextlib.closing(sqlite3.connect(db_path)) as db:
        names = [
            name
            for (name,) in db.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table'"
            )
        ]
        found = {}
        for name in names:
            rows = db.execute(f'SELECT * FROM "{name}"')
            columns = [each[0] for each in rows.description]
            kept = [each for each in columns if each != SEEN.get(name)]
            found[name] = [
                tuple(row[columns.index(each)] for each in kept) for row in rows
            ]
        return found


def requests(app, **places):
    """Give rule, method and address of every endpoint, its places filled in."""
    known = {"name": "bars", "number": "1", "trial": "0", "key": "2", **places}
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/static/"):
            continue
        path = re.sub(r"<(?:\w+:)?(\w+)>", lambda place: known[place[1]], rule.rule)
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            yield rule.rule, method, path


def places_of(app, token: str) -> dict[str, str]:
    session = app.extensions["yoked"].store.sessions()[0].id
    of_questions = {"asked": "about", "question": "age", "link": "x" * 32}
    return {"token": token, "session": session, **of_questions}


def test_what_is_open_to_everybody_is_on_a_list(app):
    rules = {rule.rule for rule in app.url_map.iter_rules()}
    assert rules >= {each for each in OPEN if "static" not in each}


BODIES = {"state": "closed", "n": 1, "text": "", "to": "yes", "step": 1, "answer": "20"}


def identities(app, kim, time) -> dict[str, tuple]:
    """Give clients and headers of those who have no part in the study."""
    forged, expired, strange = Browser(app), Browser(app), Browser(app)
    forged.client.set_cookie("yoked-sign-in", "x" * 43)
    expired.sign_in("kim")
    old_form, old_token = expired.form_token(), new_api_token(expired)
    time.pass_(days=31)
    assert kim.sign_in("kim").status_code == 303
    own = {"X-Form-Token": kim.form_token()}
    return {
        "nobody": (strange, {}),
        "a forged cookie": (forged, {"X-Form-Token": "0" * 64}),
        "an expired cookie": (expired, {"X-Form-Token": old_form}),
        "a forged token": (strange, {"Authorization": f"Bearer yoked_{'x' * 43}"}),
        "an expired token": (strange, {"Authorization": f"Bearer {old_token}"}),
        "somebody else": (kim, own),
        "somebody else's program": (
            Browser(app),
            {"Authorization": f"Bearer {new_api_token(kim)}"},
        ),
    }


def test_nobody_without_a_part_sees_or_changes_anything(
    app, participant, kim, time, db_path
):
    who = identities(app, kim, time)
    places = places_of(app, "y" * 32)
    secrets = (places["session"], participant.token, "jane")
    before = contents(db_path)
    for name, (browser, headers) in who.items():
        has_account = name.startswith("somebody")
        for rule, method, path in requests(app, **places):
            if rule in OPEN or (has_account and OWN.match(rule)):
                continue
            for body in ({"json": BODIES}, {"data": BODIES}):
                reply = browser.client.open(
                    path, method=method, headers=headers, **body
                )
                case = (name, method, path, reply.status_code)
                if reply.status_code in (302, 303):
                    assert reply.location.startswith("/researchers/sign-in"), case
                else:
                    assert reply.status_code in (401, 403, 404, 405), case
                # What was sent may be said again, and no more.
                told = f"{reply.headers}{reply.text}".replace(path, "")
                told = told.replace(quote(path, safe=""), "")
                assert not [each for each in secrets if each in told], case
                if method == "GET":
                    break
    assert contents(db_path) == before


def test_a_participant_s_token_is_no_researcher_s_and_the_other_way_round(
    app, participant, jane, db_path
):
    before = contents(db_path)
    token = participant.token
    headers = {"Authorization": f"Bearer {token}"}
    assert (
        Browser(app).client.get("/api/v1/studies", headers=headers).status_code == 401
    )
    other = Browser(app)
    other.client.set_cookie("yoked-sign-in", token)
    assert other.get("/account").status_code == 303
    cookie = jane.client.get_cookie("yoked-sign-in").value
    for page in ("", "/next", "/done", "/my-data.zip"):
        assert app.test_client().get(f"/session/{cookie}{page}").status_code == 404
    assert contents(db_path) == before


HOSTILE = (
    "' OR 1=1 --",
    '"; DROP TABLE trials; --',
    "{{7*7}}${7*7}<%= 7*7 %>",
    "<script>alert(1)</script>",
    "x\r\nX-Injected: yes",
    "../../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "/etc/passwd",
    "\0",
    "é\u202e\N{GRINNING FACE}",
    "9" * 30,
    "-1",
    "1e309",
    "NaN",
    "x" * 5000,
    "%s%n{0}",
    "",
)
_PLACE = re.compile(r"<(?:\w+:)?\w+>")
SURROGATE = "%ed%a0%80"  # half a character, which is no UTF-8


def is_harmless(reply, case) -> None:
    """Hold that nothing was run, shown or put into a header."""
    assert reply.status_code < 500, case
    assert "X-Injected" not in reply.headers, case
    if reply.mimetype in ("text/html", "application/json"):
        assert "root:x:" not in reply.text, case
        assert "<script>alert(1)" not in reply.text or reply.is_json, case
        assert "4949" not in reply.text, case


@pytest.mark.parametrize("where", ["address", "query", "form"])
def test_no_text_is_run_or_found_where_it_should_not_be(
    app, jane, participant, db_path, where
):
    tables = set(contents(db_path))
    places = places_of(app, participant.token)
    own = {"X-Form-Token": jane.form_token()}
    before = contents(db_path)
    sent = [quote(each, safe="") for each in HOSTILE] + [SURROGATE, "..%2f..", "%2e%2e"]
    for rule, method, path in requests(app, **places):
        if ENDS.search(rule):
            continue
        if where == "address":
            if "<" not in rule:
                continue
            tried = [dict(path=_PLACE.sub(each, rule)) for each in sent if each]
        elif where == "query":
            names = ("language", "before", "done", "next", "pilots", "models")
            names += ("PROLIFIC_PID", "link")
            tried = [
                dict(path=path + "?" + "&".join(f"{name}={each}" for name in names))
                for each in sent[:12:3]
            ]
        else:
            if method != "POST":
                continue
            tried = [dict(path=path, data=_form(each)) for each in HOSTILE[::2]]
        if method == "GET" and where == "query" and path.endswith(("/frames", ".zip")):
            continue
        for each in tried:
            reply = jane.client.open(method=method, headers=own, **each)
            is_harmless(reply, (method, rule, str(each)[:120], reply.status_code))
            reply.close()
    after = contents(db_path)
    assert set(after) == tables
    for name in ("trials", "sessions", "studies", "participations", "answers"):
        assert after[name] == before[name], name


def _form(text: str) -> dict[str, str]:
    names = ("name", "text", "n", "label", "state", "account", "role", "code", "to")
    names += ("observer", "arm", "internal_noise", "token", "link", "language")
    names += ("consent_version", "utc_offset_min", "token_name", "days", "salt")
    names += ("password", "current_password", "new_password", "again", "next")
    return dict.fromkeys(names, text)


# A form of an account that holds nothing may be one, such as for a new link.
AT_WILL = {"audit", "account_settings", "account_links", "sqlite_sequence"}
NESTED = 7000
MALFORMED = {
    "an array of arrays": "[" * NESTED + "]" * NESTED,
    "an object of objects": '{"a":' * 2500 + "1" + "}" * 2500,
    "a huge number": "9" * 10_000,
    "a huge exponent": '{"step": 1e999, "answer": 1, "n": 1e999, "response": 1e999}',
    "no number": '{"step": NaN, "answer": NaN, "n": NaN, "rt_ms": NaN}',
    "no JSON": "{",
    "nothing": "",
    "null": "null",
    "a text": '"text"',
    "wrong types": '{"state": 1, "n": "1", "text": [], "answer": {}, "step": "1"}',
    "half a character": '{"state": "\\ud800", "answer": "\\ud800", "step": 1}',
    "a null character": '{"state": "\\u0000", "text": "\\u0000", "n": 1}',
    "the same twice": '{"state": "closed", "state": 1, "n": 1, "n": []}',
    "too long": json.dumps({"text": "x" * (MOST_BYTES + 1)}),
    "a prototype": '{"__proto__": {"is_administrator": true}, "__class__": 1}',
}
OTHER_TYPES = {
    "no UTF-8": ("application/json", b"\xff\xfe{\x00}\x00"),
    "another charset": ("application/json; charset=utf-7", b"+AHs-"),
    "XML": ("application/xml", b'<!DOCTYPE x [<!ENTITY y SYSTEM "file:///x">]>'),
    "a form": ("application/x-www-form-urlencoded", b"state=closed&n=1&answer=1"),
    "a form of parts": ("multipart/form-data; boundary=x", b"--x\r\nbroken"),
    "no type": ("", b"{}"),
}


def test_a_body_that_is_none_of_ours_is_refused_and_changes_nothing(
    app, jane, participant, db_path
):
    places = places_of(app, participant.token)
    own = {"X-Form-Token": jane.form_token()}
    before = contents(db_path)
    json_endpoints = 0
    for rule, method, path in requests(app, **places):
        takes_json = rule.startswith("/api/") or re.match(
            "/session/<token>/(trials|display|viewing|questions)", rule
        )
        if method != "POST" or ENDS.search(rule) or rule.endswith("/revoke"):
            continue
        bodies = {
            name: ("application/json", text.encode())
            for name, text in MALFORMED.items()
        }
        for name, (kind, data) in {**bodies, **OTHER_TYPES}.items():
            if not takes_json and kind.startswith("application/x-www"):
                continue
            reply = jane.client.post(path, data=data, content_type=kind, headers=own)
            case = (rule, name, reply.status_code, reply.text[:200])
            assert reply.status_code < 500, case
            # A page of questions is handed in by any JSON, and says what it lacks.
            if takes_json and not rule.endswith("questions/<asked>"):
                json_endpoints += 1
                assert 400 <= reply.status_code < 500, case
                assert list(reply.json) == ["error"], case
    assert json_endpoints > 100
    after = contents(db_path)
    for name in set(before) - AT_WILL:
        assert after[name] == before[name], name
