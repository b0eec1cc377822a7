"""A server with an administrator and a researcher, and browsers to sign in with."""

import re
from dataclasses import replace
from datetime import timedelta

import pyotp
import pytest

from tests.app.accounts.conftest import CHEAP, START
from tests.app.web.participant import served, short_protocol
from yoked.app.accounts import accounts as people
from yoked.app.accounts import authenticator, passwords
from yoked.app.web.researchers.entry import EXTENSION

PASSWORD = "three quiet herons"
ROOT = "/researchers"


class Time:
    """Stands until it is told to go on; both the clock and the time of day."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self):
        return self.now

    def pass_(self, **time) -> None:
        self.now += timedelta(**time)

    def seconds(self) -> float:
        return self.now.timestamp()


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def app(db_path, time, monkeypatch):
    monkeypatch.setattr(passwords, "hasher", CHEAP)
    with served(db_path, short_protocol(), clock=time.seconds) as app:
        app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], now=time)
        make(app, "jane", is_administrator=True)
        make(app, "kim")
        yield app


def make(app, name, is_administrator=False):
    accounts = app.extensions[EXTENSION].accounts

    def job(db):
        made = people.create(db, None, name, START, is_administrator)
        people.set_password(db, None, made, passwords.hashed(PASSWORD), START)
        return made

    return accounts.write(job)


class Browser:
    """A browser of a researcher: it keeps cookies, and fills forms in."""

    def __init__(self, app, at="http://localhost", address="127.0.0.1") -> None:
        self.client = app.test_client()
        self.client.environ_base |= {"REMOTE_ADDR": address}
        self.at = at

    def get(self, path, **options):
        return self.client.get(f"{ROOT}{path}", base_url=self.at, **options)

    def post(self, path, /, **fields):
        """Send a form of the page of this sign-in."""
        token = self.form_token()
        return self.raw(path, {"form_token": token, **fields})

    def raw(self, path, data, **options):
        url = f"{ROOT}{path}"
        return self.client.post(url, data=data, base_url=self.at, **options)

    def form_token(self) -> str:
        found = re.search(r'name="form_token" value="(\w*)"', self.get("/account").text)
        return found[1] if found else ""

    def sign_in(self, name="jane", password=PASSWORD):
        return self.raw("/sign-in", {"name": name, "password": password})

    def code(self, code):
        return self.raw("/sign-in/code", {"code": code})

    def is_in(self) -> bool:
        return self.get("/account").status_code == 200

    def set_up_app(self, time) -> tuple[pyotp.TOTP, list[str]]:
        """Set an app up; return it, and the recovery codes."""
        page = self.get("/account/authenticator").text
        secret = re.search(r'id="secret">([A-Z2-7 ]+)<', page)[1].replace(" ", "")
        app = pyotp.TOTP(secret)
        reply = self.post(
            "/account/authenticator",
            salt=re.search(r'name="salt" value="(\w+)"', page)[1],
            code=app.at(time.now),
            current_password=PASSWORD,
        )
        assert reply.status_code == 200, reply.text
        time.pass_(seconds=authenticator.STEP_S)
        return app, re.findall(r"<code>([A-Z2-9-]{19})</code>", reply.text)


@pytest.fixture
def browser(app):
    return Browser(app)


@pytest.fixture
def jane(browser):
    assert browser.sign_in("jane").status_code == 303
    return browser


@pytest.fixture
def kim(app):
    other = Browser(app)
    assert other.sign_in("kim").status_code == 303
    return other


def told(app) -> list[tuple]:
    """Return who did what about whom, from the file."""
    query = "SELECT by_name, what, account_name, detail FROM audit ORDER BY key"
    accounts = app.extensions[EXTENSION].accounts
    return accounts.read(lambda db: db.execute(query).fetchall())
