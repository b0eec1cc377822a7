"""A correlation within groups: whether two quantities go together among a group's own.

Groups that differ in both for other reasons, such as networks of unlike families, make
a correlation of all cases, or hide one, or turn it round. Here each group's mean is
taken away, and p is that of permutations within groups.
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from jaxtyping import Float, Int64

from .estimate import Estimate
from .result import Cells, Result, short

WITHIN = "correlation-within-groups/1"
DRAWS = 10_000
_NONE = "one quantity is the same in all cases of each group"
_NO_INTERVAL = "no interval: it is tested by permutations"
_SLACK = 1e-9  # sums of the same numbers in another order are as large


@dataclass(frozen=True, eq=False)
class WithinGroups(Result):
    """A correlation of values less their group's mean, and its test.

    Attributes
    ----------
    r
        Pearson's, without an interval; n is the number of cases in groups of two or
        more.
    p
        Two-sided: the share of permutations within groups with as large an |r|; NaN
        where there is no r.
    n_groups
        Groups of two cases or more; one that is alone tells nothing.
    n_permutations
        All that there are, the one that is observed among them, or those drawn.
    is_exact
        Whether they are all.
    """

    r: Estimate
    p: float
    n_groups: int
    n_permutations: int
    is_exact: bool

    def table(self) -> list[Cells]:
        """Give one row."""
        return [
            {
                "r within": self.r.short(),
                "p": short(self.p),
                "cases": str(self.r.n),
                "groups": str(self.n_groups),
            }
        ]


def within_groups(
    x: Sequence[float] | Float[np.ndarray, " case"],
    y: Sequence[float] | Float[np.ndarray, " case"],
    groups: Sequence[Hashable],
    seed: int = 0,
) -> WithinGroups:
    """Correlate two quantities within groups, and test it by permutations within them.

    Parameters
    ----------
    x, y
        Of each case. The cases of a group are exchangeable if nothing goes with
        anything: copies that share what made them are averaged before.
    groups
        Which group it is of.
    seed
        Of permutations that are drawn: 10,000 where there are more.

    Raises
    ------
    ValueError
        If the three are not of the same cases, or a value is not finite.

    References
    ----------
    Good (2005), Permutation, parametric, and bootstrap tests of hypotheses, 3rd ed.;
    Phipson & Smyth (2010), Stat. Appl. Genet. Mol. Biol. 9, 39 (p of drawn ones).

    Examples
    --------
    Groups differ so that all cases go the other way:

    >>> x = np.array([1.0, 2, 3, 11, 12, 13])
    >>> y = np.array([11.0, 12, 13, 1, 2, 3])
    >>> found = within_groups(x, y, ["a"] * 3 + ["b"] * 3)
    >>> round(found.r.value, 3), round(found.p, 3), found.n_permutations
    (1.0, 0.056, 36)
    """
    one, other = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if not len(one) == len(other) == len(groups):
        got = f"{len(one)}, {len(other)} and {len(groups)}"
        raise ValueError(f"x, y and groups must be of the same cases, got {got}")
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        raise ValueError("x and y must be finite numbers, got one that is not")
    members = _members(groups)
    pairs = [(_centred(one[m]), _centred(other[m])) for m in members]
    n = sum(len(m) for m in members)
    size = math.prod(math.sqrt(sum(float(v[k] @ v[k]) for v in pairs)) for k in (0, 1))
    if not size:
        return WithinGroups(Estimate.missing(WITHIN, _NONE, n), math.nan, 0, 0, True)
    observed = sum(float(a @ b) for a, b in pairs)
    n_all = math.prod(math.factorial(len(m)) for m in members)
    is_exact = n_all <= DRAWS
    sums = _all_sums(pairs) if is_exact else _drawn_sums(pairs, seed)
    reach = abs(observed) - _SLACK * size
    n_reached, n_drawn = int((np.abs(sums) >= reach).sum()), len(sums)
    # Of drawn ones the observed is one more, so that p is never 0.
    p = n_reached / n_drawn if is_exact else (n_reached + 1) / (n_drawn + 1)
    value = float(np.clip(observed / size, -1, 1))
    r = Estimate(value, None, None, None, n, WITHIN, _NO_INTERVAL)
    return WithinGroups(r, p, len(members), n_drawn, is_exact)


def _members(groups: Sequence[Hashable]) -> list[Int64[np.ndarray, " case"]]:
    """Give the places of each group's cases; a case alone has no mean but itself."""
    places: dict[Hashable, list[int]] = {}
    for place, group in enumerate(groups):
        places.setdefault(group, []).append(place)
    return [np.array(each) for each in places.values() if len(each) > 1]


def _centred(values: Float[np.ndarray, " case"]) -> Float[np.ndarray, " case"]:
    """Take the mean away; what rounding leaves of equal values is nothing."""
    if not np.ptp(values):
        return np.zeros_like(values)
    return values - values.mean()


def _all_sums(
    pairs: Sequence[tuple[np.ndarray, np.ndarray]],
) -> Float[np.ndarray, " permutation"]:
    """Give the sum of products of every permutation within groups."""
    sums = np.zeros(1)
    for a, b in pairs:
        orders = np.array(list(permutations(range(len(a)))))
        sums = np.add.outer(sums, a[orders] @ b).ravel()
    return sums


def _drawn_sums(
    pairs: Sequence[tuple[np.ndarray, np.ndarray]], seed: int
) -> Float[np.ndarray, " permutation"]:
    """Give it of permutations that are drawn, all groups' at once."""
    rng = np.random.default_rng(seed)
    sums = np.zeros(DRAWS)
    for a, b in pairs:
        sums += rng.permuted(np.tile(a, (DRAWS, 1)), axis=1) @ b
    return sums
