"""Signing in: passwords, codes, limits, one-time links, cookies."""

import re

import pytest

from yoked.app.accounts import accounts as people
from yoked.app.accounts import passwords
from yoked.app.web.researchers import attempts
from yoked.app.web.researchers.entry import EXTENSION

from .conftest import PASSWORD, Browser, told


def accounts_of(app):
    return app.extensions[EXTENSION].accounts


def link_of(app, name, at) -> str:
    def job(db):
        return people.new_link(db, None, people.named(db, name), at)

    return accounts_of(app).write(job)


def cookies(reply) -> dict[str, str]:
    found = (value.split("=", 1) for value in reply.headers.getlist("Set-Cookie"))
    return dict(found)


def test_name_and_password_let_in(browser):
    assert not browser.is_in()
    reply = browser.sign_in("JANE")
    assert reply.status_code == 303
    assert reply.location == "/researchers/studies"
    assert browser.is_in()


@pytest.mark.parametrize(
    ("name", "password"),
    [("jane", "three quiet heron"), ("jane", ""), ("nobody", PASSWORD), ("", "")],
)
def test_what_does_not_fit_gets_one_sentence(browser, name, password):
    reply = browser.sign_in(name, password)
    assert reply.status_code == 403
    assert "Name and password do not fit together." in reply.text
    assert not browser.is_in()


def test_an_account_without_a_password_lets_nobody_in(app, browser, time):
    accounts_of(app).write(lambda db: people.create(db, None, "new", time.now))
    assert browser.sign_in("new", "").status_code == 403


def test_a_disabled_account_is_out_at_once(jane, kim):
    assert kim.is_in()
    assert jane.post("/accounts/2/disabled", to="yes").status_code == 303
    assert not kim.is_in()
    assert kim.sign_in("kim").status_code == 403


def test_the_cookie_is_hidden_from_scripts_and_other_sites(app):
    local = cookies(Browser(app).sign_in())
    assert set(local) == {"yoked-sign-in", "yoked-browser"}
    secure = Browser(app, at="https://lab.example")
    found = cookies(secure.sign_in())
    assert set(found) == {"__Host-yoked-sign-in", "__Host-yoked-browser"}
    for value in found.values():
        assert {"HttpOnly", "Secure", "Path=/", "SameSite=Lax"} <= set(
            value.split("; ")
        )
        assert "Domain" not in value
    assert "Expires" not in found["__Host-yoked-sign-in"]
    assert all(
        "HttpOnly" in value and "Secure" not in value for value in local.values()
    )


def test_no_password_is_taken_where_others_could_read_it(app):
    plain = Browser(app, at="http://lab.example:8000")
    assert "begins with https" in plain.get("/sign-in").text
    reply = plain.sign_in()
    assert reply.status_code == 403
    assert "by HTTPS only" in reply.text
    for host in ("127.0.0.1:8000", "[::1]:8000", "localhost"):
        assert Browser(app, at=f"http://{host}").sign_in().status_code == 303


@pytest.mark.parametrize("path", ["/sign-in", "/welcome", "/sign-in/code"])
@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}],
)
def test_another_site_signs_nobody_in(browser, path, headers):
    fields = {"name": "jane", "password": PASSWORD}
    assert browser.raw(path, fields, headers=headers).status_code == 403
    assert not browser.is_in()


def test_each_sign_in_has_a_new_token_and_ends_the_one_before(browser):
    first = cookies(browser.sign_in())["yoked-sign-in"].split(";")[0]
    second = cookies(browser.sign_in())["yoked-sign-in"].split(";")[0]
    assert first != second
    browser.client.set_cookie("yoked-sign-in", first)
    assert not browser.is_in()


def test_a_sign_in_is_over_after_idle_hours_and_goes_on_while_used(jane, time):
    for _ in range(4):
        time.pass_(hours=11)
        assert jane.is_in()
    time.pass_(hours=12)
    reply = jane.get("/accounts?x=1")
    assert reply.status_code == 303
    assert reply.location == "/researchers/sign-in?next=/researchers/accounts?x%3D1"


