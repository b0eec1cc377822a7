"""The linear template matcher: the ideal observer, and the test of everything."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Float64, Int64, UInt8

from ...experiments.protocols.parts import BACKGROUND
from ...experiments.protocols.picture import picture_levels
from ...experiments.protocols.protocol import Protocol
from ...experiments.protocols.scene import Rectangle
from ...experiments.protocols.signal import signal_levels
from ...experiments.session.observer import ObserverNoise, Practice, Viewing
from .pooling import POOLS, CueReader, Pooling

_SCALE = 4096  # integer weights of a rotated template: cosines to four digits


class Template:
    """Multiplies every frame with a template and sums: one number per alternative.

    The template is the difference between the two signals that the task asks to tell
    apart, target minus non-target, as quantised at the highest contrast of the main
    blocks. In white Gaussian noise this is the ideal observer; of a signal that is
    drawn from variants, who looks for the first of them alone. Where patterns are
    identified there is a template for each of them, and a decision variable: the
    likelihood's, so that patterns of unequal strength are weighed. All numbers are
    integers: an element's pixels are summed before they are weighted, the order of
    summation does not matter, and any presenter's pixels give the same decision
    variables.

    Parameters
    ----------
    efficiency
        Squared cosine between the template used and the ideal one, in (0, 1]: d' is
        sqrt(efficiency) of the ideal's. The rest of the template is the signal's
        blur along the columns, made orthogonal to the signal: an observer that looks
        too broadly.
    pool
        How the places of a scene are pooled: by 'likelihood', weighted by what the cue
        says (the ideal observer in white noise), as a weighted 'sum', or by 'max'.

    Raises
    ------
    ValueError
        If the efficiency is out of range, or there is no such pool.

    Examples
    --------
    >>> from yoked.experiments.protocols.files import load_protocol
    >>> protocol = load_protocol("bar-in-noise")
    >>> template = Template(efficiency=0.5)
    >>> template.prepare(Viewing.of(protocol))
    >>> template.learn(Practice(protocol))
    >>> template.weights[0, 0, 5:8].tolist()
    [2048, 2896, 2048]
    """

    name = "template"

    def __init__(self, efficiency: float = 1.0, pool: str = "likelihood") -> None:
        if not isinstance(efficiency, int | float) or not 0 < efficiency <= 1:
            raise ValueError(f"efficiency must be in (0, 1], got {efficiency!r}")
        if pool not in POOLS:
            raise ValueError(f"pool must be one of {', '.join(POOLS)}, got {pool!r}")
        self.efficiency = float(efficiency)
        self.pool = pool
        self._scene: _Scene | None = None
        self.weights: Int64[np.ndarray, " *pattern frame row column"] | None = None
        self._twice_less: Int64[np.ndarray, " pattern"] = np.zeros(1, np.int64)
        self._element_px = (1, 1)
        self._places: tuple[Rectangle, ...] = ()

    @property
    def parameters(self) -> dict[str, Any]:
        """What the trial log keeps of it."""
        own: dict[str, Any] = {"efficiency": self.efficiency}
        return {**own, "pool": self.pool} if self._places else own

    def prepare(self, viewing: Viewing) -> None:
        """Take in how many pixels an element has, and where a scene's places are."""
        self._element_px, self._places = viewing.element_px, viewing.places

    def learn(self, practice: Practice) -> None:
        """Read the signal, on the noise grid.

        Raises
        ------
        ValueError
            If patterns are to be identified in a scene, or with an efficiency below 1;
            or if conditions have patches elsewhere, or at another time.
        """
        self._scene = None
        if practice.protocol.task.identifies:
            self._learn_patterns(practice.protocol)
            return
        signal = ideal_levels(practice.protocol)
        if self.efficiency < 1:
            signal = _rotated(signal.astype(np.float64), self.efficiency)
        self.weights = signal
        if self._places:
            self._scene = _Scene.of(practice.protocol, self.pool, signal)

    def _learn_patterns(self, protocol: Protocol) -> None:
        if self.efficiency < 1:
            rule = "1 where patterns are identified"
            raise ValueError(f"efficiency must be {rule}, got {self.efficiency}")
        if n := protocol.places.count:
            rule = "left out for template where patterns are identified"
            raise ValueError(f"places must be {rule}, got {n}")
        self.weights = np.stack([ideal_levels(own) for own in protocol.variants])
        picture = picture_levels(protocol)
        behind = 0 if picture is None else 2 * picture
        self._twice_less = (self.weights * (self.weights + behind)).sum((1, 2, 3))

    def decide(
        self,
        frames: UInt8[np.ndarray, " trial alternative frame y x"],
        noise: ObserverNoise,
    ) -> Float[np.ndarray, " trial variable"]:
        """Give the sum over pixels of template times level difference from 128.

        In a scene: what is pooled of the sums at its places.
        """
        if self._scene is None:
            return self._sums(frames)
        scene, sums = self._scene, []
        for top, left, height, width in self._places:
            rows, columns = slice(top, top + height), slice(left, left + width)
            sums.append(self._sums(frames[:, :, scene.stimulus, rows, columns]))
        return scene.pooling(np.stack(sums, axis=-1), scene.cues(frames))

    def _sums(
        self, frames: UInt8[np.ndarray, " trial alternative frame y x"]
    ) -> Float[np.ndarray, " trial variable"]:
        if self.weights is None:
            raise ValueError("template must learn before it decides, got no learn call")
        from .element_sums import weighted_sums

        n_frames, *grid = self.weights.shape[-3:]
        size = tuple(n * px for n, px in zip(grid, self._element_px, strict=True))
        if frames.shape[2:] != (n_frames, *size):
            got, due = tuple(frames.shape[2:]), (n_frames, *size)
            raise ValueError(f"frames must be {due} px, got {got}")
        images = np.ascontiguousarray(frames).reshape(-1, n_frames, *size)
        if self.weights.ndim == 4:
            return self._of_patterns(images)
        sums = weighted_sums(images, BACKGROUND, self.weights, self._element_px)
        return sums.reshape(frames.shape[:2]).astype(np.float64)

    def _of_patterns(
        self, images: UInt8[np.ndarray, " trial frame y x"]
    ) -> Float64[np.ndarray, " trial pattern"]:
        """Give for each pattern sum(w (x - picture)) - sum(w^2) / 2, over pixels."""
        from .element_sums import weighted_sums

        assert self.weights is not None
        px = self._element_px
        sums = [weighted_sums(images, BACKGROUND, each, px) for each in self.weights]
        return np.stack(sums, axis=1) - px[0] * px[1] * self._twice_less / 2


