"""How long a score will take here, said before it starts."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...experiments.session.observer import (
    Observer,
    ObserverNoise,
    Practice,
    frames_on,
    optional,
)
from ...models.decision import batch_of
from ...models.registry import load
from ...models.simulate import Progress, teach
from .readout import MOST_TRIALS
from .score import CIRCUITS

if TYPE_CHECKING:
    from ...experiments.session.results import SessionData

# Of an order for each number of noise, and of a person whatever she did, on the machine
# whose figures the page of scores has.
_ANALYSIS_S, _LEAST_S = 4e-7, 2.0
_TRIED = 64  # trials that are timed


@dataclass(frozen=True)
class Budget:
    """What a score will take.

    Attributes
    ----------
    n_observers, n_references, n_people
        Who is scored, beside whom, against whom.
    n_trials
        Of all people together.
    seconds
        In all, from trials that were timed; training is over by then.
    """

    n_observers: int
    n_references: int
    n_people: int
    n_trials: int
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Give all of it as plain data."""
        return asdict(self)

    def sentence(self) -> str:
        """Say it in one line."""
        last = f"{self.seconds:.0f} s"
        if self.seconds >= 100:
            last = f"{self.seconds / 60:.0f} min"
        return (
            f"{self.n_observers} observers and {self.n_references} references on "
            f"{self.n_trials:,} trials of {self.n_people} people; about {last} here"
        )


def budget(
    observers: Sequence[Observer],
    people: Sequence["SessionData"],
    progress: Progress | None = None,
) -> Budget:
    """Time a few trials of every observer on every person's task.

    A network that has not learnt yet learns here.

    Parameters
    ----------
    observers, people
        As in `score`.
    progress
        As in `yoked.run`.
    """
    seconds = 0.0
    per_trial: dict[tuple[str, str], float] = {}
    for session in people:
        n = len(session.counted)
        field = int(np.prod(session.protocol.noise.grid)) * session.protocol.n_intervals
        n_compared = len(observers) + 2
        seconds += n_compared * (_LEAST_S + n * field * 3 * _ANALYSIS_S)
        for observer in [*observers, load("linear")]:
            key = observer.name, session.protocol.stimulus_hash
            if key not in per_trial:
                try:
                    per_trial[key] = _seconds_a_trial(session, observer, progress)
                except ValueError:  # it cannot do this task, which the score says
                    per_trial[key] = 0.0
            is_asked = observer in observers
            times = 1 if is_asked else len(CIRCUITS) + 1
            shown = n + optional(observer, "n_reserved")
            shown += min(n, MOST_TRIALS) if is_asked else 0
            seconds += times * shown * per_trial[key]
    return Budget(
        len(observers),
        len(CIRCUITS) + 1,
        len({each.observer for each in people}),
        sum(len(each.counted) for each in people),
        seconds,
    )


def _seconds_a_trial(
    session: "SessionData", observer: Observer, progress: Progress | None
) -> float:
    protocol = session.protocol
    teach(observer, Practice(protocol, session.row.noise_source), progress)
    n = min(len(session.counted), _TRIED, batch_of(observer))
    rows = session.counted.iloc[:n]
    noise = ObserverNoise(0, rows["trial"].to_numpy(np.int64))
    device, last = optional(observer, "device"), np.inf
    for _ in range(2):  # the first call compiles
        start = time.perf_counter()
        observer.decide(frames_on(device, protocol, session.noise, rows), noise)
        last = min(last, time.perf_counter() - start)
    return last / n
