"""The pictures of a report, of sessions with the same stimuli."""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ...analysis.plot.course import draw_course
from ...analysis.plot.curves import draw_efficiency, draw_psychometric, draw_roc
from ...analysis.plot.kernels import Panel, draw_kernels
from ...analysis.plot.measures import draw_agreement, draw_measures
from ...analysis.plot.second_order import draw_second_order, draw_spectra
from ...analysis.sessions.timeline import timeline
from .entries import Entry, Pair

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDE_BY_SIDE = 3  # sessions along their trials


def figures(
    group: list[Entry], names: dict[str, str], pairs: list[Pair]
) -> Iterator[tuple[str, "Figure"]]:
    """Draw what there is to draw; a figure without data is left out."""
    named = [(names[entry.session.id], entry) for entry in group]
    summaries = [replace(entry.summary, observer=name) for name, entry in named]
    yield "measures", draw_measures(summaries)
    lines = [
        replace(timeline(entry.session, entry.depths.zero.course), observer=name)
        for name, entry in named
        if entry.summary.n_counted and entry.session.protocol.task.has_target
    ]
    rows = math.ceil(len(lines) / SIDE_BY_SIDE)  # of nearly one length
    for row in range(rows):
        chosen = lines[row * len(lines) // rows : (row + 1) * len(lines) // rows]
        yield f"course{row}", draw_course(chosen)
    if pairs:
        yield "agreement", draw_agreement([pair.comparison for pair in pairs])
    zero = [(name, entry.depths.zero) for name, entry in named]
    # A yes/no task has one point, which the table says already.
    rocs = [
        (name, each.roc)
        for name, each in zero
        if each.roc and len(each.roc.criteria) > 1
    ]
    if rocs:
        yield "roc", draw_roc(rocs)
    fits = [(name, each.psychometric) for name, each in zero if each.psychometric]
    if fits:
        yield "psychometric", draw_psychometric(fits)
    several = [
        (name, each.efficiency)
        for name, each in zero
        if each.efficiency and len(each.efficiency.by_contrast) > 1
    ]
    if several:
        yield "efficiency", draw_efficiency(several)
    units: dict[str, list[Panel]] = {}
    for name, entry in named:
        if entry.panel is not None:
            panel = replace(entry.panel, label=name)
            units.setdefault(panel.unit, []).append(panel)
    for number, panels in enumerate(units.values()):
        yield f"kernels{number or ''}", draw_kernels(panels)
    two = [(name, entry.depths.two) for name, entry in named if entry.depths.two]
    seconds = [(name, each.kernel) for name, each in two if each.kernel]
    if seconds:
        yield "second_order", draw_second_order(seconds)
        spectra = [
            (name, spectrum)
            for name, each in two
            if (spectrum := each.without_linear_part or each.spectrum)
        ]
        if spectra:
            yield "spectra", draw_spectra(spectra, seconds[0][1].noise_sd)
