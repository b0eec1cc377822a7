"""Products of kernels by group of stimuli: all that a comparison of kernels rests on.

A kernel V is the sum of what groups add to it, v_g. Of two kernels one needs the
product of the whole ones, of each group with the whole other kernel, and, where group g
of both is of the same stimuli, v_g(a) . v_g(b). Of order 1 groups are held as vectors.
Of order 2 they are p x p matrices, of which hundreds would fill the memory; but each is
a sum over trials of c x x^T, so that

    v_g . V = sum of c x^T V x,   v_g(a) . v_g(b) = sum of c c' (x . x')^2,

and no matrix of a group is ever made; of the noise a few groups are held at a time. A
mean product of trials, R, is taken off every trial's, c (x x^T - R): it cancels in the
whole, as coefficients of a class add up to minus those of the other response, and keeps
unequal numbers of classes out of the groups. In white noise R is diagonal. Products are
over the upper triangle, which is half of the whole matrix and half of its diagonal.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int

from ..kernels.classes import Classes
from ..kernels.noise_law import some_fields
from ..trials.design import ROWS, TrialDesign
from ..trials.estimate import CannotTell
from ..trials.score import why_not_white
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
class _Entries:
    """What enters a second-order kernel, sorted by group: a noise field of a trial.

    Attributes
    ----------
    half, row
        Where its noise is.
    kind
        Its class and half: about whose mean it is taken.
    count
        What it counts.
    group
        Of the stimulus.
    """

    half: Int[np.ndarray, " entry"]
    row: Int[np.ndarray, " entry"]
    kind: Int[np.ndarray, " entry"]
    count: Float[np.ndarray, " entry"]
    group: Int[np.ndarray, " entry"]

    @classmethod
    def of(cls, trials: TrialDesign, group: Int[np.ndarray, " trial"]) -> "_Entries":
        classes = Classes.of(trials)
        label, coefficient = classes.label[0], classes.coefficients(2)[0]
        parts = []
        for half, sign in ((0, 1), (1, -1)):
            count, here = coefficient, coefficient != 0
            if trials.is_forced_choice:
                count = count * sign
            else:
                here = here & (trials.target == 1 - half)
            row = np.flatnonzero(here)
            kind = label[row] + half * (label.max() + 1)
            parts.append((np.full(len(row), half), row, kind, count[row], group[row]))
        half, row, kind, count, group = map(np.concatenate, zip(*parts, strict=True))
        order = np.argsort(group, kind="stable")
        _, kind = np.unique(kind, return_inverse=True)
        count = count[order].astype(np.float32)
        return cls(half[order], row[order], kind[order], count, group[order])

    def __len__(self) -> int:
        return len(self.row)


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
        self.n_groups, self._trials = n_groups, trials
        self.n_elements = trials.halves.shape[2]
        if without is not None and not without.any():
            rule = "differ from zero to be taken out of the second"
            raise CannotTell(f"the first-order kernel must {rule}")
        self._along = None if without is None else without / np.linalg.norm(without)
        self._entries, self._sign = _Entries.of(trials, group), trials.sign
        self._means = self._of_kinds()

    def _of_kinds(self) -> Float[np.ndarray, " kind element"]:
        """Return the mean noise of every kind of entries."""
        kind = self._entries.kind
        n = np.bincount(kind)
        total = np.zeros((len(n), self.n_elements))
        for start in range(0, len(kind), ROWS):
            part = slice(start, start + ROWS)
            total += by_number(self._shown(part), kind[part], len(n))
        return (total / n[:, None]).astype(np.float32)

    def _shown(self, part: slice) -> Float[np.ndarray, " entry element"]:
        half, row = self._entries.half[part], self._entries.row[part]
        noise = self._trials.halves[half, row]
        if self._trials.is_forced_choice:  # a class has targets in either interval
            noise *= self._sign[row, None]
        return noise

    def noise(self, part: slice) -> Float[np.ndarray, " entry element"]:
        """Give noise about the mean of its kind, what is taken out taken out."""
        noise = self._shown(part)
        noise -= self._means[self._entries.kind[part]]
        if self._along is not None:
            w = self._along.astype(np.float32)
            noise -= (noise @ w)[:, None] * w
        return noise

    def slabs(self) -> Iterator[tuple[slice, np.ndarray, np.ndarray, np.ndarray]]:
        """Give entries of a few groups at a time, with noise, counts and groups."""
        ends = self._ends
        start = 0
        while start < len(self._entries):
            # Whole groups, as many as there is room for, and one at least.
            last = int(np.searchsorted(ends, start + ROWS, "right"))
            stop = int(max(ends[last - 1], ends[np.searchsorted(ends, start, "right")]))
            part = slice(start, stop)
            entries = self._entries
            yield part, self.noise(part), entries.count[part], entries.group[part]
            start = stop

    @cached_property
    def _ends(self) -> Int[np.ndarray, " edge"]:
        return np.searchsorted(self._entries.group, np.arange(self.n_groups + 1))

    @cached_property
    def is_white(self) -> bool:
        """Whether nothing is taken out of noise that is white, as far as one sees."""
        if self._along is not None:
            return False
        some = self._trials.where(some_fields(self._trials))
        return why_not_white(some) is None

    def mean_product(self) -> Matrix:
        """Return the mean of x x^T over all entries; in white noise that of x_j^2."""
        n = np.float32(len(self._entries))
        if self.is_white:
            return np.diag(self.sums.squares.astype(np.float32) / n)
        total = np.zeros(2 * (self.n_elements,), np.float32)
        for _, x, _, _ in self.slabs():
            total += x.T @ x
        return total / n

    @cached_property
    def sums(self) -> "_Sums":
        """Sums that need no other kernel."""
        p, n = self.n_elements, self.n_groups
        whole, squares = np.zeros((p, p), np.float32), np.zeros(p)
        diagonal, full = np.zeros((n, p)), np.zeros(n)
        for _, x, c, group in self.slabs():
            whole += (x.T * c) @ x
            squared = x**2
            squares += squared.sum(0, dtype=np.float64)
            squared *= c[:, None]
            first = group[0]
            n_here = int(group[-1] - first) + 1
            diagonal[first : first + n_here] = by_number(squared, group - first, n_here)
            full += np.bincount(group, c * x.sum(1) ** 2, n)
        count = np.bincount(self._entries.group, self._entries.count, n)
        return _Sums(whole, squares, diagonal, full, count)

    def on(self, *matrices: Matrix) -> list[Float[np.ndarray, " group"]]:
        """Add up c x^T M x over the entries of each group, for each matrix."""
        found = [np.zeros(self.n_groups) for _ in matrices]
        for _, x, c, group in self.slabs():
            for total, matrix in zip(found, matrices, strict=True):
                value = np.einsum("tv,tv->t", x @ matrix, x)
                total += np.bincount(group, c * value, self.n_groups)
        return found

    def by_group(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Give noise and counts of each group."""
        ends, counts = self._ends, self._entries.count
        for first, last in pairwise(ends):
            yield self.noise(slice(first, last)), counts[first:last]


