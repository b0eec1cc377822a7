"""How close several observers come to people: a row each, a panel for each order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..trials.estimate import CannotTell, Estimate
from .style import BLUE, GRAY, GREEN, ORANGE, PALE, STYLE, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLES = ("Responses", "First-order kernel", "Second-order kernel")
COLORS = {"observer": BLUE, "reference": GRAY, "people": GREEN}
WIDTH, ROW = 9.0, 0.36  # inches; of all, and of a row
EDGES = (-0.15, 1.25)  # what lies beyond is cut, with an arrow
_SPREAD = 0.5  # of a row, that the people of an observer are spread over


@dataclass(frozen=True)
class ShareRow:
    """An observer, or two people, in the picture.

    Attributes
    ----------
    name
        What stands at the left.
    kind
        'observer', 'reference' or 'people'.
    people
        Shares of the ceiling by order, for each person.
    mean
        Their means; None where there is a single person.
    """

    name: str
    kind: str
    people: Sequence[Sequence[Estimate]]
    mean: Sequence[Estimate] | None = None


def draw_shares(rows: Sequence[ShareRow], title: str = "") -> "Figure":
    """Draw shares of the ceiling with their 95 % intervals.

    Parameters
    ----------
    rows
        From top to bottom.
    title
        Above all.

    Raises
    ------
    ValueError
        If there is no row.
    """
    if not rows:
        raise CannotTell("a picture of shares must have a row or more, got none")
    heights = [_height(row) for row in rows]
    figure, pyplot = new_figure((WIDTH, 1.1 + ROW * sum(heights)))
    with pyplot.rc_context(STYLE):
        axes = figure.subplots(1, len(TITLES), sharey=True)
    for order, (axis, name) in enumerate(zip(axes, TITLES, strict=True)):
        axis.set_title(name, fontsize=10)
        axis.axvline(1, color=GRAY, lw=0.9, zorder=0)
        axis.axvline(0, color=PALE, lw=0.7, zorder=0)
        axis.set_xlim(*EDGES)
        axis.set_xlabel("share of the ceiling", fontsize=8.5)
        axis.tick_params(axis="y", length=0)
        top = 0.0
        for row, height in zip(rows, heights, strict=True):
            _draw(axis, top + height / 2, height, row, order)
            top += height
            axis.axhline(top, color=PALE, lw=0.5, zorder=0)
    top, ticks = 0.0, {}
    for row, height in zip(rows, heights, strict=True):
        ticks[top + height / 2] = row.name
        top += height
    axes[0].set_ylim(top, 0)
    axes[0].set_yticks(list(ticks), list(ticks.values()), fontsize=9)
    for label, row in zip(axes[0].get_yticklabels(), rows, strict=True):
        label.set_color(COLORS[row.kind])
    if title:
        figure.suptitle(title, fontsize=11, fontweight="bold")
    return figure


def _height(row: ShareRow) -> float:
    """Give how many rows high an observer is: more people need more room."""
    return 1.0 + 0.22 * max(len(row.people) - 1, 0)


def _draw(axis: "Axes", y: float, height: float, row: ShareRow, order: int) -> None:
    color = COLORS[row.kind]
    n = len(row.people)
    known = 0
    for number, shares in enumerate(row.people):
        share = shares[order]
        at = y + (number - (n - 1) / 2) * _SPREAD * height / max(n, 1)
        known += _interval(axis, at, share, color, 1.2, {"marker": "o", "ms": 4})
    if row.mean is not None:
        mean = {"marker": "D", "ms": 6.5, "mec": "white", "zorder": 5}
        _interval(axis, y, row.mean[order], ORANGE, 2.0, mean)
    if not known:
        axis.text(0.5, y, "cannot be told", fontsize=7.5, color=GRAY, **_CENTRE)


_CENTRE: dict[str, Any] = {"va": "center", "ha": "center"}


def _interval(
    axis: "Axes", y: float, share: Estimate, color: str, width: float, style: dict
) -> bool:
    """Draw a share, if it has a value; an interval that leaves the picture is cut."""
    if share.value is None:
        return False
    low, high = (share.value if end is None else end for end in (share.low, share.high))
    left, right = EDGES
    inside = (min(max(end, left), right) for end in (low, high))
    axis.plot([*inside], [y, y], color=color, lw=width, solid_capstyle="butt")
    for is_beyond, edge, marker in (
        (low < left, left, "<"),
        (high > right, right, ">"),
    ):
        if is_beyond:
            axis.plot([edge], [y], marker, color=color, ms=4, clip_on=False)
    if left <= share.value <= right:
        axis.plot([share.value], [y], color=color, ls="none", **style)
    return True
