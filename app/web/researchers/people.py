"""Accounts for administrators, and the audit log."""

from collections.abc import Callable
from datetime import timedelta

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ....experiments.store.connection import Connection
from ...accounts import accounts as people
from ...accounts import audit, authenticator, sign_ins
from ...accounts.accounts import LINK_HOURS, Account
from ...accounts.file import requires_codes, set_requires_codes
from ...accounts.schema import stamp
from ..addresses import LARGEST
from .blueprints import protected
from .entry import administrator, desk
from .login import Page

blueprint = protected(
    Blueprint("researchers_people", __name__, url_prefix="/researchers")
)

Change = Callable[[Connection, Account, Account], None]


@blueprint.get("/accounts")
def every() -> Page:
    """List the accounts."""
    administrator()
    return _list_page()


@blueprint.post("/accounts")
def create() -> Page:
    """Make an account, and show the one-time link with which its password is set."""
    by, at = administrator(), desk().now()
    name = request.form.get("name", "").strip()
    is_administrator = request.form.get("is_administrator") == "yes"

    def make(db: Connection) -> tuple[Account, str]:
        account = people.create(db, by, name, at, is_administrator)
        return account, people.new_link(db, by, account, at)

    try:
        account, token = desk().accounts.write(make)
    except ValueError as error:
        return _list_page(str(error), name), 400
    return _link_page(account, token, is_new=True)


@blueprint.post("/accounts/codes")
def ask_for_codes() -> Page:
    """Ask everybody who signs in by password for an authenticator app, or not."""
    by, at = administrator(), desk().now()
    is_required = request.form.get("is_required") == "yes"

    def change(db: Connection) -> None:
        set_requires_codes(db, is_required)
        what = "required codes" if is_required else "made codes optional"
        audit.note(db, by, what, at)

    desk().accounts.write(change)
    done = "required" if is_required else "optional"
    return redirect(url_for("researchers_people.every", done=done), code=303)


@blueprint.get("/accounts/<int:key>")
def one(key: int) -> Page:
    """Show an account."""
    administrator()
    return _account_page(_account(key))


@blueprint.post("/accounts/<int:key>/link")
def link(key: int) -> Page:
    """Show a new one-time link, once."""
    by, at, account = administrator(), desk().now(), _account(key)
    if account.is_disabled:
        abort(409, "This account is disabled. Let it in again first.")
    token = desk().accounts.write(lambda db: people.new_link(db, by, account, at))
    return _link_page(account, token, is_new=False)


@blueprint.post("/accounts/<int:key>/administrator")
def set_administrator(key: int) -> Page:
    """Let an account do everything, or no longer."""
    to, at = request.form.get("to") == "yes", desk().now()
    return _changed(
        key, lambda db, by, one: people.set_administrator(db, by, one, to, at)
    )


@blueprint.post("/accounts/<int:key>/disabled")
def set_disabled(key: int) -> Page:
    """Shut an account out, or let it in again."""
    to, at = request.form.get("to") == "yes", desk().now()
    return _changed(key, lambda db, by, one: people.set_disabled(db, by, one, to, at))


@blueprint.post("/accounts/<int:key>/authenticator")
def forget_app(key: int) -> Page:
    """Ask an account for no codes, whose owner has neither app nor recovery codes."""
    at = desk().now()
    return _changed(key, lambda db, by, one: authenticator.forget(db, by, one, at))


@blueprint.post("/accounts/<int:key>/sign-ins")
def end_sign_ins(key: int) -> Page:
    """End all sign-ins of an account."""
    at = desk().now()
    return _changed(key, lambda db, by, one: sign_ins.end_all(db, by, one, at))


@blueprint.get("/audit")
def audit_log() -> Page:
    """Show who did what, newest first."""
    administrator()
    before = request.args.get("before", type=int)
    if before is not None:
        before = min(max(before, 0), LARGEST)
    found = desk().accounts.read(lambda db: list(audit.entries(db, before)))
    older = found[-1].key if len(found) == audit.PAGE else None
    return render_template(
        "researchers/audit.html", entries=found, older=older, before=before
    )


def _account(key: int) -> Account:
    account = desk().accounts.read(lambda db: people.at_key(db, key))
    if account is None:
        abort(404, "There is no such account.")
    return account


def _changed(key: int, change: Change) -> Page:
    """Change an account, and go back to its page; or say there why not."""
    by, account = administrator(), _account(key)
    try:
        desk().accounts.write(lambda db: change(db, by, account))
    except ValueError as error:
        return _account_page(account, str(error)), 409
    where = url_for("researchers_people.one", key=key, done="changed")
    return redirect(where, code=303)


def _list_page(complaint: str | None = None, name: str = "") -> str:
    return render_template(
        "researchers/accounts.html",
        accounts=desk().accounts.read(people.every),
        requires_codes=desk().accounts.read(requires_codes),
        complaint=complaint,
        name=name,
    )


def _account_page(account: Account, complaint: str | None = None) -> str:
    at = desk().now()
    return render_template(
        "researchers/account_of.html",
        account=account,
        by=administrator(),
        sign_ins=desk().accounts.read(lambda db: sign_ins.every(db, account, at)),
        complaint=complaint,
    )


def _link_page(account: Account, token: str, is_new: bool) -> Response:
    page = render_template(
        "researchers/link_made.html",
        account=account,
        token=token,
        address=f"{url_for('researchers_login.welcome', _external=True)}#{token}",
        until=stamp(desk().now() + timedelta(hours=LINK_HOURS)),
        hours=LINK_HOURS,
        is_new=is_new,
    )
    return Response(page, mimetype="text/html")
