"""The endpoints of a trial: what is told and what is not, what is taken and stored."""

import base64
import hashlib
import json
import threading

import pytest

from yoked.experiments.session.session import Session
from yoked.experiments.stimulus.render import digest

from .participant import N_TRIALS, SCREEN, log, recorded, rows, sent


def secrets_of(db_path) -> list[bytes]:
    """Return what nobody may learn before the response."""
    ((seed, session),) = rows(db_path, "SELECT seed, id FROM sessions")
    with log(db_path) as store:
        specs = Session.resume(store, session).next_batch(1)
    contrast = specs[0].contrast
    forms = [str(seed), f"{seed:x}", session, f"{contrast:.4f}"[1:]]
    words = ["target", "contrast", "seed", "stimulus_id", "signal", "catch", "repeats"]
    return [form.encode() for form in forms + words]


def test_nothing_sent_before_an_response_gives_it_away(participant, db_path):
    following = participant.next()
    for _ in range(N_TRIALS):
        participant.get(participant.base)
        participant.get(following["frames"])
        sent = participant.sent.lower()
        assert not [secret for secret in secrets_of(db_path) if secret in sent]
        following = participant.respond(following).json["next"]
    assert following["done"]


def test_replies_for_both_targets_have_the_same_shape(participant, db_path):
    shapes: dict[int, set] = {0: set(), 1: set()}
    following = participant.next()
    while not following["done"]:
        pixels = participant.get(following["frames"])
        told = {(k, type(v).__name__) for k, v in following.items() if k != "break"}
        told |= {*pixels.headers.keys(), str(len(pixels.data))}
        following = participant.respond(following).json["next"]
        shapes[recorded(db_path)[-1].spec.target].add(frozenset(told))
    assert shapes[0] == shapes[1]
    assert len(shapes[0]) == 1


def test_only_the_trial_that_is_due_is_shown(participant):
    participant.respond(participant.next())
    for trial in (0, 2, 99):
        reply = participant.get(f"{participant.base}/trials/{trial}/frames")
        assert reply.status_code == 409
        assert f"(1), got {trial}" in reply.json["error"]


def test_feedback_is_given_in_practice_only(participant, db_path):
    following = participant.next()
    while not following["done"]:
        feedback = following["feedback"]
        reply = participant.respond(following).json
        record = recorded(db_path)[following["trial"]]
        assert feedback == (record.spec.block_kind == "practice")
        assert reply["correct"] == (record.correct if feedback else None)
        following = reply["next"]


def test_breaks_come_between_blocks_and_progress_grows(participant):
    following, breaks, progress = participant.next(), [], []
    while not following["done"]:
        progress.append(following["progress"])
        if following["break"]:
            breaks.append({"trial": following["trial"], **following["break"]})
            assert participant.next() == following  # a reload sees the same
        following = participant.respond(following).json["next"]
    kinds = [("practice", "calibration"), ("calibration", "main"), ("main", "main")]
    assert [(pause["finished"], pause["next"]) for pause in breaks] == kinds
    assert [pause["trial"] for pause in breaks] == [2, 6, 11]
    assert [pause["main_block"] for pause in breaks] == [0, 1, 2]
    assert {pause["n_main_blocks"] for pause in breaks} == {2}
    assert {pause["minutes_left"] for pause in breaks} == {1}
    told = [(pause["told_before"], pause["told_next"]) for pause in breaks]
    assert told == [(True, False), (False, False), (False, False)]
    assert [pause["is_last"] for pause in breaks] == [False, False, True]
    assert progress == sorted(set(progress))
    assert following == {"done": True, "progress": 1}


def test_progress_counts_trials_that_are_shown_again_and_never_falls(participant):
    following, progress = participant.next(), []
    while not following["done"]:
        progress.append(following["progress"])
        n = len(progress)
        # Each first trial of a block was shown too long, and is shown again.
        spoiled = {"onsets_ms": [900.0, 1500.0]} if n in (1, 4, 10) else {}
        following = participant.respond(following, **spoiled).json["next"]
    assert progress == sorted(set(progress))
    assert len(progress) == N_TRIALS + 3
    assert progress[1] == round(1 / (N_TRIALS + 1), 4)  # one done, all still to come
    assert progress[-1] == round(1 - 1 / (N_TRIALS + 3), 4)


def test_an_response_is_stored_before_the_reply(participant, db_path):
    following = participant.next()
    reply = participant.respond(following, response=1)
    assert reply.status_code == 200
    (record,) = recorded(db_path)
    assert record.response.response == 1
    assert record.response.rt_ms == 312.5
    assert record.response.onsets_ms == (500.0, 1100.0)
    assert (record.response.frames_shown, record.response.frames_dropped) == (12, 1)
    assert record.correct == (record.spec.target == 1)
    with log(db_path) as store:
        session = Session.resume(store, store.sessions()[0].id)
        assert record.response.digest == digest(session.frames([record.spec])[0])


