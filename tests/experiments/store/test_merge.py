"""Merging: complete, idempotent, all or nothing; whatever contradicts is refused."""

import contextlib
import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from yoked.experiments.session.session import Session
from yoked.experiments.store.file import open_to_read
from yoked.experiments.store.merge import merge
from yoked.experiments.store.merge_sessions import SESSION_COLUMNS, MergeConflict
from yoked.experiments.store.rows import ObserverInfo
from yoked.experiments.store.schema import APPLICATION_ID, VERSION
from yoked.experiments.store.sqlite import StoreError, open_store
from yoked.experiments.store.trial import Response
from yoked.experiments.store.trial_columns import TRIAL_COLUMNS

TABLES = ("protocols", "observers", "sessions", "trials", "exclusions", "events")


@pytest.fixture
def short(protocol):
    """Return a protocol of 22 trials (2 catch), so that sessions are soon finished."""
    return protocol.with_options(trials=20, contrast=0.227)


@pytest.fixture
def two_labs(tmp_path, short):
    """Return the databases of two machines, each with a person and a model."""
    paths = [tmp_path / "lab-1.db", tmp_path / "lab-2.db"]
    for number, path in enumerate(paths):
        with opened(path) as store:
            person = record(store, short, f"p{number}", seed=10 + number)
            store.add_event(person.id, "early key", {"key": "f"})
            store.add_event(person.id, "early key", {"key": "f"})
            store.exclude(person.id, [3], "maria", "phone rang")
            yoke(store, short, person.id, observer_seed=100 + number)
    return paths


@contextlib.contextmanager
def opened(path):
    store = open_store(path)
    try:
        yield store
    finally:
        store.close()


def record(store, protocol, name, seed=5, n=None, observer_seed=None):
    """Run a session of a person, all of it or `n` trials."""
    session = Session.start(
        *(store, protocol, ObserverInfo("person", name), "lab"),
        seed=seed,
        observer_seed=observer_seed,
        display={"lut": [0, 255], "refresh_hz": 60.0},
    )
    go_on(store, session.id, n)
    return session


def go_on(store, session_id, n=None, response=1):
    session = Session.resume(store, session_id)
    while (n is None or n > 0) and (specs := session.next_batch(1)):
        made = Response(response, rt_ms=300.25, onsets_ms=(0.0, 600.1))
        session.record(specs, [made])
        n = None if n is None else n - 1
    if session.is_complete:
        session.finish()


def yoke(store, protocol, session_id, observer_seed):
    model = ObserverInfo("model", "guesser", {"criterion": 0.5})
    session = Session.start(
        *(store, protocol, model, "model"),
        yoked_to=session_id,
        observer_seed=observer_seed,
    )
    go_on(store, session.id, response=0)
    return session


def content(path):
    """Return every row, with ids for keys, so that two files can be compared."""
    connection = sqlite3.connect(path)
    queries = {
        "protocols": "SELECT * FROM protocols",
        "observers": "SELECT kind, name, parameters, weights_hash FROM observers",
        "sessions": "SELECT s.id, o.kind, o.name, s.protocol, s.presenter, s.seed, "
        "s.observer_seed, s.noise_source, s.yoked_to, s.status, s.software, s.display, "
        "s.device, s.started_at, s.ended_at "
        "FROM sessions s JOIN observers o ON o.id = s.observer",
        "noise": "SELECT * FROM noise",
    }
    for table in ("trials", "exclusions", "events"):
        queries[table] = (
            f"SELECT s.id, t.* FROM {table} t JOIN sessions s ON s.key = t.session"
        )
    rows = {}
    for table, query in queries.items():
        cursor = connection.execute(query)
        skip = [i for i, c in enumerate(cursor.description) if c[0] == "session"]
        rows[table] = sorted(
            (
                tuple(value for i, value in enumerate(row) if i not in skip)
                for row in cursor
            ),
            key=repr,
        )
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()
    return rows


def together(*paths):
    """Return what a merge of files must hold."""
    parts = [content(path) for path in paths]
    return {
        table: sorted(
            {row for part in parts for row in part[table]}
            if table in ("protocols", "observers", "noise")
            else [row for part in parts for row in part[table]],
            key=repr,
        )
        for table in parts[0]
    }


