"""Speed, as ratios."""

from typing import Any

import click

from ..output import Row, output


def contests(result: dict[str, Any]) -> list[Row]:
    """Return what a table shows: a line a contest."""
    if "contests" not in result:
        return [result]
    return [
        {
            "what": row["what"],
            "ours per s": row["ours_per_s"],
            "baseline per s": row["against_per_s"],
            "ratio": row["ratio"],
            "baseline": row["against"],
        }
        for row in result["contests"]
    ]


@click.command()
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
@output(contests)
def bench(rounds: int, large: bool) -> Row | list[Row]:
    """Measure generator and kernels beside this machine's baseline.

    Both sides take turns in one process. On a machine that others use too, only the
    ratios say something.

    \b
    Example:
        yoked bench --table
    """
    from ..bench import large_kernels, run_benchmarks

    if large:
        return large_kernels()
    return run_benchmarks(rounds)
