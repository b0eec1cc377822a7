"""Pictures of a figure: shares of surrogates, and kernels of two kinds."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...analysis.plot.factors import draw_factors
from ...analysis.plot.style import BLUE, ORANGE, PALE, STYLE, new_figure
from ...analysis.trials.estimate import Z95
from .boxes import Box
from .outcome import Shares
from .surrogates import FRONTS, GOALS, POSITIONS, SURROGATES, TWIN

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ORDERS = ("responses", "first order", "second order")
NAMES = {
    "none": "no front",
    "retina": "retina",
    "linear-retina": "retina, no rectification",
    "vone-block": "VOneBlock",
}


def draw_shares_of_surrogates(shares: Sequence[Shares]) -> "Figure":
    """Draw part A: rows are surrogates, columns orders with the position (un)known."""
    columns = [f"{order},\nposition {p}" for order in ORDERS for p in POSITIONS]
    found, beside = {}, {}
    for each in shares:
        column = f"{ORDERS[each.order]},\nposition {each.position}"
        if each.front is None:
            lines = beside.setdefault((each.surrogate, column), {})
            lines[each.goal] = each.share
        else:
            key = each.surrogate, column, each.goal, NAMES[each.front]
            found[key] = each.share
    return draw_factors(
        found,
        list(SURROGATES),
        columns,
        GOALS,
        [NAMES[front] for front in FRONTS],
        beside,
        "share of the ceiling",
    )


def draw_boxes(boxes: Sequence[Box]) -> "Figure":
    """Draw first-order kernels of part C: gradients as lines, responses as dots."""
    goals = [TWIN, *GOALS]
    known = {(b.surrogate, b.goal): b for b in boxes if b.order == 1 and _is_drawn(b)}
    size = 0.8 + 1.75 * len(goals), 0.8 + 1.45 * len(SURROGATES)
    figure, pyplot = new_figure(size)
    with pyplot.rc_context(STYLE):
        axes = figure.subplots(
            len(SURROGATES), len(goals), squeeze=False, sharex=True, sharey="row"
        )
    lines = []
    for surrogate, row in zip(SURROGATES, axes, strict=True):
        for goal, axis in zip(goals, row, strict=True):
            axis.axhline(0, color=PALE, lw=0.7, zorder=0)
            box = known.get((surrogate, goal))
            if box is None:
                continue
            x = np.arange(box.white.size) - (box.white.size - 1) / 2
            reach = Z95 * box.black_se
            dots = axis.errorbar(
                x, box.black, reach, fmt="o", ms=2.6, lw=0.9, color=ORANGE
            )
            lines = [axis.plot(x, box.white, color=BLUE, lw=1.4)[0], dots]
            axis.text(0.03, 0.9, _said(box), transform=axis.transAxes, fontsize=7)
        row[0].set_ylabel(surrogate, fontsize=9)
    for goal, axis in zip(goals, axes[0], strict=True):
        axis.set_title("the surrogate" if goal == TWIN else goal, fontsize=9)
    for axis in axes[-1]:
        axis.set_xlabel("element (0 = middle)", fontsize=8)
    if lines:
        below = {"loc": "outside lower center", "frameon": False, "fontsize": 8.5}
        names = ["from gradients", "from responses, 95 %"]
        figure.legend(lines, names, ncols=2, **below)
    return figure


def _is_drawn(box: Box) -> bool:
    return box.front == "none"


def _said(box: Box) -> str:
    return "" if box.share is None else f"{box.share:.2f} of the ceiling"
