"""Noise sources: where the noise fields of a session's trials come from.

One interface stands before the generator of our own contract and the regenerated noise
of published data.
"""

from collections.abc import Callable
from typing import Any, runtime_checkable
from typing import Protocol as Interface

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int8, Int16, UInt8

from ..protocols.deviates import N_DRAWS
from ..protocols.images import Images
from ..protocols.parts import FULL_CONTRAST
from ..protocols.protocol import Protocol
from .basis_source import BasisNoise
from .by_condition import ConditionNoise
from .noise import as_pixels, level_table, pixel_table
from .noise_fast import fast_levels
from .place_noise import at_places
from .stored_coefficients import StoredCoefficients

# A table of trials: anything with columns by name, such as a DataFrame.
Table = Any
_Rows = Bool[np.ndarray, " trial"]


@runtime_checkable
class NoiseSource(Interface):
    """Gives the noise fields of trials.

    `field` returns (trial, frame, row, column): integers are contrast levels (contrast
    = level / 127), floats are contrast.
    """

    name: str

    def field(self, table: Table, interval: int) -> np.ndarray:
        """Give the noise field of one interval of every trial in `table`."""
        ...


@runtime_checkable
class CoefficientNoise(NoiseSource, Interface):
    """Gives the noise of trials as coefficients of images, independent of each other.

    Attributes
    ----------
    images
        The images; `field` shows the sum of coefficient times image.
    """

    images: Images

    @property
    def unit_sd(self) -> Float64[np.ndarray, " image"]:
        """SD of each coefficient in the main trials, in units of `coefficients`."""
        ...

    @property
    def contrast_sd(self) -> Float64[np.ndarray, " image"]:
        """SD of each coefficient in the main trials, in contrast."""
        ...

    def coefficients(
        self, table: Table, interval: int
    ) -> Int16[np.ndarray, " trial image"] | Float32[np.ndarray, " trial image"]:
        """Give the coefficients of one interval of every trial.

        In whole units; of foreign noise as they were, in contrast.
        """
        ...


def as_contrast(field: np.ndarray) -> Float32[np.ndarray, " ..."]:
    """Give a noise field in units of contrast.

    Examples
    --------
    >>> as_contrast(np.array([127], np.int8)).tolist()
    [1.0]
    """
    scale = FULL_CONTRAST if np.issubdtype(field.dtype, np.integer) else 1
    return (field / np.float32(scale)).astype(np.float32)


def as_levels(field: np.ndarray) -> Int8[np.ndarray, " ..."]:
    """Give a noise field as contrast levels, rint(127 n).

    Raises
    ------
    ValueError
        If a level would leave [-127, 127].
    """
    if np.issubdtype(field.dtype, np.integer):
        return field.astype(np.int8, copy=False)
    levels = np.rint(FULL_CONTRAST * field)
    if np.abs(levels).max(initial=0) > FULL_CONTRAST:
        worst = np.abs(field).max()
        raise ValueError(f"noise must be in [-1, 1] contrast, got {worst:g}")
    return levels.astype(np.int8)


