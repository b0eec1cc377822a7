"""Products of kernels by group of stimuli: all that a comparison of kernels rests on.

A kernel V is the sum of what groups add to it, v_g. Of two kernels one needs the
product of the whole ones, of each group with the whole other kernel, and, where group g
of both is of the same stimuli, v_g(a) . v_g(b). Of order 1 groups are held as vectors.
Of order 2 they are p x p matrices, of which hundreds would fill the memory; but each is
a sum over trials of c x x^T, so that

    v_g . V = sum of c x^T V x,   v_g(a) . v_g(b) = sum of c c' (x . x')^2,

and no matrix of a group is ever made. A mean product of trials, R, is taken off every
trial's, c (x x^T - R): it cancels in the whole, as coefficients of a class add up to
minus those of the other response, and keeps unequal numbers of classes out of the
groups. Products are over the upper triangle, which is half of the whole matrix and half
of its diagonal.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ..kernels.classes import Classes
from ..trials.design import ROWS, TrialDesign
from ..trials.estimate import CannotTell
from .kernel_groups import by_number

Parts = Float[np.ndarray, " group value"]
Matrix = Float[np.ndarray, " element element"]


@dataclass(frozen=True, eq=False)
class GroupDots:
    """Products of two kernels, whole and by group.

    Attributes
    ----------
    total
        Of the whole kernels.
    first, second
        Of each group of the one with the whole other, and the other way round.
    same
        Of each group of the one with that of the other, of the same stimuli; None
        where groups are of other stimuli.
    """

    total: float
    first: Float[np.ndarray, " group"]
    second: Float[np.ndarray, " other"]
    same: Float[np.ndarray, " group"] | None

    @classmethod
    def of(
        cls, one: Parts, other: Float[np.ndarray, " more value"], is_shared: bool
    ) -> "GroupDots":
        """Multiply kernels whose groups are held as vectors."""
        a, b = one.sum(0, dtype=np.float64), other.sum(0, dtype=np.float64)
        same = np.einsum("gv,gv->g", one, other) if is_shared else None
        return cls(float(a @ b), one @ b, other @ a, same)


@dataclass(frozen=True, eq=False)
class _Half:
    """Noise of one kind, what each trial counts, and its group, sorted by group."""

    noise: Float[np.ndarray, " trial element"]
    count: Float[np.ndarray, " trial"]
    group: Int[np.ndarray, " trial"]


class SecondOrderSums:
    """A second-order kernel as a sum over groups, none of which is made.

    Parameters
    ----------
    trials
        Well filled (`second_order/replicates.py`).
    group, n_groups
        Of each trial, and how many there are.
    without
        A first-order kernel that is taken out of rows and columns, or None.
    """

    def __init__(
        self,
        trials: TrialDesign,
        group: Int[np.ndarray, " trial"],
        n_groups: int,
        without: Float[np.ndarray, " element"] | None,
    ) -> None:
        self.n_groups, self._trials, self._group = n_groups, trials, group
        if without is not None and not without.any():
            rule = "differ from zero to be taken out of the second"
            raise CannotTell(f"the first-order kernel must {rule}")
        self._along = None if without is None else without / np.linalg.norm(without)
        classes = Classes.of(trials)
        self._label = classes.label[0]
        self._coefficient = classes.coefficients(2)[0]
        self._halves = [self._half(half) for half in (0, 1)]

    def _half(self, half: int) -> _Half:
        trials, count = self._trials, self._coefficient
        here = count != 0
        if trials.is_forced_choice:
            count = count * (1, -1)[half]
        else:
            here = here & (trials.target == 1 - half)
        rows = np.flatnonzero(here)
        rows = rows[np.argsort(self._group[rows], kind="stable")]
        noise = trials.halves[half][rows]
        if trials.is_forced_choice:  # a class has targets in either interval
            noise = noise * trials.sign[rows, None]
        label = self._label[rows]
        for number in np.unique(label):
            noise[label == number] -= noise[label == number].mean(0)
        if self._along is not None:
            w = self._along.astype(np.float32)
            noise -= (noise @ w)[:, None] * w
        return _Half(noise, count[rows].astype(np.float32), self._group[rows])

    def mean_product(self) -> Matrix:
        """Return the mean of x x^T over all trials, of both kinds."""
        total = np.zeros(2 * self._halves[0].noise.shape[1:], np.float32)
        for half in self._halves:
            total += half.noise.T @ half.noise
        return total / np.float32(sum(len(half.noise) for half in self._halves))

    def whole(self) -> Matrix:
        """Return the kernel."""
        total = np.zeros(2 * self._halves[0].noise.shape[1:], np.float32)
        for half in self._halves:
            total += (half.noise.T * half.count) @ half.noise
        return total

    def added(self, values: Sequence[np.ndarray]) -> Float[np.ndarray, " group"]:
        """Add up c x value over the trials of each group, of both kinds."""
        total = np.zeros(self.n_groups)
        for half, value in zip(self._halves, values, strict=True):
            total += np.bincount(half.group, half.count * value, self.n_groups)
        return total

    def diagonals(self) -> Float[np.ndarray, " group element"]:
        """Return the diagonal of what each group adds."""
        total = np.zeros((self.n_groups, self._halves[0].noise.shape[1]))
        for half in self._halves:
            each = half.count[:, None] * half.noise**2
            total += by_number(each, half.group, self.n_groups)
        return total

    def along(self, matrix: Matrix) -> list[Float[np.ndarray, " trial"]]:
        """Return x^T M x of the trials of both kinds."""
        found = []
        for half in self._halves:
            parts = [
                np.einsum("tv,tv->t", x @ matrix, x)
                for first in range(0, len(half.noise), ROWS)
                for x in [half.noise[first : first + ROWS]]
            ]
            found.append(np.concatenate(parts) if parts else np.zeros(0, np.float32))
        return found

    def by_group(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Give noise and counts of each group, both kinds together."""
        ends = [
            np.searchsorted(half.group, np.arange(self.n_groups + 1))
            for half in self._halves
        ]
        for g in range(self.n_groups):
            rows = [slice(end[g], end[g + 1]) for end in ends]
            both = list(zip(self._halves, rows, strict=True))
            yield (
                np.concatenate([half.noise[row] for half, row in both]),
                np.concatenate([half.count[row] for half, row in both]),
            )


