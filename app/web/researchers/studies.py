"""Studies for researchers: made, opened, watched, invited to, and taken home."""

import csv
import io
import shutil
import sqlite3
import tempfile
from pathlib import Path

from flask import (
    Blueprint,
    abort,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)
from werkzeug.wrappers import Response

from ....experiments.store.trial_log import Store
from ...accounts import accounts as people
from ...accounts import audit, roles
from ...accounts.accounts import Account
from ...accounts.roles import EDITOR, OWNER, VIEWER
from ...studies.answers_csv import answers_csv
from ...studies.counts import counts_of
from ...studies.description import load_study
from ...studies.exports import payable, write_log
from ...studies.kept import KeptStudy, add_study, every_study, key_of, set_state
from ...studies.links import links_of, make_links, revoke_link
from ...studies.monitor import attending
from ..participate import the_host
from .blueprints import protected
from .entry import desk, require_role, signed_in
from .login import Page

blueprint = protected(
    Blueprint("researchers_studies", __name__, url_prefix="/researchers/studies")
)
MOST_LINKS = 500  # of one form


@blueprint.get("")
def every() -> Page:
    """List the studies in which somebody has a role."""
    return _list_page(signed_in())


@blueprint.post("")
def create() -> Page:
    """Make a study from its text; whoever makes it is its owner."""
    by, at, text = signed_in(), desk().now(), request.form.get("text", "")
    store = the_host().store
    try:
        with tempfile.TemporaryDirectory() as folder:
            # Alone in its folder: it can name shipped protocols, and no other file.
            path = Path(folder, "study.toml")
            path.write_text(text, encoding="utf-8")
            study = load_study(path)

        def make(db: sqlite3.Connection) -> None:
            add_study(store, study)
            key = key_of(db, study.name)
            assert key is not None, "it was added"
            roles.give(db, by, by, key, OWNER, at)

        the_host().write(make)
    except (ValueError, LookupError, OSError) as error:
        return _list_page(by, str(error), text), 400
    return redirect(url_for(".one", name=study.name), code=303)


@blueprint.get("/<name>")
def one(name: str) -> Page:
    """Show who is where in a study, and what can be done with it."""
    kept = _study(name, VIEWER)
    return _study_page(kept)


@blueprint.post("/<name>/state")
def change_state(name: str) -> Page:
    """Open, pause or close a study."""
    kept = _study(name, EDITOR)
    by, at, state = signed_in(), desk().now(), request.form.get("state", "")
    store = the_host().store

    def change(db: sqlite3.Connection) -> None:
        set_state(store, name, state)
        audit.note(db, by, f"made a study {state}", at, study=kept.key)

    try:
        the_host().write(change)
    except ValueError as error:
        return _study_page(kept, str(error)), 409
    return redirect(url_for(".one", name=name, done="changed"), code=303)


@blueprint.post("/<name>/links")
def invite(name: str) -> Page:
    """Make links, and show them, once."""
    kept = _study(name, EDITOR)
    by, at = signed_in(), desk().now()
    n = request.form.get("n", type=int) or 0
    if not 1 <= n <= MOST_LINKS:
        got = request.form.get("n")
        sentence = f"the number of links must be from 1 to {MOST_LINKS}, got {got}"
        return _study_page(kept, sentence), 400
    label, is_pilot = request.form.get("label", "")[:60], "is_pilot" in request.form
    labels = [f"{label} {number}".strip() for number in range(1, n + 1)]

    def make(db: sqlite3.Connection) -> list[str]:
        audit.note(db, by, "made links", at, study=kept.key, detail=str(n))
        return make_links(db, kept.key, labels, is_pilot)

    tokens = the_host().write(make)
    addresses = [
        url_for("participate.join", link=each, _external=True) for each in tokens
    ]
    return render_template(
        "researchers/links_made.html",
        kept=kept,
        is_pilot=is_pilot,
        links=list(zip(labels, addresses, strict=True)),
    )


@blueprint.post("/<name>/links/<int:number>/revoke")
def revoke(name: str, number: int) -> Page:
    """Let a link lead nowhere."""
    kept = _study(name, EDITOR)
    by, at = signed_in(), desk().now()

    def change(db: sqlite3.Connection) -> None:
        revoke_link(db, kept.key, number)
        audit.note(db, by, "revoked a link", at, study=kept.key, detail=str(number))

    try:
        the_host().write(change)
    except LookupError:
        abort(404, "The study has no such link.")
    return redirect(url_for(".one", name=name, done="changed"), code=303)