@dataclass(frozen=True, eq=False)
class _Scene:
    """What a template knows of a scene: which frames, what cues say, how to pool."""

    stimulus: slice
    cues: CueReader
    pooling: Pooling

    @classmethod
    def of(cls, protocol: Protocol, pool: str, weights: np.ndarray) -> "_Scene":
        first = protocol.n_before
        return cls(
            slice(first, first + protocol.noise.grid[0]),
            CueReader.of(protocol),
            Pooling.of(protocol, pool, weights),
        )


def ideal_levels(protocol: Protocol) -> Int64[np.ndarray, " frame row column"]:
    """Give the ideal template: quantised target signal minus non-target signal.

    Of a signal with variants, that of the first.
    """
    protocol = protocol.variants[0]
    without, with_target = protocol.signal.gains
    for contrast in (max(protocol.contrast.values), 1.0):
        levels = signal_levels(protocol, with_target * contrast)
        levels = levels - signal_levels(protocol, without * contrast)
        if levels.any():
            break  # at contrast 0 there is nothing to read: take full contrast
    return np.rint(levels).astype(np.int64)


def _rotated(
    signal: Float64[np.ndarray, " frame row column"], efficiency: float
) -> Int64[np.ndarray, " frame row column"]:
    """Turn a template away from the signal until cos^2 is the efficiency."""
    unit = signal / np.linalg.norm(signal)
    blur = np.roll(unit, 1, axis=2) + np.roll(unit, -1, axis=2)
    blur -= (blur * unit).sum() * unit
    size = np.linalg.norm(blur)
    if size < 1e-6:
        raise ValueError(
            f"efficiency must be 1 for a signal that fills its rows, got {efficiency}"
        )
    mixed = np.sqrt(efficiency) * unit + np.sqrt(1 - efficiency) * blur / size
    return np.rint(_SCALE * mixed).astype(np.int64)
