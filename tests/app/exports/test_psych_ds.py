"""The Psych-DS folder: the standard's rules, and the data that went in.

The rules are those of Psych-DS 1.5.1: https://psychds-docs.readthedocs.io, "Rules and
Conventions", and schema_model/versions/jsons/1.5.1/schema.json in psych-ds/psych-DS.
"""

import csv
import json
import re

import pandas as pd
import pytest

from tests import ROOT
from yoked.app.exports.column_meanings import COLUMN_MEANINGS
from yoked.app.exports.psych_ds import data_names, write_psych_ds
from yoked.app.exports.trials_csv import SESSION_COLUMNS
from yoked.experiments.protocols.protocol import Protocol
from yoked.experiments.session.session import Session
from yoked.experiments.store.rows import ObserverInfo
from yoked.experiments.store.sqlite import open_store
from yoked.experiments.store.trial import Response
from yoked.experiments.store.trial_columns import TRIAL_COLUMNS

FILE_REGEX = r"([a-z]+-[a-zA-Z0-9]+)(_[a-z]+-[a-zA-Z0-9]+)*_data\.(csv|tsv)"
KEYWORDS = {
    "study", "site", "subject", "session", "task", "condition", "trial", "stimulus",
    "description",
}  # fmt: skip
# Properties of schema.org/Dataset and schema.org/PropertyValue that we may use.
OF_DATASET = {
    "@context", "@type", "name", "description", "schemaVersion", "temporalCoverage",
    "keywords", "variableMeasured",
}  # fmt: skip
OF_PROPERTY = {"@type", "name", "description", "unitText", "minValue", "maxValue"}


@pytest.fixture
def store(db_path):
    store = open_store(db_path)
    yield store
    store.close()


@pytest.fixture
def sessions(store, protocol):
    """Return three sessions, with a participant code that no file name can have."""
    short = protocol.with_options(trials=20, contrast=0.2)
    for seed, name in enumerate(("p-1", "p1", "Zoë/ü"), 5):
        session = Session.start(
            *(store, short, ObserverInfo("person", name), "lab"),
            seed=seed,
            device={"agent": "a computer's name"},
        )
        while specs := session.next_batch(1):
            response = Response(seed % 2, rt_ms=321.5, onsets_ms=(0.0, 600.25))
            session.record(specs, [response])
        session.finish()
    return store.sessions()


def faults(folder):
    """Return what the validator's rules of level "error" find."""
    found = []
    path = folder / "dataset_description.json"
    described = json.loads(path.read_bytes().decode("utf-8"))
    found += [f"no {k}" for k in ("name", "description") if not described.get(k)]
    if described.get("@context") not in ("http://schema.org/", "https://schema.org/"):
        found.append("no schema.org context")
    if described.get("@type") != "Dataset":
        found.append("no type Dataset")
    variables = described.get("variableMeasured", [])
    names = {v if isinstance(v, str) else v["name"] for v in variables}
    data = [path for path in (folder / "data").rglob("*") if path.is_file()]
    if not data:
        found.append("no data file")
    for path in data:
        if not re.fullmatch(FILE_REGEX, path.name):
            found.append(f"bad name {path.name}")
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        found += [f"{name} not in variableMeasured" for name in {*header} - names]
        if {len(row) for row in rows} - {len(header)}:
            found.append(f"{path.name} has rows of another length")
    return found


def warnings(folder):
    """Return what its rules of level "warning" find that can be avoided."""
    described = json.loads((folder / "dataset_description.json").read_text())
    found = [f"{name} of Dataset" for name in {*described} - OF_DATASET]
    for variable in described["variableMeasured"]:
        found += [f"{name} of PropertyValue" for name in {*variable} - OF_PROPERTY]
        if variable["@type"] != "PropertyValue":
            found.append("another type")
    for path in (folder / "data").iterdir():
        keys = {part.split("-")[0] for part in path.name.split("_")[:-1]}
        found += [f"keyword {key}" for key in keys - KEYWORDS]
    needed = ("README.md", "CHANGES.md", "materials")
    return found + [name for name in needed if not (folder / name).exists()]


def test_the_folder_follows_the_rules(store, sessions, tmp_path):
    folder = tmp_path / "shared"
    write_psych_ds(folder, store, sessions)
    assert faults(folder) == []
    assert warnings(folder) == []


