"""Curves: receiver operating characteristics, psychometric functions, efficiency."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtr, ndtri

from ..psychometric.fit import PsychometricFit
from ..sensitivity.efficiency import Efficiency
from ..sensitivity.roc import Roc
from ..trials.estimate import CannotTell, Estimate
from ..trials.proportion import wilson_interval
from .style import BLUE, CARD, GRAY, GREEN, ORANGE, PALE, STYLE, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# In this order; markers differ too, for print without colour.
SERIES = tuple(zip((BLUE, ORANGE, GREEN, GRAY), "os^D", strict=True))


# No legend lies over data.
ABOVE: dict[str, Any] = {
    "loc": "lower left",
    "bbox_to_anchor": (0, 1),
    "borderaxespad": 0.2,
    "frameon": False,
    "fontsize": 7.5,
    "alignment": "left",
}


def draw_roc(rocs: Sequence[tuple[str, Roc]]) -> "Figure":
    """Draw ROC curves: the points, and the normal model's curve where it was fitted.

    Parameters
    ----------
    rocs
        Pairs of a label and its ROC.

    Raises
    ------
    ValueError
        If there is none.
    """
    figure, axis = _one_panel(rocs, "an ROC")
    axis.plot([0, 1], [0, 1], color=PALE, lw=0.8, zorder=0)
    for number, (label, each) in enumerate(rocs):
        color, marker = SERIES[number % len(SERIES)]
        axis.plot(
            each.false_alarm_rate,
            each.hit_rate,
            marker,
            color=color,
            ms=5,
            label=f"{label}: area {_short(each.auc)}",
        )
        axis.plot(*_roc_curve(each), color=color, lw=1.4)
    axis.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axis.set(xlabel="false alarm rate", ylabel="hit rate")
    axis.legend(**ABOVE)
    return figure


def draw_psychometric(fits: Sequence[tuple[str, PsychometricFit]]) -> "Figure":
    """Draw psychometric functions with the proportions that they were fitted to.

    Points have Wilson's 95 % interval and an area in proportion to their trials; a bar
    at the threshold's height, which a line marks, is the threshold's interval. The
    legend says of which proportion correct the threshold is.

    Parameters
    ----------
    fits
        Pairs of a label and its fit, on one contrast axis.

    Raises
    ------
    ValueError
        If there is none.
    """
    figure, axis = _one_panel(fits, "a psychometric function")
    levels = sorted({fit.threshold_at for _, fit in fits})
    for at in levels:
        axis.axhline(at, color=PALE, lw=0.8, zorder=0)
    for number, (label, fit) in enumerate(fits):
        color, marker = SERIES[number % len(SERIES)]
        _points(axis, fit, color, marker)
        low, high = fit.contrast.min(), fit.contrast.max()
        x = np.geomspace(low, high, 200) if low > 0 else np.linspace(low, high, 200)
        name = f"{label}: {_contrast(fit, len(levels) > 1)}"
        axis.plot(x, fit(x), color=color, lw=1.4, label=name)
        _threshold(axis, fit, color)
    if all(fit.contrast.min() > 0 for _, fit in fits):
        _log_contrast(axis)
    axis.set(xlabel="signal contrast", ylabel="proportion correct", ylim=(None, 1.02))
    said = " or ".join(f"{100 * at:.3g} %" for at in levels)
    title = f"threshold: contrast at {said} correct"
    axis.legend(title=title, title_fontsize=7.5, **ABOVE)
    return figure


def draw_efficiency(found: Sequence[tuple[str, Efficiency]]) -> "Figure":
    """Draw efficiency at each contrast with 95 % intervals, and its power of contrast.

    A line is the power that one likelihood finds. Intervals without an upper end are
    faint; what leaves the picture is cut.

    Parameters
    ----------
    found
        Pairs of a label and the efficiency of a session.

    Raises
    ------
    ValueError
        If there is none.
    """
    figure, axis = _one_panel(found, "an efficiency")
    top = 1.0
    for number, (label, each) in enumerate(found):
        color, marker = SERIES[number % len(SERIES)]
        known = [(at.contrast, at.efficiency) for at in each.by_contrast]
        for contrast, estimate in known:
            _efficiency(axis, contrast, estimate, color, marker)
        contrasts = np.array([contrast for contrast, _ in known])
        fitted = np.ones(len(contrasts)) * (each.pooled.value or np.nan)
        if each.trend is not None and each.trend.power.value is not None:
            fitted = each.trend.lowest * _power(contrasts, each.trend.power.value)
        axis.plot(contrasts, fitted, color=color, lw=1.4, label=label)
        top = max(top, float(np.nanmax(fitted, initial=0)))
    if all(at.contrast > 0 for _, each in found for at in each.by_contrast):
        _log_contrast(axis)
    axis.set(xlabel="signal contrast", ylabel="efficiency", ylim=(0, 1.2 * top))
    axis.legend(**ABOVE)
    return figure


def _power(contrast: np.ndarray, power: float) -> np.ndarray:
    """Contrast over the lowest above 0, to a power."""
    positive = np.where(contrast > 0, contrast, np.nan)
    return (positive / np.nanmin(positive)) ** power


def _efficiency(
    axis: "Axes", contrast: float, estimate: Estimate, color: str, marker: str
) -> None:
    if estimate.value is None or not np.isfinite(estimate.value):
        return
    axis.plot([contrast], [estimate.value], marker, color=color, ms=4)
    if estimate.low is not None and estimate.high is not None:
        is_open = not np.isfinite(estimate.high)
        ends = [estimate.low, 1e6 if is_open else estimate.high]
        alpha = 0.25 if is_open else 1.0
        axis.plot([contrast] * 2, ends, color=color, lw=0.7, alpha=alpha)


def _log_contrast(axis: "Axes") -> None:
    """Make the axis of contrast logarithmic, with ticks that read as contrasts."""
    from matplotlib.ticker import NullLocator

    axis.set_xscale("log")
    low, high = axis.get_xlim()
    steps = (1, 2, 5) if high < 30 * low else (1,)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)))
    ticks = [step * 10.0**k for k in decades for step in steps]
    ticks = [tick for tick in ticks if low <= tick <= high]
    if len(ticks) < 2:  # a narrow range, between two round numbers
        between = np.geomspace(low, high, 5)[1:-1]
        digits = 2 if high > 1.5 * low else 3
        ticks = list(dict.fromkeys(float(f"{x:.{digits}g}") for x in between))
        axis.xaxis.set_minor_locator(NullLocator())
    axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.tick_params(axis="x", which="minor", labelbottom=False)


def _one_panel(drawn: Sequence[tuple[str, Any]], what: str) -> tuple["Figure", "Axes"]:
    if not drawn:
        raise CannotTell(f"a plot must have {what} to draw, got none")
    figure, pyplot = new_figure((CARD, 3.6))
    with pyplot.rc_context(STYLE):
        return figure, figure.subplots()


def _roc_curve(each: Roc) -> tuple[np.ndarray, np.ndarray]:
    """The normal model's curve, or the broken line through the points."""
    if each.d_a.value is None or each.slope.value is None:
        ends = ([0.0], [1.0])
        false_alarms, hits = (
            np.concatenate([ends[0], rate, ends[1]])
            for rate in (each.false_alarm_rate, each.hit_rate)
        )
        return false_alarms, hits
    false_alarms = ndtr(np.linspace(-4, 4, 200))
    intercept = each.d_a.value * np.sqrt((1 + each.slope.value**2) / 2)
    return false_alarms, ndtr(intercept + each.slope.value * ndtri(false_alarms))


def _points(axis: "Axes", fit: PsychometricFit, color: str, marker: str) -> None:
    share = fit.proportion_correct
    size = 60 * fit.n_trials / fit.n_trials.max()
    axis.scatter(
        fit.contrast, share, s=np.maximum(size, 6), color=color, marker=marker, lw=0
    )
    for x, p, n in zip(fit.contrast, share, fit.n_trials, strict=True):
        axis.plot([x, x], wilson_interval(float(p), int(n)), color=color, lw=0.7)


def _threshold(axis: "Axes", fit: PsychometricFit, color: str) -> None:
    low, high = fit.threshold.low, fit.threshold.high
    if low is not None and high is not None and np.isfinite([low, high]).all():
        axis.plot([low, high], [fit.threshold_at] * 2, color=color, lw=3, alpha=0.45)


def _short(estimate: Estimate) -> str:
    return "none" if estimate.value is None else f"{estimate.value:.2f}"


def _contrast(fit: PsychometricFit, with_level: bool) -> str:
    """Say at which contrast the performance is reached."""
    value = fit.threshold.value
    found = "not reached" if value is None else f"{value:.3f}"
    return f"{found} ({100 * fit.threshold_at:.3g} %)" if with_level else found
