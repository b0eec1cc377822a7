"""A progress bar on standard error, for work that takes its time."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import click


@contextmanager
def progress(name: str) -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar for each stage of the block's work, once it reports any.

    Standard error that is not a terminal gets each stage's name, no bar.

    Parameters
    ----------
    name
        What the work is about, before each stage.

    Yields
    ------
    function
        To be called with a stage, how much of it is done, and how much there is in all.
    """
    with ExitStack() as stack:
        stages = {}

        def update(stage: str, done: int, total: int) -> None:
            if stage not in stages:
                stack.close()  # the bar of the stage before
                label = f"{name}: {stage}"
                bar = click.progressbar(length=total, label=label, file=sys.stderr)
                stages[stage] = stack.enter_context(bar)
            stages[stage].update(done - stages[stage].pos)

        yield update
