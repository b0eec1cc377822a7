"""Luminance and geometry of a monitor, measured and stored."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..options import OUTPUT_FILE
from ..output import Row, output
from ..progress import progress
from .readings import print_readings, typed_readings

if TYPE_CHECKING:
    from ...experiments.monitors.calibrations import Calibration
    from ...experiments.monitors.luminance import Reading

LENGTHS = {  # of a monitor: question, where nobody said it before
    "width_cm": "Width of the visible picture in cm",
    "size_px": "Its width and height in px, as 1920x1080",
    "distance_cm": "Distance from the eye to the screen in cm",
}
PATCH_PX = (640, 640)  # a window beside the terminal in which readings are typed


def brief(row: Row) -> Row:
    """Return what a table shows of a calibration: values with their errors."""
    return {
        "monitor": row["monitor"],
        "gamma": f"{row['gamma']:.3f} ± {row['gamma_se']:.3f}",
        "black to white": f"{row['l_min_cd_m2']:.2f} to {row['l_max_cd_m2']:.1f} cd/m2",
        "R squared": f"{row['r_squared']:.5f}",
        "largest residual": f"{row['largest_residual_cd_m2']:.2f} cd/m2",
        "luminance steps": f"{row['n_steps']} of 255",
        "largest error": f"{row['largest_error_cd_m2']:.2f} cd/m2"
        f" ({row['largest_error_contrast']:.4f} contrast)",
        "background": f"level {row['background_level']},"
        f" {row['background_cd_m2']:.1f} cd/m2",
        "px per degree": f"{row['px_per_degree']:.2f}",
        "stored": row["file"],
        "plot": row["plot"],
        "in PsychoPy": row["psychopy_monitor"],
        **({"note": row["note"]} if row["note"] else {}),
    }


def as_size(context: object, parameter: object, text: str | None) -> Any:
    """Read 1920x1080 as two numbers."""
    if text is None:
        return None
    try:
        width, height = (int(part) for part in text.lower().split("x"))
    except ValueError as error:
        raise click.BadParameter(f"must be like 1920x1080, got {text!r}") from error
    if width < 1 or height < 1:
        raise click.BadParameter(f"must be 1x1 or more, got {text!r}")
    return width, height


@click.command()
@click.argument("monitor")
@click.option(
    "--readings",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Readings from a CSV file with the columns level and cd_m2.",
)
@click.option("--photometer", metavar="NAME", help="Read a photometer, such as LS100.")
@click.option("--port", help="The photometer's port, such as COM3 or /dev/ttyUSB0.")
@click.option(
    "--levels",
    type=click.IntRange(6, 256),
    default=17,
    show_default=True,
    help="How many levels to read, at equal steps from 0 to 255.",
)
@click.option("--width-cm", type=float, help="Width of the visible picture.")
@click.option(
    "--size-px", callback=as_size, metavar="WxH", help="Its size, such as 1920x1080."
)
@click.option(
    "--distance",
    "distance_cm",
    type=float,
    metavar="CM",
    help="From the eye to the screen.",
)
@click.option(
    "--screen", type=click.IntRange(0), default=0, show_default=True, help="Its number."
)
@click.option(
    "--full-screen/--windowed",
    "full_screen",
    default=None,
    help="How a level is shown; by default full screen with a photometer only.",
)
@click.option(
    "--settle-s",
    type=click.FloatRange(0),
    default=1.0,
    show_default=True,
    help="Seconds that a level stands before the photometer is read.",
)
@click.option(
    "--plot", type=OUTPUT_FILE, help="Where the plot goes; by default to the store."
)
@output(brief)
def calibrate(
    monitor: str,
    file: Path | None,
    photometer: str | None,
    port: str | None,
    levels: int,
    screen: int,
    full_screen: bool | None,
    settle_s: float,
    plot: Path | None,
    **lengths: Any,
) -> Row:
    """Measure a monitor's luminance and store its look-up table.

    Fits Lmin, Lmax and gamma to photometer readings and makes the table that puts
    luminance in proportion to contrast. Readings are typed in as you are asked for
    them (b goes back, and at the end each can be corrected), come from a file, or from
    a photometer that PsychoPy supports. What was stored of the monitor before need not
    be said again. PsychoPy, where it is installed, gets a record of the monitor too.

    \b
    Examples:
        yoked calibrate lab-1 --width-cm 53 --size-px 1920x1080 --distance 57
        yoked calibrate lab-1 --readings readings.csv
        yoked calibrate lab-1 --photometer LS100 --port COM3
    """
    from ...experiments.monitors.calibrations import calibrate as fitted
    from ...experiments.monitors.calibrations import save_calibration
    from ...experiments.monitors.luminance import faults, levels_to_read, read_readings
    from ..figures import check_plot_name

    if bool(photometer) != bool(port) or (photometer and file):
        raise click.UsageError("give --readings, or --photometer with --port, or none")
    if plot is not None:
        check_plot_name(plot)
    known = geometry(monitor, lengths)
    if file is not None:
        readings, source = read_readings(file), file.name
    elif photometer is not None and port is not None:
        with patch(screen, full_screen is not False, required=True) as shown:
            readings, source = measured(shown, photometer, port, levels, settle_s)
    else:
        with patch(screen, full_screen is True, required=False) as shown:
            readings, source = typed_readings(levels_to_read(levels), shown), "typed"
    if file is None and faults(readings):
        print_readings(readings)
    made = fitted(monitor, readings, **known, photometer=source)
    path = save_calibration(made)
    return described(made, path, plotted(made, plot, path.with_suffix(".svg")))


def geometry(monitor: str, given: dict[str, Any]) -> dict[str, Any]:
    """Give width, size and distance: as said now, as stored before, or as asked."""
    from ...experiments.lab.monitors import monitor_geometry
    from ...experiments.monitors.calibrations import calibration_names, load_calibration

    known: dict[str, Any] = dict(monitor_geometry(monitor))
    if monitor in calibration_names():
        before = load_calibration(monitor)
        known |= {name: getattr(before, name) for name in LENGTHS}
    known |= {name: value for name, value in given.items() if value is not None}
    for name, question in LENGTHS.items():
        if name not in known:
            known[name] = asked(name, question)
    return {name: known[name] for name in LENGTHS}


def asked(name: str, question: str) -> Any:
    """Ask for a length; where nobody can answer, say which option is missing."""
    option = {"distance_cm": "--distance"}.get(name, f"--{name.replace('_', '-')}")
    if not sys.stdin.isatty():
        raise click.UsageError(
            f"{option} must be given: nothing is known of the monitor"
        )
    if name != "size_px":
        return click.prompt(question, type=float, err=True)
    return click.prompt(question, value_proc=lambda t: as_size(None, None, t), err=True)


@contextmanager
def patch(
    screen: int, full_screen: bool, required: bool
) -> Iterator[Callable[[int], None] | None]:
    """Open a window for levels; None where there cannot be one and need not be."""
    from ...experiments.lab.photometer import show_level
    from ...experiments.lab.window import open_window

    try:
        # A rate of its own: nothing here depends on the screen's.
        window = open_window(
            screen=screen,
            full_screen=full_screen,
            size_px=None if full_screen else PATCH_PX,
            refresh_hz=60.0,
        )
    except (ModuleNotFoundError, OSError) as error:
        if required:
            raise
        click.echo(f"Show the levels yourself ({error}).", err=True)
        yield None
        return
    try:
        yield lambda level: show_level(window, level)
    finally:
        window.close()


def measured(
    show: Callable[[int], None] | None,
    name: str,
    port: str,
    levels: int,
    settle_s: float,
) -> "tuple[list[Reading], str]":
    """Read a photometer at each level; its full name comes with the readings."""
    from ...experiments.lab.photometer import Photometer, read_levels
    from ...experiments.monitors.luminance import levels_to_read

    assert show is not None  # `patch(required=True)` gives one or raises
    meter = Photometer(name, port)
    try:
        with progress(meter.name) as update:
            readings = read_levels(
                show,
                meter,
                levels_to_read(levels),
                settle_s=settle_s,
                progress=lambda done, total: update("levels", done, total),
            )
        return readings, meter.name
    finally:
        meter.close()


def plotted(made: "Calibration", path: Path | None, default: Path) -> Path | None:
    """Write the plot; without Matplotlib only one that was asked for is missed."""
    from ..reports.calibration_plot import write_plot

    try:
        write_plot(made, path or default)
    except ModuleNotFoundError:
        if path is not None:
            raise
        return None
    return path or default


def described(made: "Calibration", path: Path, plot: Path | None) -> Row:
    """Give what the command prints."""
    from dataclasses import asdict

    from ...experiments.lab.monitors import save_monitor

    return {
        "monitor": made.monitor,
        "id": made.id,
        **asdict(made.fit),
        "michelson": made.fit.michelson,
        "background_level": made.lut[128],
        "background_cd_m2": made.fit.background_cd_m2,
        **asdict(made.quality),
        "px_per_degree": made.px_per_degree,
        "width_cm": made.width_cm,
        "size_px": made.size_px,
        "distance_cm": made.distance_cm,
        "note": made.fit.note,
        "file": path,
        "plot": plot,
        "psychopy_monitor": save_monitor(made),
    }
