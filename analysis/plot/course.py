"""Sessions along their trials: criterion, d', accuracy, misses and lapses."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..sessions.timeline import Timeline, Window
from ..trials.estimate import CannotTell, Estimate
from .style import BLUE, GRAY, ORANGE, PALE, STYLE, new_figure, share_limits

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROWS = ("criterion", "d′", "proportion\ncorrect", "misses,\nlapses")
HEIGHTS = (3, 2, 2, 1.4)
WIDTH, HEIGHT = 2.8, 5.6  # inches


def draw_course(timelines: Sequence[Timeline]) -> "Figure":
    """Draw sessions side by side, a row for each measure, trials from left to right.

    Dots are windows of trials with 95 % intervals; the line with its band is the course
    of the criterion that the likelihood fits. Vertical lines are blocks. The row of
    misses and lapses is left out where there is neither a miss nor a catch trial.
    """
    if not timelines:
        raise CannotTell("a plot must have a session to draw, got none")
    n = len(timelines)
    rows = len(ROWS) if any(map(_has_misses, timelines)) else len(ROWS) - 1
    heights = HEIGHTS[:rows]
    figure, pyplot = new_figure((0.9 + WIDTH * n, HEIGHT * sum(heights) / sum(HEIGHTS)))
    with pyplot.rc_context(STYLE):
        axes: Any = figure.subplots(
            rows, n, squeeze=False, sharex="col", height_ratios=heights
        )
    for column, each in zip(axes.T, timelines, strict=True):
        for axis in column:
            for start in each.blocks:
                axis.axvline(start - 0.5, color=PALE, lw=0.6, zorder=0)
        _criterion(column[0], each)
        for axis, name in zip(
            column[1:3], ("dprime", "proportion_correct"), strict=True
        ):
            _windows(axis, each.windows, name)
        column[2].axhline(0.5, color=PALE, lw=0.7, zorder=0)
        if rows == len(ROWS):
            _misses(column[3], each)
        column[0].set_title(each.observer, pad=16)  # above the tests
        column[-1].set_xlabel("trial")
    for row, name in zip(axes, ROWS, strict=False):
        row[0].set_ylabel(name)
        for axis in row:
            axis.set_label(name)
        share_limits(list(row))
    return figure


def _has_misses(each: Timeline) -> bool:
    return bool(len(each.catch_trial)) or any(w.misses.value for w in each.windows)


def _criterion(axis: "Axes", each: Timeline) -> None:
    axis.axhline(0, color=PALE, lw=0.7, zorder=0)
    _windows(axis, each.windows, "criterion")
    middle = each.criterion.value
    if each.course is None or middle is None:
        text = each.note or "no course"
        axis.text(0.02, 0.02, text, transform=axis.transAxes, fontsize=7.5, wrap=True)
        return
    course = each.course.course
    axis.fill_between(
        course.trial,
        course.low + middle,
        course.high + middle,
        color=ORANGE,
        alpha=0.22,
        lw=0,
    )
    axis.plot(course.trial, course.value + middle, color=ORANGE, lw=1.4)
    place: dict[str, Any] = {"transform": axis.transAxes, "va": "bottom"}
    axis.text(0, 1.02, _tests(each), fontsize=7.5, **place)


def _tests(each: Timeline) -> str:
    assert each.course is not None
    tests = {"drift": each.course.spline, "blocks": each.course.blocks}
    said = [f"{name} {_p(test.p_holm)}" for name, test in tests.items() if test]
    return "p: " + ", ".join([*said, f"trial before {_p(each.course.previous.p)}"])


def _p(p: float) -> str:
    return "< .001" if p < 0.0005 else f"{p:.3f}".removeprefix("0")


def _windows(axis: "Axes", windows: Sequence[Window], name: str) -> None:
    for each in windows:
        estimate: Estimate = getattr(each, name)
        if estimate.value is None or not np.isfinite(estimate.value):
            continue
        x = (each.first + each.last) / 2
        ends = [end for end in (estimate.low, estimate.high) if end is not None]
        if len(ends) == 2 and np.isfinite(ends).all():
            axis.plot([x, x], ends, color=BLUE, lw=0.9)
        axis.plot([x], [estimate.value], "o", color=BLUE, ms=3.5)


def _misses(axis: "Axes", each: Timeline) -> None:
    """Draw the share of misses, and catch trials as marks: errors high, others low."""
    for window in each.windows:
        ends = [window.first, window.last]
        if window.misses.value is not None:
            axis.plot(ends, [window.misses.value] * 2, color=GRAY, lw=1.6)
    axis.set_ylim(-0.12, 1.12)
    axis.set_yticks([0, 0.5, 1])
    right, wrong = each.catch_trial[each.catch_correct], ~each.catch_correct
    axis.plot(right, np.zeros(len(right)), "|", color=BLUE, ms=6)
    missed = each.catch_trial[wrong]
    axis.plot(missed, np.ones(len(missed)), "x", color=ORANGE, ms=5)
    if len(each.catch_trial):
        text = f"catch trials: {len(missed)} of {len(each.catch_trial)} wrong (×)"
        axis.text(0.02, 0.6, text, transform=axis.transAxes, fontsize=7.5)
