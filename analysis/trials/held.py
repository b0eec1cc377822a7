"""A session whose responses and noise are read once, however many statistics ask.

Every statistic of a whole session starts from one of these: `Held.of(session)` where it
needs several things, `as_responses` or `as_design` where it needs one.
"""

from collections.abc import Callable, Mapping
from functools import cached_property

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float32, Float64, Int16, Int64

from ...experiments.protocols.protocol import Protocol
from ...experiments.stimulus.place_noise import PlaceNoise
from ...experiments.stimulus.sources import (
    CoefficientNoise,
    NoiseSource,
    Table,
    is_same_recipe,
)
from .design import MAX_BYTES, TrialDesign
from .estimate import CannotTell
from .responses import Responses, SessionLike, responses
from .stimuli import ALSO, fields_of, silent_keys, stimulus_keys

# Columns of the log that a trial design is made from, but for the response.
SEEN = ("trial", "block", "block_kind", "repeats", "stimulus_id", "contrast", *ALSO)


class HeldNoise:
    """A noise source that makes the fields of certain trials once.

    Parameters
    ----------
    source
        Makes the fields; asked again for trials that are not in `table`, and for all if
        they are too many to be held.
    table
        The trials whose fields are held, in rising order.
    n_intervals
        Fields of each trial.
    """

    def __init__(
        self, source: NoiseSource, table: pd.DataFrame, n_intervals: int
    ) -> None:
        self.name = source.name
        self._source, self._table, self._n_intervals = source, table, n_intervals
        self._trial = table["trial"].to_numpy(np.int64)
        self._made: dict[tuple[str, int], np.ndarray] = {}

    def field(self, table: Table, interval: int) -> np.ndarray:
        """Give the noise field of one interval of every trial in `table`."""
        return self._held(self._source.field, table, interval)

    def _held(
        self, make: Callable[[Table, int], np.ndarray], table: Table, interval: int
    ) -> np.ndarray:
        trial = np.asarray(table["trial"], np.int64)
        rows = np.searchsorted(self._trial, trial).clip(max=len(self._trial) - 1)
        is_known = len(self._trial) and np.array_equal(self._trial[rows], trial)
        if not (is_known and self._fits):
            return make(table, interval)
        key = make.__name__, interval
        if key not in self._made:
            self._made[key] = make(self._table, interval)
        return self._made[key][rows]

    @cached_property
    def _fits(self) -> bool:
        one = self._source.field(self._table.iloc[:1], 0)
        return one.nbytes * len(self._trial) * self._n_intervals <= MAX_BYTES


class HeldCoefficients(HeldNoise):
    """The same of noise on a basis, which makes its coefficients once.

    Parameters
    ----------
    source, table, n_intervals
        As for `HeldNoise`.
    """

    def __init__(
        self, source: CoefficientNoise, table: pd.DataFrame, n_intervals: int
    ) -> None:
        super().__init__(source, table, n_intervals)
        self._basis, self.images = source, source.images

    @property
    def unit_sd(self) -> Float64[np.ndarray, " image"]:
        """SD of each coefficient in the main trials, in units of `coefficients`."""
        return self._basis.unit_sd

    @property
    def contrast_sd(self) -> Float64[np.ndarray, " image"]:
        """SD of each coefficient in the main trials, in contrast."""
        return self._basis.contrast_sd

    def coefficients(
        self, table: Table, interval: int
    ) -> Int16[np.ndarray, " trial image"] | Float32[np.ndarray, " trial image"]:
        """Give the coefficients of one interval of every trial in `table`."""
        return self._held(self._basis.coefficients, table, interval)

    @cached_property
    def _fits(self) -> bool:
        one = self._basis.coefficients(self._table.iloc[:1], 0)
        return one.nbytes * len(self._trial) * self._n_intervals <= MAX_BYTES


def _held_noise(
    source: NoiseSource, table: pd.DataFrame, n_intervals: int
) -> HeldNoise:
    if isinstance(source, CoefficientNoise):
        return HeldCoefficients(source, table, n_intervals)
    return HeldNoise(source, table, n_intervals)


class _Silence:
    """The noise of a condition without any: nothing is told by it."""

    def __init__(self, name: str, condition: str) -> None:
        self.name, self._condition = name, condition

    def field(self, table: Table, interval: int) -> np.ndarray:
        """Say that there is none."""
        why = "has no noise, and so no kernel"
        raise CannotTell(f"condition {self._condition} {why}")


