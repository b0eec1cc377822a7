"""Signing in by what a proxy says: from named proxies, as long as they say it."""

from dataclasses import replace
from ipaddress import ip_network

import pytest

from yoked.app.accounts import accounts as people
from yoked.app.accounts.single_sign_on import SingleSignOn
from yoked.app.hosting.front import put_behind
from yoked.app.hosting.settings import Settings
from yoked.app.web.researchers.entry import EXTENSION

from .conftest import Browser, told

HEADER = "X-Remote-User"
NETWORKS = (ip_network("10.1.0.0/16"),)


class Proxied(Browser):
    """A browser behind a proxy that says who somebody is."""

    def __init__(self, app, said, address="10.1.0.7") -> None:
        super().__init__(app, address=address)
        self.said(said)

    def said(self, name) -> None:
        self.client.environ_base["HTTP_X_REMOTE_USER"] = name

    def go_on(self):
        return self.raw("/sign-in/proxy", {})


@pytest.fixture
def proxied(app):
    """Return what believes the proxies of one network."""

    def believe(makes_accounts=False, header=HEADER):
        sso = SingleSignOn(NETWORKS, header, makes_accounts)
        desk = replace(app.extensions[EXTENSION], single_sign_on=sso)
        app.extensions[EXTENSION] = desk
        return app

    return believe


def test_a_named_proxy_lets_somebody_in_by_a_press(proxied):
    browser = Proxied(proxied(), "jane")
    assert "Go on as jane" in browser.get("/sign-in").text
    assert not browser.is_in()
    assert browser.go_on().status_code == 303
    assert browser.is_in()
    assert told(proxied())[-1] == ("jane", "signed in", "jane", "single sign-on")


def test_nobody_else_may_say_so(app, proxied):
    proxied()
    for address in ("10.2.0.7", "127.0.0.1", "::1"):
        browser = Proxied(app, "jane", address)
        assert "Go on as" not in browser.get("/sign-in").text
        assert browser.go_on().status_code == 403
        assert not browser.is_in()


def test_without_single_sign_on_the_header_is_nothing(app):
    assert Proxied(app, "jane").go_on().status_code == 403


def test_a_header_that_is_sent_twice_is_nobody(proxied):
    assert Proxied(proxied(), "jane,kim").go_on().status_code == 403


def test_whoever_is_new_gets_an_account_without_rights_only_if_so_configured(proxied):
    reply = Proxied(proxied(), "new@psych.example").go_on()
    assert reply.status_code == 403
    assert "There is no account for you here" in reply.text
    browser = Proxied(proxied(makes_accounts=True), "new@psych.example")
    assert browser.go_on().status_code == 303
    assert browser.get("/accounts").status_code == 403
    assert browser.client.get("/api/v1/account").status_code == 200
    assert browser.client.get("/api/v1/studies").json["studies"] == []


def test_a_sign_in_ends_when_the_proxy_says_another_name_or_none(proxied):
    browser = Proxied(proxied(), "jane")
    browser.go_on()
    for name in ("kim", ""):
        browser.said(name)
        assert not browser.is_in()
    browser.said("JANE")
    assert browser.is_in()


def test_the_server_s_own_variable_can_be_no_header(proxied):
    app = proxied(header="REMOTE_USER")
    browser = Browser(app, address="10.1.0.7")
    headers = {"Remote-User": "jane", "REMOTE_USER": "jane", "X-Remote-User": "jane"}
    assert browser.raw("/sign-in/proxy", {}, headers=headers).status_code == 403
    browser.client.environ_base["REMOTE_USER"] = "jane"
    assert browser.raw("/sign-in/proxy", {}).status_code == 303


def test_a_disabled_account_is_out_whoever_vouches(app, proxied):
    accounts = app.extensions[EXTENSION].accounts
    at = app.extensions[EXTENSION].now()

    def disable(db):
        people.set_disabled(db, None, people.named(db, "kim"), True, at)

    accounts.write(disable)
    assert Proxied(proxied(), "kim").go_on().status_code == 403


def test_the_address_of_the_proxy_counts_not_the_one_that_it_forwards(app, proxied):
    proxied()
    browser = Proxied(app, "jane", address="10.1.0.9")
    # As Werkzeug's ProxyFix leaves it: the browser's address in place of the proxy's.
    browser.client.environ_base["werkzeug.proxy_fix.orig"] = {
        "REMOTE_ADDR": "192.0.2.1"
    }
    assert browser.go_on().status_code == 403
    browser.client.environ_base |= {
        "REMOTE_ADDR": "192.0.2.1",
        "werkzeug.proxy_fix.orig": {"REMOTE_ADDR": "10.1.0.7"},
    }
    assert browser.go_on().status_code == 303


def test_a_server_believes_the_header_of_its_trusted_proxies_alone(app):
    sso = SingleSignOn(NETWORKS, makes_accounts=True)
    app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], single_sign_on=sso)
    put_behind(app, Settings(trusted_proxies=sso.networks, sign_on_header=HEADER))
    forwarded = Proxied(app, "anna")
    forwarded.client.environ_base["HTTP_X_FORWARDED_FOR"] = "192.0.2.7"
    assert "Go on as anna" in forwarded.get("/sign-in").text
    assert forwarded.go_on().status_code == 303
    assert forwarded.is_in()
    direct = Proxied(app, "anna", address="192.0.2.7")
    direct.client.environ_base["REMOTE_USER"] = "anna"
    assert "Go on as" not in direct.get("/sign-in").text
    assert direct.go_on().status_code == 403
