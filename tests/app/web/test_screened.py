"""Nobody gets a complete session without working; how one ended is in its code."""

import contextlib
import re
import sqlite3
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

import yoked
from tests.experiments.store.test_old_files import old_file
from yoked.app.cli import cli
from yoked.app.web.responses import NEVER_ASKED_FOR, OTHER_BYTES, TOO_LATE, TOO_SOON
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import Block, DoublePass

from .participant import Participant, log, recorded, rows, sent, served
from .test_health import Clock

RNG = np.random.default_rng(4)


@pytest.fixture
def protocol():
    bars = load_protocol("bar-in-noise")
    return replace(
        bars,
        blocks=(Block("main", 12, n_blocks=2),),
        double_pass=DoublePass(),
        catch=replace(bars.catch, n_per_block=2),
    )


def finish(participant, respond) -> None:
    following = participant.next()
    while not following["done"]:
        following = respond(participant, following).json["next"]


def a_person(participant, following):
    """Respond by chance in .4 to .8 s, but see the catch trials."""
    spec = next_spec(participant)
    target = spec.target if spec.block_kind == "catch" else int(RNG.integers(2))
    return participant.respond(following, target, rt_ms=float(RNG.uniform(400, 800)))


def next_spec(participant):
    from yoked.experiments.session.session import Session

    app = participant.client.application
    store = app.extensions["yoked"]._store
    return Session.resume(store, store.sessions()[0].id).next_batch(1)[0]


def ended(participant, db_path) -> tuple[str, list[str]]:
    """Give the code on the last page, and the reasons in the log."""
    page = participant.get(f"{participant.base}/done").text
    code = re.search(r'id="completion-code">([^<]+)<', page)[1]
    with log(db_path) as store:
        events = store.events(store.sessions()[0].id)
    (screening,) = [e["detail"] for e in events if e["kind"] == "screening"]
    assert ("screened out" in page) == (screening["outcome"] == "screened out")
    return code, screening["reasons"]


def test_who_works_gets_a_code_of_a_complete_session(participant, db_path):
    finish(participant, a_person)
    code, reasons = ended(participant, db_path)
    assert reasons == []
    assert code.startswith("C-")


BOTS = {
    "no responses": (
        lambda p, following: p.respond(following, None),
        "responses must be given in 80% of the trials, got 0 of 28",
    ),
    "always the same": (
        lambda p, following: p.respond(following, 0),
        "one key must be at most 95% of the responses, got 28 of 28",
    ),
    "other pixels": (
        lambda p, following: p.respond(following, 1, digest="ab" * 32),
        "invalid trials must be at most 50% of the trials, got 42 of 42",
    ),
    "without looking": (
        lambda p, following: p.post(following["trial"], sent(following["trial"] % 2)),
        "invalid trials must be at most 50% of the trials, got",
    ),
}


@pytest.mark.parametrize("bot", BOTS)
def test_who_does_not_work_ends_as_screened_out(participant, db_path, bot):
    respond, reason = BOTS[bot]
    finish(participant, respond)
    code, reasons = ended(participant, db_path)
    assert code.startswith("S-")
    assert any(sentence.startswith(reason) for sentence in reasons)


def test_trials_that_end_before_they_can_have_are_impossible(db_path, protocol):
    clock = Clock()  # which stands still: all trials within a moment
    with served(db_path, protocol, clock=clock) as app:
        participant = Participant(app.test_client())
        finish(participant, lambda p, f: p.respond(f, int(RNG.integers(2))))
        code, reasons = ended(participant, db_path)
    assert code.startswith("S-")
    assert "invalid trials must be at most 50%" in reasons[0]
    found = [r.response.invalid_reason for r in recorded(db_path)]
    assert found[0] is None  # its pixels may have been sent by a server before
    assert set(found[1:]) == {TOO_SOON}


def test_a_response_to_pixels_that_were_never_sent_is_no_response(participant, db_path):
    following = participant.respond(participant.next()).json["next"]
    participant.post(following["trial"], sent(1))
    assert recorded(db_path)[1].response.invalid_reason == NEVER_ASKED_FOR


def test_a_response_that_a_new_server_gets_is_believed(db_path, protocol):
    with served(db_path, protocol) as app:
        participant = Participant(app.test_client())
        following = participant.next()
        pixels = participant.get(following["frames"]).data
    assert pixels
    with served(db_path, protocol) as app:  # started anew while the trial ran
        participant.client = app.test_client()
        participant.post(0, sent(1))
    assert recorded(db_path)[0].response.valid


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"onsets_ms": [21_049.0, 21_649.0], "offsets_ms": [21_149.0, 21_749.0]},
            "the fixation lasted too long: 21049 ms where 500 were asked for",
        ),
        (
            {"onsets_ms": [500.0, 1500.0], "offsets_ms": [1000.0, 1600.0]},
            "an interval lasted too long: 500 ms where 100 were asked for",
        ),
        (
            {"onsets_ms": [500.0, 500.0], "offsets_ms": [500.0, 500.0]},
            "an interval lasted too short: 0 ms where 100 were asked for",
        ),
        ({"frames_shown": 0}, "nothing was shown"),
        (
            {"events": [{"kind": "stall", "at_ms": 1500}]},
            "the page stalled while it waited for a response",
        ),
    ],
)
def test_a_badly_timed_trial_is_invalid_with_its_reason(
    participant, db_path, changes, reason
):
    response = None if "events" in changes else 1
    participant.respond(participant.next(), response, **changes)
    (record,) = recorded(db_path)
    assert (record.response.valid, record.response.invalid_reason) == (False, reason)


