"""The report: what observers saw and answered, side by side, as one HTML page."""

import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..analysis.agreement import Comparison, compare
from ..analysis.estimate import Estimate
from ..analysis.kernels import template_match
from ..analysis.plot import Panel, agreements, kernel_figure, measures, panel
from ..analysis.summary import SessionSummary, summarise
from ..experiments.clock import utc_now
from ..experiments.results import SessionData
from .files import whole_file

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.figure import Figure

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class Entry:
    """One session with all that the page says of it.

    Attributes
    ----------
    panel
        Its kernel; None where there is none, and `why` says why not.
    match
        Cosine of kernel and signal.
    """

    session: SessionData
    summary: SessionSummary
    panel: Panel | None
    match: float | None
    why: str | None


def write_report(
    sessions: Sequence[SessionData], path: Path, progress: Progress | None = None
) -> None:
    """Write the report of some sessions, whole or not at all.

    Parameters
    ----------
    sessions
        Any observers; those with the same stimuli are shown on one scale.
    path
        Where the page goes.
    progress
        Called with a word, how many sessions are done and how many there are.

    Raises
    ------
    ValueError
        If there is no session.
    """
    page = render_report(sessions, progress)
    with whole_file(path) as file:
        file.write(page)


def render_report(
    sessions: Sequence[SessionData], progress: Progress | None = None
) -> str:
    """Give the report as HTML; arguments as for `write_report`."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    if not sessions:
        raise ValueError("sessions must be one or more, got none")
    entries = []
    for session in sessions:
        entries.append(_entry(session))
        if progress is not None:
            progress("report", len(entries), len(sessions))
    by_stimuli: dict[str, list[Entry]] = {}
    for entry in entries:
        by_stimuli.setdefault(entry.session.protocol.stimulus_hash, []).append(entry)
    loader = PackageLoader("yoked.app")
    pages = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    pages.filters["interval"] = interval
    return pages.get_template("report.html").render(
        groups=[_shown(group) for group in by_stimuli.values()], made_at=utc_now()
    )


def comparisons(sessions: Sequence[SessionData]) -> list[Comparison]:
    """Compare every session with the one it is yoked to, where both are here."""
    by_id = {session.id: session for session in sessions}
    return [
        compare(by_id[session.yoked_to], session)
        for session in sessions
        if session.yoked_to in by_id
    ]


def _entry(session: SessionData) -> Entry:
    summary = summarise(session)
    try:
        kernel = panel(session)
    except ValueError as error:  # a class without trials has no kernel
        return Entry(session, summary, None, None, str(error))
    try:
        match = template_match(kernel.kernel.kernel, kernel.template).cosine
    except ValueError as error:  # a template that is flat has no shape to match
        return Entry(session, summary, kernel, None, str(error))
    return Entry(session, summary, kernel, match, None)


def _shown(group: list[Entry]) -> dict[str, Any]:
    """Give what the page shows of sessions with the same stimuli."""
    pairs = comparisons([entry.session for entry in group])
    panels = [entry.panel for entry in group if entry.panel is not None]
    return {
        "protocol": group[0].session.protocol,
        "entries": group,
        "measures": as_svg(measures([entry.summary for entry in group])),
        "kernels": as_svg(kernel_figure(panels)) if panels else None,
        "comparisons": pairs,
        "agreements": as_svg(agreements(pairs)) if pairs else None,
        "formulas": _formulas(group, panels, pairs),
        "notes": _notes(group),
    }


def _formulas(
    group: list[Entry], panels: list[Panel], pairs: list[Comparison]
) -> list[tuple[str, str]]:
    """Name the formula of every kind of number on the page."""
    pooled = group[0].summary.pooled
    likelihood = pooled.internal_noise_likelihood.gamma.formula
    named = [
        ("d′", pooled.dprime.formula),
        ("criterion", pooled.criterion.formula),
        ("proportion correct", pooled.proportion_correct.formula),
        ("agreement of the two passes", pooled.agreement.formula),
        ("internal noise γ", pooled.internal_noise.gamma.formula),
        ("γ by likelihood", likelihood),
    ]
    if panels:
        named.append(("kernel", panels[0].kernel.formula))
    if pairs:
        named.append(("same choice", pairs[0].same_choice.formula))
        named.append(("error consistency κ", pairs[0].error_consistency.formula))
        named.append(("ceiling", pairs[0].ceiling.upper.formula))
    return named


def _notes(group: list[Entry]) -> list[str]:
    """Collect what limits the numbers, once each."""
    found = []
    for entry in group:
        pooled = entry.summary.pooled
        estimates = (
            pooled.dprime,
            pooled.criterion,
            pooled.agreement,
            pooled.internal_noise.gamma,
            pooled.internal_noise_likelihood.gamma,
        )
        texts = [estimate.note for estimate in estimates] + [entry.why]
        found += [f"{entry.session.observer}: {text}" for text in texts if text]
    return list(dict.fromkeys(found))


def interval(estimate: Estimate, decimals: int = 2) -> "Markup":
    """Give an estimate as its value above its interval, or a dash.

    Examples
    --------
    >>> print(interval(Estimate(1.5, 0.1, 1.3, math.inf, 100, "any/1")))
    1.50<br><span class="interval">[1.30, ∞]</span>
    """
    from markupsafe import Markup

    if estimate.value is None:
        return Markup("–")
    value = Markup(_number(estimate.value, decimals))
    if estimate.low is None or estimate.high is None:
        return value
    ends = [_number(end, decimals) for end in (estimate.low, estimate.high)]
    return value + Markup('<br><span class="interval">[{}, {}]</span>').format(*ends)


def _number(value: float, decimals: int) -> str:
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{value:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")


def as_svg(figure: "Figure") -> str:
    """Give a figure as SVG that can stand inside a page."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]
