"""One likelihood for everything that was shown once or twice.

The response of a showing is "yes" (2AFC: "the second interval") with probability
Phi(m): m is its threshold, in decision SDs. Two showings of one stimulus are bivariate
normal with correlation r = 1 / (1 + gamma^2), each with a threshold of its own, since
they have their own time and their own last trial. Showings without a partner tell of
the thresholds alone.

Thresholds are smooth in contrast c. A free threshold for every contrast would make the
likelihood inconsistent (Neyman & Scott 1948): with few pairs at each, chance agreement
passes for noise. In a forced choice m = b + s a c^beta, where s = -1 or 1 for the
target in the first or second interval; in yes/no m = b + a_k c^beta with a gain for
each class k, which holds for a fixed criterion and for one placed midway. With one or
two contrasts each class and contrast has its own; where its responses are all alike the
threshold runs off, which tells nothing of r, and the cell counts for nothing.

With lapse rate lambda a response is a guess, "yes" as likely as not, independent of all
else: a pair of responses then has probability
(1 - lambda)^2 P_ij + lambda (1 - lambda) (P_i. + P_.j) / 2 + lambda^2 / 4.

References
----------
.. [1] Neyman & Scott (1948), Econometrica 16, 1-32 (incidental parameters).
.. [2] Hastie, Tibshirani & Friedman (2009), The Elements of Statistical Learning,
   section 5.2.1 (natural cubic splines).
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from ..trials.estimate import CannotTell
from ..trials.responses import Responses

Thresholds = Literal["power", "cells", "spline"]
KNOTS = 4
FEW_CONTRASTS = 2  # up to which every cell has a threshold of its own
NOT_TWO = "internal noise needs a task of two alternatives"


@dataclass(frozen=True, eq=False)
class Showings:
    """Responses and how their thresholds depend on parameters theta.

    The threshold of a showing is base b + (power a) c^beta; theta holds b, then a, then
    log beta; without `power` it holds b alone.

    Attributes
    ----------
    yes
        Responses.
    base
        Columns that add up.
    power
        Columns whose sum is multiplied by contrast^beta; none for linear thresholds.
    log_contrast
        Log of contrast over its geometric mean; any number at contrast 0.
    first, second
        Rows of the two showings of every pair.
    single
        Rows of the other showings.
    pair_weight, single_weight
        How often each counts.
    precision
        Of a normal prior with mean 0 on every theta; 0 for none.
    stimulus
        Number of the noise field of every showing.
    """

    yes: Bool[np.ndarray, " showing"]
    base: Float[np.ndarray, " showing column"]
    power: Float[np.ndarray, " showing gain"]
    log_contrast: Float[np.ndarray, " showing"]
    first: Int[np.ndarray, " pair"]
    second: Int[np.ndarray, " pair"]
    single: Int[np.ndarray, " once"]
    pair_weight: Float[np.ndarray, " pair"]
    single_weight: Float[np.ndarray, " once"]
    precision: Float[np.ndarray, " parameter"]
    stimulus: Int[np.ndarray, " showing"]

    @classmethod
    def of(
        cls, responses: Responses, thresholds: Thresholds | None = None
    ) -> "Showings":
        """Take the counted trials of a session.

        Parameters
        ----------
        thresholds
            'power' in contrast, 'cells' of class and contrast, or a 'spline' in log
            contrast for each class; by default cells up to two contrasts, else power.

        Raises
        ------
        CannotTell
            If the task has more than two alternatives.
        """
        if responses.n_alternatives > 2:
            raise CannotTell(f"{NOT_TWO}, got {responses.n_alternatives}")
        n_contrasts = len(responses.contrasts)
        thresholds = thresholds or (
            "cells" if n_contrasts <= FEW_CONTRASTS else "power"
        )
        second = responses.second_rows
        first = responses.first[second]
        alone = np.ones(len(responses), bool)
        alone[first] = alone[second] = False
        base, power = _columns(responses, thresholds)
        n_theta = base.shape[1] + (power.shape[1] + 1 if power.shape[1] else 0)
        single = np.flatnonzero(alone)
        counts = np.ones(len(responses))
        if thresholds == "cells":
            counts = varied_cells(responses).astype(np.float64)
        return cls(
            yes=responses.response == 1,
            base=base,
            power=power,
            log_contrast=log_contrast(responses.contrast),
            first=first,
            second=second,
            single=single,
            pair_weight=counts[first],
            single_weight=counts[single],
            precision=np.zeros(n_theta),
            stimulus=responses.cluster,
        )

    @property
    def n_theta(self) -> int:
        """Parameters of the thresholds."""
        return len(self.precision)

    @property
    def n_pairs(self) -> int:
        """Pairs that count."""
        return int((self.pair_weight > 0).sum())

    def with_columns(
        self,
        columns: Float[np.ndarray, " showing more"],
        precision: float | Float[np.ndarray, " more"] = 0.0,
    ) -> "Showings":
        """Add columns to the thresholds' sum; their parameters follow the base's.

        Parameters
        ----------
        precision
            Of the normal prior on the new parameters.
        """
        n = self.base.shape[1]
        new = np.broadcast_to(np.asarray(precision, float), columns.shape[1:])
        return replace(
            self,
            base=np.hstack([self.base, columns]),
            precision=np.concatenate([self.precision[:n], new, self.precision[n:]]),
        )

    def weighted(self, weight: Float[np.ndarray, " stimulus"]) -> "Showings":
        """Return the same showings, each stimulus counted so often."""
        return replace(
            self,
            pair_weight=weight[self.stimulus[self.first]].astype(float),
            single_weight=weight[self.stimulus[self.single]].astype(float),
        )

    def counted(self) -> "Showings":
        """Return as few rows as say the same: equal showings are counted together.

        For thresholds that many trials share; the fit is the same, and faster.
        """
        columns = np.column_stack([self.base, self.power, self.log_contrast])
        _, kind = np.unique(columns, axis=0, return_inverse=True)
        kind = 2 * kind.ravel() + self.yes
        pairs = np.column_stack([kind[self.first], kind[self.second]])
        # Two showings with one threshold may stand either way round.
        same = pairs[:, 0] // 2 == pairs[:, 1] // 2
        pairs[same] = np.sort(pairs[same], axis=1)
        pairs, pair_of = np.unique(pairs, axis=0, return_inverse=True)
        singles, single_of = np.unique(kind[self.single], return_inverse=True)
        values, row_of = np.unique(
            np.concatenate([pairs.ravel(), singles]), return_inverse=True
        )
        _, example = np.unique(kind, return_index=True)
        rows = example[np.searchsorted(np.unique(kind), values)]
        ends = row_of[: 2 * len(pairs)].reshape(-1, 2)
        return replace(
            self,
            yes=self.yes[rows],
            base=self.base[rows],
            power=self.power[rows],
            log_contrast=self.log_contrast[rows],
            first=ends[:, 0],
            second=ends[:, 1],
            single=row_of[2 * len(pairs) :],
            pair_weight=_added(pair_of.ravel(), self.pair_weight, len(pairs)),
            single_weight=_added(single_of, self.single_weight, len(singles)),
            stimulus=np.arange(len(rows)),
        )


def varied_cells(responses: Responses) -> Bool[np.ndarray, " trial"]:
    """Mark trials whose class and contrast had both responses."""
    cell, yes = responses.cell, responses.response == 1
    n, n_yes = np.bincount(cell), np.bincount(cell, yes)
    return ((n_yes > 0) & (n_yes < n))[cell]


def _added(kind: np.ndarray, weight: np.ndarray, n: int) -> np.ndarray:
    return np.bincount(kind, weight, minlength=n).astype(np.float64)


def log_contrast(
    contrast: Float[np.ndarray, " trial"],
) -> Float[np.ndarray, " trial"]:
    """Return log of |contrast| over its geometric mean; 0 at contrast 0."""
    shown = np.abs(contrast[contrast != 0])
    middle = float(np.log(shown).mean()) if len(shown) else 0.0
    return (
        np.log(
            np.abs(contrast), out=np.full(len(contrast), middle), where=contrast != 0
        )
        - middle
    )


def _columns(
    responses: Responses, thresholds: Thresholds
) -> tuple[np.ndarray, np.ndarray]:
    """Give the columns that add up, and those that contrast^beta multiplies."""
    n = len(responses)
    none = np.zeros((n, 0))
    if thresholds == "cells":
        _, cell = np.unique(responses.cell, return_inverse=True)
        return np.eye(int(cell.max(initial=-1)) + 1)[cell], none
    constant, classes = np.ones((n, 1)), _classes(responses)
    if thresholds == "spline":
        smooth = natural_spline(log_contrast(responses.contrast))
        parts = np.column_stack([np.ones(n), smooth])
        columns = _products(classes, parts)
        # In yes/no the classes' constants add up to it, if the contrasts have one sign.
        is_new = len(np.unique(np.sign(responses.contrast))) > 1
        if responses.is_forced_choice or is_new:
            columns = np.hstack([constant, columns])
        return columns, none
    return constant, classes


def _classes(responses: Responses) -> Float[np.ndarray, " trial class"]:
    """Give each class a column of signs, 0 where nothing is shown of either."""
    if responses.is_forced_choice:
        classes = np.where(responses.target == 1, 1.0, -1.0)[:, None]
    else:
        classes = np.eye(2)[responses.target]
    return classes * np.sign(responses.contrast)[:, None]


def bends(responses: Responses) -> Float[np.ndarray, " trial column"]:
    """Return what a power of contrast lacks: a spline's bends, for each class.

    Added to the thresholds they test the power law; no column where the contrasts are
    too few to bend.
    """
    smooth = natural_spline(log_contrast(responses.contrast))[:, 1:]
    return _products(_classes(responses), smooth)


def _products(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a[:, :, None] * b[:, None, :]).reshape(len(a), -1)


def natural_spline(
    x: Float[np.ndarray, " trial"], n_knots: int = KNOTS
) -> Float[np.ndarray, " trial column"]:
    """Return the columns of a natural cubic spline but for the constant [2]_.

    The first is x itself; knots are at equal shares of the values. Columns are centred
    and scaled to SD 1; there are fewer with fewer values than knots.
    """
    knots = np.unique(np.quantile(x, np.linspace(0, 1, n_knots), method="nearest"))
    last = knots[-1]

    def cubic(knot: float) -> np.ndarray:
        parts = np.maximum(x - knot, 0) ** 3 - np.maximum(x - last, 0) ** 3
        return parts / (last - knot)

    columns = [x]
    if len(knots) > 2:
        end = cubic(float(knots[-2]))
        columns += [cubic(float(knot)) - end for knot in knots[:-2]]
    found = np.column_stack(columns)
    found = found - found.mean(0)
    return found / np.maximum(found.std(0), math.ulp(1.0))
