"""What leaves a study: its own log and nothing else, and names only where they must."""

import io
import json
import re
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from click.testing import CliRunner

from tests.app.exports.test_psych_ds import faults, warnings
from yoked.app.cli import cli
from yoked.app.exports.column_meanings import COLUMN_MEANINGS, STUDY_MEANINGS
from yoked.app.studies.arms import Arm
from yoked.app.studies.description import Study
from yoked.app.studies.kept import find_study
from yoked.app.studies.monitor import attending, clock_at
from yoked.app.studies.retention import erase_ids
from yoked.experiments.store.sqlite import open_store

from .participant import (
    Participant,
    agreement,
    log,
    rows,
    short_protocol,
    where_to,
)
from .test_studies import PROLIFIC, enrolled, linked, put, serving

NAME = "5f3a77aa91"


@pytest.fixture
def db_path(place):
    """Make every test here in a file, and on a server."""
    return place


@pytest.fixture
def lenient():
    short = short_protocol()
    return replace(short, screening=replace(short.screening, min_trials=1000))


@pytest.fixture
def served(db_path, lenient):
    """Two studies: one with two people and a pilot, another with one."""
    arms = (Arm("all", (lenient,)),)
    put(db_path, Study("bars", recruitment=PROLIFIC, arms=arms))
    put(db_path, Study("others", arms=arms))
    (pilot,) = linked(db_path, "bars", is_pilot=True)
    with serving(db_path) as client:
        done = Participant(client, f"/study/bars?PROLIFIC_PID={NAME}")
        done.finish()
        begun = Participant(client, "/study/bars?PROLIFIC_PID=6b2c88bb02")
        for response in (0, None, 1):
            begun.respond(begun.next(), response)
        tested = Participant(client, pilot)
        tested.finish()
        other = Participant(client, "/study/others")
        other.finish()
        page = done.get(f"{done.base}/done").text
        yield {"done": done, "begun": begun, "pilot": tested, "other": other}, page


def command(*arguments) -> str:
    """Run a command that must succeed; give what it printed."""
    result = CliRunner().invoke(cli, [str(each) for each in arguments])
    assert result.exit_code == 0, result.output
    return result.output


def secrets(db_path, people, page) -> list[str]:
    """List what no export may have: tokens, codes, hashes, names, consents, others."""
    codes = re.findall(r"[A-Z2-9]{4}(?:-[A-Z2-9]{4}){3}|[CS]-[A-Z2-9]{10}", page)
    hashes = [
        cell
        for query in (
            "SELECT token_hash, withdrawal_hash, external_hash FROM enrolments",
            "SELECT completion_code, consent_version FROM participations",
            "SELECT token_hash FROM links",
            "SELECT text FROM consents",
            "SELECT id FROM sessions ORDER BY key LIMIT 1000 OFFSET 2",
        )
        for row in rows(db_path, query)
        for cell in row
        if cell is not None
    ]
    found = [NAME, *codes, *hashes, *(each.token for each in people.values())]
    assert len(codes) == 2
    assert len(found) > 20
    return found


def test_a_study_s_log_has_its_trials_and_no_secret_and_no_other_study(
    db_path, served, tmp_path
):
    people, page = served
    out = tmp_path / "bars.db"
    command("study", "log", db_path, "bars", out)
    store = open_store(out, to_read=True)
    assert [row.n_trials for row in store.sessions()] == [16, 3]
    store.close()
    found = secrets(db_path, people, page)
    content = out.read_bytes()
    assert not [secret for secret in found if secret.encode() in content]
    assert rows(
        out, "SELECT count(*) FROM sqlite_master WHERE name = 'enrolments'"
    ) == [(0,)]


def taken(db_path, folder, ending: str, *options) -> bytes:
    """Export a study to a file; give what is in it, out of its archive."""
    out = folder / f"taken{ending}"
    command("study", "export", db_path, "bars", out, *options)
    if ending != ".zip":
        return out.read_bytes()
    with zipfile.ZipFile(out) as archive:
        assert archive.testzip() is None
        archive.extractall(folder / "psych-ds")
        return b"".join(archive.read(name) for name in archive.namelist())


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".zip"])
def test_a_study_s_files_have_no_secret_and_no_other_study(
    db_path, served, tmp_path, ending
):
    content = taken(db_path, tmp_path, ending)
    found = secrets(db_path, *served)
    assert not [secret for secret in found if secret.encode() in content]


def test_csv_and_parquet_have_the_same_trials(db_path, served, tmp_path):
    text = pd.read_csv(io.BytesIO(taken(db_path, tmp_path, ".csv", "--pilots")))
    typed = pd.read_parquet(io.BytesIO(taken(db_path, tmp_path, ".parquet")))
    assert list(text.columns) == list(typed.columns)
    assert {*typed.columns} == {*COLUMN_MEANINGS, *STUDY_MEANINGS}
    assert text.groupby("pilot").size().to_dict() == {0: 19, 1: 16}
    text = text[text["pilot"] == 0].reset_index(drop=True)
    assert len(typed) == 19
    assert not typed["pilot"].any()
    assert ("seed:" + typed["seed"].astype(str) == text["seed"]).all()
    for name in ("session", "trial", "block_kind", "contrast", "digest", "arm"):
        assert (typed[name] == text[name]).all()
    assert typed["rt_ms"].isna().sum() == text["rt_ms"].isna().sum() == 1
    assert [*map(list, typed["onsets_ms"])] == [*map(json.loads, text["onsets_ms"])]
    assert typed["valid"].dtype == bool


