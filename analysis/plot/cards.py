"""Figures as wide as a telephone, which a page sets beside each other on one scale."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .style import CARD, STYLE, Size, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Signal; kernel, its line, the unshrunken estimate, the halves, or kernel and halves.
LAYOUTS = {
    (5, True): ("sa", "cb", "de"),
    (5, False): ("ac", "de", "bb"),
    (3, True): ("sa", "bc"),
    (3, False): ("a.", "bc"),
    (1, True): ("sa",),
    (1, False): ("a.",),
}


def fits_a_card(shape: tuple[int, ...]) -> bool:
    """Whether a kernel makes pictures half a card wide; frames side by side do not."""
    frames, rows, columns = (1, 1, *shape)[-3:]
    return columns > 1 and (frames > 1) != (rows > 1)


def kernel_card(rows: int, has_signal: bool) -> tuple["Figure", Any]:
    """Make a figure of two columns for one observer's pictures, and the signal.

    The axes come as a grid would have them: a column for the signal, of which the first
    alone is there, and one for the kernels.
    """
    layout = LAYOUTS[rows, has_signal]
    figure, pyplot = new_figure((CARD, 0.75 + 1.5 * len(layout)))
    with pyplot.rc_context(STYLE):
        found = figure.subplot_mosaic([list(row) for row in layout])
    axes = np.array([[found[name]] for name in "abcde"[:rows]], object)
    if has_signal:
        beside = np.array([[found["s"]], *[[None]] * (rows - 1)], object)
        axes = np.hstack([beside, axes])
    return figure, axes


def name_row(row: Any, name: str) -> None:
    """Name a row at its left, and a picture that stands alone above it."""
    if len(row) == 1:
        row[0].set_title(name.replace("\n", " "), fontsize=8.5)
    else:
        row[0].set_ylabel(name)


def few_ticks(axis: "Axes", shape: tuple[int, ...], size: Size | None) -> None:
    """Put three ticks on axes in degrees: the middle, and one on either side."""
    frames, rows, columns = shape
    extent = None if size is None else size.extent((frames, rows, columns))
    if extent is None:
        return
    ticks = _three(extent[1])
    axis.set_xticks(ticks, [f"{tick:g}".replace("-", "−") for tick in ticks])
    if axis.images and extent[3] > 0:
        ticks = _three(extent[3])
        axis.set_yticks(ticks, [f"{tick:g}".replace("-", "−") for tick in ticks])


def _three(end: float) -> list[float]:
    at = float(f"{0.8 * end:.1g}")
    return [-at, 0.0, at]


def on_one_scale(figures: Sequence["Figure"]) -> list["Figure"]:
    """Give axes with the same label one scale in figures that stand side by side."""
    alike: dict[str, list[Any]] = {}
    for figure in figures:
        for axis in figure.axes:
            label = str(axis.get_label())
            if label and not label.startswith("<"):  # Matplotlib's own
                alike.setdefault(label, []).append(axis)
    for axes in alike.values():
        images = [image for axis in axes for image in axis.images]
        limit = max((image.get_clim()[1] for image in images), default=0.0)
        for image in images:
            image.set_clim(-limit, limit)
        if not images:
            low, high = zip(*(axis.get_ylim() for axis in axes), strict=True)
            for axis in axes:
                axis.set_ylim(min(low), max(high))
    return list(figures)
