"""A session's responses as plain arrays: what every statistic here starts from."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import Protocol as Interface
from typing import runtime_checkable

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from ...experiments.protocols.condition_kinds import differ_in
from ...experiments.protocols.protocol import Protocol
from ...experiments.stimulus.sources import NoiseSource
from .estimate import CannotTell
from .shown import shown_signal

TASKS = ("2afc", "mafc", "yes_no", "rating", "identify")
NO_TARGET = "the task has no correct answer"
OF_MANY = ("mafc", "identify")  # tasks with any number of alternatives
_EQUALLY_FAR = 1.05  # the farthest two of patterns over the nearest


@runtime_checkable
class SessionLike(Interface):
    """What the analysis needs of a session; `experiments.results.SessionData` has it.

    An interface, so that the analysis loads without the trial log's database.
    """

    @property
    def id(self) -> str:
        """Id of the session."""
        ...

    @property
    def observer(self) -> str:
        """Name of the observer."""
        ...

    @property
    def yoked_to(self) -> str | None:
        """Id of the session whose trials were shown."""
        ...

    @property
    def protocol(self) -> Protocol:
        """What was run."""
        ...

    @property
    def trials(self) -> pd.DataFrame:
        """One row per trial, columns as in the trial log, and `excluded`."""
        ...

    @property
    def noise(self) -> NoiseSource:
        """Gives the noise fields of trials."""
        ...

    @property
    def n_events(self) -> Mapping[str, int]:
        """How often each kind of event is in the log beside the trials."""
        ...

    @property
    def screened_out(self) -> tuple[str, ...]:
        """A sentence for each rule of the protocol's screening that is broken."""
        ...

    @property
    def counted(self) -> pd.DataFrame:
        """The trials that enter statistics."""
        ...