def test_the_zip_is_a_psych_ds_data_set_of_this_study(db_path, served, tmp_path):
    taken(db_path, tmp_path, ".zip")
    folder = tmp_path / "psych-ds"
    assert faults(folder) == warnings(folder) == []
    described = json.loads((folder / "dataset_description.json").read_text())
    assert described["description"].startswith("19 trials of 2 sessions")
    assert len(list((folder / "data").iterdir())) == 2


def test_a_file_s_kind_is_in_its_name(db_path, served, tmp_path):
    told = ["study", "export", str(db_path), "bars", str(tmp_path / "bars.txt")]
    result = CliRunner().invoke(cli, told)
    assert (result.exit_code, "must end in .csv" in result.output) == (2, True)


def test_pilots_come_along_only_when_they_are_asked_for(db_path, served, tmp_path):
    out = tmp_path / "bars.db"
    command("study", "log", db_path, "bars", out, "--pilots")
    assert rows(out, "SELECT count(*) FROM sessions") == [(3,)]
    again = CliRunner().invoke(cli, ["study", "log", str(db_path), "bars", str(out)])
    assert (again.exit_code, "must be a new file" in again.output) == (1, True)


def test_names_are_in_the_list_of_payments_and_in_no_other(db_path, served):
    paid = command("study", "payments", db_path, "bars", "--csv")
    assert NAME in paid
    assert re.search("C-[A-Z2-9]{10}", paid)
    for other in (
        ("study", "people", db_path, "bars", "--json"),
        ("study", "list", db_path, "--json"),
        ("sessions", db_path, "--json"),
        ("codes", db_path, "--json"),
    ):
        assert NAME not in command(*other)


def test_the_monitor_says_how_far_and_how_well(db_path, served):
    with log(db_path) as store, store.beside() as connection:
        found = attending(store, connection, find_study(store, "bars"))
    done, begun, pilot = found
    assert (done.status, done.outcome, done.n_trials) == ("finished", "complete", 16)
    assert done.n_planned == 16
    ((correct,),) = rows(
        db_path,
        "SELECT avg(correct) FROM trials WHERE session = 1 AND block_kind = 'main' "
        "AND valid = 1",
    )
    assert done.correct == pytest.approx(float(correct), abs=5e-5)
    assert (begun.status, begun.n_trials, begun.block) == (
        "unfinished",
        3,
        "calibration",
    )
    assert begun.missed == pytest.approx(1 / 3, abs=1e-4)
    assert begun.last_seen > begun.started_at
    assert (pilot.is_pilot, begun.is_pilot) == (True, False)


def test_the_monitor_says_what_time_it_was_there(db_path, lenient):
    put(db_path, Study("bars", arms=(Arm("all", (lenient,)),)))
    with serving(db_path) as client:
        for minutes in ("330", "", "soon", "99999"):
            page = client.get("/study/bars")
            form = {**agreement(page.text), "utc_offset_min": minutes}
            reply = client.post(where_to(page.text), data=form)
            # The same page, sent again from elsewhere, changes nothing.
            client.post(where_to(page.text), data={**form, "utc_offset_min": "-60"})
            assert reply.status_code == 303
    with log(db_path) as store, store.beside() as connection:
        first, *others = attending(store, connection, find_study(store, "bars"))
    assert first.utc_offset_min == 330
    assert first.seen_there.endswith("(UTC+5:30)")
    assert first.seen_there.startswith(clock_at(first.last_seen, 330)[:5])
    assert [each.utc_offset_min for each in others] == [-60] * 3
    assert first.last_seen.endswith("+00:00")  # what is stored is UTC


def test_names_are_erased_when_their_time_is_over(db_path, served):
    later = datetime.now(UTC) + timedelta(days=89.9)
    for days, left in ((0, 2), (0.2, 0)):
        with log(db_path) as store, store.transaction(), store.beside() as connection:
            kept = find_study(store, "bars")
            erase_ids(connection, kept, later + timedelta(days=days))
        assert rows(db_path, "SELECT count(*) FROM external_ids") == [(left,)]
    assert len(enrolled(db_path)) == 4  # that they were here stays


def test_a_server_erases_names_as_it_starts(db_path, lenient):
    arms = (Arm("all", (lenient,)),)
    put(db_path, Study("bars", recruitment=PROLIFIC, keep_ids_days=0, arms=arms))
    with serving(db_path) as client:
        Participant(client, f"/study/bars?PROLIFIC_PID={NAME}")
    with serving(db_path) as client:
        client.application.extensions["yoked"].close()  # waits for the tidier
        assert rows(db_path, "SELECT count(*) FROM external_ids") == [(0,)]


def test_a_study_is_made_and_run_by_commands(db_path, tmp_path):
    described = tmp_path / "study.toml"
    described.write_text('name = "bars"\n[[arms]]\nprotocol = "bar-in-noise"\n')
    command("study", "add", db_path, described)
    command("study", "state", db_path, "bars", "open")
    invited = command("study", "invite", db_path, "bars", "--n", 2, "--csv")
    links = re.findall(r"http\S+?/join/[\w-]{32}", invited)
    assert len(set(links)) == 2
    with serving(db_path) as client:
        Participant(client, links[0].removeprefix("http://127.0.0.1:8000"))
        command("study", "revoke", db_path, "bars", 2)
        gone = client.get(links[1].removeprefix("http://127.0.0.1:8000"))
        assert gone.status_code == 404
    listed = json.loads(command("study", "links", db_path, "bars", "--json"))
    assert [(row["used"], row["revoked_at"] is None) for row in listed] == [
        (True, True),
        (False, False),
    ]
    (row,) = json.loads(command("study", "list", db_path, "--json"))
    assert (row["state"], row["begun"], row["kept"], row["complete"]) == (
        "open",
        1,
        1,
        0,
    )
