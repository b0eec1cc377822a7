"""First-order kernels, drawn on one scale with their halves."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from ...experiments.protocols.signal import signal_template
from ..kernels.fitted import FittedKernel
from ..kernels.weighted_sum import Kernel
from ..second_order.kernel import SecondOrderKernel
from ..sessions.kernel import Method, kernel
from ..trials.responses import SessionLike
from .style import (
    BLUE,
    DIVERGING,
    GRAY,
    GREEN,
    ORANGE,
    as_picture,
    band,
    grid,
    line_axis,
    share_limits,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Panel:
    """One observer's kernel, and the signal that it may be like.

    Attributes
    ----------
    template
        The signal at contrast 1; None where the stimuli have none.
    """

    label: str
    kernel: Kernel | FittedKernel
    template: Float[np.ndarray, " frame row column"] | None

    @property
    def unit(self) -> str:
        """What the kernel is counted in."""
        is_fitted = isinstance(self.kernel, FittedKernel)
        return "decision SD per noise SD" if is_fitted else "contrast"


def panel(session: SessionLike, method: Method = "fitted") -> Panel:
    """Estimate the first-order kernel of a session, labelled with its observer."""
    found = kernel(session, 1, method)
    assert not isinstance(found, SecondOrderKernel)
    return Panel(session.observer, found, signed_template(session))


def signed_template(
    session: SessionLike,
) -> Float[np.ndarray, " frame row column"] | None:
    """Return what the target has more than the other alternative, or None."""
    signal = session.protocol.signal
    if signal.kind == "unknown":
        return None
    sign = np.sign(signal.gains[1] - signal.gains[0])
    return sign * signal_template(session.protocol)


def draw_kernels(panels: Sequence[Panel]) -> "Figure":
    """Draw kernels above their two halves, all on one scale."""
    is_line = sum(size > 1 for size in panels[0].kernel.kernel.shape) <= 1
    rows = 2 if is_line else 3
    figure, axes = grid(rows, len(panels))
    if is_line:
        _draw_lines(axes, panels)
    else:
        _draw_pictures(figure, axes, panels)
    for axis, each in zip(axes[0], panels, strict=True):
        axis.set_title("\n".join(textwrap.wrap(each.label, 18)))
    return figure


def _draw_lines(axes: Any, panels: Sequence[Panel]) -> None:
    """Draw kernels of one dimension as lines over position or time, halves below."""
    for column, each in enumerate(panels):
        top, bottom = axes[0][column], axes[1][column]
        x, name = line_axis(each.kernel.kernel.shape)
        band(top, x, each.kernel.kernel, each.kernel.se, BLUE, "kernel")
        if each.template is not None:
            scaled = _scaled(each.template, each.kernel.kernel)
            top.plot(x, scaled, color=GRAY, lw=1, ls="--", label="signal, scaled")
        halves = each.kernel
        band(bottom, x, halves.target_half, halves.target_half_se, ORANGE, "target")
        band(bottom, x, halves.nontarget_half, halves.nontarget_half_se, GREEN, "other")
        bottom.set_xlabel(name)
    for row, name in zip(axes, ("kernel", "its halves"), strict=True):
        share_limits(row)
        row[0].set_ylabel(f"{name}\n({panels[0].unit})")
        row[0].legend(frameon=False, fontsize=7, loc="upper right")


def _scaled(template: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Scale the template to the kernel by least squares."""
    t, k = template.ravel(), kernel.ravel()
    return t * (t @ k) / max(t @ t, 1e-300)


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
    bar.set_label(panels[0].unit)
    bar.outline.set_linewidth(0)
