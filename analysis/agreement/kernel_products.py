"""Products of two kernels without sampling noise, and what each stimulus adds to them.

A kernel is the sum of the parts v_g that groups of stimuli add to it
(`kernel_groups.py`). Products of different groups are free of sampling noise [1]_, so

    C_ab = G / (G - 1) x sum over g != h of s_gh,  s_gh = v_g(a) . v_h(b), symmetrised

is without bias for the product of the two kernels that infinitely many trials would
give, likewise C_aa and C_bb for their squared lengths. (Observers without a stimulus in
common have independent noise, so there the product is that of the whole kernels.) Each
is a U-statistic, whose jackknife centre is itself. Group g has the influence
2 x sum over h of s_gh, less the mean over groups. Squares of influences add up to more
than the variance, as they hold twice the part that two groups have only together [2]_.
It stays in: taken off once, each variance is right, but intervals of a share of 1 cover
.73 to .82, since its numerator and denominator differ by that part alone.

References
----------
.. [1] Walther et al. (2016), NeuroImage 137, 188-200 (crossvalidated distances).
.. [2] Efron & Stein (1981), Ann. Stat. 9, 586-596 (the jackknife's excess of variance).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from .group_dots import GroupDots, Parts
from .ratio import Ratio


@dataclass(frozen=True, eq=False)
class KernelProducts:
    """C of two kernels with each other, and of each with itself.

    Attributes
    ----------
    numbers
        C_ab, C_aa and C_bb.
    influence
        What each group of stimuli adds to the three; of sessions without a common
        stimulus first the groups of ours, then of theirs. Sessions that saw the same
        stimuli have the same groups, whatever the partner.
    """

    numbers: Float[np.ndarray, " 3"]
    influence: Float[np.ndarray, " group 3"]

    @classmethod
    def of(
        cls, ours: Parts, theirs: Float[np.ndarray, " other value"], is_shared: bool
    ) -> "KernelProducts":
        """Multiply the parts of two kernels.

        Parameters
        ----------
        is_shared
            Whether group g of both is of the same stimuli.
        """
        return cls.of_dots(
            GroupDots.of(ours, ours, True),
            GroupDots.of(theirs, theirs, True),
            GroupDots.of(ours, theirs, is_shared),
        )

    @classmethod
    def of_dots(
        cls, own: GroupDots, their_own: GroupDots, across: GroupDots
    ) -> "KernelProducts":
        """Take the products of two kernels with themselves, and with each other."""
        both = _apart(own), _apart(their_own)
        if across.same is not None:
            found = [_apart(across), *both]
            numbers, influence = zip(*found, strict=True)
            return cls(np.array(numbers), np.column_stack(influence))
        n, m = len(across.first), len(across.second)
        influence = np.zeros((n + m, 3))
        influence[:n, 0] = across.first - across.total / n
        influence[n:, 0] = across.second - across.total / m
        influence[:n, 1], influence[n:, 2] = both[0][1], both[1][1]
        return cls(np.array([across.total, both[0][0], both[1][0]]), influence)

    @property
    def covariance(self) -> Float[np.ndarray, " 3 3"]:
        """Sampling covariance of the three."""
        n = len(self.influence)
        return self.influence.T @ self.influence * n / (n - 1)

    def ratio(self) -> Ratio:
        """Return the three with their covariance."""
        return Ratio(self.numbers, self.covariance)


def _apart(dots: GroupDots) -> tuple[float, np.ndarray]:
    """Return C of two kernels from common groups, and the influence of each group."""
    assert dots.same is not None
    n, same = len(dots.first), dots.same
    number = (dots.total - float(same.sum())) * n / (n - 1)
    influence = (dots.first + dots.second - 2 * same) * n / (n - 1)
    return number, influence - influence.mean()
