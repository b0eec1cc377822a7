"""A model over HTTP: what it sees, decides and leaves is what it would in process."""

import contextlib
import json
import threading

import numpy as np
import pytest
from click.testing import CliRunner
from werkzeug.serving import make_server

from tests.app.web.researchers.conftest import Browser, make
from yoked.app.cli import cli
from yoked.app.hosting.process import OWN_ADDRESS
from yoked.app.studies.arms import Arm
from yoked.app.studies.counts import counts_of
from yoked.app.studies.description import Study
from yoked.app.studies.exports import payable, sessions_of
from yoked.app.studies.kept import find_study
from yoked.app.studies.links import ModelOfLink, make_model_link
from yoked.app.web.server import create_app
from yoked.experiments.session.results import session_data
from yoked.experiments.stimulus.render import digests
from yoked.models.observers.template import Template
from yoked.models.simulate import run

from .participant import N_TRIALS, Participant, log, rows, short_protocol
from .questioned import questioned
from .test_studies import put


@contextlib.contextmanager
def listening(db_path):
    """Serve the studies of a database at a port of this machine."""
    app = create_app(db_path)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    app.config[OWN_ADDRESS] = f"http://127.0.0.1:{server.server_port}/"
    try:
        yield app
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        app.extensions["yoked"].close()


@pytest.fixture
def served(db_path):
    arms = (Arm("all", (short_protocol(),)), Arm("other keys", (short_protocol(),)))
    put(db_path, Study("bars", quota=1, arms=arms), "closed")
    with listening(db_path) as app:
        yield app


def take_part(app, db_path, *options) -> dict:
    told = ["study", "model", str(db_path), "bars", "template", "--json", *options]
    url = app.config[OWN_ADDRESS]
    result = CliRunner().invoke(cli, [*told, "--url", url])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_it_sees_and_decides_over_http_what_it_would_in_process(served, db_path):
    found = take_part(served, db_path, "--internal-noise", "1")
    with log(db_path) as store:
        web = session_data(store, found["session"])
        frames = [
            web_frames(store, web, first) for first in range(0, len(web.trials), 8)
        ]
    alone = run(
        web.protocol,
        Template(),
        seed=web.row.seed,
        observer_seed=web.row.observer_seed,
        internal_noise=1.0,
    )
    assert len(web.trials) == N_TRIALS
    for name in ("trial", "stimulus_id", "contrast", "target", "response", "digest"):
        assert list(web.trials[name]) == list(alone.trials[name]), name
    for name in ("decision_variables", "block_kind", "correct"):
        assert list(web.trials[name]) == list(alone.trials[name]), name
    assert list(web.trials["digest"]) == [each for part in frames for each in part]
    assert list(web.trials["valid"]) == [True] * N_TRIALS
    assert web.trials["rt_ms"].count() == 0
    assert web.row.observer.kind == "model"
    assert web.row.observer.parameters["internal_noise"] == 1.0
    assert web.status == "finished"


def web_frames(store, session, first: int) -> list[str]:
    """Give the digests that the generator gives for some of a session's trials."""
    from yoked.experiments.session.session import Session

    trials = store.trial_columns(session.id).part(first, first + 8)
    made = Session.resume(store, session.id).frames(trials)
    return list(digests(np.asarray(made)))


def test_it_counts_for_nothing_and_stands_beside_people(served, db_path):
    take_part(served, db_path, "--arm", "other keys")
    with log(db_path) as store, store.beside() as connection:
        kept = find_study(store, "bars")
        counts = counts_of(connection, kept)
        assert payable(connection, kept) == []
        assert sessions_of(connection, kept, pilots=True) == []
        (model,) = sessions_of(connection, kept, models=True)
    assert (counts.models, counts.pilots, counts.begun, counts.complete) == (1, 0, 0, 0)
    assert (model.arm, model.is_model, model.is_pilot) == ("other keys", True, False)
    result = CliRunner().invoke(cli, ["study", "results", str(db_path), "bars"])
    (row,) = json.loads(result.stdout)
    assert (row["observer"], row["kind"], row["trials"]) == ("template", "model", 8)
    assert rows(db_path, "SELECT outcome FROM participations") == [("complete",)]


def test_it_is_asked_no_questions(db_path):
    put(db_path, questioned())
    with listening(db_path) as app:
        take_part(app, db_path)
    assert rows(db_path, "SELECT status FROM sessions") == [("finished",)]


def link_of(db_path, seed: int = 5) -> str:
    with log(db_path) as store, store.transaction(), store.beside() as connection:
        key = find_study(store, "bars").key
        model = ModelOfLink("template", seed, 0, {"internal_noise": 0.0})
        return f"/join/{make_model_link(connection, key, model)}"


def test_its_link_leads_to_one_session(served, db_path):
    link, client = link_of(db_path), served.test_client()
    first = Participant(client, link)
    assert Participant(client, link).base == first.base
    assert rows(db_path, "SELECT count(*) FROM sessions") == [(1,)]


def test_what_it_sends_is_checked(served, db_path):
    model = Participant(served.test_client(), link_of(db_path))
    following = model.next()
    unseen = {"response": 0, "decision_variables": [1.0, 0.5], "digest": "0" * 64}
    for changed in (
        {"response": 7},
        {"digest": None},
        {"decision_variables": []},
        {"decision_variables": ["1"]},
        {"rt_ms": 300.0},
    ):
        reply = model.post(following["trial"], {**unseen, **changed})
        assert reply.status_code == 400, changed
    model.get(following["frames"])
    assert model.post(following["trial"], unseen).status_code == 200
    again = model.post(following["trial"], unseen)
    assert again.status_code == 200  # the same receipt
    ((valid, reason),) = rows(db_path, "SELECT valid, invalid_reason FROM trials")
    assert (valid, "other bytes" in reason) == (0, True)


def test_a_person_cannot_send_what_a_model_sends(served, db_path):
    with log(db_path) as store:
        from yoked.app.studies.kept import set_state

        set_state(store, "bars", "open")
    person = Participant(served.test_client(), "/study/bars")
    following = person.next()
    body = {"response": 0, "decision_variables": [1.0, 0.5], "digest": "0" * 64}
    assert person.post(following["trial"], body).status_code == 400


def test_a_researcher_lets_one_take_part(served, db_path):
    make(served, "jane", is_administrator=True)
    jane = Browser(served)
    jane.sign_in("jane")
    form = {"observer": "template", "internal_noise": "1", "arm": "all"}
    for wrong in (
        {"observer": "/tmp/mine.py:Mine"},
        {"internal_noise": "-1"},
        {"internal_noise": "x"},
        {"arm": "none"},
    ):
        assert jane.post("/studies/bars/models", **{**form, **wrong}).status_code == 409
    assert jane.post("/studies/bars/models", **form).status_code == 303
    ((_, _, process, _),) = served.extensions["yoked"].models._started
    assert process.wait(120) == 0
    assert rows(db_path, "SELECT status FROM sessions") == [("finished",)]
    page = jane.get("/studies/bars/results").text
    assert "template, internal noise 1" in page
    assert "done" in page


def test_why_one_failed_is_said(served, db_path):
    models = served.extensions["yoked"].models
    models.start("bars", "template", ["--arm", "none"])
    ((_, _, process, _),) = models._started
    assert process.wait(120) == 1
    (found,) = models.of("bars")
    assert (found.state, "an arm must be one of all" in found.said) == ("failed", True)
