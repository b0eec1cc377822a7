"""The picture: each brain-like measure against what is shared with people."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...analysis.plot.style import STYLE, new_figure
from .seeing_outcome import KINDS, SeeingLink, SeeingMeans
from .seeing_set import FAMILIES, REGIMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS = {
    "v1": "V1 battery,\nmean ceiled score",
    "variance": "circular variance,\nsimilarity / ceiling",
    "cka": "CKA with a\nsimulated V1",
    "attacked": "correct\nunder attack",
    "complexity": "complexity",
    "texture": "texture probe,\ncorrect",
}
_ROWS = {
    "share_1": "first-order kernel",
    "share_2": "second-order kernel",
    "share_0": "responses",
}
_COLOURS = (
    *("#0072B2", "#D55E00", "#009E73", "#CC79A7"),
    *("#E69F00", "#56B4E9", "#000000", "#999999"),
)
_MARKERS = ("o", "s", "^", "D", "v")
_COLOUR_OF = dict(zip(FAMILIES, _COLOURS, strict=True))
_MARKER_OF = dict(zip(REGIMES, _MARKERS, strict=True))
_PANEL, _SIDE = 1.75, 1.9  # inches
_FEW = "cannot be told"


def draw_seeing(means: Sequence[SeeingMeans], links: Sequence[SeeingLink]) -> "Figure":
    """Draw a column for each brain-like measure and a row for each order."""
    columns = [name for name in _COLUMNS if _is_told(means, name)] or ["v1"]
    rows = [name for name in _ROWS if _is_told(means, name)] or ["share_1"]
    of = {(e.measure, e.share): e for e in links if e.over == KINDS}
    size = (_SIDE * len(columns) + 1.0, _PANEL * len(rows) + 1.5)
    figure, pyplot = new_figure(size)
    with pyplot.rc_context(STYLE):
        axes = figure.subplots(
            len(rows), len(columns), squeeze=False, sharex="col", sharey="row"
        )
        for share, line in zip(rows, axes, strict=True):
            for measure, axis in zip(columns, line, strict=True):
                _draw(axis, means, measure, share)
                axis.set_title(_title(of.get((measure, share))), fontsize=7.5)
            who = means[0].beside if means else "people"
            line[0].set_ylabel(f"{_ROWS[share]}:\nshare with {who}", fontsize=8)
        for measure, axis in zip(columns, axes[-1], strict=True):
            axis.set_xlabel(_COLUMNS[measure], fontsize=8)
        _legend(figure, means)
    return figure


def _is_told(means: Sequence[SeeingMeans], name: str) -> bool:
    return any(each.measures[name].value is not None for each in means)


def _draw(axis: "Axes", means: Sequence[SeeingMeans], measure: str, share: str) -> None:
    """Draw kinds as points, and a line through those of each family, in x's order."""
    for family in dict.fromkeys(each.family for each in means):
        some = [e for e in means if e.family == family and _has(e, measure, share)]
        some.sort(key=lambda each: each.measures[measure].value or 0.0)
        colour = _COLOUR_OF[family]
        points = [_place(each, measure, share) for each in some]
        xs, ys = ([point[k] for point in points] for k in (0, 1))
        axis.plot(xs, ys, color=colour, lw=0.7, alpha=0.45)
        for each, (x, y) in zip(some, points, strict=True):
            low, high = each.measures[share].low, each.measures[share].high
            if low is not None and high is not None:
                axis.plot([x, x], [low, high], color=colour, lw=0.6, alpha=0.35)
            marker = _MARKER_OF[each.regime]
            axis.plot(x, y, marker, color=colour, ms=4, mec="white", mew=0.4)
    axis.tick_params(labelsize=7)


def _has(each: SeeingMeans, measure: str, share: str) -> bool:
    return None not in (each.measures[measure].value, each.measures[share].value)


def _place(each: SeeingMeans, measure: str, share: str) -> tuple[float, float]:
    x, y = each.measures[measure].value, each.measures[share].value
    assert x is not None
    assert y is not None
    return float(x), float(y)


def _title(link: SeeingLink | None) -> str:
    """Say the correlation within families, with p and what is left of it."""
    if link is None or link.r.value is None:
        return f"r within: {_FEW}"
    holm = "" if math.isnan(link.p_holm) else f" (Holm {_p(link.p_holm)})"
    r = f"{link.r.value:.2f}".replace("-", "\N{MINUS SIGN}")
    return f"r within {r}\np {_p(link.p)}{holm}"


def _p(p: float) -> str:
    return "< .001" if p < 0.001 else f"= {p:.3f}".replace("0.", ".")


def _legend(figure: "Figure", means: Sequence[SeeingMeans]) -> None:
    from matplotlib.lines import Line2D

    families = dict.fromkeys(each.family for each in means)
    regimes = dict.fromkeys(each.regime for each in means)
    marks = [(n, "", _COLOUR_OF[n], "-") for n in families]
    marks += [(n, _MARKER_OF[n], "#555555", "") for n in regimes]
    handles = [
        Line2D([], [], marker=m, color=c, ls=ls, lw=3, ms=5, label=n)
        for n, m, c, ls in marks
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=6, fontsize=8)
