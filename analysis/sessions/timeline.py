"""A session along its trials: criterion, d', accuracy, misses, catch trials.

In windows of equally many counted trials, one after the other; the criterion also as
the course that the likelihood fits, which knows of no windows.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from ..double_pass.drift import CriterionCourse, criterion_course
from ..sensitivity.by_task import criterion, dprime, proportion_correct
from ..trials.estimate import CannotTell, Estimate
from ..trials.held import Held
from ..trials.proportion import proportion
from ..trials.responses import SessionLike
from ..trials.result import Result

WINDOWS, LEAST = 12, 40  # windows at most, and trials of one
MISSES = "misses-wilson/1"


@dataclass(frozen=True)
class Window(Result):
    """Some trials in a row.

    Attributes
    ----------
    first, last
        Numbers of its trials.
    dprime, criterion, proportion_correct
        Of its counted trials.
    misses
        Share of its valid trials without a response.
    """

    first: int
    last: int
    dprime: Estimate
    criterion: Estimate
    proportion_correct: Estimate
    misses: Estimate


@dataclass(frozen=True, eq=False)
class Timeline(Result):
    """A session along its trials.

    Attributes
    ----------
    observer, session
        Name and id.
    windows
        In order.
    course
        Of the criterion, and its tests; None where `note` says why.
    criterion
        Of all trials, about which the course runs.
    blocks
        First trial of every block but the first.
    catch_trial, catch_correct
        Answered catch trials.
    note
        Why there is no course.
    """

    observer: str
    session: str
    windows: tuple[Window, ...]
    course: CriterionCourse | None
    criterion: Estimate
    blocks: Int[np.ndarray, " block"]
    catch_trial: Int[np.ndarray, " catch"]
    catch_correct: Bool[np.ndarray, " catch"]
    note: str | None


def timeline(session: SessionLike, course: CriterionCourse | None = None) -> Timeline:
    """Return a session along its trials.

    Parameters
    ----------
    course
        Where it was fitted already.

    Raises
    ------
    CannotTell
        If no trial counts, or no response is correct.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> observer = yoked.load_observer("template")
    >>> session = yoked.run(protocol, observer, seed=1, trials=300, contrast=0.15)
    >>> len(timeline(session).windows)
    7
    """
    held = Held.of(session)
    counted, trials, note = held.responses, held.trials, None
    if not len(counted):
        raise CannotTell("trials must be one or more, got none that counts")
    counted.require_target()
    if course is None:
        try:
            course = criterion_course(counted)
        except CannotTell as reason:
            note = str(reason)
    kind = trials["block_kind"].to_numpy()
    shown = trials["valid"].to_numpy(bool) & ~trials["excluded"].to_numpy(bool)
    answered = trials["response"].notna().to_numpy(bool)
    catch = trials.loc[(kind == "catch") & shown & answered]
    main = trials.loc[(kind == "main") & shown]
    starts = trials.loc[kind == "main"].groupby("block")["trial"].min().to_numpy()[1:]
    n_windows = max(min(WINDOWS, len(counted) // LEAST), 1)
    windows = []
    number = main["trial"]
    parts = np.array_split(counted.trial, n_windows)
    # A window ends where the next begins: a trial without a response is in one.
    first = [int(number.min()), *(int(part[0]) for part in parts[1:])]
    last = [*(start - 1 for start in first[1:]), int(number.max())]
    for ends in zip(first, last, strict=True):
        part = counted.where((counted.trial >= ends[0]) & (counted.trial <= ends[1]))
        around = main.loc[number.between(*ends)]
        missed = int(around["response"].isna().sum())
        windows.append(
            Window(
                first=ends[0],
                last=ends[1],
                dprime=dprime(part),
                criterion=criterion(part),
                proportion_correct=proportion_correct(part),
                misses=proportion(missed, len(around), MISSES),
            )
        )
    return Timeline(
        observer=held.observer,
        session=held.id,
        windows=tuple(windows),
        course=course,
        criterion=criterion(counted),
        blocks=starts.astype(np.int64),
        catch_trial=catch["trial"].to_numpy(np.int64),
        catch_correct=(catch["response"] == catch["target"]).to_numpy(bool),
        note=note,
    )
