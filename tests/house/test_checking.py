"""The checker of signatures (tests/checking.py): it sees what does not fit."""

import importlib.util
import inspect

import numpy as np
import pytest
from jaxtyping import TypeCheckError

from tests.checking import Loader, check_calls_of

MODULE = '''
import functools
import typing
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

if typing.TYPE_CHECKING:
    from nowhere import Unknown

Row = Float[np.ndarray, " column"]
Rows = Float[np.ndarray, "row column"]

def half(x: float, *, digits: int = 3) -> float:
    """Return half of it."""
    return round(x / 2, digits)

def as_text(x: float) -> str:
    return x

def added(a: Row, b: Rows) -> Rows:
    return a + b

def shortened(a: Row) -> Row:
    return a[1:]

def each(rows: list[Row]) -> int:
    return len(rows)

def first(n: int) -> Int[np.ndarray, " {n}"]:
    return np.arange(3)

def counted(n: int) -> Iterator[int]:
    yield from range(n)

def of_unknown(x: "Unknown", n: int) -> None:
    pass

@functools.cache
def cached(x: int) -> int:
    return x

@typing.no_type_check
def left_out(x: int) -> int:
    return x

def outer(x):
    def inner(y: int) -> int:
        return y
    return inner(x)

@dataclass(frozen=True)
class Point:
    x: int
    row: Row

    def times(self, n: int) -> int:
        return self.x * n

    @classmethod
    def at(cls, x: int) -> "Point":
        return cls(x, np.ones(2))

    @property
    def label(self) -> str:
        return self.x

class Longer(Point):
    pass
'''


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a module whose calls are checked."""
    path = tmp_path_factory.mktemp("checking") / "made.py"
    path.write_text(MODULE)
    loader = Loader("made", str(path))
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader("made", loader)
    )
    loader.exec_module(module)
    return module


def test_what_fits_goes_through(made):
    assert made.half(3, digits=1) == 1.5  # an int is a float
    assert made.added(np.ones(3), np.ones((2, 3))).shape == (2, 3)
    assert made.each([np.ones(2), np.ones(2)]) == 2
    assert made.first(3).tolist() == [0, 1, 2]
    assert list(made.counted(2)) == [0, 1]
    assert made.of_unknown("anything", 1) is None
    assert made.Point.at(2).times(3) == 6
    assert made.Longer(1, np.ones(1)).x == 1
    assert made.left_out("text") == "text"


@pytest.mark.parametrize(
    "wrong",
    [
        lambda m: m.half("3"),
        lambda m: m.half(3, digits=0.5),
        lambda m: m.as_text(3.0),
        lambda m: m.added(np.ones(3), np.ones((2, 4))),
        lambda m: m.added(np.ones((1, 3)), np.ones((2, 3))),
        lambda m: m.added(np.ones(3, int), np.ones((2, 3))),
        lambda m: m.shortened(np.ones(3)),
        lambda m: m.each([np.ones((2, 2))]),
        lambda m: m.first(2),
        lambda m: m.counted("2"),
        lambda m: m.of_unknown("anything", "1"),
        lambda m: m.cached("1"),
        lambda m: m.outer("1"),
        lambda m: m.Point("1", np.ones(2)),
        lambda m: m.Point(1, np.ones((2, 2))),
        lambda m: m.Point.at("1"),
        lambda m: m.Point.at(1).times("1"),
        lambda m: m.Point.at(1).label,
        lambda m: m.Longer("1", np.ones(2)),
    ],
)
def test_what_does_not_fit_is_seen(made, wrong):
    with pytest.raises(TypeCheckError):
        wrong(made)


def test_a_call_within_a_call_has_lengths_of_its_own(made):
    assert made.added(np.ones(3), made.added(np.ones(3), np.ones((5, 3)))).size == 15
    assert made.added(np.ones(2), np.ones((5, 2))).size == 10


def test_a_function_keeps_its_name_its_words_and_its_signature(made):
    assert made.half.__name__ == "half"
    assert made.half.__doc__ == "Return half of it."
    assert made.half.__annotations__ == {"x": float, "digits": int, "return": float}


def test_the_house_is_checked():
    import yoked
    from yoked.experiments.stimulus.render import render

    for function in (yoked.load_protocol, render):
        with pytest.raises(TypeCheckError):
            function(*[3] * len(inspect.signature(function).parameters))


def test_what_is_imported_already_cannot_be_checked():
    with pytest.raises(RuntimeError, match="numpy must not be imported yet"):
        check_calls_of("numpy")