@dataclass(frozen=True, eq=False)
class Responses:
    """The counted trials of a session, in trial order.

    Attributes
    ----------
    task
        '2afc', 'mafc', 'yes_no', 'rating' or 'identify'.
    n_responses
        Responses that the observer could choose from: categories, in rating.
    n_alternatives
        Values that target and response can take: 2 but for 'mafc' and 'identify'.
    trial
        Numbers of the trials, rising.
    target
        The correct alternative from 0; in yes/no and rating the class, 1 = signal.
    response
        The alternative chosen. A rating r of R categories counts as "signal" (1) when
        r >= R / 2.
    contrast
        Signal contrast of the trial's condition, for both classes of a yes/no task.
    first
        Row of the first showing for a trial that repeats a counted one, else -1. Only
        the log's column `repeats` makes a pair, never an equal stimulus id.
    table
        The same trials as the log has them, for the noise source.
    has_target
        Whether a response can be correct; without, `target` is 0 and says nothing.
    no_dprime
        Why there is no d' of this task; None where there is one.

    Raises
    ------
    ValueError
        If a target or response is not of the task, two trials have one number, or a
        repeat does not show what the trial that it repeats showed.
    """

    task: str
    n_responses: int
    n_alternatives: int
    trial: Int[np.ndarray, " trial"]
    target: Int[np.ndarray, " trial"]
    response: Int[np.ndarray, " trial"]
    contrast: Float[np.ndarray, " trial"]
    first: Int[np.ndarray, " trial"]
    table: pd.DataFrame
    has_target: bool = True
    no_dprime: str | None = None

    def __post_init__(self) -> None:
        if self.task not in TASKS:
            raise ValueError(
                f"task must be one of {', '.join(TASKS)}, got {self.task!r}"
            )
        for name in ("target", "response"):
            values = getattr(self, name)
            wrong = values[(values < 0) | (values >= self.n_alternatives)]
            if wrong.size:
                rule = f"in 0 to {self.n_alternatives - 1}"
                raise ValueError(f"{name} must be {rule}, got {wrong[0]}")
        if np.any(np.diff(self.trial) <= 0):
            double = self.trial[:-1][np.diff(self.trial) <= 0][0]
            raise ValueError(
                f"trial must be a different number each, got {double} twice"
            )
        self._check_pairs()

    def _check_pairs(self) -> None:
        second, first = self.second_rows, self.first[self.second_rows]
        for name in ("target", "contrast"):
            values = getattr(self, name)
            wrong = second[values[second] != values[first]]
            if wrong.size:
                trial = self.trial[wrong[0]]
                rule = "what the trial that it repeats had"
                raise ValueError(f"{name} of trial {trial} must be {rule}")
        shown = np.concatenate([first, second])
        values, times = np.unique(shown, return_counts=True)
        if np.any(times > 1):
            trial = self.trial[values[times > 1][0]]
            raise ValueError(f"a trial must be in one pair, got trial {trial} in two")

    @classmethod
    def from_table(
        cls, table: pd.DataFrame, task: str, n_responses: int, has_target: bool = True
    ) -> "Responses":
        """Read the columns of a trial log.

        Parameters
        ----------
        table
            Trials that count, in any order, with the columns trial, target, response,
            contrast and repeats.
        n_responses
            Responses that the observer could choose from.
        has_target
            Whether a response can be correct.

        Notes
        -----
        Whoever is yoked to a log in which a second showing was spoiled and repeated
        has three showings of one noise field. The last stays, as in the source.
        """
        table = table.sort_values("trial", ignore_index=True)
        table = table.loc[~_shown_again(table)].reset_index(drop=True)
        trial, target, response = (
            table[name].to_numpy(np.int64) for name in ("trial", "target", "response")
        )
        repeats = table["repeats"].astype("Int64").fillna(-1).to_numpy(np.int64)
        is_rating = task == "rating"
        # An impossible rating stays as it is, for the check to name it.
        possible = (response >= 0) & (response < n_responses)
        collapsed = np.where(possible, 2 * response >= n_responses, response)
        return cls(
            task=task,
            n_responses=n_responses,
            n_alternatives=n_responses if task in OF_MANY else 2,
            trial=trial,
            target=target,
            response=collapsed.astype(np.int64) if is_rating else response,
            contrast=table["contrast"].to_numpy(np.float64),
            first=_rows_of(repeats, trial),
            table=table,
            has_target=has_target,
        )

    def __len__(self) -> int:
        return len(self.trial)

    @property
    def is_forced_choice(self) -> bool:
        """Whether one of several alternatives held the target."""
        return self.task in ("2afc", "mafc")

    @property
    def correct(self) -> Bool[np.ndarray, " trial"]:
        """Whether the response was the target."""
        return self.response == self.target

    @property
    def scored(self) -> Bool[np.ndarray, " trial"] | Int[np.ndarray, " trial"]:
        """What two observers may be consistent in: errors, or without them choices."""
        return self.correct if self.has_target else self.response

    def require_target(self) -> None:
        """Raise CannotTell if no response of the task is correct."""
        if not self.has_target:
            raise CannotTell(NO_TARGET)

    @property
    def second_rows(self) -> Int[np.ndarray, " pair"]:
        """Rows of second showings whose first showing counts too."""
        return np.flatnonzero(self.first >= 0)

    @cached_property
    def contrasts(self) -> Float[np.ndarray, " contrast"]:
        """The different contrasts, rising."""
        return np.unique(self.contrast)

    @property
    def cell(self) -> Int[np.ndarray, " trial"]:
        """Number of the stimulus class: target within contrast."""
        contrast = np.searchsorted(self.contrasts, self.contrast)
        return contrast * self.n_alternatives + self.target

    @property
    def cluster(self) -> Int[np.ndarray, " trial"]:
        """Number of the noise field: two showings of one trial have the same."""
        return np.where(self.first >= 0, self.first, np.arange(len(self)))

    def where(self, chosen: Bool[np.ndarray, " trial"]) -> "Responses":
        """Return the chosen trials; a pair stays one if both of it are chosen."""
        part = Responses.from_table(
            self.table[chosen].assign(response=self.response[chosen]),
            self.task if self.task != "rating" else "yes_no",
            self.n_alternatives,
            self.has_target,
        )
        return replace(part, no_dprime=self.no_dprime)


