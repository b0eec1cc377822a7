"""The picture of fronts: what each shares with each circuit, as numbers on colours."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...analysis.plot.style import PALE, STYLE, new_figure
from .learned_outcome import FrontShares

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ORDERS = ("responses", "first-order kernel", "second-order kernel")
_NAMES = {"none": "no front", "retina": "fixed retina"}
_CELL = 0.46, 0.24  # inches
_MAP = "PuOr"  # orange is nothing in common, or less; purple all


def draw_front_shares(shares: Sequence[FrontShares]) -> "Figure":
    """Draw shares: rows of panels are tasks, columns orders; fronts by circuits."""
    tasks = list(dict.fromkeys(each.task for each in shares))
    circuits = list(dict.fromkeys(each.circuit for each in shares))
    fronts = {
        task: sorted(
            dict.fromkeys((e.front, e.is_network) for e in shares if e.task == task),
            key=lambda front: not front[1],
        )
        for task in tasks
    }
    heights = [len(fronts[task]) for task in tasks] or [1]
    size = (
        2.4 + 3 * _CELL[0] * max(len(circuits), 1),
        0.9 + sum(0.5 + _CELL[1] * n for n in heights),
    )
    figure, pyplot = new_figure(size)
    found = {(e.task, e.front, e.circuit, e.order): e.share.value for e in shares}
    with pyplot.rc_context(STYLE):
        axes = figure.subplots(
            max(len(tasks), 1), 3, squeeze=False, height_ratios=heights, sharey="row"
        )
        for task, line in zip(tasks, axes, strict=False):
            names = [name for name, _ in fronts[task]]
            n_networks = sum(is_network for _, is_network in fronts[task])
            for order, axis in enumerate(line):
                values = [
                    [found.get((task, name, circuit, order)) for circuit in circuits]
                    for name in names
                ]
                _draw(axis, values, n_networks)
                axis.set_xticks(range(len(circuits)), circuits, rotation=40, ha="right")
                axis.set_yticks(range(len(names)), [_NAMES.get(n, n) for n in names])
                axis.tick_params(length=0, labelsize=8)
                axis.set_title(_ORDERS[order] if task == tasks[0] else "", fontsize=9)
            line[0].set_ylabel(task, fontsize=9, fontweight="bold")
    figure.supxlabel("share of the ceiling, mean over seeds; – cannot be told", size=9)
    return figure


def _draw(axis: "Axes", values: list[list[float | None]], n_networks: int) -> None:
    """Draw one panel; a line parts networks from the references below them."""
    numbers = np.array(
        [[np.nan if v is None else v for v in row] for row in values], float
    )
    axis.set_facecolor(PALE)
    axis.imshow(numbers, cmap=_MAP, vmin=-0.2, vmax=1.2, aspect="auto")
    text: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 7.5}
    for y, row in enumerate(values):
        for x, value in enumerate(row):
            is_dark = value is not None and not 0.15 < value < 0.85
            said = "–" if value is None else f"{value:.2f}".replace("-", "−")
            axis.text(x, y, said, color="white" if is_dark else "black", **text)
    if 0 < n_networks < len(values):
        axis.axhline(n_networks - 0.5, color="white", lw=3)