class GeneratedNoise:
    """Noise of the stimulus contract `yoked-1`, a function of seed and stimulus id."""

    name = "yoked-1"

    def __init__(self, protocol: Protocol, seed: int) -> None:
        if protocol.noise.basis is not None:
            rule = "white for yoked-1; noise on a basis is yoked-1-basis"
            raise ValueError(f"noise must be {rule}, got a basis")
        self.seed = seed
        self._noise = protocol.noise
        self._catch_sd = protocol.catch.sd

    def field(self, table: Table, interval: int) -> Int8[np.ndarray, " t f r c"]:
        """Give contrast levels of one interval of every trial."""
        ids = np.asarray(table["stimulus_id"], np.int64)
        tables = self.tables(table)
        if len(tables) == 1:  # no copy where all trials have one noise SD
            return self._levels(tables[0][1], ids, interval)
        levels = np.empty((len(ids), *self._noise.grid), np.int8)
        for chosen, lookup in tables:
            levels[chosen] = self._levels(lookup, ids[chosen], interval)
        return levels

    def tables(self, table: Table) -> list[tuple[_Rows, Int8[np.ndarray, " 65536"]]]:
        """Pair the trials that share a noise SD with their level table."""
        kind = self._noise.kind
        return [(rows, level_table(kind, sd)) for rows, sd in self._by_sd(table)]

    def pixel_tables(
        self, table: Table
    ) -> list[tuple[_Rows, UInt8[np.ndarray, " 65536"]]]:
        """Pair the same trials with the pixels of those levels, 128 + level."""
        kind = self._noise.kind
        return [(rows, pixel_table(kind, sd)) for rows, sd in self._by_sd(table)]

    def _by_sd(self, table: Table) -> list[tuple[_Rows, float]]:
        is_catch = np.asarray(table["block_kind"]) == "catch"
        sds = ((~is_catch, self._noise.sd), (is_catch, self._catch_sd))
        return [(rows, sd) for rows, sd in sds if rows.any()]

    def _levels(self, lookup: np.ndarray, ids: np.ndarray, interval: int) -> np.ndarray:
        zero = np.zeros((1, int(np.prod(self._noise.grid))), np.int8)
        which = np.zeros(len(ids), np.int32)
        fields = fast_levels(lookup, self.seed, ids, [interval], zero, which)
        return fields.reshape(len(ids), *self._noise.grid)


class Matlab5Noise:
    """Noise of Murray, Patel & Yee (2015), regenerated from their MATLAB 5 seeds.

    The stimulus id is the seed; the interval with the white disk drew first, so a
    field depends on the target.
    """

    name = "matlab5-rand"
    # The published seeds end below 1e8; practice takes its own from here.
    first_practice_id = 1_000_000_000

    def __init__(self, protocol: Protocol, seed: int) -> None:
        """Take any protocol whose noise is this one: its rules leave one kind."""

    def field(self, table: Table, interval: int) -> np.ndarray:
        """Give the noise of one interval of every trial, as contrast."""
        from .matlab5 import murray_noise

        seeds = np.asarray(table["stimulus_id"], np.int64)
        return murray_noise(seeds, np.asarray(table["target"], np.int64), interval)


class Matlab5NormalNoise(Matlab5Noise):
    """Noise of Pritchett & Murray (2015), regenerated from their MATLAB 5 seeds.

    The stimulus id is the seed of `randn`. A trial had one field with an alternative on
    each side; the right one is given turned over, so that its dot lies as the left's.
    """

    name = "matlab5-randn"

    def field(self, table: Table, interval: int) -> np.ndarray:
        """Give the noise of the left (0) or right alternative, as contrast."""
        from .matlab5 import pritchett_noise

        return pritchett_noise(np.asarray(table["stimulus_id"], np.int64), interval)


def is_same_recipe(one: NoiseSource, other: NoiseSource) -> bool:
    """Say whether two sources surely give the same fields for the same trials.

    Of stored noise, and noise on a basis, it is not known without looking.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> one, same, other = (GeneratedNoise(protocol, seed) for seed in (1, 1, 2))
    >>> is_same_recipe(one, same), is_same_recipe(one, other)
    (True, False)
    """
    is_recipe = isinstance(one, (GeneratedNoise, Matlab5Noise))
    return is_recipe and type(one) is type(other) and vars(one) == vars(other)


@runtime_checkable
class NoiseArray(Interface):
    """An array (stimulus, interval, frame, row, column), or what is read like one."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Stimuli, intervals, frames, rows, columns."""
        ...

    def __getitem__(self, key: Any) -> np.ndarray:
        """Give the fields of (stimuli, interval)."""
        ...


