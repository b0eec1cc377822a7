"""The picture of regimes: each one's own measure, beside its baseline and controls."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...analysis.plot.style import STYLE, new_figure
from .regime_outcome import RegimeEffect

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS = 2
_ROW, _PANEL = 0.24, 0.95  # inches
# Of each role the colour of its dot, and whether it is filled.
_ROLES = {"baseline": ("#555555", True), "regime": ("#0072B2", True)}
_CONTROL = ("#D55E00", False)


def draw_effects(effects: Sequence[RegimeEffect]) -> "Figure":
    """Draw a panel for each regime: means over seeds with their intervals."""
    names = list(dict.fromkeys(each.regime for each in effects)) or [""]
    lines = [names[k : k + _COLUMNS] for k in range(0, len(names), _COLUMNS)]
    rows = {name: [e for e in effects if e.regime == name] for name in names}
    heights = [max(len(rows[name]) for name in line) or 1 for line in lines]
    size = (8.4, sum(_PANEL + _ROW * n for n in heights) + 0.3)
    figure, pyplot = new_figure(size)
    with pyplot.rc_context(STYLE):
        ratios = [_PANEL + _ROW * n for n in heights]
        axes = figure.subplots(
            len(lines), _COLUMNS, squeeze=False, height_ratios=ratios
        )
        for line, places in zip(lines, axes, strict=True):
            for name, axis in zip(line, places, strict=False):
                _draw(axis, name, rows[name])
            for axis in places[len(line) :]:
                axis.set_visible(False)
        _legend(figure)
    return figure


def _draw(axis: "Axes", name: str, rows: Sequence[RegimeEffect]) -> None:
    """Draw one regime: the baseline on top, a line at its mean."""
    for y, row in enumerate(rows):
        colour, is_filled = _ROLES.get(row.role, _CONTROL)
        mean = row.mean
        if mean.value is None:
            axis.text(0.02, y, "cannot be told", va="center", fontsize=7)
            continue
        if row.role == "baseline":
            axis.axvline(mean.value, color="#BBBBBB", lw=1, zorder=0)
        if mean.low is not None and mean.high is not None:
            axis.plot([mean.low, mean.high], [y, y], color=colour, lw=1.6)
        face = colour if is_filled else "white"
        axis.plot(mean.value, y, "o", ms=5.5, color=colour, mfc=face)
    axis.set_yticks(range(len(rows)), [row.network for row in rows], fontsize=8)
    axis.set_ylim(len(rows) - 0.4, -0.6)
    axis.set_xlabel(rows[0].measure if rows else "", fontsize=8)
    axis.tick_params(axis="x", labelsize=8)
    axis.set_title(name, fontsize=9, fontweight="bold", loc="left")


def _legend(figure: "Figure") -> None:
    from matplotlib.lines import Line2D

    marks = [*_ROLES.items(), ("control", _CONTROL)]
    handles = [
        Line2D([], [], marker="o", lw=1.6, color=c, mfc=c if fill else "white", label=n)
        for n, (c, fill) in marks
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=8)
