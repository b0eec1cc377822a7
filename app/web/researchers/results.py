"""What a study found so far: people and models in one table, and a page per session."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, render_template
from markupsafe import Markup

from ...accounts.roles import VIEWER
from ...studies.kept import KeptStudy
from ...studies.monitor import Attending, attending
from ..looker import Found
from ..participate import the_host
from .blueprints import protected
from .login import Page
from .named import study_named

blueprint = protected(
    Blueprint("researchers_results", __name__, url_prefix="/researchers/studies/<name>")
)
MOST_ROWS = 200  # of one page; the newest


@dataclass(frozen=True)
class Row:
    """One session in the table.

    Attributes
    ----------
    session
        Who is where.
    table
        What `reports.looks` found; None while nothing is.
    is_current
        Whether that is of all trials.
    """

    session: Attending
    table: dict[str, Any] | None
    is_current: bool


@blueprint.get("/results")
def results(name: str) -> Page:
    """Show people and models in one table, and their mean kernels side by side."""
    kept = study_named(name, VIEWER)
    sessions = _sessions(kept)
    rows = [_row(each) for each in sessions[-MOST_ROWS:]]
    groups = _groups(sessions)
    means, is_meant = None, True
    if groups:
        versions = {each.session: _version(each) for each in sessions}
        used = [each for sessions in groups.values() for each in sessions]
        version = " ".join(f"{each} {versions[each]}" for each in used)
        question = {"means": groups}
        means = the_host().looker.find(f"means {kept.key}", version, question)
        is_meant = means is not None and means.version == version
    return render_template(
        "researchers/results.html",
        kept=kept,
        rows=sorted(rows, key=lambda row: row.session.is_model),
        n_more=max(0, len(sessions) - MOST_ROWS),
        pictures=[] if means is None else means.answer.get("pictures", []),
        is_computing=not (is_meant and all(row.is_current for row in rows)),
        picture=picture,
    )


@blueprint.get("/sessions/<session>")
def one(name: str, session: str) -> Page:
    """Show one session so far: its numbers, its kernel, timing, screening, device."""
    kept = study_named(name, VIEWER)
    found = next((each for each in _sessions(kept) if each.session == session), None)
    if found is None:
        abort(404, "The study has no such session.")
    look, row = _look(found), the_host().store.session(session)
    return render_template(
        "researchers/session.html",
        kept=kept,
        session=found,
        row=row,
        n_screened=the_host().store.protocol(row.protocol_hash).screening.min_trials,
        look=None if look is None else look.answer,
        is_current=look is not None and look.version == _version(found),
        picture=picture,
    )


def picture(found: Mapping[str, Any], words: str) -> Markup:
    """Give a drawing as a picture that the policy takes, or why there is none."""
    if "svg" not in found:
        return Markup('<p class="hint">{}</p>').format(found["why"])
    data = base64.b64encode(found["svg"].encode()).decode()
    return Markup('<img src="data:image/svg+xml;base64,{}" alt="{}">').format(
        data, words
    )


def _sessions(kept: KeptStudy) -> list[Attending]:
    store = the_host().store
    with store.beside() as connection:
        return attending(store, connection, kept)


def _row(each: Attending) -> Row:
    if each.n_trials == 0:
        return Row(each, None, is_current=True)
    version, question = _version(each), {"row": each.session}
    look = the_host().looker.find(f"row {each.session}", version, question)
    if look is None:
        return Row(each, None, is_current=False)
    return Row(each, look.answer.get("table"), look.version == _version(each))


def _look(each: Attending) -> Found | None:
    """Give what is known of a session; what is new is asked for meanwhile."""
    if each.n_trials == 0:
        return None
    question = {"look": each.session}
    return the_host().looker.find(each.session, _version(each), question)


def _version(each: Attending) -> str:
    """Say of which trials something is."""
    return f"{each.n_trials} {each.status}"


def _groups(sessions: Sequence[Attending]) -> dict[str, list[str]]:
    """Give whose kernels are drawn side by side: people together, each model by itself.

    Pilot runs, and who was screened out, are in no mean.
    """
    groups: dict[str, list[str]] = {}
    for each in sessions:
        if each.n_trials == 0 or each.is_pilot or each.outcome == "screened out":
            continue
        label = each.observer if each.is_model else "people"
        groups.setdefault(label, []).append(each.session)
    return dict(sorted(groups.items(), key=lambda group: group[0] != "people"))
