"""The observer: what anything must offer to respond to trials, and what it is given."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, runtime_checkable
from typing import Protocol as Interface

import numpy as np
from jaxtyping import Float, Float32, Int64

from ..protocols.protocol import Protocol
from ..protocols.scene import Rectangle, layout_of
from ..stimulus.by_condition import without_conditions
from ..stimulus.noise import (
    DRAWS_PER_BLOCK,
    N_DRAWS,
    REPEATABLE_STREAM,
    SCHEDULE_STREAM,
    draws_u16,
)
from ..stimulus.noise_fast import fast_normal
from ..stimulus.render import render, render_tensor
from ..stimulus.seeds import RESERVED_SEEDS
from ..stimulus.sources import Matlab5Noise, NoiseSource, Table, practice_source
from .place_plan import CUES, PLACES, pointed_at
from .slots import NONE


@dataclass(frozen=True)
class Viewing:
    """How the stimulus meets the eye.

    Attributes
    ----------
    deg_per_element
        Degrees of visual angle across a grid element.
    element_px
        Pixels of an element, (rows, columns).
    frame_ms
        Duration of a frame in ms.
    luminance_cd_m2
        Luminance of the background; None where it is not known.
    background
        Contrast level of the background.
    places
        Of a scene: the rectangle of each place in a frame (top, left, height, width in
        px). Empty where the frame is the patch.
    times_ms
        Duration of each frame; empty where all last `frame_ms`.

    Examples
    --------
    >>> viewing = Viewing(deg_per_element=0.2, element_px=(52, 4), frame_ms=100.0)
    >>> viewing.deg_per_px
    0.05
    """

    deg_per_element: float
    element_px: tuple[int, int]
    frame_ms: float
    luminance_cd_m2: float | None = None
    background: int = 128
    places: tuple[Rectangle, ...] = ()
    times_ms: tuple[float, ...] = ()

    @property
    def deg_per_px(self) -> float:
        """Degrees of visual angle across one pixel of a frame."""
        return self.deg_per_element / self.element_px[1]

    @classmethod
    def of(cls, protocol: Protocol) -> "Viewing":
        """Give the viewing that a protocol asks for."""
        timing = protocol.timing
        return cls(
            deg_per_element=protocol.display.deg_per_element,
            element_px=protocol.display.element_px,
            frame_ms=timing.frame_ms or timing.interval_ms,
            background=protocol.display.background,
            places=layout_of(protocol).patches if protocol.places.count else (),
            times_ms=protocol.times_ms if protocol.cue.kind else (),
        )


class ObserverNoise:
    """An observer's own noise: a function of its seed and the trial's number.

    A session can so be repeated exactly, results do not depend on how trials are
    batched, and the second pass of a stimulus draws new noise.

    Parameters
    ----------
    observer_seed
        The session's observer seed.
    trials
        Number of each trial in the batch.

    Examples
    --------
    >>> noise = ObserverNoise(424242, np.array([12]))
    >>> round(float(noise.normal(2)[0, 0]), 4)
    0.1481
    """

    def __init__(self, observer_seed: int, trials: Int64[np.ndarray, " trial"]) -> None:
        self.seed = observer_seed
        self.trials = np.asarray(trials, np.int64)
        self.n_used = 0

    def normal(self, *shape: int) -> Float32[np.ndarray, " trial *shape"]:
        """Draw standard normal noise, (trial, *shape); the next call goes on."""
        n = int(np.prod(shape, dtype=int))
        deviates = fast_normal(self.seed, self.trials, n, self.take(n))
        return deviates.reshape(len(self.trials), *shape)

    def repeatable(
        self, stimulus_ids: Int64[np.ndarray, " trial"], n: int
    ) -> Float32[np.ndarray, " trial draw"]:
        """Draw noise that is the same at each showing of a stimulus, to this observer.

        A function of the observer's seed and the stimulus id, whatever the trial; from
        a stream of its own, so that nothing else is used up.

        Parameters
        ----------
        stimulus_ids
            Of the trials.
        n
            Draws of each.
        """
        ids = np.asarray(stimulus_ids, np.int64)
        return fast_normal(self.seed, ids, n, 0, REPEATABLE_STREAM)

    def take(self, n: int) -> int:
        """Use up `n` draws of every trial, and say which is the first of them.

        For who draws elsewhere than here, such as on a device: draw i of stream 1.
        Whole blocks are used up.
        """
        first = self.n_used
        self.n_used += -(-n // DRAWS_PER_BLOCK) * DRAWS_PER_BLOCK
        return first

    def of(self, rows: Int64[np.ndarray, " row"]) -> "ObserverNoise":
        """Give the noise of some of the trials, which goes on from here."""
        part = ObserverNoise(self.seed, self.trials[rows])
        part.n_used = self.n_used
        return part


# uint8 (trial, alternative, frame, y, x): an array, or a tensor on a device.
Frames = Any


@runtime_checkable
class Observer(Interface):
    """Anything that responds to trials; what may be offered besides is in `OPTIONAL`.

    learn(practice)
        Called once before the first trial: what instruction and practice are to a
        person. A template reads its signal there, a network is trained.
    parameters, weights_hash
        A dict and a SHA-256 for the trial log.
    device
        Where the observer computes, such as 'cpu' or 'cuda:0': its frames then come as
        uint8 torch tensors that lie there; without it they are NumPy arrays.
    rehearse(frames, noise)
        Called after `learn` with a few reserved trials, before all others: what the
        device can hold is found here, and whether a trial's place in a batch matters.
    batch
        Trials of the one shape that the observer pads to. It gets multiples of them
        where there are so many trials, and pads and splits itself.
    halve()
        Take half the batch from now on; False where it cannot. Called when `decide`
        raised a MemoryError, before a new session is started.
    hardware
        A dict, read after `rehearse`, that the log keeps as the session's device.
    n_reserved
        How many reserved trials it is calibrated on; fewer where each takes long.

    Examples
    --------
    >>> class Brightest:
    ...     name = "brightest"
    ...     def prepare(self, viewing):
    ...         pass
    ...     def decide(self, frames, noise):
    ...         return frames.mean(axis=(2, 3, 4))
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> session = yoked.run(protocol, Brightest(), seed=1, trials=300, contrast=0.5)
    >>> 0 < yoked.dprime(session).value < 2
    True
    """

    name: str

    def prepare(self, viewing: Viewing) -> None:
        """Take in degrees per element, ms per frame and background."""
        ...

    def decide(
        self, frames: Frames, noise: ObserverNoise
    ) -> Float[np.ndarray, " trial alternative"]:
        """Give a decision variable for every alternative of every trial."""
        ...


N_RESERVED = 8192  # trials to measure on: SD within 1 %, criterion within .015 SD
# What an observer may have besides, and what stands for it where it has not.
OPTIONAL: Mapping[str, Any] = MappingProxyType(
    {
        "learn": None,
        "parameters": MappingProxyType({}),
        "weights_hash": None,
        "device": None,
        "rehearse": None,
        "batch": None,
        "halve": None,
        "hardware": None,
        "n_reserved": N_RESERVED,
    }
)


def optional(observer: Observer, member: str) -> Any:
    """Give an optional member of an observer, or what stands for it.

    Examples
    --------
    >>> from yoked.models.observers.guesser import Guesser
    >>> optional(Guesser(), "n_reserved")
    8192
    """
    return getattr(observer, member, OPTIONAL[member])


def learnt_of(observer: Observer, *sessions: str | None) -> list[int]:
    """Give the trials of a session, by any of its ids, that a network has learnt."""
    told: Mapping[str, Any] = getattr(observer, "trained_on", None) or {}
    return list(told["trials"]) if told.get("session", "") in sessions else []


def frames_on(
    device: str | None, protocol: Protocol, source: NoiseSource, table: Table
) -> Frames:
    """Render trials for an observer: where it computes, or as an array."""
    if device is None:
        return render(protocol, source, table)
    return render_tensor(protocol, source, table, device)


class Practice:
    """Trials to learn and to be calibrated from: on seeds that no session may have.

    Of a protocol with conditions they are what the conditions do not change.

    Parameters
    ----------
    protocol
        The task.
    source_name
        Noise source of the session to come; by default the protocol's own. For stored
        noise, practice has generated noise that is like it.
    stream
        Different streams give different trials.
    """

    def __init__(
        self, protocol: Protocol, source_name: str | None = None, stream: int = 0
    ) -> None:
        self.protocol = protocol
        name, base = (
            source_name or protocol.noise.generator,
            without_conditions(protocol),
        )
        self.source: NoiseSource = practice_source(name, base, RESERVED_SEEDS[stream])
        self._stream = stream

    def table(
        self, n: int, first: int = 0, contrast: float | None = None
    ) -> dict[str, np.ndarray]:
        """Make `n` trials from number `first`, targets in turn, at one contrast."""
        numbers = np.arange(first, first + n, dtype=np.int64)
        value = self.protocol.contrast.values[0] if contrast is None else contrast
        return {
            "trial": numbers,
            "stimulus_id": numbers + self._first_id,
            "contrast": np.full(n, value),
            "target": numbers % self.protocol.task.n_targets,
            "block_kind": np.full(n, "practice", object),
            **places_and_cues(self.protocol, self.source_seed, numbers),
        }

    def draw(
        self,
        n: int,
        first: int = 0,
        contrast: float | None = None,
        device: str | None = None,
    ) -> tuple[dict[str, np.ndarray], Frames]:
        """Give `n` trials and their frames, the same for the same arguments.

        The frames are an array, or a tensor where a `device` is given.
        """
        table = self.table(n, first, contrast)
        return table, frames_on(device, self.protocol, self.source, table)

    @property
    def source_seed(self) -> int:
        """Seed of its noise, places and cues."""
        return RESERVED_SEEDS[self._stream]

    @property
    def _first_id(self) -> int:
        """MATLAB's generator has one seed for all: streams take their own ids."""
        if isinstance(self.source, Matlab5Noise):
            return Matlab5Noise.first_practice_id + 10_000_000 * self._stream
        return 0


def places_and_cues(
    protocol: Protocol, seed: int, numbers: np.ndarray
) -> dict[str, np.ndarray]:
    """Give place and cue of trials by their numbers, drawn for each by itself."""
    n = protocol.places.count
    if not n:
        return {}
    drawn = [
        (draws_u16(seed, first + numbers, SCHEDULE_STREAM, 1)[:, 0] + 0.5) / N_DRAWS
        for first in (PLACES, CUES)
    ]
    place = (n * drawn[0]).astype(np.int64)
    if not protocol.cue.kind:
        return {"place": place}
    cue = pointed_at(protocol.cue, n, place, drawn[1]).astype(object)
    return {"place": place, "cue": np.where(cue == NONE, np.array(None), cue)}
