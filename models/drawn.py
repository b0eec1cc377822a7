"""Matched noise inside a network, where no formula has its effect: drawn decisions.

At noise of SD s each of n stimuli is shown M = 4 times, twice as its first and twice as
its second showing, and gets response 1 at m of them. Two showings agree with chance

    1/n sum of [m (m - 1) + (M - m) (M - m - 1)] / [M (M - 1)],

which is unbiased. The draws are the same at every s and are scaled by it (common random
numbers), so that this is nearly a smooth function of s, and its root is bracketed and
found by regula falsi in log s until it is met within its own Monte Carlo error: with
e the agreement of each of R = 2 pairs of draws, SE^2 = 1/n^2 sum of var(e) / R, which
is no less than that of the mean above.
"""

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
import pandas as pd
from jaxtyping import Int64

from ..experiments.session.observer import Observer, Practice, optional
from ..experiments.stimulus.seeds import derived_seed
from .asked import get_ready, require_matchable, variables_of
from .decision import measured, require_criterion
from .matching import CannotMatch

if TYPE_CHECKING:  # these bring the database, which a model does not need
    from ..experiments.session.results import SessionData
    from .simulate import Progress

N_PAIRS_OF_DRAWS = 2
LEAST_AGREEMENT = 0.5  # of two responses with one chance: p^2 + (1 - p)^2
N_RESERVED = 1024  # trials for a criterion in yes/no, at each SD
_STEP, _LEAST, _MOST = 4.0, 4.0**-7, 4.0**7  # SDs that are tried for a bracket
_NEAR, _MOST_TRIES = 1.02, 12  # a bracket that is narrow enough; evaluations of a root


@runtime_checkable
class NoisyObserver(Observer, Protocol):
    """An observer with noise inside, whose SD may be set, such as `yoked.noisy`'s."""

    @property
    def sd(self) -> float:
        """SD of the noise, in its place's own unit."""
        ...

    @sd.setter
    def sd(self, value: float) -> None: ...


@dataclass(frozen=True)
class Drawn:
    """What an observer does with noise of one SD.

    Attributes
    ----------
    agreement, se
        Expected share of pairs that get one response twice, and its Monte Carlo
        standard error.
    correct
        Expected proportion correct over both showings.
    """

    agreement: float
    se: float
    correct: float


