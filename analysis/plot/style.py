"""What all plots share: colours, type, figures, bands, dots and pictures.

Colours are those of Okabe & Ito, told apart with any colour vision; diverging pictures
go from purple over white to orange.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from ...experiments.protocols.parts import Task
from ..trials.estimate import Z95, Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, GRAY = "#0072B2", "#D55E00", "#009E73", "#767676"
PALE = "#CCCCCC"
DIVERGING = "PuOr_r"
PANEL = 2.3  # inches
NAME = 22  # letters of a line of a panel's title
OF_TARGET = ("target", "other")  # what the halves of a kernel are of
CARD = 3.7  # inches: as wide as a telephone, where no letter is made smaller
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


def half_names(task: Task) -> tuple[str, str]:
    """Say what the halves of a kernel are of."""
    if task.has_target:
        return OF_TARGET
    if task.n_intervals > 2:
        return "chosen", "not chosen, turned round"
    if task.is_forced_choice:
        return "first alternative", "second alternative"
    return "“yes”", "“no”, turned round"


def grid(rows: int, columns: int) -> tuple["Figure", Any]:
    """Make a figure with a grid of panels of one size."""
    width = max(0.8 + PANEL * columns, CARD)
    figure, pyplot = new_figure((width, 0.4 + 0.85 * PANEL * rows))
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
    """Draw a line with the band of its 95 % intervals, above a zero line."""
    y, reach = y.ravel(), Z95 * se.ravel()
    axis.axhline(0, color=PALE, lw=0.7, zorder=0)
    axis.fill_between(x, y - reach, y + reach, color=color, alpha=0.25, lw=0)
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


@dataclass(frozen=True)
class Size:
    """How large what is drawn was to the eye.

    Attributes
    ----------
    element_deg
        Width and height of an element in degrees of visual angle.
    frame_ms
        Duration of a frame of a movie; 0 of a still field.
    """

    element_deg: tuple[float, float]
    frame_ms: float

    def extent(
        self, shape: tuple[int, int, int]
    ) -> tuple[float, float, float, float] | None:
        """Give left, right, bottom and top; None of frames that stand side by side."""
        frames, rows, columns = shape
        width, height = self.element_deg
        half = width * columns / 2
        if rows == 1 and frames > 1 and self.frame_ms:
            return -half, half, frames * self.frame_ms, 0.0
        tall = height * rows / 2
        return (-half, half, -tall, tall) if frames == 1 else None


def picture(
    axis: "Axes", image: np.ndarray, limit: float, size: Size | None = None
) -> Any:
    """Draw a kernel as a picture, from minus to plus the limit; axes in degrees."""
    extent = None
    if size is not None and image.ndim == 3:
        frames, rows, columns = image.shape
        extent = size.extent((frames, rows, columns))
    if extent is None:
        axis.set(xticks=[], yticks=[])
    return axis.imshow(
        as_picture(image),
        cmap=DIVERGING,
        vmin=-limit,
        vmax=limit,
        interpolation="nearest",
        extent=extent,
        aspect="auto" if extent and extent[3] == 0 else None,
    )


def outline(axis: "Axes", chosen: np.ndarray, color: str = "black") -> None:
    """Draw a line around the chosen elements of a picture without an extent."""
    from matplotlib.collections import LineCollection

    padded = np.pad(chosen, 1)
    edges: list[Any] = []
    for y, x in np.argwhere(padded[:, 1:] != padded[:, :-1]):
        edges.append([(x - 0.5, y - 1.5), (x - 0.5, y - 0.5)])
    for y, x in np.argwhere(padded[1:] != padded[:-1]):
        edges.append([(x - 1.5, y - 0.5), (x - 0.5, y - 0.5)])
    axis.add_collection(LineCollection(edges, colors=color, linewidths=1.2))


def dots(axis: "Axes", estimates: Sequence[Estimate]) -> None:
    """Draw values with intervals, one a row; an open end runs out of the picture."""
    ends = [end for e in estimates for end in (e.low, e.value, e.high)]
    finite = [end for end in ends if end is not None and math.isfinite(end)]
    edge = 1.15 * max(finite, default=1.0)
    for row, estimate in enumerate(estimates):
        if estimate.value is None:
            axis.text(0.5, row, "–", transform=axis.get_yaxis_transform(), va="center")
            continue
        low = estimate.value if estimate.low is None else estimate.low
        high = estimate.high
        end = edge if high is None or not math.isfinite(high) else high
        axis.plot([low, end], [row, row], color=BLUE, lw=1.4)
        if end == edge:
            axis.plot([edge], [row], ">", color=BLUE, ms=5)
        if math.isfinite(estimate.value):
            axis.plot([estimate.value], [row], "o", color=BLUE, ms=5)
    axis.margins(x=0.12)