@dataclass(frozen=True, eq=False)
class _Sums:
    """Sums over the entries of a kernel.

    Attributes
    ----------
    whole
        The kernel.
    squares
        Of all noise, by element, whatever it counts.
    diagonal
        Of the kernel, by group.
    full
        Of all elements of the kernel, by group.
    n
        Sum of c, by group.
    """

    whole: Matrix
    squares: Float[np.ndarray, " element"]
    diagonal: Float[np.ndarray, " group element"]
    full: Float[np.ndarray, " group"]
    n: Float[np.ndarray, " group"]


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
    def of(
        cls, sums: SecondOrderSums, r: Matrix, is_diagonal: bool, is_pearson: bool
    ) -> "_Kernel":
        """Take R off, and the mean over the upper triangle where that is left out."""
        made, n = sums.sums, sums.sums.n
        diagonal = made.diagonal - n[:, None] * np.diag(r)
        whole = made.whole - np.float32(n.sum()) * r
        mean = np.zeros(sums.n_groups)
        if is_pearson:
            mean = (made.full - n * r.sum(dtype=np.float64) + diagonal.sum(1)) / 2
            mean /= _n_upper(r)
        on_r = made.diagonal @ np.diag(r) if is_diagonal else sums.on(r)[0]
        return cls(sums, whole, n, diagonal, mean, on_r)

    def on(self, r: Matrix, *others: "_Kernel") -> list[Float[np.ndarray, " group"]]:
        """Return the product of each group with others' whole kernels."""
        found = []
        full = self.sums.on(*(other.whole for other in others))
        for one, other in zip(full, others, strict=True):
            v = other.whole
            upper = (one - self.n * _dot(r, v) + self.diagonal @ np.diag(v)) / 2
            found.append(upper - _n_upper(r) * self.mean * other.mean.sum())
        return found

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
    is_diagonal = ours.is_white and theirs.is_white
    one, other = (_Kernel.of(x, r, is_diagonal, is_pearson) for x in (ours, theirs))
    own, first = one.on(r, one, other)
    their_own, second = other.on(r, other, one)
    same = one.times(other, r) if is_shared else None
    return (
        GroupDots(float(own.sum()), own, own, one.times(one, r)),
        GroupDots(float(their_own.sum()), their_own, their_own, other.times(other, r)),
        GroupDots(float(first.sum()), first, second, same),
    )
