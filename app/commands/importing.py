"""Other people's data as sessions."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ...experiments.store.text import utf8_text
from ..options import DATABASE
from ..output import Row, output

_FILE = click.Path(dir_okay=False, path_type=Path)
_IN_EXTRAS = ("pyarrow", "rdata", "openpyxl", "h5py", "sklearn", "xarray", "PIL")


@click.group(name="import")
def import_() -> None:
    """Read other people's data as sessions.

    \b
    Examples:
        yoked import murray2015 experiment1_subject01.txt results.db
        yoked import table trials.csv results.db --task 2afc --noise noise.npy
        yoked import rcicr stimuli.Rdata responses.csv results.db
    """


def written_row(db: Path, made: Any) -> Row:
    """Describe a session of an imported table."""
    return {
        "session": made.session,
        "observer": made.observer,
        "protocol": made.protocol,
        "trials": made.n_trials,
        "pairs": made.n_pairs,
        "without_response": made.n_missing,
        "noise_sd": made.noise_sd,
        "notes": [*made.notes, *doubts(db, made.session)],
    }


def doubts(db: Path, session: str) -> list[str]:
    """Say it where noise and trials seem not to belong together."""
    from ...analysis.sessions.doubt import doubt
    from ...experiments.session.results import load_session

    found = doubt(load_session(db, session))
    return [] if found is None else [found]


def with_extra(function: Callable[..., Any], *arguments: object) -> Any:
    """Call a function; a package of an extra that it lacks is one sentence."""
    try:
        return function(*arguments)
    except ModuleNotFoundError as error:
        if error.name not in _IN_EXTRAS:
            raise
        raise click.ClickException(str(error)) from error


class _Shape(click.ParamType):
    """Frames, rows and columns: 1x16x16."""

    name = "FxRxC"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, int, int]:
        found = re.fullmatch(r"(\d+)x(\d+)x(\d+)", str(value))
        if found is None or "0" in found.groups():
            self.fail(f"shape must be frames, rows, columns like 1x16x16, got {value}")
        return int(found[1]), int(found[2]), int(found[3])


class _Renaming(click.ParamType):
    """OURS=THEIRS."""

    name = "OURS=THEIRS"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, str]:
        ours, sign, theirs = utf8_text(str(value)).partition("=")
        if not (ours and sign and theirs):
            self.fail(f"column must be like response=key, got {value}")
        return ours, theirs


RENAMING = _Renaming()


class _Counting(click.ParamType):
    """OURS=0 or OURS=1."""

    name = "COLUMN=0|1"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, int]:
        ours, sign, first = str(value).partition("=")
        if not sign or first not in ("0", "1"):
            self.fail(f"must be like stimulus_id=1, got {value}")
        return ours, int(first)


class _Separator(click.ParamType):
    """A sign between cells; a tab is TAB."""

    name = "SIGN"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        known = {"tab": "\t", "\\t": "\t", "space": " "}
        return known.get(str(value).lower(), str(value))


def _in_brief(row: Row) -> Row:
    """Give an explanation as lines, one for each column and each note."""
    if "refused" not in row:
        return row
    about: dict[str, Any] = dict(row)
    lines = {f"column {c['name']}": _role(c) for c in about.pop("columns")}
    notes, refused = about.pop("notes"), about.pop("refused")
    told = {f"note {i + 1}": note for i, note in enumerate(notes)}
    end = {"refused": refused} if refused else {"would be": "imported"}
    return {**about.pop("file"), **lines, **about, **told, **end}


def _role(column: Row) -> str:
    if column["read_as"] is None:
        return "not read"
    name, read_as = column["name"], column["read_as"]
    role = "" if name == read_as else f"read as {read_as}: "
    return f"{role}{column['values']}"


@import_.command()
@click.argument("trials", type=_FILE)
@click.argument("db", type=DATABASE, required=False)
@click.option(
    "--explain",
    is_flag=True,
    help="Say what would be read, and why it would be refused; write nothing.",
)
@click.option(
    "--task",
    type=click.Choice(["2afc", "mafc", "yes_no", "rating"]),
    help="What was asked; must be given.",
)
@click.option(
    "--noise",
    type=_FILE,
    help="Noise as an array, stimulus first: .npy, .mat or of R.",
)
@click.option(
    "--noise-columns",
    metavar="PREFIX",
    help="Noise in columns PREFIX<interval>_<element>, both from 0.",
)
@click.option(
    "--noise-values",
    metavar="COLUMN",
    help="Noise in one column, of a table with a row for each `element` of a field.",
)
@click.option(
    "--shape",
    type=_Shape(),
    help="Frames, rows, columns of a noise field; by default a row of bars.",
)
@click.option(
    "--side-by-side",
    "is_side_by_side",
    is_flag=True,
    help="The alternatives are parts of one field, of which --shape is that.",
)
@click.option(
    "--alternatives",
    type=click.IntRange(2),
    help="Responses of mafc and rating.",
)
@click.option(
    "--signal", type=_FILE, help="The signal's shape as a .npy array; its size is free."
)
@click.option(
    "--gains",
    type=float,
    nargs=2,
    default=(0.0, 1.0),
    help="Of the signal without the target, and with it.  [default: 0 1]",
)
@click.option(
    "--column",
    "columns",
    type=RENAMING,
    multiple=True,
    help="What the table calls a column: response=key. Any number of times.",
)
@click.option(
    "--counted-from",
    type=_Counting(),
    multiple=True,
    help="What target, response or stimulus_id count from: stimulus_id=1. Any number "
    "of times.",
)
@click.option(
    "--rt-unit",
    type=click.Choice(["ms", "s"]),
    help="Of rt_ms; by default ms, and times that look like seconds are told.",
)
@click.option("--observer", help="Name, where no column has it; by default the file's.")
@click.option("--contrast", type=float, help="Of all trials, where no column has it.")
@click.option(
    "--relative-contrast",
    is_flag=True,
    help="Contrasts are in a unit of their own.",
)
@click.option(
    "--percent-contrast",
    "is_contrast_percent",
    is_flag=True,
    help="Contrasts are percent, and the noise is not.",
)
@click.option(
    "--contrast-scale",
    type=float,
    default=1.0,
    show_default=True,
    help="Multiplies noise and contrast to give contrasts in [-1, 1].",
)
@click.option(
    "--noise-kind",
    type=click.Choice(["gaussian", "uniform", "binary", "other"]),
    default="gaussian",
    show_default=True,
    help="Distribution of the noise.",
)
@click.option("--noise-sd", type=float, help="Nominal SD of the noise, in contrast.")
@click.option(
    "--deg-per-element",
    type=float,
    default=1.0,
    show_default=True,
    help="Degrees of visual angle across an element.",
)
@click.option("--frame-ms", type=float, help="Duration of a frame, of several.")
@click.option("--name", help="Of the protocol; by default the file's.")
@click.option(
    "--target/--no-target",
    "has_target",
    default=None,
    help="Whether a response can be correct; by default a table without a column "
    "target (and no --signal) is one in which none is.",
)
@click.option(
    "--separator", type=_Separator(), help="Of a text's cells, TAB a tab; found."
)
@click.option("--decimal", type=click.Choice([".", ","]), help="Of numbers; found.")
@click.option("--encoding", help="Of a text, such as cp1252; by default UTF-8.")
@click.option("--part", metavar="NAME", help="The sheet, data frame or struct.")
@click.option(
    "--replace",
    "replace_sessions",
    metavar="SESSION",
    multiple=True,
    help="Withdraw this import, which was read wrongly. Any number of times.",
)
@output(_in_brief)
def table(
    trials: Path,
    db: Path | None,
    explain: bool,
    columns: tuple[tuple[str, str], ...],
    counted_from: tuple[tuple[str, int], ...],
    alternatives: int | None,
    relative_contrast: bool,
    replace_sessions: tuple[str, ...],
    **settings: Any,
) -> list[Row] | Row:
    """Read anybody's noise-masked trials from a table.

    A table with a row for each trial (columns target and response; further ones, and
    other layouts, are in docs/importing.md), and the noise that was shown, without the
    signal: a text, Parquet, Excel, R's or MATLAB's file. Every observer in it becomes
    a session. All is checked before anything is written.

    \b
    Examples:
        yoked import table trials.csv --explain
        yoked import table trials.csv results.db --task 2afc --noise noise.npy
        yoked import table trials.parquet results.db --task yes_no \\
            --noise-columns noise_ --shape 1x8x8 --column response=key
    """
    from ...experiments.imports.table import import_table
    from ...experiments.imports.table_explain import explain_table
    from ...experiments.imports.table_settings import TableSettings

    settings |= {
        "columns": dict(columns),
        "counted_from": dict(counted_from),
        "n_alternatives": alternatives,
        "is_contrast_relative": relative_contrast,
    }
    if explain:
        return with_extra(lambda: explain_table(trials, **settings))
    for name, given in (("the database", db), ("--task", settings["task"])):
        if given is None:
            raise click.UsageError(f"{name} must be given unless with --explain")
    read = TableSettings(**settings)
    assert db is not None
    made = with_extra(import_table, trials, db, read, replace_sessions)
    return [written_row(db, each) for each in made]
