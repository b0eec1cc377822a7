"""Functions compiled by Numba, kept on disk where there is a place for that.

Numba's own `cache=True` refuses to compile in an installation that cannot be written
without a home folder, and fails in the middle of a call where the disk is full.
"""

import contextlib
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import numba
from numba.core.caching import FunctionCache

_NO_CACHE = (OSError, EOFError, pickle.UnpicklingError)


class _ForgivingCache(FunctionCache):
    """Numba's cache; what cannot be read or written is compiled again."""

    @contextlib.contextmanager
    def _guard_against_spurious_io_errors(self) -> Iterator[None]:
        with contextlib.suppress(*_NO_CACHE):
            yield


def compiled(**options: bool) -> Callable[[Callable], Any]:
    """Give a decorator that compiles a function at its first call.

    Parameters
    ----------
    options
        Of `numba.njit`, but for `cache`: the result is kept on disk where it can be,
        and only the first call is slower where it cannot.
    """

    def decorate(function: Callable) -> Any:
        njit: Any = numba.njit  # whose type lists every option
        dispatcher = njit(**options)(function)
        # Without a folder that can be written Numba says so by a RuntimeError.
        with contextlib.suppress(RuntimeError, *_NO_CACHE):
            dispatcher._cache = _ForgivingCache(function)
        return dispatcher

    return decorate