class Held:
    """A session like any other, with its responses and its trial design beside it.

    Parameters
    ----------
    session
        Is read when something of it is first asked for.
    beside
        Another observer. If it was shown the very same trials, by one recipe, its noise
        is taken for this one's.
    holds_fields
        Whether the noise fields are held beside the trial design, which is made of
        them; a comparison needs the design alone.
    """

    def __init__(
        self,
        session: SessionLike,
        beside: "Held | None" = None,
        holds_fields: bool = True,
    ) -> None:
        self._session, self._beside = session, beside
        self._holds_fields = holds_fields

    @classmethod
    def of(cls, session: SessionLike) -> "Held":
        """Hold a session; one that is held already stays itself."""
        return session if isinstance(session, Held) else cls(session)

    @classmethod
    def all_of(cls, first: SessionLike, *others: SessionLike) -> list["Held"]:
        """Hold sessions that are compared with the first, noise in common once."""
        held = first if isinstance(first, Held) else cls(first, holds_fields=False)
        return [
            held,
            *(
                one if isinstance(one, Held) else cls(one, held, holds_fields=False)
                for one in others
            ),
        ]

    @property
    def id(self) -> str:
        """Id of the session."""
        return self._session.id

    @property
    def n_events(self) -> Mapping[str, int]:
        """How often each kind of event is in the log beside the trials."""
        return self._session.n_events

    @property
    def screened_out(self) -> tuple[str, ...]:
        """A sentence for each rule of the protocol's screening that is broken."""
        return self._session.screened_out

    @property
    def observer(self) -> str:
        """Name of the observer."""
        return self._session.observer

    @property
    def yoked_to(self) -> str | None:
        """Id of the session whose trials were shown."""
        return self._session.yoked_to

    @property
    def protocol(self) -> Protocol:
        """What was run."""
        return self._session.protocol

    @property
    def trials(self) -> pd.DataFrame:
        """One row per trial, columns as in the trial log, and `excluded`."""
        return self._session.trials

    @property
    def counted(self) -> pd.DataFrame:
        """The trials that enter statistics."""
        return self._session.counted

    @cached_property
    def responses(self) -> Responses:
        """The counted trials, their targets and responses."""
        return responses(self._session)

    @property
    def noise(self) -> NoiseSource:
        """Gives the noise fields of trials; those of counted ones are made once."""
        return self._noise

    @property
    def elsewhere(self) -> list[NoiseSource]:
        """The noise of a scene at each of the places that the signal is not at."""
        source = self._session.noise
        if not isinstance(source, PlaceNoise):
            return []
        return [source.away(steps) for steps in range(1, source.n_places)]

    @cached_property
    def _noise(self) -> NoiseSource:
        if self.protocol.noise.sd == 0:
            return _Silence(self._session.noise.name, self.protocol.condition)
        if not self._holds_fields:
            return self._session.noise
        n_intervals = self.protocol.n_intervals
        return _held_noise(self._session.noise, self.responses.table, n_intervals)

    @cached_property
    def stimuli(self) -> Int64[np.ndarray, " trial"]:
        """What each counted trial's stimulus is recognised by, in any session."""
        if self.protocol.noise.sd == 0:
            return silent_keys(self.responses)
        if self._twin is not None:
            return self._twin.stimuli
        try:
            return stimulus_keys(self.responses, self.shown.fields)
        except CannotTell:  # more alternatives than two, or more noise than is held
            n_intervals = self.protocol.n_intervals
            fields = fields_of(self.responses, self._session.noise, n_intervals)
            return stimulus_keys(self.responses, fields)

    @cached_property
    def shown(self) -> TrialDesign:
        """The counted trials with their noise; errors as for `TrialDesign.of`."""
        if self._twin is not None:
            return self._twin.shown.answered(self.responses.response == 1)
        return TrialDesign.of(self.responses, self.noise)

    @cached_property
    def _twin(self) -> "Held | None":
        """The observer beside, if it was shown the very same trials."""
        other = self._beside
        if other is None or not is_same_recipe(
            self._session.noise, other._session.noise
        ):
            return None
        ours, theirs = self.responses, other.responses
        same = ours.task == theirs.task and np.array_equal(ours.target, theirs.target)
        return other if same and _seen(ours).equals(_seen(theirs)) else None

    @cached_property
    def design(self) -> TrialDesign:
        """Those of them that can be compared: errors as for `comparable`, too."""
        if self._twin is not None:
            rows = self._twin._compared
            response = self.responses.response[rows] == 1
            return self._twin.design.answered(response)
        found = self.shown.comparable()
        if not (self._compared.all() or self._holds_fields):
            # As large, and nearly the same; made again where it is asked for.
            del self.shown
        return found

    @cached_property
    def _compared(self) -> Bool[np.ndarray, " trial"]:
        """Which of the trials can be compared."""
        return (self.shown.fields_by_cell >= 2)[self.shown.cell]


def _seen(responses: Responses) -> pd.DataFrame:
    """Give what the log has of the stimulus of each trial."""
    known = [name for name in SEEN if name in responses.table]
    return pd.DataFrame({name: responses.table[name].to_numpy() for name in known})


def as_responses(source: SessionLike | Responses) -> Responses:
    """Return the counted trials of a session, or the responses that were given."""
    return source if isinstance(source, Responses) else Held.of(source).responses


def as_design(source: SessionLike | TrialDesign) -> TrialDesign:
    """Return the trials of a session that can be compared, or the design given.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> observer = yoked.load_observer("template")
    >>> session = yoked.run(protocol, observer, seed=1, trials=300, contrast=0.15)
    >>> as_design(session).noise.shape
    (300, 13)
    """
    return source if isinstance(source, TrialDesign) else Held.of(source).design
