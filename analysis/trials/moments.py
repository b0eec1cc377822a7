"""One pass over the noise: all sums that the kernels of both orders are made from.

Trials are put in order of the target's interval and of their classes. So a chunk's
noise is asked for by the interval that held the target, the trials of a class lie side
by side, and nothing is picked out of an array. Noise levels (int8) and coefficients
(int16) are added up as whole numbers, exactly; other noise as float64 contrast. The
noise of a double pass is made once: a field that was shown twice belongs to the classes
of both showings.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from ...experiments.protocols.parts import FULL_CONTRAST
from ...experiments.stimulus.sources import CoefficientNoise, NoiseSource, as_contrast
from .exact_products import GramSum, Method, fastest
from .responses import Responses
from .shown import NoiseBasis, Shape, basis_of, noise_of, unit_of

# What a sum over several other alternatives is held in.
_WIDER = {np.dtype(np.int8): np.int16, np.dtype(np.int16): np.int32}
_CHUNK_BYTES = 2**24  # enough for matrix products to run at full speed
_ENOUGH_FOR_KURTOSIS = 2**16  # elements: its standard error is then .02


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums over noise fields that were shown in the same classes (a group).

    In contrast, or in SDs of the coefficients of images.

    Channels are the noise as shown; or, in forced choice, that of the target, the mean
    of that of the other alternatives, and the difference of the two.

    Attributes
    ----------
    times
        How often a field of a group was shown in a class: once in one class, or, for
        the two showings of a double pass, twice in all.
    n
        Fields of a group.
    total, squares
        Sum over the fields of a group, and that of the squares.
    products
        Of each half, the sum over fields of factor x (noise x noise'); None where it
        was not asked for.
    excess_kurtosis
        Of the noise, from its first elements: 0 for Gaussian noise.
    shape
        (frames, rows, columns) of a field, or (coefficients,).
    basis
        The images of coefficients; None where noise is white.
    """

    times: Float[np.ndarray, " group label"]
    n: Float[np.ndarray, " group"]
    total: Float[np.ndarray, " group channel element"]
    squares: Float[np.ndarray, " group channel element"]
    products: Float[np.ndarray, " 2 element element"] | None
    excess_kurtosis: float
    shape: Shape
    basis: NoiseBasis | None = None


def moments(
    responses: Responses,
    source: NoiseSource,
    label: Int[np.ndarray, " trial"],
    n_labels: int,
    factors: Float[np.ndarray, " 2 label"] | None = None,
    chunk_elements: int | None = None,
) -> Moments:
    """Add up the noise of every trial that has a class.

    Parameters
    ----------
    label
        Class of each trial; -1 leaves it out.
    n_labels
        How many classes there are.
    factors
        For second moments: what a trial of each class counts in the target half and in
        the other; a field that is shown twice counts with the sum. In yes/no both
        halves are of the noise as shown.
    chunk_elements
        Noise elements in memory at a time, over all alternatives; None takes 16 MiB.

    Examples
    --------
    >>> from yoked.experiments.stimulus.sources import StoredNoise
    >>> import pandas as pd
    >>> columns = {"trial": [0, 1], "target": [0, 1], "response": [0, 0]}
    >>> columns |= {"contrast": 0.1, "repeats": None, "stimulus_id": [0, 1]}
    >>> responses = Responses.from_table(pd.DataFrame(columns), "yes_no", 2)
    >>> noise = np.array([[1, 2], [3, 4]], np.int8).reshape(2, 1, 1, 1, 2)
    >>> found = moments(responses, StoredNoise(noise), np.array([0, 1]), 2)
    >>> (127 * found.total[:, 0]).tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    order = _Order.of(responses, label, n_labels)
    by_group = None if factors is None else factors @ order.times.T
    sums = _Sums(
        order, responses.n_alternatives, by_group, unit_of(source), basis_of(source)
    )
    for noise, group in order.chunks(responses, source, chunk_elements):
        sums.add(noise, group)
    return sums.moments()


@dataclass(frozen=True, eq=False)
class _Channels:
    """Noise of some trials, (trial, element), of one number type."""

    shape: Shape
    noise: np.ndarray  # as shown, or of the target
    others: np.ndarray | None  # sum over the other alternatives

    @property
    def halves(self) -> tuple[np.ndarray, np.ndarray]:
        """Give the noise that each half is made from."""
        return self.noise, self.noise if self.others is None else self.others

    @property
    def is_exact(self) -> bool:
        """Whether both are whole numbers, which products are exact of.

        The sum over several other alternatives is not taken for one: of levels it is
        beyond 8 bits.
        """
        kinds = {half.dtype for half in self.halves}
        return len(kinds) == 1 and kinds <= {np.dtype(np.int8), np.dtype(np.int16)}


@dataclass(frozen=True, eq=False)
class _Order:
    """Which trials show each noise field first, and the order to take them in."""

    times: Float[np.ndarray, " group label"]
    rows: Int[np.ndarray, " field"]
    group: Int[np.ndarray, " field"]

    @classmethod
    def of(
        cls, responses: Responses, label: Int[np.ndarray, " trial"], n_labels: int
    ) -> "_Order":
        entered = label >= 0
        rows = np.flatnonzero(entered & (responses.first < 0))
        other = np.full(len(responses), -1)
        second = responses.second_rows[entered[responses.second_rows]]
        other[responses.first[second]] = label[second]
        low, high = np.sort(np.stack([label[rows], other[rows]]), axis=0)
        code = (n_labels + 1) * (low + 1) + high + 1
        group, pair = pd.factorize(code, sort=True)
        times = np.zeros((len(pair), n_labels))
        for classes in (pair // (n_labels + 1) - 1, pair % (n_labels + 1) - 1):
            known = np.flatnonzero(classes >= 0)
            np.add.at(times, (known, classes[known]), 1)
        order = np.lexsort((group, responses.target[rows]))
        return cls(times, rows[order], group[order])

    def chunks(
        self, responses: Responses, source: NoiseSource, chunk_elements: int | None
    ) -> Iterator[tuple[_Channels, Int[np.ndarray, " field"]]]:
        """Yield noise, and the groups of its fields, with the target in one place."""
        n = responses.n_alternatives if responses.is_forced_choice else 1
        target = responses.target[self.rows] if n > 1 else np.zeros(len(self.rows), int)
        size, start = 1, 0  # the first chunk, of one trial, tells the size of a field
        while start < len(self.rows):
            place = int(target[start])
            stop = min(start + size, int(np.searchsorted(target, place, "right")))
            table = responses.table.iloc[self.rows[start:stop]]
            channels = _channels(source, table, place, n)
            yield channels, self.group[start:stop]
            start = stop
            most = chunk_elements or _CHUNK_BYTES // channels.noise.itemsize
            size = max(most // (n * channels.noise.shape[1]), 1)


def _channels(
    source: NoiseSource, table: object, target: int, n_alternatives: int
) -> _Channels:
    """Ask for the noise of the target's place, and add up that of the others."""
    noise, shape = _field(source, table, target)
    others = None
    for place in range(n_alternatives):
        if place == target:
            continue
        more, _ = _field(source, table, place)
        if others is not None and more.dtype in _WIDER:
            others = others.astype(_WIDER[more.dtype], copy=False) + more
        else:
            others = more if others is None else others + more
    return _Channels(shape, noise, others)


