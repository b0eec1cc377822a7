"""Every page with no, another's, an expired and a forged sign-in and form token."""

import contextlib
import re
import sqlite3

import pytest
from werkzeug.exceptions import HTTPException

from yoked.app.accounts import roles
from yoked.app.web.researchers import attempts, entry
from yoked.app.web.researchers.entry import EXTENSION

from .conftest import PASSWORD, Browser, told

GETS = ("/", "/account", "/account/authenticator")
GETS_OF_ADMINISTRATORS = ("/accounts", "/accounts/2", "/audit")
POSTS = (
    "/account/password",
    "/account/authenticator",
    "/account/authenticator/remove",
    "/account/recovery-codes",
    "/account/tokens",
    "/account/tokens/1/revoke",
    "/account/sign-out-everywhere",
    "/sign-out",
)
POSTS_OF_ADMINISTRATORS = (
    "/accounts",
    "/accounts/codes",
    "/accounts/1/link",
    "/accounts/1/administrator",
    "/accounts/1/disabled",
    "/accounts/1/authenticator",
    "/accounts/1/sign-ins",
)
OPEN = {"/sign-in", "/sign-in/code", "/sign-in/proxy", "/welcome"}


def contents(db_path) -> dict[str, list]:
    """Return all rows of the tables of accounts, but when somebody was seen."""
    tables = ("accounts", "account_links", "sign_ins", "recovery_codes", "api_tokens")
    tables += ("study_roles", "account_settings", "audit")
    with contextlib.closing(sqlite3.connect(db_path)) as db:
        return {t: db.execute(f"SELECT * FROM {t}").fetchall() for t in tables}


def test_these_are_all_pages_of_researchers(app):
    rules = {
        re.sub("<int:key>", "1", rule.rule.removeprefix("/researchers"))
        for rule in app.url_map.iter_rules()
        if re.match("/researchers(?!/studies)", rule.rule)
    }
    known = (*GETS, *GETS_OF_ADMINISTRATORS, *POSTS, *POSTS_OF_ADMINISTRATORS)
    assert rules == {re.sub(r"\b2$", "1", path) for path in known} | OPEN


@pytest.mark.parametrize("path", GETS + GETS_OF_ADMINISTRATORS)
def test_a_page_asks_strangers_to_sign_in(app, jane, time, path):
    cookie = jane.client.get_cookie("yoked-sign-in").value
    stranger = Browser(app)
    for value in (None, "", "x", "x" * 43, "é", cookie[:-1], cookie.swapcase()):
        if value is not None:
            stranger.client.set_cookie("yoked-sign-in", value)
        reply = stranger.get(path)
        assert reply.status_code == 303
        assert reply.location.startswith("/researchers/sign-in")
    time.pass_(days=8)
    assert jane.get(path).location.startswith("/researchers/sign-in")


@pytest.mark.parametrize("path", POSTS + POSTS_OF_ADMINISTRATORS)
def test_a_form_does_nothing_for_strangers_and_other_sites(
    app, jane, kim, db_path, time, path
):
    fields = {"current_password": PASSWORD, "name": "x", "to": "yes"}
    own, others = jane.form_token(), kim.form_token()
    before = contents(db_path)
    stranger = Browser(app)
    for token in ("", own):
        reply = stranger.raw(path, {**fields, "form_token": token})
        assert reply.location.startswith("/researchers/sign-in")
    for token in ("", "x", "é", others, own.upper() + "x"):
        reply = jane.raw(path, {**fields, "form_token": token})
        assert reply.status_code == 403
        assert "Please load it again" in reply.text
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://elsewhere.example"},
        {"Sec-Fetch-Site": "cross-site", "Authorization": "Bearer x"},
        {"Sec-Fetch-Site": "cross-site", "Authorization": "Basic YTpi"},
    ):
        reply = jane.raw(path, {**fields, "form_token": own}, headers=headers)
        assert reply.status_code == 403
        assert "another site" in reply.text
    reply = jane.raw(path, fields, headers={"Authorization": "Basic YTpi"})
    assert reply.status_code == 403
    assert contents(db_path) == before
    time.pass_(days=8)
    reply = jane.raw(path, {**fields, "form_token": own})
    assert reply.location.startswith("/researchers/sign-in")
    assert contents(db_path) == before