def test_a_sign_in_leads_to_where_one_wanted_to_go_and_nowhere_else(browser):
    for asked, leads_to in (
        ("/researchers/audit", "/researchers/audit"),
        ("https://elsewhere.example/", "/researchers/studies"),
        ("//elsewhere.example/researchers/", "/researchers/studies"),
        ("/researchers/\\elsewhere", "/researchers/studies"),
        ("/researchers/../", "/researchers/studies"),
    ):
        fields = {"name": "jane", "password": PASSWORD, "next": asked}
        assert browser.raw("/sign-in", fields).location == leads_to


def test_guesses_at_an_account_are_slowed_whoever_makes_them(app, time):
    codes = [
        Browser(app, address=f"10.0.0.{i}").sign_in("jane", "no").status_code
        for i in range(attempts.TRIES_AT_ONCE + 3)
    ]
    assert codes == [403] * attempts.TRIES_AT_ONCE + [429] * 3
    reply = Browser(app).sign_in("Jane")
    assert reply.status_code == 429
    assert 1 <= int(reply.headers["Retry-After"]) <= 31
    assert "Please wait" in reply.text
    assert Browser(app).sign_in("kim").status_code == 303
    time.pass_(seconds=30)
    assert Browser(app).sign_in("jane").status_code == 303


def test_guesses_keep_nobody_out_of_a_browser_where_they_were(app, jane):
    jane.post("/sign-out")
    for _ in range(20):
        Browser(app).sign_in("jane", "no")
    assert Browser(app).sign_in("jane").status_code == 429
    assert jane.sign_in("jane").status_code == 303


def test_a_forged_known_browser_is_a_stranger(app, jane, kim):
    for _ in range(20):
        Browser(app).sign_in("jane", "no")
    of_kim = kim.client.get_cookie("yoked-browser").value
    for value in (of_kim, f"{'0' * 32}.{'0' * 64}", "x", ".", "é"):
        stranger = Browser(app)
        stranger.client.set_cookie("yoked-browser", value)
        assert stranger.sign_in("jane").status_code == 429


def test_names_that_are_nobodys_are_slowed_alike_and_all_together(app):
    codes = [Browser(app).sign_in("nobody", "no").status_code for _ in range(8)]
    assert codes == [403] * attempts.TRIES_AT_ONCE + [429] * 2
    left = attempts.HASHES_AT_ONCE - attempts.TRIES_AT_ONCE
    codes = [Browser(app).sign_in(f"n{i}", "no").status_code for i in range(left + 2)]
    assert codes == [403] * left + [429] * 2


def test_a_hash_is_made_anew_when_parameters_change(app, browser, monkeypatch):
    stronger = passwords.PasswordHasher(time_cost=2, memory_cost=64, parallelism=1)
    monkeypatch.setattr(passwords, "hasher", stronger)
    browser.sign_in("jane")
    _, stored = accounts_of(app).read(lambda db: people.credentials(db, "jane"))
    assert "t=2" in stored
    assert browser.sign_in("jane").status_code == 303


def test_an_app_asks_for_a_code_that_is_accepted_once(app, jane, time):
    totp, _ = jane.set_up_app(time)
    assert jane.is_in()
    other = Browser(app)
    reply = other.sign_in("jane")
    assert reply.location.startswith("/researchers/sign-in/code")
    assert not other.is_in()
    assert other.code("000000").status_code == 403
    code = totp.at(time.now)
    assert other.code(code).status_code == 303
    assert other.is_in()
    third = Browser(app)
    third.sign_in("jane")
    assert third.code(code).status_code == 403
    assert not third.is_in()


def test_a_recovery_code_lets_in_once(app, jane, time):
    _, codes = jane.set_up_app(time)
    assert len(codes) == 10
    other = Browser(app)
    other.sign_in("jane")
    assert other.code(codes[0]).status_code == 303
    third = Browser(app)
    third.sign_in("jane")
    assert third.code(codes[0]).status_code == 403
    assert "9 recovery codes are left" in re.sub(
        r"\s+", " ", other.get("/account").text
    )


def test_codes_are_slowed_by_account(app, jane, time):
    jane.set_up_app(time)
    other = Browser(app)
    other.sign_in("jane")
    codes = [other.code("000000").status_code for _ in range(8)]
    # One was spent when the app was set up, and one came back since.
    assert codes == [403] * attempts.TRIES_AT_ONCE + [429] * 2


