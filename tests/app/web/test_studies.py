"""Many studies on one server: who may begin, in which arm, and who may not."""

import contextlib
import itertools
import json
import re
import threading
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from yoked.app.database import open_database
from yoked.app.studies.arms import Arm
from yoked.app.studies.consent import Researcher
from yoked.app.studies.description import Recruitment, Study
from yoked.app.studies.kept import add_study, find_study, set_state
from yoked.app.studies.links import make_links, revoke_link
from yoked.app.web.server import create_app
from yoked.experiments.store.url import is_url

from .participant import (
    Participant,
    agreement,
    log,
    rows,
    short_protocol,
    slowly,
    where_to,
)

TOGETHER = 12


@pytest.fixture
def protocol():
    """Give a protocol whose screening nobody fails in so few trials."""
    short = short_protocol()
    return replace(short, screening=replace(short.screening, min_trials=1000))


@pytest.fixture
def db_path(place):
    """Make every test here in a file, and on a server."""
    return place


@pytest.fixture
def study(protocol):
    return Study("bars", arms=(Arm("all", (protocol,)),))


def put(db_path, study, state: str = "open") -> None:
    """Put a study into a database, in a state."""
    with contextlib.closing(open_database(db_path)) as store:
        add_study(store, study)
        if state != "draft":
            set_state(store, study.name, state)


def linked(db_path, name: str, n: int = 1, is_pilot: bool = False) -> list[str]:
    """Make links to a study; give their addresses."""
    with log(db_path) as store:
        key = find_study(store, name).key
        with store.transaction(), store.beside() as connection:
            tokens = make_links(connection, key, [""] * n, is_pilot)
    return [f"/join/{token}" for token in tokens]


@contextlib.contextmanager
def serving(db_path):
    """Serve the studies of a database, by a clock that takes ten seconds a look."""
    app = create_app(db_path, clock=itertools.count(0.0, 10.0).__next__)
    slowly(db_path)
    try:
        yield app.test_client()
    finally:
        app.extensions["yoked"].close()


def enrolled(db_path) -> list[tuple]:
    return rows(db_path, "SELECT arm, is_pilot, outcome FROM enrolments ORDER BY key")


def test_two_studies_are_served_at_their_own_addresses(db_path, study, protocol):
    other = replace(protocol, title="Other patterns")
    put(db_path, study)
    put(db_path, Study("others", arms=(Arm("all", (other,)),)))
    with serving(db_path) as client:
        assert "Other patterns" in client.get("/study/others").text
        for name in ("bars", "others"):
            Participant(client, f"/study/{name}").finish()
        assert client.get("/").status_code == 404
        assert client.get("/study/nothing").status_code == 404
    with log(db_path) as store:
        ran = {row.protocol_hash: row.status for row in store.sessions()}
    assert ran == {protocol.hash: "finished", other.hash: "finished"}
    assert enrolled(db_path) == [(0, 0, "complete")] * 2


def test_a_session_of_a_study_goes_on_at_a_server_that_starts_anew(db_path, study):
    put(db_path, study)
    with serving(db_path) as client:
        participant = Participant(client, "/study/bars")
        participant.respond(participant.next())
    with serving(db_path) as client:
        participant.client = client
        participant.finish()
        assert "Thank you" in participant.get(f"{participant.base}/done").text


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("draft", "has not begun yet"),
        ("paused", "takes nobody at the moment"),
        ("closed", "is over"),
    ],
)
def test_a_study_that_is_not_open_says_so_before_it_asks(
    db_path, study, state, sentence
):
    put(db_path, study, state)
    with serving(db_path) as client:
        page = client.get("/study/bars")
    assert page.status_code == 403
    assert sentence in page.text
    assert enrolled(db_path) == []


def test_who_has_begun_goes_on_while_a_study_is_paused_or_closed(db_path, study):
    put(db_path, study)
    with serving(db_path) as client:
        participant = Participant(client, "/study/bars")
        page = client.get("/study/bars")
        for state in ("paused", "closed"):
            with log(db_path) as store:
                set_state(store, "bars", state)
            assert participant.respond(participant.next()).status_code == 200
            # A page that was open since before is too late.
            late = client.post("/study/bars/sessions", data=agreement(page.text))
            assert late.status_code == 403
        participant.finish()
    assert enrolled(db_path) == [(0, 0, "complete")]


