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

_FACTORS = ("surrogate", "position", "goal", "front")
ORDERS = ("responses", "first order", "second order")
NAMES = {
    "none": "no front",
    "retina": "retina",
    "linear-retina": "retina, no rectification",
    "vone-block": "VOneBlock",
}


def draw_shares_of_surrogates(shares: Sequence[Shares]) -> "Figure":
    """Draw part A: rows are surrogates, columns orders with the position (un)known."""
    there = {name: {getattr(s, name) for s in shares} for name in _FACTORS}
    columns = [
        f"{order},\nposition {position}"
        for order in ORDERS
        for position in POSITIONS
        if position in there["position"]
    ]
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
        [name for name in SURROGATES if name in there["surrogate"]],
        columns,
        [goal for goal in GOALS if goal in there["goal"]],
        [NAMES[front] for front in FRONTS if front in there["front"]],
        beside,
        "share of the ceiling",
    )


def draw_boxes(boxes: Sequence[Box]) -> "Figure":
    """Draw first-order kernels of part C: gradients as lines, responses as dots."""
    known = {(b.surrogate, b.goal): b for b in boxes if b.order == 1 and _is_drawn(b)}
    goals = [goal for goal in (TWIN, *GOALS) if any(goal == g for _, g in known)]
    names = [name for name in SURROGATES if any(name == s for s, _ in known)]
    size = 0.8 + 1.75 * max(len(goals), 1), 0.8 + 1.45 * max(len(names), 1)
    figure, pyplot = new_figure(size)
    if not known:
        figure.text(0.5, 0.5, "nothing was measured", ha="center")
        return figure
    with pyplot.rc_context(STYLE):
        axes = figure.subplots(
            len(names), len(goals), squeeze=False, sharex=True, sharey="row"
        )
    lines = []
    for surrogate, row in zip(names, axes, strict=True):
        for goal, axis in zip(goals, row, strict=True):
            axis.axhline(0, color=PALE, lw=0.7, zorder=0)
            box = known.get((surrogate, goal))
            if box is None:
                continue
            n = box.white.kernel.size
            x, reach = np.arange(n) - (n - 1) / 2, Z95 * box.black.se
            style = {"fmt": "o", "ms": 2.6, "lw": 0.9, "color": ORANGE}
            dots = axis.errorbar(x, box.black.kernel, reach, **style)
            lines = [axis.plot(x, box.white.kernel, color=BLUE, lw=1.4)[0], dots]
            axis.text(0.03, 0.9, _said(box), transform=axis.transAxes, fontsize=7)
        row[0].set_ylabel(surrogate, fontsize=9)
        for axis in row:
            axis.margins(y=0.25)  # room for what is said above the kernels
    for goal, axis in zip(goals, axes[0], strict=True):
        axis.set_title("the surrogate" if goal == TWIN else goal, fontsize=9)
    for axis in axes[-1]:
        axis.set_xlabel("element (0 = middle)", fontsize=8)
    below = {"loc": "outside lower center", "frameon": False, "fontsize": 8.5}
    figure.legend(lines, ["from gradients", "from responses, 95 %"], ncols=2, **below)
    return figure


def _is_drawn(box: Box) -> bool:
    return box.front in ("none", None)


def _said(box: Box) -> str:
    share = box.share.value
    return "" if share is None else f"{share:.2f} of the ceiling"
