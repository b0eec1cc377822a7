"""Plots: kernels on a common scale, measures with intervals, agreement with ceilings.

Every function returns a matplotlib figure; `figure.savefig("kernels.svg")` writes it.
Colours are those of Okabe & Ito, told apart with any colour vision.

Examples
--------
>>> import yoked
>>> protocol = yoked.load_protocol("bar-in-noise")
>>> template = yoked.load_observer("template")
>>> session = yoked.run(protocol, template, seed=1, trials=300, contrast=0.227)
>>> figure = yoked.plot.kernels([session])
>>> [axis.get_title() for axis in figure.axes]
['template', '']
"""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from ..experiments.signal import signal_template
from .agreement import Comparison
from .choices import SessionLike
from .estimate import Estimate
from .kernels import Kernel, session_kernel
from .summary import SessionSummary

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, GRAY = "#0072B2", "#D55E00", "#009E73", "#767676"
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "yoked",
    "font.family": "sans-serif",
    "font.sans-serif": ["Helvetica", "Arial", "DejaVu Sans"],
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.linewidth": 0.7,
}
_PANEL = 2.3  # inches


@dataclass(frozen=True, eq=False)
class Panel:
    """One observer's kernel, and the signal that it may be like."""

    label: str
    kernel: Kernel
    template: Float[np.ndarray, " frame row column"]


def kernels(sessions: Sequence[SessionLike], order: int = 1) -> "Figure":
    """Plot the kernels of observers of the same stimuli beside each other.

    Parameters
    ----------
    sessions
        All with the same stimulus hash.
    order
        1, the first-order kernel.

    Returns
    -------
    Figure
        Bars as lines with bands of one standard error; fields as pictures. One scale.

    Raises
    ------
    ValueError
        If there is no session, the stimuli differ, or the order is not 1.
    """
    if order != 1:
        raise ValueError(f"order must be 1, got {order}")
    hashes = {session.protocol.stimulus_hash for session in sessions}
    if len(hashes) != 1:
        raise ValueError(f"sessions must share their stimuli, got {len(hashes)} kinds")
    return kernel_figure([panel(session) for session in sessions])


def panel(session: SessionLike) -> Panel:
    """Estimate the kernel of a session, labelled with its observer."""
    signal = session.protocol.signal
    sign = np.sign(signal.gains[1] - signal.gains[0])
    template = sign * signal_template(session.protocol)
    return Panel(session.observer, session_kernel(session), template)


def kernel_figure(panels: Sequence[Panel]) -> "Figure":
    """Plot kernels above their two halves; arguments as `Panel` describes."""
    is_bars = panels[0].kernel.kernel.shape[:2] == (1, 1)
    rows = 2 if is_bars else 3
    figure, axes = _grid(rows, len(panels))
    if is_bars:
        _draw_bars(axes, panels)
    else:
        _draw_pictures(figure, axes, panels)
    for axis, each in zip(axes[0], panels, strict=True):
        axis.set_title("\n".join(textwrap.wrap(each.label, 18)))
    return figure


def _grid(rows: int, columns: int) -> tuple["Figure", Any]:
    figure, pyplot = _figure((0.8 + _PANEL * columns, 0.4 + 0.85 * _PANEL * rows))
    with pyplot.rc_context(_STYLE):
        axes = figure.subplots(rows, columns, squeeze=False)
    return figure, axes


def _figure(size: tuple[float, float]) -> tuple["Figure", Any]:
    """Make a figure that no global state keeps alive."""
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        message = 'plots need matplotlib: pip install "yoked[plot]"'
        raise ModuleNotFoundError(message, name=error.name) from error
    with matplotlib.rc_context(_STYLE):
        return Figure(figsize=size, layout="constrained"), matplotlib


def _draw_bars(axes: Any, panels: Sequence[Panel]) -> None:
    """Draw kernels of bars as lines over position, halves below."""
    for column, each in enumerate(panels):
        top, bottom = axes[0][column], axes[1][column]
        x = np.arange(each.kernel.kernel.size) - (each.kernel.kernel.size - 1) / 2
        _band(top, x, each.kernel.kernel, each.kernel.se, BLUE, "kernel")
        scaled = _fitted(each)
        top.plot(x, scaled, color=GRAY, lw=1, ls="--", label="signal, fitted")
        halves = each.kernel
        _band(bottom, x, halves.target_half, halves.target_half_se, ORANGE, "target")
        _band(
            bottom, x, halves.nontarget_half, halves.nontarget_half_se, GREEN, "other"
        )
        bottom.set_xlabel("bar (0 = middle)")
    for row, name in zip(axes, ("kernel", "its halves"), strict=True):
        _share_limits(row)
        row[0].set_ylabel(f"{name}\n(contrast)")
        row[0].legend(frameon=False, fontsize=7, loc="upper right")


def _band(
    axis: "Axes", x: np.ndarray, y: np.ndarray, se: np.ndarray, color: str, label: str
) -> None:
    y, se = y.ravel(), se.ravel()
    axis.axhline(0, color="#CCCCCC", lw=0.7, zorder=0)
    axis.fill_between(x, y - se, y + se, color=color, alpha=0.25, lw=0)
    axis.plot(x, y, color=color, lw=1.6, marker="o", ms=2.5, label=label)


def _fitted(each: Panel) -> np.ndarray:
    """Scale the template to the kernel by least squares."""
    template, kernel = each.template.ravel(), each.kernel.kernel.ravel()
    return template * (template @ kernel) / (template @ template)