def fingerprint(*paths):
    """Return the bytes' hashes of databases and of journals that hold data."""
    found = [path.with_name(path.name + end) for path in paths for end in ("", "-wal")]
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in found
        if path.exists() and path.stat().st_size
    }


def alter(path, statement, *values):
    """Change a row behind our back, as a faulty copy or another program might."""
    connection = sqlite3.connect(path)
    connection.execute("DROP TRIGGER IF EXISTS trials_never_change")
    connection.execute(statement, values)
    connection.commit()
    connection.close()


def refused(target, *sources):
    """Return the conflicts of a merge that must leave the target as it was."""
    before = content(target)
    with pytest.raises(MergeConflict, match="nothing was merged, because") as caught:
        merge(target, sources)
    assert content(target) == before
    return caught.value.conflicts


# What is merged ---------------------------------------------------------------------


def test_two_machines_become_one_file(tmp_path, two_labs):
    target = tmp_path / "all.db"
    report = merge(target, two_labs)
    assert content(target) == together(*two_labs)
    assert [(part.n_new, part.n_trials, part.n_events) for part in report] == [
        (2, 44, 2),
        (2, 44, 2),
    ]
    with opened(target) as store:
        assert [row.status for row in store.sessions()] == ["finished"] * 4


def test_a_merge_into_a_log_in_use_adds_to_it(tmp_path, two_labs):
    first, second = two_labs
    expected = together(first, second)
    merge(first, [second])
    assert content(first) == expected


def test_a_second_merge_changes_nothing(tmp_path, two_labs):
    target = tmp_path / "all.db"
    merge(target, two_labs)
    before = fingerprint(target)
    report = merge(target, two_labs)
    assert fingerprint(target) == before
    assert not any(part.is_change for part in report)
    assert [part.n_unchanged for part in report] == [2, 2]


def test_the_order_of_the_sources_does_not_matter(tmp_path, two_labs):
    merge(tmp_path / "forth.db", two_labs)
    merge(tmp_path / "back.db", two_labs[::-1])
    assert content(tmp_path / "forth.db") == content(tmp_path / "back.db")


def test_the_same_source_twice_counts_once(tmp_path, two_labs):
    target = tmp_path / "all.db"
    report = merge(target, [two_labs[0], two_labs[0]])
    assert [part.n_new for part in report] == [2, 0]
    assert content(target) == content(two_labs[0])


def test_sources_stay_as_they_are(tmp_path, two_labs):
    before = fingerprint(*two_labs)
    merge(tmp_path / "all.db", two_labs)
    assert fingerprint(*two_labs) == before


def test_a_source_in_use_is_read_with_its_journal(tmp_path, two_labs, short):
    with opened(two_labs[0]) as store:
        record(store, short, "p9", seed=77, n=4)
        before = fingerprint(two_labs[0])
        assert "lab-1.db-wal" in before
        merge(tmp_path / "all.db", two_labs[:1])
        assert fingerprint(two_labs[0]) == before
        assert content(tmp_path / "all.db") == content(two_labs[0])


def test_a_session_that_went_on_is_brought_up_to_date(tmp_path, short):
    source, target = tmp_path / "lab.db", tmp_path / "all.db"
    with opened(source) as store:
        session = record(store, short, "p1", n=7)
        store.exclude(session.id, [2], "maria", "phone rang")
    merge(target, [source])
    with opened(source) as store:
        store.set_display(session.id, {"lut": [0, 254]}, None)
        go_on(store, session.id)
        store.add_event(session.id, "pause", {"at_ms": 3})
        store.exclude(session.id, [9], "maria", "phone again")
    (part,) = merge(target, [source])
    assert (part.n_updated, part.n_trials) == (1, 15)
    assert (part.n_exclusions, part.n_events) == (1, 1)
    assert content(target) == content(source)
    assert not merge(target, [source])[0].is_change


def test_an_older_copy_takes_nothing_back(tmp_path, short):
    source, copy = tmp_path / "lab.db", tmp_path / "copy.db"
    with opened(source) as store:
        session = record(store, short, "p1", n=7)
    shutil.copy(source, copy)
    with opened(source) as store:
        go_on(store, session.id)
    before = content(source)
    assert not merge(source, [copy])[0].is_change
    assert content(source) == before


