"""A correlation over its ceiling, N / sqrt(a b), when all three are estimated.

At each depth of comparison two observers have a product N with each other, and each one
with itself, a and b; their share is R = N / D with D = sqrt(a b). N, a and b may be
without bias, their quotient is not: to second order it is on average

    R (1 + m) - e,  m = 3/8 (C_aa / a^2 + C_bb / b^2) + 1/4 C_ab / (a b),
                    e = (C_Na / a + C_Nb / b) / (2 D),

with C the covariance of the three [1]_. The value is (R + e) / (1 + m); R less its
bias would be ruined by one session with a tiny D. Squares of an estimated a are small
too often, and 1 / a^2 on average 1 + 3 C_aa / a^2 times too large; so terms with a are
divided by that, those with b likewise. (Without it the value overshoots where a share
is uncertain.) The interval is Fieller's [2]_: all rho at which N - rho D is 0 within
1.96 of its standard errors. Where D itself is 0 within 1.96 of them the interval has no
end, and the share is refused. Nothing is cut at 1.

References
----------
.. [1] Cochran (1977), Sampling Techniques, section 6.8 (the bias of a ratio).
.. [2] Fieller (1954), J. R. Stat. Soc. B 16, 175-185.
"""

import math
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float
from scipy.special import ndtri

from ..trials.estimate import Z95, Estimate

ABOVE = "above 1 by sampling"


@dataclass(frozen=True, eq=False)
class Ratio:
    """N, a and b, and their covariance.

    Attributes
    ----------
    numbers
        Of the two observers with each other, and of each with itself.
    covariance
        Their sampling covariance.
    """

    numbers: Float[np.ndarray, " 3"]
    covariance: Float[np.ndarray, " 3 3"]

    @property
    def denominator(self) -> float:
        """D; 0 where a or b is not above 0."""
        _, a, b = self.numbers
        return math.sqrt(a * b) if a > 0 and b > 0 else 0.0

    @property
    def _both(self) -> Float[np.ndarray, " 2 2"]:
        """Covariance of N and D."""
        _, a, b = self.numbers
        d = self.denominator
        slope = np.array([[1, 0, 0], [0, d / (2 * a), d / (2 * b)]])
        return slope @ self.covariance @ slope.T

    @property
    def is_certain(self) -> bool:
        """Whether the interval of D is above 0."""
        return self.ends() is not None

    def ends(self, z: float = Z95) -> tuple[float, float] | None:
        """Give the ends of Fieller's interval; None where that of D reaches 0.

        Parameters
        ----------
        z
            Half the width of a normal interval of that level, in standard errors.
        """
        d = self.denominator
        (v_n, c_nd), (_, v_d) = self._both if d else np.zeros((2, 2))
        a = d**2 - z**2 * v_d
        if not (d > 0 and a > 0):
            return None
        b = self.numbers[0] * d - z**2 * c_nd
        c = self.numbers[0] ** 2 - z**2 * v_n
        reach = math.sqrt(max(b**2 - a * c, 0.0))
        return float((b - reach) / a), float((b + reach) / a)

    @property
    def centred(self) -> float:
        """N / D without its bias to second order."""
        n, a, b = self.numbers
        d, c = self.denominator, self.covariance
        of_a, of_b = c[1, 1] / a**2, c[2, 2] / b**2
        less_a, less_b = 1 / (1 + 3 * of_a), 1 / (1 + 3 * of_b)
        m = 3 / 8 * (of_a * less_a + of_b * less_b)
        m += c[1, 2] / (4 * a * b) * math.sqrt(less_a * less_b)
        e = (c[0, 1] / a * less_a + c[0, 2] / b * less_b) / (2 * d)
        return float((n / d + e) / (1 + m))

    def share(self, n: int, formula: str, refusal: str) -> Estimate:
        """Estimate N / D.

        Parameters
        ----------
        n
            What it rests on.
        formula
            Its name.
        refusal
            What is said where the interval of D reaches 0.
        """
        ends = self.ends()
        if ends is None:
            return Estimate.missing(formula, refusal, n)
        ratio = self.numbers[0] / self.denominator
        (v_n, c_nd), (_, v_d) = self._both
        value = float(np.clip(self.centred, *ends))
        variance = v_n - 2 * ratio * c_nd + ratio**2 * v_d
        se = math.sqrt(max(variance, 0.0)) / self.denominator
        note = ABOVE if value > 1 else None
        return Share(value, se, *ends, n, formula, note, self)

    def ceiling(self, n: int, formula: str) -> Estimate:
        """Estimate D, with a normal interval, cut at 0 and 1."""
        d = self.denominator
        if not d:
            return Estimate(0.0, None, 0.0, 1.0, n, formula)
        se = math.sqrt(self._both[1, 1])
        low, high = max(d - Z95 * se, 0.0), max(min(d + Z95 * se, 1.0), d)
        return Estimate(d, se, low, high, n, formula)


@dataclass(frozen=True)
class Share(Estimate):
    """A ratio with its interval, which knows its interval at other levels.

    Attributes
    ----------
    ratio
        What it was estimated from.
    """

    ratio: Ratio | None = field(default=None, repr=False, compare=False)

    def at(self, level: float) -> Estimate:
        """Give the share with an interval of another level than 95 %.

        Without a value where at that level the interval of the denominator reaches 0,
        and none has an end.

        Examples
        --------
        >>> one = Ratio(np.array([0.5, 0.8, 0.8]), np.eye(3) / 400)
        >>> share = one.share(100, "share/1", "too noisy")
        >>> share.short(), share.at(0.99).short()
        ('0.623 [0.495, 0.764]', '0.623 [0.456, 0.811]')
        """
        assert self.ratio is not None
        assert self.value is not None
        ends = self.ratio.ends(float(ndtri((1 + level) / 2)))
        if ends is None:
            why = f"at {100 * level:.1f} % its ceiling cannot be told from 0"
            return Estimate.missing(self.formula, why, self.n)
        low, high = min(ends[0], self.value), max(ends[1], self.value)
        return replace(self, low=low, high=high)