def _share_limits(row: Sequence["Axes"]) -> None:
    """Give the axes of a row one scale, and tick labels on the first alone."""
    low = min(axis.get_ylim()[0] for axis in row)
    high = max(axis.get_ylim()[1] for axis in row)
    for axis in row:
        axis.set_ylim(low, high)
    for axis in row[1:]:
        axis.tick_params(labelleft=False)


def _draw_pictures(figure: "Figure", axes: Any, panels: Sequence[Panel]) -> None:
    """Draw kernels of fields, or of bars over time, as pictures on one scale."""
    rows = ("kernel", "target_half", "nontarget_half")
    limit = max(float(np.abs(getattr(p.kernel, r)).max()) for p in panels for r in rows)
    shown: Any = None
    for row, name in zip(axes, rows, strict=True):
        for axis, each in zip(row, panels, strict=True):
            picture = as_picture(getattr(each.kernel, name))
            shown = axis.imshow(
                picture, cmap="PuOr_r", vmin=-limit, vmax=limit, interpolation="nearest"
            )
            axis.set(xticks=[], yticks=[])
        row[0].set_ylabel(name.replace("_", " ").replace("nontarget", "other"))
    bar = figure.colorbar(shown, ax=axes, shrink=0.5, aspect=25)
    bar.set_label("contrast")
    bar.outline.set_linewidth(0)


def as_picture(
    kernel: Float[np.ndarray, " frame row column"],
) -> Float[np.ndarray, " y x"]:
    """Lay a kernel out flat: a still field as it is, bars over time as time by space.

    Movies of fields stand frame beside frame.
    """
    frames, rows, columns = kernel.shape
    if rows == 1:
        return kernel[:, 0, :]
    return kernel.transpose(1, 0, 2).reshape(rows, frames * columns)


def measures(summaries: Sequence[SessionSummary]) -> "Figure":
    """Plot d', criterion, proportion correct and internal noise with 95 % intervals."""
    columns = {
        "d′": [s.pooled.dprime for s in summaries],
        "criterion": [s.pooled.criterion for s in summaries],
        "proportion correct": [s.pooled.proportion_correct for s in summaries],
        "internal noise γ": [s.pooled.internal_noise.gamma for s in summaries],
    }
    figure, pyplot = _figure((9.5, 0.9 + 0.33 * len(summaries)))
    with pyplot.rc_context(_STYLE):
        axes = figure.subplots(1, len(columns), sharey=True)
    for axis, (name, estimates) in zip(axes, columns.items(), strict=True):
        _dots(axis, estimates)
        axis.set_title(name)
    axes[1].axvline(0, color="#CCCCCC", lw=0.7, zorder=0)
    axes[2].axvline(0.5, color="#CCCCCC", lw=0.7, zorder=0)
    axes[0].set_yticks(range(len(summaries)), [s.observer for s in summaries])
    axes[0].set_ylim(len(summaries) - 0.5, -0.5)
    return figure


def _dots(axis: "Axes", estimates: Sequence[Estimate]) -> None:
    """Draw values with intervals, one a row; an open end runs out of the picture."""
    finite = [e.high for e in estimates if e.high is not None and math.isfinite(e.high)]
    values = [e.value for e in estimates if e.value is not None]
    edge = 1.15 * max([*finite, *values], default=1.0)
    for row, estimate in enumerate(estimates):
        if estimate.value is None:
            axis.text(0.5, row, "–", transform=axis.get_yaxis_transform(), va="center")
            continue
        low = estimate.value if estimate.low is None else estimate.low
        high = estimate.high
        end = edge if high is None or not math.isfinite(high) else high
        axis.plot([low, end], [row, row], color=BLUE, lw=1.4)
        axis.plot([estimate.value], [row], "o", color=BLUE, ms=5)
    axis.margins(x=0.12)


def agreements(comparisons: Sequence[Comparison]) -> "Figure":
    """Plot how often each model chose as the human did, beside the ceiling."""
    figure, pyplot = _figure((7.0, 1.1 + 0.38 * len(comparisons)))
    with pyplot.rc_context(_STYLE):
        axis = figure.subplots()
    for row, each in enumerate(comparisons):
        lower, upper = each.ceiling.lower.value, each.ceiling.upper.value
        if lower is not None and upper is not None:
            label = "bounds of the best possible model" if row == 0 else None
            axis.fill_betweenx(
                [row - 0.32, row + 0.32], lower, upper, color="#DDDDDD", label=label
            )
        linear = each.ceiling.linear_gaussian.value
        if linear is not None:
            label = "ceiling if the human were linear" if row == 0 else None
            axis.plot([linear] * 2, [row - 0.32, row + 0.32], color=GRAY, label=label)
        _agreement(
            axis, each.same_choice_double_pass, row, ORANGE, "double-pass trials"
        )
        _agreement(axis, each.same_choice, row - 0.12, BLUE, "all shared trials")
    axis.axvline(0.5, color="#CCCCCC", lw=0.7, zorder=0)
    names = [f"{c.other_observer}\nwith {c.reference_observer}" for c in comparisons]
    axis.set_yticks(range(len(comparisons)), names, fontsize=8)
    axis.set_ylim(len(comparisons) - 0.5, -0.5)
    axis.set_xlabel("share of trials with the same choice")
    axis.legend(frameon=False, fontsize=7.5, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def _agreement(
    axis: "Axes", estimate: Estimate, row: float, color: str, label: str
) -> None:
    if estimate.value is None:
        return
    ends = [e for e in (estimate.low, estimate.high) if e is not None]
    axis.plot(ends, [row] * len(ends), color=color, lw=1.4)
    first = label if round(row) == 0 else None
    axis.plot([estimate.value], [row], "o", color=color, ms=5, label=first)
