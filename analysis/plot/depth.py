"""The headline picture: how far observers agree at each depth, and the verdict."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..agreement.profile import DepthProfile
from ..agreement.verdict import DepthVerdict, Verdicts, verdicts
from ..trials.estimate import CannotTell, Estimate
from .style import GRAY, GREEN, ORANGE, PALE, STYLE, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLORS = {"differs": ORANGE, "alike": GREEN, "cannot be told": GRAY}
WIDTH = 3.75  # inches: as wide as a telephone, so that its text is not made smaller
ROW = 0.235  # inches a line
FURTHEST = (-0.25, 1.35)  # intervals beyond are cut, with an arrow
REASON = 24  # letters a line


def draw_depth(
    profiles: Sequence[DepthProfile], judged: Verdicts | None = None
) -> "Figure":
    """Draw depth profiles: three rows for each pair of observers, and the verdict.

    Dots are shares of the ceiling, thick lines their 95 % intervals, thin ones those
    that the verdict rests on, corrected over all shares. A depth that the data cannot
    tell well enough for a share has the reason instead.

    Parameters
    ----------
    judged
        The verdict; by default that of these profiles.

    Raises
    ------
    ValueError
        If there is no profile.
    """
    if not profiles:
        raise CannotTell("a plot must have a depth profile to draw, got none")
    from matplotlib.transforms import blended_transform_factory

    judged = verdicts(profiles) if judged is None else judged
    lines = [_lines(pair.reference_observer, pair.other_observer) for pair in judged]
    figure, pyplot = new_figure((WIDTH, 1.0))
    with pyplot.rc_context(STYLE):
        axis = figure.subplots()
    axis.set_xlim(*_limits(profiles, judged))
    ticks: dict[float, str] = {}
    y = 0.0
    for profile, pair, title in zip(profiles, judged, lines, strict=True):
        text = axis.text(
            *(0.02, y + (len(title) - 1) / 2, "\n".join(title)),
            transform=blended_transform_factory(figure.transFigure, axis.transData),
            **{"fontsize": 9, "fontweight": "bold", "va": "center"},
            bbox={"facecolor": "white", "lw": 0, "pad": 1},
        )
        text.set_in_layout(False)
        y += len(title)
        for depth, found in zip(profile.depths, pair.depths, strict=True):
            y += (height := _lines_of(found) * 0.35)
            ticks[y] = found.name
            _depth(axis, y, depth.share, found)
            y += 1 + height
        y += 0.6
    figure.set_size_inches(WIDTH, ROW * y + 0.95)
    axis.set_ylim(y - 0.8, -0.8)
    axis.set_yticks(list(ticks), list(ticks.values()), fontsize=8.5)
    axis.tick_params(axis="y", length=0, pad=8)
    axis.spines["left"].set_visible(False)
    _references(axis, judged)
    return figure


def _lines(reference: str, other: str) -> list[str]:
    """Write who is compared in lines that do not break a name."""
    title = f"{other} and {reference}"
    return textwrap.wrap(title, 44, break_long_words=False, break_on_hyphens=False)


def _references(axis: "Axes", judged: Verdicts) -> None:
    """Draw the ceiling and the margin, and name them above; say what lines are."""
    at = axis.get_xaxis_transform()
    axis.axvline(0, color=PALE, lw=0.7, zorder=0)
    for x, name, dashes, side in (
        (1.0, " 1: ceiling", "-", "left"),
        (judged.margin, f"margin {judged.margin:g} ", ":", "right"),
    ):
        axis.axvline(x, color=GRAY, lw=0.9, ls=dashes, zorder=0)
        axis.text(x, 1.0, name, transform=at, fontsize=7.5, ha=side, va="bottom")
    axis.set_xlabel("agreement, share of its ceiling", fontsize=8.5)
    axis.tick_params(axis="x", labelsize=8)
    said = "thick: 95 % interval"
    if judged.n_shares > 1:
        level = 100 * judged.level
        said += f"; thin: {level:.1f} %, corrected over {judged.n_shares} shares"
    axis.figure.supxlabel(said, fontsize=7.5)


def _depth(axis: "Axes", y: float, share: Estimate, found: DepthVerdict) -> None:
    color = COLORS[found.kind]
    axis.text(
        *(1.06, y, found.kind),
        transform=axis.get_yaxis_transform(),
        **{"fontsize": 8.5, "color": color, "va": "center", "fontweight": "bold"},
        zorder=5,
    )
    if found.reason is not None:
        axis.text(
            *(0.0, y, "\n".join(_reason(found))),
            transform=axis.get_yaxis_transform(),
            **{"fontsize": 7.5, "color": GRAY, "va": "center", "linespacing": 1.0},
            bbox={"facecolor": "white", "lw": 0, "pad": 1},
        )
        return
    for one, width in ((found.share, 1.0), (share, 3.0)):
        if one.low is not None and one.high is not None:
            _interval(axis, y, (one.low, one.high), color, width)
    low, high = axis.get_xlim()
    if share.value is not None and low <= share.value <= high:
        axis.plot([share.value], [y], "o", color=color, ms=5.5, mec="white", mew=0.7)


def _reason(found: DepthVerdict) -> list[str]:
    return textwrap.wrap(found.reason or "", REASON, break_long_words=False)


def _lines_of(found: DepthVerdict) -> int:
    """How many more lines than one a depth takes."""
    return max(len(_reason(found)) - 1, 0)


def _interval(
    axis: "Axes", y: float, ends: tuple[float, float], color: str, width: float
) -> None:
    """Draw an interval, with an arrow where it leaves the picture."""
    left, right = axis.get_xlim()
    inside = [min(max(end, left), right) for end in ends]
    axis.plot(inside, [y, y], color=color, lw=width, solid_capstyle="butt")
    for end, edge, marker in ((ends[0], left, "<"), (ends[1], right, ">")):
        is_beyond = end < edge if marker == "<" else end > edge
        if is_beyond:
            axis.plot([edge], [y], marker, color=color, ms=5, clip_on=False)


def _limits(profiles: Sequence[DepthProfile], judged: Verdicts) -> tuple[float, float]:
    """Room for every interval, always for 0 to 1, and never for wild ones."""
    shares = [depth.share for each in profiles for depth in each.depths]
    shares += [depth.share for pair in judged for depth in pair.depths]
    ends = [end for one in shares for end in (one.low, one.high) if end is not None]
    low, high = min([0.0, *ends]), max([1.0, *ends])
    return max(low - 0.03, FURTHEST[0]), min(high + 0.05, FURTHEST[1])
