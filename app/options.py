"""Kinds of arguments that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

DATABASE = click.Path(dir_okay=False, path_type=Path)
OUTPUT_FILE = click.Path(dir_okay=False, path_type=Path)
SEED = click.IntRange(0, 2**63 - 1)  # and of stimulus ids: the contract's range

_Command = TypeVar("_Command", bound=Callable[..., object])


MAIN_TRIALS = "Main trials, instead of the protocol's."


def variant_options(main_trials: str = MAIN_TRIALS) -> Callable[[_Command], _Command]:
    """Give a command --seed, --trials and --contrast: the variant that it runs.

    Parameters
    ----------
    main_trials
        What --trials says of itself.
    """
    contrast = "One contrast for all trials, instead of the protocol's and calibration."
    options = (
        click.option("--seed", type=SEED, help="Seed of stimuli and schedule."),
        click.option("--trials", type=click.IntRange(1), help=main_trials),
        click.option("--contrast", type=click.FloatRange(0, 1), help=contrast),
    )

    def decorated(command: _Command) -> _Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorated
