"""What is said where a figure is interrupted."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

INTERRUPTED = "Interrupted: what is done stays in {}. The same command goes on."


@contextmanager
def going_on(out: Path) -> Iterator[None]:
    """Say where an interrupted figure is."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo(f"\n{INTERRUPTED.format(out)}", err=True)
        raise
