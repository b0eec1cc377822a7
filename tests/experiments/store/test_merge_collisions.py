"""Two machines made the same id: the session that comes in gets another, for good."""

import contextlib
import json
import sqlite3

import pytest
from click.testing import CliRunner

from yoked.app.cli import cli
from yoked.experiments.session.session import Session
from yoked.experiments.store import ids as made
from yoked.experiments.store.merge import merge
from yoked.experiments.store.merge_sessions import MergeConflict
from yoked.experiments.store.rows import ObserverInfo
from yoked.experiments.store.sqlite import open_store
from yoked.experiments.store.trial import Response

TAKEN, YOKED = "2026-01-10-kq7", "2026-01-10-z3m"


@pytest.fixture
def short(protocol):
    """Return a protocol that is soon finished."""
    return protocol.with_options(trials=6, contrast=0.227)


@pytest.fixture
def store():
    store = open_store(":memory:")
    yield store
    store.close()


@pytest.fixture
def labs(tmp_path, short):
    """Return three machines' files: their persons share an id, as do their models."""
    return [lab(tmp_path / f"lab-{n}.db", short, n) for n in (1, 2, 3)]


@contextlib.contextmanager
def opened(path):
    store = open_store(path)
    try:
        yield store
    finally:
        store.close()


def lab(path, protocol, number):
    """Make a file with a person and a model that is yoked to the person."""
    with opened(path) as store:
        person = ObserverInfo("person", f"p{number}")
        own = Session.start(store, protocol, person, "lab", seed=10 + number)
        go_on(store, own.id)
        store.exclude(own.id, [number], "maria", "phone rang")
        store.add_event(own.id, "early_key", {"trial": number})
        model = Session.start(
            *(store, protocol, ObserverInfo("model", "guesser"), "model"),
            yoked_to=own.id,
            observer_seed=100 + number,
        )
        go_on(store, model.id)
    rename(path, own.id, TAKEN)
    rename(path, model.id, YOKED)
    # Two machines never begin a session in the same millisecond; this test might.
    began = f"2026-01-10T0{number}:00:00.000+00:00"
    change(path, "UPDATE sessions SET started_at = ?", began)
    return path


def go_on(store, session_id, n=None):
    session = Session.resume(store, session_id)
    while (n is None or n > 0) and (specs := session.next_batch(1)):
        session.record(specs, [Response(1, rt_ms=300.0)])
        n = None if n is None else n - 1
    if session.is_complete:
        session.finish()


def rename(path, old, new):
    change(path, "UPDATE sessions SET id = ? WHERE id = ?", new, old)
    change(path, "UPDATE sessions SET yoked_to = ? WHERE yoked_to = ?", new, old)


def change(path, statement, *values):
    connection = sqlite3.connect(path)
    connection.execute(statement, values)
    connection.commit()
    connection.close()


def held(path):
    """Return what a file has, whatever ids its sessions go by."""
    found = {}
    with opened(path) as store:
        observers = {row.id: row.observer.name for row in store.sessions()}
        for row in store.sessions():
            key = (row.observer.name, row.seed)
            assert key not in found, f"{key} is there twice"
            found[key] = (
                observers.get(row.yoked_to),
                len(store.trials(row.id)),
                store.excluded(row.id),
                [e["detail"] for e in store.events(row.id) if e["kind"] == "early_key"],
            )
    return found


def ids(path):
    with opened(path) as store:
        return {(row.observer.name, row.seed): row.id for row in store.sessions()}


def test_sessions_of_one_id_are_both_kept_and_the_one_that_came_has_another(
    tmp_path, labs
):
    target = tmp_path / "all.db"
    report = merge(target, labs)
    expected = {}
    for path in labs:
        expected |= held(path)
    assert held(target) == expected
    assert [part.n_new for part in report] == [2, 2, 2]
    assert report[0].renamed == {}
    for part in report[1:]:
        assert set(part.renamed) == {TAKEN, YOKED}
        assert all(new.startswith(f"{old}-") for old, new in part.renamed.items())
    names = ids(target)
    assert names["p1", 11] == TAKEN
    assert names["p2", 12] == report[1].renamed[TAKEN]


def test_a_second_merge_finds_the_renamed_sessions_and_changes_nothing(tmp_path, labs):
    target = tmp_path / "all.db"
    first = merge(target, labs)
    before = held(target), ids(target)
    again = merge(target, labs)
    assert not any(part.is_change for part in again)
    assert [part.n_unchanged for part in again] == [2, 2, 2]
    assert [part.renamed for part in again] == [part.renamed for part in first]
    assert (held(target), ids(target)) == before


