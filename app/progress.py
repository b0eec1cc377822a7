"""A progress bar on standard error, for work that takes its time."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import click

STEPS = 1000  # of a bar whose parts are told as shares


@contextmanager
def progress(
    name: str, whole: str | None = None
) -> Iterator[Callable[[str, float, int], None]]:
    """Show a bar for each stage of the block's work, once it reports any.

    Standard error that is not a terminal gets each bar's name, no bar.

    Parameters
    ----------
    name
        What the work is about, before each stage.
    whole
        One bar for all stages, under this name; the stage stands beside it.

    Yields
    ------
    function
        To be called with a stage, how much of it is done (with `whole`, how many stages
        are), and how much there is in all.
    """
    with ExitStack() as stack:
        bars = {}

        def update(stage: str, done: float, total: int) -> None:
            bar_name = whole or stage
            if bar_name not in bars:
                stack.close()  # the bar of the stage before
                bar = click.progressbar(
                    length=STEPS * total,
                    label=f"{name}: {bar_name}",
                    show_pos=False,
                    item_show_func=_stage if whole else None,
                    file=sys.stderr,
                )
                bars[bar_name] = stack.enter_context(bar)
            bar = bars[bar_name]
            bar.update(round(STEPS * done) - bar.pos, stage)

        yield update


def _stage(stage: str | None) -> str | None:
    return stage and stage.split(".")[-1].replace("_", " ")