def _field(source: NoiseSource, table: object, place: int) -> tuple[np.ndarray, Shape]:
    """Give noise by trial and element: levels as int8, coefficients as int16.

    Anything else as contrast.
    """
    shown = noise_of(source, table, place)
    if shown.dtype != np.int8 and not isinstance(source, CoefficientNoise):
        shown = as_contrast(shown).astype(np.float64)
    return shown.reshape(len(shown), -1), shown.shape[1:]


@dataclass(eq=False)
class _Sums:
    """Sums so far, in levels or in contrast, by group."""

    order: _Order
    n_alternatives: int
    factors: np.ndarray | None  # (half, group)
    unit: np.ndarray | None  # of each coefficient, in its SDs
    basis: NoiseBasis | None
    scale: float | np.ndarray = 1.0
    shape: Shape = (0, 0, 0)
    sums: np.ndarray = field(default_factory=lambda: np.zeros(0))
    products: "_Products | None" = None
    powers: np.ndarray = field(default_factory=lambda: np.zeros(5))

    def add(self, chunk: _Channels, group: np.ndarray) -> None:
        """Add a chunk whose fields are in order of their group."""
        if not self.sums.size:
            self._start(chunk)
        if self.powers[-1] < _ENOUGH_FOR_KURTOSIS:
            self.powers += _powers(chunk.noise, self.unit)
        for number, rows in _runs(group):
            others = None if chunk.others is None else chunk.others[rows]
            self.sums[number] += self._element_sums(chunk.noise[rows], others)
        if self.products is not None:
            self.products.add(chunk, group)

    def _start(self, chunk: _Channels) -> None:
        n = chunk.noise.shape[1]
        self.shape = chunk.shape
        if self.unit is not None:
            self.scale = self.unit
        elif chunk.noise.dtype == np.int8:
            self.scale = 1 / FULL_CONTRAST
        n_sums = 2 if chunk.others is None else 5
        self.sums = np.zeros((len(self.order.times), n_sums, n))
        if self.factors is not None:
            self.products = _Products(self.factors, n, len(self.order.rows))

    def _element_sums(self, x: np.ndarray, y: np.ndarray | None) -> np.ndarray:
        if x.dtype == np.int8:
            from .moments_numba import element_sums

            return element_sums(x, y, 128 * max(self.n_alternatives - 1, 1))
        x = x.astype(np.float64, copy=False)  # whole numbers of 16 bits stay exact
        y = None if y is None else y.astype(np.float64, copy=False)
        sums = [x.sum(0), _dot(x, x)]
        return np.stack(
            sums if y is None else [*sums, y.sum(0), _dot(y, y), _dot(x, y)]
        )

    def moments(self) -> Moments:
        """Bring the sums to contrast or SDs, and add the difference of the channels."""
        is_pair, n_groups = self.sums.shape[1] > 2, len(self.order.times)
        scales = [self.scale, self.scale]  # of the noise, and of the other
        total, squares = (
            scales[0] * self.sums[:, :1],
            scales[0] ** 2 * self.sums[:, 1:2],
        )
        if is_pair:
            scales[1] = self.scale / (self.n_alternatives - 1)
            x, y = total[:, 0], scales[1] * self.sums[:, 2]
            xx, yy = squares[:, 0], scales[1] ** 2 * self.sums[:, 3]
            xy = scales[0] * scales[1] * self.sums[:, 4]
            total = np.stack([x, y, x - y], axis=1)
            squares = np.stack([xx, yy, xx + yy - 2 * xy], axis=1)
        products = None
        if self.products is not None:
            products = self.products.result()
            for scale, half in zip(scales, products, strict=True):
                half *= (
                    np.square(scale) if self.unit is None else np.outer(scale, scale)
                )
        return Moments(
            times=self.order.times,
            n=np.bincount(self.order.group, minlength=n_groups).astype(np.float64),
            total=total,
            squares=squares,
            products=products,
            excess_kurtosis=_excess_kurtosis(self.powers),
            shape=self.shape,
            basis=self.basis,
        )


