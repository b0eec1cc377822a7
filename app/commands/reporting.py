"""Observers side by side: numbers, and a page to look at."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..faults import tell
from ..options import DATABASE, OUTPUT_FILE
from ..output import output
from ..progress import progress
from .analyse import to_analyse, write_arrays
from .trials import opened

if TYPE_CHECKING:
    from ...analysis.agreement.closer import Closer
    from ...analysis.agreement.closer_people import CloserToPeople
    from ...analysis.agreement.compare import Comparison
    from ...analysis.agreement.group import GroupSummary


@click.command()
@click.argument("db", type=DATABASE)
@click.argument("human")
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@output()
def compare(
    db: Path, human: str, models: tuple[str, ...]
) -> "list[Comparison | Closer]":
    """Compare observers with one whose trials they share, at three depths.

    All are session ids. Trials are shared where noise, target, signal and contrast are
    the same, yoked or not. Beside the share of equal responses stands the ceiling: what
    the best possible model would reach, by the double pass of the first session. The
    depth profile gives responses, kernels and second-order kernels as shares of their
    ceilings, or why there is none. Whether both have the same first-order kernel, in
    size too, is tested; JSON also has its shape and amplitude, and what difference
    would have been found.

    With two models or more it is also said which is closer: by the latent correlation
    and kappa, which ask for the same answers, and by the share of the ceiling and the
    kernel, which ask for the same computation, whatever the model's internal noise.

    \b
    Example:
        yoked compare results.db 2026-01-10-kq7m4x2p 2026-01-10-m2x5wt8c
    """
    from ...analysis.agreement.compare import compare_all
    from ...analysis.trials.held import Held
    from ...experiments.session.results import session_data

    with opened(db) as store:
        named = to_analyse(store, (human, *models), unfinished=False)
        held = Held.all_of(*(session_data(store, name) for name in named))
    with progress("compare") as update:
        found = compare_all(held, update)
    for each in found.comparisons:
        tell(f"{each.reference} and {each.other}", each.faults)
    if "closer" in found.missing:
        click.echo(f"Which is closer: {found.missing['closer']}", err=True)
        tell("closer", found.faults)
    which = [] if found.closer is None else [found.closer]
    return [*found.comparisons, *which]


@click.command()
@click.argument("db", type=DATABASE)
@click.argument("chosen", nargs=-1, metavar="[SESSION]...")
@click.option(
    "--models",
    metavar="NAME,NAME[,...]",
    required=True,
    help="Observers that are the models; all others are the people.",
)
@output()
def closer(db: Path, chosen: tuple[str, ...], models: str) -> "CloserToPeople":
    """Say which model comes closer to several people.

    Of every finished session, or of those named. Each model is compared with each
    person whose trials it shares, and the difference between two models is averaged
    over people, who are the random factor: the answer is about people, not about those
    who took part. Several sessions of a model for one person are its replicates, such
    as networks trained from several seeds.

    \b
    Example:
        yoked closer results.db --models template,retina-cnn
    """
    from ...analysis.agreement.closer_people import closer_to_people
    from ...experiments.session.results import session_data

    names = [name.strip() for name in models.split(",")]
    with opened(db) as store:
        ids = to_analyse(store, chosen, unfinished=False)
        sessions = [session_data(store, name) for name in ids]
    absent = set(names) - {each.observer for each in sessions}
    if absent:
        rule = "observers of these sessions"
        raise ValueError(f"models must be {rule}, got {', '.join(sorted(absent))}")
    found = closer_to_people(
        [each for each in sessions if each.observer not in names],
        [each for each in sessions if each.observer in names],
    )
    for each in found.by_session:
        tell(each.reference, each.faults)
    return found


@click.command()
@click.argument("db", type=DATABASE)
@click.argument("chosen", nargs=-1, metavar="[SESSION]...")
@click.option(
    "--unfinished", is_flag=True, help="Also take sessions that are not finished."
)
@click.option(
    "--arrays",
    type=OUTPUT_FILE,
    help="Also write the mean kernel to this NumPy archive (.npz).",
)
@output()
def group(
    db: Path, chosen: tuple[str, ...], unfinished: bool, arrays: Path | None
) -> "GroupSummary":
    """Average observers, each over its sessions.

    Of every finished session, or of those named; all with the same stimuli, of two
    observers or more. d' and the first-order kernel are random-effects means; the
    ceilings say how well the best model could correlate with an observer's kernel.

    \b
    Example:
        yoked group results.db
    """
    from ...analysis.agreement.group import group as of_group
    from ...experiments.session.results import session_data

    with opened(db) as store:
        names = to_analyse(store, chosen, unfinished)
        found = of_group([session_data(store, name) for name in names])
    tell("group", found.faults)
    if arrays is not None:
        write_arrays(arrays, {"group": found})
    return found


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
@click.option(
    "--orders",
    type=click.IntRange(0, 2),
    default=2,
    show_default=True,
    help="How deep: 0 sensitivity, 1 kernels too, 2 second-order kernels too.",
)
@click.option(
    "--margin",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.9,
    show_default=True,
    help="Share of the ceiling above which two observers pass for alike.",
)
def report(
    db: Path,
    chosen: tuple[str, ...],
    path: Path,
    unfinished: bool,
    orders: int,
    margin: float,
) -> None:
    """Write a page that shows observers side by side.

    Every finished session, or those named. First a verdict for every two observers of
    the same trials: at which depth they differ, where they are alike, and what the data
    cannot tell. Then sensitivity, criterion and internal noise, the course of each
    session, kernels of both orders on one scale, agreement trial by trial beside
    its ceiling, and a Methods paragraph. One file, which opens anywhere without a
    connection.

    \b
    Example:
        yoked report results.db -o report.html
    """
    from ...experiments.session.results import session_data
    from ..reports.report import write_report

    with opened(db) as store:
        names = to_analyse(store, chosen, unfinished, split=True)
        if not names:
            raise ValueError(f"{str(db)!r} must hold a finished session, got none")
        sessions = [session_data(store, name) for name in names]
    with progress(path.name) as update:
        faults = write_report(sessions, path, update, orders, margin=margin)
    for whose, found in faults.items():
        tell(whose, found)
    click.echo(f"Wrote {path}.", err=True)
