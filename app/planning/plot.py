"""A plan as a picture: what more trials give, aim by aim."""

import math
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...analysis.plot.style import BLUE, GRAY, GREEN, ORANGE, PALE, STYLE, new_figure
from ..figures import write_figure
from .check import Check
from .power import Aim, value_at, values_at
from .situation import Situation

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLES = {
    "kernel": ("Kernel", "cosine with the template"),
    "dprime": ("d′", "width of the 95 % interval"),
    "gamma": ("Internal noise γ", "width of the 95 % interval"),
    "eigenvalue": ("Second order", "eigenvalue / noise variance"),
}


def write_power_plot(
    path: Path, assumed: Situation, aims: Sequence[Aim], checks: Sequence[Check | None]
) -> None:
    """Write the picture, whole or not at all; .png, .svg or .pdf.

    Raises
    ------
    ValueError
        If the name ends otherwise.
    ModuleNotFoundError
        Without Matplotlib.
    """
    write_figure(path, power_figure(assumed, aims, checks))


def power_figure(
    assumed: Situation, aims: Sequence[Aim], checks: Sequence[Check | None]
) -> "Figure":
    """Draw each aim against the number of trials, with the plan and the simulation."""
    columns = min(len(aims), 2)
    rows = math.ceil(len(aims) / columns)
    figure, matplotlib = new_figure((4.2 * columns, 0.9 + 2.6 * rows))
    with matplotlib.rc_context(STYLE):
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis, aim, found in zip(panels, aims, checks, strict=False):
        _panel(axis, assumed, aim, found)
    for axis in panels[len(aims) :]:
        axis.set_axis_off()
    named = {}
    for axis in panels:
        handles, labels = axis.get_legend_handles_labels()
        named |= dict(zip(labels, handles, strict=True))
    if named:
        figure.legend(
            list(named.values()),
            list(named),
            loc="outside lower center",
            ncols=3,
            frameon=False,
            fontsize=8,
        )
    figure.suptitle(_title(assumed), fontsize=10)
    return figure


def _title(assumed: Situation) -> str:
    low, high = min(assumed.proportions), max(assumed.proportions)
    correct = f"{low:.0%}" if low == high else f"{low:.0%} to {high:.0%}"
    observer = f"γ = {assumed.gamma:.3g}"
    observer += f", template efficiency {assumed.efficiency:.3g}"
    return f"{assumed.protocol.name}: {observer}, {correct} correct"


def _panel(axis: "Axes", assumed: Situation, aim: Aim, found: Check | None) -> None:
    title, quantity = TITLES[aim.name]
    if aim.n_trials is None:
        axis.set_title(title, fontsize=10)
        axis.set_axis_off()
        text = textwrap.fill(aim.note or "", 44)
        axis.text(0.5, 0.5, text, ha="center", va="center", transform=axis.transAxes)
        return
    title = f"{title}: {aim.n_trials:,} trials for {aim.wanted:g}"
    axis.set_title(title, fontsize=10)
    axis.set(xscale="log", xlabel="main trials", ylabel=quantity)
    _curves(axis, assumed, aim)
    _points(axis, assumed, aim)
    if found is not None:
        _simulated(axis, found)
    _limits(axis, assumed, aim)


def _curves(axis: "Axes", assumed: Situation, aim: Aim) -> None:
    """The closed form, over a range that holds the protocol and the aim."""
    trials = np.geomspace(*_range(assumed, aim), 60)
    axis.axhline(aim.wanted, color=PALE, lw=0.9, zorder=0)

    def values(assurance: float, more: float = 1.0) -> list[float]:
        found = values_at(aim, assumed, (more * trials).tolist(), assurance)
        return [_finite(value) for value in found]

    label = f"reached by {aim.assurance:.0%} of sessions"
    if aim.n_if_true is not None:
        label += ",\nthe pilot being the truth"
    axis.plot(trials, values(aim.assurance), color=BLUE, lw=1.6, label=label)
    half = values(0.5)
    axis.plot(trials, half, color=BLUE, lw=1, ls=":", label="by half of them")
    if aim.n_fitted is not None and aim.needed is not None:
        fitted = values(aim.assurance, aim.needed / aim.n_fitted)
        label = "fitted kernel, at best"
        axis.plot(trials, fitted, color=GREEN, lw=1.4, ls="--", label=label)


def _points(axis: "Axes", assumed: Situation, aim: Aim) -> None:
    """What reaches the aim, and what the protocol gives as it is."""
    assert aim.n_trials is not None  # or there is no picture
    ring = {"mfc": "white", "mec": BLUE, "mew": 1.5, "ms": 10, "zorder": 3}
    label = "what reaches the aim"
    if aim.n_if_true is not None:
        label += ",\nallowing for the pilot's errors"
    axis.plot([aim.n_trials], [aim.wanted], "o", label=label, **ring)
    if aim.at_plan is not None and math.isfinite(aim.at_plan):
        label = f"{assumed.protocol.name} as it is"
        place = ([assumed.n_trials], [aim.at_plan])
        axis.plot(*place, "D", color=GRAY, ms=6, zorder=3, label=label)


def _simulated(axis: "Axes", found: Check) -> None:
    if found.median is None or not math.isfinite(found.median):
        return
    axis.errorbar(
        [found.n_trials],
        [found.median],
        yerr=found.sd,
        fmt="s",
        color=ORANGE,
        ms=4.5,
        capsize=2,
        zorder=4,
        label="simulated sessions: median, SD",
    )
    if found.false_alarms is not None:
        axis.annotate(
            "largest eigenvalue of one who has it,\n"
            f"beyond chance in {found.reached:.0%} of sessions",
            (found.n_trials, found.median + (found.sd or 0)),
            (0, 6),
            textcoords="offset points",
            ha="center",
            fontsize=7.5,
        )


def _limits(axis: "Axes", assumed: Situation, aim: Aim) -> None:
    """Room for every point, and ticks at 1, 2 and 5 times the powers of ten."""
    from matplotlib.ticker import LogLocator, NullLocator

    first, last = _range(assumed, aim)
    if aim.name == "kernel":
        lowest = _finite(value_at(aim, assumed, first))
        axis.set_ylim(max(0, math.floor(10 * lowest - 1) / 10), 1.01)
    else:
        axis.set_ylim(0, np.nanmax([2.5 * aim.wanted, 1.15 * _finite(aim.at_plan)]))
    axis.set_xlim(first, last)
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(lambda x, _: f"{x:,.0f}")


def _range(assumed: Situation, aim: Aim) -> tuple[float, float]:
    assert aim.n_trials is not None  # or there is no picture
    ends = (aim.n_trials, assumed.n_trials)
    return min(ends) / 2.2, max(ends) * 2.2


def _finite(value: float | None) -> float:
    return value if value is not None and math.isfinite(value) else math.nan