class _Products:
    """Sums of factor x (noise x noise') of each half.

    Levels of long runs of one group are multiplied as they are, exactly, and weighted
    at the end of the run; where runs are short every row is weighted by itself.
    """

    def __init__(self, factors: np.ndarray, n_elements: int, n_fields: int) -> None:
        self._factors = factors
        self._total = np.zeros((2, n_elements, n_elements))
        self._method: Method = fastest(n_fields * n_elements**2)
        self._group = -1
        self._run: list[GramSum | None] = [None, None]

    def add(self, chunk: _Channels, group: np.ndarray) -> None:
        """Add a chunk whose fields are in order of their group."""
        halves, runs = chunk.halves, list(_runs(group))
        if chunk.is_exact and 2 * len(group) >= len(runs) * self._total.shape[1]:
            for number, rows in runs:
                self._add_run(number, halves, rows)
            return
        for half, x in enumerate(halves):
            factor = self._factors[half, group]
            x, factor = x[factor != 0].astype(np.float64), factor[factor != 0]
            self._total[half] += _weighted_gram(x, factor)

    def _add_run(
        self, group: int, halves: tuple[np.ndarray, np.ndarray], rows: slice
    ) -> None:
        if group != self._group:
            self._end_run()
            self._group = group
        for half, x in enumerate(halves):
            if self._factors[half, group]:
                run = self._run[half] or GramSum(x.shape[1], self._method)
                run.add(x[rows])
                self._run[half] = run

    def _end_run(self) -> None:
        for half, run in enumerate(self._run):
            if run is not None:
                self._total[half] += self._factors[half, self._group] * run.matrix()
        self._run = [None, None]

    def result(self) -> Float[np.ndarray, " 2 element element"]:
        """Return the sums."""
        self._end_run()
        return self._total


def _runs(group: np.ndarray) -> Iterator[tuple[int, slice]]:
    """Yield the slices of equal neighbours."""
    edges = np.flatnonzero(np.diff(group)) + 1
    starts, stops = np.append(0, edges), np.append(edges, len(group))
    for start, stop in zip(starts, stops, strict=True):
        yield int(group[start]), slice(int(start), int(stop))


def _dot(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.einsum("te,te->e", x, y)


def _weighted_gram(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Sum weight x (row x row'), with as much symmetry as BLAS can use."""
    if len(weight) and np.all(weight == weight[0]):
        return weight[0] * (x.T @ x)
    return (x * weight[:, None]).T @ x


def _powers(x: np.ndarray, unit: np.ndarray | None) -> np.ndarray:
    """Sum the powers 1 to 4 of some of the noise, and count it."""
    some = x[: -(-_ENOUGH_FOR_KURTOSIS // x.shape[1])].astype(np.float64)
    some = (some if unit is None else some * unit).ravel()
    return np.array([*((some**k).sum() for k in (1, 2, 3, 4)), some.size])


def _excess_kurtosis(powers: np.ndarray) -> float:
    a, b, c, d = powers[:4] / powers[4]
    variance = b - a**2
    about_mean = d - 4 * a * c + 6 * a**2 * b - 3 * a**4
    return float(about_mean / variance**2 - 3) if variance > 0 else 0.0