def test_badly_timed_trials_are_repeated_up_to_a_limit_and_enter_no_statistic(
    participant, db_path
):
    late = {"onsets_ms": [900.0, 1500.0], "offsets_ms": [1000.0, 1600.0]}
    finish(participant, lambda p, f: p.respond(f, f["trial"] % 2, **late))
    records = recorded(db_path)
    assert len(records) == 28 * 3 // 2  # half of each block again
    session = yoked.load_session(
        db_path, rows(db_path, "SELECT id FROM sessions")[0][0]
    )
    assert len(session.counted) == 0
    quality = yoked.summarise(session).quality
    assert quality.invalid_share == 1
    assert quality.invalid_by_reason == {"the fixation lasted too long": 42}
    assert quality.screened_out[0].startswith("invalid trials must be at most 50%")


def test_an_anticipation_is_told_excluded_and_counted(participant, db_path):
    reply = participant.respond(participant.next(), 1, rt_ms=45.0).json
    assert reply["too_soon"] is True
    participant.respond(reply["next"], 1, rt_ms=450.0)
    (session,) = rows(db_path, "SELECT id FROM sessions")[0]
    reason = rows(db_path, 'SELECT trial, "by", reason FROM exclusions')
    assert reason == [(0, "protocol", "anticipation: a response before 100 ms")]
    data = yoked.load_session(db_path, session)
    assert yoked.summarise(data).quality.n_anticipations == 1
    assert 0 not in data.counted["trial"].tolist()


def test_codes_have_an_export_of_their_own(db_path, protocol):
    with served(db_path, protocol) as app:
        first, second, third = (Participant(app.test_client()) for _ in range(3))
        assert third.next()["trial"] == 0
        finish(second, lambda p, f: p.respond(f, 0))
        finish(first, lambda p, f: p.respond(f, None))
    run = CliRunner().invoke(cli, ["codes", str(db_path), "--csv"])
    assert run.exit_code == 0, run.output
    header, *lines = run.stdout.splitlines()
    assert header == "session,code,outcome,status,ended_at,sitting"
    shown = [line.split(",")[:4] for line in lines]
    in_order = "SELECT id FROM sessions ORDER BY key"
    ids = [session for (session,) in rows(db_path, in_order)]
    assert [line[0] for line in shown] == ids
    assert [line[2:] for line in shown] == [
        ["screened out", "finished"],
        ["screened out", "finished"],
        ["", "unfinished"],
    ]
    assert all(line[1].startswith("S-") for line in shown[:2])
    assert shown[2][1] == ""
    exported = CliRunner().invoke(cli, ["export", str(db_path)]).stdout
    assert shown[0][1].removeprefix("S-") not in exported


def test_codes_of_a_file_of_an_earlier_version_are_as_they_were(tmp_path):
    path = old_file(tmp_path, 1)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        ((code,),) = connection.execute("SELECT completion_code FROM participations")
    run = CliRunner().invoke(cli, ["codes", str(path), "--csv"])
    assert run.stdout.splitlines()[1].split(",")[1:3] == [code, "complete"]


def test_a_file_without_a_web_task_has_no_codes(tmp_path):
    path = tmp_path / "lab.db"
    from yoked.experiments.store.sqlite import open_store

    open_store(path).close()
    run = CliRunner().invoke(cli, ["codes", str(path), "--json"])
    assert (run.exit_code, run.stdout.strip()) == (0, "[]")


def test_other_bytes_come_before_bad_timing(participant, db_path):
    participant.respond(participant.next(), 1, digest="ab" * 32, frames_shown=0)
    assert recorded(db_path)[0].response.invalid_reason == OTHER_BYTES


def test_what_was_never_handed_out_is_known_though_memory_has_no_room(
    app, db_path, monkeypatch
):
    monkeypatch.setattr("yoked.app.web.live_sessions.MOST_IN_MEMORY", 1)
    people = [Participant(app.test_client()) for _ in range(3)]
    for trial in range(4):
        for person in people:
            person.post(trial, sent(1))
    query = "SELECT trial, valid FROM trials ORDER BY session, trial"
    assert rows(db_path, query) == [(0, 1), (1, 0), (2, 0), (3, 0)] * 3


def test_a_response_after_the_time_for_it_does_not_count(participant, db_path):
    participant.respond(participant.next(), 1, rt_ms=8000.0)
    assert recorded(db_path)[0].response.invalid_reason == TOO_LATE


def test_trials_that_were_not_shown_are_nobody_s_miss(participant, db_path):
    """Whose page is hidden in some catch trials is right in all that they saw."""
    hidden = [{"kind": "hidden", "at_ms": 10.0}]
    n_hidden = 0

    def respond(person, following):
        nonlocal n_hidden
        if next_spec(person).block_kind == "catch" and n_hidden < 2:
            n_hidden += 1
            return person.respond(following, None, events=hidden)
        return a_person(person, following)

    finish(participant, respond)
    assert n_hidden == 2
    assert ended(participant, db_path)[1] == []


def test_a_session_withdrawn_while_it_runs_takes_nothing_more(
    app, participant, db_path
):
    following = participant.next()
    with log(db_path) as store:
        store.withdraw(store.sessions()[0].id)
    reply = participant.respond(following, 1)
    assert reply.status_code == 410
    assert rows(db_path, "SELECT count(*) FROM trials") == [(0,)]
