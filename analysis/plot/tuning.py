"""Distributions of the V1 battery's properties: of units, over those of cells."""

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from ..tuning.battery import PropertyScore, V1Battery
from .style import BLUE, GRAY, NAME, PALE, grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS = 5


def v1(found: V1Battery) -> "Figure":
    """Plot the distributions of the V1 battery's properties.

    Parameters
    ----------
    found
        What `yoked.v1_battery` gave.

    Returns
    -------
    Figure
        A panel for each property: cells filled, units as a line, medians dotted; above
        it the similarity over its ceiling.
    """
    scores = found.properties
    columns = min(_COLUMNS, len(scores))
    figure, axes = grid(-(-len(scores) // columns), columns)
    for axis, score in zip(axes.flat, scores, strict=False):
        _panel(axis, score)
    for axis in axes.flat[len(scores) :]:
        axis.set_axis_off()
    for axis in axes[:, 0]:
        axis.set_ylabel("share")
    axes.flat[0].legend(frameon=False, fontsize=7, loc="best")
    mean = found.mean.value
    told = "" if mean is None else f": {mean:.2f} of the ceiling on average"
    n = f"{found.n_units} units"
    figure.suptitle(f"{found.observer}, {found.layer} ({n}){told}", fontsize=11)
    return figure


def _panel(axis: "Axes", score: PropertyScore) -> None:
    """Draw one property; its title has the ceiled similarity."""
    edges = np.array(score.bins)
    axis.stairs(_shares(score.cells), edges, fill=True, color=PALE, label="cells")
    axis.stairs(_shares(score.units), edges, color=BLUE, lw=1.6, label="units")
    for value, color in ((score.median_of_cells, GRAY), (score.median, BLUE)):
        if np.isfinite(value):
            axis.axvline(value, color=color, lw=0.8, ls=":")
    if edges[0] > 0 and not np.allclose(np.diff(edges), np.diff(edges)[0]):
        axis.set_xscale("log")
    ceiled = score.ceiled.value
    told = "no unit has it" if ceiled is None else f"{ceiled:.2f} of the ceiling"
    axis.set_title(f"{textwrap.fill(score.title, NAME)}\n{told}", fontsize=8)
    axis.set_xlim(edges[0], edges[-1])
    axis.tick_params(labelsize=7)


def _shares(counts: tuple[int, ...]) -> Any:
    values = np.array(counts, float)
    return values / max(values.sum(), 1)
