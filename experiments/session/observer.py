"""The observer: what anything must offer to respond to trials, and what it is given."""

from dataclasses import dataclass
from typing import Protocol as Interface
from typing import runtime_checkable

import numpy as np
from jaxtyping import Float, Float32, Int64, UInt8

from ..protocols.protocol import Protocol
from ..stimulus.noise import DRAWS_PER_BLOCK
from ..stimulus.noise_fast import fast_normal
from ..stimulus.render import render
from ..stimulus.seeds import RESERVED_SEEDS
from ..stimulus.sources import Matlab5Noise, NoiseSource, practice_source


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


@runtime_checkable
class Observer(Interface):
    """Anything that responds to trials; `learn` is what may be offered besides.

    An observer may also have `learn(practice)`, called once before the first trial:
    what instruction and practice are to a person. A template reads its signal there, a
    network is trained. `parameters` (a dict) and `weights_hash` go into the trial log.

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
        self,
        frames: UInt8[np.ndarray, " trial alternative frame y x"],
        noise: ObserverNoise,
    ) -> Float[np.ndarray, " trial alternative"]:
        """Give a decision variable for every alternative of every trial."""
        ...


class Practice:
    """Trials to learn and to be calibrated from: on seeds that no session may have.

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
        self.source: NoiseSource = practice_source(
            source_name or protocol.noise.source, protocol, RESERVED_SEEDS[stream]
        )
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
        }

    def draw(
        self, n: int, first: int = 0, contrast: float | None = None
    ) -> tuple[dict[str, np.ndarray], UInt8[np.ndarray, " trial interval frame y x"]]:
        """Give `n` trials and their frames, the same for the same arguments."""
        table = self.table(n, first, contrast)
        return table, render(self.protocol, self.source, table)

    @property
    def _first_id(self) -> int:
        """MATLAB's generator has one seed for all: streams take their own ids."""
        if isinstance(self.source, Matlab5Noise):
            return Matlab5Noise.first_practice_id + 10_000_000 * self._stream
        return 0
