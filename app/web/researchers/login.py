"""Signing in: name and password, then a code; the first password by a one-time link."""

from typing import NoReturn

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ....experiments.store.connection import Connection
from ...accounts import accounts as people
from ...accounts import audit, authenticator, passwords, sign_ins
from ...accounts.accounts import Account
from ...accounts.sign_ins import PASSWORD, PROXY
from ..own_page import require_own_page
from .blueprints import speaking
from .entry import (
    OWN_PAGE,
    cookie,
    current,
    desk,
    is_password_of,
    is_private,
    of_cookie,
    require_private,
    said_by_proxy,
    with_browser,
    with_cookie,
    without_cookie,
)

blueprint = speaking(
    Blueprint("researchers_login", __name__, url_prefix="/researchers")
)

Page = str | Response | tuple[str, int]
MISFIT = "Name and password do not fit together."
WRONG_CODE = "That code is not right, or was used already."
NO_LINK = (
    "This one-time code was used, has expired, or is not complete. Whoever gave it to "
    "you can make another one."
)


@blueprint.before_request
def guard() -> None:
    """Take passwords of our own pages only, where nobody on the way can read them."""
    if request.method == "POST":
        require_own_page(OWN_PAGE)
        require_private()


@blueprint.get("/sign-in")
def sign_in() -> Page:
    """Ask for name and password."""
    if current() is not None:
        return redirect(_next())
    return _sign_in_page()


@blueprint.post("/sign-in")
def check_password() -> Page:
    """Let somebody in whose name and password fit together, or ask for a code."""
    name, password = request.form.get("name", ""), request.form.get("password", "")
    at = desk().now()
    accounts = desk().accounts
    account, stored = accounts.read(lambda db: people.credentials(db, name))
    if not is_password_of(account, name, password) or account is None:
        _note_refusal(account, "wrong password")
        return _sign_in_page(MISFIT, name), 403
    if account.is_disabled:
        _note_refusal(account, "disabled")
        return _sign_in_page(MISFIT, name), 403
    if stored is not None and passwords.is_outdated(stored):
        today = passwords.hashed(password)
        accounts.write(lambda db: people.store_hash(db, account, today))
    before, awaits = cookie(), account.has_authenticator

    def begin(db: Connection) -> str:
        sign_ins.end(db, before)
        return sign_ins.begin(db, account, at, PASSWORD, awaits)

    token = accounts.write(begin)
    where = url_for("researchers_login.code", next=_next()) if awaits else _next()
    reply = with_cookie(redirect(where, code=303), token)
    return reply if awaits else with_browser(reply, account)


@blueprint.get("/sign-in/code")
def code() -> Page:
    """Ask for a code, of somebody whose password was right."""
    pending = of_cookie()
    if pending is None or not pending.awaits_code:
        return redirect(url_for("researchers_login.sign_in"))
    return render_template("researchers/code.html", next=_next())


@blueprint.post("/sign-in/code")
def check_code() -> Page:
    """Let somebody in by a code of their app, or by a recovery code."""
    pending = of_cookie()
    if pending is None or not pending.awaits_code:
        return redirect(url_for("researchers_login.sign_in"), code=303)
    account, before, at = pending.account, cookie(), desk().now()
    desk().attempts.tries.spend(f"code {account.key}", "attempts with a code")
    typed, key = request.form.get("code", ""), desk().accounts.key

    def begin(db: Connection) -> str | None:
        if not authenticator.accept(db, key, account, typed, at):
            what = "was refused a sign-in"
            audit.note(db, account, what, at, account, detail="wrong code")
            return None
        sign_ins.end(db, before)
        return sign_ins.begin(db, account, at)

    token = desk().accounts.write(begin)
    if token is None:
        page = render_template(
            "researchers/code.html", next=_next(), complaint=WRONG_CODE
        )
        return page, 403
    return with_browser(with_cookie(redirect(_next(), code=303), token), account)


@blueprint.post("/sign-in/proxy")
def by_proxy() -> Page:
    """Let somebody in of whom a named proxy says who it is."""
    said, sso, at = said_by_proxy(), desk().single_sign_on, desk().now()
    if said is None or sso is None:
        abort(403, "Nobody vouches for you here. Please sign in by password.")
    before = cookie()

    def begin(db: Connection) -> str | None:
        account = people.find(db, said)
        if account is None and sso.makes_accounts:
            account = people.create(db, None, said, at, how=PROXY)
        if account is None or account.is_disabled:
            return None
        sign_ins.end(db, before)
        return sign_ins.begin(db, account, at, PROXY)

    token = desk().accounts.write(begin)
    if token is None:
        abort(403, "There is no account for you here. An administrator can make one.")
    return with_cookie(redirect(_next(), code=303), token)


@blueprint.get("/welcome")
def welcome() -> Page:
    """Ask for a first password; the code is in the address behind #, unknown to us."""
    return render_template("researchers/welcome.html", shortest=passwords.SHORTEST)


@blueprint.post("/welcome")
def set_first_password() -> Page:
    """Set the password of whoever has a one-time code."""
    token, at = request.form.get("token", "").strip(), desk().now()
    accounts = desk().accounts
    account = accounts.read(lambda db: people.linked(db, token, at))
    if account is None:
        _refuse_link(NO_LINK, "")
    try:
        hashed = new_password(account)
    except ValueError as error:
        _refuse_link(str(error), token)
    if accounts.write(lambda db: people.use_link(db, token, hashed, at)) is None:
        _refuse_link(NO_LINK, "")
    page = _sign_in_page(None, account.name, "Your password is set. Please sign in.")
    return without_cookie(Response(page, mimetype="text/html"))


def new_password(account: Account) -> str:
    """Give the hash of the new password that a form has, twice.

    Raises
    ------
    ValueError
        If it is no good password, or the two differ.
    """
    password = request.form.get("new_password", "")
    passwords.require_password(password, account.name)
    if password != request.form.get("again", ""):
        raise ValueError("the password must be the same both times, got two")
    return passwords.hashed(password)


def _refuse_link(complaint: str, token: str) -> NoReturn:
    page = render_template(
        "researchers/welcome.html",
        complaint=complaint,
        token=token,
        shortest=passwords.SHORTEST,
    )
    abort(Response(page, 400, mimetype="text/html"))


def _note_refusal(account: Account | None, why: str) -> None:
    """Write down who was refused; a name that is nobody's may be a password."""
    if account is not None:
        at, what = desk().now(), "was refused a sign-in"
        desk().accounts.write(
            lambda db: audit.note(db, account, what, at, account, detail=why)
        )


def _sign_in_page(
    complaint: str | None = None, name: str = "", notice: str | None = None
) -> str:
    return render_template(
        "researchers/sign_in.html",
        complaint=complaint,
        notice=notice,
        name=name,
        next=_next(),
        said=said_by_proxy(),
        is_private=is_private(),
        is_new=not desk().accounts.read(people.every),
    )


def _next() -> str:
    """Give where somebody wanted to go: one of our own pages, or the first one."""
    asked = request.values.get("next", "")
    ours = url_for("researchers_account.home")
    is_ours = asked.startswith(ours) and "\\" not in asked and ".." not in asked
    return asked if is_ours else url_for(desk().home)
