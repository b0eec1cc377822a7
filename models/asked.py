"""An observer that is shown somebody's trials, once: what it makes of each.

Its responses at any noise that is added to the decision follow from these decision
variables, and so does the noise that matches a person's; a network need not see the
trials again.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from jaxtyping import Float64, Int64

from ..experiments.protocols.parts import Task
from ..experiments.session.observer import (
    Observer,
    ObserverNoise,
    Practice,
    frames_on,
    optional,
)
from ..experiments.stimulus.seeds import derived_seed
from .decision import (
    Calibration,
    batch_of,
    checked_variables,
    measured,
    rehearse,
    require_criterion,
)
from .matching import DoublePass, Noise
from .simulate import Progress, teach

if TYPE_CHECKING:  # these bring the database, which a model does not need
    from ..experiments.session.results import SessionData

N_ASKED_TWICE = 64  # pairs whose second showing tells if an observer has its own noise


@dataclass(frozen=True, eq=False)
class Asked:
    """An observer's decision variables on the trials of a session that count.

    Attributes
    ----------
    session
        Whose trials they are.
    observer
        Who was asked.
    calibration
        The observer on reserved trials: unit of noise, and the criterion.
    variables
        Without noise that is added.
    seed
        Of the observer's noise.
    n_used
        Draws of that noise that the observer used up in a trial.
    """

    session: "SessionData"
    observer: Observer
    calibration: Calibration
    variables: Float64[np.ndarray, " trial alternative"]
    seed: int
    n_used: int

    @classmethod
    def of(
        cls,
        session: "SessionData",
        observer: Observer,
        seed: int,
        progress: Progress | None = None,
    ) -> "Asked":
        """Show an observer a session's trials, as if it were yoked to it.

        Parameters
        ----------
        session
            Of anybody.
        observer
            Is prepared, learns if it can, and is measured on reserved trials.
        seed
            Of the observer's own noise.
        progress
            As in `run`.

        Raises
        ------
        ValueError
            If the trials cannot be shown, or decision variables are not finite or of
            the wrong shape.
        """
        calibration = get_ready(session, observer, seed, progress)
        rows = session.counted
        variables, n_used = variables_of(session, observer, rows, seed, progress)
        return cls(session, observer, calibration, variables, seed, n_used)

    def on(self, session: "SessionData") -> "Asked":
        """Give what it made of those trials that count in a part of the session."""
        own = self.session.counted["trial"].to_numpy(np.int64)
        rows = np.isin(own, session.counted["trial"].to_numpy(np.int64))
        return replace(self, session=session, variables=self.variables[rows])

    def double_pass(
        self, first: Int64[np.ndarray, " pair"], second: Int64[np.ndarray, " pair"]
    ) -> DoublePass:
        """Give its variables on pairs of showings, by their places among the trials."""
        require_matchable(self.session.protocol.task)
        target = self.session.counted["target"].to_numpy(np.int64)[first]
        shown = np.stack([self.variables[first], self.variables[second]])
        return DoublePass(self.calibration, None, shown, target)

    def responses(self, noise: Noise) -> Int64[np.ndarray, " trial"]:
        """Give its responses with some noise; those of `run` with this seed."""
        rows = self.session.counted
        own = ObserverNoise(self.seed, rows["trial"].to_numpy(np.int64))
        own.n_used = self.n_used
        decision = self.calibration.decision(
            noise.internal, repeatable_noise=noise.repeatable
        )
        ids = rows["stimulus_id"].to_numpy(np.int64)
        return decision.respond(self.variables, own, ids)[0]

    def responded(self, noise: Noise) -> "SessionData":
        """Give a session of its responses with some noise, yoked to the one shown."""
        from ..experiments.store.rows import ObserverInfo
        from ..experiments.store.trial import is_correct

        session, observer = self.session, self.observer
        task, rows = session.protocol.task, session.counted
        response = self.responses(noise)
        target = rows["target"].to_numpy(np.int64)
        correct = is_correct(task.kind, len(task.keys), target, response)
        right = pd.array(correct if task.has_target else [None] * len(rows), "boolean")
        trials = rows.assign(
            response=pd.array(response, "Int64"),
            correct=right,
            confidence=None,
            decision_variables=None,
        )
        info = ObserverInfo(
            "model",
            observer.name,
            {**optional(observer, "parameters"), "internal_noise": noise.internal},
            optional(observer, "weights_hash"),
        )
        source = session.yoked_to or session.id
        row = replace(
            session.row,
            id=f"{session.id}-{observer.name}",
            observer=info,
            presenter="model",
            observer_seed=self.seed,
            yoked_to=source,
        )
        return replace(
            session,
            row=row,
            trials=trials.reset_index(drop=True),
            n_events={},
            screened_out=(),
        )


def ask_twice(
    session: "SessionData",
    observer: Observer,
    first: pd.DataFrame,
    second: pd.DataFrame,
    criterion: float | None = None,
    progress: Progress | None = None,
) -> DoublePass:
    """Show an observer a double pass alone, as a session that is yoked would.

    Parameters
    ----------
    session, observer, progress
        As for `Asked.of`.
    first, second
        Rows of the session's trials: first and second showing of each pair.
    criterion
        As in `run`.
    """
    task = session.protocol.task
    require_matchable(task)
    require_criterion(criterion, task)
    seed = derived_seed("match", session.seed, observer.name, taken={session.seed})
    calibration = get_ready(session, observer, seed, progress)
    n = len(first)
    some = np.linspace(0, n - 1, min(n, N_ASKED_TWICE)).astype(int)
    once, _ = variables_of(session, observer, first, seed, progress)
    again = once.copy()
    again[some], _ = variables_of(session, observer, second.iloc[some], seed)
    # The last digits of a network may depend on a trial's place in its batch.
    if np.abs(again - once).max() > 1e-4 * calibration.external_sd:
        again, _ = variables_of(session, observer, second, seed, progress)
    else:
        again = once
    target = first["target"].to_numpy(np.int64)
    return DoublePass(calibration, criterion, np.stack([once, again]), target)


def get_ready(
    session: "SessionData",
    observer: Observer,
    seed: int,
    progress: Progress | None = None,
) -> Calibration:
    """Prepare, teach, rehearse and measure an observer for a session's trials.

    Raises
    ------
    ValueError
        If they cannot be shown again.
    """
    from ..experiments.session.runnable import require_showable
    from ..experiments.stimulus.sources import StoredNoise

    if isinstance(session.noise, StoredNoise):
        require_showable(session.protocol, session.noise)
    practice = Practice(session.protocol, session.row.noise_source)
    teach(observer, practice, progress)
    rehearse(observer, practice, seed)
    return measured(observer, practice, seed)


def require_matchable(task: Task) -> None:
    """Refuse a task in which noise cannot be matched."""
    if not (task.kind == "yes_no" or (task.takes_largest and task.n_variables == 2)):
        rule = "yes_no, or a choice between two, for noise to be matched"
        raise ValueError(f"the task must be {rule}, got {task.kind}")


def variables_of(
    session: "SessionData",
    observer: Observer,
    rows: pd.DataFrame,
    seed: int,
    progress: Progress | None = None,
) -> tuple[Float64[np.ndarray, " trial alternative"], int]:
    """Give decision variables on trials of a session, and how many draws each used."""
    protocol, task = session.protocol, session.protocol.task
    device, batch = optional(observer, "device"), batch_of(observer)
    found, n_used = [], 0
    for start in range(0, len(rows), batch):
        part = rows.iloc[start : start + batch]
        frames = frames_on(device, protocol, session.noise, part)
        noise = ObserverNoise(seed, part["trial"].to_numpy(np.int64))
        found.append(checked_variables(observer, frames, noise, task))
        n_used = noise.n_used
        if progress is not None:
            progress("trials", start + len(part), len(rows))
    return np.concatenate(found), n_used
