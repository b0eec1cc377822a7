"""What was measured of controls, over seeds, as rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...analysis.agreement.replicates import over_replicates
from ...analysis.trials.estimate import Estimate
from ...analysis.trials.result import Cells, Result
from ..output import Row
from .control_measures import MEASURES
from .control_recordings import BEFORE, ENCODING, LEARNT

FORMAT = "yoked-v1-controls/1"  # of the plain form, which docs/json.md describes
SAME_PICTURES = ("texture", "digit")  # of which all networks had the same
Record = dict[str, Any]
Control = tuple[str, str, str]


@dataclass(frozen=True, eq=False)
class ControlMeans(Result):
    """What was measured of one kind of network, over seeds.

    Attributes
    ----------
    weights, activation, pooling
        Which kind.
    measures
        By name: those of `MEASURES`, then "encoding: " and a recording's name; of
        networks that learnt one, "held out: " and "held out, untrained: ".
    n_seeds, n_failed
        Seeds that are done, and that failed.
    """

    weights: str
    activation: str
    pooling: str
    measures: dict[str, Estimate]
    n_seeds: int
    n_failed: int

    def parts(self) -> dict[str, Any]:
        """Give the fields, and the format of all of them first."""
        return {"format": FORMAT, **super().parts()}

    def table(self) -> list[Cells]:
        """Give one row."""
        failed = f" ({self.n_failed} failed)" if self.n_failed else ""
        about = {name: each.short() for name, each in self.measures.items()}
        return [
            {
                "weights": self.weights,
                "activation": self.activation,
                "pooling": self.pooling,
                **about,
                "seeds": f"{self.n_seeds}{failed}",
            }
        ]


def control_of(record: Record) -> Control:
    """Give which kind of network a record is of."""
    return record["weights"], record["activation"], record["pooling"]


def names_of(records: Sequence[Record]) -> list[str]:
    """Give the names of what was measured: of recordings too, in their order."""
    found = dict.fromkeys(MEASURES)
    for record in records:
        found |= dict.fromkeys(record.get("measures", {}))
    return list(found)


def means_of(records: Sequence[Record]) -> list[ControlMeans]:
    """Average what records of networks measured, over seeds; in their order."""
    grouped: dict[Control, list[Record]] = {}
    for record in records:
        grouped.setdefault(control_of(record), []).append(record)
    names = names_of(records)
    found = []
    for control, all_of_it in grouped.items():
        done = [record for record in all_of_it if "measures" in record]
        means = {name: _mean(done, name) for name in names}
        counts = len(done), len(all_of_it) - len(done)
        found.append(ControlMeans(*control, means, *counts))
    return found


def _mean(done: Sequence[Record], name: str) -> Estimate:
    given = [r["measures"][name] for r in done if name in r["measures"]]
    if not given:
        why = "it is not measured of these" if done else "no seed of it is done"
        return Estimate.missing("none/1", why)
    is_shared = name in SAME_PICTURES or name.startswith((ENCODING, LEARNT, BEFORE))
    return over_replicates([Estimate(**each) for each in given], is_shared).mean


def networks_of(records: Sequence[Record]) -> list[Row]:
    """Give a row for each network: what was measured, or why it was not."""
    rows = []
    for record in records:
        row: dict[str, object] = {
            name: record[name] for name in ("weights", "activation", "pooling", "seed")
        }
        for name, each in record.get("measures", {}).items():
            row |= {name: each["value"], f"{name} se": each["se"]}
        row["held_out_correct"] = record.get("held_out_correct")
        row["seconds"] = record.get("seconds")
        row["error"] = record.get("error")
        rows.append(row)
    return rows
