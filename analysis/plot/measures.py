"""Numbers of sessions and pairs of sessions, as dots with 95 % intervals."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..agreement.responses import ResponseAgreement
from ..sessions.summary import SessionSummary
from ..trials.estimate import Estimate
from .style import BLUE, CARD, GRAY, ORANGE, PALE, STYLE, dots, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_measures(summaries: Sequence[SessionSummary]) -> "Figure":
    """Draw d', criterion, proportion correct and internal noise with 95 % intervals.

    Where no response is correct, the share of choices and internal noise.
    """
    chosen = [s.pooled.choices for s in summaries if s.pooled.choices]
    columns = {
        "d′": [s.pooled.dprime for s in summaries],
        "criterion": [s.pooled.criterion for s in summaries],
        "proportion correct": [s.pooled.proportion_correct for s in summaries],
    }
    middles = {"criterion": 0.0, "proportion correct": 0.5}
    if len(chosen) == len(summaries) and len({name for name, _ in chosen}) == 1:
        columns = {chosen[0][0]: [share for _, share in chosen]}
        middles = {chosen[0][0]: 0.5}
    columns["internal noise γ"] = [s.pooled.internal_noise.gamma for s in summaries]
    rows = -(-len(columns) // 2)
    figure, pyplot = new_figure((CARD, 0.2 + rows * (0.55 + 0.3 * len(summaries))))
    with pyplot.rc_context(STYLE):
        axes = figure.subplots(rows, 2, sharey=True).ravel()
    for axis, (name, estimates) in zip(axes, columns.items(), strict=True):
        dots(axis, estimates)
        axis.set_title(name, fontsize=8.5)
        if name in middles:
            axis.axvline(middles[name], color=PALE, lw=0.7, zorder=0)
    names = ["\n".join(textwrap.wrap(s.observer, 18)) for s in summaries]
    axes[0].set_yticks(range(len(summaries)), names, fontsize=8)
    axes[0].set_ylim(len(summaries) - 0.5, -0.5)
    return figure


def draw_agreement(comparisons: Sequence[ResponseAgreement]) -> "Figure":
    """Draw how often each model chose as the human did, beside the ceiling."""
    figure, pyplot = new_figure((CARD, 1.5 + 0.6 * len(comparisons)))
    with pyplot.rc_context(STYLE):
        axis = figure.subplots()
    axis.axvline(0.5, color=PALE, lw=0.7, zorder=0)
    for row, each in enumerate(comparisons):
        lower, upper = each.ceiling.lower.value, each.ceiling.upper.value
        if lower is not None and upper is not None:
            label = "bounds of the best possible model" if row == 0 else None
            axis.fill_betweenx(
                [row - 0.32, row + 0.32], lower, upper, color="#DDDDDD", label=label
            )
        linear = each.ceiling.linear_gaussian.value
        if linear is not None:
            label = "the same if the reference were linear" if row == 0 else None
            axis.plot([linear] * 2, [row - 0.32, row + 0.32], color=GRAY, label=label)
        _agreement(
            axis, each.same_response_double_pass, row, ORANGE, "double-pass trials"
        )
        _agreement(axis, each.same_response, row - 0.12, BLUE, "all shared trials")
        name = f"{each.other_observer} with {each.reference_observer}"
        place = axis.get_yaxis_transform()
        behind = {"facecolor": "white", "lw": 0, "pad": 1}
        text = {"transform": place, "fontsize": 8, "va": "bottom", "bbox": behind}
        axis.text(0, row - 0.36, name, **text)
    axis.set_yticks([])
    axis.set_ylim(len(comparisons) - 0.5, -0.65)
    axis.spines["left"].set_visible(False)
    axis.set_xlabel("share of trials with the same response")
    figure.legend(frameon=False, fontsize=7.5, loc="outside lower left", ncol=1)
    return figure


def _agreement(
    axis: "Axes", estimate: Estimate, row: float, color: str, label: str
) -> None:
    if estimate.value is None:
        return
    ends = [e for e in (estimate.low, estimate.high) if e is not None]
    axis.plot(ends, [row] * len(ends), color=color, lw=1.4)
    first = label if round(row) == 0 else None
    axis.plot([estimate.value], [row], "o", color=color, ms=5, label=first)
