"""Order zero: two observers' decision variables correlated, and of each its own.

All three from responses, by `double_pass/correlation.py`: r_ab from every combination
of a showing to the one observer with a showing of that stimulus to the other; r_a and
r_b from the pairs of either double pass. Thresholds of each observer rest on all its
trials. Influences are by stimulus, so that anything that is made of these numbers, a
ratio or the difference between two models of one observer, has its variance.

Estimated thresholds pull a correlation down, and its maximum likelihood is biased by
itself: each of the three is centred by a jackknife that leaves out one of 20 groups of
stimuli in turn [1]_, x* = G x - (G - 1) mean x_(g). Pairs and single showings, classes
and contrasts are spread evenly over the groups.

References
----------
.. [1] Quenouille (1956), Biometrika 43, 353-360; Shao & Tu (1995), The Jackknife and
   Bootstrap, section 2.3 (groups).
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int

from ..double_pass.correlation import (
    Correlation,
    Pairs,
    Thresholds,
    session_showings,
)
from ..trials.responses import Responses
from .ratio import Ratio

Course = np.ndarray | None
Numbers = Int[np.ndarray, " _"]
GROUPS = 20
FEWEST_PAIRS = 5  # of a double pass that can be left out in turn


def shown_first(one: Responses) -> Int[np.ndarray, " trial"]:
    """Return the number of the trial that showed each trial's noise first.

    Also where that trial does not count, so that it is the same in yoked sessions.
    """
    repeats = one.table["repeats"].astype("Int64").fillna(-1).to_numpy(np.int64)
    return np.where(repeats >= 0, repeats, one.trial)


@dataclass(frozen=True, eq=False)
class OrderZero:
    """Two observers' responses to the same stimuli, correlated.

    Attributes
    ----------
    stimulus
        Numbers of the stimuli; influences follow them.
    across
        r_ab.
    within
        r_a and r_b; None without a pair of showings.
    """

    stimulus: Int[np.ndarray, " stimulus"]
    across: Correlation
    within: tuple[Correlation | None, Correlation | None]

    @classmethod
    def of(
        cls,
        ours: Responses,
        theirs: Responses,
        stimuli: tuple[Numbers, Numbers] | None = None,
        courses: tuple[Course, Course] = (None, None),
    ) -> "OrderZero":
        """Correlate two sessions of the same trials.

        Parameters
        ----------
        stimuli
            Number of the stimulus of every trial of either; by default that of the
            trial that showed it first, as in sessions of one schedule.
        courses
            Columns that the thresholds of either follow besides contrast, a row for
            each of its trials, such as `double_pass.correlation.course_of` gives.

        Raises
        ------
        CannotTell
            If the task has more than two alternatives.
        """
        if stimuli is None:
            stimuli = shown_first(ours), shown_first(theirs)
        stimulus = np.unique(np.concatenate(stimuli))
        rows = [np.searchsorted(stimulus, number) for number in stimuli]
        one, other = (
            Thresholds.of(session_showings(session, row, course))
            for session, row, course in zip((ours, theirs), rows, courses, strict=True)
        )
        n = len(stimulus)
        within = (
            _own_pairs(one, ours).correlate(n) if len(ours.second_rows) else None,
            _own_pairs(other, theirs).correlate(n) if len(theirs.second_rows) else None,
        )
        return cls(stimulus, _crossed(one, other).correlate(n), within)

    def of_class(self, chosen: Bool[np.ndarray, " stimulus"]) -> Correlation:
        """Correlate the responses to some of the stimuli, thresholds as they are."""
        pairs = self.across.pairs
        weight = chosen[pairs.stimulus].astype(float)
        return replace(pairs, weight=weight).correlate(len(self.stimulus))

    @property
    def influence(self) -> Float[np.ndarray, " stimulus 3"]:
        """What each stimulus adds to r_ab, r_a and r_b; 0 to what there is not."""
        nothing = np.zeros(len(self.stimulus))
        return np.column_stack(
            [nothing if one is None else one.influence for one in self._all]
        )

    @property
    def _all(self) -> tuple[Correlation | None, ...]:
        return self.across, *self.within

    @property
    def edges(self) -> Float[np.ndarray, " 3"]:
        """Variance of those that are 1 or -1, on which no stimulus has influence."""
        found = np.zeros(3)
        for i, one in enumerate(self._all):
            if one is not None and abs(one.r) == 1:
                found[i] = one.variance
        return found

    @property
    def covariance(self) -> Float[np.ndarray, " 3 3"]:
        """Sampling covariance of r_ab, r_a and r_b."""
        n = len(self.stimulus)
        found = self.influence.T @ self.influence * n / (n - 1)
        return found + np.diag(self.edges)

    @cached_property
    def centred(self) -> Float[np.ndarray, " 3"]:
        """r_ab, r_a and r_b by the jackknife; not cut to -1 to 1, NaN if not there."""
        group, n_groups = self._groups()
        whole = np.array([np.nan if one is None else one.r for one in self._all])
        left_out = np.array([self._without(group == g) for g in range(n_groups)])
        centre = n_groups * whole - (n_groups - 1) * left_out.mean(0)
        return np.where(np.abs(whole) == 1, whole, centre)

    def ratio(self) -> Ratio:
        """Return the three with their covariance."""
        return Ratio(self.centred, self.covariance)

    def _groups(self) -> tuple[Int[np.ndarray, " stimulus"], int]:
        """Put stimuli into groups, kinds of stimuli spread evenly."""
        pairs = self.across.pairs
        kind, contrast = np.zeros(len(self.stimulus)), np.zeros(len(self.stimulus))
        for own, weight in zip(self.within, (1, 2), strict=True):
            if own is not None:
                kind[own.pairs.stimulus] += weight
        for thresholds in (pairs.one, pairs.other):
            contrast[thresholds.showings.stimulus] = thresholds.m
        order = np.lexsort((self.stimulus, contrast, kind))
        n = min([GROUPS, *(one.n_stimuli for one in self._all if one is not None)])
        group = np.empty(len(order), np.int64)
        group[order] = np.arange(len(order)) % n
        return group, n

    def _without(self, chosen: Bool[np.ndarray, " stimulus"]) -> list[float]:
        """Fit all again without some stimuli."""
        weight = (~chosen).astype(float)
        pairs = self.across.pairs
        one, other = (
            Thresholds.of(each.showings.weighted(weight), start=each)
            for each in (pairs.one, pairs.other)
        )
        kinds = zip(self._all, ((one, other), (one, one), (other, other)), strict=True)
        return [
            replace(was.pairs, one=a, other=b, weight=weight[was.pairs.stimulus]).fit(
                was.r - float(was.influence[chosen].sum())
            )
            if was is not None and abs(was.r) < 1
            else (np.nan if was is None else was.r)
            for was, (a, b) in kinds
        ]


def _own_pairs(one: Thresholds, responses: Responses) -> Pairs:
    second = responses.second_rows
    first = responses.first[second]
    return _pairs(one, one, first, second)


def _crossed(one: Thresholds, other: Thresholds) -> Pairs:
    """Pair every showing with every showing of that stimulus to the other."""
    ours, theirs = one.showings.stimulus, other.showings.stimulus
    order = np.argsort(theirs, kind="stable")
    start = np.searchsorted(theirs[order], ours, "left")
    n = np.searchsorted(theirs[order], ours, "right") - start
    a = np.repeat(np.arange(len(ours)), n)
    within = np.arange(len(a)) - np.repeat(np.cumsum(n) - n, n)
    b = order[np.repeat(start, n) + within]
    by_stimulus = np.argsort(ours[a], kind="stable")
    return _pairs(one, other, a[by_stimulus], b[by_stimulus])


def _pairs(one: Thresholds, other: Thresholds, a: np.ndarray, b: np.ndarray) -> Pairs:
    stimulus = one.showings.stimulus[a]
    return Pairs(one, other, a, b, stimulus, np.ones(len(a)))
