"""What a command says of parts of an analysis that broke: it goes on without them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..analysis.trials.attempts import Fault


def tell(whose: str, faults: "Mapping[str, Fault]") -> None:
    """Print a sentence for each fault on standard error; `--traceback` shows where.

    Parameters
    ----------
    whose
        Id of the session, or of the two that were compared.
    """
    options = click.get_current_context().find_root().params
    for part, fault in faults.items():
        click.echo(f"{whose}: no {part}: {fault}", err=True)
        if options.get("traceback"):
            click.echo(fault.traceback, err=True)
