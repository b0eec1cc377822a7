"""What can be run, and who can run it."""

import click

from ..output import Row, output


@click.command()
@output()
def protocols() -> list[Row]:
    """List the protocols that can be run.

    A protocol of your own is a TOML file: give its path wherever a name is asked for.

    \b
    Example:
        yoked protocols --table
    """
    from ...experiments.protocols.files import load_protocol, protocol_names

    return [
        {
            "name": protocol.name,
            "title": protocol.title,
            "task": protocol.task.kind,
            "noise": " x ".join(map(str, protocol.noise.grid)),
            "main_trials": protocol.n_main_trials,
            "stimulus_hash": protocol.stimulus_hash,
        }
        for protocol in map(load_protocol, protocol_names())
    ]


@click.command()
@output()
def observers() -> list[Row]:
    """List the models that can take part.

    An observer of your own is a class in a file: write path/to/file.py:MyObserver
    wherever a name is asked for. A network of your own is a torch module there.

    \b
    Example:
        yoked observers
    """
    from ...models.registry import kind, names

    return [{"name": name, "kind": kind(name)} for name in names()]
