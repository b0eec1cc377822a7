"""The command that was typed, spelled out again with other options."""

import shlex
from collections.abc import Collection, Iterable
from typing import Any

import click
from click.core import ParameterSource


def spelled(
    arguments: Iterable[object],
    leave_out: Collection[str] = (),
    **more: Any,
) -> str:
    """Give the command that is running, as it can be typed.

    Parameters
    ----------
    arguments
        What follows the command's name.
    leave_out
        Options, by their parameters' names, that were typed and are not said again.
    **more
        Values of options that were not typed, or not so; True for a flag.
    """
    context = click.get_current_context()
    values = {
        name: value
        for name, value in context.params.items()
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        and name not in leave_out
    } | more
    words = ["yoked", str(context.command.name), *map(str, arguments)]
    for option in context.command.params:
        if isinstance(option, click.Option) and option.name in values:
            words += _typed(option, values[option.name])
    return shlex.join(words)


def _typed(option: click.Option, value: Any) -> list[str]:
    if option.is_flag:
        return [option.opts[0]] if value else []
    if isinstance(value, tuple):  # a size
        value = "x".join(map(str, value))
    return [option.opts[0], f"{value:g}" if isinstance(value, float) else str(value)]
