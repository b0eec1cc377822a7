"""The pages of researchers, put into an application."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from flask import Flask
from markupsafe import Markup

from ....experiments.store.connection import Connection
from ...accounts.file import HELD, Accounts
from ...accounts.schema import now as time_now
from ...accounts.single_sign_on import SingleSignOn
from ..host import Host
from ..limits import Clock
from . import account, api, downloads, inventory, login, people, results, studies
from .attempts import Attempts
from .blueprints import sentence
from .entry import EXTENSION, Desk, current, form_token

T = TypeVar("T")
# What the bar above the pages leads to: endpoint, words, and whether it is for
# administrators alone.
PAGES = [
    ("researchers_studies.every", "Studies", False),
    ("researchers_people.every", "Accounts", True),
    ("researchers_people.audit_log", "Audit log", True),
]

# What a page says after it was led to by a form: `done` in its address.
NOTICES = {
    "password": "Your password is changed, and your other sign-ins have ended.",
    "authenticator": "Signing in asks for no codes any more.",
    "token": "The token is revoked.",
    "changed": "Done.",
    "model": "The model is started; further down stands how it fares.",
    "required": "From now on everybody who signs in by password needs an app.",
    "optional": "From now on nobody has to have an app.",
}


def register_researchers(
    app: Flask,
    host: Host,
    single_sign_on: SingleSignOn | None = None,
    home: str = "researchers_studies.every",
    clock: Clock = time.monotonic,
    now: Callable[[], datetime] = time_now,
) -> None:
    """Put the pages of researchers into an application.

    Parameters
    ----------
    app
        The application.
    host
        What the server shares.
    single_sign_on
        The proxies that say who somebody is.
    home
        Endpoint of the page that a sign-in leads to.
    clock
        Seconds, rising: what limits are held against.
    now
        Gives the time of day, with its zone.
    """

    def write(job: Callable[[Connection], T]) -> T:
        return host.write(job, HELD)

    accounts = Accounts(host.reader, write, lambda: host.key)
    desk = Desk(accounts, Attempts(clock), single_sign_on, home, now)
    app.extensions[EXTENSION] = desk
    app.jinja_env.globals |= {
        "form_token": _form_token,
        "researcher": _researcher,
        "researcher_pages": list(PAGES),
        "notices": NOTICES,
    }
    app.jinja_env.filters["sentence"] = sentence
    app.register_blueprint(login.blueprint)
    app.register_blueprint(account.blueprint)
    app.register_blueprint(people.blueprint)
    app.register_blueprint(studies.blueprint)
    app.register_blueprint(downloads.blueprint)
    app.register_blueprint(inventory.blueprint)
    app.register_blueprint(results.blueprint)
    app.register_blueprint(api.blueprint)


def _form_token() -> Markup:
    """Give the hidden field that every form of these pages has."""
    field = '<input type="hidden" name="form_token" value="{}">'
    return Markup(field).format(form_token())


def _researcher() -> object:
    """Give who is signed in, for the bar above the pages; None if nobody is."""
    found = current()
    return None if found is None else found.account
