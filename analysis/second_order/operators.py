"""Second-order kernels of many sets of responses, multiplied without being formed.

In class k of a set of responses a trial's noise x counts with factor_k, about the mean
of its class. So for any direction v,

    H v = sum over trials of factor_k (x . v - mean of class k of x . v) x,

in 2AFC that of the target's noise less that of the other's. For all sets at once this
is two products of the noise with a matrix that has a row for each set: a thousandth of
what the kernels themselves would take with a thousand elements. The diagonal, the
trace and w' H w come the same way, and so do the halves of the first order.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Float32, Int32, UInt8

from ..kernels.classes import Classes
from ..trials.design import TrialDesign
from ..trials.estimate import CannotTell
from ..trials.resample import NOTHING_TO_EXCHANGE, permuted_rows

ROWS = 2048  # of the noise that are worked on at once


@dataclass(frozen=True, eq=False)
class Operators:
    """Kernels of several sets of responses to, or samples of, the same trials.

    Attributes
    ----------
    trials
        Responses and noise.
    classes
        The class of every trial in each set.
    """

    trials: TrialDesign
    classes: Classes

    @classmethod
    def permuted(cls, trials: TrialDesign, n: int, seed: int) -> "Operators":
        """Take the responses given, then n permutations of them.

        Within class and block, pairs as pairs, as `replicates.permuted`.

        Raises
        ------
        ValueError
            If n is not positive, or no contrast has two trials or more in every class.
        """
        _check(n)
        rng = np.random.default_rng(seed)
        orders = permuted_rows(trials.stratum, trials.cluster, n, rng)
        response = np.concatenate([trials.response[None], trials.response[orders]])
        if np.all(response == trials.response):
            raise CannotTell(NOTHING_TO_EXCHANGE)
        return cls(trials, Classes.of(trials, response))

    @classmethod
    def bootstrapped(cls, trials: TrialDesign, n: int, seed: int) -> "Operators":
        """Take n bootstrap samples: noise fields drawn within their class.

        Both showings of a double pass are drawn together. Cells keep their number of
        noise fields, as the design fixed it.

        Raises
        ------
        ValueError
            As `permuted`.
        """
        _check(n)
        count = bootstrap_counts(trials, n, np.random.default_rng(seed))
        return cls.sampled(trials, count)

    @classmethod
    def sampled(
        cls, trials: TrialDesign, count: UInt8[np.ndarray, " replicate trial"]
    ) -> "Operators":
        """Take samples in which each trial comes so many times.

        Examples
        --------
        >>> import numpy as np
        >>> rng = np.random.default_rng(1)
        >>> noise = rng.normal(size=(2, 40, 3)).astype(np.float32)
        >>> target = np.arange(40) % 2
        >>> trials = TrialDesign(
        ...     response=rng.random(40) < 0.5, target=target, cell=target,
        ...     contrast=np.ones(40), cluster=np.arange(40), stratum=target,
        ...     halves=noise, shape=(1, 1, 3), is_forced_choice=True)
        >>> kernel = Operators.sampled(trials, np.ones((1, 40), np.uint8))
        >>> square = np.stack([kernel.times(v[None])[0] for v in np.eye(3)])
        >>> bool(np.allclose(np.diag(square), kernel.diagonals()[0], atol=1e-6))
        True
        """
        response = np.broadcast_to(trials.response, count.shape)
        return cls(trials, Classes.of(trials, response, count))

    def __len__(self) -> int:
        return len(self.classes.label)

    @property
    def n_elements(self) -> int:
        """Rows of each kernel."""
        return self.trials.halves.shape[2]

    def times(
        self, vectors: Float[np.ndarray, " #replicate element"]
    ) -> Float32[np.ndarray, " replicate element"]:
        """Multiply every kernel with its vector, or all with the one that is given."""
        from .operators_numba import weigh_about_means

        vectors = vectors.astype(np.float32, copy=False)
        total = np.zeros((len(self), self.n_elements), np.float32)
        for channel, sign in _channels(self.trials):
            along = vectors @ channel.T
            if len(along) < len(self):
                along = np.repeat(along, len(self), axis=0)
            weigh_about_means(along, self.trials.sign, self._label, *self._counted)
            total += np.float32(sign) * (along @ channel)
        return total

    def diagonals(self) -> Float[np.ndarray, " replicate element"]:
        """Return the diagonal of every kernel."""
        total = np.zeros((len(self), self.n_elements))
        coefficient = self.classes.coefficients(2).astype(np.float32)
        for channel, sign in _channels(self.trials):
            for start, x in _blocks(channel):
                total += sign * (coefficient[:, start : start + ROWS] @ np.square(x))
            for label, rows in self._rows_of_labels():
                count, size, factor = self._counted
                inside = (self._label[:, rows] == label) * count[:, rows]
                inside *= self.trials.sign[rows]
                by_mean = sign * factor[:, label] / np.maximum(size[:, label], 1)
                sums = (inside @ channel[rows]).astype(np.float64)
                total -= by_mean[:, None] * sums**2
        return total

    def halves(self) -> Float32[np.ndarray, " replicate 2 element"]:
        """Return the halves of every first-order kernel, as `Replicates` has them."""
        coefficient = self.classes.coefficients(1) * self.trials.sign
        coefficient = coefficient.astype(np.float32)
        return np.stack([coefficient @ half for half in self.trials.halves], axis=1)

    @cached_property
    def _label(self) -> Int32[np.ndarray, " replicate trial"]:
        return self.classes.label.astype(np.int32)

    @cached_property
    def _counted(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """How often each trial counts, the size of each class, and its factor."""
        count = self.classes.count
        if count is None:
            count = np.ones((1, len(self.trials)))
        size = self.classes.size.reshape(len(self), -1).astype(np.float64)
        return count.astype(np.float32), size, self.classes.factors(2)

    def _rows_of_labels(self) -> Iterator[tuple[int, Bool[np.ndarray, " trial"]]]:
        """Yield each class, and the trials that may be of it: those of its contrast."""
        n = len(self.classes.names)
        for number, contrast in enumerate(self.classes.contrasts):
            rows = self.trials.contrast == contrast
            for label in range(n * number, n * (number + 1)):
                yield label, rows


def bootstrap_counts(
    trials: TrialDesign, n: int, rng: np.random.Generator
) -> UInt8[np.ndarray, " replicate trial"]:
    """Return how often each trial is drawn; trials of one noise field alike."""
    _, first, cluster = np.unique(
        trials.cluster, return_index=True, return_inverse=True
    )
    cell = trials.cell[first]
    drawn = np.zeros((n, len(first)), np.uint8)
    for number in np.unique(cell):
        members = np.flatnonzero(cell == number)
        picks = rng.integers(len(members), size=(n, len(members)))
        for replicate in range(n):
            drawn[replicate, members] = np.bincount(
                picks[replicate], minlength=len(members)
            )
    return drawn[:, cluster]


def _check(n: int) -> None:
    if n < 1:
        raise ValueError(f"the number of replicates must be >= 1, got {n}")


def _channels(
    trials: TrialDesign,
) -> Iterator[tuple[Float32[np.ndarray, " trial element"], int]]:
    """Yield the noise of which a kernel is made, and the sign with which it counts."""
    if not trials.is_forced_choice:
        yield trials.noise, 1
        return
    # Their own sign does not matter to a product of two elements.
    yield trials.halves[0], 1
    yield trials.halves[1], -1


def _blocks(
    channel: Float32[np.ndarray, " trial element"],
) -> Iterator[tuple[int, Float32[np.ndarray, " row element"]]]:
    """Yield some of the noise at a time, and the number of its first trial."""
    for start in range(0, len(channel), ROWS):
        yield start, channel[start : start + ROWS]
