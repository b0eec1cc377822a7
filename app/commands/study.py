"""Studies of a database: made, opened, and the links that lead to them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..options import DATABASE_OR_URL
from ..output import Row, output
from .study_model import model

if TYPE_CHECKING:
    from ...experiments.store.trial_log import Store

FILE = click.Path(dir_okay=False, path_type=Path)


@click.group()
def study() -> None:
    """Make studies, open and close them, and make links to them.

    A study says who may begin a protocol: how many, in which arms, from where. It is
    described by a TOML file, and pinned to the protocols as they are when it is added.

    \b
    Examples:
        yoked study add results.db study.toml
        yoked study state results.db bright-bars open
    """


study.add_command(model)


@contextmanager
def _opened(db: Path | str) -> "Iterator[Store]":
    """Open a database with the tables of studies; close it at the end."""
    from ..database import open_database

    store = open_database(db)
    try:
        yield store
    finally:
        store.close()


@study.command()
@click.argument("db", type=DATABASE_OR_URL)
@click.argument("file", type=FILE)
@output()
def add(db: Path | str, file: Path) -> Row:
    """Add a study, as a draft; only pilot links lead to a draft.

    \b
    Example:
        yoked study add results.db study.toml
    """
    from ..studies.description import load_study
    from ..studies.kept import add_study

    described = load_study(file)
    with _opened(db) as store:
        add_study(store, described)
    return {
        "study": described.name,
        "state": "draft",
        "arms": [arm.name for arm in described.arms],
        "quota": described.quota or None,
    }


@study.command("list")
@click.argument("db", type=DATABASE_OR_URL)
@output()
def list_studies(db: Path | str) -> list[Row]:
    """List the studies of a database, how full they are, and how people fared.

    `kept` are places of people who have not ended and may yet; pilot runs count for
    nothing here.

    \b
    Example:
        yoked study list results.db --table
    """
    from ..studies.counts import counts_of
    from ..studies.kept import every_study

    with _opened(db) as store, store.beside() as connection:
        return [
            {
                "study": kept.study.name,
                "state": kept.state,
                "made_at": kept.made_at,
                "quota": kept.study.quota or None,
                **vars(counts_of(connection, kept)),
            }
            for kept in every_study(store)
        ]


@study.command()
@click.argument("db", type=DATABASE_OR_URL)
@click.argument("name")
@click.argument("state", type=click.Choice(("open", "paused", "closed")))
@output()
def state(db: Path | str, name: str, state: str) -> Row:
    """Open, pause or close a study, also while it is served.

    Paused it takes nobody new, and who has begun goes on; closed it begins no further
    sitting either.

    \b
    Example:
        yoked study state results.db bright-bars open
    """
    from ..studies.kept import set_state

    with _opened(db) as store:
        set_state(store, name, state)
    return {"study": name, "state": state}


@study.command()
@click.argument("db", type=DATABASE_OR_URL)
@click.argument("name")
@click.option(
    "--n", default=1, show_default=True, type=click.IntRange(1), help="How many."
)
@click.option(
    "--label", default="", help="Your own word for them: no name of a person."
)
@click.option(
    "--pilot",
    is_flag=True,
    help="For pilot runs, which count for nothing: each link lets in as often as it "
    "is opened, also while the study is a draft.",
)
@click.option(
    "--url",
    default="http://127.0.0.1:8000",
    show_default=True,
    help="Where the server is reached.",
)
@output()
def invite(
    db: Path | str, name: str, n: int, label: str, pilot: bool, url: str
) -> list[Row]:
    """Make personal links, each of which lets one person in once.

    They are printed here and stored nowhere. Looking at one, as a preview of it does,
    does not use it; whoever opens theirs again finds their session.

    \b
    Example:
        yoked study invite results.db bright-bars --n 20 --csv > links.csv
    """
    from ..studies.kept import find_study
    from ..studies.links import make_links

    with _opened(db) as store:
        key = find_study(store, name).key
        labels = [f"{label} {number}".strip() for number in range(1, n + 1)]
        with store.transaction(), store.beside() as connection:
            tokens = make_links(connection, key, labels, pilot)
    address = url.rstrip("/")
    return [
        {"label": each, "link": f"{address}/join/{token}", "pilot": pilot}
        for each, token in zip(labels, tokens, strict=True)
    ]


@study.command()
@click.argument("db", type=DATABASE_OR_URL)
@click.argument("name")
@output()
def links(db: Path | str, name: str) -> list[Row]:
    """List the links that were made to a study, without what opens them.

    \b
    Example:
        yoked study links results.db bright-bars --table
    """
    from ..studies.kept import find_study
    from ..studies.links import links_of

    with _opened(db) as store, store.beside() as connection:
        key = find_study(store, name).key
        return [
            {
                "number": link.key,
                "label": link.label,
                "pilot": link.is_pilot,
                "used": used,
                "made_at": link.made_at,
                "revoked_at": link.revoked_at,
            }
            for link, used in links_of(connection, key)
        ]


@study.command()
@click.argument("db", type=DATABASE_OR_URL)
@click.argument("name")
@click.argument("number", type=int)
@output()
def revoke(db: Path | str, name: str, number: int) -> Row:
    """Let a link lead nowhere; who has begun by it goes on.

    \b
    Example:
        yoked study revoke results.db bright-bars 7
    """
    from ..studies.kept import find_study
    from ..studies.links import revoke_link

    with _opened(db) as store:
        key = find_study(store, name).key
        with store.transaction(), store.beside() as connection:
            revoke_link(connection, key, number)
    return {"study": name, "revoked": number}


@study.command()
@click.argument("db", type=DATABASE_OR_URL)
@click.argument("name")
@output()
def people(db: Path | str, name: str) -> list[Row]:
    """List who is where in a study: progress, accuracy, timing, last response.

    No name and no code is in it.

    \b
    Example:
        yoked study people results.db bright-bars --table
    """
    from ..studies.kept import find_study
    from ..studies.monitor import attending

    with _opened(db) as store, store.beside() as connection:
        return [
            vars(row) for row in attending(store, connection, find_study(store, name))
        ]


@study.command()
@click.argument("db", type=DATABASE_OR_URL)
@click.argument("name")
@output()
def results(db: Path | str, name: str) -> list[Row]:
    """List what a study found so far: people and models by the same analysis.

    A row for each session, pilot runs left out: trials that count, accuracy, d',
    criterion, and of trials that were shown twice agreement and internal noise.

    \b
    Example:
        yoked study results results.db bright-bars --table
    """
    from ...experiments.session.results import session_data
    from ..reports.looks import row_of, values_of
    from ..studies.exports import sessions_of
    from ..studies.kept import find_study

    with _opened(db) as store:
        with store.beside() as connection:
            found = sessions_of(connection, find_study(store, name), models=True)
        rows = [row_of(session_data(store, each.session)) for each in found]
    return [values_of(row) for row in rows]


@study.command()
@click.argument("db", type=DATABASE_OR_URL)
@click.argument("name")
@output()
def payments(db: Path | str, name: str) -> list[Row]:
    """List completion codes with the recruiter's names of participants.

    The one export with names in it: for whoever pays or credits them. Names are erased
    when the study's keep_ids_days are over.

    \b
    Example:
        yoked study payments results.db bright-bars --csv
    """
    from ..studies.exports import payable
    from ..studies.kept import find_study

    with _opened(db) as store, store.beside() as connection:
        rows = payable(connection, find_study(store, name))
    return [{**vars(row), "detail": " ".join(_said(row.detail))} for row in rows]


@study.command()
@click.argument("db", type=DATABASE_OR_URL)
@click.argument("name")
@click.option("--pilots", is_flag=True, help="Pilot runs, too.")
@output()
def answers(db: Path | str, name: str, pilots: bool) -> list[Row]:
    """List what people answered in a study's questionnaires, a row for each question.

    It is in no other export. What people wrote is erased with the recruiter's names,
    but where the study says that it identifies nobody.

    \b
    Example:
        yoked study answers results.db bright-bars --csv > answers.csv
    """
    from ..studies.answers_csv import answer_rows, safe_cell
    from ..studies.kept import find_study

    with _opened(db) as store, store.beside() as connection:
        rows = list(answer_rows(connection, find_study(store, name), pilots))
    return [{**vars(row), "answer": safe_cell(row.answer)} for row in rows]


def _said(detail: dict) -> Iterator[str]:
    yield from (f"{name}={value}" for name, value in detail.items())


@study.command()
@click.argument("db", type=DATABASE_OR_URL)
@click.argument("name")
@click.argument("to", type=FILE)
@click.option("--pilots", is_flag=True, help="Pilot runs, too.")
@click.option("--models", is_flag=True, help="Models that took part, too.")
def log(db: Path | str, name: str, to: Path, pilots: bool, models: bool) -> None:
    """Write a study's trial log to a file of its own, also while it is served.

    The tables of the log alone, for whoever analyses it: no link, no code, no consent,
    no name, and nothing of other studies.

    \b
    Example:
        yoked study log results.db bright-bars bright-bars.db
    """
    from ..studies.exports import write_log

    with _opened(db) as store:
        n_sessions = write_log(store, db, name, to, pilots, models)
    click.echo(f"Wrote {n_sessions} sessions to {to}.", err=True)


@study.command()
@click.argument("db", type=DATABASE_OR_URL)
@click.argument("name")
@click.argument("to", type=FILE)
@click.option("--pilots", is_flag=True, help="Pilot runs, too, marked as such.")
@click.option("--models", is_flag=True, help="Models that took part, too.")
def export(db: Path | str, name: str, to: Path, pilots: bool, models: bool) -> None:
    """Write a study's trials to a file, also while it is served.

    The end of the file's name says what it will be: .csv, .parquet, or .zip for a
    Psych-DS data set. One row a trial, with its arm and sitting; it names nobody. Any
    number of trials fits: they are never all in memory.

    \b
    Example:
        yoked study export results.db bright-bars bright-bars.parquet
    """
    from ..exports.study_files import ENDINGS, study_pieces
    from ..files import whole_file
    from ..studies.kept import find_study

    kind = ENDINGS.get(to.suffix)
    if kind is None:
        rule = f"end in {', '.join(ENDINGS)}"
        raise click.UsageError(f"the name of the file must {rule}, got {to.name!r}")
    with _opened(db) as store:
        kept = find_study(store, name)
        pieces = study_pieces(store, kept, kind, pilots, models)
        with whole_file(to, "wb") as file:
            file.writelines(pieces)
