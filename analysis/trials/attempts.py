"""An analysis in parts: what the data cannot tell is missing, what breaks is our fault.

A refusal of statistics is `CannotTell`, and its sentence is the result. Any other
exception is a mistake of ours: it is kept with its traceback, and takes no other part
of the analysis with it.
"""

import traceback
from collections.abc import Callable, Sequence
from typing import TypeVar

from .estimate import CannotTell

Progress = Callable[[str, float, int], None]
"""Told which part is worked on, how many parts are done, and how many there are."""

Share = Callable[[int, int], None]
"""Told how much of one part is done, and how much there is of it."""

_Result = TypeVar("_Result")


class Fault:
    """A part of an analysis that broke, by a mistake of ours.

    Parameters
    ----------
    error
        What was raised.
    """

    def __init__(self, error: Exception) -> None:
        self.error = error

    @property
    def traceback(self) -> str:
        """Where it came from."""
        return "".join(traceback.format_exception(self.error))

    def __str__(self) -> str:
        """Give one sentence."""
        what = f"{type(self.error).__name__}: {self.error}"
        return f"a fault of Yoked, please report it: {what}"


class Attempts:
    """Works on the parts of an analysis, one after the other.

    Parameters
    ----------
    parts
        Their names, in order, as far as they are known.
    progress
        Told of each.

    Attributes
    ----------
    missing
        Sentence by name of each part that could not be told, or that broke.
    faults
        By name, the parts that broke.

    Examples
    --------
    >>> attempt = Attempts(["mean"])
    >>> def mean():
    ...     raise CannotTell("trials must be one or more, got none")
    >>> attempt("mean", mean), attempt.missing
    (None, {'mean': 'trials must be one or more, got none'})
    """

    def __init__(self, parts: Sequence[str], progress: Progress | None = None) -> None:
        self.missing: dict[str, str] = {}
        self.faults: dict[str, Fault] = {}
        self._parts, self._progress, self._part = parts, progress, ""

    def __call__(self, name: str, work: Callable[[], _Result]) -> _Result | None:
        """Return a part's result, or None and the reason among `missing`."""
        self._part = name
        self.within(0, 1)
        try:
            return work()
        except CannotTell as error:
            self.missing[name] = str(error)
        except Exception as error:
            self.faults[name] = Fault(error)
            self.missing[name] = str(self.faults[name])
        finally:
            self.within(1, 1)
        return None

    def within(self, done: int, total: int) -> None:
        """Report how much of the present part is done."""
        if self._progress is not None and self._part in self._parts:
            n_before = self._parts.index(self._part)
            self._progress(self._part, n_before + done / total, len(self._parts))
