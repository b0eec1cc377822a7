"""The headline picture: how far observers agree at each depth."""

import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..agreement.profile import Depth, DepthProfile
from ..trials.estimate import CannotTell, Estimate
from .style import BLUE, GRAY, GREEN, ORANGE, PALE, STYLE, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FOUND = "correlation as found"
COLORS = (GRAY, BLUE, ORANGE)


def draw_depth(profiles: Sequence[DepthProfile]) -> "Figure":
    """Draw depth profiles: a panel for each pair of observers.

    Bars are shares of the ceiling with 95 % intervals; a tick within a bar is the
    correlation as found, and a dotted one its ceiling. A depth that the data cannot
    tell, or not well enough for a share, has the reason instead, and no bar.

    Raises
    ------
    ValueError
        If there is no profile.
    """
    if not profiles:
        raise CannotTell("a plot must have a depth profile to draw, got none")
    figure, pyplot = new_figure((2.1 + 2.5 * len(profiles), 3.4))
    with pyplot.rc_context(STYLE):
        axes = figure.subplots(1, len(profiles), squeeze=False, sharey=True)[0]
    for axis, profile in zip(axes, profiles, strict=True):
        _profile(axis, profile)
    axes[0].set_ylabel("agreement, share of its ceiling")
    axes[0].set_ylim(*_limits(profiles))
    named: dict[str, Any] = {}
    for axis in axes:
        handles, labels = axis.get_legend_handles_labels()
        named |= dict(zip(labels, handles, strict=True))
    axes[-1].legend(
        list(named.values()),
        list(named),
        frameon=False,
        fontsize=7,
        loc="center left",
        bbox_to_anchor=(1, 0.5),
    )
    return figure


def _profile(axis: "Axes", profile: DepthProfile) -> None:
    axis.axhline(0, color=PALE, lw=0.7, zorder=0)
    axis.axhline(1, color=GRAY, lw=0.9, ls="--", zorder=0, label="ceiling")
    for depth, color in zip(profile.depths, COLORS, strict=True):
        if depth.share.value is None:
            _reason(axis, depth.order, profile.reason(depth), color)
        else:
            _bar(axis, depth, color)
    title = f"{profile.other_observer} and {profile.reference_observer}"
    lines = textwrap.wrap(title, 20, break_long_words=False)
    axis.set_title("\n".join(lines), fontsize=9 if max(map(len, lines)) <= 20 else 7)
    names = ["0\nresponses", "1\nkernel", "2\nsecond\norder"]
    axis.set_xticks(range(3), names, fontsize=7.5)  # in 9 pt they touch
    axis.set_xlim(-0.6, 2.6)
    dprimes = (profile.other_dprime, profile.reference_dprime)
    shown = " and ".join(
        "–" if e.value is None else f"{e.value:.2f}".replace("-0.00", "0.00")
        for e in dprimes
    )
    axis.set_xlabel(f"d′ {shown}", fontsize=8)


def _bar(axis: "Axes", depth: Depth, color: str) -> None:
    x, share = depth.order, depth.share
    assert share.value is not None
    axis.bar([x], [share.value], width=0.62, color=color, alpha=0.85)
    low, high = _ends(share)
    axis.plot([x, x], [low, high], color="black", lw=1.1)
    if depth.correlation.value is not None:
        y = depth.correlation.value
        axis.plot([x - 0.31, x + 0.31], [y, y], color="black", lw=1.6, label=FOUND)
    if depth.ceiling.value is not None:
        y = depth.ceiling.value
        axis.plot(
            [x - 0.31, x + 0.31],
            [y, y],
            color=GREEN,
            lw=1.6,
            ls=":",
            label="its ceiling",
        )


def _reason(axis: "Axes", x: float, note: str, color: str) -> None:
    """Write why there is no share, upwards from where its bar would stand."""
    n_lines = math.ceil(len(note) / 34)
    width = len(note) // n_lines + 7
    lines = textwrap.wrap(note, width, max_lines=4, placeholder=" ...")
    axis.text(
        x,
        0.04,
        "\n".join(lines),
        rotation=90,
        ha="center",
        va="bottom",
        fontsize=6.5,
        color=color,
        linespacing=1.15,
    )


def _ends(share: Estimate) -> tuple[float, float]:
    assert share.value is not None
    low = share.value if share.low is None else share.low
    high = share.value if share.high is None else share.high
    return low, high


def _limits(profiles: Sequence[DepthProfile]) -> tuple[float, float]:
    """Room for every interval, and always 0 to 1; wild ones are cut at -1 and 2."""
    ends = [
        end
        for profile in profiles
        for depth in profile.depths
        if depth.share.value is not None
        for end in _ends(depth.share)
    ]
    low, high = min([0.0, *ends]), max([1.0, *ends])
    return float(np.clip(low, -1, 0)) - 0.03, float(np.clip(high, 1, 2)) + 0.08
