"""What must not count, and what must not be kept."""

from pathlib import Path

import click

from ..options import DATABASE_OR_URL


@click.command()
@click.argument("db", type=DATABASE_OR_URL)
@click.argument("session")
@click.argument("trials", type=click.IntRange(0), nargs=-1, required=True)
@click.option("--reason", required=True, help="Why; it is stored with the exclusion.")
@click.option(
    "--by",
    default="experimenter",
    show_default=True,
    help="Who excludes: a role, no name of a person.",
)
def exclude(
    db: Path | str, session: str, trials: tuple[int, ...], reason: str, by: str
) -> None:
    """Exclude trials from every statistic; they stay in the log.

    Trials are named by their numbers in the log, as `yoked export` writes them. An
    exclusion is never taken back, and `yoked merge` carries it on.

    \b
    Example:
        yoked exclude results.db 2026-01-10-kq7m4x2p 12 13 --reason "the phone rang"
    """
    from ...experiments.store.sqlite import open_store

    store = open_store(db, create=False)
    try:
        n_trials = store.session(session).n_trials
        unknown = [trial for trial in trials if trial >= n_trials]
        if unknown:
            rule = f"in the log of {session}, which has {n_trials}"
            raise ValueError(f"a trial must be {rule}, got {unknown[0]}")
        store.exclude(session, trials, by, reason)
    finally:
        store.close()
    click.echo(f"Excluded {len(trials)} trials of {session}.", err=True)


@click.command()
@click.argument("db", type=DATABASE_OR_URL)
@click.argument("session")
@click.option("--yes", is_flag=True, help="Delete without asking.")
def withdraw(db: Path | str, session: str, yes: bool) -> None:
    """Delete a session's trials for good: its participant has withdrawn.

    What they answered in questionnaires goes with them.

    The row of the session stays, as withdrawn, and `yoked merge` withdraws the session
    in the merged file too. `yoked restore` forgets it in a backup of before; other
    copies of the database keep what they have.

    \b
    Example:
        yoked withdraw results.db 2026-01-10-kq7m4x2p
    """
    from ...experiments.store.connection import has_table
    from ...experiments.store.sqlite import open_store
    from ..studies.answers import forget_answers
    from ..studies.withdrawal import add_tombstones

    store = open_store(db, create=False)
    try:
        row = store.session(session)
        if row.status == "withdrawn":
            raise ValueError(f"session {session} must be there, got it withdrawn")
        if not yes:
            question = f"Delete the {row.n_trials} trials of {session} for good?"
            click.confirm(question, abort=True, err=True)
        add_tombstones(db, [session])
        with store.transaction(), store.beside() as connection:
            store.withdraw(session)
            if has_table(connection, "answers"):  # a lab's file has none
                forget_answers(connection, [session])
        store.forget_journal()
    finally:
        store.close()
    click.echo(f"Withdrew {session}; its trials are deleted.", err=True)
