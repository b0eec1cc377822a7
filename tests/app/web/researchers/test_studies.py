"""Studies for researchers: what each role may; a study from its text to its data."""

import re
import sqlite3
from urllib.parse import quote

import pytest

from tests.app.web.participant import Participant, rows
from yoked.app.accounts import roles
from yoked.app.studies.inventory import TABLES
from yoked.app.studies.kept import find_study
from yoked.app.studies.tokens import withdrawal_code
from yoked.app.web.researchers.entry import EXTENSION

from .conftest import Browser, told

TEXT = """
name = "bars"
title = "Finding bars"
quota = 5
[recruitment]
source = "prolific"
[[arms]]
name = "all"
protocol = "bar-in-noise"
"""
NAME = "5f3a77aa91"


@pytest.fixture
def study(jane, app):
    """Let an administrator make a study, and open it."""
    assert jane.post("/studies", text=TEXT).status_code == 303
    assert jane.post("/studies/bars/state", state="open").status_code == 303
    return find_study(app.extensions["yoked"].store, "bars")


@pytest.fixture
def participant(app, study):
    participant = Participant(app.test_client(), f"/study/bars?PROLIFIC_PID={NAME}")
    participant.respond(participant.next())
    return participant


def let(app, name: str, study, role: str | None) -> None:
    """Give an account a role."""
    from yoked.app.accounts import accounts as people

    desk = app.extensions[EXTENSION]
    desk.accounts.write(
        lambda db: roles.give(
            db, None, people.find(db, name), study.key, role, desk.now()
        )
    )


def test_a_study_is_made_opened_watched_and_closed(jane, app, db_path, participant):
    page = jane.get("/studies/bars").text
    (session,) = rows(db_path, "SELECT id FROM sessions")
    assert session[0] in page
    assert "1 of " in page
    assert NAME not in page
    assert "0 of 5" in jane.get("/studies").text
    for state in ("paused", "closed"):
        jane.post("/studies/bars/state", state=state)
        assert app.test_client().get("/study/bars?PROLIFIC_PID=x").status_code == 403
    assert ("jane", "made a study closed", None, None) in told(app)


def test_what_breaks_a_rule_is_said_and_the_text_is_not_lost(jane, db_path):
    reply = jane.post("/studies", text=TEXT.replace("quota = 5", "quota = -5"))
    assert reply.status_code == 400
    assert "Quota must be from 0" in reply.text
    assert "Finding bars" in reply.text
    assert rows(db_path, "SELECT count(*) FROM studies") == [(0,)]


@pytest.mark.parametrize("file", ["/etc/passwd.toml", "../results.toml", "own.toml"])
def test_a_text_names_no_file_of_the_server(jane, db_path, file):
    reply = jane.post("/studies", text=TEXT.replace("bar-in-noise", file))
    assert reply.status_code == 400
    assert rows(db_path, "SELECT count(*) FROM studies") == [(0,)]


MAY = {
    ("get", "/studies/bars"): "viewer",
    ("get", "/studies/bars/log.db"): "viewer",
    ("get", "/studies/bars/trials.csv"): "viewer",
    ("get", "/studies/bars/trials.parquet"): "viewer",
    ("get", "/studies/bars/psych-ds.zip"): "viewer",
    ("get", "/studies/bars/inventory"): "viewer",
    ("get", "/studies/bars/answers.csv"): "viewer",
    ("get", "/studies/bars/results"): "viewer",
    ("get", "/studies/bars/sessions/SESSION"): "viewer",
    ("post", "/studies/bars/state"): "editor",
    ("post", "/studies/bars/models"): "editor",
    ("post", "/studies/bars/links"): "editor",
    ("post", "/studies/bars/links/1/revoke"): "editor",
    ("post", "/studies/bars/people"): "owner",
    ("get", "/studies/bars/payments.csv"): "owner",
    ("post", "/studies/bars/person"): "owner",
}
FIELDS = {"state": "paused", "n": "1", "account": "kim", "role": "owner"}


def test_these_are_all_pages_of_studies(app):
    rules = {
        re.sub("<name>", "bars", re.sub("<int:number>", "1", rule.rule)).replace(
            "<session>", "SESSION"
        )
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/researchers/studies")
    }
    assert rules == {f"/researchers{path}" for _, path in MAY} | {
        "/researchers/studies"
    }


@pytest.mark.parametrize("role", [None, *roles.ROLES])
def test_each_role_may_what_it_may_and_no_more(app, kim, participant, study, role):
    let(app, "jane", study, "owner")
    (session,) = rows(app.extensions["yoked"].db_path, "SELECT id FROM sessions")
    for (method, path), needed in MAY.items():
        let(app, "kim", study, role)
        path = path.replace("SESSION", session[0])
        reply = kim.get(path) if method == "get" else kim.post(path, **FIELDS)
        reply.close()
        if role is None:
            assert reply.status_code == 404, path
        elif roles.is_enough(role, needed):
            # The only link of the study may be there by now, or not; no code is known.
            # Nor does this application listen anywhere, for a model to come back.
            assert reply.status_code in (200, 303, 404, 409), path
            assert reply.status_code != 409 or path.endswith("models")
            assert reply.status_code != 404 or path.endswith(("revoke", "person"))
        else:
            assert reply.status_code == 403, path


