"""Exclusion and withdrawal by command: what counts, goes, and is refused."""

import pytest
from click.testing import CliRunner

import yoked
from yoked.app.cli import cli
from yoked.experiments.store.sqlite import open_store
from yoked.models.observers.guesser import Guesser
from yoked.models.simulate import run


@pytest.fixture
def session(db_path, protocol):
    store = open_store(db_path)
    made = run(protocol, Guesser(), store=store, seed=1, trials=40)
    store.close()
    return made.id


def command(*words, **options):
    return CliRunner().invoke(cli, [str(word) for word in words], **options)


def test_excluded_trials_stay_in_the_log_and_do_not_count(db_path, session):
    before = yoked.load_session(db_path, session)
    first, second = before.counted["trial"].tolist()[:2]
    reason = ("--reason", "the phone rang")
    assert command("exclude", db_path, session, first, second, *reason).exit_code == 0
    after = yoked.load_session(db_path, session)
    assert len(after.trials) == len(before.trials)
    assert len(after.counted) == len(before.counted) - 2
    assert not {first, second} & set(after.counted["trial"])


def test_a_trial_that_is_not_there_excludes_none(db_path, session):
    result = command("exclude", db_path, session, 0, 9999, "--reason", "none")
    assert result.exit_code == 1
    assert f"a trial must be in the log of {session}, which has" in result.output
    assert "got 9999" in result.output
    assert not yoked.load_session(db_path, session).trials["excluded"].any()


def test_a_withdrawn_session_has_no_trials_and_cannot_be_withdrawn_again(
    db_path, session
):
    asked = command("withdraw", db_path, session, input="n\n")
    assert asked.exit_code == 1
    assert "trials of" in asked.output
    assert len(yoked.load_session(db_path, session).trials)
    assert command("withdraw", db_path, session, "--yes").exit_code == 0
    found = yoked.load_session(db_path, session)
    assert (found.status, len(found.trials)) == ("withdrawn", 0)
    again = command("withdraw", db_path, session, "--yes")
    assert again.exit_code == 1
    assert "must be there, got it withdrawn" in again.output


@pytest.mark.parametrize(
    "words", [("exclude", "x", 0, "--reason", "r"), ("withdraw", "x")]
)
def test_an_unknown_session_gets_a_sentence(db_path, session, words):
    name, *rest = words
    result = command(name, db_path, *rest)
    assert result.exit_code == 1
    assert "x" in result.output
