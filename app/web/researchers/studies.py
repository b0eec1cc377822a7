"""Studies for researchers: made, opened, watched, and invited to."""

from flask import Blueprint, redirect, render_template, request, url_for

from ....experiments.protocols.files import protocol_names
from ....experiments.store.connection import Connection
from ...accounts import accounts as people
from ...accounts import roles
from ...accounts.accounts import Account
from ...accounts.roles import EDITOR, OWNER, VIEWER
from ...studies.counts import counts_of
from ...studies.kept import KeptStudy
from ...studies.links import links_of
from ...studies.monitor import attending
from ..participate import the_host
from .blueprints import protected
from .deeds import (
    LONGEST_LABEL,
    make_invitations,
    make_study,
    put_into,
    revoke_invitation,
    studies_of,
)
from .entry import desk, signed_in
from .login import Page
from .named import role_of, study_named

blueprint = protected(
    Blueprint("researchers_studies", __name__, url_prefix="/researchers/studies")
)


@blueprint.get("")
def every() -> Page:
    """List the studies in which somebody has a role."""
    return _list_page(signed_in())


@blueprint.post("")
def create() -> Page:
    """Make a study from its text; whoever makes it is its owner."""
    text = request.form.get("text", "")
    try:
        kept = make_study(text)
    except ValueError as error:
        return _list_page(signed_in(), str(error), text), 400
    return redirect(url_for(".one", name=kept.study.name), code=303)


@blueprint.get("/<name>")
def one(name: str) -> Page:
    """Show who is where in a study, and what can be done with it."""
    kept = study_named(name, VIEWER)
    return _study_page(kept)


@blueprint.post("/<name>/state")
def change_state(name: str) -> Page:
    """Open, pause or close a study."""
    kept = study_named(name, EDITOR)
    try:
        put_into(kept, request.form.get("state", ""))
    except ValueError as error:
        return _study_page(kept, str(error)), 409
    return redirect(url_for(".one", name=name, done="changed"), code=303)


@blueprint.post("/<name>/links")
def invite(name: str) -> Page:
    """Make links, and show them, once."""
    kept = study_named(name, EDITOR)
    label, is_pilot = request.form.get("label", ""), "is_pilot" in request.form
    try:
        n = request.form.get("n", type=int) or 0
        links = make_invitations(kept, n, label[:LONGEST_LABEL], is_pilot)
    except ValueError as error:
        return _study_page(kept, str(error)), 400
    return render_template(
        "researchers/links_made.html",
        kept=kept,
        is_pilot=is_pilot,
        links=[(each.label, each.address) for each in links],
    )


@blueprint.post("/<name>/links/<int:number>/revoke")
def revoke(name: str, number: int) -> Page:
    """Let a link lead nowhere."""
    revoke_invitation(study_named(name, EDITOR), number)
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


def _list_page(
    account: Account, complaint: str | None = None, text: str | None = None
) -> str:
    return render_template(
        "researchers/studies.html",
        rows=studies_of(account),
        protocols=protocol_names(),
        complaint=complaint,
        text=_EXAMPLE if text is None else text,
    )


def _study_page(kept: KeptStudy, complaint: str | None = None) -> str:
    store = the_host().reader
    with store.beside() as connection:
        return render_template(
            "researchers/study.html",
            kept=kept,
            counts=counts_of(connection, kept),
            sessions=attending(store, connection, kept)[::-1],
            links=links_of(connection, kept.key),
            people=roles.people_of(connection, kept.key),
            role=role_of(kept),
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
