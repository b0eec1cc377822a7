"""Withdrawal: what somebody gave is nowhere any more, not even in the file's bytes."""

import re
import struct
from dataclasses import replace

import pytest

from yoked.app.studies.arms import Arm
from yoked.app.studies.description import Recruitment, Study
from yoked.app.studies.withdrawal import tombstones

from .participant import Participant, log, recorded, rows, sent, short_protocol
from .test_studies import put, serving

NAME = "5f3a77aa91"
# Numbers that stand in nothing else that is stored.
RT_MS = 421.0625
DIGEST = "c0ffee" * 10 + "beef"
SECRETS = (NAME.encode(), DIGEST.encode(), struct.pack(">d", RT_MS))


@pytest.fixture
def study():
    short = short_protocol()
    lenient = replace(short, screening=replace(short.screening, min_trials=1000))
    arms = (Arm("all", (lenient,)),)
    return Study("bars", recruitment=Recruitment("prolific"), arms=arms)


def somebody(client) -> Participant:
    """Let somebody begin, and respond to a trial in a way that can be searched for."""
    participant = Participant(client, f"/study/bars?PROLIFIC_PID={NAME}")
    following = participant.next()
    participant.get(following["frames"])
    events = [{"kind": "blur", "at_ms": 1, "detail": f"seen by {NAME}"}]
    body = {**sent(0), "rt_ms": RT_MS, "digest": DIGEST, "events": events}
    assert participant.post(following["trial"], body).status_code == 200
    return participant


def bytes_of(db_path) -> bytes:
    """Give all that stands in the database's files, and beside it."""
    return b"".join(
        path.read_bytes() for path in sorted(db_path.parent.glob(f"{db_path.name}*"))
    )


def test_who_withdraws_is_deleted_to_the_last_byte(db_path, study):
    put(db_path, study)
    with serving(db_path) as client:
        participant = somebody(client)
        other = Participant(client, "/study/bars?PROLIFIC_PID=6b2c88bb02")
        assert all(secret in bytes_of(db_path) for secret in SECRETS)
        before = participant.get(f"{participant.base}/withdraw")
        assert "Nobody can bring them back" in before.text
        assert len(recorded(db_path)) == 1  # looking deletes nothing
        reply = client.post(f"{participant.base}/withdraw")
        assert "Your data are deleted" in reply.text
        # While the server runs: also the journal has nothing of it.
        assert not any(secret in bytes_of(db_path) for secret in SECRETS)
        for path in ("", "/next", "/done"):
            assert participant.get(participant.base + path).status_code == 410
        assert other.respond(other.next()).status_code == 200
    gone = "SELECT id, display, device FROM sessions WHERE status = 'withdrawn'"
    ((session, display, device),) = rows(db_path, gone)
    assert (display, device) == (None, None)
    assert tombstones(db_path) == [session]
    assert rows(db_path, "SELECT session FROM tombstones") == [(session,)]
    assert rows(db_path, "SELECT outcome FROM enrolments ORDER BY key") == [
        ("withdrawn",),
        (None,),
    ]


def test_a_code_withdraws_without_the_link_however_it_is_typed(db_path, study):
    put(db_path, study)
    with serving(db_path) as client:
        participant = somebody(client)
        participant.finish()
        done = participant.get(f"{participant.base}/done").text
        (code,) = re.findall('id="withdrawal-code">([^<]*)<', done)
        assert code.encode() not in bytes_of(db_path)
        assert client.get("/withdraw").status_code == 200
        wrong = client.post("/withdraw", data={"code": code[:-1] + "1"})
        assert (wrong.status_code, "every letter" in wrong.text) == (404, True)
        typed = {"code": f" {code.lower().replace('-', ' ')}"}
        assert "Your data are deleted" in client.post("/withdraw", data=typed).text
        assert not any(secret in bytes_of(db_path) for secret in SECRETS)
    with log(db_path) as store:
        assert [row.status for row in store.sessions()] == ["withdrawn"]
        assert store.trials(store.sessions()[0].id) == []


def test_who_withdrew_is_not_let_in_again_as_somebody_new(db_path, study):
    put(db_path, study)
    with serving(db_path) as client:
        participant = somebody(client)
        client.post(f"{participant.base}/withdraw")
        again = Participant(client, f"/study/bars?PROLIFIC_PID={NAME}")
        assert again.base == participant.base
        assert again.get(again.base).status_code == 410


def test_codes_cannot_be_tried_out(db_path, study, monkeypatch):
    monkeypatch.setattr("yoked.app.web.host.CODES_AT_ONCE", 3)
    monkeypatch.setattr("yoked.app.web.host.CODES_PER_S", 0.01)
    put(db_path, study)
    with serving(db_path) as client:
        tried = [
            client.post("/withdraw", data={"code": f"ABCD{n}"}).status_code
            for n in range(5)
        ]
    assert tried == [404, 404, 404, 429, 429]


def test_another_site_withdraws_nobody(db_path, study):
    put(db_path, study)
    with serving(db_path) as client:
        participant = somebody(client)
        foreign = {"Sec-Fetch-Site": "cross-site"}
        reply = client.post(f"{participant.base}/withdraw", headers=foreign)
        assert reply.status_code == 403
    assert len(recorded(db_path)) == 1
