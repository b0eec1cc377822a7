"""A session so far, and groups of them side by side: what a server's pages show.

People and models go through the same lines. All of it is plain, so that it can be had
from a process of its own (`looking`).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ...analysis.agreement.group import (
    ObserverKernel,
    group_kernel,
    observer_kernel,
)
from ...analysis.plot.course import draw_course
from ...analysis.plot.kernels import draw_kernels, panel, signed_template, size_of
from ...analysis.plot.means import MeanPanel, draw_means
from ...analysis.sessions.summary import SessionSummary, summarise
from ...analysis.sessions.timeline import timeline
from ...analysis.trials.estimate import CannotTell, Estimate
from ...analysis.trials.responses import responses
from ...experiments.protocols.same_stimuli import by_stimuli
from ...experiments.session.results import SessionData
from ..figures import as_svg

Plain = dict[str, Any]


def look_at(session: SessionData) -> Plain:
    """Give what a session says so far: numbers, timing, screening, pictures.

    Parameters
    ----------
    session
        Of a person or a model, finished or not.

    Returns
    -------
    dict
        `table`, a row of results; `quality`; `rt_ms`, quartiles of the counted
        responses; `kernel` and `course`, each a picture (`svg`), or why there is none
        (`why`).
    """
    summary = summarise(session)
    return {
        "table": row_of(session, summary),
        "quality": summary.quality.to_dict(),
        "rt_ms": _quartiles(session),
        "kernel": _picture(lambda: draw_kernels([_panel(session)])),
        "course": _picture(lambda: draw_course([timeline(session)])),
    }


def row_of(session: SessionData, summary: SessionSummary | None = None) -> Plain:
    """Give a session's row in the table of people and models.

    Parameters
    ----------
    session
        Of a person or a model.
    summary
        Where it is known already.
    """
    summary = summary or summarise(session)
    pooled = summary.pooled
    correct = pooled.choices[1] if pooled.choices else pooled.proportion_correct
    return {
        "session": session.id,
        "observer": session.observer,
        "kind": session.row.observer.kind,
        "trials": summary.n_counted,
        "pairs": summary.n_pairs,
        "correct": _told(correct),
        "dprime": _told(pooled.dprime),
        "criterion": _told(pooled.criterion),
        "agreement": _told(pooled.agreement),
        "internal_noise": _told(pooled.internal_noise.gamma),
    }


def means_of(groups: Mapping[str, Sequence[SessionData]]) -> list[Plain]:
    """Give the mean kernels of groups, a picture each, on one scale for each stimulus.

    Within a group each observer has one kernel, over all of its sessions; of two
    observers or more the mean is that of `yoked group`, with its standard error.

    Parameters
    ----------
    groups
        Sessions by what the group is called, in the order of the panels.
    """
    everybody = [
        (label, session) for label, sessions in groups.items() for session in sessions
    ]
    kinds = by_stimuli(everybody, lambda each: each[1].protocol)
    return [_side_by_side(alike) for alike in kinds]


def _side_by_side(sessions: Sequence[tuple[str, SessionData]]) -> Plain:
    """Give the means of groups that saw the same stimuli."""
    missing: dict[str, str] = {}
    groups: dict[str, list[SessionData]] = {}
    for label, session in sessions:
        groups.setdefault(label, []).append(session)
    means = [_mean(label, own, missing) for label, own in groups.items()]
    panels = [each for each in means if each is not None]
    pictures = [{"why": "No kernel can be told yet."}]
    if panels:
        try:
            pictures = [{"svg": as_svg(each)} for each in draw_means(panels)]
        except ModuleNotFoundError as reason:  # what draws is an extra
            pictures = [{"why": f"{reason}."}]
    title = sessions[0][1].protocol.title
    return {"title": title, "pictures": pictures, "missing": missing}


def _mean(
    label: str, sessions: Sequence[SessionData], missing: dict[str, str]
) -> MeanPanel | None:
    """Give a group's panel; who has no kernel yet is missing with the reason."""
    kernels: list[ObserverKernel] = []
    for name in dict.fromkeys(each.observer for each in sessions):
        own = [each for each in sessions if each.observer == name]
        try:
            kernels.append(observer_kernel(name, own, [responses(s) for s in own]))
        except CannotTell as reason:
            missing[name] = str(reason)
    if not kernels:
        return None
    kernel, se = kernels[0].kernel, np.full(kernels[0].kernel.shape, kernels[0].se)
    if len(kernels) > 1:
        together = group_kernel(kernels)
        kernel, se = together.kernel, together.se
    n = len(kernels)
    named = f"{label}, n = {n}" if n > 1 else label
    first = sessions[0]
    return MeanPanel(named, kernel, se, signed_template(first), size_of(first.protocol))


def _panel(session: SessionData) -> Any:
    try:
        return panel(session)
    except CannotTell:  # fewer trials tell a weighted sum, and so do other tasks
        return panel(session, "weighted_sum")


def _picture(draw: Callable[[], Any]) -> Plain:
    try:
        return {"svg": as_svg(draw())}
    except (CannotTell, ModuleNotFoundError) as reason:
        return {"why": f"{str(reason)[:1].upper()}{str(reason)[1:]}."}


def _quartiles(session: SessionData) -> list[float] | None:
    times = session.counted["rt_ms"].dropna().to_numpy(float)
    return np.percentile(times, [25, 50, 75]).round(1).tolist() if len(times) else None


def _told(estimate: Estimate) -> Plain:
    return {"short": estimate.short(), **estimate.to_dict()}


def values_of(row: Plain) -> Plain:
    """Give a row of results with values alone, without intervals and notes."""
    return {
        name: cell["value"] if isinstance(cell, dict) else cell
        for name, cell in row.items()
    }
