"""Results so far: computed beside the server, shown when they are there."""

import contextlib
import os
from dataclasses import replace

import pytest

from tests.app.web.participant import Participant, rows, short_protocol
from tests.app.web.test_studies import linked, put
from yoked.app.studies.arms import Arm
from yoked.app.studies.description import Study
from yoked.app.web.looker import Found, Looker

PATIENCE_S = 60


def study(name: str) -> Study:
    """Give a study whose screening nobody fails in so few trials."""
    short = short_protocol()
    lenient = replace(short, screening=replace(short.screening, min_trials=1000))
    return Study(name, arms=(Arm("all", (lenient,)),))


@pytest.fixture
def participant(app, db_path):
    put(db_path, study("bars"))
    participant = Participant(app.test_client(), "/study/bars")
    participant.finish()
    return participant


def wait_for(looker: Looker, *names: str) -> None:
    """Wait until there are answers, without looking again and again."""
    with looker._changed:
        there = looker._changed.wait_for(
            lambda: all(name in looker._found for name in names), PATIENCE_S
        )
    assert there


def test_results_come_when_they_are_computed(jane, app, participant, db_path):
    looker = app.extensions["yoked"].looker
    (session,) = rows(db_path, "SELECT id FROM sessions")[0]
    before = jane.get("/studies/bars/results").text
    assert "data-computing" in before
    assert "Being computed" in jane.get(f"/studies/bars/sessions/{session}").text
    wait_for(looker, session, f"row {session}", "means 1")
    after = jane.get("/studies/bars/results").text
    assert "data-computing" not in after
    assert "participant-" in after
    assert participant.token not in after
    reply = jane.get(f"/studies/bars/sessions/{session}")
    # The clock of these tests stands still: every trial came too soon.
    assert "22: the response came before the trial could have ended" in reply.text
    assert "0 of main blocks" in reply.text
    assert "No kernel can be told yet." in after
    assert "begins after" in reply.text
    policy = reply.headers["Content-Security-Policy"]
    assert "img-src data:;" in policy  # the pictures need nothing more
    assert 'style="' not in reply.text
    process = looker._process
    assert process is not None
    assert os.getpriority(os.PRIO_PROCESS, process.pid) >= 15
    app.extensions["yoked"].close()
    assert process.poll() is not None


def test_pilots_are_in_no_mean_and_other_studies_in_no_page(
    jane, app, participant, db_path
):
    (pilot,) = linked(db_path, "bars", is_pilot=True)
    Participant(app.test_client(), pilot).finish()
    put(db_path, study("others"))
    Participant(app.test_client(), "/study/others").finish()
    looker = app.extensions["yoked"].looker
    asked = []
    looker.find = lambda name, version, question: asked.append(question)
    assert "pilot" in jane.get("/studies/bars/results").text
    found = rows(db_path, "SELECT id FROM sessions ORDER BY key")
    first, second, third = (session for (session,) in found)
    assert asked == [{"row": first}, {"row": second}, {"means": {"people": [first]}}]
    assert jane.get(f"/studies/bars/sessions/{third}").status_code == 404


def test_a_process_that_is_killed_is_started_again(app, participant, db_path):
    (session,) = rows(db_path, "SELECT id FROM sessions")[0]
    with contextlib.closing(Looker(db_path)) as looker:
        assert looker.find("a", "1", {"row": session}) is None
        wait_for(looker, "a")
        first = looker._process
        first.kill()
        first.wait()
        looker.find("b", "1", {"row": session})
        wait_for(looker, "b")
        assert "fault" in looker.find("b", "1", {}).answer
        looker.find("c", "1", {"row": session})
        wait_for(looker, "c")
        assert looker.find("c", "1", {}).answer == looker.find("a", "1", {}).answer
    assert looker._process is None


def test_what_was_found_of_who_withdraws_is_forgotten(app, participant, db_path):
    (session,) = rows(db_path, "SELECT id FROM sessions")[0]
    looker = app.extensions["yoked"].looker
    for name in (session, f"row {session}", "row another", "means 1"):
        looker._found[name] = Found("1", {})
    app.test_client().post(f"{participant.base}/withdraw")
    assert list(looker._found) == ["row another"]


def test_a_newer_question_takes_the_place_of_an_older_one(db_path):
    looker = Looker(db_path)
    looker._thread = object()  # nobody answers
    looker.find("a", "1", {"row": "x"})
    looker.find("b", "1", {"row": "y"})
    looker.find("a", "2", {"row": "x"})
    assert list(looker._wanted.items()) == [
        ("b", ("1", {"row": "y"})),
        ("a", ("2", {"row": "x"})),
    ]
