"""Photometer readings that somebody types, and corrects where they were mistyped."""

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ...experiments.monitors.luminance import Reading

BACK = "b"
Show = Callable[[int], None] | None  # a level on the screen, where there can be one


def typed_readings(levels: Sequence[int], show: Show) -> "list[Reading]":
    """Ask for the luminance of each level, in order, and let them be corrected.

    A reading lower than the one before it is pointed out as it is typed; at a terminal
    all are shown beside the curve that they follow, until they are kept.

    Raises
    ------
    click.Abort
        If nobody goes on typing; what was typed by then is printed.
    """
    values: list[float] = []
    try:
        while len(values) < len(levels):
            number, level = len(values) + 1, levels[len(values)]
            value = _asked(f"{number} of {len(levels)}: ", level, show)
            if value is None:
                del values[-1:]
                continue
            values.append(value)
            _point_out(levels, values)
        readings = dict(zip(levels, values, strict=True))
        while sys.stdin.isatty() and not _is_kept(readings, show):
            pass
        return list(readings.items())
    except click.Abort:
        print_readings(list(zip(levels, values, strict=False)))
        raise


def print_readings(readings: "Sequence[Reading]") -> None:
    """Print readings as a file that `--readings` takes, so that they are not lost."""
    rows = "\n".join(f"{level},{value:g}" for level, value in readings)
    click.echo(f"The readings were:\nlevel,cd_m2\n{rows}", err=True)


def _asked(before: str, level: int, show: Show) -> float | None:
    """Show a level and ask for its luminance; None to go back."""
    if show is not None:
        show(level)

    def read(text: str) -> float | None:
        return None if text.strip().lower() == BACK else _as_luminance(text)

    question = f"{before}cd/m2 at screen level {level}"
    return click.prompt(question, value_proc=read, err=True)


def _as_luminance(text: str) -> float:
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        rule = f"0 cd/m2 or more, or {BACK} to go back"
        raise click.BadParameter(f"a reading must be {rule}, got {text!r}")
    return value


def _point_out(levels: Sequence[int], values: Sequence[float]) -> None:
    """Say so if the last reading fell below the one before it."""
    from ...experiments.monitors.luminance import falls

    for fault in falls(list(zip(levels, values, strict=False))[-2:]):
        click.echo(f"{fault}; {BACK} goes back", err=True)


def _is_kept(readings: dict[int, float], show: Show) -> bool:
    """Show the readings and what is wrong with them; change one, or keep them."""
    from ...experiments.monitors.luminance import faults, fit_luminance

    found = faults(readings.items())
    fit = None if found else fit_luminance(list(readings.items()))
    click.echo("level   cd/m2   curve", err=True)
    for level, value in readings.items():
        curve = "" if fit is None else f"{float(fit.luminance(level)):8.2f}"
        click.echo(f"{level:5}{value:8.2f}{curve}", err=True)
    notes = found if fit is None else [fit.note or "They follow the curve."]
    click.echo("\n".join(notes), err=True)
    question = "Correct one, as 128=40.2 or 128 to see it; Enter keeps them"

    def read(text: str) -> tuple[int, float | None] | None:
        return _as_correction(text, list(readings)) if text.strip() else None

    said = click.prompt(
        question, default="", show_default=False, value_proc=read, err=True
    )
    if said is None:
        return not found
    level, value = said
    value = _asked("", level, show) if value is None else value
    readings[level] = readings[level] if value is None else value
    return False


def _as_correction(text: str, levels: Sequence[int]) -> tuple[int, float | None]:
    """Read 128=40.2 as a level and its reading; 128 has none yet."""
    level_text, equals, value = text.partition("=")
    try:
        level = int(level_text)
        reading = float(value.replace(",", ".")) if equals else None
    except ValueError as error:
        raise click.BadParameter(f"must be like 128=40.2, got {text!r}") from error
    if level not in levels:
        known = ", ".join(map(str, levels))
        raise click.BadParameter(f"level must be one of {known}, got {level}")
    return level, None if reading is None else _as_luminance(value)