def test_a_merged_session_can_be_gone_on_with_and_yoked_to(tmp_path, short):
    source, target = tmp_path / "lab.db", tmp_path / "all.db"
    with opened(source) as store:
        session = record(store, short, "p1", n=7)
    merge(target, [source])
    with opened(target) as store:
        go_on(store, session.id)
        yoked = yoke(store, short, session.id, observer_seed=9)
        assert store.session(yoked.id).n_trials == 22
        stimuli = [
            [(r.spec.stimulus_id, r.spec.target) for r in store.trials(name)]
            for name in (session.id, yoked.id)
        ]
    assert stimuli[0] == stimuli[1]


def test_a_source_may_list_the_yoked_session_first(tmp_path, two_labs):
    # As after somebody rebuilt the file: the yoked session has the smaller key.
    connection = sqlite3.connect(two_labs[0])
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("DROP TRIGGER trials_never_change")
    for table, column in (("sessions", "key"), ("trials", "session")):
        connection.execute(f"UPDATE {table} SET {column} = -{column}")
    for table in ("events", "exclusions"):
        connection.execute(f"UPDATE {table} SET session = -session")
    connection.commit()
    connection.close()
    merge(tmp_path / "all.db", two_labs)
    assert content(tmp_path / "all.db") == together(*two_labs)


def test_an_observer_of_both_machines_is_one_observer(tmp_path, short):
    paths = [tmp_path / "a.db", tmp_path / "b.db"]
    for seed, path in enumerate(paths, 5):
        with opened(path) as store:
            record(store, short, "p1", seed=seed, n=2)
    merge(tmp_path / "all.db", paths)
    rows = content(tmp_path / "all.db")
    assert rows["observers"] == [("person", "p1", "{}", "")]
    assert len(rows["sessions"]) == 2


def test_equal_events_of_one_moment_are_all_kept(tmp_path, two_labs):
    statement = "INSERT INTO events SELECT session, at, kind, detail FROM events"
    alter(two_labs[0], statement)
    target = tmp_path / "all.db"
    merge(target, [two_labs[0]])
    assert content(target)["events"] == content(two_labs[0])["events"]
    assert not merge(target, [two_labs[0]])[0].is_change


def test_stored_noise_is_merged(tmp_path, two_labs):
    for path in two_labs:
        alter(path, "INSERT INTO noise VALUES ('ab', '[2]', 'int8', x'0102')")
    alter(two_labs[1], "INSERT INTO noise VALUES ('cd', '[1]', 'int8', x'03')")
    merge(tmp_path / "all.db", two_labs)
    assert content(tmp_path / "all.db")["noise"] == [
        ("ab", "[2]", "int8", b"\x01\x02"),
        ("cd", "[1]", "int8", b"\x03"),
    ]


@pytest.mark.parametrize("where", ["source", "target"])
def test_a_withdrawal_anywhere_is_a_withdrawal_everywhere(tmp_path, two_labs, where):
    target = tmp_path / "all.db"
    merge(target, two_labs)
    with opened(two_labs[0]) as store:
        person = store.sessions()[0].id
    with opened(two_labs[0] if where == "source" else target) as store:
        store.withdraw(person)
    merge(target, two_labs)
    with opened(target) as store:
        assert store.session(person).status == "withdrawn"
        assert store.trials(person) == []
        assert store.events(person) == []
        assert store.excluded(person) == set()
    assert not any(part.is_change for part in merge(target, two_labs))


def test_tables_of_the_web_task_stay_where_they_are(tmp_path, two_labs):
    from yoked.app.database import open_database
    from yoked.app.studies import participations
    from yoked.app.studies.tokens import new_token

    with opened(two_labs[0]) as store:
        person = store.sessions()[0].id
    open_database(two_labs[0]).close()
    token = new_token()
    with opened(two_labs[0]) as store, store.transaction(), store.beside() as beside:
        participations.add(beside, token, person, "en", "v1")
    report = merge(tmp_path / "all.db", two_labs)
    assert [part.stays for part in report] == [("participations",), ()]
    connection = sqlite3.connect(tmp_path / "all.db")
    query = "SELECT count(*) FROM sqlite_master WHERE name = 'participations'"
    assert connection.execute(query).fetchone() == (0,)
    connection.close()


