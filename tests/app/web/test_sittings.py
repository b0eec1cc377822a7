"""Several sittings online: one link, one consent, one sitting after the other."""

import contextlib
import re
import sqlite3
from dataclasses import replace

import pytest
from sqlite_utils import Database

from yoked.app.database import open_database
from yoked.app.studies import participations
from yoked.app.web.server import create_app
from yoked.experiments.protocols.sittings import SittingPlan
from yoked.experiments.session.sittings import planned_sitting

from .participant import Participant, log, rows, served


@pytest.fixture
def lenient(protocol):
    """Give a protocol whose rules nobody breaks in so few trials."""
    return replace(protocol, screening=replace(protocol.screening, min_trials=1000))


@pytest.fixture
def plan(lenient):
    return SittingPlan("bars", (lenient, lenient))


@contextlib.contextmanager
def arrived(db_path, plan):
    """Somebody who has agreed, at a server of the plan."""
    first = plan.protocols[0]
    with served(db_path, first, lut="identity", plan=plan) as app:
        yield Participant(app.test_client())


def again(participant):
    """Press the button of the page of thanks."""
    return participant.client.post(f"{participant.base}/next")


def test_one_link_leads_through_all_sittings(db_path, plan):
    with arrived(db_path, plan) as participant:
        participant.finish()
        page = participant.get(f"{participant.base}/done").text
        assert "Sitting 2 of 2" in page
        assert "Begin sitting 2" in page
        reply = again(participant)
        assert (reply.status_code, reply.location) == (303, participant.base)
        assert not participant.next()["done"]
        participant.finish()
        page = participant.get(f"{participant.base}/done").text
        assert "Begin sitting" not in page
    with log(db_path) as store:
        sessions = store.sessions()
        assert [row.status for row in sessions] == ["finished", "finished"]
        assert len({row.observer.name for row in sessions}) == 1
        assert len({row.seed for row in sessions}) == 2
        numbers = [planned_sitting(store, row.id).number for row in sessions]
    assert numbers == [1, 2]
    stored = rows(
        db_path, "SELECT sitting, consent_version, completion_code FROM participations"
    )
    assert [row[0] for row in stored] == [1, 2]
    assert stored[0][1] == stored[1][1]
    assert stored[0][2] != stored[1][2]  # each sitting is paid for by its own code


def test_a_button_that_is_pressed_twice_begins_one_sitting(db_path, plan):
    with arrived(db_path, plan) as participant:
        participant.finish()
        again(participant)
        assert again(participant).status_code == 303
    with log(db_path) as store:
        assert len(store.sessions()) == 2


def test_before_its_time_a_sitting_does_not_begin(db_path, plan):
    plan = replace(plan, min_gap_hours=12.0)
    with arrived(db_path, plan) as participant:
        participant.finish()
        page = participant.get(f"{participant.base}/done").text
        assert "Begin sitting" not in page
        assert re.search(r'<time id="ready-at" datetime="20\d\d-', page)
        reply = again(participant)
        assert reply.status_code == 409
        assert "The next sitting cannot begin yet" in reply.text
    with log(db_path) as store:
        assert len(store.sessions()) == 1


def test_no_sitting_begins_before_the_one_before_has_ended(db_path, plan):
    with arrived(db_path, plan) as participant:
        assert again(participant).status_code == 303  # back to the open one
    with log(db_path) as store:
        assert len(store.sessions()) == 1


def test_another_site_cannot_begin_a_sitting(db_path, plan):
    with arrived(db_path, plan) as participant:
        participant.finish()
        reply = participant.client.post(
            f"{participant.base}/next", headers={"Sec-Fetch-Site": "cross-site"}
        )
        assert reply.status_code == 403


def test_without_a_plan_nobody_is_asked_to_come_again(db_path, protocol):
    with served(db_path, protocol, lut="identity") as app:
        participant = Participant(app.test_client())
        participant.finish()
        assert "Sitting" not in participant.get(f"{participant.base}/done").text
        assert again(participant).status_code == 409


def test_sittings_must_ask_for_the_same_consent(db_path, protocol):
    texts = replace(protocol.texts, consent={"en": "# Another text"})
    plan = SittingPlan("p", (protocol, replace(protocol, texts=texts)))
    rule = "must be one for all arms and sittings, got another in sitting 2 of arm all"
    with pytest.raises(ValueError, match=rule):
        create_app(db_path, plan=plan)


def test_who_was_screened_out_is_not_asked_to_come_again(db_path, protocol):
    with arrived(db_path, SittingPlan("bars", (protocol, protocol))) as participant:
        participant.finish()
        page = participant.get(f"{participant.base}/done").text
        assert "screened out" in page
        assert "Sitting" not in page
        assert again(participant).status_code == 409


def test_links_of_an_earlier_version_lead_where_they_led(db_path, lenient):
    with served(db_path, lenient, lut="identity") as app:
        participant = Participant(app.test_client())
        participant.finish()
    with contextlib.closing(sqlite3.connect(db_path)) as connection:
        as_version_2(connection)
    with served(db_path, lenient, lut="identity") as app:
        participant.client = app.test_client()
        page = participant.get(f"{participant.base}/done").text
        assert "Your completion code" in page
    with contextlib.closing(sqlite3.connect(db_path)) as connection:
        (code,) = participations.codes(connection)
    assert (code["sitting"], code["outcome"]) == (1, "complete")


def as_version_2(connection: sqlite3.Connection) -> None:
    """Put the table of links back to what the version before sittings wrote."""
    columns = (
        "token_hash, session, language, consent_version, consented_at, "
        "completion_code, outcome"
    )
    script = f"""
        CREATE TABLE before (
            token_hash TEXT PRIMARY KEY,
            session TEXT NOT NULL UNIQUE REFERENCES sessions (id),
            language TEXT NOT NULL, consent_version TEXT NOT NULL,
            consented_at TEXT NOT NULL, completion_code TEXT NOT NULL UNIQUE,
            outcome TEXT) STRICT;
        INSERT INTO before SELECT {columns} FROM participations;
        DROP TABLE participations;
        ALTER TABLE before RENAME TO participations;
        DELETE FROM _sqlite_migrations WHERE name = '0003_sittings';
    """
    connection.executescript(script)
    assert "sitting" not in Database(connection).table("participations").columns_dict


def test_codes_of_a_file_of_the_version_before_are_listed(db_path, protocol):
    with served(db_path, protocol, lut="identity") as app:
        Participant(app.test_client()).finish()
    with contextlib.closing(sqlite3.connect(db_path)) as connection:
        as_version_2(connection)
        (code,) = participations.codes(connection)
    assert code["sitting"] == 1
    open_database(db_path).close()