@blueprint.post("/<name>/people")
def give_role(name: str) -> Page:
    """Give somebody a role in a study, or take it away."""
    kept = _study(name, OWNER)
    by, at, role = signed_in(), desk().now(), request.form.get("role") or None
    whose = request.form.get("account", "").strip()

    def change(db: sqlite3.Connection) -> None:
        account = people.find(db, whose)
        if account is None:
            raise ValueError(f"the account must be one that is here, got {whose!r}")
        roles.give(db, by, account, kept.key, role, at)

    try:
        the_host().write(change)
    except ValueError as error:
        return _study_page(kept, str(error)), 409
    return redirect(url_for(".one", name=name, done="changed"), code=303)


@blueprint.get("/<name>/log.db")
def log(name: str) -> Response:
    """Send the trial log of a study: its tables alone, and nothing of other studies."""
    kept = _study(name, VIEWER)
    host, file = the_host(), f"{kept.study.name}.db"
    sent = tempfile.TemporaryFile()  # noqa: SIM115 - gone when the reply is closed
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, file)
        write_log(host.store, host.db_path, kept.study.name, out, pilots=False)
        with out.open("rb") as written:
            shutil.copyfileobj(written, sent)
    sent.seek(0)
    kind = "application/vnd.sqlite3"
    return send_file(sent, kind, as_attachment=True, download_name=file)


@blueprint.get("/<name>/payments.csv")
def payments(name: str) -> Response:
    """Send codes and recruiters' names: for whoever pays."""
    kept = _study(name, OWNER)
    by, at = signed_in(), desk().now()
    host = the_host()
    host.write(lambda db: audit.note(db, by, "read payments", at, study=kept.key))
    with host.store.beside() as connection:
        rows = payable(connection, kept)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["session", "sitting", "code", "outcome", "external_id"])
    for row in rows:
        cells = [row.session, row.sitting, row.code, row.outcome, row.external_id]
        writer.writerow(cells)
    reply = Response(text.getvalue(), mimetype="text/csv")
    reply.headers["Content-Disposition"] = f"attachment; filename={name}-payments.csv"
    return reply


@blueprint.get("/<name>/answers.csv")
def answers(name: str) -> Response:
    """Send what people answered in questionnaires, pilot runs only if asked for."""
    kept = _study(name, VIEWER)
    by, at = signed_in(), desk().now()
    host = the_host()
    host.write(lambda db: audit.note(db, by, "read answers", at, study=kept.key))
    with host.store.beside() as connection:
        text = answers_csv(connection, kept, "pilots" in request.args)
    reply = Response(text, mimetype="text/csv")
    reply.headers["Content-Disposition"] = f"attachment; filename={name}-answers.csv"
    return reply


def _study(name: str, role: str) -> KeptStudy:
    """Give a study in which whoever asks has a role, or a higher one."""
    signed_in()  # whoever is nobody is not told which studies there are
    kept = the_host().study(name)
    if kept is None:
        abort(404, "There is no such study, or you have no part in it.")
    require_role(kept.key, role)
    return kept


def _role(account: Account, kept: KeptStudy) -> str | None:
    return desk().accounts.read(lambda db: roles.role_in(db, account, kept.key))


def _list_page(
    account: Account, complaint: str | None = None, text: str | None = None
) -> str:
    store: Store = the_host().store
    with store.beside() as connection:
        rows = [
            (kept, counts_of(connection, kept), role)
            for kept in every_study(store)
            if (role := _role(account, kept)) is not None
        ]
    return render_template(
        "researchers/studies.html",
        rows=rows,
        complaint=complaint,
        text=_EXAMPLE if text is None else text,
    )


def _study_page(kept: KeptStudy, complaint: str | None = None) -> str:
    store, account = the_host().store, signed_in()
    with store.beside() as connection:
        return render_template(
            "researchers/study.html",
            kept=kept,
            counts=counts_of(connection, kept),
            sessions=attending(store, connection, kept)[::-1],
            links=links_of(connection, kept.key),
            people=roles.people_of(connection, kept.key),
            role=_role(account, kept),
            is_enough=roles.is_enough,
            complaint=complaint,
        )


_EXAMPLE = """\
name = "my-study"
quota = 40

[researcher]
name = ""
contact = ""
ethics = ""

[[arms]]
name = "all"
protocol = "bar-in-noise"
"""
