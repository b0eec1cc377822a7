"""Estimates by three factors: a grid of panels, places along x, and colours."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..trials.estimate import Estimate
from .style import BLUE, GRAY, GREEN, ORANGE, PALE, STYLE, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLORS = (BLUE, ORANGE, GREEN, "#CC79A7")
MARKERS = ("o", "s", "^", "D")
_SPREAD = 0.6  # of the way between two places, that colours are spread over
Key = tuple[str, str, str, str]  # row, column, place, colour
Limits = tuple[float, float]


def draw_factors(
    found: Mapping[Key, Estimate],
    rows: Sequence[str],
    columns: Sequence[str],
    places: Sequence[str],
    colors: Sequence[str],
    beside: Mapping[tuple[str, str], Mapping[str, Estimate]] | None = None,
    label: str = "",
    limits: Limits | Mapping[str, Limits] = (-0.3, 1.3),
) -> "Figure":
    """Draw estimates with 95 % intervals, all panels, or each column, on one scale.

    Parameters
    ----------
    found
        By row, column, place and colour; what has no value is not drawn, and a panel
        in which none has one says that nothing can be told.
    rows, columns, places, colors
        In their order; four colours at most.
    beside
        By row and column, estimates by name, as lines across the panel.
    label
        Of the y axes.
    limits
        Of the y axes, or of those of each column; an interval that leaves them is cut,
        and an arrow at the edge stands for a value beyond it.
    """
    is_by_column = isinstance(limits, Mapping)
    size = 1.5 + 1.9 * len(columns), 1.6 + 1.55 * len(rows)
    figure, pyplot = new_figure(size)
    with pyplot.rc_context(STYLE):
        axes = figure.subplots(
            len(rows),
            len(columns),
            squeeze=False,
            sharex=True,
            sharey="col" if is_by_column else True,
        )
    handles = []
    for row, line in zip(rows, axes, strict=True):
        for column, axis in zip(columns, line, strict=True):
            lines = (beside or {}).get((row, column), {})
            ends = limits[column] if isinstance(limits, Mapping) else limits
            known, asked = _lines(axis, lines, ends), len(lines)
            handles = []
            for number, color in enumerate(colors):
                shift = (number - (len(colors) - 1) / 2) * _SPREAD / len(colors)
                drawn = [
                    (at + shift, found[row, column, place, color])
                    for at, place in enumerate(places)
                    if (row, column, place, color) in found
                ]
                asked += len(drawn)
                drawn = [each for each in drawn if each[1].value is not None]
                known += len(drawn)
                style = {"color": COLORS[number], "marker": MARKERS[number]}
                handles.append(_points(axis, drawn, style, ends))
            if asked and not known:
                middle = (len(places) - 1) / 2, sum(ends) / 2
                text = {"ha": "center", "va": "center", "color": GRAY, "fontsize": 8}
                axis.text(*middle, "cannot be told", **text)
            axis.set_ylim(*ends)
    for column, axis in zip(columns, axes[0], strict=True):
        axis.set_title(column, fontsize=9)
    for row, axis in zip(rows, axes[:, 0], strict=True):
        axis.set_ylabel(f"{row}\n{label}".strip(), fontsize=8.5)
    for axis in axes[-1]:
        turned = {"rotation": 35, "ha": "right", "rotation_mode": "anchor"}
        axis.set_xticks(range(len(places)), places, fontsize=8, **turned)
        axis.set_xlim(-0.6, len(places) - 0.4)
    below = {"loc": "outside lower center", "frameon": False, "fontsize": 8.5}
    figure.legend(handles, colors, ncols=len(colors), **below)
    return figure


def _lines(
    axis: "Axes", lines: Mapping[str, Estimate], limits: tuple[float, float]
) -> int:
    """Draw what stands beside, as dotted lines with their names at the right."""
    axis.axhline(1, color=GRAY, lw=0.8, zorder=0)
    axis.axhline(0, color=PALE, lw=0.7, zorder=0)
    known = 0
    for name, estimate in lines.items():
        if estimate.value is None:
            continue
        known += 1
        value = min(max(estimate.value, limits[0]), limits[1])
        axis.axhline(value, color=GRAY, lw=0.9, ls=":", zorder=1)
        where = {"transform": axis.get_yaxis_transform(), "fontsize": 6.5}
        axis.text(0.99, value, name, ha="right", va="bottom", color=GRAY, **where)
    return known


def _points(
    axis: "Axes",
    drawn: Sequence[tuple[float, Estimate]],
    style: Mapping[str, Any],
    limits: tuple[float, float],
) -> object:
    low, high = limits
    for x, each in drawn:
        ends = (each.value if end is None else end for end in (each.low, each.high))
        inside = [min(max(float(end or 0), low), high) for end in ends]
        axis.plot([x, x], inside, color=style["color"], lw=1.1)
    known = [(x, float(each.value or 0)) for x, each in drawn]
    for edge, marker, beyond in (
        (low, "v", [x for x, value in known if value < low]),
        (high, "^", [x for x, value in known if value > high]),
    ):
        at = {"color": style["color"], "marker": marker, "clip_on": False}
        if beyond:
            axis.plot(beyond, [edge] * len(beyond), ls="none", ms=5, mfc="none", **at)
    inside = [each for each in known if low <= each[1] <= high]
    places, values = zip(*inside, strict=True) if inside else ((), ())
    return axis.plot(places, values, ls="none", ms=4, **style)[0]
