"""The tables of the trial log, and how an older file comes by what is new in them."""

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from .trial_columns import added_in

APPLICATION_ID = 0x594F4B44  # "YOKD", in the file's header
VERSION = 3  # of the schema, in the file's user_version

migrations = Migrations("yoked")

# The trial log as it began. A later column comes by a migration of its own.
_TRIAL_COLUMNS = ",\n    ".join(added_in(1))
_SCHEMA = f"""
CREATE TABLE protocols (
    hash TEXT PRIMARY KEY, stimulus_hash TEXT NOT NULL, name TEXT NOT NULL,
    json TEXT NOT NULL
) STRICT;;
CREATE TABLE observers (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL CHECK (kind IN ('person', 'model')),
    name TEXT NOT NULL, parameters TEXT NOT NULL, weights_hash TEXT NOT NULL,
    UNIQUE (kind, name, parameters, weights_hash)
) STRICT;;
CREATE TABLE sessions (
    key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
    protocol TEXT NOT NULL REFERENCES protocols (hash),
    observer INTEGER NOT NULL REFERENCES observers (id),
    presenter TEXT NOT NULL CHECK (presenter IN ('web', 'lab', 'model', 'import')),
    seed INTEGER NOT NULL, observer_seed INTEGER UNIQUE,
    noise_source TEXT NOT NULL, yoked_to TEXT REFERENCES sessions (id),
    status TEXT NOT NULL CHECK (status IN ('unfinished', 'finished', 'withdrawn')),
    software TEXT NOT NULL, display TEXT, device TEXT,
    started_at TEXT NOT NULL, ended_at TEXT
) STRICT;;
CREATE TABLE trials (
    session INTEGER NOT NULL REFERENCES sessions (key),
    {_TRIAL_COLUMNS},
    PRIMARY KEY (session, trial)
) STRICT, WITHOUT ROWID;;
CREATE TABLE exclusions (
    session INTEGER NOT NULL REFERENCES sessions (key), trial INTEGER NOT NULL,
    "by" TEXT NOT NULL, reason TEXT NOT NULL, at TEXT NOT NULL
) STRICT;;
CREATE TABLE events (
    session INTEGER NOT NULL REFERENCES sessions (key), at TEXT NOT NULL,
    kind TEXT NOT NULL, detail TEXT NOT NULL
) STRICT;;
CREATE TABLE noise (
    sha256 TEXT PRIMARY KEY, shape TEXT NOT NULL, dtype TEXT NOT NULL,
    blob BLOB NOT NULL
) STRICT;;
CREATE INDEX exclusions_session ON exclusions (session);;
CREATE INDEX events_session ON events (session);;
CREATE TRIGGER trials_never_change BEFORE UPDATE ON trials
BEGIN SELECT RAISE(ABORT, 'a stored trial must not change'); END;;
CREATE TRIGGER trials_stay BEFORE DELETE ON trials
WHEN (SELECT status FROM sessions WHERE key = OLD.session) <> 'withdrawn'
BEGIN SELECT RAISE(ABORT, 'a trial must not be deleted but by withdrawal'); END
"""


@migrations(name="0001_trial_log")
def _trial_log(db: Database) -> None:
    for statement in _SCHEMA.split(";;"):
        db.execute(statement)


@migrations(name="0002_offsets_and_showings")
def _offsets_and_showings(db: Database) -> None:
    for column in added_in(2):
        db.execute(f"ALTER TABLE trials ADD COLUMN {column}")


@migrations(name="0003_place_and_cue")
def _place_and_cue(db: Database) -> None:
    for column in added_in(3):
        db.execute(f"ALTER TABLE trials ADD COLUMN {column}")
