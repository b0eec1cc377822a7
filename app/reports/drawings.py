"""The pictures of a report, of sessions with the same stimuli."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ...analysis.plot.cards import on_one_scale
from ...analysis.plot.course import draw_course
from ...analysis.plot.curves import draw_efficiency, draw_psychometric, draw_roc
from ...analysis.plot.kernels import Panel, draw_kernels
from ...analysis.plot.measures import draw_agreement, draw_measures
from ...analysis.plot.second_order import draw_second_order, draw_spectra
from ...analysis.sessions.timeline import timeline
from .entries import Entry, Pair

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def figures(
    group: list[Entry], names: dict[str, str], pairs: list[Pair]
) -> Iterator[tuple[str, list["Figure"]]]:
    """Draw what there is to draw; a figure without data is left out.

    Each is as wide as a telephone; those of one kind are on one scale, and a page sets
    as many beside each other as have room.
    """
    named = [(names[entry.session.id], entry) for entry in group]
    summaries = [replace(entry.summary, observer=name) for name, entry in named]
    yield "measures", [draw_measures(summaries)]
    lines = [
        replace(timeline(entry.session, entry.depths.zero.course), observer=name)
        for name, entry in named
        if entry.summary.n_counted and entry.session.protocol.task.has_target
    ]
    if lines:
        yield "course", on_one_scale([draw_course([each]) for each in lines])
    if pairs:
        yield "agreement", [draw_agreement([pair.comparison for pair in pairs])]
    zero = [(name, entry.depths.zero) for name, entry in named]
    # A yes/no task has one point, which the table says already.
    rocs = [
        (name, each.roc)
        for name, each in zero
        if each.roc and len(each.roc.criteria) > 1
    ]
    if rocs:
        yield "roc", [draw_roc(rocs)]
    fits = [(name, each.psychometric) for name, each in zero if each.psychometric]
    if fits:
        yield "psychometric", [draw_psychometric(fits)]
    several = [
        (name, each.efficiency)
        for name, each in zero
        if each.efficiency and len(each.efficiency.by_contrast) > 1
    ]
    if several:
        yield "efficiency", [draw_efficiency(several)]
    units: dict[str, list[Panel]] = {}
    for name, entry in named:
        if entry.panel is not None:
            panel = replace(entry.panel, label=name)
            units.setdefault(panel.unit, []).append(panel)
    if units:
        yield (
            "kernels",
            [
                figure
                for panels in units.values()
                for figure in on_one_scale([draw_kernels([each]) for each in panels])
            ],
        )
    two = [(name, entry.depths.two) for name, entry in named if entry.depths.two]
    seconds = [(name, each.kernel) for name, each in two if each.kernel]
    if seconds:
        yield "second_order", on_one_scale([draw_second_order([s]) for s in seconds])
        spectra = [
            (name, spectrum)
            for name, each in two
            if (spectrum := each.without_linear_part or each.spectrum)
        ]
        if spectra:
            sd = seconds[0][1].noise_sd
            yield "spectra", on_one_scale([draw_spectra([s], sd) for s in spectra])
