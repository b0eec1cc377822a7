"""Batches of one fixed shape: what a network makes of a trial depends on it alone.

In another shape, the order of a network's sums, and so the last digits, may be others.
So every batch of a session has one shape, the last one padded; the shape is tried
before the first trial, halved while memory runs out, and logged.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float64, UInt8
from torch import Tensor

from ...experiments.session.observer import ObserverNoise
from ...experiments.stimulus.seeds import derived_seed
from ..noise import drawn_for
from ..retina.mosaic import as_contrast_tensor

Frames = UInt8[np.ndarray, " trial alternative frame y x"]
FrameTensor = UInt8[Tensor, " trial alternative frame y x"]
Scores = Callable[[Tensor], Tensor]


# Numba's threads, once started, change what torch says afterwards.
_THREADS = torch.get_num_threads()


class OutOfMemory(MemoryError):
    """A batch does not fit into the device's memory."""


class Batches:
    """Puts trials through a network in batches of one fixed shape.

    Parameters
    ----------
    name
        Of the observer, for sentences.
    scores
        From contrast (trial, alternative, frame, y, x) to (trial, alternative).
    device
        Where the network is.
    size
        Trials of a batch.
    threads
        Threads of the CPU; None for torch's own number.

    Attributes
    ----------
    size
        Trials of a batch: what was asked for, or less.
    threads
        Threads of the CPU.
    why
        A sentence where it is less.
    is_seeded
        Whether the network draws from torch's own generator, which is then seeded for
        each trial.
    """

    def __init__(
        self,
        name: str,
        scores: Scores,
        device: str,
        size: int,
        threads: int | None = None,
    ) -> None:
        if size < 1:
            raise ValueError(f"batch must be 1 trial or more, got {size}")
        self.name = name
        self.size = size
        self.why: str | None = None
        self.is_seeded = False
        self._scores = scores
        self._device = torch.device(device)
        self.threads = threads or _THREADS

    @property
    def hardware(self) -> dict[str, Any]:
        """What the trial log keeps of where and how the network was run."""
        found: dict[str, Any] = {
            "type": self._device.type,
            "torch": torch.__version__,
            "batch": self.size,
        }
        if self._device.type == "cuda":
            found["name"] = torch.cuda.get_device_name(self._device)
        else:
            found["threads"] = self.threads
        return found if self.why is None else {**found, "why": self.why}

    def halve(self) -> bool:
        """Take half the batch from now on; False where it is one trial already."""
        if self.size == 1:
            return False
        self.size //= 2
        self.why = f"memory ran out: batches of {self.size} trials"
        return True

    def decide(
        self, frames: Frames | FrameTensor, noise: ObserverNoise
    ) -> Float64[np.ndarray, " trial alternative"]:
        """Give the decision variables of any number of trials.

        Raises
        ------
        OutOfMemory
            If a batch does not fit.
        """
        return self.each(self._scores, frames, noise).double().numpy()

    def each(
        self, function: Scores, frames: Frames | FrameTensor, noise: ObserverNoise
    ) -> Tensor:
        """Give, on the CPU, what a function of contrast gives for any number of trials.

        Its rows are trials, or what a trial has several of, equally many a trial.
        """
        tensor = torch.as_tensor(frames)
        parts, n, used = [], len(tensor), noise.n_used
        for first in range(0, n, self.size):
            rows = np.arange(first, first + self.size)
            part = noise.of(np.minimum(rows, n - 1))  # padded with the last trial
            found = self._one(tensor[first : first + self.size], part, function)
            kept = min(self.size, n - first) * (len(found) // self.size)
            parts.append(found[:kept].cpu())
            used = part.n_used
        noise.n_used = used
        return torch.cat(parts)

    def _one(
        self, frames: Tensor, noise: ObserverNoise, function: Scores | None = None
    ) -> Tensor:
        """Put one batch through, padded to its shape."""
        missing = self.size - len(frames)
        if missing:
            padding = frames[-1:].expand(missing, *frames.shape[1:])
            frames = torch.cat([frames, padding])
        with self._arithmetic(), drawn_for(noise), self._seeded(noise):
            return (function or self._scores)(as_contrast_tensor(frames, self._device))

    def rehearse(self, frames: Frames | FrameTensor, noise: ObserverNoise) -> None:
        """Find the batch that fits, and see that a trial depends on itself alone.

        Parameters
        ----------
        frames, noise
            A few trials that no session shows; they are repeated to fill a batch.

        Raises
        ------
        OutOfMemory
            If not even one trial fits.
        ValueError
            If a result is not finite, or depends on the trials before.
        """
        tensor = torch.as_tensor(frames)
        while True:
            try:
                is_fit = self._is_fit(tensor, noise)
                break
            except OutOfMemory:
                if not self.halve():
                    raise
        if is_fit:
            return
        self.size = 1
        self._require_no_memory(tensor, noise)
        warnings.warn(f"{self.name}: {self.why}", stacklevel=2)

    def _require_no_memory(self, frames: Tensor, noise: ObserverNoise) -> None:
        """Refuse a network to which a trial is not the same after another one."""
        last = min(len(frames), len(noise.trials)) - 1
        first, _, again = (
            self._one(frames[row : row + 1], noise.of(np.array([row])))
            for row in (0, last, 0)
        )
        if not torch.equal(first, again):
            rule = "the same to a trial whatever came before it"
            got = "another result; does a module keep a state?"
            raise ValueError(f"{self.name} must be {rule}, got {got}")

    def _is_fit(self, frames: Tensor, noise: ObserverNoise) -> bool:
        """Whether trials come out the same at other places, with other neighbours."""
        rows = np.arange(self.size) % len(frames)
        before = _generator_state(self._device)
        whole = self._one(frames[rows], noise.of(rows))
        if not torch.isfinite(whole).all():
            rule = "finite, got nan or inf"
            raise ValueError(f"decisions of {self.name} must be {rule}")
        if not torch.equal(before, _generator_state(self._device)):
            self.is_seeded = True
            self.why = (
                "a module draws from torch's generator, so trials go one by one; with "
                "yoked.noise_like they would go in batches"
            )
            return False
        moved = np.roll(rows, self.size // 3 + 1)[::-1].copy()
        moved[: self.size // 4] = moved[0]  # fewer neighbours
        again = self._one(frames[moved], noise.of(moved))
        same = torch.equal(again, whole[_first_places(rows, moved)])
        if not same:
            self.why = (
                "a trial's result depends on its batch, so trials go one by one; is it "
                "batch statistics?"
            )
        return same

    @contextmanager
    def _arithmetic(self) -> Iterator[None]:
        """Let torch compute the same way every time, without a graph."""
        before = torch.get_num_threads()
        flags = torch.backends.cudnn.flags(
            enabled=True, benchmark=False, deterministic=True, allow_tf32=False
        )
        try:
            torch.set_num_threads(self.threads)
            with flags, torch.inference_mode():
                yield
        except (RuntimeError, MemoryError) as error:
            if is_out_of_memory(error):
                rule = f"smaller than {self.size} trials to fit into memory"
                raise OutOfMemory(f"a batch of {self.name} must be {rule}") from error
            raise
        finally:
            torch.set_num_threads(before)

    @contextmanager
    def _seeded(self, noise: ObserverNoise) -> Iterator[None]:
        """Seed torch's generator for a trial, where the network draws from it."""
        if not self.is_seeded:
            yield
            return
        devices = [self._device] if self._device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            trial = int(noise.trials[0])
            torch.manual_seed(derived_seed("torch", noise.seed, trial))
            yield


class BatchedObserver:
    """What observers with a network on a device share: batches, rehearsal, hardware.

    A subclass has `name`, `device` and `scores`, and calls `_set_batch`.
    """

    name: str
    device: str
    _batches: Batches | None = None

    def scores(
        self, contrast: Float[Tensor, " trial alternative frame y x"]
    ) -> Float[Tensor, " trial alternative"]:
        """Give decision variables that can be differentiated by the contrast."""
        raise NotImplementedError

    def decide(
        self, frames: Frames | FrameTensor, noise: ObserverNoise
    ) -> Float64[np.ndarray, " trial alternative"]:
        """Give a decision variable for every alternative of every trial."""
        return self.batches.decide(frames, noise)

    def rehearse(self, frames: Frames | FrameTensor, noise: ObserverNoise) -> None:
        """Try the batch before the first trial; see `Batches.rehearse`."""
        self.batches.rehearse(frames, noise)

    def halve(self) -> bool:
        """Take half the batch from now on; False where it is one trial already."""
        return self.batches.halve()

    @property
    def batch(self) -> int:
        """Trials of a batch."""
        return self.batches.size

    @property
    def hardware(self) -> dict[str, Any]:
        """What the trial log keeps of where and how the network was run."""
        return self.batches.hardware

    def _set_batch(self, size: int, threads: int | None = None) -> None:
        self._batches = Batches(self.name, self.scores, self.device, size, threads)

    @property
    def batches(self) -> Batches:
        """What runs it; there once it has learnt."""
        if self._batches is None:
            rule = "learn before it decides"
            raise ValueError(f"{self.name} must {rule}, got no learn call")
        return self._batches


def require_device(device: str) -> str:
    """Return a device's name if it is there.

    Raises
    ------
    ValueError
        If torch knows no such device, or it is not there.

    Examples
    --------
    >>> require_device("cpu")
    'cpu'
    """
    try:
        found = torch.device(device)
    except RuntimeError as error:
        rule = "cpu, cuda or cuda:N"
        raise ValueError(f"device must be {rule}, got {device!r}") from error
    if found.type not in ("cpu", "cuda"):
        raise ValueError(f"device must be cpu, cuda or cuda:N, got {device!r}")
    n = torch.cuda.device_count() if found.type == "cuda" else 1
    if (found.index or 0) >= n or (
        found.type == "cuda" and not torch.cuda.is_available()
    ):
        raise ValueError(
            f"device must be there, got {device!r}, and torch sees {n} CUDA devices"
        )
    return device


def _generator_state(device: torch.device) -> Tensor:
    """Give the state of the generators that a module on a device may draw from."""
    states = [torch.get_rng_state()]
    if device.type == "cuda":
        states.append(torch.cuda.get_rng_state(device))
    return torch.cat(states)


def _first_places(rows: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """Give where in `rows` the trials of `moved` stand first."""
    return np.array([np.flatnonzero(rows == row)[0] for row in moved])


def is_out_of_memory(error: BaseException) -> bool:
    """Whether torch says so: by its class on a GPU, by its words on the CPU."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    words = str(error)
    return "not enough memory" in words or "can't allocate memory" in words
