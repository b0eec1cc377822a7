"""Who sends a request: by the cookie of a sign-in, or by the token of a program."""

import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from flask import abort, current_app, g, redirect, request, url_for
from werkzeug.wrappers import Response

from ....experiments.store.connection import Connection
from ...accounts import accounts as people
from ...accounts import roles, sign_ins, tokens
from ...accounts.accounts import Account
from ...accounts.file import Accounts, requires_codes
from ...accounts.passwords import fits
from ...accounts.sign_ins import PROXY, SignIn
from ...accounts.single_sign_on import SingleSignOn
from ...keyfile import keyed_hash
from ..own_page import require_own_page
from .attempts import Attempts

EXTENSION = "yoked researchers"
OWN_PAGE = "This came from another site's page. Please do it on the page here."
OLD_PAGE = "This page is of another sign-in, or was not complete. Please load it again."
FORM_HEADER = "X-Form-Token"  # what a script sends that acts for its page
_BROWSER_DAYS = 365
_LOCAL = {"localhost", "127.0.0.1", "[::1]"}


@dataclass(frozen=True)
class Desk:
    """What the pages of researchers share.

    Attributes
    ----------
    accounts
        The tables.
    attempts
        Limits.
    single_sign_on
        The proxies that say who somebody is; None where no one does.
    home
        Endpoint of the page that a sign-in leads to.
    now
        Gives the time.
    """

    accounts: Accounts
    attempts: Attempts
    single_sign_on: SingleSignOn | None
    home: str
    now: Callable[[], datetime]


def desk() -> Desk:
    """Give what the pages of researchers share."""
    return current_app.extensions[EXTENSION]


def enter(by_token: bool) -> None:
    """Say of a request whether a program may send it, and refuse another site's.

    Parameters
    ----------
    by_token
        Whether a token does: for data and studies, never for accounts.
    """
    g.by_token = by_token
    require_own_form()


def _may_be_program() -> bool:
    return g.get("by_token", False)


def signed_in(may_lack_codes: bool = False) -> Account:
    """Give who sends the request; whoever did not sign in is sent to do so.

    Parameters
    ----------
    may_lack_codes
        Whether somebody may who has yet to set up an authenticator app, where the
        server asks for one.
    """
    token = _bearer()
    if _may_be_program() and token is not None:
        return _of_program(token)
    sign_in = current()
    if sign_in is None:
        _to_sign_in()
    account = sign_in.account
    if not may_lack_codes and lacks_codes(sign_in):
        if _may_be_program():
            abort(403, "This server asks for an authenticator app. Please set one up.")
        abort(redirect(url_for("researchers_account.authenticator_app"), code=303))
    return account


def administrator() -> Account:
    """Give the administrator who sends the request; nobody else gets further."""
    account = signed_in()
    if not account.is_administrator:
        abort(403, "This page is for administrators.")
    return account


def require_role(study: int, role: str) -> Account:
    """Give who sends the request, who must have a role in a study, or a higher one.

    Without any role there is no such study.

    Parameters
    ----------
    study
        Its key.
    role
        One of `roles.ROLES`.
    """
    account = signed_in()
    found = desk().accounts.read(lambda db: roles.role_in(db, account, study))
    if found is None:
        abort(404, "There is no such study, or you have no part in it.")
    if not roles.is_enough(found, role):
        abort(403, f"This needs the role of {role} in this study; yours is {found}.")
    return account


def lacks_codes(sign_in: SignIn) -> bool:
    """Say whether somebody has yet to set up the app that the server asks for."""
    if sign_in.account.has_authenticator or sign_in.means == PROXY:
        return False
    return desk().accounts.read(requires_codes)


def current() -> SignIn | None:
    """Give the sign-in of the browser that sends the request; None without one."""
    if "sign_in" not in g:
        found = of_cookie()
        g.sign_in = None if found is None or found.awaits_code else found
        if g.sign_in is not None and not _is_still_said(g.sign_in):
            g.sign_in = None
    return g.sign_in


def of_cookie() -> SignIn | None:
    """Give the sign-in of the cookie, also one that awaits its code."""
    token = cookie()
    if not token:
        return None
    at = desk().now()
    accounts = desk().accounts
    found = accounts.read(lambda db: sign_ins.find(db, token, at))
    if found and not found.awaits_code and sign_ins.is_to_be_noted(found, at):
        accounts.write(lambda db: sign_ins.seen(db, found, at))
    return found


def _is_still_said(sign_in: SignIn) -> bool:
    """Say whether a proxy still says the same name, of a sign-in that it made."""
    if sign_in.means != PROXY:
        return True
    said = said_by_proxy()
    return said is not None and said.casefold() == sign_in.account.name.casefold()


