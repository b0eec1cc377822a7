"""Signatures held against what is passed, in a function's first calls of each test.

To check every call takes more than half of the suite's time, nearly all of it in loops
whose later calls have the types of the first.
"""

import dataclasses
import functools
import inspect
from collections.abc import Callable
from types import CodeType
from typing import Any

import jaxtyping
from beartype import BeartypeConf, beartype

FIRST_CALLS = 2  # of a function in each test
# An int is a float, as PEP 484 says.
check = beartype(conf=BeartypeConf(is_pep484_tower=True))

_jaxtyped = jaxtyping.jaxtyped
_test = 0
_calls: dict[tuple[str, str, CodeType], list[int]] = {}  # test, and calls in it


def check_signatures(package: str) -> None:
    """Check the functions and dataclasses of a package that is imported from now on."""
    # jaxtyping's hook writes this name above each of them.
    jaxtyping.jaxtyped = _in_first_calls  # type: ignore[assignment]
    jaxtyping.install_import_hook(package, "tests.signatures.check")


def new_test() -> None:
    """Begin to count calls again."""
    global _test
    _test += 1


def _in_first_calls(*, typechecker: Callable) -> Callable[[Any], Any]:
    """Return jaxtyping's decorator, for the first calls of what it decorates."""

    def decorate(plain: Any) -> Any:
        if inspect.isclass(plain):
            if dataclasses.is_dataclass(plain) and "__init__" in vars(plain):
                plain.__init__ = decorate(plain.__init__)
            return plain
        for kind in (classmethod, staticmethod):
            if isinstance(plain, kind):
                return kind(decorate(plain.__func__))
        return _first_calls(plain, lambda: _jaxtyped(plain, typechecker=typechecker))

    return decorate


def _first_calls(plain: Callable, check: Callable[[], Callable]) -> Callable:
    """Give a function that is checked in the first calls of each test."""
    # A function within a function is made again and again; its code is one.
    name = plain.__module__, plain.__qualname__
    calls = _calls.setdefault((*name, plain.__code__), [_test, 0])
    checked = None  # made when it is called: most functions of a module never are

    @functools.wraps(plain)
    def call(*args: Any, **kwargs: Any) -> Any:
        nonlocal checked
        if calls[0] != _test:
            calls[:] = _test, 0
        calls[1] += 1
        if calls[1] > FIRST_CALLS:
            return plain(*args, **kwargs)
        checked = checked or check()
        return checked(*args, **kwargs)

    return call
