"""A calibration as a picture: readings, their curve, and what the table does."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...experiments.monitors.calibrations import Calibration
from ...experiments.monitors.luminance import wanted_luminance
from ..figures import write_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, SOFT, ACCENT = "#1c1c1c", "#8a8a8a", "#1f4e79"


def write_plot(calibration: Calibration, path: Path) -> None:
    """Write the picture, whole or not at all.

    Parameters
    ----------
    path
        Ends in .png, .svg or .pdf.

    Raises
    ------
    ValueError
        If the name ends otherwise.
    ModuleNotFoundError
        Without Matplotlib.
    """
    write_figure(path, calibration_figure(calibration))


def calibration_figure(calibration: Calibration) -> "Figure":
    """Draw readings and fit, the distance between them, and the table's effect."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.4), layout="constrained")
    curve, residuals, table = figure.subplots(1, 3)
    _curve(curve, calibration)
    _residuals(residuals, calibration)
    _table(table, calibration)
    for axes in (curve, residuals, table):
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(
        f"{calibration.monitor}, {calibration.made_at[:10]}, {calibration.photometer}",
        fontsize=10,
    )
    return figure


def _curve(axes: "Axes", calibration: Calibration) -> None:
    fit, levels = calibration.fit, np.arange(256)
    axes.plot(levels, fit.luminance(levels), color=ACCENT, zorder=1)
    axes.scatter(*zip(*calibration.readings, strict=True), color=INK, s=14, zorder=2)
    axes.set(xlabel="screen level", ylabel="luminance (cd/m²)", xlim=(-5, 260))
    axes.set_title(f"γ = {fit.gamma:.3f} ± {fit.gamma_se:.3f}", fontsize=10)


def _residuals(axes: "Axes", calibration: Calibration) -> None:
    levels, values = np.array(calibration.readings).T
    axes.axhline(0, color=SOFT, linewidth=0.8)
    residuals = values - calibration.fit.luminance(levels)
    axes.vlines(levels, 0, residuals, color=ACCENT, linewidth=1.2)
    axes.scatter(levels, residuals, color=INK, s=14)
    axes.set(xlabel="screen level", ylabel="reading − curve (cd/m²)", xlim=(-5, 260))
    axes.set_title(f"R² = {calibration.fit.r_squared:.5f}", fontsize=10)


def _table(axes: "Axes", calibration: Calibration) -> None:
    fit, quality = calibration.fit, calibration.quality
    contrast = (np.arange(1, 256) - 128) / 127
    errors = fit.luminance(calibration.lut[1:]) - wanted_luminance(fit)[1:]
    axes.axhline(0, color=SOFT, linewidth=0.8)
    axes.plot(contrast, errors / (fit.range_cd_m2 / 2), color=ACCENT, linewidth=0.8)
    axes.set(xlabel="contrast", ylabel="shown − wanted contrast", xlim=(-1.03, 1.03))
    axes.set_title(f"{quality.n_steps} of 255 steps left by 8 bits", fontsize=10)