def test_consent_names_who_asks_and_its_text_is_kept(db_path, study):
    asks = Researcher("Dr. Ada Muster, Vision Lab", "ada@uni.example", "2026-17")
    put(db_path, replace(study, researcher=asks))
    with serving(db_path) as client:
        page = client.get("/study/bars").text
        Participant(client, "/study/bars")
    for fact in vars(asks).values():
        assert fact in page
    ((text, version),) = rows(
        db_path,
        "SELECT text, version FROM consents JOIN participations "
        "ON consent_version = version",
    )
    assert text.endswith("- **Ethics approval:** 2026-17")
    assert f'value="{version}"' in page


def test_a_personal_link_lets_one_person_in_once(db_path, study):
    put(db_path, replace(study, recruitment=Recruitment("links")))
    first, second = linked(db_path, "bars", 2)
    with serving(db_path) as client:
        assert client.get("/study/bars").status_code == 403
        for _ in range(3):  # previews of a message look at a link, too
            assert client.get(first).status_code == 200
        participant = Participant(client, first)
        # Opened again, at any device, it leads to the session that began.
        assert Participant(client, first).base == participant.base
        participant.finish()
        assert Participant(client, first).base == participant.base
        assert Participant(client, second).base != participant.base
    assert len(enrolled(db_path)) == 2


def test_a_link_that_was_revoked_or_made_up_leads_nowhere(db_path, study):
    put(db_path, study)
    (link,) = linked(db_path, "bars")
    with serving(db_path) as client:
        page = client.get(link).text
        with log(db_path) as store, store.transaction(), store.beside() as connection:
            revoke_link(connection, 1, 1)
        assert client.get(link).status_code == 404
        late = client.post(where_to(page), data=agreement(page))
        assert late.status_code == 403
        assert client.get("/join/" + "x" * 32).status_code == 404
        forged = {**agreement(page), "link": "y" * 32}
        assert client.post(where_to(page), data=forged).status_code == 403
    assert enrolled(db_path) == []


def test_a_pilot_counts_for_nothing_and_may_come_again(db_path, study):
    put(db_path, replace(study, quota=1), "draft")
    (pilot,) = linked(db_path, "bars", is_pilot=True)
    with serving(db_path) as client:
        for _ in range(2):
            Participant(client, pilot).finish()
        with log(db_path) as store:
            set_state(store, "bars", "open")
        Participant(client, "/study/bars").finish()
    assert enrolled(db_path) == [(0, 1, "complete")] * 2 + [(0, 0, "complete")]


PROLIFIC = Recruitment(
    "prolific",
    complete="https://app.prolific.com/submissions/complete?cc=C1",
    screened_out="https://app.prolific.com/submissions/complete?cc=S1",
    no_consent="https://app.prolific.com/submissions/complete?cc=N1",
)


def test_prolific_s_participant_comes_once_and_is_sent_back(db_path, study):
    put(db_path, replace(study, recruitment=PROLIFIC))
    came = "/study/bars?PROLIFIC_PID=5f3a&STUDY_ID=s1&SESSION_ID=n1"
    with serving(db_path) as client:
        assert client.get("/study/bars").status_code == 403  # no name of theirs
        participant = Participant(client, came)
        participant.respond(participant.next())
        # From another tab or device, and after the end, it is the same session.
        assert Participant(client, came).base == participant.base
        participant.finish()
        assert Participant(client, came).base == participant.base
        done = participant.get(f"{participant.base}/done").text
        assert f'href="{PROLIFIC.complete}"' in done
        declined = client.get("/study/bars/declined").text
        assert f'href="{PROLIFIC.no_consent}"' in declined
        Participant(client, came.replace("5f3a", "6b2c"))
    assert rows(db_path, "SELECT id, detail FROM external_ids ORDER BY enrolment")[
        0
    ] == (
        "5f3a",
        '{"STUDY_ID": "s1", "SESSION_ID": "n1"}',
    )
    hashes = rows(db_path, "SELECT external_hash FROM enrolments")
    assert len(set(hashes)) == 2
    assert not any("5f3a" in found for (found,) in hashes)


def test_a_name_of_somebody_stands_in_one_table_alone(db_path, study):
    put(db_path, replace(study, recruitment=PROLIFIC))
    with serving(db_path) as client:
        Participant(client, "/study/bars?PROLIFIC_PID=5f3a77aa").finish()
    tables = "SELECT name FROM sqlite_master WHERE type = 'table'"
    if is_url(db_path):
        tables = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
    names = [name for (name,) in rows(db_path, tables)]
    assert "trials" in names
    holding = [
        name
        for name in names
        if any(
            "5f3a77aa" in str(row) for row in rows(db_path, f'SELECT * FROM "{name}"')
        )
    ]
    assert holding == ["external_ids"]