@pytest.mark.parametrize(("method", "path"), MAY)
def test_who_is_not_signed_in_gets_nothing(app, study, method, path):
    nobody = Browser(app)
    reply = nobody.get(path) if method == "get" else nobody.raw(path, FIELDS)
    assert reply.status_code in (303, 403)
    assert "bars" not in reply.text.replace("/studies/bars", "")


def test_a_form_of_another_sign_in_changes_nothing(app, jane, kim, study, db_path):
    forged = {"form_token": kim.form_token(), "state": "closed"}
    assert jane.raw("/studies/bars/state", forged).status_code == 403
    assert rows(db_path, "SELECT state FROM studies") == [("open",)]


def test_links_are_shown_once_and_work(jane, app, study, db_path):
    page = jane.post("/studies/bars/links", n="2", label="group", is_pilot="yes").text
    links = re.findall(r"http://localhost(/join/[\w-]{32})", page)
    assert len(links) == 2
    Participant(app.test_client(), links[0])
    again = jane.get("/studies/bars").text
    assert not any(link in again for link in links)
    assert "group 1" in again
    jane.post("/studies/bars/links/2/revoke")
    assert app.test_client().get(links[1]).status_code == 404


def test_the_trial_log_is_that_of_the_study_and_names_nobody(
    jane, participant, tmp_path
):
    reply = jane.get("/studies/bars/log.db")
    content = reply.data
    reply.close()
    out = tmp_path / "bars.db"
    out.write_bytes(content)
    with sqlite3.connect(out) as connection:
        assert connection.execute("SELECT count(*) FROM trials").fetchone() == (1,)
    assert NAME.encode() not in content
    assert b"jane" not in content


def test_payments_name_people_and_that_they_were_read_is_written_down(
    jane, app, participant
):
    text = jane.get("/studies/bars/payments.csv").text
    assert NAME in text
    assert ("jane", "read payments", None, None) in told(app)


def test_a_name_from_a_link_is_no_formula_for_whoever_opens_the_payments(
    jane, app, study
):
    named = quote("=HYPERLINK(A1)")
    person = Participant(app.test_client(), f"/study/bars?PROLIFIC_PID={named}")
    person.respond(person.next())
    text = jane.get("/studies/bars/payments.csv").text
    assert ",'=HYPERLINK(A1)" in text


def test_an_owner_gives_roles_and_cannot_leave_a_study_without_one(
    jane, kim, app, study
):
    assert kim.get("/studies/bars").status_code == 404
    jane.post("/studies/bars/people", account="kim", role="viewer")
    assert kim.get("/studies/bars").status_code == 200
    reply = jane.post("/studies/bars/people", account="jane", role="")
    assert reply.status_code == 409
    assert "make somebody else one first" in reply.text
    reply = jane.post("/studies/bars/people", account="nobody", role="viewer")
    assert "must be one that is here" in reply.text


def test_the_inventory_tells_of_this_study_and_of_no_participant(
    jane, app, study, participant, db_path
):
    page = jane.get("/studies/bars/inventory").text
    for name, table in TABLES.items():
        assert f"<code>{name}</code>" in page
        assert all(f"<code>{column}</code>" in page for column in table.columns)
    assert "90 days after the person&#39;s part ended" in page
    assert "jane (owner)" in page
    assert "It sends, in the link: PROLIFIC_PID, STUDY_ID, SESSION_ID" in page
    (session,) = rows(db_path, "SELECT id FROM sessions")
    assert session[0] not in page
    assert NAME not in page
    text = TEXT.replace('"bars"', '"open"').replace('"prolific"', '"public"')
    jane.post("/studies", text=text)
    assert "this study knows no recruiter" in jane.get("/studies/open/inventory").text


def test_an_owner_fetches_one_person_s_data_by_their_code(
    jane, app, study, participant
):
    token = participant.token
    code = withdrawal_code(app.extensions["yoked"].key, token)
    reply = jane.post("/studies/bars/person", code=code)
    assert (reply.status_code, reply.mimetype) == (200, "application/zip")
    assert ("jane", "read the data of one person", None, None) in told(app)
    jane.post("/studies", text=TEXT.replace('"bars"', '"others"'))
    assert jane.post("/studies/others/person", code=code).status_code == 404


def test_answers_are_taken_home_and_that_is_written_down(jane, app, db_path):
    asked = """
[[questionnaires]]
id = "about"
when = "before"
title.en = "About you"
[[questionnaires.questions]]
id = "age"
kind = "number"
text.en = "How old are you?"
"""
    jane.post("/studies", text=TEXT.replace("[recruitment]", asked + "[recruitment]"))
    jane.post("/studies/bars/state", state="open")
    participant = Participant(app.test_client(), f"/study/bars?PROLIFIC_PID={NAME}")
    path = f"{participant.base}/questions/about/age"
    participant.client.post(path, json={"answer": "31", "step": 1})
    assert "Answers</a>" in jane.get("/studies/bars").text
    text = jane.get("/studies/bars/answers.csv").text
    assert ",about,age,number,31," in text
    assert NAME not in text
    assert ("jane", "read answers", None, None) in told(app)