def said_by_proxy() -> str | None:
    """Give the name that a proxy of single sign-on says; None if none does."""
    sso = desk().single_sign_on
    if sso is None:
        return None
    # Whoever sent us the request, before headers said where it began.
    origin = request.environ.get("werkzeug.proxy_fix.orig", request.environ)
    if sso.header == "REMOTE_USER":
        said = request.environ.get("REMOTE_USER")
    else:
        said = request.headers.get(sso.header)
    return sso.name(str(origin.get("REMOTE_ADDR") or ""), said)


def _bearer() -> str | None:
    """Give the token of a program; a browser may send other kinds of authorization."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.casefold() == "bearer" else None


def _of_program(token: str) -> Account:
    """Give whose a token is; a request counts once, however often it is asked."""
    if "program" not in g:
        g.program = _found_program(token)
    return g.program


def _found_program(token: str) -> Account:
    at = desk().now()
    accounts = desk().accounts

    def find(db: Connection) -> tuple[Account, tokens.ApiToken] | None:
        found = tokens.find(db, token, at)
        account = None if found is None else people.at_key(db, found[0])
        if found is None or account is None or account.is_disabled:
            return None
        return account, found[1]

    found = accounts.read(find)
    if found is None:
        abort(401, "The API token is none, has expired, or was revoked.")
    account, known = found
    desk().attempts.requests.spend(str(known.key), "requests of an API token")
    if known.used_on != tokens.day(at):
        accounts.write(lambda db: tokens.used(db, known, at))
    return account


def _to_sign_in() -> NoReturn:
    if _may_be_program():
        abort(401, "Nobody is signed in. Please sign in, or send an API token.")
    asked = request.full_path.rstrip("?") if request.method == "GET" else ""
    here = f"{request.script_root}{asked}" if asked else None
    abort(redirect(url_for("researchers_login.sign_in", next=here), code=303))


def require_own_form() -> None:
    """Refuse a POST that is not of a form of this very sign-in.

    A program's token does instead: another site's page cannot send one.
    """
    is_of_program = _may_be_program() and _bearer() is not None
    if request.method in ("GET", "HEAD", "OPTIONS") or is_of_program:
        return
    require_own_page(OWN_PAGE)
    if current() is None:
        _to_sign_in()
    given = request.headers.get(FORM_HEADER) or request.form.get("form_token", "")
    if not hmac.compare_digest(given.encode(), form_token().encode()):
        abort(403, OLD_PAGE)


def form_token() -> str:
    """Give what the forms of this sign-in carry; nothing without one."""
    return sign_ins.form_token(cookie()) if current() is not None else ""


def cookie() -> str:
    """Give the token in the cookie of the sign-in; nothing without one."""
    return request.cookies.get(cookie_name("sign-in"), "")


def with_cookie(response: Response, token: str) -> Response:
    """Put the token of a sign-in into a reply: until the browser is closed."""
    _set(response, "sign-in", token, None)
    return response


def without_cookie(response: Response) -> Response:
    """Take the cookie of the sign-in away."""
    response.delete_cookie(cookie_name("sign-in"), path="/", secure=request.is_secure)
    return response


def known_browser(account: Account | None) -> str | None:
    """Give the number of this browser if the account signed in here before."""
    number, _, said = request.cookies.get(cookie_name("browser"), "").partition(".")
    if account is None or not re.fullmatch("[0-9a-f]{32}", number):
        return None
    expected = _of_browser(account, number)
    return number if hmac.compare_digest(said.encode(), expected.encode()) else None


def with_browser(response: Response, account: Account) -> Response:
    """Let this browser be known when the account signs in again."""
    number = known_browser(account) or secrets.token_hex(16)
    value = f"{number}.{_of_browser(account, number)}"
    _set(response, "browser", value, _BROWSER_DAYS * 86_400)
    return response


def _of_browser(account: Account, number: str) -> str:
    return keyed_hash(desk().accounts.key, "browser", f"{account.key} {number}")


def _set(response: Response, what: str, value: str, max_age: int | None) -> None:
    response.set_cookie(
        cookie_name(what),
        value,
        max_age=max_age,
        path="/",
        secure=request.is_secure,
        httponly=True,
        samesite="Lax",
    )


def cookie_name(what: str) -> str:
    """Give the name of a cookie; with the prefix no other host can have set it."""
    return f"__Host-yoked-{what}" if request.is_secure else f"yoked-{what}"


def is_private() -> bool:
    """Say whether nobody on the way can read: by HTTPS, or on this computer."""
    host = re.sub(r":\d+$", "", request.host)
    return request.is_secure or host in _LOCAL or host.endswith(".localhost")


def require_private() -> None:
    """Refuse to take a password where others could read it on its way."""
    if not is_private():
        abort(403, "A password goes by HTTPS only, or on the server's own computer.")


def is_password_of(account: Account | None, name: str, password: str) -> bool:
    """Say whether a password is an account's; as long for a name that is nobody's.

    Raises
    ------
    TooMany
        If it was tried too often.
    """
    stored = desk().accounts.read(lambda db: people.password_hash(db, account))
    with desk().attempts.of_a_password(name, known_browser(account)):
        return fits(password, stored)
