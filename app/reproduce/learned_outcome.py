"""What networks behind fronts share with circuits, over seeds, as rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...analysis.agreement.replicates import over_replicates
from ...analysis.trials.estimate import Estimate
from ...analysis.trials.result import Cells, Result
from ..output import Row
from ..scores.score import CIRCUITS

FORMAT = "yoked-learned-retina/1"  # of the plain form, which docs/json.md describes
_Record = dict[str, Any]


@dataclass(frozen=True)
class FrontShares(Result):
    """A share of the ceiling, over seeds.

    Attributes
    ----------
    task
        Name of the protocol.
    circuit
        Whom it is of.
    front
        Of the network; of the references their own name.
    is_network
        Whether it is a network, or one of the references: the template, a circuit.
    order
        0, 1 or 2.
    share
        With its interval over seeds, to which the error of the circuit's session, one
        for all networks, is added in full.
    between_sd
        SD of the seeds' own values.
    n_seeds
        Seeds that it rests on.
    n_unmatched
        Seeds that are less consistent than the circuit without any noise of their own,
        and so had none that matches.
    n_failed
        Seeds that failed.
    """

    task: str
    circuit: str
    front: str
    is_network: bool
    order: int
    share: Estimate
    between_sd: float | None
    n_seeds: int
    n_unmatched: int
    n_failed: int

    def parts(self) -> dict[str, Any]:
        """Give the fields, and the format of all of them first."""
        return {"format": FORMAT, **super().parts()}

    def table(self) -> list[Cells]:
        """Give one row."""
        failed = f" ({self.n_failed} failed)" if self.n_failed else ""
        if self.n_unmatched:
            failed += f" ({self.n_unmatched} not matched)"
        return [
            {
                "task": self.task,
                "front": self.front,
                "circuit": self.circuit,
                "order": str(self.order),
                "share of the ceiling": self.share.short(),
                "seeds": f"{self.n_seeds}{failed}",
            }
        ]


def shares_of(records: Sequence[_Record]) -> list[FrontShares]:
    """Average what records of networks measured, over seeds; in their order."""
    grouped: dict[tuple[str, str, bool], list[_Record]] = {}
    for record in records:
        key = record["task"], record["observer"], record["is_network"]
        grouped.setdefault(key, []).append(record)
    found = []
    for (task, observer, is_network), all_of_it in grouped.items():
        done = [record for record in all_of_it if "measures" in record]
        n_failed = len(all_of_it) - len(done)
        for circuit in CIRCUITS:
            noise = [record["internal_noise"][circuit]["gamma"] for record in done]
            n_unmatched = sum(gamma is None for gamma in noise)
            for order in (0, 1, 2):
                of = task, circuit, observer, is_network, order
                if not done:
                    why = Estimate.missing("none/1", "no seed of it is done")
                    found.append(FrontShares(*of, why, None, 0, 0, n_failed))
                    continue
                measured = [
                    Estimate(**record["measures"][circuit][f"share_{order}"])
                    for record in done
                ]
                mean = over_replicates(measured, common_trials=True)
                counts = mean.n, n_unmatched, n_failed
                found.append(FrontShares(*of, mean.mean, mean.between_sd, *counts))
    return found


def networks_of(records: Sequence[_Record]) -> list[Row]:
    """Give a row for each network: how well it learnt, or why it did not."""
    rows = []
    for record in records:
        if not record["is_network"]:
            continue
        held_out = record.get("held_out", {})
        rows.append(
            {
                "task": record["task"],
                "front": record["observer"],
                "seed": record["seed"],
                "dprime": held_out.get("dprime"),
                "proportion_correct": held_out.get("proportion_correct"),
                "seconds": record.get("seconds"),
                "weights_hash": record.get("weights_hash"),
                "error": record.get("error"),
            }
        )
    return rows
