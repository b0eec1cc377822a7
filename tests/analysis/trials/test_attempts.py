"""Parts of an analysis: what cannot be told, what breaks, and how far it is."""

import numpy as np
import pytest

from tests.analysis.observers.linear import Linear, run, session, unit
from yoked.analysis.sessions import depths as module
from yoked.analysis.sessions.depths import depths
from yoked.analysis.trials.attempts import Attempts
from yoked.analysis.trials.estimate import CannotTell
from yoked.analysis.trials.held import Held


def broken():
    raise np.linalg.LinAlgError("the matrix was singular")


def untold():
    raise CannotTell("trials must be one or more, got none")


@pytest.fixture
def made():
    table, noise = run(Linear(unit([0, 1, 0])), "2afc", 300, 0.15, seed=3)
    return session(table, noise)


def test_a_refusal_is_missing_and_any_other_exception_a_fault():
    attempt = Attempts(["a", "b", "c"])
    assert (attempt("a", untold), attempt("b", broken)) == (None, None)
    assert attempt("c", lambda: 1) == 1
    assert attempt.missing["a"] == "trials must be one or more, got none"
    assert list(attempt.faults) == ["b"]
    assert "LinAlgError: the matrix was singular" in attempt.missing["b"]
    assert "in broken" in attempt.faults["b"].traceback


def test_progress_rises_to_the_number_of_parts():
    seen = []
    attempt = Attempts(["a", "b"], lambda *told: seen.append(told))
    attempt("a", lambda: attempt.within(1, 4))
    attempt("b", untold)
    assert seen == [
        ("a", 0.0, 2),
        ("a", 0.25, 2),
        ("a", 1.0, 2),
        ("b", 1.0, 2),
        ("b", 2.0, 2),
    ]


def test_a_part_that_breaks_takes_no_other_with_it(made, monkeypatch):
    monkeypatch.setattr(module, "kernel_test", lambda *_: broken())
    found = depths(made, orders=1)
    assert found.one.test is None
    assert found.one.fitted is not None
    assert list(found.faults) == ["one.test"]
    said = found.to_dict()
    assert said["faults"]["one.test"] == said["missing"]["one.test"]
    assert said["faults"]["one.test"].startswith("a fault of Yoked, please report it")


def test_a_session_is_read_once_however_often_it_is_asked(made):
    calls = []

    class Counting:
        name = made.noise.name

        def field(self, table, interval):
            calls.append((len(table), interval))
            return made.noise.field(table, interval)

    class Watched(type(made)):
        noise = Counting()

    watched = Watched.__new__(Watched)
    watched.__dict__.update(
        {key: value for key, value in vars(made).items() if key != "noise"}
    )
    held = Held.of(watched)
    assert Held.of(held) is held
    for _ in range(3):
        held.noise.field(held.responses.table, 0)
    np.testing.assert_array_equal(held.design.halves.shape[:2], (2, 300))
    assert sorted(call for call in calls if call[0] == 300) == [(300, 0), (300, 1)]