def responses(session: SessionLike) -> Responses:
    """Return a session's counted trials: main, valid, with a response, not excluded.

    Raises
    ------
    CannotTell
        If its conditions differ in noise SD or signal: they are not to be pooled.
    """
    apart = differ_in(session.protocol)
    if apart:
        rule = f"taken one by one, since they differ in {' and '.join(apart)}"
        how = f"`yoked conditions`, yoked.by_condition, or {session.id}/CONDITION"
        raise CannotTell(f"conditions of session {session.id} must be {rule}: {how}")
    task, n = session.protocol.task, session.protocol.n_responses
    made = Responses.from_table(session.counted, task.kind, n, task.has_target)
    return replace(made, no_dprime=_why_no_dprime(session.protocol))


def _why_no_dprime(protocol: Protocol) -> str | None:
    """Say why m alternatives have no common d', where patterns are identified.

    Patterns that are equally far from each other leave an ideal observer with m
    variables of which the differences are those of independent ones: m-AFC.
    """
    if not protocol.task.identifies or protocol.noise.sd == 0:
        return None
    contrast = max(protocol.contrast.values)
    try:
        shown = [shown_signal(own, contrast).ravel() for own in protocol.variants]
    except CannotTell as reason:
        return str(reason)
    far = [float(np.linalg.norm(a - b)) for a, b in combinations(shown, 2)]
    if max(far) <= _EQUALLY_FAR * min(far):
        return None
    ratio = f"distances of {min(far) / max(far):.2f} to 1"
    return f"patterns must be equally far from each other for one d', got {ratio}"


def design_effect(
    values: Float[np.ndarray, " trial"],
    group: Int[np.ndarray, " trial"],
    cluster: Int[np.ndarray, " trial"],
) -> float:
    """Return the variance of a sum over trials, relative to independent trials.

    Two showings of one noise field tend to get one response, so a session with a double
    pass knows less than its number of trials says. Residuals from the group means are
    added within each noise field [1]_; never below 1, as sharing cannot inform.

    Parameters
    ----------
    group
        Class of the trial; values are taken from its mean.
    cluster
        Number of the noise field.

    References
    ----------
    .. [1] Kish (1965), Survey Sampling, section 8.2.

    Examples
    --------
    >>> responses, one_group = np.array([1.0, 1.0, 0.0, 0.0]), np.zeros(4, int)
    >>> design_effect(responses, one_group, cluster=np.array([0, 0, 1, 1]))
    2.0
    """
    if not len(values):
        return 1.0
    _, group = np.unique(group, return_inverse=True)
    means = np.bincount(group, values) / np.bincount(group)
    residual = values - means[group]
    alone = float(residual @ residual)
    together = np.bincount(cluster, residual)
    return max(float(together @ together) / alone, 1.0) if alone > 0 else 1.0


def _shown_again(table: pd.DataFrame) -> Bool[np.ndarray, " trial"]:
    """Mark second showings that were followed by another of the same trial."""
    later = table.duplicated("repeats", keep="last").to_numpy(bool)
    return later & table["repeats"].notna().to_numpy(bool)


def _rows_of(
    wanted: Int[np.ndarray, " trial"], trial: Int[np.ndarray, " trial"]
) -> Int[np.ndarray, " trial"]:
    """Row of each wanted trial number among the rising numbers `trial`, or -1."""
    if not len(trial):
        return wanted
    row = np.searchsorted(trial, wanted).clip(max=len(trial) - 1)
    return np.where(trial[row] == wanted, row, -1)
