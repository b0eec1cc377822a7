"""Studies for researchers: made, opened, watched, and invited to."""

import tempfile
from pathlib import Path

from flask import (
    Blueprint,
    abort,
    redirect,
    render_template,
    request,
    url_for,
)

from ....experiments.protocols.files import protocol_names
from ....experiments.store.connection import Connection
from ....experiments.store.trial_log import Store
from ...accounts import accounts as people
from ...accounts import audit, roles
from ...accounts.accounts import Account
from ...accounts.roles import EDITOR, OWNER, VIEWER
from ...studies.counts import counts_of
from ...studies.description import load_study
from ...studies.kept import KeptStudy, add_study, every_study, key_of, set_state
from ...studies.links import links_of, make_links, revoke_link
from ...studies.monitor import attending
from ..participate import the_host
from .blueprints import protected
from .entry import desk, signed_in
from .login import Page
from .named import study_named

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

        def make(db: Connection) -> None:
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
    kept = study_named(name, VIEWER)
    return _study_page(kept)


@blueprint.post("/<name>/state")
def change_state(name: str) -> Page:
    """Open, pause or close a study."""
    kept = study_named(name, EDITOR)
    by, at, state = signed_in(), desk().now(), request.form.get("state", "")
    store = the_host().store

    def change(db: Connection) -> None:
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
    kept = study_named(name, EDITOR)
    by, at = signed_in(), desk().now()
    n = request.form.get("n", type=int) or 0
    if not 1 <= n <= MOST_LINKS:
        got = request.form.get("n")
        sentence = f"the number of links must be from 1 to {MOST_LINKS}, got {got}"
        return _study_page(kept, sentence), 400
    label, is_pilot = request.form.get("label", "")[:60], "is_pilot" in request.form
    labels = [f"{label} {number}".strip() for number in range(1, n + 1)]

    def make(db: Connection) -> list[str]:
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
    kept = study_named(name, EDITOR)
    by, at = signed_in(), desk().now()

    def change(db: Connection) -> None:
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
    kept = study_named(name, OWNER)
    by, at, role = signed_in(), desk().now(), request.form.get("role") or None
    whose = request.form.get("account", "").strip()

    def change(db: Connection) -> None:
        account = people.find(db, whose)
        if account is None:
            raise ValueError(f"the account must be one that is here, got {whose!r}")
        roles.give(db, by, account, kept.key, role, at)

    try:
        the_host().write(change)
    except ValueError as error:
        return _study_page(kept, str(error)), 409
    return redirect(url_for(".one", name=name, done="changed"), code=303)


def _role(account: Account, kept: KeptStudy) -> str | None:
    return desk().accounts.read(lambda db: roles.role_in(db, account, kept.key))


def _list_page(
    account: Account, complaint: str | None = None, text: str | None = None
) -> str:
    store: Store = the_host().reader
    with store.beside() as connection:
        rows = [
            (kept, counts_of(connection, kept), role)
            for kept in every_study(store)
            if (role := _role(account, kept)) is not None
        ]
    return render_template(
        "researchers/studies.html",
        rows=rows,
        protocols=protocol_names(),
        complaint=complaint,
        text=_EXAMPLE if text is None else text,
    )


def _study_page(kept: KeptStudy, complaint: str | None = None) -> str:
    store, account = the_host().reader, signed_in()
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
