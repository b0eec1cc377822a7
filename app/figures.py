"""Figures as files and within pages: the same data give the same bytes."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .files import whole_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# No date; only a PNG has none to leave out.
UNDATED: dict[str, dict[str, Any]] = {
    ".png": {},
    ".svg": {"Date": None},
    ".pdf": {"CreationDate": None},
}
SUFFIXES = tuple(UNDATED)


def check_plot_name(path: Path) -> None:
    """Refuse a name that says no format."""
    if path.suffix.lower() not in SUFFIXES:
        rule = f"end in {', '.join(SUFFIXES)}"
        raise ValueError(f"the name of a plot must {rule}, got {path.name!r}")


def write_figure(path: Path, figure: "Figure") -> None:
    """Write a picture in the format of its name, whole or not at all.

    Raises
    ------
    ValueError
        If the name does not end in .png, .svg or .pdf.
    """
    check_plot_name(path)
    suffix = path.suffix.lower()
    with _settled(figure), whole_file(path, "wb") as file:
        figure.savefig(file, format=suffix[1:], dpi=200, metadata=UNDATED[suffix])


def as_svg(figure: "Figure") -> str:
    """Give a figure as SVG that can stand inside a page."""
    buffer = io.StringIO()
    with _settled(figure):
        figure.savefig(buffer, format="svg", metadata=UNDATED[".svg"])
    text = buffer.getvalue()
    return text[text.index("<svg") :]


@contextmanager
def _settled(figure: "Figure") -> Iterator[None]:
    """Fix what else differs from one drawing to the next.

    Names within an SVG are hashes, of a random salt if there is none, and of positions
    to the last bit; the solver of the layout adds up in the order of the addresses in
    memory, so that the last bits are rounded now this way, now that.
    """
    import matplotlib

    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        for which in ("original", "active"):
            position = axes.get_position(original=which == "original")
            axes.set_position(tuple(np.round(position.bounds, 9)), which=which)
    salt: dict[Any, Any] = {"svg.hashsalt": "yoked"}
    with matplotlib.rc_context(salt):
        yield
