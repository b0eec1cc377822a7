"""Benchmarks of noise on a basis: beside normal draws, one product, and rounding."""

import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..experiments.protocols.basis import Basis, Bumps, Gratings, Sinusoids
from ..experiments.protocols.coefficients import Coefficients, coefficients_of
from ..experiments.protocols.image_kinds import images_of
from ..experiments.protocols.images import Images
from ..experiments.protocols.noise_and_signal import FULL_CONTRAST, Noise
from ..experiments.stimulus.basis_fast import (
    fast_coefficients,
    fast_pixels,
    fields_together,
)
from ..experiments.stimulus.basis_tiles import packed_tiles
from .contest import Contest, run_contest

_EVERY_30 = tuple(30.0 * k for k in range(6))
_OCTAVES = ((24.0, 16.0), (12.0, 8.0), (6.0, 4.0), (3.0, 2.0))
# Images that are local, with 196 or more of them, must be faster; small dense ones at
# least .9 as fast.
_LOCAL, _DENSE = 1.0, 0.9
_BATCH = 256  # fields


@dataclass(frozen=True)
class _Case:
    """A basis on a grid, and how fast it should be beside the baseline."""

    name: str
    grid: tuple[int, int, int]
    basis: Basis
    goal: float


_CASES = (
    _Case("bumps, 64 x 64", (1, 64, 64), Bumps("bumps", _OCTAVES[2:3]), _LOCAL),
    _Case("1/f bumps, 64 x 64", (1, 64, 64), Bumps("bumps", _OCTAVES), _LOCAL),
    _Case("sinusoids, 64 x 64", (1, 64, 64), Sinusoids("sinusoids", 4), _LOCAL),
    _Case("sinusoids, 128 x 128", (1, 128, 128), Sinusoids("sinusoids", 5), _LOCAL),
    _Case(
        "gratings, 32 x 32",
        (1, 32, 32),
        Gratings("gratings", (2.0, 3.0, 4.0), _EVERY_30[:5]),
        _DENSE,
    ),
    _Case("bumps, 16 x 16", (1, 16, 16), Bumps("bumps", ((4.0, 2.67),)), _DENSE),
    _Case(
        "a movie of gratings, 8 x 32 x 32",
        (8, 32, 32),
        Gratings("gratings", (2.0, 4.0), _EVERY_30[::2], drifts=(-1.0, 1.0)),
        _DENSE,
    ),
)


def basis_ratios(rounds: int = 7) -> list[dict[str, Any]]:
    """Measure fields of noise on a basis, one and a batch of 256, on one thread.

    Parameters
    ----------
    rounds
        Calls of each side; the fastest counts.

    Returns
    -------
    list
        Rates of ours and of normal draws, their float32 product with the images and
        rounding to uint8; their ratio and its goal; the images kept, and the peak of
        memory beside the frames while a batch is made, as a multiple of them.
    """
    rows = []
    for case in _CASES:
        for n in (1, _BATCH):
            sides = _Sides.of(case)
            contest = Contest(
                f"noise on {case.name}, {sides.n_images} images, {n} at a time",
                "fields",
                n,
                lambda sides=sides, n=n: list(sides.ours(n)),
                lambda sides=sides, n=n: sides.theirs(n),
                "normal draws, float32 product, rounding to uint8",
                case.goal,
            )
            row = run_contest(contest, rounds)
            rows.append({**row, **(sides.memory() if n > 1 else {})})
    return rows


@dataclass(frozen=True, eq=False)
class _Sides:
    """Both ways to make fields of a case."""

    images: Images
    own: Coefficients
    fineness: int
    dense: np.ndarray
    sds: np.ndarray
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(1))

    @classmethod
    def of(cls, case: _Case) -> "_Sides":
        noise = Noise("gaussian", 0.15, case.grid, basis=case.basis)
        images = images_of(case.basis, case.grid)
        own = coefficients_of(noise, noise.sd)
        dense = images.dense().reshape(images.n, -1).astype(np.float32)
        sds = own.unit_sds.astype(np.float32)
        return cls(images, own, noise.fineness, dense, sds)

    @property
    def n_images(self) -> int:
        return len(self.dense)

    def ours(self, n: int) -> Iterator[np.ndarray]:
        """Make n fields, as many at a time as are summed together."""
        together = fields_together(self.images)
        for first in range(0, n, together):
            ids = np.arange(first, min(first + together, n))
            units = fast_coefficients(self.own, 1, ids, 0)
            yield fast_pixels(self.images, units, self.fineness, None, np.float32)

    def theirs(self, n: int) -> np.ndarray:
        """Draw, multiply and round, every step in place."""
        values = self.rng.standard_normal((n, self.n_images), np.float32)
        values *= self.sds
        levels = values @ self.dense
        levels *= np.float32(1 / (FULL_CONTRAST * self.fineness))
        np.rint(levels, out=levels)
        np.clip(levels, -FULL_CONTRAST, FULL_CONTRAST, out=levels)
        levels += 128
        return levels.astype(np.uint8)

    def memory(self) -> dict[str, float]:
        """Give MB of the tiles, and the peak beside the frames as a multiple of it."""
        _, packed = packed_tiles(self.images)
        stored = packed.values.nbytes
        frames = next(iter(self.ours(_BATCH))).nbytes
        peak = _peak(lambda: next(iter(self.ours(_BATCH)))) - frames
        return {"stored_mb": stored / 1e6, "peak": (stored + peak) / stored}


def _peak(work: Callable[[], object]) -> int:
    """Give the most bytes that a call holds at a time."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
