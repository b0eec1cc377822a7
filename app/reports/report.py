"""The report: what observers saw and answered, side by side, as one HTML page."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...analysis.agreement.latent import LatentAgreement, latent_agreement
from ...analysis.agreement.pairs import shared_pairs
from ...analysis.agreement.profile import DepthProfile, depth_profile
from ...analysis.agreement.responses import ResponseAgreement, response_agreement
from ...analysis.kernels.weighted_sum import template_match
from ...analysis.plot.course import draw_course
from ...analysis.plot.curves import draw_efficiency, draw_psychometric, draw_roc
from ...analysis.plot.depth import draw_depth
from ...analysis.plot.kernels import Panel, draw_kernels, signed_template
from ...analysis.plot.measures import draw_agreement, draw_measures
from ...analysis.plot.second_order import draw_second_order, draw_spectra
from ...analysis.sessions.depths import Depths, depths
from ...analysis.sessions.summary import SessionSummary
from ...analysis.sessions.timeline import timeline
from ...analysis.trials.attempts import Attempts, Fault
from ...analysis.trials.estimate import CannotTell
from ...analysis.trials.held import Held
from ...analysis.trials.responses import SessionLike
from ...experiments.clock import utc_now
from ...experiments.session.results import SessionData
from ..figures import as_svg
from ..files import whole_file
from .by_condition import condition_tables
from .contrasts import by_contrast
from .formulas import formulas
from .methods_paragraph import methods_paragraph
from .numbers import inline, interval, p_value, prose, significant

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Progress = Callable[[str, int, int], None]
Kept = dict[tuple[str, ...], Any]  # entries by session id, pairs by both ids
Faults = dict[str, dict[str, Fault]]  # by session or pair, and part


SIDE_BY_SIDE = 3  # sessions along their trials


@dataclass(frozen=True, eq=False)
class Entry:
    """One session with all that the page says of it.

    Attributes
    ----------
    match
        Cosine of the fitted kernel with the signal; None where either is not there.
    """

    session: SessionData
    depths: Depths
    panel: Panel | None
    match: float | None

    @property
    def summary(self) -> SessionSummary:
        """The numbers of order zero."""
        return self.depths.summary

    @property
    def faults(self) -> dict[str, Fault]:
        """Parts of the analysis that broke."""
        return self.depths.faults


@dataclass(frozen=True, eq=False)
class Pair:
    """Two observers of the same trials, compared."""

    comparison: ResponseAgreement
    latent: LatentAgreement | None
    profile: DepthProfile | None
    faults: dict[str, Fault]


def write_report(
    sessions: Sequence[SessionData],
    path: Path,
    progress: Progress | None = None,
    orders: int = 2,
    kept: Kept | None = None,
) -> Faults:
    """Write the report of some sessions, whole or not at all.

    Parameters
    ----------
    sessions
        Any observers; those with the same stimuli are shown on one scale.
    path
        Where the page goes.
    progress
        Called with a word, how many sessions are done and how many there are.
    orders
        The deepest order of each session's analysis: 0, 1 or 2. Yoked sessions are
        compared at all three from 1 on.
    kept
        What an earlier report found of finished sessions, to be used and added to.

    Returns
    -------
    dict
        What broke in the analysis by a mistake of ours, by session or pair; the page
        says so, and has all the rest.

    Raises
    ------
    ValueError
        If there is no session.
    """
    kept = {} if kept is None else kept
    page = render_report(sessions, progress, orders, kept)
    with whole_file(path) as file:
        file.write(page)
    return {
        " and ".join(ids): found.faults for ids, found in kept.items() if found.faults
    }


def render_report(
    sessions: Sequence[SessionData],
    progress: Progress | None = None,
    orders: int = 2,
    kept: Kept | None = None,
) -> str:
    """Give the report as HTML; arguments as for `write_report`."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    if not sessions:
        raise ValueError("sessions must be one or more, got none")
    kept = {} if kept is None else kept
    entries = []
    for session in sessions:
        key = (session.id,)
        if key not in kept:
            kept[key] = _entry(session, orders)
        entries.append(kept[key])
        if progress is not None:
            progress("report", len(entries), len(sessions))
    by_stimuli: dict[str, list[Entry]] = {}
    for entry in entries:
        by_stimuli.setdefault(entry.session.protocol.stimulus_hash, []).append(entry)
    loader = PackageLoader("yoked.app.reports")
    pages = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    for each in (inline, interval, p_value, prose, significant):
        pages.filters[each.__name__] = each
    groups = [_shown(group, orders, kept) for group in by_stimuli.values()]
    page = pages.get_template("report.html")
    tables = condition_tables(sessions)
    return page.render(groups=groups, tables=tables, orders=orders, made_at=utc_now())


def _entry(session: SessionData, orders: int) -> Entry:
    found = depths(session, orders, viewing=session.viewing)
    kernel = None
    if found.one is not None:
        # The weighted sum stands in where the task is not one of two alternatives.
        kernel = found.one.fitted or found.one.weighted_sum
    if kernel is None:
        return Entry(session, found, None, None)
    drawn = Panel(session.observer, kernel, signed_template(session))
    if drawn.template is None:
        return Entry(session, found, drawn, None)
    try:
        match = template_match(kernel.kernel, drawn.template).cosine
    except CannotTell:  # a template or kernel that is flat has no shape to match
        match = None
    return Entry(session, found, drawn, match)