@pytest.mark.parametrize("path", GETS_OF_ADMINISTRATORS)
def test_a_researcher_sees_no_page_of_administrators(kim, path):
    reply = kim.get(path)
    assert reply.status_code == 403
    assert "This page is for administrators." in reply.text


@pytest.mark.parametrize("path", POSTS_OF_ADMINISTRATORS)
def test_a_researcher_changes_nothing_of_others(kim, db_path, path):
    token, before = kim.form_token(), contents(db_path)
    assert kim.raw(path, {"form_token": token, "to": "yes"}).status_code == 403
    assert contents(db_path) == before


def test_no_get_changes_anything(jane, db_path):
    before = contents(db_path)
    for path in (*GETS, *GETS_OF_ADMINISTRATORS, *OPEN):
        jane.get(path)
        jane.client.head(f"/researchers{path}")
    for path in POSTS + POSTS_OF_ADMINISTRATORS:
        assert jane.get(path).status_code in (200, 302, 405), path
    assert contents(db_path) == before


@pytest.mark.parametrize("path", GETS[1:] + GETS_OF_ADMINISTRATORS + ("/sign-in",))
def test_a_page_keeps_the_policy_and_is_not_kept(app, jane, path):
    reply = (Browser(app) if path == "/sign-in" else jane).get(path)
    assert reply.status_code == 200
    assert not re.search(r"\sstyle=|<style|<script(?![^>]*src=)|\son\w+=", reply.text)
    assert reply.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
    assert '<html lang="en"' in reply.text


def test_what_people_type_is_text(jane):
    name = '<b onclick="x">&'
    reply = jane.post("/accounts", name=name)
    assert reply.status_code == 400
    assert "<b onclick" not in reply.text
    made = jane.post(
        "/account/tokens", token_name=name, days="30", current_password=PASSWORD
    )
    assert "<b onclick" not in made.text
    assert "<b onclick" not in jane.get("/account").text
    assert "<b onclick" not in jane.get("/audit").text


def test_there_is_no_account_of_another_number(jane):
    assert jane.get("/accounts/99").status_code == 404
    assert "no such account" in jane.post("/accounts/99/link").text
    assert jane.get("/accounts/-1").status_code == 404


def test_signing_out_ends_the_sign_in(jane):
    cookie = jane.client.get_cookie("yoked-sign-in").value
    assert jane.post("/sign-out").status_code == 303
    jane.client.set_cookie("yoked-sign-in", cookie)
    assert not jane.is_in()


def test_signing_out_everywhere_ends_them_all(app, jane):
    other = Browser(app)
    other.sign_in("jane")
    jane.post("/account/sign-out-everywhere")
    assert not jane.is_in()
    assert not other.is_in()


def test_a_password_is_changed_by_whoever_knows_it(app, jane):
    other = Browser(app)
    other.sign_in("jane")
    new = {"new_password": "four loud herons", "again": "four loud herons"}
    wrong = jane.post("/account/password", current_password="no", **new)
    assert "The current password must be yours" in wrong.text
    assert other.is_in()
    reply = jane.post("/account/password", current_password=PASSWORD, **new)
    assert reply.location == "/researchers/account?done=password"
    assert "Your password is changed" in jane.get("/account?done=password").text
    assert jane.is_in()
    assert not other.is_in()
    assert other.sign_in("jane").status_code == 403
    assert other.sign_in("jane", "four loud herons").status_code == 303


