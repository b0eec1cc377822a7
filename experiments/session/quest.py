"""QUEST+: which contrast to show next, and where the observer's threshold is.

A posterior over a grid of psychometric functions is updated trial by trial; the next
stimulus is the one that is expected to leave the least entropy in it [1]_. Everything
is deterministic, so a log replayed gives the same state.

References
----------
.. [1] Watson (2017), QUEST+: a general multidimensional Bayesian adaptive psychometric
   method. J. Vision 17(3):10.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np
from jaxtyping import Float64

from ..protocols.checks import suggestion

_Z_75 = 0.6744897501960817  # Phi^-1(.75)


def weibull_db(
    x: Any, threshold: Any, slope: Any, guess: Any = 0.5, lapse: Any = 0.02
) -> Any:
    """Give Watson's Weibull function of a contrast in dB, 20 log10(contrast).

    Parameters
    ----------
    x
        Contrast, dB.
    threshold
        dB at which a fraction 1 - 1/e of the way from guess to 1 - lapse is gone.
    slope
        Steepness; 3.5 is usual for detection without noise.
    guess, lapse
        Lower asymptote, and distance of the upper one from 1.
    """
    strength = 10 ** (slope * (x - threshold) / 20)
    return 1 - lapse - (1 - guess - lapse) * np.exp(-strength)


def normal_cdf(x: Any, mean: Any, sd: Any, lapse: Any = 0.0) -> Any:
    """Give the cumulative normal, `lapse` away from 0 and from 1."""
    from scipy.special import ndtr

    return lapse + (1 - 2 * lapse) * ndtr((x - mean) / sd)


def dprime_2afc(x: Any, threshold: Any, slope: Any = 1.0, lapse: Any = 0.0) -> Any:
    """Give proportion correct in 2AFC when d' is a power of contrast.

    Parameters
    ----------
    x
        Contrast, from 0.
    threshold
        Contrast of 75 % correct without lapses, where d' is .954.
    slope
        Exponent; 1 for a linear observer.
    lapse
        Share of trials with a wrong response at full d'; chance stays at .5.
    """
    from scipy.special import ndtr

    return 0.5 + (1 - 2 * lapse) * (ndtr(_Z_75 * (x / threshold) ** slope) - 0.5)


FUNCTIONS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {"weibull-db": weibull_db, "normal-cdf": normal_cdf, "dprime-2afc": dprime_2afc}
)


@dataclass(frozen=True)
class QuestPlus:
    """Settings of QUEST+: what can be shown, and which observers are thought possible.

    Parameters
    ----------
    stimuli
        The stimuli to choose from, distinct.
    parameters
        Values of each parameter of the function, by name; every combination is equally
        likely at the start. A parameter left out is at the function's default.
    function
        A name in `FUNCTIONS`: probability of response 1 (or of a correct response).

    Raises
    ------
    LookupError
        If there is no such function.
    ValueError
        If a grid is empty or repeats a value, the function has no such parameter, or it
        leaves [0, 1].

    Examples
    --------
    >>> decibels = tuple(float(db) for db in range(-40, 1))
    >>> grid = {"threshold": decibels, "slope": (3.5,)}
    >>> settings = QuestPlus(decibels, grid, "weibull-db")
    >>> state = settings.start()
    >>> state.next()
    -18.0
    >>> state.update(-18.0, 1).next()
    -22.0
    """

    stimuli: tuple[float, ...]
    parameters: Mapping[str, tuple[float, ...]]
    function: str

    def __post_init__(self) -> None:
        if self.function not in FUNCTIONS:
            near = suggestion(self.function, FUNCTIONS)
            raise LookupError(f"no psychometric function named {self.function!r}{near}")
        grids = {"stimuli": self.stimuli, **self.parameters}
        for name, values in grids.items():
            if not values or len(set(values)) < len(values):
                raise ValueError(f"{name} must be distinct values, got {list(values)}")
        try:
            p = self.likelihood
        except TypeError as error:
            names = ", ".join(self.parameters)
            raise ValueError(
                f"parameters must be those of {self.function}, got {names}"
            ) from error
        if not np.all((p >= 0) & (p <= 1)):
            raise ValueError(f"{self.function} must stay in [0, 1] over the whole grid")

    @classmethod
    def for_2afc(cls, contrasts: Sequence[float]) -> "QuestPlus":
        """Give settings for a contrast threshold in 2AFC, from what can be displayed.

        Thresholds are tried at and between the contrasts, and half an octave beyond
        both ends; slopes around a linear observer's; lapses up to 4 %.

        Parameters
        ----------
        contrasts
            Displayable contrasts, more than 0.
        """
        return _for_2afc(tuple(contrasts))

    @cached_property
    def cells(self) -> Mapping[str, Float64[np.ndarray, " cell"]]:
        """Each parameter's value in every cell of the grid, flattened in C order."""
        values = [np.asarray(v, float) for v in self.parameters.values()]
        grid = np.meshgrid(*values, indexing="ij")
        return {k: g.ravel() for k, g in zip(self.parameters, grid, strict=True)}

    @cached_property
    def likelihood(self) -> Float64[np.ndarray, " stimulus cell"]:
        """Probability of response 1 to every stimulus in every cell."""
        return self.probability(self.stimuli)

    def probability(self, stimuli: Sequence[float]) -> Float64[np.ndarray, " x cell"]:
        """Give the probability of response 1 to any stimuli, in every cell."""
        x = np.asarray(stimuli, float)[:, None]
        p = FUNCTIONS[self.function](x, **self.cells)
        return np.broadcast_to(p, (len(x), len(next(iter(self.cells.values())))))

    @cached_property
    def of_responses(self) -> Float64[np.ndarray, " response stimulus cell"]:
        """Probability of response 0, and of response 1, in every cell."""
        return np.stack([1 - self.likelihood, self.likelihood])

    @cached_property
    def weights(self) -> Float64[np.ndarray, " weight cell"]:
        """What the posterior is multiplied by to choose: see `QuestState.gain`."""
        no, yes = self.of_responses
        return np.concatenate([yes, _x_log_x(no) + _x_log_x(yes)])

    def start(self) -> "QuestState":
        """Give the state before the first trial: a flat prior."""
        n = self.likelihood.shape[1]
        return QuestState(self, np.full(n, 1 / n))