def test_the_same_response_again_has_the_same_reply_and_one_row(participant, db_path):
    following = participant.next()
    pixels = participant.get(following["frames"]).data
    digest_sent = hashlib.sha256(pixels).hexdigest()
    body = sent(1, digest=digest_sent, events=[{"kind": "blur", "at_ms": 3}])
    replies = [participant.post(0, body).json for _ in range(3)]
    assert replies[0] == replies[1] == replies[2]
    assert len(recorded(db_path)) == 1
    assert rows(db_path, "SELECT count(*) FROM events WHERE kind = 'blur'") == [(1,)]

    other = participant.post(0, {**body, "response": 0})
    assert other.status_code == 409
    assert other.json["error"] == "trial 0 must have one response, got another"
    assert recorded(db_path)[0].response.response == 1


def test_the_same_response_many_times_at_once_is_stored_once(app, participant, db_path):
    following = participant.next()
    pixels = participant.get(following["frames"]).data
    digest_sent = hashlib.sha256(pixels).hexdigest()
    body = sent(1, digest=digest_sent, events=[])
    url, replies = f"{participant.base}/trials/0", []

    def send() -> None:
        replies.append(app.test_client().post(url, json=body).json)

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert replies == [replies[0]] * 8
    assert replies[0]["next"]["trial"] == 1
    assert len(recorded(db_path)) == 1


def test_an_response_out_of_turn_is_refused(participant, db_path):
    following = participant.next()
    reply = participant.respond({**following, "trial": 5})
    assert reply.status_code == 409
    assert "the trial must be the next one (0), got 5" in reply.json["error"]
    assert recorded(db_path) == []


def test_no_response_is_stored_as_none(participant, db_path):
    participant.respond(participant.next(), response=None)
    (record,) = recorded(db_path)
    assert record.response.response is None
    assert record.correct is None


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"data": "{", "content_type": "application/json"}, "the body must be JSON"),
        ({"data": "[" * 9000, "content_type": "application/json"}, "must be JSON"),
        (
            {"data": {"response": "1"}},
            "the body must be JSON, of type application/json",
        ),
        ({"json": {"response": 7}}, "rt_ms must be given, got 'nothing'"),
        ({"json": [1]}, "a response must be a JSON object, got [1]"),
    ],
)
def test_a_bad_body_gets_one_sentence_and_stores_nothing(
    participant, db_path, sent, sentence
):
    reply = participant.client.post(f"{participant.base}/trials/0", **sent)
    assert reply.status_code == 400
    assert sentence in reply.json["error"]
    assert "\n" not in reply.json["error"]
    assert recorded(db_path) == []


def test_a_body_that_is_too_long_is_refused(participant, db_path):
    data = json.dumps({"events": ["x" * 20_000]})
    url = f"{participant.base}/trials/0"
    reply = participant.client.post(url, data=data, content_type="application/json")
    assert reply.status_code == 413
    assert reply.json["error"]
    assert recorded(db_path) == []


def test_other_pixels_than_ours_make_a_trial_invalid_and_it_is_repeated(
    participant, db_path
):
    following = participant.next()
    participant.respond(following, digest="ab" * 32)
    participant.finish()
    records = recorded(db_path)
    assert not records[0].response.valid
    assert "other bytes" in records[0].response.invalid_reason
    assert len(records) == N_TRIALS + 1
    ids = [record.spec.stimulus_id for record in records]
    assert len(set(ids)) == len(ids)  # the repetition shows fresh noise


def test_what_happened_in_a_trial_is_logged_with_it(participant, db_path):
    events = [{"kind": "early_key", "at_ms": 12.5, "detail": "f"}]
    participant.respond(participant.next(), events=events)
    with log(db_path) as store:
        (event,) = store.events(store.sessions()[0].id)
    assert event["kind"] == "early_key"
    assert event["detail"] == {"trial": 0, "at_ms": 12.5, "detail": "f"}


def test_the_screen_is_stored_beside_the_table(participant, db_path):
    url = f"{participant.base}/display"
    assert participant.client.post(url, json=SCREEN).status_code == 200
    with log(db_path) as store:
        (row,) = store.sessions()
    assert row.display["refresh_ms"] == 8.3
    assert row.display["lut"] == list(range(256))
    assert row.display["css_px_per_degree_is"] == "assumed"
    assert participant.client.post(url, json={**SCREEN, "scale": 0}).status_code == 400


def test_few_pixels_come_along_with_a_receipt_and_are_those_of_their_address(
    participant, db_path
):
    following = participant.next()
    assert "pixels" not in following
    pixels = participant.get(following["frames"]).data
    for _ in range(2):
        digest = hashlib.sha256(pixels).hexdigest()
        address = f"{participant.base}/trials/{following['trial']}?pixels=yes"
        reply = participant.client.post(address, json={**sent(), "digest": digest})
        again = participant.client.post(address, json={**sent(), "digest": digest})
        assert again.json == reply.json
        following = reply.json["next"]
        pixels = base64.b64decode(following["pixels"])
        assert pixels == participant.get(following["frames"]).data
    assert {record.response.invalid_reason for record in recorded(db_path)} == {None}


def test_many_pixels_have_their_own_request(participant, monkeypatch):
    monkeypatch.setattr("yoked.app.web.live.MOST_BYTES_ALONG", 100)
    participant.get(participant.next()["frames"])
    address = f"{participant.base}/trials/0?pixels=yes"
    assert "pixels" not in participant.client.post(address, json=sent()).json["next"]