def test_a_preview_of_mturk_begins_nothing(db_path, study):
    put(db_path, replace(study, recruitment=Recruitment("mturk")))
    preview = "/study/bars?assignmentId=ASSIGNMENT_ID_NOT_AVAILABLE&hitId=h"
    with serving(db_path) as client:
        page = client.get(preview)
        assert (page.status_code, "preview" in page.text) == (403, True)
        Participant(client, "/study/bars?workerId=W1&assignmentId=A1&hitId=h")
    assert len(enrolled(db_path)) == 1


def test_sona_s_credit_has_the_code_that_the_participant_came_with(db_path, study):
    credit = "https://uni.sona-systems.com/credit?token=t&survey_code={id}"
    put(db_path, replace(study, recruitment=Recruitment("sona", complete=credit)))
    with serving(db_path) as client:
        participant = Participant(client, "/study/bars?survey_code=1742")
        participant.finish()
        done = participant.get(f"{participant.base}/done").text
    assert "survey_code=1742" in done


def test_arms_fill_evenly_and_by_weight_though_all_arrive_at_once(db_path, protocol):
    slow = replace(protocol, timing=replace(protocol.timing, gap_ms=600))
    arms = (Arm("fast", (protocol,)), Arm("slow", (slow,), weight=2))
    put(db_path, Study("bars", quota=TOGETHER - 3, arms=arms))
    with serving(db_path) as client:
        replies = arrive_together(client.application, "/study/bars", TOGETHER)
    assert Counter(replies) == {303: TOGETHER - 3, 403: 3}
    assert Counter(arm for arm, *_ in enrolled(db_path)) == {0: 3, 1: 6}
    with log(db_path) as store:
        ran = Counter(row.protocol_hash for row in store.sessions())
    assert ran == {protocol.hash: 3, slow.hash: 6}


def arrive_together(app, path: str, n: int) -> list[int]:
    """Let so many agree at the same moment; give the replies' status codes."""
    clients = [app.test_client() for _ in range(n)]
    pages = [client.get(path).text for client in clients]
    at_once, replies = threading.Barrier(n), []

    def agree(client, page: str) -> None:
        at_once.wait(60)
        reply = client.post(where_to(page), data=agreement(page))
        replies.append(reply.status_code)

    threads = [
        threading.Thread(target=agree, args=pair)
        for pair in zip(clients, pages, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return replies


def test_a_place_is_given_to_another_after_its_lease_and_a_response_renews_it(
    db_path, study, monkeypatch
):
    put(db_path, replace(study, quota=1, lease_min=30))

    def it_is(minutes: float) -> None:
        for place in ("app.studies.enrolments", "experiments.session.scoring"):
            monkeypatch.setattr(f"yoked.{place}.utc_now", later(minutes))

    with serving(db_path) as client:
        left = Participant(client, "/study/bars")
        it_is(20)
        assert agrees(client) == 403
        left.respond(left.next())
        it_is(45)
        assert agrees(client) == 403
        it_is(55)
        assert agrees(client) == 303
        # Who comes back late is not sent away with half a session.
        left.finish()
    assert enrolled(db_path) == [(0, 0, "complete"), (0, 0, None)]


def later(minutes: float):
    """Give a time of day that is so much later."""

    def utc_now() -> str:
        at = datetime.now(UTC) + timedelta(minutes=minutes)
        return at.isoformat(timespec="milliseconds")

    return utc_now


def agrees(client) -> int:
    """Agree to the study; give the reply's status code."""
    page = client.get("/study/bars").text
    return client.post(where_to(page), data=agreement(page)).status_code


def test_an_arm_s_keys_are_those_of_its_participants(db_path, protocol):
    put(db_path, Study("bars", arms=(Arm("swapped", (protocol,), keys=("j", "f")),)))
    with serving(db_path) as client:
        participant = Participant(client, "/study/bars")
        page = participant.get(participant.base).text
        data = json.loads(re.search('id="page-data">(.*?)</script>', page)[1])
        assert [key["name"] for key in data["keys"]] == ["j", "f"]
        assert [key["code"] for key in data["keys"]] == ["KeyJ", "KeyF"]
    with log(db_path) as store:
        assert store.sessions()[0].display["keys"] == ["j", "f"]