def test_every_column_of_the_schema_is_merged(db_path):
    open_store(db_path).close()
    connection = sqlite3.connect(db_path)

    def columns(table):
        query = "SELECT name FROM pragma_table_info(?)"
        return [name for (name,) in connection.execute(query, [table])]

    assert set(columns("sessions")) == {"key", *SESSION_COLUMNS}
    assert set(columns("trials")) == {"session", *TRIAL_COLUMNS}
    assert columns("exclusions") == ["session", "trial", "by", "reason", "at"]
    assert columns("events") == ["session", "at", "kind", "detail"]
    assert columns("noise") == ["sha256", "shape", "dtype", "blob"]
    assert columns("protocols") == ["hash", "stimulus_hash", "name", "json"]
    connection.close()


# What is refused --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "value", "sentence"),
    [
        ("seed", 11, "has seed 11, but 10 in"),
        ("started_at", "2020", "has started_at '2020', but"),
        ("presenter", "web", "has presenter 'web', but 'lab' in"),
        ("display", "{}", "has display '{}', but"),
        ("software", "yoked 9", "has software 'yoked 9', but"),
        ("ended_at", "2020", "has ended_at '2020', but"),
    ],
)
def test_a_session_of_other_content_is_refused(
    tmp_path, two_labs, column, value, sentence
):
    target = tmp_path / "all.db"
    merge(target, two_labs)
    alter(two_labs[0], f"UPDATE sessions SET {column} = ? WHERE key = 1", value)
    (conflict,) = refused(target, *two_labs)
    assert sentence in conflict
    assert conflict.startswith(f"{two_labs[0]}: session ")


def test_a_session_of_another_observer_is_refused(tmp_path, two_labs):
    target = tmp_path / "all.db"
    merge(target, two_labs)
    alter(two_labs[0], "UPDATE observers SET name = 'p7' WHERE kind = 'person'")
    (conflict,) = refused(target, *two_labs)
    assert f"has name 'p7', but 'p0' in {target}" in conflict


def test_another_trial_under_a_number_is_refused(tmp_path, two_labs):
    target = tmp_path / "all.db"
    merge(target, two_labs)
    statement = "UPDATE trials SET response = 0 WHERE session = 1 AND trial IN (4, 9)"
    alter(two_labs[0], statement)
    conflicts = refused(target, *two_labs)
    assert [c.split(" has ")[1] for c in conflicts] == [
        f"trial {n} response 0, but 1 in {target}" for n in (4, 9)
    ]


def test_of_many_other_trials_the_first_are_listed(tmp_path, two_labs):
    target = tmp_path / "all.db"
    merge(target, two_labs)
    alter(two_labs[0], "UPDATE trials SET rt_ms = 1 WHERE session = 1")
    conflicts = refused(target, *two_labs)
    assert len(conflicts) == 6
    assert conflicts[-1].endswith("differs in 17 more trials")


def test_all_conflicts_are_listed_at_once(tmp_path, two_labs):
    target = tmp_path / "all.db"
    merge(target, two_labs)
    alter(two_labs[0], "UPDATE sessions SET seed = 1 WHERE key = 1")
    alter(two_labs[1], "UPDATE trials SET target = 1 - target WHERE trial = 2")
    conflicts = refused(target, *two_labs)
    assert [c.split(":")[0] for c in conflicts] == [
        str(path) for path in (two_labs[0], two_labs[1], two_labs[1])
    ]


def test_one_conflict_keeps_everything_out(tmp_path, two_labs, short):
    target = tmp_path / "all.db"
    merge(target, two_labs[:1])
    alter(two_labs[0], "UPDATE sessions SET seed = 1 WHERE key = 1")
    refused(target, two_labs[1], two_labs[0])


def test_conflicting_sources_make_no_target(tmp_path, two_labs):
    copy = tmp_path / "copy.db"
    shutil.copy(two_labs[0], copy)
    alter(copy, "UPDATE trials SET response = 0 WHERE session = 1 AND trial = 4")
    with pytest.raises(MergeConflict, match=f"response 0, but 1 in {two_labs[0]}"):
        merge(tmp_path / "all.db", [two_labs[0], copy])
    assert not list(tmp_path.glob("all.db*"))


