"""The verdict: two observers differ, are alike, or the data cannot tell.

It rests on the interval of each share (`ratio.py`) alone. A pair *differs* at a depth
where the interval lies below 1; it is *alike* where the interval lies above a margin
that is said beforehand; else it *cannot be told*: a difference that was not found is
no proof of none [1]_. An interval between margin and 1 is a difference, if a small one.

Several pairs at three depths are as many chances to err. So the intervals hold all
their truths at once in 95 % of studies: each has the level 1 - .05 / n, with n the
number of shares (Bonferroni), whatever their dependence.

References
----------
.. [1] Altman & Bland (1995), BMJ 311, 485; Schuirmann (1987), J. Pharmacokin.
   Biopharm. 15, 657-680 (equivalence as an interval beyond a margin).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from ..trials.estimate import Estimate
from ..trials.result import Result
from .profile import Depth, DepthProfile
from .ratio import Share

Kind = Literal["differs", "alike", "cannot be told"]
MARGIN = 0.9
ERROR = 0.05  # in all intervals together


@dataclass(frozen=True, eq=False)
class DepthVerdict(Result):
    """What can be said of two observers at one order.

    Attributes
    ----------
    order, name
        0, 1 or 2, and what is compared.
    kind
        The verdict.
    share
        Correlation over its ceiling, with the interval that was judged.
    is_small
        Whether what differs does so by less than the margin allows.
    reason
        Why it cannot be told where there is no interval; else None.
    """

    order: int
    name: str
    kind: Kind
    share: Estimate
    is_small: bool
    reason: str | None


@dataclass(frozen=True, eq=False)
class PairVerdict(Result):
    """What can be said of two observers.

    Attributes
    ----------
    reference, other
        Session ids.
    reference_observer, other_observer
        Names of the observers.
    depths
        Of orders 0, 1 and 2.
    """

    reference: str
    other: str
    reference_observer: str
    other_observer: str
    depths: tuple[DepthVerdict, ...]

    @property
    def kind(self) -> Kind:
        """Differs where one depth does, alike where all are."""
        kinds = [each.kind for each in self.depths]
        if "differs" in kinds:
            return "differs"
        return "cannot be told" if "cannot be told" in kinds else "alike"


@dataclass(frozen=True, eq=False)
class Verdicts(Result):
    """What can be said of several pairs of observers, at once.

    Attributes
    ----------
    margin
        Share that an interval must exceed for "alike".
    n_shares
        Over how many shares the intervals are corrected.
    level
        Of each interval.
    pairs
        In the order of the profiles.
    """

    margin: float
    n_shares: int
    level: float
    pairs: tuple[PairVerdict, ...]

    def __iter__(self) -> Iterator[PairVerdict]:
        """Walk through the pairs."""
        return iter(self.pairs)


def judged(share: Estimate, margin: float = MARGIN) -> Kind:
    """Judge one share by its interval.

    Examples
    --------
    >>> judged(Estimate(0.6, 0.1, 0.4, 0.8, 100, "share/1"))
    'differs'
    >>> judged(Estimate(0.98, 0.02, 0.94, 1.02, 100, "share/1"))
    'alike'
    >>> judged(Estimate(0.98, 0.2, 0.6, 1.4, 100, "share/1"))
    'cannot be told'
    """
    if share.value is None or share.low is None or share.high is None:
        return "cannot be told"
    if share.high < 1:
        return "differs"
    return "alike" if share.low > margin else "cannot be told"


def verdicts(profiles: Sequence[DepthProfile], margin: float = MARGIN) -> Verdicts:
    """Judge pairs of observers at every depth, corrected over all of them.

    Parameters
    ----------
    profiles
        All that are looked at together.
    margin
        Share of the ceiling, 0 to 1, above which two observers pass for alike.

    Raises
    ------
    ValueError
        If the margin is not between 0 and 1.

    Examples
    --------
    >>> import yoked
    >>> from yoked.experiments.store.sqlite import open_store
    >>> protocol, store = yoked.load_protocol("bar-in-noise"), open_store(":memory:")
    >>> template, guesser = map(yoked.load_observer, ("template", "guesser"))
    >>> options = {"store": store, "trials": 600, "contrast": 0.15, "seed": 1}
    >>> options |= {"internal_noise": 1.0, "observer_seed": 3}
    >>> one = yoked.run(protocol, template, **options)
    >>> other = yoked.run(None, guesser, store=store, yoke_to=one.id, observer_seed=2)
    >>> found = verdicts([yoked.depth_profile(one, other)])
    >>> [(each.name, each.kind) for each in found.pairs[0].depths][1]
    ('first-order kernel', 'cannot be told')
    """
    if not 0 < margin < 1:
        raise ValueError(f"margin must be between 0 and 1, got {margin:g}")
    n = sum(depth.share.value is not None for p in profiles for depth in p.depths)
    level = 1 - ERROR / max(n, 1)
    pairs = tuple(
        PairVerdict(
            reference=each.reference,
            other=each.other,
            reference_observer=each.reference_observer,
            other_observer=each.other_observer,
            depths=tuple(_judge(each, one, level, margin) for one in each.depths),
        )
        for each in profiles
    )
    return Verdicts(margin, n, level, pairs)


def _judge(
    profile: DepthProfile, depth: Depth, level: float, margin: float
) -> DepthVerdict:
    share, reason = depth.share, None
    if isinstance(share, Share):
        share = share.at(level)
        reason = share.note if share.value is None else None
    else:
        reason = profile.reason(depth)
    kind = judged(share, margin)
    is_small = kind == "differs" and share.low is not None and share.low > margin
    return DepthVerdict(depth.order, depth.name, kind, share, is_small, reason)