def test_a_renamed_session_that_goes_on_is_brought_up_to_date(tmp_path, short):
    paths = [tmp_path / "a.db", tmp_path / "b.db"]
    for number, path in enumerate(paths, 1):
        with opened(path) as store:
            person = ObserverInfo("person", f"p{number}")
            own = Session.start(store, short, person, "lab", seed=number)
            go_on(store, own.id, 2)
        rename(path, own.id, TAKEN)
        began = f"2026-01-10T0{number}:00:00.000+00:00"
        change(path, "UPDATE sessions SET started_at = ?", began)
    target = tmp_path / "all.db"
    merge(target, paths)
    with opened(paths[1]) as store:
        go_on(store, TAKEN)
        store.exclude(TAKEN, [4], "maria", "phone rang")
    (part,) = merge(target, paths[1:])
    assert (part.n_updated, part.n_new, part.n_exclusions) == (1, 0, 1)
    assert held(target) == held(paths[0]) | held(paths[1])


def test_merges_in_other_orders_come_together_without_doubles(tmp_path, labs):
    """Each order gives other sessions the plain id; nothing may be there twice."""
    forth, back = tmp_path / "forth.db", tmp_path / "back.db"
    merge(forth, labs)
    merge(back, labs[::-1])
    assert ids(forth) != ids(back)
    assert held(forth) == held(back)
    before = held(forth), ids(forth)
    (part,) = merge(forth, [back])
    assert (part.n_new, part.n_updated, part.n_unchanged) == (0, 0, 6)
    assert (held(forth), ids(forth)) == before


def test_a_withdrawal_of_a_renamed_session_is_carried_on(tmp_path, labs):
    target = tmp_path / "all.db"
    merge(target, labs[:2])
    with opened(labs[1]) as store:
        store.withdraw(TAKEN)
    merge(target, labs[:2])
    status = {}
    with opened(target) as store:
        for row in store.sessions():
            status[row.observer.name, row.seed] = row.status
    assert status["p2", 12] == "withdrawn"
    assert status["p1", 11] == "finished"


def test_the_same_session_with_another_seed_is_still_a_contradiction(tmp_path, labs):
    target = tmp_path / "all.db"
    merge(target, labs[:1])
    change(labs[0], "UPDATE sessions SET seed = 99 WHERE id = ?", TAKEN)
    with pytest.raises(MergeConflict, match="has seed 99, but 11 in"):
        merge(target, labs[:1])


def test_the_same_trials_with_another_start_are_still_a_contradiction(tmp_path, labs):
    target = tmp_path / "all.db"
    merge(target, labs[:1])
    change(labs[0], "UPDATE sessions SET started_at = '2020' WHERE id = ?", TAKEN)
    with pytest.raises(MergeConflict, match="has started_at '2020', but"):
        merge(target, labs[:1])


def test_the_command_says_which_session_has_another_id(tmp_path, labs):
    target = tmp_path / "all.db"
    arguments = ["merge", str(target), *map(str, labs[:2])]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    first, second = json.loads(result.stdout)
    assert first["renamed"] == {}
    new = second["renamed"][TAKEN]
    assert (
        f"{labs[1]}: session {TAKEN} is {new} in {target}, where another session has "
        f"that id." in result.stderr
    )


# New ids ----------------------------------------------------------------------------


def test_new_ids_have_eight_letters_after_the_day(store, short):
    own = Session.start(store, short, ObserverInfo("person", "p1"), "lab", seed=1)
    day, letters = own.id.rsplit("-", 1)
    assert len(day) == len("2026-01-10")
    assert len(letters) == 8
    assert set(letters) <= set(made.LETTERS)


def test_sixty_sessions_a_day_on_many_machines_do_not_collide_in_a_lifetime():
    """P = 1 - exp(-n (n - 1) / 2 N), for the n sessions of a day and N ids."""
    n_ids = len(made.LETTERS) ** made.N_LETTERS
    pairs_a_day = 60 * 59 / 2
    assert pairs_a_day / n_ids < 2.1e-9
    assert 50 * 365 * pairs_a_day / n_ids < 4e-5  # fifty years of such days
    assert 1000 * 999 / 2 / n_ids < 6e-7  # a day of a thousand


def test_an_id_that_is_taken_is_not_given_again(store, short, monkeypatch):
    drawn = iter("a" * 8 + "a" * 8 + "b" * 8)
    monkeypatch.setattr(made.secrets, "choice", lambda _: next(drawn))
    for letters in ("aaaaaaaa", "bbbbbbbb"):
        person = ObserverInfo("person", letters)
        own = Session.start(store, short, person, "lab", seed=ord(letters[0]))
        assert own.id.endswith(letters)