def test_an_observer_seed_of_two_sessions_is_refused(tmp_path, short):
    paths = [tmp_path / "a.db", tmp_path / "b.db"]
    for seed, path in enumerate(paths, 5):
        with opened(path) as store:
            session = record(store, short, "p1", seed=seed, n=2, observer_seed=42)
            if path == paths[0]:
                first = session.id
    open_store(tmp_path / "all.db").close()
    (conflict,) = refused(tmp_path / "all.db", *paths)
    assert f"has observer_seed 42, which is that of {first}" in conflict


def test_another_protocol_of_the_same_hash_is_refused(tmp_path, two_labs):
    target = tmp_path / "all.db"
    merge(target, two_labs)
    other = json.dumps({"name": "another"})
    alter(two_labs[1], "UPDATE protocols SET json = ?", other)
    (conflict,) = refused(target, *two_labs)
    assert "has the hash of another one" in conflict


def test_other_noise_of_the_same_hash_is_refused(tmp_path, two_labs):
    target = tmp_path / "all.db"
    for number, path in enumerate(two_labs):
        blob = bytes([number])
        alter(path, "INSERT INTO noise VALUES ('ab', '[1]', 'int8', ?)", blob)
    open_store(target).close()
    (conflict,) = refused(target, *two_labs)
    assert "stored noise ab has the hash of another one" in conflict


def test_a_session_that_went_on_in_two_files_is_refused(tmp_path, short):
    source, target = tmp_path / "lab.db", tmp_path / "all.db"
    with opened(source) as store:
        session = record(store, short, "p1", n=7)
    merge(target, [source])
    for path, response in ((source, 1), (target, 0)):
        with opened(path) as store:
            go_on(store, session.id, n=2, response=response)
    conflicts = refused(target, source)
    assert "has trial 7 response 1, but 0 in" in conflicts[0]


def test_trials_that_each_file_alone_has_are_refused(tmp_path, short):
    source, target = tmp_path / "lab.db", tmp_path / "all.db"
    with opened(source) as store:
        record(store, short, "p1", n=7)
    merge(target, [source])
    alter(source, "UPDATE trials SET trial = 30 WHERE trial = 6")
    (conflict,) = refused(target, source)
    assert "went on in two files: trial 30 is only in this one, trial 6" in conflict


@pytest.mark.parametrize(
    ("finished", "sentence"),
    [
        ("target", "has trial 7, but is finished in"),
        ("source", "is finished, but has another trial 7 in"),
    ],
)
def test_a_finished_session_does_not_go_on(tmp_path, short, finished, sentence):
    source, target = tmp_path / "lab.db", tmp_path / "all.db"
    with opened(source) as store:
        session = record(store, short, "p1", n=7)
    merge(target, [source])
    ends, goes_on = (target, source) if finished == "target" else (source, target)
    alter(ends, "UPDATE sessions SET status = 'finished', ended_at = '2026'")
    with opened(goes_on) as store:
        go_on(store, session.id, n=2)
    (conflict,) = refused(target, source)
    assert sentence in conflict


def test_a_session_yoked_to_one_that_is_nowhere_is_refused(tmp_path, two_labs):
    open_store(tmp_path / "all.db").close()
    alter(two_labs[0], "UPDATE sessions SET yoked_to = '2020-01-01-abc' WHERE key = 2")
    (conflict,) = refused(tmp_path / "all.db", *two_labs)
    assert "is yoked to 2020-01-01-abc, which is in none of the files" in conflict


# Files ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["lab #1.db", "50% ready.db", "späte Sitzung.db"])
def test_a_source_may_have_any_name(tmp_path, two_labs, name):
    source = two_labs[0].rename(tmp_path / name)
    merge(tmp_path / "all?.db", [source])
    assert content(tmp_path / "all?.db") == content(source)


def test_the_target_is_no_source(two_labs):
    before = fingerprint(*two_labs)
    with pytest.raises(StoreError, match="a source must be another file than the"):
        merge(two_labs[0], [two_labs[1], two_labs[0]])
    assert fingerprint(*two_labs) == before