class StoredNoise:
    """Noise kept as an array (stimulus, interval, frame, row, column)."""

    name = "stored"

    def __init__(self, fields: NoiseArray) -> None:
        self.fields = fields

    def field(self, table: Table, interval: int) -> np.ndarray:
        """Give the stored noise; the stimulus id is the row of the array."""
        return self.fields[np.asarray(table["stimulus_id"], np.int64), interval]

    def largest_level(self) -> int:
        """Give the largest contrast level of any field, for its headroom."""
        n_stimuli, n_intervals = self.fields.shape[:2]
        return max(
            int(np.abs(as_levels(self.fields[rows, k]).astype(np.int16)).max())
            for rows in np.array_split(np.arange(n_stimuli), 1 + n_stimuli // 1000)
            for k in range(n_intervals)
        )


class LikeStoredNoise(GeneratedNoise):
    """Generated noise of the distribution, SD and grid that stored noise has.

    For practice: of stored noise there is only as much as was shown. What would leave
    no room for the signal is cut off.
    """

    def __init__(self, protocol: Protocol, seed: int) -> None:
        super().__init__(protocol, seed)
        noise, contrast = protocol.noise, protocol.contrast.highest_shown
        gain = max(abs(gain) for gain in protocol.signal.gains)
        room = max(0, FULL_CONTRAST - round(FULL_CONTRAST * gain * contrast))
        room = min(room, noise.max_level())
        if noise.kind == "uniform":
            steps = (np.arange(N_DRAWS) + 0.5) / N_DRAWS
            levels = np.rint(FULL_CONTRAST * noise.sd * np.sqrt(3) * (2 * steps - 1))
        else:
            kind = "binary" if noise.kind == "binary" else "gaussian"
            levels = level_table(kind, noise.sd)
        self._lookup = np.clip(levels, -room, room).astype(np.int8)
        self._pixels = as_pixels(self._lookup)

    def tables(self, table: Table) -> list[tuple[_Rows, Int8[np.ndarray, " 65536"]]]:
        """Pair all trials with the one level table."""
        return [(np.ones(len(table["stimulus_id"]), bool), self._lookup)]

    def pixel_tables(
        self, table: Table
    ) -> list[tuple[_Rows, UInt8[np.ndarray, " 65536"]]]:
        """Pair all trials with its pixels, 128 + level."""
        return [(np.ones(len(table["stimulus_id"]), bool), self._pixels)]


_SOURCES: dict[str, Callable[[Protocol, int], NoiseSource]] = {
    GeneratedNoise.name: GeneratedNoise,
    Matlab5Noise.name: Matlab5Noise,
    Matlab5NormalNoise.name: Matlab5NormalNoise,
    BasisNoise.name: BasisNoise,
}


def noise_source(
    name: str,
    protocol: Protocol,
    seed: int,
    stored: Callable[[str], NoiseArray] | None = None,
) -> NoiseSource:
    """Make the noise source of a session.

    Parameters
    ----------
    name
        'yoked-1', 'yoked-1-basis', 'matlab5-rand', 'matlab5-randn', or 'stored:' and
        the SHA-256 of an array.
    protocol
        Says the noise's distribution and grid.
    seed
        The session's seed.
    stored
        Gives the array of a SHA-256: a trial log's `noise`.

    Raises
    ------
    LookupError
        If there is no source of that name, or no such array.
    """
    if protocol.conditions:
        return ConditionNoise(protocol, lambda own: noise_source(name, own, seed))
    kind, _, sha256 = name.partition(":")
    if kind == StoredNoise.name:
        if not sha256 or stored is None:
            rule = "read from the trial log that has it"
            raise LookupError(f"stored noise must be {rule}, got {name!r} alone")
        fields = stored(sha256)
        if protocol.noise.basis is not None:
            return StoredCoefficients(protocol, fields)
        return StoredNoise(fields)
    if name not in _SOURCES:
        names = [*_SOURCES, f"{StoredNoise.name}:SHA256"]
        raise LookupError(
            f"a noise source must be one of {', '.join(names)}, got {name!r}"
        )
    made = _SOURCES[name](protocol, seed)
    return at_places(made, protocol) if protocol.places.count else made


def practice_source(name: str, protocol: Protocol, seed: int) -> NoiseSource:
    """Make the noise source of practice for a session; arguments as above."""
    if name.partition(":")[0] == StoredNoise.name:
        return LikeStoredNoise(protocol, seed)
    return noise_source(name, protocol, seed)
