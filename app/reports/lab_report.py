"""The self-test of a screen as one HTML page, to keep beside the data."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...experiments.lab.check import ScreenCheck
from ...experiments.lab.flips import LATE, Dropped
from ...experiments.lab.pixels import Pixels
from ...experiments.monitors.calibrations import age_days
from ..files import write_text

CHART_PX = (640, 100)  # width and height inside the axes


def write_check(check: ScreenCheck, path: str | Path) -> None:
    """Write the page, whole or not at all.

    Raises
    ------
    OSError
        If the folder does not exist or the disk is full.
    """
    write_text(path, render_check(check))


def render_check(check: ScreenCheck) -> str:
    """Give the page: one HTML file that needs nothing else."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("yoked.app.reports"),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    chart = check.dropped and bars(check.dropped, check.refresh.median_ms)
    return environment.get_template("lab_check.html").render(
        check=check,
        tables=tables(check.pixels),
        scales=sorted({entry.scale for entry in check.pixels}),
        chart=chart,
        chart_px=CHART_PX,
        late=LATE,
        calibration_age=_age(check),
    )


def _age(check: ScreenCheck) -> str:
    """Say how old the calibration is; one without a date is of no age."""
    if check.calibration is None or not check.calibration["made_at"]:
        return ""
    days = age_days(check.calibration["made_at"], check.made_at)
    return f", {days} day{'s' * (days != 1)} old"


def tables(pixels: Sequence[Pixels]) -> dict[str, dict[str, dict[int, Pixels]]]:
    """Arrange entries by look-up table, protocol and scale.

    Examples
    --------
    >>> found = tables([Pixels("bar-in-noise", 2, "identity", n_frames=4)])
    >>> found["identity"]["bar-in-noise"][2].n_frames
    4
    """
    found: dict[str, dict[str, dict[int, Pixels]]] = {}
    for entry in pixels:
        protocols = found.setdefault(entry.lut, {})
        protocols.setdefault(entry.protocol, {})[entry.scale] = entry
    return found


def bars(dropped: Dropped, period_ms: float) -> dict[str, Any]:
    """Lay out the chart of the longest interval of each second.

    Parameters
    ----------
    dropped
        What was measured.
    period_ms
        Refresh period: the chart's unit, with lines at 1 and 1.5 periods.

    Returns
    -------
    dict
        Bars as x, y, width, height and whether a frame was dropped; heights of the
        two lines; the top of the scale in ms.

    Examples
    --------
    >>> chart = bars(Dropped(2.0, 99, 1, 40.0, (20.0, 40.0)), 20.0)
    >>> [bar["late"] for bar in chart["bars"]], round(chart["top_ms"], 1)
    ([False, True], 42.0)
    """
    width, height = CHART_PX
    top = max(2.0 * period_ms, 1.05 * dropped.longest_ms)
    step = width / max(len(dropped.worst_ms), 1)
    return {
        "bars": [
            {
                "x": round(i * step, 2),
                "y": round(height * (1 - worst / top), 2),
                "width": round(0.8 * step, 2),
                "height": round(height * worst / top, 2),
                "late": worst > LATE * period_ms,
                "second": i,
                "worst_ms": worst,
            }
            for i, worst in enumerate(dropped.worst_ms)
        ],
        "period_y": height * (1 - period_ms / top),
        "late_y": height * (1 - LATE * period_ms / top),
        "top_ms": top,
    }
