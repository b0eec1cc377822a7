"""The writer: one thread, group commits, responses after the commit, failures told."""

import contextlib
import sqlite3
import threading

import pytest

from yoked.app.web.writer import Writer
from yoked.experiments.store.sqlite import open_store


@pytest.fixture
def store(db_path):
    store = open_store(db_path)
    yield store
    store.close()


@pytest.fixture
def writer(store):
    writer = Writer(store.transaction)
    yield writer
    writer.close()


def count(db_path) -> int:
    """Return the rows that another connection can see."""
    with contextlib.closing(sqlite3.connect(db_path)) as other:
        return other.execute("SELECT count(*) FROM noise").fetchone()[0]


def insert(store, name: str):
    """Return a job that writes one row."""
    row = (name, "[]", "int8", b"")
    return lambda: store._db.execute("INSERT INTO noise VALUES (?, ?, ?, ?)", row)


def held_jobs(writer, jobs) -> list:
    """Queue jobs while the writer is busy, so that they share one commit."""
    entered, gate = threading.Event(), threading.Event()
    outcomes: list = [None] * len(jobs)

    def hold() -> None:
        entered.set()
        gate.wait(10)

    def run(index: int) -> None:
        try:
            outcomes[index] = writer.run(jobs[index])
        except Exception as error:
            outcomes[index] = error

    holding = threading.Thread(target=writer.run, args=(hold,))
    holding.start()
    entered.wait(10)
    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(jobs))]
    for index, thread in enumerate(threads):
        thread.start()
        while writer._jobs.qsize() <= index:  # keep the order
            threading.Event().wait(0.001)
    gate.set()
    for thread in (holding, *threads):
        thread.join(10)
    return outcomes


def test_a_job_is_durable_when_it_returns(writer, store, db_path):
    writer.run(insert(store, "a"))
    assert count(db_path) == 1


def test_a_job_s_result_comes_back(writer):
    assert writer.run(lambda: "result") == "result"


def test_jobs_that_queue_up_share_one_commit(store, db_path):
    commits = []

    @contextlib.contextmanager
    def counted():
        is_outer = not store._db.conn.in_transaction
        with store.transaction():
            yield
        if is_outer:
            commits.append(count(db_path))

    writer = Writer(counted)
    held_jobs(writer, [insert(store, str(i)) for i in range(20)])
    writer.close()
    assert commits == [0, 20]  # the job that held the thread, then all others


def test_no_job_is_acknowledged_before_its_commit(writer, store, db_path):
    seen_inside = []

    def look() -> None:
        seen_inside.append(count(db_path))

    held_jobs(writer, [insert(store, "a"), look])
    assert seen_inside == [0]
    assert count(db_path) == 1


def test_a_job_that_fails_undoes_its_own_writes_only(writer, store, db_path):
    def half() -> None:
        insert(store, "half")()
        raise ValueError("this job must fail")

    jobs = [insert(store, "a"), half, insert(store, "b")]
    first, failure, last = held_jobs(writer, jobs)
    assert isinstance(failure, ValueError)
    assert not isinstance(first, Exception)
    assert not isinstance(last, Exception)
    assert count(db_path) == 2


def test_a_database_that_fails_fails_its_whole_group(writer, store, db_path):
    bad = lambda: store._db.execute("INSERT INTO nowhere VALUES (1)")  # noqa: E731
    outcomes = held_jobs(writer, [insert(store, "a"), bad, insert(store, "b")])
    assert all(isinstance(outcome, sqlite3.OperationalError) for outcome in outcomes)
    assert count(db_path) == 0
    writer.run(insert(store, "a"))  # it goes on
    assert count(db_path) == 1


def test_a_full_disk_is_told_to_everybody_in_the_group(writer, store, db_path):
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count = {pages}")
    large = ("large", "[]", "int8", bytes(10**6))
    fill = lambda: store._db.execute("INSERT INTO noise VALUES (?, ?, ?, ?)", large)  # noqa: E731
    outcomes = held_jobs(writer, [insert(store, "a"), fill])
    assert all("full" in str(outcome) for outcome in outcomes)
    assert count(db_path) == 0


def test_closing_finishes_what_is_queued(store, db_path):
    writer = Writer(store.transaction)
    held_jobs(writer, [insert(store, str(i)) for i in range(5)])
    writer.close()
    writer.close()  # twice is once
    assert count(db_path) == 5


def test_a_closed_writer_refuses(store):
    writer = Writer(store.transaction)
    writer.close()
    with pytest.raises(RuntimeError, match="writer must be open, got a closed one"):
        writer.run(lambda: None)
