"""The pages: consent, its languages and its record, and the completion code."""

import hashlib
import re
from dataclasses import replace

import pytest

from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import Texts

from .participant import N_TRIALS, Participant, agreement, log, rows, served

TABLES = ("protocols", "observers", "sessions", "trials", "events", "participations")


def contents(db_path) -> dict[str, list[tuple]]:
    return {table: rows(db_path, f"SELECT * FROM {table}") for table in TABLES}


def test_reading_and_declining_store_nothing(client, db_path):
    assert "I agree" in client.get("/").text
    assert "Nothing was stored" in client.get("/declined").text
    assert client.get("/sessions").status_code == 405
    assert client.head("/").status_code == 200
    assert not any(contents(db_path).values())


def test_no_get_changes_anything(participant, db_path):
    participant.respond(participant.next())
    before = contents(db_path)
    for path in ("", "/next", "/done", "/trials/1/frames", "/trials/0", "/display"):
        participant.get(participant.base + path)
    participant.get("/healthz")
    assert contents(db_path) == before


def test_a_consent_is_stored_with_its_text_and_time(participant, protocol, db_path):
    ((version, at, language),) = rows(
        db_path, "SELECT consent_version, consented_at, language FROM participations"
    )
    text = protocol.texts.consent["en"]
    assert version == hashlib.sha256(text.encode()).hexdigest()
    assert at.startswith("20")
    assert language == "en"


def test_a_consent_to_another_text_is_refused(client, db_path):
    for form in ({"language": "en", "consent_version": "0"}, {"language": "xx"}, {}):
        reply = client.post("/sessions", data=form)
        assert reply.status_code == 409
        assert "Please read it again" in reply.text
    assert contents(db_path)["sessions"] == []


def test_texts_come_in_the_language_asked_for(db_path, protocol):
    consent = {"en": "# Taking part", "de": "# Teilnahme"}
    texts = Texts(consent=consent, instructions={"de": "Los"}, debrief={})
    with served(db_path, replace(protocol, texts=texts)) as app:
        client = app.test_client()
        german = client.get("/", headers={"Accept-Language": "de-AT,de"})
        assert "Teilnahme" in german.text
        assert "Teilnahme" in client.get("/?language=de").text
        assert "Taking part" in client.get("/?language=fr").text


def test_a_protocol_s_text_cannot_bring_scripts(db_path, protocol):
    consent = {"en": "<script>alert(1)</script> [x](javascript:alert(1))"}
    with served(db_path, replace(protocol, texts=Texts(consent=consent))) as app:
        page = app.test_client().get("/").text
    assert "<script>" not in page
    assert page.count("<script") == 2  # our own: the page's data and its module
    assert 'href="javascript' not in page


def test_the_token_is_long_and_only_its_hash_is_stored(participant, db_path):
    assert len(participant.token) >= 32  # 6 bits a character
    ((stored,),) = rows(db_path, "SELECT token_hash FROM participations")
    assert stored == hashlib.sha256(participant.token.encode()).hexdigest()
    files = db_path.parent.glob(f"{db_path.name}*")
    assert not any(participant.token.encode() in file.read_bytes() for file in files)


def test_the_code_comes_after_the_last_trial_and_stays_the_same(participant, db_path):
    early = participant.get(f"{participant.base}/done")
    assert early.status_code == 302
    assert early.location == participant.base
    participant.finish()
    ((code, outcome),) = rows(
        db_path, "SELECT completion_code, outcome FROM participations"
    )
    assert code.encode() not in participant.sent
    assert participant.get(participant.base).location == f"{participant.base}/done"
    pages = [participant.get(f"{participant.base}/done").text for _ in range(2)]
    assert pages[0] == pages[1]
    assert outcome == "screened out"  # always the first key
    assert f"S-{code}" in pages[0]
    assert f"All {N_TRIALS} trials are stored" in pages[0]
    assert rows(db_path, "SELECT status FROM sessions") == [("finished",)]


def test_who_goes_back_and_agrees_again_finds_the_session(participant, db_path):
    participant.respond(participant.next())
    for _ in range(2):
        again = participant.client.post("/sessions", data=participant.form)
        assert again.location == participant.base
    assert participant.next()["trial"] == 1
    assert rows(db_path, "SELECT count(*) FROM sessions") == [(1,)]


def test_a_page_without_its_token_begins_nothing(client, db_path):
    form = agreement(client.get("/").text)
    for token in ("", "x", "<script>"):
        reply = client.post("/sessions", data={**form, "token": token})
        assert reply.status_code == 400
        assert "Please load it again" in reply.text
    assert contents(db_path)["sessions"] == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "http://["},
    ],
)
def test_another_site_begins_no_session_in_a_visitor_s_name(client, db_path, headers):
    form = agreement(client.get("/").text)
    reply = client.post("/sessions", data=form, headers=headers)
    assert reply.status_code == 403
    assert "Please open it first" in reply.text
    assert contents(db_path)["sessions"] == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://behind.a.proxy"},
        {"Origin": "http://localhost"},
        {"Origin": "null"},
        {},
    ],
)
def test_the_study_s_own_page_begins_a_session(client, headers):
    form = agreement(client.get("/").text)
    assert client.post("/sessions", data=form, headers=headers).status_code == 303


def test_declining_has_a_code_of_its_own_that_stores_nothing(client, db_path):
    pages = [client.get("/declined").text for _ in range(2)]
    assert pages[0] == pages[1]
    assert re.search(r'id="completion-code">N-[A-Z2-9]{10}<', pages[0])
    assert not any(contents(db_path).values())


def test_flicker_is_warned_of_before_consent(db_path, protocol):
    movie = load_protocol("movie-bar")
    with served(db_path, movie) as app:
        page = app.test_client().get("/").text
    assert "30 pictures a second, up to 7 flashes within a second" in page
    assert page.index("photosensitive epilepsy") < page.index("Taking part")


def test_without_flicker_there_is_no_warning(client):
    assert "photosensitive" not in client.get("/").text


def test_without_javascript_the_page_says_so(client):
    page = client.get("/").text
    assert "<h2>This task needs JavaScript</h2>" in page.partition("<noscript>")[2]


def test_a_link_to_no_session_gets_a_page(client):
    for path in ("/session/nope", "/session/nope/done", "/nowhere"):
        reply = client.get(path)
        assert reply.status_code == 404
        assert "<h1>There is nothing here</h1>" in reply.text
    assert client.get("/session/nope/next").json["error"].startswith("This link leads")


def test_a_withdrawn_session_is_over(db_path, protocol):
    with served(db_path, protocol) as app:
        participant = Participant(app.test_client())
    with log(db_path) as store:
        store.withdraw(store.sessions()[0].id)
    with served(db_path, protocol) as app:
        participant.client = app.test_client()
        assert participant.get(participant.base).status_code == 410
        reply = participant.get(f"{participant.base}/next")
        assert "was withdrawn" in reply.json["error"]
