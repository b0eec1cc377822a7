"""The API for programs: what it gives, to whom, and the examples of its page."""

import io
import re
import shlex
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.app.web.participant import Participant, rows
from yoked.app.accounts import roles
from yoked.app.studies.kept import find_study
from yoked.app.web.server import POLICY

from .conftest import Browser, told
from .test_pages import new_api_token
from .test_studies import TEXT, let

DOC = Path(__file__).parents[4] / "docs" / "api-http.md"


class Program:
    """A program with an API token."""

    def __init__(self, app, token: str) -> None:
        self.client = app.test_client()
        self.headers = {"Authorization": f"Bearer {token}"}

    def get(self, path: str):
        return self.client.get(f"/api/v1{path}", headers=self.headers)

    def post(self, path: str, body: object = None):
        return self.client.post(f"/api/v1{path}", json=body, headers=self.headers)


@pytest.fixture
def program(app, jane):
    return Program(app, new_api_token(jane))


@pytest.fixture
def study(app, program):
    """Let a program make a study, and open it."""
    text = TEXT.replace('"prolific"', '"public"')
    assert program.post("/studies", {"text": text}).status_code == 201
    assert program.post("/studies/bars/state", {"state": "open"}).status_code == 200
    return find_study(app.extensions["yoked"].store, "bars")


@pytest.fixture
def participant(app, study):
    participant = Participant(app.test_client(), "/study/bars")
    participant.respond(participant.next())
    return participant


def test_a_study_is_made_and_opened_and_the_log_says_by_whom(app, program, study):
    assert program.get("/studies").json["studies"][0]["state"] == "open"
    found = program.get("/studies/bars").json
    assert found["address"] == "http://localhost/study/bars"
    assert found["arms"][0]["protocols"] == ["bar-in-noise"]
    assert found["study"]["role"] == "owner"
    assert ("jane", "made a study open", None, None) in told(app)
    again = program.post("/studies", {"text": TEXT})
    assert again.status_code == 409
    assert "one that no study here has" in again.json["error"]
    back = program.post("/studies/bars/state", {"state": "draft"})
    assert (back.status_code, "a draft again" in back.json["error"]) == (409, True)


@pytest.mark.parametrize(
    ("path", "body", "sentence"),
    [
        ("/studies", {"txt": ""}, 'must be one of text, did you mean "text"'),
        ("/studies", {}, "text must be given"),
        ("/studies", [], "must be a JSON object"),
        ("/studies/bars/state", {"state": "ajar"}, "must be one of draft, open"),
        ("/studies/bars/links", {"n": 0}, "n must be from 1 to 500, got 0"),
        ("/studies/bars/links", {"n": True}, "n must be of type integer"),
        ("/studies/bars/links", {"n": 1, "label": "x" * 61}, "at most 60 characters"),
        ("/studies/bars/links", {"n": 1, "label": "\0"}, "got a null character"),
        ("/studies/bars/links", {"n": 1, "label": "\ud800"}, "must be JSON"),
    ],
)
def test_a_body_that_breaks_a_rule_is_told_in_one_sentence(
    program, study, db_path, path, body, sentence
):
    before = rows(db_path, "SELECT count(*) FROM audit")
    reply = program.post(path, body)
    assert reply.status_code == 400
    assert sentence.partition(", did")[0] in reply.json["error"]
    assert reply.json["error"].endswith(".")
    assert rows(db_path, "SELECT count(*) FROM audit") == before


def test_links_are_made_told_once_and_revoked(app, program, study):
    made = program.post("/studies/bars/links", {"n": 2, "label": "a"})
    first, second = (each["address"] for each in made.json["links"])
    Participant(app.test_client(), urlsplit(first).path)
    listed = program.get("/studies/bars/links")
    assert [each["is_used"] for each in listed.json["links"]] == [True, False]
    assert first.rsplit("/", 1)[1] not in listed.text
    assert program.post("/studies/bars/links/2/revoke").json["revoked_at"]
    assert app.test_client().get(urlsplit(second).path).status_code == 404
    assert program.post("/studies/bars/links/3/revoke").status_code == 404


def test_people_results_and_sessions_are_those_of_the_pages(
    app, program, jane, participant, db_path
):
    ((session,),) = rows(db_path, "SELECT id FROM sessions")
    found = program.get("/studies/bars/people").json
    (person,) = found["sessions"]
    assert (person["session"], person["n_trials"], found["quota"]) == (session, 1, 5)
    assert program.get("/studies/bars/sessions").json["sessions"] == [
        {
            "session": session,
            "arm": "all",
            "sitting": 1,
            "is_pilot": False,
            "is_model": False,
        }
    ]
    one = program.get(f"/studies/bars/sessions/{session}").json
    assert one["session"] == person
    (row,) = program.get("/studies/bars/results").json["rows"]
    assert row["session"] == session
    assert program.get("/studies/bars/sessions/other").status_code == 404
    for file in ("trials.csv", "answers.csv", "payments.csv", "psych-ds.zip"):
        by_page = jane.get(f"/studies/bars/{file}")
        by_program = program.get(f"/studies/bars/{file}")
        assert by_program.mimetype == by_page.mimetype
        assert file.endswith("zip") or by_program.data == by_page.data
    by_program = program.get("/studies/bars/log.db")
    assert by_program.data.startswith(b"SQLite format 3")
    by_program.close()