def _pairs(group: list[Entry], orders: int, kept: Kept) -> list[Pair]:
    """Compare the sessions that share trials."""
    pairs = shared_pairs([entry.session for entry in group])
    for both in pairs:
        key = (both[0].id, both[1].id)
        if key not in kept:
            kept[key] = _pair(*both, with_profile=orders > 0)
    return [kept[both[0].id, both[1].id] for both in pairs]


def _pair(reference: SessionLike, other: SessionLike, with_profile: bool) -> Pair:
    """Compare two sessions; a comparison that breaks leaves the others as they are."""
    ours, theirs = Held.of(reference), Held.of(other)
    attempt = Attempts(())
    latent = attempt("latent agreement", lambda: latent_agreement(ours, theirs))
    profile = None
    if with_profile:
        profile = attempt("depth profile", lambda: depth_profile(ours, theirs))
    faults = attempt.faults | (profile.faults if profile else {})
    return Pair(response_agreement(ours, theirs), latent, profile, faults)


def _names(group: list[Entry]) -> dict[str, str]:
    """Name sessions by their observer, and by a part of the id where that is twice."""
    n = Counter(entry.session.observer for entry in group)
    names: dict[str, str] = {}
    for entry in group:
        name, session = entry.session.observer, entry.session.id
        code, _, condition = session.partition("/")
        code = code.rpartition("-")[2]
        name = name if n[name] == 1 else f"{name} {code}"
        names[session] = f"{name}, {condition}" if condition else name
    return names


def _renamed(pair: Pair, names: dict[str, str]) -> Pair:
    compared = pair.comparison
    both = {
        "reference_observer": names[compared.reference],
        "other_observer": names[compared.other],
    }
    profile = pair.profile and replace(pair.profile, **both)
    return replace(pair, comparison=replace(compared, **both), profile=profile)


def _shown(group: list[Entry], orders: int, kept: Kept) -> dict[str, Any]:
    """Give what the page shows of sessions with the same stimuli."""
    names = _names(group)
    pairs = [_renamed(pair, names) for pair in _pairs(group, orders, kept)]
    zeros = [(names[each.session.id], each.depths.zero) for each in group]
    figures = _figures(group, names, pairs)
    return {
        "protocol": group[0].session.protocol,
        "entries": group,
        "names": names,
        "pairs": pairs,
        "figures": {name: as_svg(drawn) for name, drawn in figures},
        "shown": by_contrast(zeros),
        "formulas": formulas([_numbers(group, pairs)]),
        "methods": methods_paragraph(
            [entry.session for entry in group], [entry.depths for entry in group]
        ),
        "notes": _notes(group, names),
    }


def _figures(
    group: list[Entry], names: dict[str, str], pairs: list[Pair]
) -> Iterator[tuple[str, "Figure"]]:
    """Draw what there is to draw; a figure without data is left out."""
    named = [(names[entry.session.id], entry) for entry in group]
    summaries = [replace(entry.summary, observer=name) for name, entry in named]
    yield "measures", draw_measures(summaries)
    lines = [
        replace(timeline(entry.session, entry.depths.zero.course), observer=name)
        for name, entry in named
        if entry.summary.n_counted
    ]
    for start in range(0, len(lines), SIDE_BY_SIDE):
        yield f"course{start}", draw_course(lines[start : start + SIDE_BY_SIDE])
    if pairs:
        profiles = [pair.profile for pair in pairs if pair.profile is not None]
        if profiles:
            yield "depth", draw_depth(profiles)
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


def _numbers(group: list[Entry], pairs: list[Pair]) -> dict[str, Any]:
    """Everything estimated, as plain data."""
    return {
        "sessions": [entry.depths.to_dict() for entry in group],
        "comparison": [pair.comparison.to_dict() for pair in pairs],
        "latent": [pair.latent.to_dict() for pair in pairs if pair.latent],
        "depth profile": [pair.profile.to_dict() for pair in pairs if pair.profile],
    }


def _notes(group: list[Entry], names: dict[str, str]) -> list[str]:
    """Collect what limits the numbers, once each."""
    found = []
    for entry in group:
        who = names[entry.session.id]
        found += [
            f"{who}: {name}: {note}" for name, note in _said(entry.depths.to_dict(), "")
        ]
        for part, why in entry.depths.missing.items():
            name = part.split(".")[-1].replace("_", " ")
            found.append(f"{who}: no {name}: {why}")
    return list(dict.fromkeys(found))


def _said(numbers: Any, name: str) -> Iterator[tuple[str, str]]:
    """Yield the notes of everything pooled, with what they are about."""
    if isinstance(numbers, dict):
        note = numbers.get("note")
        if isinstance(note, str):
            yield name.replace("_", " "), note
        for key, each in numbers.items():
            if key != "by_contrast":
                yield from _said(each, name if key == "pooled" else key)
