"""A session in a few numbers."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..options import DATABASE
from ..output import Row, output, short
from .trials import opened

if TYPE_CHECKING:
    from ...experiments.store import Store


def brief(summary: dict[str, Any]) -> Row:
    """Return what a table shows of a session: pooled values with their intervals."""
    pooled = summary["pooled"]
    columns = {
        "d'": pooled["dprime"],
        "criterion": pooled["criterion"],
        "proportion correct": pooled["proportion_correct"],
        "agreement": pooled["agreement"],
        "internal noise": pooled["internal_noise"]["gamma"],
        "by likelihood": pooled["internal_noise_likelihood"]["gamma"],
    }
    numbers = {name: with_interval(estimate) for name, estimate in columns.items()}
    return {
        "session": summary["session"],
        "observer": summary["observer"],
        "protocol": summary["protocol"],
        "trials": summary["n_counted"],
        **numbers,
    }


def with_interval(estimate: Mapping[str, float | None]) -> str:
    """Return an estimate as "value [low, high]", or "-" without one.

    JSON has no infinity: an end that is missing beside one that is there is open.

    Examples
    --------
    >>> with_interval({"value": 1.6, "low": 1.42, "high": 1.779})
    '1.600 [1.420, 1.779]'
    >>> with_interval({"value": 1.335, "low": 0.647, "high": None})
    '1.335 [0.647, ∞]'
    """
    value, low, high = (estimate[name] for name in ("value", "low", "high"))
    if value is None:
        return short(None)
    if low is None and high is None:
        return f"{value:.3f}"
    ends = [
        "-∞" if low is None else f"{low:.3f}",
        "∞" if high is None else f"{high:.3f}",
    ]
    return f"{value:.3f} [{', '.join(ends)}]"


@click.command()
@click.argument("db", type=DATABASE)
@click.argument("chosen", nargs=-1, metavar="[SESSION]...")
@click.option(
    "--unfinished", is_flag=True, help="Also take sessions that are not finished."
)
@output(brief)
def analyse(db: Path, chosen: tuple[str, ...], unfinished: bool) -> list[Row]:
    """Estimate d', criterion and agreement.

    Of every finished session, or of those named. A table shows the values pooled over
    contrasts, with 95 % intervals; internal noise is gamma (internal / external SD), in
    closed form and by likelihood per contrast. JSON has the contrasts too, and what
    each number rests on.

    \b
    Example:
        yoked analyse results.db
    """
    from ...analysis.summary import summarise
    from ...experiments.results import session_data

    with opened(db) as store:
        return [
            summarise(session_data(store, session)).to_dict()
            for session in to_analyse(store, chosen, unfinished)
        ]


def to_analyse(store: "Store", chosen: tuple[str, ...], unfinished: bool) -> list[str]:
    """Return the ids of the sessions to analyse.

    Raises
    ------
    LookupError
        If a chosen session does not exist.
    ValueError
        If a chosen session is unfinished, and such are not asked for.
    """
    found = [store.session(name) for name in chosen] or store.sessions()
    left_out = [row for row in found if row.status != "finished" and not unfinished]
    if chosen and left_out:
        row = left_out[0]
        raise ValueError(
            f"session {row.id} must be finished, got {row.status} with {row.n_trials} "
            "trials; --unfinished takes it as it is"
        )
    if left_out:
        names = ", ".join(row.id for row in left_out)
        click.echo(f"Left out, since not finished: {names}.", err=True)
    return [row.id for row in found if row not in left_out]
