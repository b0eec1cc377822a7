"""Kernels from gradients: those of the responses, beside those of a layer's units."""

import math
import textwrap
from typing import TYPE_CHECKING, Any, runtime_checkable
from typing import Protocol as Interface

import numpy as np

from ..trials.estimate import CannotTell
from .style import (
    BLUE,
    DIVERGING,
    GREEN,
    ORANGE,
    PANEL,
    STYLE,
    as_picture,
    band,
    line_axis,
    new_figure,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_COLUMNS = 8
_UNIT = 1.15  # inches across the panel of a unit


@runtime_checkable
class WhiteBoxLike(Interface):
    """What `yoked.white_box` gives: arrays, and what they are of."""

    @property
    def observer(self) -> str:
        """Name of the observer."""
        ...

    @property
    def shape(self) -> tuple[int, int, int]:
        """Frames, rows and columns of the noise."""
        ...

    @property
    def noise_sd(self) -> float:
        """SD of the noise, contrast."""
        ...

    @property
    def one(self) -> Any:
        """Kernel of the responses: `kernel`, its halves, and `se` of each."""
        ...

    @property
    def two(self) -> Any:
        """The same of order 2, or None."""
        ...

    @property
    def layer(self) -> Any:
        """Kernels of units: `layer`, `units`, `shape`, `first`, `second`; or None."""
        ...


def draw_white_box(found: WhiteBoxLike, order: int) -> "Figure":
    """Draw the kernels of the responses, and to their right those of the units.

    Order 1 in noise contrast, with bands of 95 % where the noise has one
    dimension; order 2 as matrices, in noise variances. Each unit has a scale of its
    own: above it stand its name and the largest value, in response per noise SD (order
    2: per noise variance).

    Raises
    ------
    ValueError
        If there is no kernel of this order.
    """
    kernel: Any = found.one if order == 1 else found.two
    if kernel is None:
        raise CannotTell(f"a plot must have a kernel of order {order}, got order 1")
    layer: Any = found.layer
    n = 0 if layer is None else len(layer.units)
    columns = min(n, max(3, min(_MOST_COLUMNS, math.ceil(math.sqrt(n)))))
    rows = math.ceil(n / columns) if n else 0
    is_tall = order == 2 or not _is_line(found.shape)
    height = max(0.6 + PANEL * (3 if is_tall else 2) * 0.92, 1.0 + 1.25 * _UNIT * rows)
    left, right = (
        1.0 + 1.35 * PANEL,
        max(3.4, 0.4 + _UNIT * 1.25 * columns) if n else 0.0,
    )
    figure, pyplot = new_figure((left + right, height))
    with pyplot.rc_context(STYLE):
        sides: Any = [figure]
        if n:
            sides = figure.subfigures(1, 2, width_ratios=[left, right])
        _draw_responses(sides[0], found, kernel, order)
        if layer is not None:
            _draw_units(sides[1], layer, found.noise_sd, order, (rows, columns))
    return figure


def _is_line(shape: tuple[int, ...]) -> bool:
    return sum(size > 1 for size in shape) <= 1


def _draw_responses(side: Any, found: WhiteBoxLike, kernel: Any, order: int) -> None:
    side.suptitle(
        "\n".join(textwrap.wrap(f"kernel of {found.observer}'s responses", 30))
    )
    if order == 1 and _is_line(found.shape):
        _response_lines(side, found, kernel)
        return
    names = ("kernel", "target_half", "nontarget_half")
    unit = found.noise_sd if order == 1 else found.noise_sd**2
    pictures = [_picture(getattr(kernel, name) / unit, order) for name in names]
    limit = max(float(np.abs(each).max()) for each in pictures) or 1.0
    axes = side.subplots(3, 1)
    shown: Any = None
    for axis, picture, name in zip(axes, pictures, names, strict=True):
        shown = _show(axis, picture, limit)
        axis.set_ylabel(name.replace("_", " ").replace("nontarget", "other"))
    bar = side.colorbar(shown, ax=list(axes), shrink=0.5, aspect=25)
    bar.set_label("noise SD" if order == 1 else "noise variance")
    bar.outline.set_linewidth(0)


def _response_lines(side: Any, found: WhiteBoxLike, kernel: Any) -> None:
    top, bottom = side.subplots(2, 1)
    x, name = line_axis(found.shape)
    band(top, x, kernel.kernel, kernel.se, BLUE, "kernel")
    band(bottom, x, kernel.target_half, kernel.target_half_se, ORANGE, "target's half")
    other, se = kernel.nontarget_half, kernel.nontarget_half_se
    band(bottom, x, other, se, GREEN, "other's half")
    bottom.set_xlabel(name)
    for axis in (top, bottom):
        axis.set_ylabel("contrast")
        axis.legend(frameon=False, fontsize=7, loc="upper right")


def _draw_units(
    side: Any,
    layer: Any,
    noise_sd: float,
    order: int,
    size: tuple[int, int],
) -> None:
    values = layer.first * noise_sd if order == 1 else layer.second * noise_sd**2
    name = f"layer {layer.layer}" if layer.layer else "the network"
    unit = "noise SD" if order == 1 else "noise variance"
    side.suptitle(f"{name}: units, ± largest per {unit}")
    axes = side.subplots(*size, squeeze=False).ravel()
    for axis in axes[len(layer.units) :]:
        axis.set_axis_off()
    for k, name in enumerate(layer.units):
        axis, each = axes[k], values[k]
        peak = float(np.abs(each).max())
        if order == 1 and _is_line(layer.shape):
            x, _ = line_axis(layer.shape)
            band(axis, x, each, layer.first_se[k] * noise_sd, BLUE, name)
            ends = [float(x[0]), 0.0, float(x[-1])]
            axis.set(xticks=ends if k >= len(layer.units) - size[1] else [], yticks=[])
            axis.set_ylim(-1.15 * (peak or 1.0), 1.15 * (peak or 1.0))
            axis.tick_params(labelsize=6, length=2)
            axis.set_box_aspect(0.8)
        else:
            _show(axis, _picture(each, order), peak or 1.0)
        axis.set_title(f"{name}\n±{peak:.2g}" if peak else f"{name}\n0", fontsize=7)


def _picture(kernel: np.ndarray, order: int) -> np.ndarray:
    return as_picture(kernel) if order == 1 else kernel


def _show(axis: "Axes", picture: np.ndarray, limit: float) -> Any:
    axis.set(xticks=[], yticks=[])
    for spine in axis.spines.values():
        spine.set_visible(False)
    tall, wide = picture.shape
    aspect = "equal" if 0.25 < tall / wide < 4 else "auto"
    return axis.imshow(
        picture,
        cmap=DIVERGING,
        vmin=-limit,
        vmax=limit,
        interpolation="nearest",
        aspect=aspect,
    )
