"""The report: what observers saw and answered, side by side, as one HTML page."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...analysis.agreement.closer import Closer, closer
from ...analysis.agreement.pairs import shared_pairs
from ...analysis.agreement.profile import DepthProfile
from ...analysis.agreement.verdict import MARGIN, Verdicts, verdicts
from ...analysis.plot.depth import draw_depth
from ...analysis.trials.attempts import Attempts, Fault
from ...analysis.trials.responses import SessionLike
from ...experiments.clock import utc_now
from ...experiments.protocols.same_stimuli import by_stimuli
from ...experiments.session.results import SessionData
from ..figures import as_svg
from ..files import whole_file
from . import kernel_tables, pair_tables, session_tables
from .by_condition import condition_tables
from .closer_table import closer_renamed, closer_shown
from .contrasts import by_contrast
from .drawings import figures
from .entries import Entry, Kept, Pair, entry_of, pair_of
from .formulas import formulas
from .methods_comparison import comparison_sentences
from .methods_paragraph import methods_paragraph
from .numbers import inline, interval, p_value, prose, significant
from .verdict_text import rule, sentence

Progress = Callable[[str, int, int], None]
Faults = dict[str, dict[str, Fault]]  # by session or pair, and part
Orders = int | Callable[[SessionData], int]

PART_NAMES = {"one.doubt": "check that noise and trials belong together"}
FIRST_PAIRS = 4  # that the first screen has room for


def write_report(
    sessions: Sequence[SessionData],
    path: Path,
    progress: Progress | None = None,
    orders: Orders = 2,
    kept: Kept | None = None,
    margin: float = MARGIN,
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
        The deepest order of each session's analysis: 0, 1 or 2, or what gives it of a
        session. Yoked sessions are compared at all three from 1 on.
    kept
        What an earlier report found of finished sessions, to be used and added to.
    margin
        Share of the ceiling above which two observers pass for alike.

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
    page = render_report(sessions, progress, orders, kept, margin)
    with whole_file(path) as file:
        file.write(page)
    return {
        " and ".join(ids): found.faults for ids, found in kept.items() if found.faults
    }


def render_report(
    sessions: Sequence[SessionData],
    progress: Progress | None = None,
    orders: Orders = 2,
    kept: Kept | None = None,
    margin: float = MARGIN,
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
            kept[key] = entry_of(session, _order(orders, session))
        entries.append(kept[key])
        if progress is not None:
            progress("report", len(entries), len(sessions))
    loader = PackageLoader("yoked.app.reports")
    pages = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for each in (inline, interval, p_value, prose, significant):
        pages.filters[each.__name__] = each
    kinds = by_stimuli(entries, lambda entry: entry.session.protocol)
    groups = [_compared(group, orders, kept) for group in kinds]
    groups.sort(key=lambda group: not group.pairs)  # who is compared comes first
    profiles = _profiles(groups)
    judged = verdicts(profiles, margin) if profiles else None
    page = pages.get_template("report.html")
    return page.render(
        verdict=judged and _verdict(profiles, judged),
        closer=[closer_shown(each) for group in groups for each in group.closer],
        groups=[_shown(group, judged) for group in groups],
        tables=condition_tables(sessions),
        n_sessions=len(entries),
        made_at=utc_now(),
    )


def _order(orders: Orders, session: SessionData) -> int:
    return orders if isinstance(orders, int) else orders(session)


@dataclass(frozen=True, eq=False)
class _Group:
    """Sessions with the same stimuli, the names that they have, and their pairs."""

    entries: list[Entry]
    names: dict[str, str]
    pairs: list[Pair]
    closer: list[Closer]
    shared: list[tuple[SessionLike, SessionLike]]

    @property
    def title(self) -> str:
        """What was shown."""
        return self.entries[0].session.protocol.name

    @property
    def named(self) -> list[tuple[str, Entry]]:
        """Entries with their names."""
        return [(self.names[each.session.id], each) for each in self.entries]


def _compared(entries: list[Entry], orders: Orders, kept: Kept) -> _Group:
    """Compare every two sessions that had the same trials."""
    names, pairs = _names(entries), []
    with_profiles = any(_order(orders, entry.session) > 0 for entry in entries)
    found = shared_pairs([entry.session for entry in entries])
    for both in found:
        key = (both[0].id, both[1].id)
        if key not in kept:
            kept[key] = pair_of(*both, with_profile=with_profiles)
        pairs.append(_renamed(kept[key], names))
    nearer = [closer_renamed(each, names) for each in _closer(found, kept)]
    return _Group(entries, names, pairs, nearer, found)


def _closer(
    pairs: Sequence[tuple[SessionLike, SessionLike]], kept: Kept
) -> Iterator[Closer]:
    """Say of each observer with several others which of them is closer."""
    by_reference: dict[str, list[SessionLike]] = {}
    for reference, other in pairs:
        by_reference.setdefault(reference.id, [reference]).append(other)
    for reference, *others in by_reference.values():
        key = ("closer", reference.id, *(each.id for each in others))
        if len(others) > 1 and key not in kept:
            attempt = Attempts(())
            which = attempt("closer", lambda r=reference, o=others: closer(r, o))
            if which is not None:
                kept[key] = which
        if key in kept:
            yield kept[key]


def _profiles(groups: list[_Group]) -> list[DepthProfile]:
    """Give the pairs that the verdict is of, by names that tell them apart."""
    several = sum(bool(group.pairs) for group in groups) > 1
    return [
        replace(
            profile,
            other_observer=f"{profile.other_observer} ({group.title})",
        )
        if several
        else profile
        for group in groups
        for pair in group.pairs
        if (profile := pair.profile)
    ]


def _verdict(profiles: list[DepthProfile], judged: Verdicts) -> dict[str, Any]:
    """Give what the page says first, of all pairs."""
    parts = [
        {
            "sentences": [sentence(pair) for pair in judged.pairs[chosen]],
            "figure": as_svg(
                draw_depth(
                    profiles[chosen], replace(judged, pairs=judged.pairs[chosen])
                )
            ),
        }
        for start in range(0, len(profiles), FIRST_PAIRS)
        for chosen in [slice(start, start + FIRST_PAIRS)]
    ]
    return {"first": parts[0], "others": parts[1:], "rule": rule(judged)}


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


def _shown(group: _Group, judged: Verdicts | None) -> dict[str, Any]:
    """Give what the page shows of sessions with the same stimuli."""
    entries, named = group.entries, group.named
    drawn = figures(entries, group.names, group.pairs)
    return {
        "protocol": entries[0].session.protocol,
        "entries": entries,
        "names": group.names,
        "pairs": group.pairs,
        "figures": {
            name: [as_svg(each) for each in several] for name, several in drawn
        },
        "shallow": not any(each.depths.two for each in entries),
        "tables": {
            "zero": session_tables.zero_table(named),
            "accuracy": session_tables.accuracy_table(named),
            "course": session_tables.course_table(named),
            "halves": session_tables.halves_table(named),
            "cueing": session_tables.cueing_table(named),
            "one": kernel_tables.one_table(named),
            "two": kernel_tables.two_table(named),
            "depth": pair_tables.depth_table(group.pairs),
            "agreement": pair_tables.agreement_table(group.pairs),
        },
        "shown": by_contrast([(name, each.depths.zero) for name, each in named]),
        "formulas": formulas([_numbers(entries, group.pairs)]),
        "methods": methods_paragraph(
            [entry.session for entry in entries],
            [entry.depths for entry in entries],
            comparison=comparison_sentences(group.shared, judged),
        ),
        "doubts": [
            (name, each.depths.one.doubt)
            for name, each in named
            if each.depths.one and each.depths.one.doubt
        ],
        "notes": _notes(entries, group.names),
    }


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
            name = PART_NAMES.get(part, part.split(".")[-1].replace("_", " "))
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
