"""What regimes came to over seeds, and by how much each moved its own measure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...analysis.agreement.replicates import over_replicates
from ...analysis.trials.estimate import Estimate
from ...analysis.trials.result import Cells, Result
from .regime_measures import MEASURES
from .regime_set import GROUPS, Group

FORMAT = "yoked-regimes/1"  # of the plain form, which docs/json.md describes
DIFFERENCE = "difference-on-common-pictures/1"
Record = Mapping[str, Any]
Known = dict[tuple[str, str], dict[int, Estimate]]  # by network and measure; seeds


@dataclass(frozen=True, eq=False)
class RegimeEffect(Result):
    """A regime, a control of it or what it is compared with; and its own measure.

    Attributes
    ----------
    regime, network, role
        Which regime, which network of the set, and 'baseline', 'regime' or 'control'.
    measure
        The regime's own, in words.
    mean
        Over seeds.
    effect
        The network less the baseline of the same seed, over seeds; None of a baseline.
    n_seeds
        That are done.
    """

    regime: str
    network: str
    role: str
    measure: str
    mean: Estimate
    effect: Estimate | None
    n_seeds: int

    def parts(self) -> dict[str, Any]:
        """Give the fields, and the format of all of them first."""
        return {"format": FORMAT, **super().parts()}

    def table(self) -> list[Cells]:
        """Give one row."""
        return [
            {
                "regime": self.regime,
                "network": self.network,
                "role": self.role,
                "measure": self.measure,
                "mean": self.mean.short(),
                "effect": "" if self.effect is None else self.effect.short(),
                "seeds": str(self.n_seeds),
            }
        ]


def effects_of(records: Sequence[Record]) -> list[RegimeEffect]:
    """Give a row for each network of each regime there is, in the order of the set."""
    known = known_of(records)
    return [
        row
        for each in GROUPS.values()
        if any((name, each.measure) in known for name in each.ids[1:])
        for row in _of_group(each, known)
    ]


def known_of(records: Sequence[Record]) -> Known:
    """Give what was measured, by network, measure and seed."""
    found: Known = {}
    for record in records:
        for network, measures in record.get("measures", {}).items():
            for name, each in measures.items():
                by_seed = found.setdefault((network, name), {})
                by_seed[record["seed"]] = Estimate(**each)
    return found


def networks_of(records: Sequence[Record]) -> list[dict[str, object]]:
    """Give a row for each network of each seed: all that was measured."""
    rows: list[dict[str, object]] = []
    for record in records:
        if "error" in record:
            row = {"network": record["network"], "seed": record["seed"]}
            rows.append({**row, "error": record["error"]})
        for network, measures in record.get("measures", {}).items():
            row = {"network": network, "seed": record["seed"]}
            for name in MEASURES:
                each = measures.get(name, {})
                row |= {name: each.get("value"), f"{name} se": each.get("se")}
            rows.append({**row, "seconds": record["seconds"]})
    return rows


def _of_group(group: Group, known: Known) -> Iterator[RegimeEffect]:
    base = known.get((group.baseline, group.measure), {})
    for network in group.ids:
        own = known.get((network, group.measure), {})
        if not own:
            continue
        roles = ["baseline"] * (network == group.baseline)
        roles += ["regime"] * (network in group.regimes) or ["control"]
        effect = None if network == group.baseline else _less(own, base)
        mean = over_replicates(list(own.values()), common_trials=True).mean
        words = MEASURES[group.measure]
        yield RegimeEffect(group.name, network, roles[0], words, mean, effect, len(own))


def _less(own: Mapping[int, Estimate], base: Mapping[int, Estimate]) -> Estimate:
    """Give the mean difference over seeds that both have.

    The error of a difference takes the two as independent, though they are of the same
    pictures: it is too wide, never too narrow, where what is hard for one is so for the
    other.
    """
    pairs = [(own[seed], base[seed]) for seed in own if seed in base]
    told = [pair for pair in pairs if None not in (pair[0].value, pair[1].value)]
    if not told:
        return Estimate.missing(DIFFERENCE, "no seed has both", 0)
    differences = [
        Estimate.normal(
            float(one.value) - float(other.value),  # pyright: ignore[reportArgumentType]
            float(np.hypot(one.se or 0.0, other.se or 0.0)),
            min(one.n, other.n),
            DIFFERENCE,
        )
        for one, other in told
    ]
    return over_replicates(differences, common_trials=True).mean
