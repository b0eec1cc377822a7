"""Mean kernels of groups of observers side by side, people and models alike."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from .cards import on_one_scale
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


def draw_means(panels: Sequence[MeanPanel]) -> list["Figure"]:
    """Draw mean kernels, each as wide as a telephone, all on one scale."""
    return on_one_scale([_drawn(each) for each in panels])


def _drawn(each: MeanPanel) -> "Figure":
    """Draw one: a line with the band of its intervals, or a picture."""
    figure, axes = grid(1, 1)
    axis, shape = axes[0][0], each.kernel.shape
    axis.set_label("kernel")
    if sum(size > 1 for size in shape) <= 1:
        x, name = line_axis(shape)
        band(axis, x, each.kernel, each.se, BLUE, "kernel")
        if each.template is not None:
            signal = scaled(each.template, each.kernel)
            axis.plot(x, signal, color=GRAY, lw=1, ls="--", label="signal, scaled")
        axis.set_xlabel(name)
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.set_ylabel(f"kernel\n({UNIT})", fontsize=8)
        axis.legend(frameon=False, fontsize=7.5, loc="upper right")
    else:
        limit = float(np.abs(each.kernel).max()) or 1.0
        shown = picture(axis, each.kernel, limit, each.size)
        bar = figure.colorbar(shown, ax=axis, location="bottom", shrink=0.7, aspect=30)
        bar.set_label(UNIT, fontsize=8)
        bar.outline.set_linewidth(0)
    axis.set_title("\n".join(textwrap.wrap(each.label, 2 * NAME)))
    return figure
