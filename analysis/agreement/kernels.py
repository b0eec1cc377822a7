"""How alike two observers' kernels are, beside the ceiling that sampling noise sets.

Kernels are noisy, so even two estimates from one observer do not correlate by 1. The
reliability of a kernel, rel, is the correlation expected with another from as many new
trials: split-half correlation rho, stepped up to 2 rho / (1 + rho) [1]_. Two kernels
can correlate by sqrt(rel_a rel_b) at most, and their correlation over this ceiling is
that of the kernels without sampling noise [2]_.

Half-kernels are compared over all splits at once. A kernel is the sum of the parts v_g
that groups of stimuli add to it; the mean product of half-kernels over all splits of
the G groups is, up to a factor, the sum of the products of different groups,

    C_ab = G / (G - 1) x sum over g != h of v_g(a) . v_h(b),

and with T_ab the product of the whole kernels rel_a = C_aa / T_aa.

**Shared stimuli.** A yoked observer responds to the same noise fields, so where two
observers respond alike, for whatever reason, the sampling noise of their kernels is
alike. T_ab then contains

    N p sigma^2 cov(response_a, response_b | class)

of it, from N fields of p elements: two observers with orthogonal templates whose
responses share anything else, such as a non-linearity, seem to have similar kernels.
For sessions that share stimuli C_ab takes the place of T_ab: no part of one kernel is
compared with a part of the other that was made from the same stimuli.

The correlation over its ceiling is C_ab / sqrt(C_aa C_bb): a ratio of three numbers
without bias, so its value, its interval and its refusal are those of `ratio.py`, from
the influence of each group of stimuli (`kernel_products.py`). Standard errors of the
correlation, the ceiling and the reliabilities are those of the jackknife over groups (a
bootstrap would repeat stimuli, whose noise then passes for signal or adds to it). Where
sampling noise outweighs the kernels they are too large, by up to sqrt 2.

References
----------
.. [1] Spearman (1910), Br. J. Psychol. 3, 271-295; Brown (1910), ibid., 296-322.
.. [2] Spearman (1904), Am. J. Psychol. 15, 72-101 (correction for attenuation).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from ..second_order.replicates import well_filled
from ..trials.design import TrialDesign
from ..trials.estimate import Z95, CannotTell, Estimate
from ..trials.held import as_design
from ..trials.responses import SessionLike
from ..trials.result import Result
from ..trials.score import score
from ..trials.shown import require_same_noise
from .group_dots import GroupDots, Parts, SecondOrderSums, second_order_dots
from .kernel_groups import group_sums, stimulus_groups
from .kernel_products import KernelProducts

CORRELATION = "kernel-correlation"
CEILING = "kernel-correlation-ceiling"
SHARE = "kernel-correlation-disattenuated"
RELIABILITY = "kernel-reliability-split-half"
SHARED = "stimuli are shared: parts of the kernels from one stimulus are not compared"
TOO_NOISY = "too noisy for a share"
FEWEST_GROUPS = 3  # of stimuli: one left out, and two to be compared
_MAX_FAILED = 0.05  # of leave-one-out values that are undefined


@dataclass(frozen=True)
class KernelSimilarity(Result):
    """The likeness of two kernels.

    Attributes
    ----------
    correlation
        Of the whole kernels, as it would be if their sampling noise were independent.
    ceiling
        What `correlation` would be if the kernels differed by sampling noise only.
    disattenuated
        correlation / ceiling: of the kernels without sampling noise. Outside -1 to 1 by
        sampling only; without a value where the interval of the ceiling reaches 0.
    reliability_ours, reliability_theirs
        Expected correlation of either kernel with one from as many new trials.
    order
        1, or 2: elements of the upper triangle of the second-order kernel.
    measure
        'pearson', correlation over elements; or 'cosine', about 0.
    n_shared_stimuli
        Noise fields that both saw.
    """

    correlation: Estimate
    ceiling: Estimate
    disattenuated: Estimate
    reliability_ours: Estimate
    reliability_theirs: Estimate
    order: int
    measure: str
    n_shared_stimuli: int


def similarity(
    ours: SessionLike | TrialDesign,
    theirs: SessionLike | TrialDesign,
    order: int = 1,
    measure: str = "pearson",
    linear_part: str = "keep",
    seed: int = 0,
) -> KernelSimilarity:
    """Compare the kernels of two observers, and say how alike they could be.

    Stimuli are put into up to 400 random groups, two showings in one group, and so are
    both sessions' showings of one stimulus.

    Parameters
    ----------
    ours, theirs
        Sessions or trials with fields of one shape; not necessarily the same trials.
    order
        1: optimally weighted sums. 2: second-order kernels.
    measure
        'pearson' leaves out the kernel's mean over elements; 'cosine' keeps it.
    linear_part
        'remove' projects either first-order kernel out of its second-order one: in
        yes/no a biased linear observer has a second order along its template.
    seed
        Of the groups.

    Raises
    ------
    ValueError
        If the fields differ in shape, an observer lacks a stimulus-response class in
        every contrast, or an option is not one of those named.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> observer = yoked.load_observer("template")
    >>> one, other = (
    ...     yoked.run(protocol, observer, seed=seed, trials=600, contrast=0.15)
    ...     for seed in (1, 2)
    ... )
    >>> found = similarity(one, other)
    >>> found.n_shared_stimuli, round(found.disattenuated.value, 1)
    (0, 1.0)
    """
    if order not in (1, 2):
        raise ValueError(f"order must be 1 or 2, got {order}")
    if measure not in ("pearson", "cosine"):
        raise ValueError(f"measure must be pearson or cosine, got {measure!r}")
    if linear_part not in ("keep", "remove"):
        raise ValueError(f"linear_part must be keep or remove, got {linear_part!r}")
    ours, theirs = as_design(ours), as_design(theirs)
    if order == 1:
        made = kernel_parts([ours, theirs], measure, seed)
        (one, other), n_shared = made.parts, made.n_shared
        dots = (
            GroupDots.of(one, one, True),
            GroupDots.of(other, other, True),
            GroupDots.of(one, other, bool(n_shared)),
        )
    else:
        dots, n_shared = _second_order(ours, theirs, measure, linear_part, seed)
    whole, left_out = _products(*dots)
    n, name = len(ours) + len(theirs), f"order-{order}-{measure}"
    found = {
        field: _estimated(whole, left_out, field, f"{formula}-{name}/1", n)
        for field, formula in _FORMULAS.items()
    }
    found["disattenuated"] = _share(
        KernelProducts.of_dots(*dots), f"{SHARE}-{name}/2", n
    )
    for field in ("correlation", "disattenuated"):
        if n_shared and found[field].value is not None:
            found[field] = found[field].with_note(SHARED)
    return KernelSimilarity(
        **found, order=order, measure=measure, n_shared_stimuli=n_shared
    )


@dataclass(frozen=True, eq=False)
class KernelParts:
    """Kernels as sums over groups of stimuli.

    Attributes
    ----------
    parts
        What each group adds to each kernel.
    groups
        Group of every trial of each design.
    n_shared
        Noise fields that all showed. If there are any, groups are common to all.
    """

    parts: list[Parts]
    groups: list[Int[np.ndarray, " _"]]
    n_shared: int


def kernel_parts(
    designs: Sequence[TrialDesign], measure: str = "pearson", seed: int = 0
) -> KernelParts:
    """Return what each group of stimuli adds to each first-order kernel.

    Options as in `similarity`.
    """
    groups, n_groups, n_shared = _groups(designs, 1, seed)
    parts = []
    for one, group, n in zip(designs, groups, n_groups, strict=True):
        sums = group_sums(one, group, n)
        parts.append(sums - sums.mean(1, keepdims=True) * (measure == "pearson"))
        _require_variation(bool(parts[-1].sum(0).any()), measure)
    return KernelParts(parts, groups, n_shared)


def _groups(
    designs: Sequence[TrialDesign], order: int, seed: int
) -> tuple[list[Int[np.ndarray, " _"]], list[int], int]:
    """Put stimuli into groups, as `stimulus_groups` does, or say why that fails."""
    for other in designs[1:]:
        require_same_noise(designs[0], other)
    rng = np.random.default_rng(seed)
    groups, n_groups, n_shared = stimulus_groups(list(designs), order, rng)
    if min(n_groups) < FEWEST_GROUPS:
        rule = f"{FEWEST_GROUPS} or more to leave one out"
        raise CannotTell(f"stimuli must be {rule}, got {min(n_groups)}")
    return groups, n_groups, n_shared


def _require_variation(varies: bool, measure: str) -> None:
    if not varies:
        rule = "vary over elements" if measure == "pearson" else "differ from 0"
        raise CannotTell(f"kernels must {rule}, got one value everywhere")


def _second_order(
    ours: TrialDesign, theirs: TrialDesign, measure: str, linear_part: str, seed: int
) -> tuple[tuple[GroupDots, GroupDots, GroupDots], int]:
    """Return the products of two second-order kernels, and the stimuli they share."""
    require_same_noise(ours, theirs)
    designs = [well_filled(one) for one in (ours, theirs)]
    groups, n_groups, n_shared = _groups(designs, 2, seed)
    sums = [
        SecondOrderSums(
            one, group, n, score(one).total if linear_part == "remove" else None
        )
        for one, group, n in zip(designs, groups, n_groups, strict=True)
    ]
    dots = second_order_dots(sums[0], sums[1], bool(n_shared), measure == "pearson")
    for own in dots[:2]:
        _require_variation(own.total > 0, measure)
    return dots, n_shared


def _share(products: KernelProducts, formula: str, n: int) -> Estimate:
    """Estimate C_ab / sqrt(C_aa C_bb), or say whose kernel is too noisy for it."""
    _, a, b = products.numbers
    _, v_a, v_b = np.diag(products.covariance)
    worse = "ours" if b > 0 and (a <= 0 or v_a * b**2 >= v_b * a**2) else "theirs"
    return products.ratio().share(n, formula, f"the kernel ({worse}) is {TOO_NOISY}")


@dataclass(frozen=True)
class _Products:
    """Products of two kernels; numbers, or arrays with one group left out in turn."""

    ours: Any  # C of ours with itself: without sampling noise
    theirs: Any
    across: Any  # of both: C if stimuli are shared, else T
    size_ours: Any  # T of ours with itself
    size_theirs: Any

    def reliability_ours(self) -> Any:
        return _where(self.ours > 0, self.ours / self.size_ours)

    def reliability_theirs(self) -> Any:
        return _where(self.theirs > 0, self.theirs / self.size_theirs)

    def ceiling(self) -> Any:
        return np.sqrt(self.reliability_ours() * self.reliability_theirs())

    def correlation(self) -> Any:
        return self.across / np.sqrt(self.size_ours * self.size_theirs)


def _where(known: Any, value: Any) -> Any:
    return np.where(known, value, np.nan)


def _products(
    own: GroupDots, their_own: GroupDots, both: GroupDots
) -> tuple[_Products, list[_Products]]:
    """Products of the whole kernels, and with groups left out (of either, or both)."""
    ours, theirs = _Pair.of(own), _Pair.of(their_own)
    if both.same is not None:
        across = _Pair.of(both)
        whole = _Products(ours.c, theirs.c, across.c, ours.t, theirs.t)
        return whole, [
            _Products(ours.c_out, theirs.c_out, across.c_out, ours.t_out, theirs.t_out)
        ]
    t, without = both.total, (both.total - both.first, both.total - both.second)
    whole = _Products(ours.c, theirs.c, t, ours.t, theirs.t)
    return whole, [
        _Products(ours.c_out, theirs.c, without[0], ours.t_out, theirs.t),
        _Products(ours.c, theirs.c_out, without[1], ours.t, theirs.t_out),
    ]


@dataclass(frozen=True)
class _Pair:
    """T and C of two kernels from the same groups, and with each group left out."""

    t: float
    c: float
    t_out: Float[np.ndarray, " group"]
    c_out: Float[np.ndarray, " group"]

    @classmethod
    def of(cls, dots: GroupDots) -> "_Pair":
        assert dots.same is not None
        n, t, same = len(dots.first), dots.total, dots.same
        t_out = t - dots.first - dots.second + same
        c_out = (t_out - (same.sum() - same)) * (n - 1) / (n - 2)
        return cls(t, (t - float(same.sum())) * n / (n - 1), t_out, c_out)


_FORMULAS = {
    "correlation": CORRELATION,
    "ceiling": CEILING,
    "reliability_ours": RELIABILITY,
    "reliability_theirs": RELIABILITY,
}


def _estimated(
    whole: _Products, left_out: list[_Products], field: str, formula: str, n: int
) -> Estimate:
    """An estimate with the jackknife's SE; ends of the interval at most 1 in size."""
    with np.errstate(invalid="ignore", divide="ignore"):
        value = float(getattr(whole, field)())
        jackknife = [getattr(one, field)() for one in left_out]
    if not math.isfinite(value):
        who = "theirs" if whole.ours > 0 else "ours"
        reason = f"halves of the kernel ({who}) do not correlate above 0"
        return Estimate.missing(formula, f"{reason}: it has no reliability", n)
    variance, failed, n_out = 0.0, 0, 0
    for values in map(np.atleast_1d, jackknife):
        known = values[np.isfinite(values)]
        failed, n_out = failed + len(values) - len(known), n_out + len(values)
        variance += float(np.var(known)) * (len(known) - 1) if len(known) else 0.0
    if failed > _MAX_FAILED * n_out:
        note = f"no interval: {failed} of {n_out} groups decide over the reliability"
        return Estimate(value, None, None, None, n, formula, note)
    se = math.sqrt(variance)
    reach = max(1.0, abs(value))
    low, high = max(value - Z95 * se, -reach), min(value + Z95 * se, reach)
    note = "beyond 1 by sampling" if abs(value) > 1 else None
    return Estimate(value, se, low, high, n, formula, note)