@dataclass(frozen=True, eq=False)
class _Kernel:
    """A second-order kernel of one observer, less R, and sums over its groups.

    Attributes
    ----------
    sums
        Where they come from.
    whole
        The kernel.
    n
        Sum of c, by group.
    diagonal
        Of each group.
    mean
        Of each group over the upper triangle; 0 where the mean is kept.
    on_r
        Sum of c x^T R x, by group.
    """

    sums: SecondOrderSums
    whole: Matrix
    n: Float[np.ndarray, " group"]
    diagonal: Float[np.ndarray, " group element"]
    mean: Float[np.ndarray, " group"]
    on_r: Float[np.ndarray, " group"]

    @classmethod
    def of(cls, sums: SecondOrderSums, r: Matrix, is_pearson: bool) -> "_Kernel":
        """Take R off, and the mean over the upper triangle where that is left out."""
        halves = sums._halves
        n = sums.added([np.ones(len(half.count)) for half in halves])
        diagonal = sums.diagonals() - n[:, None] * np.diag(r)
        whole = sums.whole() - np.float32(n.sum()) * r
        mean = np.zeros(sums.n_groups)
        if is_pearson:
            full = sums.added([half.noise.sum(1) ** 2 for half in halves])
            mean = (full - n * r.sum(dtype=np.float64) + diagonal.sum(1)) / 2
            mean /= _n_upper(r)
        on_r = sums.added(sums.along(r))
        return cls(sums, whole, n, diagonal, mean, on_r)

    def on(self, other: "_Kernel", r: Matrix) -> Float[np.ndarray, " group"]:
        """Return the product of each group with another's whole kernel."""
        v = other.whole
        full = self.sums.added(self.sums.along(v)) - self.n * _dot(r, v)
        upper = (full + self.diagonal @ np.diag(v)) / 2
        return upper - _n_upper(r) * self.mean * other.mean.sum()

    def times(self, other: "_Kernel", r: Matrix) -> Float[np.ndarray, " group"]:
        """Return the product of each group with the same group of another."""
        full = np.zeros(self.sums.n_groups)
        groups = zip(self.sums.by_group(), other.sums.by_group(), strict=True)
        for g, ((x, c), (y, d)) in enumerate(groups):
            full[g] = c.astype(np.float64) @ (x @ y.T) ** 2 @ d
        full += self.n * other.n * _dot(r, r)
        full -= other.n * self.on_r + self.n * other.on_r
        upper = (full + np.einsum("gv,gv->g", self.diagonal, other.diagonal)) / 2
        return upper - _n_upper(r) * self.mean * other.mean


def _dot(one: Matrix, other: Matrix) -> float:
    return float(np.vdot(one, other))


def _n_upper(matrix: Matrix) -> int:
    return len(matrix) * (len(matrix) + 1) // 2


def second_order_dots(
    ours: SecondOrderSums, theirs: SecondOrderSums, is_shared: bool, is_pearson: bool
) -> tuple[GroupDots, GroupDots, GroupDots]:
    """Return the products of our kernel with itself, of theirs, and of both."""
    r = (ours.mean_product() + theirs.mean_product()) / 2
    one, other = (_Kernel.of(each, r, is_pearson) for each in (ours, theirs))
    own, their_own = (_with_itself(each, r) for each in (one, other))
    first, second = one.on(other, r), other.on(one, r)
    same = one.times(other, r) if is_shared else None
    return own, their_own, GroupDots(float(first.sum()), first, second, same)


def _with_itself(one: _Kernel, r: Matrix) -> GroupDots:
    dots = one.on(one, r)
    return GroupDots(float(dots.sum()), dots, dots, one.times(one, r))
