"""Observers side by side: numbers, and a page to look at."""

from pathlib import Path

import click

from ..options import DATABASE, OUTPUT_FILE
from ..output import Row, output
from ..progress import progress
from .analyse import to_analyse, with_interval
from .trials import opened


def brief(row: Row) -> Row:
    """Return what a table shows of a comparison: values with their intervals."""
    ceiling = row["ceiling"]
    assert isinstance(ceiling, dict)
    names = ("same_choice", "same_choice_double_pass", "error_consistency")
    numbers = {name: with_interval(row[name]) for name in names}  # pyright: ignore[reportArgumentType]
    bounds = [ceiling["lower"]["value"], ceiling["upper"]["value"]]
    known = [f"{bound:.3f}" for bound in bounds if bound is not None]
    return {
        "model": row["other_observer"],
        "human": row["reference_observer"],
        "trials": row["n_shared"],
        **numbers,
        "best possible": " to ".join(known) or "-",
    }


@click.command()
@click.argument("db", type=DATABASE)
@click.argument("human")
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@output(brief)
def compare(db: Path, human: str, models: tuple[str, ...]) -> list[Row]:
    """Compare observers trial by trial with one that they are yoked to.

    All are session ids. Beside the share of equal choices stands the ceiling: what the
    best possible model would reach, by the double pass of the first session.

    \b
    Example:
        yoked compare results.db 2026-01-10-kq7 2026-01-10-m2x
    """
    from ...analysis.agreement import compare as compare_sessions
    from ...experiments.results import session_data

    with opened(db) as store:
        reference, *others = to_analyse(store, (human, *models), unfinished=False)
        data = session_data(store, reference)
        return [
            compare_sessions(data, session_data(store, other)).to_dict()
            for other in others
        ]


@click.command()
@click.argument("db", type=DATABASE)
@click.argument("chosen", nargs=-1, metavar="[SESSION]...")
@click.option(
    "-o",
    "--output",
    "path",
    type=OUTPUT_FILE,
    default=Path("report.html"),
    show_default=True,
    help="The page to write.",
)
@click.option(
    "--unfinished", is_flag=True, help="Also take sessions that are not finished."
)
def report(db: Path, chosen: tuple[str, ...], path: Path, unfinished: bool) -> None:
    """Write a page that shows observers side by side.

    Every finished session, or those named: sensitivity, criterion and internal noise,
    kernels on one scale, and the agreement of yoked sessions beside its ceiling. One
    file, which opens anywhere without a connection.

    \b
    Example:
        yoked report results.db -o report.html
    """
    from ...experiments.results import session_data
    from ..report import write_report

    with opened(db) as store:
        names = to_analyse(store, chosen, unfinished)
        if not names:
            raise ValueError(f"{str(db)!r} must hold a finished session, got none")
        sessions = [session_data(store, name) for name in names]
    with progress(path.name) as update:
        write_report(sessions, path, update)
    click.echo(f"Wrote {path}.", err=True)
