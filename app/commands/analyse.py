"""A session in a few numbers."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..faults import tell
from ..files import whole_file, write_text
from ..options import DATABASE, OUTPUT_FILE
from ..output import output
from ..progress import progress
from .trials import opened

if TYPE_CHECKING:
    from ...analysis.sensitivity.by_task import Interval
    from ...analysis.sessions.depths import Depths
    from ...analysis.sessions.psychometric import PsychometricMethod
    from ...analysis.trials.resample import Unit
    from ...analysis.trials.result import Result
    from ...experiments.session.results import SessionData
    from ...experiments.store.sqlite import Store


@click.command()
@click.argument("db", type=DATABASE)
@click.argument("chosen", nargs=-1, metavar="[SESSION]...")
@click.option(
    "--unfinished", is_flag=True, help="Also take sessions that are not finished."
)
@click.option(
    "--pool",
    type=click.Choice(["participant"]),
    help="Take the sessions of one participant with the same stimuli as one.",
)
@click.option(
    "--orders",
    type=click.IntRange(0, 2),
    default=2,
    show_default=True,
    help="How deep: 0 sensitivity, 1 kernels too, 2 second-order kernels too.",
)
@click.option(
    "--permutations",
    type=click.IntRange(19),
    default=200,
    show_default=True,
    help="Permutations of each test.",
)
@click.option(
    "--bootstrap",
    type=click.Choice(["trial", "block"]),
    help="Also d' with a bootstrap interval, over trials or over blocks.",
)
@click.option(
    "--interval",
    type=click.Choice(["profile", "enumerated"]),
    help="Also d' with the profile likelihood's interval, or by enumeration.",
)
@click.option(
    "--psychometric",
    type=click.Choice(["ml", "psignifit"]),
    default="ml",
    show_default=True,
    help="How psychometric functions are fitted: maximum likelihood, or psignifit.",
)
@click.option(
    "--arrays",
    type=OUTPUT_FILE,
    help="Also write every kernel to this NumPy archive (.npz).",
)
@click.option(
    "--methods",
    type=OUTPUT_FILE,
    help="Also write a Methods paragraph about these sessions to this text file.",
)
@output()
def analyse(
    db: Path,
    chosen: tuple[str, ...],
    unfinished: bool,
    pool: str | None,
    orders: int,
    permutations: int,
    bootstrap: "Unit | None",
    interval: "Interval | None",
    psychometric: "PsychometricMethod",
    arrays: Path | None,
    methods: Path | None,
) -> "list[Depths]":
    """Estimate sensitivity, kernels and second-order kernels.

    Of every finished session, or of those named. Several sittings of a participant are
    one by --pool participant: trials are counted on, each keeps its own noise. A table
    shows the values pooled over contrasts, with 95 % intervals. Internal noise is gamma
    (internal / external SD), by one likelihood with thresholds smooth in contrast, and
    from the agreement of passes; both by the normal law. Where the decision variable is
    not normal, gamma by its exact law stands beside, and is the one to read. Where the
    criterion moves, d' and gamma given its course stand beside, and are to be read
    first. Kernels are summed up
    by how many bits a trial they tell about responses held out. JSON has everything:
    contrasts, kernels with their errors, tests, and what each number rests on; arrays
    of more than 4,096 numbers are left to --arrays. docs/json.md names every key.

    \b
    Example:
        yoked analyse results.db
        yoked analyse results.db --orders 0 --table
        yoked analyse results.db --pool participant
        yoked analyse results.db --methods methods.txt
    """
    from ...analysis.sessions.depths import depths
    from ...experiments.session.pooled import by_participant
    from ...experiments.session.results import session_data

    with opened(db) as store:
        names = to_analyse(store, chosen, unfinished)
        sessions = [session_data(store, name) for name in names]
    if pool is not None:
        sessions = by_participant(sessions)
    found = []
    for session in sessions:
        with progress("analyse", session.id) as update:
            each = depths(
                session,
                orders,
                permutations,
                progress=update,
                psychometric_method=psychometric,
                viewing=session.viewing,
            )
        each = _with_intervals(each, session, bootstrap, interval)
        tell(session.id, each.faults)
        found.append(each)
    if arrays is not None:
        write_arrays(arrays, {each.summary.session: each for each in found})
    if methods is not None:
        from ..reports.methods_paragraph import paragraphs

        write_text(methods, paragraphs(sessions, found))
    return found


def _with_intervals(
    found: "Depths",
    session: "SessionData",
    unit: "Unit | None",
    interval: "Interval | None",
) -> "Depths":
    """Add the intervals of d' that were asked for, or why they cannot be had."""
    from ...analysis.sensitivity.bootstrap import dprime_bootstrap
    from ...analysis.sensitivity.by_task import dprime
    from ...analysis.trials.attempts import Attempts
    from ...analysis.trials.responses import responses

    attempt, asked = Attempts(()), {}
    if unit is not None:
        asked["dprime_bootstrap"] = attempt(
            "zero.dprime_bootstrap",
            lambda: dprime_bootstrap(responses(session), unit=unit),
        )
    if interval is not None:
        asked["dprime_interval"] = attempt(
            "zero.dprime_interval", lambda: dprime(session, interval)
        )
    return replace(
        found,
        zero=replace(found.zero, **asked),
        missing=found.missing | attempt.missing,
        faults=found.faults | attempt.faults,
    )


def write_arrays(path: Path, found: "Mapping[str, Result]") -> None:
    """Write arrays as "session/one.fitted.kernel" and the like, whole or not at all."""
    import numpy as np

    arrays = {
        f"{name}/{key}": array
        for name, each in found.items()
        for key, array in each.arrays().items()
    }
    with whole_file(path, "wb") as file:
        np.savez_compressed(file, **arrays)  # pyright: ignore[reportArgumentType]


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
