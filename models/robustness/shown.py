"""Trials that no session shows, before an observer: what it gets right of them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Float64, Int64, UInt8
from torch import Tensor

from ...experiments.protocols.protocol import Protocol
from ...experiments.session.observer import ObserverNoise, Practice, optional
from ...experiments.stimulus.seeds import derived_seed
from ...experiments.stimulus.sources import GeneratedNoise, Matlab5Noise
from ..decision import calibrate, checked_variables, reference_contrast
from ..noise import drawn_for
from ..retina.mosaic import as_contrast_tensor
from ..simulate import teach
from ..white_box.network import checked_scores, scores_of

# Of practice: beyond those that observers learn from and recipes train on.
STREAM, STREAM_OF_MATLAB = 2**31 + 1, 100
MOST_SEEDS = 2**20
LOWEST, HIGHEST = -1.0, 1.0  # contrast that a stimulus may have
_TRIALS_A_SEED = 2**40
_OTHER_SEEDS, _TRIALS_A_OTHER_SEED = 100_000, 1000  # their numbers have 31 bits
_SHOWN, _ATTACKED = 1 << 60, (1 << 60) + (1 << 59)  # numbers that no session has
_SHOWING = 1 << 40  # another showing of the trials begins here
_N_TRIED = 8  # trials by which noise is found

Contrast = Float32[Tensor, " trial alternative frame y x"]


def unseen_trials(
    protocol: Protocol, n: int, contrast: float, seed: int
) -> tuple[dict[str, np.ndarray], UInt8[np.ndarray, " trial alternative frame y x"]]:
    """Draw trials that nobody learns from and no session shows, and their frames."""
    is_matlab = isinstance(Practice(protocol).source, Matlab5Noise)
    practice = Practice(protocol, stream=STREAM_OF_MATLAB if is_matlab else STREAM)
    first = seed * _TRIALS_A_SEED
    if not isinstance(practice.source, GeneratedNoise):
        first = seed % _OTHER_SEEDS * _TRIALS_A_OTHER_SEED
    return practice.draw(n, first, contrast)


class Shown:
    """An observer that has learnt a task, and trials of it.

    Parameters
    ----------
    protocol
        The task: a forced choice, yes/no or rating.
    observer
        Anything that decides; to be attacked it needs `scores(contrast)` too.
    trials
        How many.
    contrast
        Of the signal; by default the protocol's median.
    internal_noise, criterion
        As in `yoked.run`.
    seed
        Of the trials and of all noise.
    batch
        Trials in the observer at once.

    Attributes
    ----------
    contrast
        Of the signal.
    frames
        Code values of the trials.
    clean
        Contrast of the trials, within [-1, 1].
    targets
        What is right.

    Raises
    ------
    ValueError
        If the task is another one, or an option is out of range.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> shown = Shown(protocol, yoked.load_observer("linear"), trials=100, contrast=0.3)
    >>> shown.has_noise, shown.correct(shown.clean).shape
    (False, (100, 1))
    """

    def __init__(
        self,
        protocol: Protocol,
        observer: Any,
        trials: int = 200,
        contrast: float | None = None,
        internal_noise: float = 0.0,
        criterion: float | None = None,
        seed: int = 0,
        batch: int = 32,
    ) -> None:
        if protocol.task.identifies:
            rule = "a forced choice, yes/no or rating to be made harder"
            raise ValueError(f"the task must be {rule}, got {protocol.task.kind}")
        for name, value in (("trials", trials), ("batch", batch)):
            if value < 1:
                raise ValueError(f"{name} must be 1 or more, got {value}")
        if isinstance(seed, bool) or not 0 <= seed < MOST_SEEDS:
            raise ValueError(f"seed must be in [0, 2^20), got {seed}")
        protocol = protocol.with_options(contrast=contrast)
        self.protocol, self.observer, self.seed = protocol, observer, seed
        self.contrast = reference_contrast(protocol)
        self.batch = batch
        self._device = torch.device(optional(observer, "device") or "cpu")
        table, frames = unseen_trials(protocol, trials, self.contrast, seed)
        self.frames: UInt8[np.ndarray, " trial alternative frame y x"] = frames
        self.targets: Int64[np.ndarray, " trial"] = table["target"]
        contrasts = as_contrast_tensor(torch.from_numpy(frames))
        self.clean: Contrast = contrasts.clamp(LOWEST, HIGHEST)
        teach(observer, Practice(protocol))
        self._decision = calibrate(
            observer, Practice(protocol), seed, internal_noise, criterion
        )
        self.has_noise = self._has_noise() or internal_noise > 0

    @property
    def n_trials(self) -> int:
        """How many there are."""
        return len(self.frames)

    def correct(
        self, contrast: Contrast, showings: int = 1
    ) -> Bool[np.ndarray, " trial showing"]:
        """Say which trials are answered right, of whatever contrast they have now.

        Parameters
        ----------
        contrast
            Of every trial, such as `clean`.
        showings
            Of each, with new noise; without any noise one is enough.
        """
        scores, name = scores_of(self.observer), self.observer.name

        def variables(rows: slice, noise: ObserverNoise) -> np.ndarray:
            part = contrast[rows].to(self._device)
            with torch.no_grad(), drawn_for(noise):
                found = checked_scores(scores, name, part)
            return found.double().cpu().numpy()

        return self._correct(variables, showings)

    def correct_frames(
        self,
        frames: UInt8[np.ndarray, " trial alternative frame y x"],
        showings: int = 1,
    ) -> Bool[np.ndarray, " trial showing"]:
        """Say the same of code values, of any observer."""
        on_device = optional(self.observer, "device") is not None

        def variables(rows: slice, noise: ObserverNoise) -> np.ndarray:
            part: Any = frames[rows]
            if on_device:
                part = torch.from_numpy(part).to(self._device)
            return checked_variables(self.observer, part, noise, self.protocol.task)

        return self._correct(variables, showings)

    def margin(
        self, contrast: Float[Tensor, " row alternative frame y x"], rows: np.ndarray
    ) -> Float[Tensor, " row"]:
        """Give by how much trials are decided wrongly: below 0 where rightly.

        The best other alternative over the right one; in yes/no and rating the score's
        distance from the (middle) criterion, on the wrong side of it.

        Raises
        ------
        ValueError
            If scores are not finite, of another shape, or have no gradient.
        """
        found = checked_scores(scores_of(self.observer), self.observer.name, contrast)
        targets = torch.from_numpy(self.targets[rows]).to(found.device)
        if self.protocol.task.is_forced_choice:
            right = torch.nn.functional.one_hot(targets, found.shape[1]).bool()
            best_other = found.masked_fill(right, -torch.inf).amax(1)
            return best_other - found[right]
        criteria = self._decision.criteria
        away = found[:, 0] - criteria[len(criteria) // 2]
        return (1 - 2 * targets) * away

    def noise_to_attack(self, rows: np.ndarray) -> ObserverNoise:
        """Give noise that goes on from draw to draw, and is not that of a showing."""
        return ObserverNoise(derived_seed("attack", self.seed), _ATTACKED + rows)

    def batches(self) -> list[np.ndarray]:
        """Give the rows of every batch."""
        rows = np.arange(self.n_trials)
        return [rows[k : k + self.batch] for k in rows[:: self.batch]]

    def _correct(
        self, variables: Callable[[slice, ObserverNoise], np.ndarray], showings: int
    ) -> Bool[np.ndarray, " trial showing"]:
        seed = derived_seed("shown", self.seed)
        found = np.empty((self.n_trials, showings), bool)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)  # of foreign modules' own noise
            for showing in range(showings):
                for rows in self.batches():
                    ids = _SHOWN + showing * _SHOWING + rows
                    noise, part = ObserverNoise(seed, ids), slice(rows[0], rows[-1] + 1)
                    decided = variables(part, noise)
                    found[part, showing] = self._is_right(decided, noise, rows)
        return found

    def _is_right(
        self,
        variables: Float64[np.ndarray, " row alternative"],
        noise: ObserverNoise,
        rows: np.ndarray,
    ) -> Bool[np.ndarray, " row"]:
        responses, _ = self._decision.respond(variables, noise)
        if self.protocol.task.kind == "rating":
            responses = responses >= len(self.protocol.task.keys) // 2
        return responses == self.targets[rows]

    def _has_noise(self) -> bool:
        """Whether the observer decides otherwise with other noise."""
        rows = np.arange(min(_N_TRIED, self.n_trials))
        frames: Any = self.frames[rows]
        if optional(self.observer, "device") is not None:
            frames = torch.from_numpy(frames).to(self._device)
        with torch.random.fork_rng(devices=[]):
            one, other = (
                self.observer.decide(frames, ObserverNoise(self.seed, first + rows))
                for first in (_SHOWN, _SHOWN + _SHOWING)
            )
        return not np.array_equal(np.asarray(one), np.asarray(other))
