"""Databases of several machines into one."""

from pathlib import Path

import click

from ..options import DATABASE
from ..output import Row, output

RENAMED = "{}: session {} is {} in {}, where another session has that id."


def brief(row: Row) -> Row:
    """Return what a table shows of a source: sessions with other ids in one cell."""
    renamed = row["renamed"]
    assert isinstance(renamed, dict)
    named = "; ".join(f"{own} is {other}" for own, other in renamed.items())
    return {**row, "renamed": named or "none"}


@click.command()
@click.argument("target", type=DATABASE)
@click.argument("sources", type=DATABASE, nargs=-1, required=True, metavar="SOURCE...")
@output(brief)
def merge(target: Path, sources: tuple[Path, ...]) -> list[Row]:
    """Bring the databases of several machines together in one.

    New sessions are copied to TARGET, and those that went on are brought up to date.
    The sources stay as they are. A second run changes nothing. A session whose id
    another one has in TARGET gets a longer one, which is said. If sessions, trials or
    protocols contradict each other, nothing is merged and all of it is listed.

    \b
    Example:
        yoked merge all.db lab-1.db lab-2.db
    """
    from ...experiments.store.merge import merge as merge_files

    merged = merge_files(target, sources)
    if any(source.is_change for source in merged):
        click.echo(f"{target} holds all of it now.", err=True)
    else:
        click.echo(f"Nothing was new: {target} held all of it already.", err=True)
    for source in merged:
        for own, other in source.renamed.items():
            click.echo(RENAMED.format(source.path, own, other, target), err=True)
        if source.stays:
            tables = " and ".join(source.stays)
            click.echo(f"{tables}: not merged, stays in {source.path}.", err=True)
    return [
        {
            "source": str(source.path),
            "new": source.n_new,
            "updated": source.n_updated,
            "unchanged": source.n_unchanged,
            "withdrawn": source.n_withdrawn,
            "trials": source.n_trials,
            "exclusions": source.n_exclusions,
            "events": source.n_events,
            "renamed": source.renamed,
        }
        for source in merged
    ]