@dataclass(eq=False)
class DrawnPass:
    """An observer with noise inside on the pairs of a session's double pass.

    Parameters
    ----------
    session
        Of anybody, in yes/no or a choice between two.
    observer
        Is prepared, learns, and is left with the SD that it had.
    first, second
        Rows of the session's trials: first and second showing of each pair.
    criterion
        As in `run`: unbiased with the noise unless it is given.
    progress
        As in `run`.

    Examples
    --------
    See `yoked.match_noise`.
    """

    session: "SessionData"
    observer: NoisyObserver
    first: pd.DataFrame
    second: pd.DataFrame
    criterion: float | None = None
    progress: "Progress | None" = None
    _found: dict[float, Drawn] = field(default_factory=dict)

    def __post_init__(self) -> None:
        task = self.session.protocol.task
        require_matchable(task)
        require_criterion(self.criterion, task)
        taken = {self.session.seed}
        name = self.observer.name
        self._seeds: list[int] = []
        for draw in range(N_PAIRS_OF_DRAWS):
            seed = derived_seed("match", self.session.seed, name, draw, taken=taken)
            self._seeds.append(seed)
            taken.add(seed)
        before, self.observer.sd = self.observer.sd, 1.0  # so it is tried with noise
        try:
            get_ready(self.session, self.observer, self._seeds[0], self.progress)
        finally:
            self.observer.sd = before

    def at(self, sd: float) -> Drawn:
        """Give what it does with noise of an SD; each is drawn once."""
        if sd not in self._found:
            before, self.observer.sd = self.observer.sd, sd
            try:
                self._found[sd] = self._drawn()
            finally:
                self.observer.sd = before
        return self._found[sd]

    def sd_for(self, agreement: float) -> float:
        """Find the SD at which it agrees with itself this often.

        Returns
        -------
        float
            0 where it agrees no more than that without the noise.

        Raises
        ------
        CannotMatch
            If it agrees more often at any SD.
        """
        if self.at(0.0).agreement <= agreement:
            return 0.0
        if agreement <= LEAST_AGREEMENT:
            raise _cannot_match(LEAST_AGREEMENT, agreement)
        low, high = self._bracket(agreement)
        if low == high:
            return low
        kept = {low: self._excess(low, agreement), high: self._excess(high, agreement)}
        weights = {low: kept[low], high: kept[high]}
        for _ in range(_MOST_TRIES):
            nearest = min((low, high), key=lambda sd: abs(kept[sd]))
            is_met = abs(kept[nearest]) <= self.at(nearest).se / 2
            if is_met or high / low < _NEAR:
                break
            share = weights[low] / (weights[low] - weights[high])
            share = min(max(share, 0.1), 0.9)  # a step function may be flat at an end
            middle = math.exp(math.log(low) + share * math.log(high / low))
            kept[middle] = weights[middle] = self._excess(middle, agreement)
            if kept[middle] > 0:
                low, weights[high] = middle, weights[high] / 2  # Illinois
            else:
                high, weights[low] = middle, weights[low] / 2
        return min((low, high), key=lambda sd: abs(kept[sd]))

    def _excess(self, sd: float, agreement: float) -> float:
        return self.at(sd).agreement - agreement

    def _bracket(self, agreement: float) -> tuple[float, float]:
        """Give an SD that is too low and one that is not, as near as is known."""
        low = min((sd for sd in self._found if sd > 0), default=1.0)
        while self._excess(low, agreement) <= 0:
            if low <= _LEAST:
                return low, low
            low /= _STEP
        for sd in sorted(self._found):
            if sd > low:
                if self._excess(sd, agreement) <= 0:
                    return low, sd
                low = sd
        while low < _MOST:
            before, low = low, low * _STEP
            if self._excess(low, agreement) <= 0:
                return before, low
        raise _cannot_match(self.at(low).agreement, agreement)

    def _drawn(self) -> Drawn:
        target = self.first["target"].to_numpy(np.int64)
        chose = np.stack([self._responses(seed) for seed in self._seeds])
        n_all = chose.shape[0] * chose.shape[1]
        m = chose.sum(axis=(0, 1))
        agreeing = m * (m - 1) + (n_all - m) * (n_all - m - 1)
        alike = (chose[:, 0] == chose[:, 1]).astype(float)  # (pair of draws, stimulus)
        variances = alike.var(axis=0, ddof=1) / len(alike)
        return Drawn(
            float(agreeing.mean() / (n_all * (n_all - 1))),
            math.sqrt(float(variances.sum())) / len(target),
            float((chose == target).mean()),
        )

    def _responses(self, seed: int) -> Int64[np.ndarray, " showing stimulus"]:
        """Give responses to both showings, with noise of a seed."""
        session, task = self.session, self.session.protocol.task
        shown = (self.first, self.second)
        asked = [
            variables_of(session, self.observer, rows, seed, self.progress)[0]
            for rows in shown
        ]
        found = np.stack(asked)  # (showing, stimulus, alternative)
        if task.takes_largest:
            return found.argmax(axis=2)
        practice = Practice(session.protocol, session.row.noise_source)
        n = min(N_RESERVED, optional(self.observer, "n_reserved"))
        calibration = measured(self.observer, practice, seed, n)
        (place,) = calibration.decision(0.0, self.criterion).criteria
        return (found[..., 0] > place).astype(np.int64)


def _cannot_match(limit: float, agreement: float) -> CannotMatch:
    return CannotMatch(
        f"agreement must be above {limit:.3f}, which noise of any SD gives, to be met "
        f"by noise there, got {agreement:.3f}"
    )