@pytest.mark.parametrize(
    "path",
    ["/account/authenticator/remove", "/account/recovery-codes", "/account/tokens"],
)
def test_what_lets_others_in_asks_for_the_password(jane, time, db_path, path):
    jane.set_up_app(time)
    token, before = jane.form_token(), contents(db_path)
    fields = {"form_token": token, "token_name": "x", "days": "30"}
    reply = jane.raw(path, {**fields, "current_password": "no"})
    assert reply.status_code == 400
    assert "The current password must be yours" in reply.text
    assert contents(db_path) == before


def test_an_app_is_set_up_by_a_right_code_and_removed(app, jane, time):
    page = jane.get("/account/authenticator").text
    salt = re.search(r'name="salt" value="(\w+)"', page)[1]
    fields = {"salt": salt, "current_password": PASSWORD}
    wrong = jane.post("/account/authenticator", code="000000", **fields)
    assert "The code must be the one that the app shows now" in wrong.text
    assert salt in wrong.text  # the app that scanned it still fits
    fields["salt"] = "x"
    assert jane.post("/account/authenticator", code="1", **fields).status_code == 409
    jane.set_up_app(time)
    assert jane.get("/account/authenticator").status_code == 302
    jane.post("/account/authenticator/remove", current_password=PASSWORD)
    assert Browser(app).sign_in("jane").location == "/researchers/studies"


def test_a_server_that_asks_for_apps_lets_nobody_further_without(app, jane, kim, time):
    jane.post("/accounts/codes", is_required="yes")
    assert jane.get("/accounts").location == "/researchers/account/authenticator"
    assert "asks everybody for an authenticator app" in kim.get("/account").text
    jane.set_up_app(time)
    assert jane.get("/accounts").status_code == 200
    assert told(app)[-3][1] == "required codes"


def test_an_administrator_makes_an_account_that_starts_by_a_link(app, jane):
    reply = jane.post("/accounts", name="new.one")
    link = re.search(r"http://localhost/researchers/welcome#([\w-]{43})", reply.text)
    new = Browser(app)
    fields = {"token": link[1], "new_password": "a" * 12, "again": "a" * 12}
    assert new.raw("/welcome", fields).status_code == 200
    assert new.sign_in("new.one", "a" * 12).status_code == 303
    assert new.get("/accounts").status_code == 403
    twice = jane.post("/accounts", name="New.One")
    assert "must be new" in twice.text
    assert told(app)[-4:-1] == [
        ("jane", "made an account", "new.one", None),
        ("jane", "made a one-time link", "new.one", None),
        ("new.one", "set a password", "new.one", None),
    ]


def test_an_administrator_changes_an_account(app, jane, kim, time):
    kim.set_up_app(time)
    for path, fields in (
        ("/accounts/2/administrator", {"to": "yes"}),
        ("/accounts/2/administrator", {"to": "no"}),
        ("/accounts/2/authenticator", {}),
        ("/accounts/2/sign-ins", {}),
        ("/accounts/2/disabled", {"to": "yes"}),
    ):
        assert (
            jane.post(path, **fields).location == "/researchers/accounts/2?done=changed"
        )
    assert jane.post("/accounts/2/link").status_code == 409
    assert jane.post("/accounts/2/disabled", to="no").status_code == 303
    assert [row[1] for row in told(app)][-6:] == [
        "made an administrator",
        "made no administrator",
        "removed an authenticator app",
        "signed out everywhere",
        "disabled an account",
        "enabled an account",
    ]


def test_the_last_administrator_stays_one(jane):
    reply = jane.post("/accounts/1/administrator", to="no")
    assert reply.status_code == 409
    assert "make somebody else one first" in reply.text
    assert jane.get("/accounts").status_code == 200


def new_api_token(browser) -> str:
    reply = browser.post(
        "/account/tokens", token_name="x", days="30", current_password=PASSWORD
    )
    return re.search(r"yoked_[\w-]{43}", reply.text)[0]


def asked(app, token, scheme="Bearer", path="/api/v1/account"):
    headers = {"Authorization": f"{scheme} {token}"}
    return app.test_client().get(path, headers=headers)


