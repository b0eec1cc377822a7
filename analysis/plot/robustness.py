"""Robustness curves: accuracy by attack or corruption, sensitivity of units by eps."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..robustness.curves import AttackCurve, CorruptionCurve
from ..robustness.units import UnitSensitivity
from ..trials.estimate import Estimate
from .style import BLUE, GRAY, GREEN, ORANGE, PALE, grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS = 5
_SYMBOL = {"linf": "L∞", "l2": "L2"}


def draw_attack(found: AttackCurve) -> "Figure":
    """Draw accuracy by eps, with the transferred attack where there is one."""
    figure, axes = grid(1, 1)
    axis = axes[0, 0]
    eps = [0.0, *(each.eps for each in found.points)]
    own = [found.clean, *(each.accuracy for each in found.points)]
    _line(axis, eps, own, BLUE, f"{found.steps} steps")
    moved = [(each.eps, each.transferred) for each in found.points]
    others = [(x, y) for x, y in moved if y is not None]
    if others:
        x, y = zip(*others, strict=True)
        label = f"from {found.transfer_from}"
        _line(axis, [0.0, *x], [found.clean, *y], ORANGE, label)
    axis.set_xlabel(f"eps, {_SYMBOL[found.norm]}, contrast")
    axis.set_ylabel("correct")
    axis.set_ylim(-0.02, 1.02)
    axis.legend(frameon=False, fontsize=7)
    axis.set_title(f"{found.observer}, {found.protocol}", fontsize=9)
    return figure


def draw_corruptions(found: CorruptionCurve) -> "Figure":
    """Draw a panel for each corruption, accuracy by severity."""
    names = list(dict.fromkeys(each.corruption for each in found.points))
    columns = min(_COLUMNS, len(names))
    figure, axes = grid(-(-len(names) // columns), columns)
    for axis, name in zip(axes.flat, names, strict=False):
        here = [each for each in found.points if each.corruption == name]
        x = [0.0, *(float(each.severity) for each in here)]
        _line(axis, x, [found.clean, *(each.accuracy for each in here)], BLUE, name)
        axis.set_title(name.replace("_", " "), fontsize=8)
        axis.set_ylim(-0.02, 1.02)
        axis.tick_params(labelsize=7)
    for axis in axes.flat[len(names) :]:
        axis.set_axis_off()
    for axis in axes[:, 0]:
        axis.set_ylabel("correct")
    axes[-1, 0].set_xlabel("severity")
    figure.suptitle(f"{found.observer}, {found.protocol}", fontsize=10)
    return figure


def draw_sensitivity(found: Sequence[UnitSensitivity]) -> "Figure":
    """Draw units' sensitivity by eps, and as a line what their own noise moves."""
    figure, axes = grid(1, 1)
    axis = axes[0, 0]
    for each, color in zip(found, (BLUE, GREEN, ORANGE), strict=False):
        eps = [point.eps for point in each.points]
        for point in each.points:
            at = np.full(len(point.units), point.eps)
            axis.plot(at, point.units, ".", color=color, ms=3, alpha=0.4)
        label = f"{each.observer}, {each.layer}"
        _line(axis, eps, [point.in_range for point in each.points], color, label)
        if each.noise.value is not None:
            axis.axhline(each.noise.value, color=color, lw=0.8, ls=":")
    axis.set_xlabel("eps, L2, contrast")
    axis.set_ylabel("change / range")
    axis.legend(frameon=False, fontsize=7)
    return figure


def _line(
    axis: "Axes",
    x: Sequence[float],
    estimates: Sequence[Estimate],
    color: str,
    label: str,
) -> None:
    """Draw estimates with their intervals, over the level of chance."""
    known = [(at, e) for at, e in zip(x, estimates, strict=True) if e.value is not None]
    at = [each for each, _ in known]
    y: Any = np.array([e.value for _, e in known], float)
    low = np.array([e.low for _, e in known], float)
    high = np.array([e.high for _, e in known], float)
    axis.axhline(0, color=PALE, lw=0.7, zorder=0)
    axis.errorbar(
        at,
        y,
        np.stack([y - low, high - y]),
        color=color,
        ecolor=GRAY,
        marker="o",
        ms=3,
        lw=1.2,
        elinewidth=0.7,
        label=label,
    )
