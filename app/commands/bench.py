"""Speed, as ratios."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from ..output import Row, output


def contests(result: dict[str, Any] | list[Row]) -> list[Row]:
    """Return what a table shows: a line a contest."""
    if isinstance(result, list):
        return result
    if "observers" in result:
        facts = {key: value for key, value in result.items() if key != "observers"}
        return [{**facts, **row} for row in result["observers"]]
    if "contests" not in result:
        return [result]
    return [
        {
            "what": row["what"],
            "ours per s": row["ours_per_s"],
            "baseline per s": row["against_per_s"],
            "ratio": row["ratio"],
            "goal": row.get("goal"),
            "baseline": row["against"],
        }
        for row in result["contests"]
    ]


_Command = TypeVar("_Command", bound=Callable[..., None])


def _alone(command: _Command) -> _Command:
    """Run what measures all by itself only where no part of it was asked for."""

    @functools.wraps(command)
    @click.pass_context
    def called(ctx: click.Context, *args: object, **options: object) -> None:
        if ctx.invoked_subcommand is None:
            command(*args, **options)

    return cast(_Command, called)


@click.group(invoke_without_command=True)
@_alone
@click.option(
    "--rounds",
    type=click.IntRange(1),
    default=7,
    show_default=True,
    help="Turns of each side; the fastest counts.",
)
@click.option(
    "--large",
    is_flag=True,
    help="Instead: kernels of a million trials, with their peak memory (minutes).",
)
@click.option(
    "--analyse",
    is_flag=True,
    help="Instead: the analysis of 9,900 trials of 31 x 31, with its peak memory.",
)
@click.option(
    "--basis",
    is_flag=True,
    help="Instead: noise on a basis of images, one field and 256, with its memory.",
)
@click.option(
    "--faces",
    is_flag=True,
    help="Instead: the classification image of 770 choices between faces.",
)
@click.option(
    "--device",
    help="Instead: observers and generator on a device, such as cuda or cpu.",
)
@output(contests)
def bench(
    rounds: int,
    large: bool,
    analyse: bool,
    basis: bool,
    faces: bool,
    device: str | None,
) -> Row | list[Row]:
    """Measure generator and kernels beside this machine's baseline.

    Both sides take turns in one process. On a machine that others use too, only the
    ratios say something.

    \b
    Example:
        yoked bench --table
        yoked bench --analyse
        yoked bench --basis --table
        yoked bench --device cpu
    """
    from ..bench import large_kernels, run_benchmarks
    from ..bench_analyse import analyse_ratios
    from ..bench_basis import basis_ratios
    from ..bench_faces import face_ratio
    from ..bench_models import measure_device

    if device is not None:
        return measure_device(device, rounds)
    if large:
        return large_kernels()
    if basis:
        return basis_ratios(rounds)
    if faces:
        return face_ratio(rounds)
    if analyse:
        return analyse_ratios()
    return run_benchmarks(rounds)


@bench.command()
@click.option(
    "--protocol",
    default="bar-in-noise",
    show_default=True,
    help="What is served: a name or a TOML file.",
)
@click.option(
    "--participants",
    type=click.IntRange(1),
    default=500,
    show_default=True,
    help="How many take part at once.",
)
@click.option(
    "--every",
    type=click.FloatRange(0, min_open=True),
    default=2.0,
    show_default=True,
    metavar="S",
    help="From one response of somebody to their next.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(1),
    default=60.0,
    show_default=True,
    help="That count, once everybody has begun.",
)
@click.option(
    "--postgres",
    metavar="URL",
    help="An empty PostgreSQL database, instead of a file; it is filled.",
)
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Where the file is made, on the disk that is asked about.",
)
@output()
def web(
    protocol: str,
    participants: int,
    every: float,
    seconds: float,
    postgres: str | None,
    folder: Path | None,
) -> Row:
    """Measure a server under load, by simulated participants on this machine.

    They fetch every trial's pixels, wait, respond and note when the receipt came; then
    some do so as fast as they can. The log is searched for each trial that has a
    receipt.

    \b
    Examples:
        yoked bench web
        yoked bench web --protocol movie-bar --participants 100
        yoked bench web --postgres postgresql://yoked@localhost/load
    """
    from ..bench_web import web_load

    return web_load(protocol, participants, seconds, every, postgres, folder)
