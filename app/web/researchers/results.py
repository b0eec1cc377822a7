"""What a study found so far: people and models in one table, and a page per session."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import (
    Blueprint,
    abort,
    current_app,
    redirect,
    render_template,
    request,
    url_for,
)
from markupsafe import Markup

from ....models.registry import names
from ...accounts import audit
from ...accounts.roles import EDITOR, VIEWER, is_enough
from ...hosting.process import OWN_ADDRESS
from ...studies.kept import KeptStudy
from ...studies.monitor import Attending, attending
from ..looker import MEANS, Found
from ..participate import the_host
from .blueprints import protected
from .entry import desk, signed_in
from .login import Page
from .named import role_of, study_named

blueprint = protected(
    Blueprint("researchers_results", __name__, url_prefix="/researchers/studies/<name>")
)
MOST_NOISE = 100.0  # internal, in external SDs
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


@dataclass(frozen=True)
class SoFar:
    """What a study found so far.

    Attributes
    ----------
    rows
        People, then models; the newest of them.
    n_more
        Sessions before these.
    pictures
        Mean kernels side by side, as drawings.
    is_computing
        Whether anything of it is of fewer trials than there are.
    """

    rows: list[Row]
    n_more: int
    pictures: list[dict[str, Any]]
    is_computing: bool


@blueprint.get("/results")
def results(name: str) -> Page:
    """Show people and models in one table, and their mean kernels side by side."""
    return _results(study_named(name, VIEWER))


@blueprint.post("/models")
def let_take_part(name: str) -> Page:
    """Let a model take part, in a process of its own."""
    kept, by, at = study_named(name, EDITOR), signed_in(), desk().now()
    observer, arm = request.form.get("observer", ""), request.form.get("arm", "")
    noise = request.form.get("internal_noise", type=float)
    try:
        if observer not in names():  # a file of the server is none
            raise ValueError(f"the observer must be a registered one, got {observer!r}")
        if noise is None or not 0 <= noise <= MOST_NOISE:
            rule = f"a number from 0 to {MOST_NOISE}"
            raise ValueError(f"internal noise must be {rule}")
        if arm not in [each.name for each in kept.study.arms]:
            raise ValueError(f"the arm must be one of the study's, got {arm!r}")
        address = current_app.config.get(OWN_ADDRESS)
        if address is None:
            raise ValueError("the server must know its own address to let models in")
        options = ["--internal-noise", f"{noise:g}", "--arm", arm, "--url", address]
        called = f"{observer}, internal noise {noise:g}" if noise else observer
        the_host().models.start(name, observer, options, called)
    except ValueError as error:
        return _results(kept, str(error)), 409
    done, detail = "let a model take part", observer
    the_host().write(
        lambda db: audit.note(db, by, done, at, study=kept.key, detail=detail)
    )
    return redirect(url_for(".results", name=name, done="model"), code=303)


def found_so_far(kept: KeptStudy) -> SoFar:
    """Give what is known of a study; what is new is computed meanwhile."""
    sessions = _sessions(kept)
    rows = [_row(each) for each in sessions[-MOST_ROWS:]]
    groups = _groups(sessions)
    means, is_meant = None, True
    if groups:
        versions = {each.session: _version(each) for each in sessions}
        used = [each for sessions in groups.values() for each in sessions]
        version = " ".join(f"{each} {versions[each]}" for each in used)
        question = {"means": groups}
        means = the_host().looker.find(f"{MEANS} {kept.key}", version, question)
        is_meant = means is not None and means.version == version
    return SoFar(
        rows=sorted(rows, key=lambda row: row.session.is_model),
        n_more=max(0, len(sessions) - MOST_ROWS),
        pictures=[] if means is None else means.answer.get("pictures", []),
        is_computing=not (is_meant and all(row.is_current for row in rows)),
    )


def _results(kept: KeptStudy, complaint: str | None = None) -> str:
    return render_template(
        "researchers/results.html",
        kept=kept,
        **vars(found_so_far(kept)),
        picture=picture,
        complaint=complaint,
        may_add=is_enough(role_of(kept), EDITOR),
        observers=names(),
        at_work=the_host().models.of(kept.study.name),
    )


@blueprint.get("/sessions/<session>")
def one(name: str, session: str) -> Page:
    """Show one session so far: its numbers, its kernel, timing, screening, device."""
    kept = study_named(name, VIEWER)
    found = session_named(kept, session)
    look, row = look_at(found), the_host().reader.session(session)
    return render_template(
        "researchers/session.html",
        kept=kept,
        session=found,
        row=row,
        n_screened=the_host().reader.protocol(row.protocol_hash).screening.min_trials,
        look=None if look is None else look.answer,
        is_current=is_current(look, found),
        picture=picture,
    )


def session_named(kept: KeptStudy, session: str) -> Attending:
    """Give a session of a study; a page says so where there is none."""
    sessions = _sessions(kept, session)
    if not sessions:
        abort(404, "The study has no such session.")
    return sessions[0]


def is_current(look: Found | None, session: Attending) -> bool:
    """Say whether what is known of a session is of all its trials."""
    return look is not None and look.version == _version(session)


def picture(found: Mapping[str, Any], words: str) -> Markup:
    """Give a drawing as a picture that the policy takes, or why there is none."""
    if "svg" not in found:
        return Markup('<p class="hint">{}</p>').format(found["why"])
    data = base64.b64encode(found["svg"].encode()).decode()
    return Markup('<img src="data:image/svg+xml;base64,{}" alt="{}">').format(
        data, words
    )


def _sessions(kept: KeptStudy, session: str | None = None) -> list[Attending]:
    store = the_host().reader
    with store.beside() as connection:
        return attending(store, connection, kept, session)


def _row(each: Attending) -> Row:
    if each.n_trials == 0:
        return Row(each, None, is_current=True)
    version, question = _version(each), {"row": each.session}
    look = the_host().looker.find(f"row {each.session}", version, question)
    if look is None:
        return Row(each, None, is_current=False)
    return Row(each, look.answer.get("table"), look.version == _version(each))


def look_at(each: Attending) -> Found | None:
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
