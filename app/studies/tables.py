"""The tables of studies and participants, beside those of the trial log.

They live in the file of the trial log under migrations of their own; the trial log's
schema knows nothing of them, and they name sessions by their ids.
"""

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

migrations = Migrations("yoked-app")


@migrations(name="0001_participations")
def _participations(db: Database) -> None:
    db.execute(
        """
        CREATE TABLE participations (
            token_hash TEXT PRIMARY KEY,
            session TEXT NOT NULL UNIQUE REFERENCES sessions (id),
            language TEXT NOT NULL,
            consent_version TEXT NOT NULL,
            consented_at TEXT NOT NULL,
            completion_code TEXT NOT NULL UNIQUE
        ) STRICT
        """
    )


@migrations(name="0002_outcomes")
def _outcomes(db: Database) -> None:
    db.execute("ALTER TABLE participations ADD COLUMN outcome TEXT")
    db.execute("CREATE TABLE health (checked_at TEXT, filling BLOB) STRICT")


@migrations(name="0003_sittings")
def _sittings(db: Database) -> None:
    """Let one link lead to several sessions, one after the other."""
    db.execute("ALTER TABLE participations RENAME TO participations_2")
    db.execute(
        """
        CREATE TABLE participations (
            session TEXT PRIMARY KEY REFERENCES sessions (id),
            token_hash TEXT NOT NULL,
            sitting INTEGER NOT NULL,
            language TEXT NOT NULL,
            consent_version TEXT NOT NULL,
            consented_at TEXT NOT NULL,
            completion_code TEXT NOT NULL UNIQUE,
            outcome TEXT,
            UNIQUE (token_hash, sitting)
        ) STRICT
        """
    )
    kept = "session, token_hash, 1, language, consent_version, consented_at, "
    kept += "completion_code, outcome"
    db.execute(f"INSERT INTO participations SELECT {kept} FROM participations_2")
    db.execute("DROP TABLE participations_2")


# `enrolments` has one row for each person in a study (or at a server of one protocol,
# which has no row), `participations` one for each session of theirs; what may name a
# person stands in `external_ids` alone.
_STUDIES = """
CREATE TABLE studies (
    key INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, description TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('draft', 'open', 'paused', 'closed')),
    made_at TEXT NOT NULL
) STRICT;;
CREATE TABLE arms (
    study INTEGER NOT NULL REFERENCES studies (key), number INTEGER NOT NULL,
    name TEXT NOT NULL, weight INTEGER NOT NULL CHECK (weight > 0),
    "plan" TEXT, min_gap_hours REAL NOT NULL, protocols TEXT NOT NULL,
    keys TEXT NOT NULL,
    PRIMARY KEY (study, number), UNIQUE (study, name)
) STRICT, WITHOUT ROWID;;
CREATE TABLE links (
    key INTEGER PRIMARY KEY, token_hash TEXT NOT NULL UNIQUE,
    study INTEGER NOT NULL REFERENCES studies (key),
    label TEXT NOT NULL, is_pilot INTEGER NOT NULL CHECK (is_pilot IN (0, 1)),
    made_at TEXT NOT NULL, revoked_at TEXT
) STRICT;;
CREATE TABLE consents (
    version TEXT PRIMARY KEY, text TEXT NOT NULL
) STRICT;;
CREATE TABLE enrolments (
    key INTEGER PRIMARY KEY, token_hash TEXT NOT NULL UNIQUE,
    study INTEGER REFERENCES studies (key), arm INTEGER,
    is_pilot INTEGER NOT NULL CHECK (is_pilot IN (0, 1)),
    link INTEGER UNIQUE REFERENCES links (key), external_hash TEXT,
    begun_at TEXT NOT NULL, ended_at TEXT,
    outcome TEXT CHECK (outcome IN ('complete', 'screened out', 'withdrawn')),
    withdrawal_hash TEXT NOT NULL UNIQUE,
    FOREIGN KEY (study, arm) REFERENCES arms (study, number),
    UNIQUE (study, external_hash)
) STRICT;;
CREATE TABLE external_ids (
    enrolment INTEGER PRIMARY KEY REFERENCES enrolments (key),
    id TEXT NOT NULL, detail TEXT NOT NULL
) STRICT;;
CREATE TABLE tombstones (
    session TEXT PRIMARY KEY, at TEXT NOT NULL
) STRICT;;
CREATE INDEX enrolments_study ON enrolments (study)
"""


@migrations(name="0004_studies")
def _studies(db: Database) -> None:
    for statement in _STUDIES.split(";;"):
        db.execute(statement)


# What participants answer besides the task; `step` rises with each change of an answer,
# so that an old one that comes late changes nothing.
_QUESTIONNAIRES = """
CREATE TABLE answers (
    session TEXT NOT NULL REFERENCES sessions (id),
    questionnaire TEXT NOT NULL, question TEXT NOT NULL,
    answer TEXT, step INTEGER NOT NULL, language TEXT NOT NULL,
    answered_at TEXT NOT NULL, erased_at TEXT,
    PRIMARY KEY (session, questionnaire, question)
) STRICT, WITHOUT ROWID;;
CREATE TABLE questionnaires_done (
    session TEXT NOT NULL REFERENCES sessions (id),
    questionnaire TEXT NOT NULL, done_at TEXT NOT NULL,
    PRIMARY KEY (session, questionnaire)
) STRICT, WITHOUT ROWID
"""


@migrations(name="0005_questionnaires")
def _questionnaires(db: Database) -> None:
    for statement in _QUESTIONNAIRES.split(";;"):
        db.execute(statement)


@migrations(name="0006_models")
def _models(db: Database) -> None:
    """Let a link be a model's: it says which one, and how it decides."""
    db.execute("ALTER TABLE links ADD COLUMN model TEXT")


@migrations(name="0007_offsets")
def _offsets(db: Database) -> None:
    """Let a session say by how much its participant's clock is before UTC."""
    db.execute("ALTER TABLE participations ADD COLUMN utc_offset_min INTEGER")
