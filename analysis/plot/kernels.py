"""First-order kernels, drawn on one scale with their halves."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from ...experiments.protocols.protocol import Protocol
from ..kernels.augmented import AugmentedKernel, KernelBand
from ..kernels.fitted import FittedKernel
from ..kernels.weighted_sum import Kernel
from ..second_order.kernel import SecondOrderKernel
from ..sessions.kernel import Method, kernel
from ..trials.estimate import CannotTell
from ..trials.responses import SessionLike
from ..trials.shown import shown_signal
from .cards import few_ticks, fits_a_card, kernel_card, name_row
from .style import (
    BLUE,
    GRAY,
    GREEN,
    NAME,
    OF_TARGET,
    ORANGE,
    PALE,
    Size,
    band,
    grid,
    half_names,
    line_axis,
    picture,
    share_limits,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BANDS = "bands are the 95 % intervals of the dots, not of the line"
SEEN_THROUGH = (
    "classification image: the kernel in coefficients, drawn as the sum of coefficient "
    "x SD x image; a template as it is seen through the covariance of the noise"
)


@dataclass(frozen=True, eq=False)
class Panel:
    """One observer's kernel, and the signal that it may be like.

    Attributes
    ----------
    template
        The signal at contrast 1 in the numbers of the kernel; None where the stimuli
        have none. Among coefficients, in SDs: what an ideal observer's kernel is like.
    halves
        What the halves are of.
    size
        In degrees and ms; None where it is unknown.
    """

    label: str
    kernel: Kernel | FittedKernel
    template: Float[np.ndarray, " *shape"] | None
    halves: tuple[str, str] = OF_TARGET
    size: Size | None = None

    @property
    def unit(self) -> str:
        """What the kernel is counted in."""
        is_fitted = isinstance(self.kernel, FittedKernel)
        if is_fitted:
            return "decision SD per noise SD"
        return "contrast" if self.kernel.basis is None else "noise SD"

    @property
    def image(self) -> Float[np.ndarray, " frame row column"] | None:
        """The classification image of a kernel in coefficients."""
        basis = self.kernel.basis
        return None if basis is None else basis.image(self.kernel.kernel)

    @property
    def image_unit(self) -> str:
        """What the classification image is counted in."""
        is_fitted = isinstance(self.kernel, FittedKernel)
        return "contrast per decision SD" if is_fitted else "contrast"


def panel(session: SessionLike, method: Method = "fitted") -> Panel:
    """Estimate the first-order kernel of a session, labelled with its observer."""
    found = kernel(session, 1, method)
    assert not isinstance(found, SecondOrderKernel)
    return panel_of(session, found)


def panel_of(session: SessionLike, found: Kernel | FittedKernel) -> Panel:
    """Label a kernel with its observer, and set the signal beside it."""
    size = size_of(session.protocol)
    halves = half_names(session.protocol.task)
    return Panel(session.observer, found, signed_template(session), halves, size)


def size_of(protocol: Protocol) -> Size | None:
    """Give the size that a protocol asks for; None where an import knew none."""
    display = protocol.display
    if protocol.noise.source == "stored" and display.deg_per_element == 1:
        return None
    height, width = display.element_px
    deg = display.deg_per_element
    return Size((deg, deg * height / width), protocol.timing.frame_ms)


def signed_template(
    session: SessionLike,
) -> Float[np.ndarray, " *shape"] | None:
    """Return what the target has more than the other alternative, or None."""
    signal = session.protocol.signal
    if signal.kind == "unknown":
        return None
    sign = np.sign(signal.gains[1] - signal.gains[0])
    try:
        return sign * shown_signal(session.protocol, 1.0, is_quantised=False)
    except CannotTell:
        return None


def draw_kernels(panels: Sequence[Panel]) -> "Figure":
    """Draw kernels above their two halves, all on one scale.

    Fields are pictures in degrees of visual angle, beside the signal.
    A fitted kernel is pulled towards its prior; the bands about it are the 95 %
    intervals of the unshrunken estimate, of each element and, paler, of all at once.
    Of noise on a basis, the kernel in coefficients stands below its classification
    image.
    """
    is_line = sum(size > 1 for size in panels[0].kernel.kernel.shape) <= 1
    is_drawn = panels[0].kernel.basis is not None
    has_bands = any(_unshrunken(each) is not None for each in panels)
    has_halves = panels[0].kernel.target_half is not None
    rows = 1 + has_halves + is_drawn if is_line else 1 + 2 * has_halves + 2 * has_bands
    signal = None if is_line or is_drawn else _signal(panels)
    shape = panels[0].kernel.kernel.shape
    is_alone = len(panels) == 1 and not is_line and fits_a_card(shape)
    if is_alone:
        figure, axes = kernel_card(rows, signal is not None)
    else:
        figure, axes = grid(rows, len(panels) + (signal is not None))
    if signal is not None:
        _draw_signal(axes[:, 0], signal, panels[0].size)
        axes = axes[:, 1:]
    if is_drawn:
        _draw_images(figure, axes[0], panels)
    if is_line:
        _draw_lines(axes[int(is_drawn) :], panels)
    else:
        _draw_pictures(figure, axes, panels, has_bands)
    said = [SEEN_THROUGH] * is_drawn + [BANDS] * has_bands
    if has_bands:
        _name_bands(figure, axes, said)
    elif said:
        width, height = figure.get_size_inches()
        text = textwrap.wrap(said[0], int(15 * width))
        figure.set_size_inches(width, height + 0.16 * len(text))
        figure.supxlabel("\n".join(text), fontsize=7.5)
    if is_alone:
        _name_card(figure, panels[0])
    else:
        for axis, each in zip(axes[0], panels, strict=True):
            axis.set_title("\n".join(textwrap.wrap(each.label, NAME)))
    return figure


def _name_card(figure: "Figure", panel: Panel) -> None:
    """Name whose pictures these are; degrees stand at the signal and at the line."""
    figure.suptitle(panel.label, fontsize=10)
    for axis in figure.axes:
        if axis.get_label() in ("field", "section", "signal"):
            few_ticks(axis, panel.kernel.kernel.shape, panel.size)
        if axis.get_label() in ("field", "signal"):
            axis.tick_params(labelbottom=False)
            axis.set_xlabel("")


def _signal(panels: Sequence[Panel]) -> np.ndarray | None:
    """Give the signal that all panels share; None where there is none."""
    known = [each.template for each in panels if each.template is not None]
    return known[0] if known else None


def _draw_signal(column: Any, signal: np.ndarray, size: Size | None) -> None:
    """Draw the signal beside the kernels, on a scale of its own."""
    picture(column[0], signal, float(np.abs(signal).max()) or 1.0, size)
    column[0].set_title("signal", fontsize=8.5)
    column[0].set_label("signal")
    _name_degrees(column[0], signal.shape, size, is_first=True)
    for axis in filter(None, column[1:]):
        axis.set_axis_off()


def _name_degrees(
    axis: Any, shape: tuple[int, ...], size: Size | None, is_first: bool
) -> None:
    """Name the axes of a picture; those of another column share the first's."""
    frames, rows, columns = shape
    extent = None if size is None else size.extent((frames, rows, columns))
    if extent is None:
        return
    axis.tick_params(labelsize=7.5, length=2, labelleft=is_first)
    axis.set_xlabel("degrees", fontsize=7.5)
    if is_first:
        axis.set_ylabel("ms" if extent[3] == 0 else "degrees", fontsize=7.5)


