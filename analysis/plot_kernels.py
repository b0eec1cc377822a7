"""First-order kernels, drawn on one scale with their halves."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from ..experiments.signal import signal_template
from .choices import SessionLike
from .kernels import Kernel, session_kernel
from .plot_style import (
    BLUE,
    DIVERGING,
    GRAY,
    GREEN,
    ORANGE,
    as_picture,
    band,
    grid,
    share_limits,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
    figure, axes = grid(rows, len(panels))
    if is_bars:
        _draw_bars(axes, panels)
    else:
        _draw_pictures(figure, axes, panels)
    for axis, each in zip(axes[0], panels, strict=True):
        axis.set_title("\n".join(textwrap.wrap(each.label, 18)))
    return figure


def _draw_bars(axes: Any, panels: Sequence[Panel]) -> None:
    """Draw kernels of bars as lines over position, halves below."""
    for column, each in enumerate(panels):
        top, bottom = axes[0][column], axes[1][column]
        x = np.arange(each.kernel.kernel.size) - (each.kernel.kernel.size - 1) / 2
        band(top, x, each.kernel.kernel, each.kernel.se, BLUE, "kernel")
        scaled = _fitted(each)
        top.plot(x, scaled, color=GRAY, lw=1, ls="--", label="signal, fitted")
        halves = each.kernel
        band(bottom, x, halves.target_half, halves.target_half_se, ORANGE, "target")
        band(bottom, x, halves.nontarget_half, halves.nontarget_half_se, GREEN, "other")
        bottom.set_xlabel("bar (0 = middle)")
    for row, name in zip(axes, ("kernel", "its halves"), strict=True):
        share_limits(row)
        row[0].set_ylabel(f"{name}\n(contrast)")
        row[0].legend(frameon=False, fontsize=7, loc="upper right")


def _fitted(each: Panel) -> np.ndarray:
    """Scale the template to the kernel by least squares."""
    template, kernel = each.template.ravel(), each.kernel.kernel.ravel()
    return template * (template @ kernel) / (template @ template)


def _draw_pictures(figure: "Figure", axes: Any, panels: Sequence[Panel]) -> None:
    """Draw kernels of fields, or of bars over time, as pictures on one scale."""
    rows = ("kernel", "target_half", "nontarget_half")
    limit = max(float(np.abs(getattr(p.kernel, r)).max()) for p in panels for r in rows)
    shown: Any = None
    for row, name in zip(axes, rows, strict=True):
        for axis, each in zip(row, panels, strict=True):
            picture = as_picture(getattr(each.kernel, name))
            shown = axis.imshow(
                picture,
                cmap=DIVERGING,
                vmin=-limit,
                vmax=limit,
                interpolation="nearest",
            )
            axis.set(xticks=[], yticks=[])
        row[0].set_ylabel(name.replace("_", " ").replace("nontarget", "other"))
    bar = figure.colorbar(shown, ax=axes, shrink=0.5, aspect=25)
    bar.set_label("contrast")
    bar.outline.set_linewidth(0)