@lru_cache(maxsize=64)
def _for_2afc(contrasts: tuple[float, ...]) -> QuestPlus:
    """Make settings once for all sessions of a protocol: they hold the likelihood."""
    low, high = min(contrasts), max(contrasts)
    thresholds = np.geomspace(low / np.sqrt(2), high * np.sqrt(2), 60)
    parameters = {
        "threshold": tuple(thresholds.tolist()),
        "slope": (0.7, 1.0, 1.4, 2.0),
        "lapse": (0.0, 0.02, 0.04),
    }
    return QuestPlus(contrasts, parameters, "dprime-2afc")


@dataclass(frozen=True, eq=False)
class QuestState:
    """What is known after some trials. `update` gives a new state; none ever changes.

    Attributes
    ----------
    settings
        The grids and the function.
    posterior
        Probability of every cell; adds up to 1.
    """

    settings: QuestPlus
    posterior: Float64[np.ndarray, " cell"]

    def __post_init__(self) -> None:
        self.posterior.setflags(write=False)

    def next(self) -> float:
        """Choose the stimulus that is expected to leave the least entropy.

        Among equals it is the first in the grid.
        """
        return float(self.settings.stimuli[int(np.argmax(self.gain()))])

    def gain(self) -> Float64[np.ndarray, " stimulus"]:
        """Give what a response to each stimulus is expected to tell, in nats.

        That is how much less entropy it leaves in the posterior: the entropy of the
        response, less what of it is left where the cell is known. Logarithms are of a
        few sums, not of each stimulus's joint probabilities.
        """
        weights = self.settings.weights
        yes, certainty = np.vecdot(weights, self.posterior).reshape(2, -1)
        return certainty - _x_log_x(yes) - _x_log_x(1 - yes)

    def update(self, stimulus: float, response: int | None) -> "QuestState":
        """Give the state after a trial.

        Parameters
        ----------
        stimulus
            What was shown: any stimulus of the grid, not only the one proposed.
        response
            1 or 0 (in forced choice: correct or not); None, no response, teaches
            nothing.

        Raises
        ------
        ValueError
            If the stimulus is not in the grid, or the response is not 0, 1 or None.
        """
        if response is None:
            return self
        if response not in {0, 1}:
            raise ValueError(f"response must be 0, 1 or None, got {response!r}")
        p = self.settings.of_responses[int(response), self._index(stimulus)]
        weighted = self.posterior * p
        total = weighted.sum()
        if total == 0:
            raise ValueError(
                f"response {response} to stimulus {stimulus} must be possible for some "
                "observer of the grid; allow for lapses"
            )
        return QuestState(self.settings, weighted / total)

    def contrast_at(
        self, probability: float = 0.75, contrasts: Sequence[float] | None = None
    ) -> float:
        """Give the contrast whose expected proportion correct is nearest to a goal.

        The expectation is over the whole posterior: it is the probability that the next
        response would be correct. Among equals it is the first.

        Parameters
        ----------
        probability
            The goal.
        contrasts
            What can be displayed; the stimuli of the grid if left out.
        """
        stimuli = self.settings.stimuli
        candidates = stimuli if contrasts is None else tuple(contrasts)
        is_known = candidates == stimuli  # a function of all cells takes its time
        settings = self.settings
        p = settings.likelihood if is_known else settings.probability(candidates)
        expected = p @ self.posterior
        return float(candidates[int(np.argmin(np.abs(expected - probability)))])

    def _index(self, stimulus: float) -> int:
        stimuli = self.settings.stimuli
        if stimulus in stimuli:
            return stimuli.index(stimulus)
        nearest = min(range(len(stimuli)), key=lambda n: abs(stimuli[n] - stimulus))
        if not abs(stimuli[nearest] - stimulus) <= 1e-9 * abs(stimulus):
            raise ValueError(f"stimulus must be one of the grid, got {stimulus}")
        return nearest


def _x_log_x(x: np.ndarray) -> np.ndarray:
    return x * np.log(x if x.min() > 0 else np.where(x > 0, x, 1))