def test_a_program_is_known_by_its_token(app, kim, time):
    token = new_api_token(kim)
    assert asked(app, token).json == {
        "name": "kim",
        "is_administrator": False,
    }
    assert asked(app, token, "bearer").status_code == 200
    assert token not in kim.get("/account").text
    for wrong in ("", "x", token[:-1], token.swapcase(), "é"):
        reply = asked(app, wrong)
        assert reply.status_code == 401
        assert reply.json["error"].startswith("The API token is none")
        assert reply.headers["WWW-Authenticate"] == "Bearer"
    assert asked(app, token, "Basic").status_code == 401
    time.pass_(days=30)
    assert asked(app, token).status_code == 401


def test_a_token_opens_no_page_of_accounts(app, jane):
    token = new_api_token(jane)
    for path in GETS + GETS_OF_ADMINISTRATORS:
        reply = asked(app, token, path=f"/researchers{path}")
        assert reply.status_code == 303
        assert reply.location.startswith("/researchers/sign-in")


def test_a_token_ends_when_it_is_revoked_or_its_account_disabled(app, jane, kim):
    token, second = new_api_token(kim), new_api_token(kim)
    jane.post("/account/tokens/1/revoke")  # not hers
    assert asked(app, token).status_code == 200
    kim.post("/account/tokens/1/revoke")
    assert asked(app, token).status_code == 401
    assert asked(app, second).status_code == 200
    jane.post("/accounts/2/disabled", to="yes")
    assert asked(app, second).status_code == 401


def test_a_token_s_requests_are_limited_and_cost_another_nothing(app, kim, time):
    token, other = new_api_token(kim), new_api_token(kim)
    codes = {asked(app, token).status_code for _ in range(attempts.REQUESTS_AT_ONCE)}
    assert codes == {200}
    reply = asked(app, token)
    assert reply.status_code == 429
    assert reply.json["error"].startswith("That was too often. Please wait")
    assert asked(app, other).status_code == 200
    time.pass_(seconds=1)
    assert asked(app, token).status_code == 200


def test_a_browser_that_is_signed_in_may_ask_as_well_and_a_stranger_not(app, kim):
    assert kim.client.get("/api/v1/account").json["name"] == "kim"
    reply = Browser(app).client.get("/api/v1/account")
    assert reply.status_code == 401
    assert reply.json["error"].startswith("Nobody is signed in")


def test_a_role_is_needed_in_that_very_study(app, kim, time):
    accounts = app.extensions[EXTENSION].accounts
    token = new_api_token(kim)
    who = accounts.read(lambda db: entry.people.named(db, "kim"))
    accounts.write(lambda db: roles.give(db, None, who, 7, "editor", time.now))
    headers = {"Authorization": f"Bearer {token}"}
    for study, role, refused in (
        (7, "viewer", None),
        (7, "editor", None),
        (7, "owner", "403 Forbidden: This needs the role of owner in this study"),
        (8, "viewer", "404 Not Found: There is no such study"),
    ):
        expected = contextlib.nullcontext()
        if refused is not None:
            expected = pytest.raises(HTTPException, match=refused)
        with app.test_request_context("/", headers=headers), expected:
            entry.enter(by_token=True)
            assert entry.require_role(study, role) == who


@pytest.mark.parametrize("error", [sqlite3.OperationalError("disk is full"), OSError()])
def test_a_disk_that_is_full_is_told_on_a_researchers_page(
    app, jane, monkeypatch, error
):
    def fail(*_):
        raise error

    desk = app.extensions[EXTENSION]
    with monkeypatch.context() as patched:
        patched.setattr(desk.accounts, "write", fail)
        reply = jane.post("/account/tokens", name="x", current_password=PASSWORD)
        assert reply.status_code == 503
        assert "cannot store anything now" in reply.text
        assert "researchers.css" in reply.text
        # Nor can it be found out who asks.
        patched.setattr(desk.accounts, "read", fail)
        reply = jane.get("/account")
        assert reply.status_code == 503
        assert "researchers.css" in reply.text
    assert jane.get("/account").status_code == 200
