"""Kinds of arguments that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.types import StringParamType

from ..experiments.store.cells import whole_text
from ..experiments.store.text import utf8_text
from ..experiments.store.url import is_url, without_password


class _Database(click.Path):
    """A file, or the URL of a database on a PostgreSQL server."""

    def __init__(self, or_url: bool) -> None:
        super().__init__(dir_okay=False, path_type=Path)
        self._or_url = or_url

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if not is_url(value):
            return super().convert(value, param, ctx)
        if not self._or_url:
            way = "`yoked study log` makes one of a study"
            shown = without_password(value)
            self.fail(f"the database must be a file, got {shown}; {way}", param, ctx)
        return value


DATABASE = _Database(or_url=False)
DATABASE_OR_URL = _Database(or_url=True)
OUTPUT_FILE = click.Path(dir_okay=False, path_type=Path)
WITH_KERNELS = click.option(
    "--kernels/--no-kernels",
    default=True,
    help="First-order kernels, too; on unless told otherwise.",
)
OBSERVER_OPTIONS = click.option(
    "--option",
    "options",
    metavar="NAME=VALUE",
    multiple=True,
    help="What the observer can be told, such as efficiency=0.5; may be repeated.",
)
PLAN = click.option(
    "--plan",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Plan of sittings (TOML): each participant gets the one that is due.",
)


class _Seed(click.IntRange):
    """A seed, as a number or as exports have it, seed:12."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        whole = whole_text(str(value))
        return super().convert(value if whole is None else whole, param, ctx)


SEED = _Seed(0, 2**63 - 1)  # and of stimulus ids: the contract's range

_Command = TypeVar("_Command", bound=Callable[..., object])


MAIN_TRIALS = "Main trials, instead of the protocol's."


def variant_options(
    main_trials: str = MAIN_TRIALS, *, has_seed: bool = True
) -> Callable[[_Command], _Command]:
    """Give a command --seed, --trials and --contrast: the variant that it runs.

    Parameters
    ----------
    main_trials
        What --trials says of itself.
    has_seed
        Whether there is --seed.
    """
    contrast = "One contrast for all trials, instead of the protocol's and calibration."
    options = (
        click.option("--seed", type=SEED, help="Seed of stimuli and schedule."),
        click.option("--trials", type=click.IntRange(1), help=main_trials),
        click.option("--contrast", type=click.FloatRange(0, 1), help=contrast),
    )
    return _all_of(options if has_seed else options[1:])


DECISION = "decision"  # where noise is unless another place is asked for
NOISE_AT = click.option(
    "--noise-at",
    default=DECISION,
    show_default=True,
    metavar="PLACE",
    help=(
        "Where a network's internal noise is: input, front, layer:NAME or decision. At "
        "the input its SD is in contrast, in a layer in each unit's own SDs."
    ),
)
MATCHED = "matched"  # a noise that is set to what a person's double pass asks for
_GAMMA = "Internal noise as gamma: internal / external SD, at the decision variable."
_REPEATABLE = "Noise that is the same at each showing of a stimulus, in the same unit."
CRITERION = click.option(
    "--criterion",
    type=float,
    help="Bias in yes/no and rating, in SD of the decision variable.",
)


def decision_options() -> Callable[[_Command], _Command]:
    """Give a command --internal-noise and --criterion: how a model decides."""
    return _all_of((_noise_option("internal", click.FloatRange(0), _GAMMA), CRITERION))


def matched_options() -> Callable[[_Command], _Command]:
    """Give a command the same, noise that may be 'matched', and --repeatable-noise."""
    options = (
        _noise_option("internal", _Noise(0), f"{_GAMMA} {_OR_MATCHED}"),
        _noise_option("repeatable", _Noise(0), f"{_REPEATABLE} {_OR_MATCHED}"),
        CRITERION,
    )
    return _all_of(options)


_OR_MATCHED = "'matched' is what `yoked match` finds for the session of --yoke-to."


class _Noise(click.FloatRange):
    """A noise of 0 or more, or 'matched'."""

    name = "number or 'matched'"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        return value if value == MATCHED else super().convert(value, param, ctx)


def server_options() -> Callable[[_Command], _Command]:
    """Give a command what a server can be told: --config and every setting."""
    config = click.option(
        "--config",
        type=click.Path(dir_okay=False, path_type=Path),
        envvar="YOKED_CONFIG",
        metavar="FILE",
        help="Settings (TOML). Each is also an option, and a variable as YOKED_PORT.",
    )
    settings = {
        "host": "Address to listen on; this machine alone can reach it if not given.",
        "port": "Port to listen on; 8000 if not given, and 0 takes any that is free.",
        "prefix": "Path of all pages, such as /psych/yoked/; by default that of --url.",
        "url": "Address by which the public reaches the server, for links.",
        "trusted-proxies": (
            "Addresses or networks, by commas, whose forwarded headers are believed."
        ),
        "sign-on-header": "Header in which a trusted proxy says who has signed on.",
        "log-level": "The least that is logged: debug, info, warning or error.",
    }
    options = (click.option(f"--{name}", help=text) for name, text in settings.items())
    return _all_of((config, *options))


def _noise_option(kind: str, of: click.ParamType, text: str) -> Callable[[Any], Any]:
    return click.option(
        f"--{kind}-noise", type=of, default=0.0, show_default=True, help=text
    )


def _all_of(
    options: tuple[Callable[[Any], Any], ...],
) -> Callable[[_Command], _Command]:
    """Join options into one decorator; the first stands first in the help."""

    def decorated(command: _Command) -> _Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorated


class _Text(StringParamType):
    """Text as it was meant, also where the system's code page is not UTF-8."""

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        try:
            return utf8_text(super().convert(value, param, ctx))
        except ValueError as error:
            self.fail(str(error), param, ctx)


def in_utf8(command: click.Command) -> click.Command:
    """Let a command and its subcommands read their texts as UTF-8; give it back.

    Names of files stay as the system has them, or they would not be found.
    """
    for each in command.params:
        if type(each.type) is StringParamType:
            each.type = _Text()
    if isinstance(command, click.Group):
        for subcommand in command.commands.values():
            in_utf8(subcommand)
    return command
