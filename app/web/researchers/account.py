"""One's own account: password, authenticator app, tokens, sign-ins."""

from urllib.parse import urlsplit

import segno
from flask import Blueprint, abort, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from ....experiments.store.connection import Connection
from ...accounts import accounts as people
from ...accounts import authenticator, passwords, roles, sign_ins, tokens
from ...accounts.accounts import Account
from .blueprints import protected
from .entry import (
    cookie,
    current,
    desk,
    is_password_of,
    lacks_codes,
    require_private,
    signed_in,
    without_cookie,
)
from .login import Page, new_password

blueprint = protected(
    Blueprint("researchers_account", __name__, url_prefix="/researchers")
)

NOT_YOURS = "the current password must be yours, got another"
DAYS = (30, 90, 180, 366)


@blueprint.get("/")
def home() -> Page:
    """Lead to the first page of researchers."""
    signed_in()
    return redirect(url_for(desk().home))


@blueprint.get("/account")
def mine() -> Page:
    """Show one's own account."""
    return _page(signed_in(may_lack_codes=True))


@blueprint.post("/sign-out")
def sign_out() -> Page:
    """End this sign-in."""
    token = cookie()
    desk().accounts.write(lambda db: sign_ins.end(db, token))
    return without_cookie(redirect(url_for("researchers_login.sign_in"), code=303))


@blueprint.post("/account/password")
def change_password() -> Page:
    """Change the password; other sign-ins end, this one goes on."""
    account = signed_in(may_lack_codes=True)
    require_private()
    at, here = desk().now(), current()
    try:
        _require_password(account)
        hashed = new_password(account)
    except ValueError as error:
        return _page(account, {"password": str(error)}), 400
    but = None if here is None else here.key
    desk().accounts.write(
        lambda db: people.set_password(db, account, account, hashed, at, but)
    )
    return _back("password")


@blueprint.get("/account/authenticator")
def authenticator_app() -> Page:
    """Show a new secret for an authenticator app; nothing is stored yet."""
    account = signed_in(may_lack_codes=True)
    if account.has_authenticator:
        return redirect(url_for("researchers_account.mine"))
    return _app_page(account, authenticator.new_salt())


@blueprint.post("/account/authenticator")
def confirm_app() -> Page:
    """Ask for codes from now on, once one shows that the app has the secret."""
    account = signed_in(may_lack_codes=True)
    salt, typed = request.form.get("salt", ""), request.form.get("code", "")
    key, at = desk().accounts.key, desk().now()
    if account.has_authenticator or not authenticator.is_salt(salt):
        abort(409, "This page was not complete. Please begin again.")
    try:
        _require_password(account)
        desk().attempts.tries.spend(f"code {account.key}", "attempts with a code")
    except ValueError as error:
        return _app_page(account, salt, str(error)), 400
    codes = desk().accounts.write(
        lambda db: authenticator.set_up(db, key, account, salt, typed, at)
    )
    if codes is None:
        why = "the code must be the one that the app shows now, got another"
        return _app_page(account, salt, why), 400
    return _codes_page(codes, is_new=True)


@blueprint.post("/account/authenticator/remove")
def remove_app() -> Page:
    """Ask for no codes any more."""
    account, at = signed_in(), desk().now()
    try:
        _require_password(account)
    except ValueError as error:
        return _page(account, {"authenticator": str(error)}), 400
    desk().accounts.write(lambda db: authenticator.forget(db, account, account, at))
    return _back("authenticator")


@blueprint.post("/account/recovery-codes")
def new_codes() -> Page:
    """Show ten new recovery codes, once; those of before end."""
    account, at = signed_in(), desk().now()
    if not account.has_authenticator:
        abort(409, "Recovery codes belong to an authenticator app. Set one up first.")
    try:
        _require_password(account)
    except ValueError as error:
        return _page(account, {"authenticator": str(error)}), 400
    codes = desk().accounts.write(
        lambda db: authenticator.new_recovery_codes(db, account, at)
    )
    return _codes_page(codes, is_new=False)


@blueprint.post("/account/tokens")
def new_token() -> Page:
    """Show a new API token, once."""
    account, at = signed_in(), desk().now()
    name, days = request.form.get("token_name", ""), request.form.get("days", "")
    try:
        _require_password(account)
        until = int(days) if days.isdecimal() else 0
        token = desk().accounts.write(
            lambda db: tokens.make(db, account, name, until, at)
        )
    except ValueError as error:
        return _page(account, {"tokens": str(error)}), 400
    return render_template("researchers/token_made.html", token=token, name=name)


@blueprint.post("/account/tokens/<int:key>/revoke")
def revoke_token(key: int) -> Page:
    """End a token."""
    account, at = signed_in(may_lack_codes=True), desk().now()
    desk().accounts.write(lambda db: tokens.revoke(db, account, key, at))
    return _back("token")


@blueprint.post("/account/sign-out-everywhere")
def sign_out_everywhere() -> Page:
    """End all of one's sign-ins, this one too."""
    account, at = signed_in(may_lack_codes=True), desk().now()
    desk().accounts.write(lambda db: sign_ins.end_all(db, account, account, at))
    return without_cookie(redirect(url_for("researchers_login.sign_in"), code=303))


def _require_password(account: Account) -> None:
    """Raise ValueError unless the form has the password, of an account with one."""
    if not account.has_password:  # whom a proxy vouches for
        return
    typed = request.form.get("current_password", "")
    if not is_password_of(account, account.name, typed):
        raise ValueError(NOT_YOURS)


def _back(done: str) -> Response:
    return redirect(url_for("researchers_account.mine", done=done), code=303)


def _page(account: Account, complaints: dict[str, str] | None = None) -> str:
    at, here = desk().now(), current()

    def found(db: Connection) -> dict:
        return {
            "n_codes": authenticator.n_recovery_codes(db, account),
            "tokens": tokens.every(db, account),
            "sign_ins": sign_ins.every(db, account, at),
            "roles": roles.studies_of(db, account),
        }

    return render_template(
        "researchers/account.html",
        account=account,
        here=here,
        lacks_codes=here is not None and lacks_codes(here),
        complaints=complaints or {},
        shortest=passwords.SHORTEST,
        days=DAYS,
        now=at.isoformat(),
        **desk().accounts.read(found),
    )


def _app_page(account: Account, salt: str, complaint: str | None = None) -> str:
    key, server = desk().accounts.key, urlsplit(request.host_url).hostname or ""
    code = segno.make(authenticator.address(key, account, salt, server), error="m")
    secret = authenticator.secret(key, account, salt)
    here = current()
    return render_template(
        "researchers/authenticator.html",
        account=account,
        salt=salt,
        secret=" ".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
        picture=Markup(code.svg_inline(scale=4, light="#fff", svgclass="qr")),
        complaint=complaint,
        is_required=here is not None and lacks_codes(here),
    )


def _codes_page(codes: list[str], is_new: bool) -> str:
    return render_template(
        "researchers/recovery_codes.html", codes=codes, is_new=is_new
    )
