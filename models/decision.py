"""From decision variables to responses, with internal noise, for every model alike."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

from ..experiments.protocols.parts import Task
from ..experiments.protocols.protocol import Protocol
from ..experiments.session.observer import (
    Frames,
    Observer,
    ObserverNoise,
    Practice,
    optional,
)

BATCH = 256  # most trials that an observer is asked at once, unless it says otherwise
N_REHEARSED = 8
# Numbers of reserved trials start here: an observer's noise on them is never that of a
# trial in a session.
_FIRST_RESERVED = 1 << 62


@dataclass(frozen=True)
class Decision:
    """How decision variables become responses.

    Forced choice, and identification with a variable for each pattern: the largest
    decision variable wins. Yes/no: response 1 above the
    criterion. Rating: the number of criteria below the decision variable. A tie, or a
    decision variable on its criterion, goes to the lowest response; no randomness is
    spent on it.

    Attributes
    ----------
    task
        What is asked.
    internal_sd
        SD of the internal noise added to every decision variable.
    repeatable_sd
        SD of noise that is added too, and is the same at each showing of a stimulus.
    criteria
        Rising; one in yes/no, one fewer than responses in a rating, none in a forced
        response.
    external_sd
        SD that the noise fields give the decision variable; None where it was not
        needed.
    """

    task: Task
    internal_sd: float = 0.0
    criteria: tuple[float, ...] = ()
    external_sd: float | None = None
    repeatable_sd: float = 0.0

    def __post_init__(self) -> None:
        n_criteria = 0 if self.task.takes_largest else len(self.task.keys) - 1
        if len(self.criteria) != n_criteria:
            raise ValueError(f"criteria must be {n_criteria}, got {len(self.criteria)}")
        if list(self.criteria) != sorted(self.criteria):
            raise ValueError(f"criteria must rise, got {list(self.criteria)}")
        for name in ("internal_sd", "repeatable_sd"):
            if not 0 <= (value := getattr(self, name)) < math.inf:
                raise ValueError(f"{name} must be 0 or more, got {value}")

    def respond(
        self,
        variables: Float[np.ndarray, " trial alternative"],
        noise: ObserverNoise,
        stimulus_ids: Int64[np.ndarray, " trial"] | None = None,
    ) -> tuple[Int64[np.ndarray, " trial"], Float64[np.ndarray, " trial alternative"]]:
        """Choose a response for every trial.

        Parameters
        ----------
        variables
            Decision variables as the observer gave them.
        noise
            The observer's noise, which goes on where the observer stopped. Nothing is
            drawn without internal noise.
        stimulus_ids
            Of each trial; repeatable noise needs them.

        Returns
        -------
        responses
            From 0.
        noisy
            Decision variables with all noise: those that decided.

        Raises
        ------
        ValueError
            If there is repeatable noise, and no `stimulus_ids`.

        Examples
        --------
        >>> decision = Decision(Task("yes_no", ("f", "j")), criteria=(0.5,))
        >>> noise = ObserverNoise(7, np.arange(3))
        >>> decision.respond(np.array([[0.4], [0.5], [0.6]]), noise)[0].tolist()
        [0, 0, 1]
        """
        noisy = variables.astype(np.float64)
        if self.internal_sd > 0:
            noisy = noisy + self.internal_sd * noise.normal(variables.shape[1])
        if self.repeatable_sd > 0:
            if stimulus_ids is None:
                raise ValueError("stimulus_ids must be given for repeatable noise")
            again = noise.repeatable(stimulus_ids, variables.shape[1])
            noisy = noisy + self.repeatable_sd * again
        if self.task.takes_largest:
            return noisy.argmax(axis=1), noisy
        return np.searchsorted(self.criteria, noisy[:, 0], side="left"), noisy


@dataclass(frozen=True, eq=False)
class Calibration:
    """What reserved trials say of an observer: its decisions at any noise follow.

    Attributes
    ----------
    task
        What is asked.
    variables
        Noiseless decision variables on reserved trials, at the reference contrast.
    external_sd
        SD that the noise fields give them.
    """

    task: Task
    variables: Float64[np.ndarray, " trial alternative"]
    external_sd: float

    def decision(
        self,
        internal_noise: float = 0.0,
        criterion: float | None = None,
        repeatable_noise: float = 0.0,
    ) -> Decision:
        """Give how the observer decides with noise of such SDs; see `calibrate`."""
        internal_sd = internal_noise * self.external_sd
        repeatable_sd = repeatable_noise * self.external_sd
        criteria = ()
        if not self.task.takes_largest:
            noise_sd = math.hypot(internal_sd, repeatable_sd)
            shift = (criterion or 0.0) * math.hypot(self.external_sd, noise_sd)
            n = len(self.task.keys)
            shares = [i / n for i in range(1, n)]
            places = [_quantile(self.variables[:, 0], q, noise_sd) for q in shares]
            criteria = tuple(place + shift for place in places)
        return Decision(
            self.task, internal_sd, criteria, self.external_sd, repeatable_sd
        )


def calibrate(
    observer: Observer,
    practice: Practice,
    observer_seed: int,
    internal_noise: float = 0.0,
    criterion: float | None = None,
    n_trials: int | None = None,
    repeatable_noise: float = 0.0,
) -> Decision:
    """Set an observer's internal noise and criteria on reserved trials.

    Everything is measured once, at the reference contrast of the protocol: internal
    noise is a fixed property of the observer, as is its criterion, whatever contrast a
    trial has.

    Parameters
    ----------
    observer
        Prepared and trained.
    practice
        Gives the reserved trials.
    observer_seed
        Of the session; for observers with noise of their own.
    internal_noise
        gamma, internal / external SD ratio per interval at the decision variable. The
        external SD is taken within the stimulus classes (intervals with and without
        the target) and pooled.
    criterion
        Yes/no and rating: bias in SDs of the noisy decision variable, 0 unbiased (the
        default), positive for fewer "signal" responses; it is the c of signal
        detection theory.
    n_trials
        How many reserved trials; even. By default the observer's `n_reserved`.
    repeatable_noise
        SD, in the unit of gamma, of noise that is the same at each showing of a
        stimulus.

    Raises
    ------
    ValueError
        If a noise is negative, a criterion is given to a forced choice, or the decision
        variables do not vary, are not finite, or have the wrong shape.
    """
    task = practice.protocol.task
    noises = {"internal_noise": internal_noise, "repeatable_noise": repeatable_noise}
    for name, value in noises.items():
        if not 0 <= value < math.inf:
            raise ValueError(f"{name} must be 0 or more, got {value}")
    require_criterion(criterion, task)
    if task.takes_largest and internal_noise == repeatable_noise == 0:
        _reserved(observer, practice, observer_seed, 2)  # it must respond as it should
        return Decision(task)
    found = measured(observer, practice, observer_seed, n_trials)
    return found.decision(internal_noise, criterion, repeatable_noise)


def measured(
    observer: Observer,
    practice: Practice,
    observer_seed: int,
    n_trials: int | None = None,
) -> Calibration:
    """Measure an observer on reserved trials; arguments and errors as `calibrate`."""
    task = practice.protocol.task
    n: int = optional(observer, "n_reserved") if n_trials is None else n_trials
    if n < 2 or n % 2:
        raise ValueError(f"n_reserved must be even and 2 or more, got {n}")
    variables, is_target = _reserved(observer, practice, observer_seed, n)
    external_sd = _sd_within(variables, is_target, task)
    if external_sd == 0:
        rule = "more than 0 on reserved trials"
        raise ValueError(f"the SD of {observer.name}'s decisions must be {rule}, got 0")
    return Calibration(task, variables, external_sd)


def rehearse(observer: Observer, practice: Practice, observer_seed: int) -> None:
    """Let an observer find out what it can hold, on a few reserved trials.

    Parameters
    ----------
    observer
        Prepared and trained; without `rehearse` nothing is done.
    practice, observer_seed
        As for `calibrate`.
    """
    method = optional(observer, "rehearse")
    if method is not None:
        contrast = reference_contrast(practice.protocol)
        device = optional(observer, "device")
        table, frames = practice.draw(N_REHEARSED, 0, contrast, device)
        method(frames, ObserverNoise(observer_seed, _FIRST_RESERVED + table["trial"]))


def batch_of(observer: Observer, most: int = BATCH) -> int:
    """Give how many trials to ask an observer at once: whole ones of its batches."""
    batch = optional(observer, "batch") or 1
    return max(1, most // batch) * batch


def require_criterion(criterion: float | None, task: Task) -> None:
    """Raise ValueError if a criterion is given that the task cannot have."""
    if criterion is None:
        return
    if task.takes_largest:
        rule = "given for yes/no and rating tasks only"
        raise ValueError(f"criterion must be {rule}, got {criterion} for {task.kind}")
    if not math.isfinite(criterion):
        raise ValueError(f"criterion must be a finite number, got {criterion}")


def reference_contrast(protocol: Protocol) -> float:
    """Give the contrast to measure at: the (lower) median of the main blocks'."""
    values = sorted(protocol.contrast.values)
    return values[(len(values) - 1) // 2]


def checked_variables(
    observer: Observer,
    frames: Frames,
    noise: ObserverNoise,
    task: Task,
) -> Float64[np.ndarray, " trial alternative"]:
    """Ask an observer, and check what it gives back: an array, or any tensor.

    Raises
    ------
    ValueError
        If the decision variables are not finite, or not (trial, alternative); where
        patterns are identified, (trial, pattern).
    """
    found: Any = observer.decide(frames, noise)
    if getattr(found, "requires_grad", False):
        rule = "a tensor without gradient, as under torch.inference_mode"
        raise ValueError(
            f"decisions of {observer.name} must be {rule}, got one that needs grad"
        )
    variables = np.asarray(found.cpu() if hasattr(found, "cpu") else found, np.float64)
    due = (len(frames), task.n_variables)
    if variables.shape != due:
        rule = f"(trial, {'pattern' if task.identifies else 'alternative'}) = {due}"
        got = variables.shape
        raise ValueError(f"decisions of {observer.name} must be {rule}, got {got}")
    if not np.isfinite(variables).all():
        raise ValueError(f"decisions of {observer.name} must be finite, got nan or inf")
    return variables


def _reserved(
    observer: Observer, practice: Practice, observer_seed: int, n_trials: int
) -> tuple[
    Float64[np.ndarray, " trial alternative"], Bool[np.ndarray, " trial alternative"]
]:
    """Measure decision variables on reserved trials, and say what held the target."""
    asked = list(_ask_reserved(observer, practice, observer_seed, n_trials))
    variables = np.concatenate([part for part, _ in asked])
    targets = np.concatenate([part for _, part in asked])
    if not practice.protocol.task.takes_largest:
        return variables, targets[:, None] == 1
    return variables, targets[:, None] == np.arange(variables.shape[1])


def _ask_reserved(
    observer: Observer, practice: Practice, observer_seed: int, n_trials: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    contrast = reference_contrast(practice.protocol)
    device, batch = optional(observer, "device"), batch_of(observer)
    for first in range(0, n_trials, batch):
        n = min(batch, n_trials - first)
        table, frames = practice.draw(n, first, contrast, device)
        noise = ObserverNoise(observer_seed, _FIRST_RESERVED + table["trial"])
        task = practice.protocol.task
        yield checked_variables(observer, frames, noise, task), table["target"]


def _sd_within(
    variables: Float64[np.ndarray, " trial alternative"],
    is_target: Bool[np.ndarray, " trial alternative"],
    task: Task,
) -> float:
    """Give the SD within the stimulus classes, pooled: two, or one for each pattern."""
    if task.identifies:
        # Patterns that are alike raise each other's variables: each target by itself.
        parts = [variables[chosen] for chosen in is_target.T]
        squares = [np.var(part, axis=0, ddof=1).mean() for part in parts]
    else:
        classes = (is_target, ~is_target)
        squares = [np.var(variables[chosen], ddof=1) for chosen in classes]
    return math.sqrt(float(np.mean(squares)))


def _quantile(
    variables: Float64[np.ndarray, " trial"], share: float, noise_sd: float
) -> float:
    """Give the criterion below which a share of the noisy decision variables lies.

    Noise enters exactly, as a Gaussian about each of the values. Without it the
    criterion lies half-way between two neighbouring values, so that integer decision
    variables do not fall on it.
    """
    if noise_sd == 0:
        values, counts = np.unique(variables, return_counts=True)
        below = np.cumsum(counts)[:-1] / len(variables)
        i = int(np.abs(below - share).argmin())
        return float((values[i] + values[i + 1]) / 2)
    from scipy.optimize import brentq
    from scipy.special import ndtr

    def excess(place: float) -> float:
        return float(ndtr((place - variables) / noise_sd).mean()) - share

    low, high = variables.min() - 9 * noise_sd, variables.max() + 9 * noise_sd
    found = brentq(excess, low, high, xtol=1e-9 * (high - low))
    return float(np.asarray(found).item())