@pytest.mark.parametrize(
    ("case", "sentence"),
    [
        ("missing", "a database must exist, got "),
        ("empty", "must be a trial log of Yoked, got an empty file"),
        ("text", "got a file that is no SQLite database"),
        ("foreign", "got another program's SQLite database"),
        (
            "newer",
            f"of schema version {VERSION} or older, got 99; a newer Yoked",
        ),
        (
            "older",
            f"of schema version 1 to {VERSION}, got 0; a command that writes to it",
        ),
    ],
)
def test_a_source_that_is_not_ours_is_refused(tmp_path, two_labs, case, sentence):
    source = tmp_path / "source.db"
    if case == "empty":
        source.touch()
    elif case == "text":
        source.write_text("participant,response\n" * 100)
    elif case in ("foreign", "newer", "older"):
        connection = sqlite3.connect(source)
        connection.execute("CREATE TABLE recipes (name TEXT)")
        if case != "foreign":
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            version = 99 if case == "newer" else 0
            connection.execute(f"PRAGMA user_version = {version}")
        connection.commit()
        connection.close()
    before = source.read_bytes() if source.exists() else None
    with pytest.raises((StoreError, FileNotFoundError), match=sentence):
        merge(tmp_path / "all.db", [two_labs[0], source])
    assert (source.read_bytes() if source.exists() else None) == before
    assert not (tmp_path / "all.db").exists()


def test_a_target_that_is_not_ours_stays_as_it_is(tmp_path, two_labs):
    target = tmp_path / "notes.txt"
    target.write_text("not a database\n" * 100)
    with pytest.raises(StoreError, match="got a file that is no SQLite database"):
        merge(target, two_labs)
    assert target.read_text() == "not a database\n" * 100


_KILLED = """
import os, signal, sys
from yoked.experiments.store import merge_sessions
from yoked.experiments.store.merge import merge

n_left = int(sys.argv[1])
read = merge_sessions.trials

def trials(*arguments):
    global n_left
    for row in read(*arguments):
        n_left -= 1
        if n_left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        yield row

merge_sessions.trials = trials
merge(sys.argv[2], sys.argv[3:])
print("done")
"""


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is a POSIX signal")
@pytest.mark.parametrize("n_rows", [1, 30, 160, 4000])
def test_a_killed_merge_leaves_the_target_as_it_was(
    tmp_path, two_labs, protocol, n_rows
):
    target = tmp_path / "all.db"
    merge(target, two_labs[:1])
    with opened(two_labs[1]) as store:
        many = protocol.with_options(trials=5000, contrast=0.227)
        session = Session.start(store, many, ObserverInfo("model", "m"), "model")
        specs = session.next_batch(5000)
        session.record(specs, [Response(1, decision_variables=(0.1, 0.2))] * len(specs))
    before = content(target)
    command = [sys.executable, "-c", _KILLED, str(n_rows), str(target)]
    killed = subprocess.run(
        [*command, *map(str, two_labs)], capture_output=True, text=True, timeout=60
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert content(target) == before
    merge(target, two_labs)
    assert content(target) == together(*two_labs)


@pytest.fixture
def read_only(two_labs):
    """Return a database in a folder that this process may not write for the while."""
    if os.name == "nt":
        pytest.skip("folders have other rights on Windows")
    with tempfile.TemporaryDirectory() as outer:  # pytest's own is closed to others
        folder = Path(outer) / "archive"
        folder.mkdir()
        source = Path(shutil.copy(two_labs[0], folder))
        source.chmod(0o444)
        yield source
        folder.chmod(0o755)


@contextlib.contextmanager
def as_somebody_else(source):
    """Close the folder of a file, and be no longer root, who may write everywhere."""
    source.parent.parent.chmod(0o755)
    source.parent.chmod(0o555)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)
        source.parent.chmod(0o755)


def test_a_source_in_a_folder_that_cannot_be_written_is_read(read_only):
    with (
        as_somebody_else(read_only),
        contextlib.closing(open_to_read(read_only)) as log,
    ):
        assert log.execute("SELECT count(*) FROM trials").fetchone() == (44,)
    assert [path.name for path in read_only.parent.iterdir()] == ["lab-1.db"]


def test_a_journal_in_a_folder_that_cannot_be_written_is_not_passed_over(
    read_only, two_labs, short
):
    journal = read_only.with_name("lab-1.db-wal")
    with opened(two_labs[0]) as store:
        record(store, short, "p9", seed=77, n=4)
        shutil.copy(two_labs[0].with_name("lab-1.db-wal"), journal)
    with (
        as_somebody_else(read_only),
        pytest.raises(StoreError, match=r"copy lab-1\.db together with lab-1\.db-wal"),
    ):
        open_to_read(read_only)
