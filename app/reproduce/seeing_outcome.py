"""What families and regimes came to, and whether brain-like ones see more alike."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...analysis.agreement.closer import holm_adjusted
from ...analysis.agreement.random_effects import t_estimate
from ...analysis.agreement.replicates import over_replicates
from ...analysis.trials.estimate import Estimate
from ...analysis.trials.result import Cells, Result, short
from ...analysis.trials.within_groups import within_groups
from ..output import Row
from ..scores.card import told as as_told
from .seeing_measures import BRAIN_LIKE

FORMAT = "yoked-brainlike-vs-seeing/1"  # of plain forms, which docs/json.md describes
FORMAT_OF_LINKS = "yoked-brainlike-links/1"
OVER_SESSIONS = "mean-over-sessions/1"
OVER_SEEDS = "mean-over-seeds/1"
SHARES = ("share_0", "share_1", "share_2")
KINDS, NETWORKS = "kinds", "networks"
# On which pictures or trials all networks were: their errors are in common.
_COMMON = ("attacked", "correct", "cka", "texture", "digit", *SHARES)
Record = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class SeeingMeans(Result):
    """One kind of network, over seeds.

    Attributes
    ----------
    family, regime
        Which kind.
    beside
        'people' or 'circuits': whose trials it saw.
    measures
        By name: those of `BRAIN_LIKE`, then shares of orders 0, 1 and 2.
    n_seeds, n_failed
        Seeds that are done, and that failed.
    """

    family: str
    regime: str
    beside: str
    measures: dict[str, Estimate]
    n_seeds: int
    n_failed: int

    def parts(self) -> dict[str, Any]:
        """Give the fields, and the format of all of them first."""
        return {"format": FORMAT, **super().parts()}

    def table(self) -> list[Cells]:
        """Give one row."""
        failed = f" ({self.n_failed} failed)" if self.n_failed else ""
        return [
            {
                "family": self.family,
                "regime": self.regime,
                "beside": self.beside,
                **{name: each.short() for name, each in self.measures.items()},
                "seeds": f"{self.n_seeds}{failed}",
            }
        ]


@dataclass(frozen=True, eq=False)
class SeeingLink(Result):
    """Whether what is brain-like goes with seeing alike, within families.

    Attributes
    ----------
    measure, share
        The two: of `BRAIN_LIKE`, and of an order.
    over
        'kinds', seeds averaged, or 'networks', whose seeds count as if nothing but the
        family made them alike.
    r
        Pearson's of values less their family's mean.
    p
        Of permutations within families; NaN where there is no r.
    p_holm
        Adjusted for all that are tested over the same.
    n_tests
        How many these are.
    n_families
        That have two cases or more.
    is_exact
        Whether all permutations were counted.
    """

    measure: str
    share: str
    over: str
    r: Estimate
    p: float
    p_holm: float
    n_tests: int
    n_families: int
    is_exact: bool

    def parts(self) -> dict[str, Any]:
        """Give the fields, and the format of all of them first."""
        return {"format": FORMAT_OF_LINKS, **super().parts()}

    def table(self) -> list[Cells]:
        """Give one row."""
        return [
            {
                "measure": self.measure,
                "share": self.share,
                "over": self.over,
                "r within families": self.r.short(),
                "n": str(self.r.n),
                "p": short(self.p),
                f"p (Holm, of {self.n_tests})": short(self.p_holm),
            }
        ]


def means_of(records: Sequence[Record], beside: str) -> list[SeeingMeans]:
    """Average what records of networks measured, over seeds; in their order."""
    told = told_sessions(records)
    grouped: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        grouped.setdefault((record["family"], record["regime"]), []).append(record)
    found = []
    for kind, all_of_it in grouped.items():
        done = [record for record in all_of_it if "measures" in record]
        measures = [measures_of(record, told) for record in done]
        means = {name: _mean(measures, name) for name in (*BRAIN_LIKE, *SHARES)}
        counts = len(done), len(all_of_it) - len(done)
        found.append(SeeingMeans(*kind, beside, means, *counts))
    return found


def links_of(
    records: Sequence[Record], means: Sequence[SeeingMeans]
) -> list[SeeingLink]:
    """Correlate each brain-like measure with each share, within families."""
    kinds = [(each.family, each.measures) for each in means]
    found = _links(kinds, KINDS)
    done = [record for record in records if "measures" in record]
    if len(done) > len([each for each in means if each.n_seeds]):
        told = told_sessions(records)
        networks = [(each["family"], measures_of(each, told)) for each in done]
        found += _links(networks, NETWORKS)
    return found


def told_sessions(records: Sequence[Record]) -> dict[str, list[str]]:
    """Give the sessions in which a share can be told of some network, by share.

    Of the others nobody knows: an order that a session has no ceiling of.
    """
    found: dict[str, list[str]] = {share: [] for share in SHARES}
    for record in records:
        for session in record.get("beside", {}):
            for share in SHARES:
                is_told = _share(record, session, share).value is not None
                if is_told and session not in found[share]:
                    found[share].append(session)
    return found


def _share(record: Record, session: str, share: str) -> Estimate:
    """Give a share, unless its interval has both 0 and 1 in it, as on a card."""
    found = Estimate(**record["beside"][session][share])
    if found.value is None:
        return found
    return as_told(found, session, f"{record['family']}, {record['regime']}")


def measures_of(
    record: Record, told: Mapping[str, Sequence[str]]
) -> dict[str, Estimate]:
    """Give what was measured of a network, shares averaged over sessions."""
    found = {name: Estimate(**each) for name, each in record["measures"].items()}
    for share in SHARES:
        some = [_share(record, session, share) for session in told[share]]
        found[share] = over_sessions(some)
    return found


def over_sessions(some: Sequence[Estimate]) -> Estimate:
    """Average a share over the sessions that are there, none of which is left out.

    Its interval is of these sessions' trials: people are no sample here.

    Examples
    --------
    >>> both = [Estimate.normal(x, 0.3, 100, "share/1") for x in (0.4, 0.8)]
    >>> over_sessions(both).short()
    '0.600 [0.184, 1.016]'
    """
    if not some:
        return Estimate.missing(OVER_SESSIONS, "no session tells it of any network")
    values = [each.value for each in some if each.value is not None]
    if len(values) < len(some):
        why = next((each.note for each in some if each.value is None), None)
        reason = f"a session does not tell it: {why or 'no value'}"
        return Estimate.missing(OVER_SESSIONS, reason)
    if len(some) == 1:
        return some[0]
    errors = [each.se for each in some if each.se is not None]
    n, mean = sum(each.n for each in some), float(np.mean(values))
    if len(errors) < len(some):
        return Estimate(mean, None, None, None, n, OVER_SESSIONS)
    se = math.sqrt(sum(each**2 for each in errors)) / len(some)
    return Estimate.normal(mean, se, n, OVER_SESSIONS)


def networks_of(records: Sequence[Record]) -> list[Row]:
    """Give a row for each network: what was measured, or why it was not."""
    told, rows = told_sessions(records), []
    for record in records:
        row: Row = {name: record[name] for name in ("family", "regime", "seed")}
        measures = measures_of(record, told) if "measures" in record else {}
        for name in (*BRAIN_LIKE, *SHARES):
            each = measures.get(name)
            row[name] = None if each is None else each.value
            row[f"{name} se"] = None if each is None else each.se
        gammas = [each["gamma"] for each in record.get("internal_noise", {}).values()]
        known = [each for each in gammas if each is not None]
        row["gamma"] = float(np.mean(known)) if known else None
        row["seconds"], row["error"] = record.get("seconds"), record.get("error")
        rows.append(row)
    return rows


def _mean(measures: Sequence[Mapping[str, Estimate]], name: str) -> Estimate:
    if not measures:
        return Estimate.missing("none/1", "no seed of it is done")
    given = [each[name] for each in measures]
    known = [each for each in given if each.value is not None]
    # A battery's mean has no error of its own, a proportion of 0 or 1 none to go by.
    if len(known) > 1 and any(not each.se for each in known):
        return _over_seeds([float(each.value) for each in known])  # pyright: ignore[reportArgumentType]
    return over_replicates(given, name in _COMMON).mean


def _over_seeds(values: Sequence[float]) -> Estimate:
    """Average what has no error of its own; its interval is of seeds alone."""
    n, mean = len(values), float(np.mean(values))
    se = float(np.std(values, ddof=1)) / math.sqrt(n)
    if se == 0:
        note = "no interval: all seeds have the same"
        return Estimate(mean, None, None, None, n, OVER_SEEDS, note)
    return t_estimate(mean, se, n, OVER_SEEDS)


def _links(
    cases: Sequence[tuple[str, Mapping[str, Estimate]]], over: str
) -> list[SeeingLink]:
    """Test all pairs of a measure and a share, and adjust for their number."""
    pairs = [(measure, share) for share in SHARES for measure in BRAIN_LIKE]
    found = [_link(cases, *pair, over) for pair in pairs]
    tested = [k for k, each in enumerate(found) if not math.isnan(each.p)]
    adjusted = holm_adjusted(np.array([found[k].p for k in tested], np.float64))
    for k, p in zip(tested, adjusted, strict=True):
        found[k] = replace(found[k], p_holm=float(p))
    return [replace(each, n_tests=len(tested)) for each in found]


def _link(
    cases: Sequence[tuple[str, Mapping[str, Estimate]]],
    measure: str,
    share: str,
    over: str,
) -> SeeingLink:
    some = [
        (family, of_it[measure].value, of_it[share].value)
        for family, of_it in cases
        if of_it[measure].value is not None and of_it[share].value is not None
    ]
    x, y = (np.array([each[k] for each in some], np.float64) for k in (1, 2))
    found = within_groups(x, y, [family for family, _, _ in some])
    of = (measure, share, over, found.r, found.p, math.nan, 0)
    return SeeingLink(*of, found.n_groups, found.is_exact)
