"""Any BrainModel as an observer of noise tasks: `yoked.from_brain_model`."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64, UInt8

from ...experiments.session.observer import ObserverNoise, Practice, Viewing
from ..networks.readouts import LinearReadout, fit_linear
from ..training.practice import TrainingPlan, practice_batches
from .brain_model import LABEL_COLUMN
from .screen import write_pictures
from .stimuli import ID
from .time_bins import Bins, require_bins

LIGHTS = ("srgb", "linear")
_FITTED_AT_A_TIME = 64  # trials of a step of practice, four contrasts in it
_SURE = 1e-9  # a probability's distance from 0 or 1 in log odds
_LINEAR_PART = 0.0031308  # of sRGB's curve, IEC 61966-2-1
WITH, WITHOUT = "target", "no target"
Levels = UInt8[np.ndarray, " trial alternative frame y x"]


class BrainModelObserver:
    """A model with Brain-Score's interface that does trials; see `from_brain_model`.

    Attributes
    ----------
    name
        The model's identifier.
    fitted
        The linear read-out of a recording, once it is learnt; else None.
    """

    n_reserved = 1024  # trials that its internal noise and criteria are measured on

    def __init__(
        self,
        model: Any,
        region: str | None,
        time_bins: Bins,
        light: str,
        fit_trials: int,
        at_once: int,
        seed: int,
    ) -> None:
        self.name = str(model.identifier)
        self.fitted: LinearReadout | None = None
        self._model, self._region = model, region
        self._bins = require_bins(time_bins)
        self._light = light
        self._codes = _codes(light)
        self._plan = TrainingPlan(fit_trials // _FITTED_AT_A_TIME, _FITTED_AT_A_TIME)
        self._at_once, self._seed = at_once, seed
        self._degrees = float(model.visual_degrees())
        self._viewing: Viewing | None = None
        self._learnt_for: str | None = None

    @property
    def parameters(self) -> dict[str, Any]:
        """What the trial log keeps of it."""
        found = {
            "brain_model": self.name,
            "visual_degrees": self._degrees,
            "light": self._light,
            "seed": self._seed,
            "readout": {"kind": "linear" if self._region else "probabilities"},
        }
        if self._region:
            found |= {"region": self._region, "time_bins": list(self._bins)}
        if self.fitted is not None:
            found["readout"] |= self.fitted.described
        return found

    def prepare(self, viewing: Viewing) -> None:
        """Take in degrees per pixel, and the background."""
        self._viewing = viewing

    def learn(
        self, practice: Practice, progress: Callable[[int, int], None] | None = None
    ) -> None:
        """Fit the read-out on practice trials.

        Parameters
        ----------
        practice
            Trials that no session shows.
        progress
            Called with the trials that were shown, and all there are.

        Raises
        ------
        ValueError
            If the stimulus is larger than what the model sees, or `prepare` was not
            called.
        """
        protocol = practice.protocol
        if self._learnt_for == protocol.stimulus_hash:
            return
        is_choice, done = protocol.task.is_forced_choice, 0
        frames, labels = [], []
        n_trials = self._plan.n_steps * self._plan.batch
        rows = []
        for shown, targets in practice_batches(practice, self._seed, self._plan):
            of = np.arange(shown.shape[1]) if is_choice else np.array([1])
            labels.append((targets[:, None] == of).ravel())
            if self._region:
                rows.append(self._features(shown).reshape(labels[-1].size, -1))
            else:
                frames.append(shown)
            done += len(shown)
            if progress is not None:
                progress(done, n_trials)
        is_target = np.concatenate(labels)
        if self._region:
            features = torch.from_numpy(np.concatenate(rows))
            self.fitted = fit_linear(features, torch.from_numpy(is_target))
        else:
            self._start_probabilities(np.concatenate(frames), is_target)
        self._learnt_for = protocol.stimulus_hash

    def decide(
        self, frames: Levels, noise: ObserverNoise
    ) -> Float64[np.ndarray, " trial alternative"]:
        """Give a decision variable for every alternative of every trial."""
        if self._learnt_for is None:
            rule = "taught before it sees"
            raise ValueError(f"{self.name} must be {rule}, got no learn call")
        if self._region is None:
            return self._log_odds(frames)
        assert self.fitted is not None
        rows = self._features(frames)
        weights = self.fitted.weights.double().numpy()
        return rows.astype(np.float64) @ weights + self.fitted.offset

    def _features(self, frames: Levels) -> np.ndarray:
        """Record from the region: (trial, alternative, frame * unit)."""
        self._model.start_recording(self._region, self._bins)
        rows = np.concatenate([self._look(part)[0] for part in self._parts(frames)])
        return np.asarray(rows, np.float32).reshape(*frames.shape[:2], -1)

    def _log_odds(self, frames: Levels) -> np.ndarray:
        """Give the mean over frames of ln(p / (1 - p)), p of the target."""
        found = []
        for part in self._parts(frames):
            rows, choices = self._look(part)
            if WITH not in choices:
                got = ", ".join(choices) or "none"
                raise ValueError(
                    f"choices of {self.name} must have {WITH!r}, got {got}"
                )
            found.append(rows[:, choices.index(WITH)].astype(np.float64))
        p = np.concatenate(found).clip(_SURE, 1 - _SURE)
        odds = np.log(p / (1 - p))
        return odds.reshape(*frames.shape[:3]).mean(axis=2)

    def _start_probabilities(self, frames: Levels, is_target: np.ndarray) -> None:
        """Let the model fit its own read-out to pictures with labels."""
        pictures = self._pictures(frames)
        labels = np.repeat(np.where(is_target, WITH, WITHOUT), frames.shape[2])
        with tempfile.TemporaryDirectory(prefix="yoked-frames-") as folder:
            stimuli = write_pictures(pictures, Path(folder))
            stimuli[LABEL_COLUMN] = labels.tolist()
            self._model.start_task("probabilities", stimuli)

    def _parts(self, frames: Levels) -> Iterator[np.ndarray]:
        """Give pictures of the frames, so many as are looked at together."""
        a_trial = int(np.prod(frames.shape[1:3]))
        step = max(1, self._at_once // a_trial)
        for start in range(0, len(frames), step):
            yield self._pictures(np.asarray(frames[start : start + step]))

    def _pictures(self, frames: Levels) -> np.ndarray:
        """Give code values of pictures that span what the model sees."""
        if self._viewing is None:
            rule = "prepared before it sees"
            raise ValueError(f"{self.name} must be {rule}, got no viewing")
        side = round(self._degrees / self._viewing.deg_per_px)
        height, width = frames.shape[-2:]
        if max(height, width) > side:
            got = max(height, width) * self._viewing.deg_per_px
            rule = f"within the {self._degrees:g} degrees that {self.name} sees"
            raise ValueError(f"the stimulus must be {rule}, got {got:g}")
        n = int(np.prod(frames.shape[:3]))
        whole = np.full((n, side, side), self._viewing.background, np.uint8)
        top, left = (side - height) // 2, (side - width) // 2
        flat = frames.reshape(n, height, width)
        whole[:, top : top + height, left : left + width] = flat
        return self._codes[whole]

    def _look(self, pictures: np.ndarray) -> tuple[np.ndarray, list[str]]:
        """Show pictures, and give what comes back by their order, and its choices."""
        with tempfile.TemporaryDirectory(prefix="yoked-frames-") as folder:
            stimuli = write_pictures(pictures, Path(folder))
            found = self._model.look_at(stimuli)
        if found is None or "presentation" not in getattr(found, "dims", ()):
            got = getattr(found, "dims", type(found).__name__)
            rule = "an assembly along presentation"
            raise ValueError(f"what {self.name} gives must be {rule}, got {got}")
        place = {name: k for k, name in enumerate(map(str, found[ID].values))}
        missing = [name for name in stimuli[ID] if name not in place]
        if (
            missing
            or len(place) != len(pictures)
            or found.sizes["presentation"] != len(pictures)
        ):
            rule = f"one row for each of {len(pictures)} pictures"
            got = found.sizes["presentation"]
            raise ValueError(f"what {self.name} gives must be {rule}, got {got}")
        rows = np.asarray(found.transpose("presentation", ...).values)
        order = [place[name] for name in stimuli[ID]]
        choices = (
            list(map(str, found["choice"].values)) if "choice" in found.dims else []
        )
        return rows[order].reshape(len(order), -1), choices


def from_brain_model(
    model: Any,
    region: str | None = None,
    *,
    task: str | None = None,
    time_bins: Sequence[tuple[float, float]] = ((70, 170),),
    light: str = "srgb",
    fit_trials: int = 1024,
    at_once: int = 512,
    seed: int = 1,
) -> BrainModelObserver:
    """Make an observer of any object with Brain-Score's interface BrainModel.

    The frames of a trial are written as pictures (PNG) that span the model's
    `visual_degrees()`, the stimulus in its size in the middle, and shown by `look_at`.
    A region is recorded and a linear read-out of all units in all frames fitted on
    practice trials, as for `yoked.from_torch`; or the model does the task
    'probabilities', with its own read-out. It is slow: each picture is a file.

    Parameters
    ----------
    model
        Anything with `identifier`, `visual_degrees()`, `look_at` and `start_recording`
        or `start_task`.
    region
        To be recorded, such as 'IT'.
    task
        Instead of a region, 'probabilities': the decision variable is the mean over
        frames of the log odds of the target.
    time_bins
        That are recorded, in ms after a picture's onset; all are read.
    light
        'srgb': the pictures' code values are those of a photo of the stimulus, as
        `yoked.from_torch` makes them; 'linear': they are proportional to light.
    fit_trials
        Practice trials that the read-out is fitted on; a multiple of 64.
    at_once
        Pictures of one `look_at`.
    seed
        Which trials those are.

    Raises
    ------
    ValueError
        If neither or both of region and task are given, or an option is out of range.

    Examples
    --------
    >>> import torch, yoked
    >>> _ = torch.manual_seed(1)
    >>> net = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 5, 4), torch.nn.ReLU())
    >>> ours = yoked.from_torch(net, preprocess="gray", size_px=32, field_deg=4)
    >>> model = yoked.as_brain_model(ours, {"V1": "1"})
    >>> observer = yoked.from_brain_model(model, "V1", fit_trials=64)
    >>> observer.name
    'Sequential'
    """
    if (region is None) == (task is None):
        got = "neither" if region is None else "both"
        raise ValueError(f"region or task must be given, one of them, got {got}")
    if task not in (None, "probabilities"):
        raise ValueError(f"task must be probabilities, got {task!r}")
    if light not in LIGHTS:
        raise ValueError(f"light must be one of {', '.join(LIGHTS)}, got {light!r}")
    if fit_trials < _FITTED_AT_A_TIME or fit_trials % _FITTED_AT_A_TIME:
        rule = f"a multiple of {_FITTED_AT_A_TIME}"
        raise ValueError(f"fit_trials must be {rule}, got {fit_trials}")
    if at_once < 1:
        raise ValueError(f"at_once must be 1 or more, got {at_once}")
    needed = "start_recording" if region else "start_task"
    for member in ("identifier", "visual_degrees", "look_at", needed):
        if not hasattr(model, member):
            rule = f"an object with {member}, as BrainModel has"
            raise ValueError(f"model must be {rule}, got {type(model).__name__}")
    return BrainModelObserver(
        model, region, time_bins, light, fit_trials, at_once, seed
    )


def _codes(light: str) -> UInt8[np.ndarray, " level"]:
    """Give the code value of each contrast level, (level - 128) / 127."""
    power = (1 + (np.arange(256) - 128) / 127).clip(0, 2) / 2
    if light == "srgb":
        curve = 1.055 * power ** (1 / 2.4) - 0.055
        power = np.where(power <= _LINEAR_PART, 12.92 * power, curve)
    return np.rint(255 * power).astype(np.uint8)
