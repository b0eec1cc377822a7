"""What all plots share: colours, type, figures, bands, dots and pictures.

Colours are those of Okabe & Ito, told apart with any colour vision; diverging pictures
go from purple over white to orange.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from ..trials.estimate import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, GRAY = "#0072B2", "#D55E00", "#009E73", "#767676"
PALE = "#CCCCCC"
DIVERGING = "PuOr_r"
PANEL = 2.3  # inches
STYLE: dict[Any, Any] = {
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


def grid(rows: int, columns: int) -> tuple["Figure", Any]:
    """Make a figure with a grid of panels of one size."""
    figure, pyplot = new_figure((0.8 + PANEL * columns, 0.4 + 0.85 * PANEL * rows))
    with pyplot.rc_context(STYLE):
        axes = figure.subplots(rows, columns, squeeze=False)
    return figure, axes


def new_figure(size: tuple[float, float]) -> tuple["Figure", Any]:
    """Make a figure that no global state keeps alive."""
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        message = 'plots need matplotlib: pip install "yoked[plot]"'
        raise ModuleNotFoundError(message, name=error.name) from error
    with matplotlib.rc_context(STYLE):
        return Figure(figsize=size, layout="constrained"), matplotlib


def band(
    axis: "Axes", x: np.ndarray, y: np.ndarray, se: np.ndarray, color: str, label: str
) -> None:
    """Draw a line with a band of one standard error, above a zero line."""
    y, se = y.ravel(), se.ravel()
    axis.axhline(0, color=PALE, lw=0.7, zorder=0)
    axis.fill_between(x, y - se, y + se, color=color, alpha=0.25, lw=0)
    axis.plot(x, y, color=color, lw=1.6, marker="o", ms=2.5, label=label)


def share_limits(row: Sequence["Axes"]) -> None:
    """Give the axes of a row one scale, and tick labels on the first alone."""
    low = min(axis.get_ylim()[0] for axis in row)
    high = max(axis.get_ylim()[1] for axis in row)
    for axis in row:
        axis.set_ylim(low, high)
    for axis in row[1:]:
        axis.tick_params(labelleft=False)


def line_axis(shape: tuple[int, ...]) -> tuple[np.ndarray, str]:
    """Positions about the middle, or frames or coefficients from the first, by name."""
    if len(shape) == 1:
        return np.arange(shape[0]), "coefficient"
    if shape[0] > 1:
        return np.arange(shape[0]), "frame"
    n = max(shape)
    return np.arange(n) - (n - 1) / 2, "element (0 = middle)"


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


def picture(axis: "Axes", image: np.ndarray, limit: float) -> Any:
    """Draw a kernel as a picture, from minus to plus the limit."""
    axis.set(xticks=[], yticks=[])
    return axis.imshow(
        as_picture(image),
        cmap=DIVERGING,
        vmin=-limit,
        vmax=limit,
        interpolation="nearest",
    )


def dots(axis: "Axes", estimates: Sequence[Estimate]) -> None:
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
