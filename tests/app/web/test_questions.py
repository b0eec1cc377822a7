"""Questions on the server: in order, kept once, apart, and gone when they must."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from yoked.app.studies.answers_csv import answers_csv
from yoked.app.studies.arms import Arm
from yoked.app.studies.description import Recruitment
from yoked.app.studies.enrolments import places_taken
from yoked.app.studies.kept import find_study
from yoked.app.studies.monitor import attending
from yoked.app.studies.retention import erase_ids
from yoked.app.web.limits import Budget
from yoked.experiments.protocols.sittings import SittingPlan

from .participant import Participant, log, rows
from .questioned import questioned
from .test_studies import linked, put, serving
from .test_study_exports import command
from .test_withdrawal import bytes_of

SAID = "I am Grace of the third floor"


class Person(Participant):
    """Somebody who answers questions, by requests alone."""

    step = 0

    def answer(self, page: str, question: str, answer, step: int | None = None):
        self.step += 1
        body = {"answer": answer, "step": step or self.step}
        return self.client.post(f"{self.base}/questions/{page}/{question}", json=body)

    def done(self, page: str):
        return self.client.post(f"{self.base}/questions/{page}", json={})

    def where(self, path: str = "") -> str:
        return self.get(self.base + path).headers.get("Location", "")

    def all(self) -> None:
        """Take part from the first question to the last."""
        self.answer("about", "age", "31")
        assert "next" in self.done("about").json
        self.finish()
        self.answer("afterwards", "tired", "3")
        self.answer("afterwards", "name", SAID)
        self.answer("afterwards", "remarks", "=none")
        assert "next" in self.done("afterwards").json


@pytest.fixture
def client(db_path):
    put(db_path, questioned(recruitment=Recruitment("prolific")))
    with serving(db_path) as client:
        yield client


@pytest.fixture
def person(client):
    return Person(client, "/study/bars?PROLIFIC_PID=5f3a77aa91")


def kept(db_path) -> list[tuple]:
    query = "SELECT questionnaire, question, answer FROM answers ORDER BY 1, 2"
    return [(*place, json.loads(a) if a else a) for *place, a in rows(db_path, query)]


def exported(db_path, pilots: bool = False) -> list[dict[str, str]]:
    with log(db_path) as store, store.beside() as connection:
        text = answers_csv(connection, find_study(store, "bars"), pilots)
    return list(csv.DictReader(io.StringIO(text)))


def test_questions_come_before_and_after_the_task_and_the_code_after_all(
    person, db_path
):
    assert person.where().endswith("/questions/about")
    page = person.get(f"{person.base}/questions/about").text
    assert "<strong>first</strong>" in page
    assert "How old are you?" in page
    assert person.get(f"{person.base}/questions/afterwards").status_code == 404
    assert person.done("about").json["faults"] == {
        "age": "Please answer this question."
    }
    assert person.answer("about", "age", "31").json == {}
    assert person.done("about").json == {"next": person.base}
    assert person.get(person.base).status_code == 200
    assert person.where("/questions/about") == person.base
    person.finish()
    assert person.where("/done").endswith("/questions/afterwards")
    person.answer("afterwards", "tired", 2)
    assert person.done("afterwards").json == {"next": person.base}
    assert "Your completion code" in person.get(f"{person.base}/done").text
    assert kept(db_path) == [("about", "age", 31), ("afterwards", "tired", 2)]


def test_the_same_again_is_kept_once_and_what_comes_late_changes_nothing(
    person, db_path
):
    for _ in range(2):
        assert person.answer("about", "age", "30", 1).status_code == 200
    assert person.answer("about", "age", "31", 2).status_code == 200
    assert person.answer("about", "age", "30", 1).status_code == 409
    for _ in range(2):
        assert person.done("about").json == {"next": person.base}
    assert person.answer("about", "age", "31", 2).status_code == 200  # lost reply
    late = person.answer("about", "age", "32", 3)
    assert (late.status_code, "load this page again" in late.json["error"]) == (
        409,
        True,
    )
    assert kept(db_path) == [("about", "age", 31)]
    assert rows(db_path, "SELECT count(*) FROM questionnaires_done") == [(1,)]


def test_what_is_no_answer_is_said_and_takes_the_one_before_back(person, db_path):
    person.answer("about", "age", "31")
    reply = person.answer("about", "age", "17")
    assert reply.json == {"fault": "Please give a number from 18 to 99."}
    assert kept(db_path) == [("about", "age", None)]
    assert "age" in person.done("about").json["faults"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"answer": "31"},
        {"answer": "31", "step": 0},
        {"answer": "31", "step": True},
        {"answer": "31", "step": 1, "more": 1},
    ],
)
def test_bodies_that_are_none_of_ours_are_refused(person, db_path, body):
    path = f"{person.base}/questions/about/age"
    assert person.client.post(path, json=body).status_code == 400
    assert person.client.post(path, data={"answer": "31"}).status_code == 400
    foreign = {"Sec-Fetch-Site": "cross-site"}
    good = {"answer": "31", "step": 1}
    reply = person.client.post(path, json=good, headers=foreign)
    assert reply.status_code == 403
    for place in ("about/nothing", "nothing/age", "afterwards/tired"):
        path = f"{person.base}/questions/{place}"
        assert person.client.post(path, json=good).status_code == 404
    assert kept(db_path) == []


def test_nobody_can_fill_the_disk_by_answers(person, monkeypatch):
    budget = Budget(2, 1e-6, lambda: 0.0)
    host = person.client.application.extensions["yoked"]
    session = host.live(host.finder.find(person.token).session)
    monkeypatch.setattr(session, "answers", budget)
    tried = [person.answer("about", "age", str(20 + n)).status_code for n in range(3)]
    assert tried == [200, 200, 429]


def test_answers_are_shown_again_in_the_language_of_the_participant(client):
    put_back = Person(client, "/study/bars?PROLIFIC_PID=x")
    put_back.answer("about", "age", "31")
    put_back.answer("about", "eyes", ["lenses"])
    page = put_back.get(f"{put_back.base}/questions/about").text
    assert 'value="31"' in page
    assert 'value="lenses" checked' in page
    assert 'value="glasses" checked' not in page


def test_an_answer_keeps_the_place_and_is_seen_by_the_monitor(person, db_path):
    long_ago = (datetime.now(UTC) - timedelta(hours=5)).isoformat()
    with log(db_path) as store, store.transaction(), store.beside() as connection:
        connection.execute("UPDATE sessions SET started_at = ?", [long_ago])
    with log(db_path) as store, store.beside() as connection:
        kept, now = find_study(store, "bars"), datetime.now(UTC)
        assert places_taken(connection, kept, now).total() == 0
    person.answer("about", "age", "31")
    with log(db_path) as store, store.beside() as connection:
        assert places_taken(connection, kept, now).total() == 1
        (row,) = attending(store, connection, kept)
    assert (row.n_trials, row.block) == (0, None)
    assert row.last_seen == row.answered_at > long_ago


def test_they_leave_apart_from_the_trial_log_and_without_pilots(
    client, person, db_path, tmp_path
):
    (link,) = linked(db_path, "bars", is_pilot=True)
    pilot = Person(client, link)
    for each in (person, pilot):
        each.all()
    found = exported(db_path)
    assert len({row["session"] for row in found}) == 1
    assert [(row["question"], row["answer"]) for row in found] == [
        ("age", "31"),
        ("hand", ""),
        ("eyes", ""),
        ("tired", "3"),
        ("name", SAID),
        ("remarks", "'=none"),
    ]
    assert len({row["session"] for row in exported(db_path, pilots=True)}) == 2
    listed = json.loads(command("study", "answers", db_path, "bars", "--json"))
    assert [row["answer"] for row in listed] == [row["answer"] for row in found]
    out = tmp_path / "bars.db"
    command("study", "log", db_path, "bars", out)
    assert SAID.encode() not in out.read_bytes()


def test_who_withdraws_takes_their_answers_along(client, person, db_path):
    person.all()
    other = Person(client, "/study/bars?PROLIFIC_PID=y")
    other.answer("about", "age", "40")
    assert SAID.encode() in bytes_of(db_path)
    client.post(f"{person.base}/withdraw")
    assert SAID.encode() not in bytes_of(db_path)
    assert kept(db_path) == [("about", "age", 40)]
    assert person.answer("afterwards", "tired", "5").status_code == 410


def test_the_command_deletes_them_too(person, db_path):
    person.all()
    ((session,),) = rows(db_path, "SELECT id FROM sessions")
    command("withdraw", db_path, session, "--yes")
    assert kept(db_path) == []
    assert rows(db_path, "SELECT count(*) FROM questionnaires_done") == [(0,)]


def test_a_backup_that_is_brought_back_forgets_them(person, db_path, tmp_path):
    person.all()
    backup = tmp_path / "backup.db"
    command("backup", db_path, backup)
    person.client.post(f"{person.base}/withdraw")
    person.client.application.extensions["yoked"].close()
    command("restore", backup, db_path)
    assert kept(db_path) == []
    assert SAID.encode() not in db_path.read_bytes()


def test_what_people_wrote_is_erased_with_their_names(person, db_path):
    person.all()
    later = datetime.now(UTC) + timedelta(days=91)
    with log(db_path) as store, store.transaction(), store.beside() as connection:
        erase_ids(connection, find_study(store, "bars"), later)
    by = {row["question"]: (row["answer"], row["erased"]) for row in exported(db_path)}
    assert by["name"] == ("", "True")
    assert by["remarks"] == ("'=none", "False")  # of which the study says: nobody
    assert by["tired"] == ("3", "False")


def test_who_is_screened_out_is_asked_nothing_more(db_path):
    study = questioned()
    strict = study.arms[0].protocols[0]
    rules = replace(strict.screening, min_trials=1, response_rate=1.0)
    arm = Arm("all", (replace(strict, screening=rules),))
    put(db_path, replace(study, arms=(arm,)))
    with serving(db_path) as client:
        person = Person(client, "/study/bars")
        person.answer("about", "age", "31")
        person.done("about")
        following = person.next()
        while not following["done"]:
            following = person.respond(following, None).json["next"]
        assert "screened out" in person.get(f"{person.base}/done").text


def test_each_sitting_has_its_own_questions(db_path):
    study = questioned()
    protocol = study.arms[0].protocols[0]
    plan = SittingPlan("days", (protocol, protocol), 0.0)
    before, after = study.questionnaires
    every = (before, replace(after, sittings=(2,)))
    arms = (Arm("all", plan.protocols, plan=plan),)
    put(db_path, replace(study, arms=arms, questionnaires=every))
    with serving(db_path) as client:
        person = Person(client, "/study/bars")
        person.answer("about", "age", "31")
        person.done("about")
        person.finish()
        assert "Begin sitting 2" in person.get(f"{person.base}/done").text
        client.post(f"{person.base}/next")
        assert person.where().endswith("/questions/about")
        person.all()
    assert [row["sitting"] for row in exported(db_path)] == ["1"] * 3 + ["2"] * 6