def test_a_password_waits_five_minutes_for_its_code(app, jane, time):
    totp, _ = jane.set_up_app(time)
    other = Browser(app)
    other.sign_in("jane")
    time.pass_(minutes=5)
    assert other.code(totp.at(time.now)).location == "/researchers/sign-in"
    assert not other.is_in()
    assert Browser(app).code("123456").location == "/researchers/sign-in"


def test_a_one_time_link_sets_a_password_once(app, browser, time):
    token = link_of(app, "kim", time.now)
    page = browser.get("/welcome").text
    assert token not in page
    fields = {"token": token, "new_password": "a" * 12, "again": "a" * 12}
    reply = browser.raw("/welcome", fields)
    assert "Your password is set" in reply.text
    assert 'value="kim"' in reply.text
    assert not browser.is_in()
    again = browser.raw("/welcome", fields)
    assert again.status_code == 400
    assert "This one-time code was used, has expired" in again.text
    assert browser.sign_in("kim").status_code == 403
    assert browser.sign_in("kim", "a" * 12).status_code == 303


def test_looking_at_a_one_time_link_does_not_use_it(app, browser, time, db_path):
    token = link_of(app, "kim", time.now)
    for _ in range(2):
        browser.get("/welcome")
        browser.client.head("/researchers/welcome")
    found = accounts_of(app).read(lambda db: people.linked(db, token, time.now))
    assert found is not None


def test_a_one_time_link_expires(app, browser, time):
    token = link_of(app, "kim", time.now)
    time.pass_(hours=24)
    fields = {"token": token, "new_password": "a" * 12, "again": "a" * 12}
    assert browser.raw("/welcome", fields).status_code == 400
    assert browser.sign_in("kim").status_code == 303


@pytest.mark.parametrize(
    ("new", "again", "complaint"),
    [
        ("short", "short", "The password must be 12 characters or longer, got 5."),
        ("a" * 12, "b" * 12, "The password must be the same both times, got two."),
    ],
)
def test_a_bad_first_password_leaves_the_link(
    app, browser, time, new, again, complaint
):
    token = link_of(app, "kim", time.now)
    fields = {"token": token, "new_password": new, "again": again}
    reply = browser.raw("/welcome", fields)
    assert reply.status_code == 400
    assert complaint in reply.text
    assert f'value="{token}"' in reply.text
    good = {"token": token, "new_password": "a" * 12, "again": "a" * 12}
    assert browser.raw("/welcome", good).status_code == 200


def test_a_server_without_accounts_says_how_to_make_one(app, browser):
    def clear(db):
        for each in people.every(db):
            people.remove(db, None, each, each_at)

    each_at = app.extensions[EXTENSION].now()
    assert "yoked accounts create" not in browser.get("/sign-in").text
    accounts_of(app).write(clear)
    assert "yoked accounts create DB NAME" in browser.get("/sign-in").text


def test_the_audit_log_has_sign_ins_and_refusals_and_no_name_that_is_nobodys(
    app, browser
):
    browser.sign_in("my secret password", "jane")
    browser.sign_in("jane", "no")
    browser.sign_in("jane")
    assert told(app)[-2:] == [
        ("jane", "was refused a sign-in", "jane", "wrong password"),
        ("jane", "signed in", "jane", "password"),
    ]
    assert "my secret password" not in str(told(app))


def test_no_secret_is_in_the_files(app, jane, time, db_path):
    token = link_of(app, "kim", time.now)
    made = jane.post(
        "/account/tokens", token_name="x", days="30", current_password=PASSWORD
    )
    api = re.search(r"yoked_[\w-]{43}", made.text)[0]
    totp, codes = jane.set_up_app(time)
    cookie = jane.client.get_cookie("yoked-sign-in").value
    browser = jane.client.get_cookie("yoked-browser").value
    hidden = [PASSWORD, token, api, totp.secret, cookie, browser, jane.form_token()]
    hidden += codes + [code.replace("-", "") for code in codes]
    files = [f for f in db_path.parent.iterdir() if not f.name.endswith(".key")]
    assert {f.name for f in files} >= {"results.db", "results.db-wal"}
    contents = b"".join(file.read_bytes() for file in files)
    assert b"$argon2id$" in contents
    assert not [each for each in hidden if each.encode() in contents]
