"""The table of which model is closer to an observer."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...analysis.agreement.closer import Closer
from .session_tables import bold
from .tables import Column, Shown, Table, chance, plain, table


def closer_table(found: Sequence[Closer]) -> Table | None:
    """A row for each measure and pair of models, by observer."""
    rows = [(each, one) for each in found for one in each.differences]
    return table(
        [
            Column("observer", "", lambda row: Shown(bold(row[0].reference_observer))),
            Column("do they give …", "what the measure asks", _question, plain),
            Column(
                "measure",
                "latent: correlation behind the responses; kappa: error consistency; "
                "share: latent correlation as a share of what internal noise leaves; "
                "kernel: correlation of first-order kernels without sampling noise",
                lambda row: row[1].measure,
                plain,
            ),
            Column("model", "", lambda row: row[1].one, plain),
            Column("less", "", lambda row: row[1].other, plain),
            Column(
                "difference",
                "how much closer the model comes than the other, on the same trials",
                lambda row: row[1].difference,
            ),
            Column(
                "p",
                "of no difference, over all pairs of models in this measure, by the "
                "largest of correlated differences (max-T)",
                lambda row: row[1].p_max_t,
                chance,
            ),
            Column(
                "p, Holm",
                "the same by Holm’s method, which knows no correlations",
                lambda row: row[1].p_holm,
                chance,
            ),
            Column("closer", "where p < .05", _closer, plain),
        ],
        rows,
    )


def _question(row: Any) -> str:
    return row[1].question


def _closer(row: Any) -> str:
    return row[1].closer or "cannot be told"


def closer_renamed(found: Closer, names: Mapping[str, str]) -> Closer:
    """Give observer and models the names that the page has for their sessions."""
    models = [names[session] for session in found.sessions]
    shown = dict(zip(found.models, models, strict=True))
    return replace(
        found,
        reference_observer=names[found.reference],
        models=tuple(models),
        differences=tuple(
            replace(each, one=shown[each.one], other=shown[each.other])
            for each in found.differences
        ),
    )
