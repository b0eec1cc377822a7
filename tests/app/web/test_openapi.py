"""The description of the API: complete, and kept by every reply to whatever is sent.

What is sent is made of the description itself (schemathesis), fitting and not.
"""

import contextlib
import itertools
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from yoked.app.accounts import accounts as people
from yoked.app.accounts import roles, tokens
from yoked.app.studies.kept import key_of
from yoked.app.web import openapi
from yoked.app.web.researchers.entry import EXTENSION
from yoked.app.web.server import create_app

from .participant import Participant
from .questioned import questioned
from .test_studies import put

CHECKS = (
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
)
EXAMPLES = 3  # of each operation, fitting and not
LUCK = {"studies", "revoke", "psych-ds.zip", "{trial}"}
NOW = datetime(2026, 1, 10, tzinfo=UTC)


@pytest.fixture
def app(db_path):
    """Serve a study with a question, to an owner and to somebody who takes part."""
    put(db_path, questioned())
    app = create_app(db_path, clock=itertools.count(0.0, 10.0).__next__)
    yield app
    app.extensions["yoked"].close()


def owner_of(app) -> str:
    """Give the API token of an owner of the study."""
    desk = app.extensions[EXTENSION]
    app.extensions[EXTENSION] = replace(desk, now=lambda: NOW)

    def make(db) -> str:
        kim, study = people.create(db, None, "kim", NOW), key_of(db, "bars")
        assert study is not None
        roles.give(db, None, kim, study, "owner", NOW)
        return tokens.make(db, kim, "test", 30, NOW)

    return desk.accounts.write(make)


@pytest.fixture
def description(app):
    with app.test_client() as client:
        return client.get("/api/v1/openapi.json").json


def test_every_endpoint_for_programs_is_described(app, description):
    rules = [
        rule
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/") or rule.endpoint.startswith("trial_api.")
    ]
    posts = [
        rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("asking.") and "POST" in openapi.methods(rule)
    ]
    of_rules = {
        (rule.rule.replace("<int:", "<").replace("<", "{").replace(">", "}"), method)
        for rule in rules + posts
        for method in openapi.methods(rule)
    }
    assert len(of_rules) > 20
    told = {
        (path, method.upper())
        for path, operations in description["paths"].items()
        for method in operations
    }
    assert told == of_rules


def test_each_says_who_may_what_it_gives_and_why_not(description):
    assert description["openapi"] == "3.1.0"
    schemes = description["components"]["securitySchemes"]
    assert {name: each["type"] for name, each in schemes.items()} == {
        "token": "http",
        "cookie": "apiKey",
        "form": "apiKey",
    }
    for path, operations in description["paths"].items():
        for method, said in operations.items():
            assert said["summary"], path
            is_open = path.startswith("/session/") or path.endswith("openapi.json")
            assert bool(said["security"]) != is_open, path
            assert ("401" in said["responses"]) != is_open, path
            ways = [set(each) for each in said["security"]]
            if not is_open:
                form = set() if method == "get" else {"form"}
                assert ways == [{"token"}, {"cookie"} | form], path


def test_an_endpoint_that_says_nothing_is_a_fault(app):
    app.add_url_rule("/api/v1/more", "researchers_api.more", lambda: {})
    with app.test_request_context(), pytest.raises(LookupError, match="described"):
        openapi.document(app)


# Whoever sends closes no reply, and so no file that is in it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("tag", ["researchers", "participants"])
def test_whatever_is_sent_the_description_is_kept(app, tag, db_path):
    headers = {"Authorization": f"Bearer {owner_of(app)}"}
    participant = Participant(app.test_client(), "/study/bars")
    with app.test_request_context():
        known = {
            "name": "bars",
            "token": participant.token,
            "session": app.extensions["yoked"].store.sessions()[0].id,
            "asked": "about",
            "question": "age",
            "trial": 0,
        }
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    schema.validate()
    seen: dict[str, set[int]] = {}
    for each in schema.get_all_operations():
        operation: Any = each.ok()  # pyright: ignore[reportAttributeAccessIssue]
        if tag in (operation.tags or ()):
            seen[operation.label] = set()
            for mode in GenerationMode:
                # What fits is sent to what there is; a body that does not, as well.
                is_there = mode is GenerationMode.POSITIVE or bool(operation.body)
                send(operation, mode, headers, known if is_there else {}, seen)
    unfit = {label for label, codes in seen.items() if not any(c < 300 for c in codes)}
    # What none made at random is: a study's text, a trial's whole response, a link.
    assert {label.rsplit("/", 1)[1] for label in unfit} <= LUCK


def send(operation, mode, headers, known, seen) -> None:
    """Send what the description makes of an operation; see that it is kept."""
    cases = operation.as_strategy(generation_mode=mode)

    @seed(1)
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=[
            HealthCheck.filter_too_much,
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
        ],
    )
    @given(case=cases)
    def each(case) -> None:
        of_path = {name: known[name] for name in case.path_parameters if name in known}
        case.path_parameters = {**case.path_parameters, **of_path}
        reply = case.call(headers=headers)
        case.validate_response(reply, checks=list(CHECKS))
        seen[operation.label].add(reply.status_code)

    with contextlib.suppress(Unsatisfiable):  # where nothing can be unfit
        each()
