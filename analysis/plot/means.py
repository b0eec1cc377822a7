"""Mean kernels of groups of observers side by side, people and models alike."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from .kernels import scaled
from .style import (
    BLUE,
    GRAY,
    NAME,
    Size,
    band,
    grid,
    line_axis,
    picture,
    share_limits,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

UNIT = "decision SD per noise SD"


@dataclass(frozen=True, eq=False)
class MeanPanel:
    """The mean kernel of some observers.

    Attributes
    ----------
    label
        Whose.
    kernel, se
        In decision SDs per noise SD.
    template
        The signal in the numbers of the kernel; None where the stimuli have none.
    size
        Of an element to the eye; None where it is unknown.
    """

    label: str
    kernel: Float[np.ndarray, " *shape"]
    se: Float[np.ndarray, " *shape"]
    template: Float[np.ndarray, " *shape"] | None
    size: Size | None


def draw_means(panels: Sequence[MeanPanel]) -> "Figure":
    """Draw mean kernels of one shape on one scale: lines with bands, or pictures."""
    figure, axes = grid(1, len(panels))
    shape = panels[0].kernel.shape
    if sum(size > 1 for size in shape) <= 1:
        x, name = line_axis(shape)
        for axis, each in zip(axes[0], panels, strict=True):
            band(axis, x, each.kernel, each.se, BLUE, "kernel")
            if each.template is not None:
                signal = scaled(each.template, each.kernel)
                axis.plot(x, signal, color=GRAY, lw=1, ls="--", label="signal, scaled")
            axis.set_xlabel(name)
            axis.xaxis.get_major_locator().set_params(integer=True)
        share_limits(axes[0])
        axes[0][0].set_ylabel(f"kernel\n({UNIT})", fontsize=8)
        axes[0][0].legend(frameon=False, fontsize=7.5, loc="upper right")
    else:
        limit = max(float(np.abs(each.kernel).max()) for each in panels) or 1.0
        shown = [
            picture(axis, each.kernel, limit, each.size)
            for axis, each in zip(axes[0], panels, strict=True)
        ]
        bar = figure.colorbar(shown[0], ax=list(axes[0]), shrink=0.8, aspect=20)
        bar.set_label(UNIT, fontsize=8)
        bar.outline.set_linewidth(0)
    for axis, each in zip(axes[0], panels, strict=True):
        axis.set_title("\n".join(textwrap.wrap(each.label, NAME)))
    return figure