def _draw_images(figure: "Figure", row: Any, panels: Sequence[Panel]) -> None:
    """Draw classification images on one scale, and say below what they are."""
    images = [each.image for each in panels]
    limit = max(float(np.abs(one).max()) for one in images if one is not None)
    shown: Any = None
    for axis, image in zip(row, images, strict=True):
        assert image is not None
        axis.set_label("image")
        shown = picture(axis, image, limit or 1.0)
    row[0].set_ylabel("classification\nimage", fontsize=8)
    bar = figure.colorbar(shown, ax=list(row), shrink=0.8, aspect=20)
    bar.set_label(panels[0].image_unit, fontsize=8)
    bar.outline.set_linewidth(0)


def _unshrunken(panel: Panel) -> AugmentedKernel | None:
    return panel.kernel.unshrunken if isinstance(panel.kernel, FittedKernel) else None


def _name_bands(figure: "Figure", axes: Any, said: list[str]) -> None:
    """Say below the panels what lines, dots and bands are."""
    named: dict[str, Any] = {}
    for axis in axes.ravel():
        handles, labels = axis.get_legend_handles_labels()
        named |= dict(zip(labels, handles, strict=True))
        if axis.get_legend() is not None:
            axis.get_legend().remove()
    width, height = figure.get_size_inches()
    text = [line for one in said for line in textwrap.wrap(one, int(16 * width))]
    columns = max(int(width / 1.4), 1)
    lines = len(text) - (-len(named) // columns)
    figure.set_size_inches(width, height + 0.16 * lines)
    figure.legend(
        list(named.values()),
        list(named),
        loc="outside lower center",
        frameon=False,
        fontsize=7.5,
        ncol=columns,
        title="\n".join(text),
        title_fontsize=7.5,
    )


def _draw_lines(axes: Any, panels: Sequence[Panel]) -> None:
    """Draw kernels of one dimension as lines over position or time, halves below."""
    for column, each in enumerate(panels):
        top = axes[0][column]
        bottom = axes[1][column] if len(axes) > 1 else None
        x, name = line_axis(each.kernel.kernel.shape)
        if isinstance(each.kernel, FittedKernel):
            _fitted_lines(top, bottom, x, each)
        else:
            band(top, x, each.kernel.kernel, each.kernel.se, BLUE, "kernel")
            assert bottom is not None
            _halves(bottom, x, each.kernel, each.halves)
        if each.template is not None:
            signal = scaled(each.template, each.kernel.kernel)
            top.plot(x, signal, color=GRAY, lw=1, ls="--", label="signal, scaled")
        axes[-1][column].set_xlabel(name)
        for axis in axes[:, column]:
            axis.xaxis.get_major_locator().set_params(integer=True)
    kernel = "kernel" if panels[0].image is None else "kernel in coefficients"
    for row, name in zip(axes, (kernel, "its halves"), strict=False):
        share_limits(row)
        row[0].set_ylabel(f"{name}\n({panels[0].unit})", fontsize=8)
        for axis in row:
            axis.set_label(name)
        row[0].legend(frameon=False, fontsize=7.5, loc="upper right")


def _halves(axis: Any, x: np.ndarray, kernel: Kernel, names: tuple[str, str]) -> None:
    band(axis, x, kernel.target_half, kernel.target_half_se, ORANGE, names[0])
    band(axis, x, kernel.nontarget_half, kernel.nontarget_half_se, GREEN, names[1])


def _fitted_lines(top: Any, bottom: Any, x: np.ndarray, panel: Panel) -> None:
    """Draw the picture, and the unshrunken estimate with its intervals."""
    kernel, found = panel.kernel, _unshrunken(panel)
    top.axhline(0, color=PALE, lw=0.7, zorder=0)
    top.plot(x, kernel.kernel.ravel(), color=BLUE, lw=1.6, label="kernel")
    if found is not None:
        _intervals(top, x, found.kernel, BLUE, "unshrunken")
        inner = dict(color=BLUE, alpha=0.1, lw=0)
        low, high = found.kernel.low_all.ravel(), found.kernel.high_all.ravel()
        top.fill_between(x, low, high, **inner, label="95 %, all at once")
    if bottom is None:
        return
    bottom.axhline(0, color=PALE, lw=0.7, zorder=0)
    halves = (("target", ORANGE), ("nontarget", GREEN))
    for (name, color), label in zip(halves, panel.halves, strict=True):
        half = getattr(kernel, f"{name}_half").ravel()
        bottom.plot(x, half, color=color, lw=1.6, label=label)
        known = None if found is None else getattr(found, f"{name}_half")
        if known is not None:
            _intervals(bottom, x, known, color, None)


def _intervals(
    axis: Any, x: np.ndarray, found: KernelBand, color: str, label: str | None
) -> None:
    low, high = found.low.ravel(), found.high.ravel()
    each = None if label is None else "95 %, each element"
    axis.fill_between(x, low, high, color=color, alpha=0.22, lw=0, label=each)
    value = found.value.ravel()
    axis.plot(x, value, "o", color=color, ms=2.5, mew=0, alpha=0.8, label=label)


def scaled(template: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Scale the template to the kernel by least squares."""
    t, k = template.ravel(), kernel.ravel()
    return t * (t @ k) / max(t @ t, 1e-300)


def _draw_pictures(
    figure: "Figure", axes: Any, panels: Sequence[Panel], has_bands: bool
) -> None:
    """Draw kernels of fields, or of bars over time, as pictures on one scale."""
    names = ["kernel", "target_half", "nontarget_half"]
    if panels[0].kernel.target_half is None:
        names = names[:1]
    ending = " half" if panels[0].halves == OF_TARGET else ""
    halves = zip(names[1:], panels[0].halves, strict=False)
    labels = {name: of + ending for name, of in halves}
    fields = {name: [getattr(p.kernel, name) for p in panels] for name in names}
    if has_bands:
        names[1:1] = ["section", "unshrunken"]
        fields["unshrunken"] = [
            np.zeros(0) if found is None else found.kernel.value
            for found in map(_unshrunken, panels)
        ]
    limit = max(
        float(np.abs(field).max(initial=0)) for row in fields.values() for field in row
    )
    shown: Any = None
    for row, name in zip(axes, names, strict=True):
        if name == "section":
            _draw_sections(row, panels)
            continue
        for axis, field in zip(row, fields[name], strict=True):
            if not field.size:
                axis.set(xticks=[], yticks=[])
                axis.set_axis_off()
                continue
            axis.set_label("field")
            shown = picture(axis, field, limit, panels[0].size)
            _name_degrees(axis, field.shape, panels[0].size, is_first=False)
        name_row(row, labels.get(name, name))
    if len(panels) == 1:
        bar = figure.colorbar(shown, ax=axes, location="bottom", shrink=0.7, aspect=30)
    else:
        bar = figure.colorbar(shown, ax=axes, shrink=0.5, aspect=25)
    bar.set_label(panels[0].unit, fontsize=8)
    bar.ax.tick_params(labelsize=7.5)
    bar.outline.set_linewidth(0)


def _draw_sections(row: Any, panels: Sequence[Panel]) -> None:
    """Draw the line of elements through each kernel's peak, with its intervals."""
    for axis, each in zip(row, panels, strict=True):
        found, field = _unshrunken(each), each.kernel.kernel
        frame, line, _ = np.unravel_index(int(np.abs(field).argmax()), field.shape)
        x, name = line_axis((1, 1, field.shape[2]))
        if each.size is not None:
            x, name = x * each.size.element_deg[0], "degrees"
        axis.axhline(0, color=PALE, lw=0.7, zorder=0)
        axis.plot(x, field[frame, line], color=BLUE, lw=1.6, label="kernel")
        if found is not None:
            parts = {
                part: getattr(found.kernel, part)[frame, line]
                for part in ("value", "se", "low", "high", "low_all", "high_all")
            }
            _intervals(axis, x, KernelBand(**parts), BLUE, "unshrunken")
            axis.fill_between(
                x,
                parts["low_all"],
                parts["high_all"],
                color=BLUE,
                alpha=0.1,
                lw=0,
                label="95 %, all at once",
            )
        axis.set_xlabel(name)
        axis.set_label("section")
    share_limits(row)
    name_row(row, "line through\nthe peak")