def test_the_rules_see_what_is_wrong(store, sessions, tmp_path):
    folder = tmp_path / "shared"
    write_psych_ds(folder, store, sessions)
    (folder / "data" / "trials.csv").write_text("mood,trial\nglad,1,2\n")
    path = folder / "dataset_description.json"
    described = json.loads(path.read_text())
    path.write_text(json.dumps({**described, "name": "", "@type": "Thing"}))
    assert faults(folder) == [
        "no name",
        "no type Dataset",
        *(
            "bad name trials.csv",
            "mood not in variableMeasured",
            "trials.csv has rows of another length",
        ),
    ]


def test_the_data_are_the_trial_log(store, sessions, tmp_path):
    folder = tmp_path / "shared"
    store.exclude(sessions[0].id, [3], "maria", "phone rang")
    n_trials = write_psych_ds(folder, store, sessions)
    names = data_names(sessions)
    assert sorted(path.name for path in (folder / "data").iterdir()) == sorted(names)
    total = 0
    for session, name in zip(sessions, names, strict=True):
        table = pd.read_csv(folder / "data" / name)
        log = list(store.trial_rows(session.id))
        total += len(log)
        assert set(table["session"]) == {session.id}
        assert set(table["observer"]) == {session.observer.name}
        for column in TRIAL_COLUMNS:
            read = [None if pd.isna(v) else v for v in table[column]]
            assert read == [row[column] for row in log]
    assert n_trials == total
    first = pd.read_csv(folder / "data" / names[0])
    assert first["trial"][first["excluded"] == 1].tolist() == [3]


def test_every_column_is_described_once():
    assert list(COLUMN_MEANINGS) == [*SESSION_COLUMNS, *TRIAL_COLUMNS]


def test_the_documentation_names_every_column():
    page = (ROOT / "docs" / "trial-log.md").read_text()
    assert not [name for name in TRIAL_COLUMNS if name not in page]


def test_the_protocols_come_with_the_data(store, sessions, tmp_path):
    write_psych_ds(tmp_path / "shared", store, sessions)
    (path,) = (tmp_path / "shared" / "materials").iterdir()
    protocol = Protocol.from_dict(json.loads(path.read_text()))
    assert protocol.hash == sessions[0].protocol_hash
    assert protocol.hash[:12] in path.name


def test_of_people_and_computers_there_is_the_code_only(store, sessions, tmp_path):
    write_psych_ds(tmp_path / "shared", store, sessions)
    files = [path for path in (tmp_path / "shared").rglob("*") if path.is_file()]
    assert not [path for path in files if b"a computer's name" in path.read_bytes()]


def test_file_names_are_different_whatever_the_codes(sessions):
    names = data_names(sessions)
    assert len({name.lower() for name in names}) == 3
    assert names[0].startswith("subject-p1_session-")
    assert names[2].startswith("subject-Zo_session-")
    assert len({name.lower() for name in data_names([*sessions, sessions[0]])}) == 4


def test_a_withdrawn_session_is_left_out(store, sessions, tmp_path):
    store.withdraw(sessions[1].id)
    write_psych_ds(tmp_path / "shared", store, store.sessions())
    assert len(list((tmp_path / "shared" / "data").iterdir())) == 2
    for session in sessions:
        store.withdraw(session.id)
    with pytest.raises(ValueError, match="must have a session that was not withdrawn"):
        write_psych_ds(tmp_path / "none", store, store.sessions())
    assert not (tmp_path / "none").exists()


def test_an_empty_folder_is_filled_and_a_full_one_refused(store, sessions, tmp_path):
    folder = tmp_path / "shared"
    folder.mkdir()
    write_psych_ds(folder, store, sessions)
    before = sorted(folder.rglob("*"))
    with pytest.raises(FileExistsError, match="must not exist, or be an empty folder"):
        write_psych_ds(folder, store, sessions)
    assert sorted(folder.rglob("*")) == before


def test_a_folder_in_no_folder_is_refused(store, sessions, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"the folder of .* must exist"):
        write_psych_ds(tmp_path / "no" / "shared", store, sessions)


def test_an_export_that_fails_leaves_nothing(store, sessions, tmp_path, monkeypatch):
    def no_rows(_):
        raise OSError("disk full")

    monkeypatch.setattr(store, "trial_rows", no_rows)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(OSError, match="disk full"):
        write_psych_ds(tmp_path / "shared", store, sessions)
    assert sorted(tmp_path.iterdir()) == before