MAY = {
    ("get", ""): "viewer",
    ("get", "/people"): "viewer",
    ("get", "/results"): "viewer",
    ("get", "/sessions"): "viewer",
    ("get", "/sessions/x"): "viewer",
    ("get", "/trials.csv"): "viewer",
    ("get", "/trials.parquet"): "viewer",
    ("get", "/psych-ds.zip"): "viewer",
    ("get", "/log.db"): "viewer",
    ("get", "/answers.csv"): "viewer",
    ("get", "/links"): "editor",
    ("post", "/links"): "editor",
    ("post", "/links/1/revoke"): "editor",
    ("post", "/state"): "editor",
    ("get", "/payments.csv"): "owner",
}


def test_these_are_all_endpoints_of_one_study(app):
    begins = "/api/v1/studies/<name>"
    known = {
        (method.lower(), rule.rule.removeprefix(begins))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(begins)
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    plain = {(m, re.sub("<int:.*?>", "1", p)) for m, p in known}
    assert {(m, p.replace("<session>", "x")) for m, p in plain} == set(MAY)


@pytest.mark.parametrize("role", [None, *roles.ROLES])
def test_each_role_may_what_it_may_and_no_more(app, kim, study, role):
    let(app, "kim", study, role)
    program = Program(app, new_api_token(kim))
    for (method, path), needed in MAY.items():
        ask = program.get if method == "get" else program.post
        with ask(f"/studies/bars{path}") as reply:
            if role is None:
                assert reply.status_code == 404, path
            elif roles.is_enough(role, needed):
                # No body was sent, and neither link nor session is there.
                assert reply.status_code in (200, 400, 404, 409), path
            else:
                assert reply.status_code == 403, path
                assert f"needs the role of {needed}" in reply.json["error"]


def test_a_script_of_our_pages_needs_the_form_token_to_change_anything(
    app, jane, kim, study, db_path
):
    def close(browser, **headers):
        path, body = "/api/v1/studies/bars/state", {"state": "closed"}
        return browser.client.post(path, json=body, headers=headers).status_code

    own = jane.form_token()
    assert close(jane) == 403
    assert close(jane, **{"X-Form-Token": kim.form_token()}) == 403
    other_site = {"X-Form-Token": own, "Sec-Fetch-Site": "cross-site"}
    assert close(jane, **other_site) == 403
    assert close(Browser(app), **{"X-Form-Token": own}) == 401
    assert rows(db_path, "SELECT state FROM studies") == [("open",)]
    assert close(jane, **{"X-Form-Token": own}) == 200


def test_what_is_not_there_is_told_as_json(program):
    for path in ("/nothing", "/studies/bars/nothing", "/studies/none"):
        reply = program.get(path)
        assert (reply.status_code, list(reply.json)) == (404, ["error"])
    reply = program.client.delete("/api/v1/studies", headers=program.headers)
    assert (reply.status_code, list(reply.json)) == (405, ["error"])


def test_the_examples_of_the_page_work(program, study, monkeypatch, capsys):
    text = DOC.read_text(encoding="utf-8").replace("bright-bars", "bars")
    token = program.headers["Authorization"].removeprefix("Bearer ")
    (curl,) = re.findall(r"```bash\n(.*?)\n```", text, re.S)
    command, flag, header, address = shlex.split(curl)
    assert (command, flag) == ("curl", "-H")
    name, _, value = header.replace("$YOKED_TOKEN", token).partition(": ")
    path = urlsplit(address).path
    assert program.client.get(path, headers={name: value}).json["quota"] == 5

    def urlopen(asked):
        send = program.client.open
        reply = send(
            urlsplit(asked.full_url).path,
            method=asked.get_method(),
            data=asked.data,
            headers=dict(asked.header_items()),
        )
        assert reply.status_code < 300, reply.text
        return io.BytesIO(reply.data)

    monkeypatch.setenv("YOKED_TOKEN", token)
    monkeypatch.setattr("urllib.request.urlopen", urlopen)
    (code,) = re.findall(r"```python\n(.*?)```", text, re.S)
    exec(compile(code, str(DOC), "exec"), {})
    assert capsys.readouterr().out == "bars open 0\n['group a 1', 'group a 2']\n"


def test_the_pages_look_again_by_the_api(jane, participant, db_path):
    ((session,),) = rows(db_path, "SELECT id FROM sessions")
    for page in ("", "/results", f"/sessions/{session}"):
        shown = jane.get(f"/studies/bars{page}").text
        (address,) = re.findall(r'id="monitor" data-api="([^"]*)"', shown)
        reply = jane.client.get(address)
        assert (reply.status_code, reply.mimetype) == (200, "application/json")
        assert reply.headers["Cache-Control"] == "no-store"
    assert "connect-src 'self'" in POLICY
