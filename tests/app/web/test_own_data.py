"""All that is kept of one person: handed to them, whole, and to nobody else."""

import io
import json
import re
import zipfile

import pytest

from yoked.app.studies.inventory import NOT_OF_PEOPLE, TABLES
from yoked.app.studies.tokens import hash_of_token
from yoked.app.web.host import CODES_AT_ONCE

from .participant import N_TRIALS, Participant, rows, served, short_protocol
from .test_studies import put, serving
from .test_withdrawal import DIGEST, NAME, RT_MS, somebody, study

__all__ = ["study"]  # the fixture


def opened(reply) -> tuple[dict, dict[str, str]]:
    """Give the JSON of a reply, and the other files of its archive."""
    assert reply.status_code == 200
    assert reply.mimetype == "application/zip"
    with zipfile.ZipFile(io.BytesIO(reply.data)) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    return json.loads(files.pop("data.json")), files


def code_of(participant) -> str:
    done = participant.get(f"{participant.base}/done").text
    (code,) = re.findall('id="withdrawal-code">([^<]*)<', done)
    return code


@pytest.fixture
def client(db_path, study):
    put(db_path, study)
    with serving(db_path) as client:
        yield client


def test_it_is_all_that_the_database_has_of_them(client, db_path):
    person, other = somebody(client), somebody_else(client)
    person.finish()
    data, files = opened(person.get(f"{person.base}/my-data.zip"))
    had = {name: table["rows"] for name, table in data["tables"].items()}
    (session,) = [row["session"] for row in had["participations"]]
    key = had["sessions"][0]["key"]
    mine = {
        "enrolments": f"token_hash = '{hash_of_token(person.token)}'",
        "external_ids": f"id = '{NAME}'",
        "participations": f"session = '{session}'",
        "consents": "1 = 1",
        "observers": "id = 1",
        "sessions": f"id = '{session}'",
        **dict.fromkeys(("trials", "events", "exclusions"), f"session = {key}"),
    }
    for name, where in mine.items():
        query = f"SELECT * FROM {name} WHERE {where}"
        assert [tuple(row.values()) for row in had[name]] == rows(db_path, query), name
    assert len(had["trials"]) == files["trials.csv"].count("\n") - 1 == N_TRIALS + 1
    assert (had["trials"][0]["rt_ms"], had["trials"][0]["digest"]) == (RT_MS, DIGEST)
    assert files["consent.txt"] == had["consents"][0]["text"]
    assert data["arm"] == "all"
    content = json.dumps(data) + "".join(files.values())
    assert hash_of_token(other.token) not in content
    assert rows(db_path, "SELECT id FROM sessions WHERE key = 2")[0][0] not in content


def somebody_else(client):
    other = Participant(client, "/study/bars?PROLIFIC_PID=6b2c88bb02")
    other.respond(other.next())
    return other


def test_a_code_fetches_the_same_and_deletes_nothing(client, db_path):
    person = somebody(client)
    person.finish()
    code = code_of(person)
    by_link, _ = opened(person.get(f"{person.base}/my-data.zip"))
    assert "Fetch my data" in client.get("/my-data").text
    by_code, _ = opened(client.post("/my-data", data={"code": code.lower()}))
    assert by_code["tables"] == by_link["tables"]
    assert rows(db_path, "SELECT count(*) FROM trials") == [(N_TRIALS + 1,)]


def test_after_a_withdrawal_it_is_what_is_left(client):
    person = somebody(client)
    person.finish()
    code = code_of(person)
    client.post("/withdraw", data={"code": code})
    data, _ = opened(client.post("/my-data", data={"code": code}))
    had = {name: table["rows"] for name, table in data["tables"].items()}
    assert not any(had[name] for name in ("trials", "events", "external_ids"))
    assert had["enrolments"][0]["outcome"] == "withdrawn"
    assert [row["session"] for row in had["tombstones"]] == [had["sessions"][0]["id"]]


def test_a_server_of_one_protocol_gives_it_too(db_path):
    with served(db_path, short_protocol()) as app:
        person = Participant(app.test_client())
        person.finish()
        data, files = opened(person.get(f"{person.base}/my-data.zip"))
    assert data["study"] is data["arm"] is None
    assert len(data["tables"]["trials"]["rows"]) == N_TRIALS
    assert files["consent.txt"]


def test_codes_cannot_be_tried_out(client):
    clock = client.application.extensions["yoked"]._codes
    clock._clock = lambda: 0.0
    clock._seen = 0.0
    wrong = {"code": "AAAA-BBBB-CCCC-DDDD"}
    replies = [client.post("/my-data", data=wrong) for _ in range(CODES_AT_ONCE + 1)]
    assert [reply.status_code for reply in replies] == [404] * CODES_AT_ONCE + [429]
    assert client.post("/withdraw", data=wrong).status_code == 429  # one budget


def test_a_link_of_nobody_and_another_site_fetch_nothing(client):
    assert client.get(f"/session/{'x' * 32}/my-data.zip").status_code == 404
    person = somebody(client)
    person.finish()
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    form = {"code": code_of(person)}
    assert client.post("/my-data", data=form, headers=elsewhere).status_code == 403


def test_every_table_and_column_of_the_server_is_told_of(client, db_path):
    tables = [
        name
        for (name,) in rows(
            db_path, "SELECT name FROM sqlite_master WHERE type = 'table'"
        )
    ]
    assert set(tables) == {*TABLES, *NOT_OF_PEOPLE}, (
        "a table must be in app/studies/inventory.py: why it is kept, how long, who "
        "sees it, whose its rows are; or in NOT_OF_PEOPLE"
    )
    for name, table in TABLES.items():
        columns = [
            row[1]
            for row in rows(db_path, f"SELECT * FROM pragma_table_info('{name}')")
        ]
        assert set(table.columns) == set(columns), f"columns of {name}"
        assert all(each.strip() for each in table.columns.values())
