"""Responses from a browser: what is taken, what is refused and how, what is invalid."""

import contextlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yoked.app.web.responses import (
    HIDDEN,
    MOST_EVENTS,
    OTHER_BYTES,
    ResponseError,
    parse_display,
    parse_response,
)
from yoked.experiments.protocols.answers import Confidence
from yoked.experiments.protocols.files import load_protocol

from .participant import SCREEN

BARS = load_protocol("bar-in-noise")
DIGEST = "ab" * 32


def body(**changes) -> dict:
    good = {
        "response": 1,
        "rt_ms": 412.5,
        "onsets_ms": [500.0, 1100],
        "offsets_ms": [600.0, 1200],
        "n_shown": 1,
        "frames_shown": 12,
        "frames_dropped": 0,
        "digest": DIGEST,
        "events": [{"kind": "early_key", "at_ms": 12.5, "detail": "f"}],
    }
    return {**good, **changes}


def test_a_good_response_is_taken_as_it_is():
    sent = parse_response(body(), BARS)
    response = sent.judged(DIGEST, BARS, 1e6)
    assert (response.response, response.rt_ms, response.onsets_ms) == (
        1,
        412.5,
        (500, 1100),
    )
    assert (response.frames_shown, response.frames_dropped) == (12, 0)
    assert (response.valid, response.invalid_reason) == (True, None)
    assert sent.events[0]["detail"] == "f"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"response": 2}, "response must be a whole number from 0 to 1, got 2"),
        ({"response": True}, "response must be a whole number from 0 to 1, got True"),
        ({"response": "f"}, "response must be a whole number from 0 to 1, got 'f'"),
        ({"rt_ms": -1}, "rt_ms must be a number from 0 to a day's ms, got -1"),
        ({"rt_ms": float("nan")}, "rt_ms must be a number .* got nan"),
        ({"rt_ms": 10**400}, "rt_ms must be a number .* got 1000"),
        ({"rt_ms": None}, "rt_ms must be given with a response and only then"),
        ({"response": None}, "rt_ms must be given with a response and only then"),
        ({"onsets_ms": [500]}, "onsets_ms must be a list of 2 rising times"),
        ({"onsets_ms": [500, 400]}, "onsets_ms must be a list of 2 rising times"),
        ({"onsets_ms": None}, "onsets_ms must be a list of 2 rising times"),
        ({"frames_shown": 1.5}, "frames_shown must be a whole number"),
        ({"frames_dropped": -1}, "frames_dropped must be a whole number"),
        ({"digest": "ab"}, "digest must be 64 hexadecimal digits or null, got 'ab'"),
        ({"digest": DIGEST.upper()}, "digest must be 64 hexadecimal digits or null"),
        ({"digest": 7}, "digest must be 64 hexadecimal digits or null, got 7"),
        ({"events": {}}, f"events must be a list of at most {MOST_EVENTS}, got {{}}"),
        ({"events": [{}] * (MOST_EVENTS + 1)}, "events must be a list of at most"),
        ({"events": ["hidden"]}, "an event must be an object"),
        ({"events": [{"kind": "boo", "at_ms": 1}]}, "kind must be one of"),
        ({"events": [{"kind": [], "at_ms": 1}]}, "kind must be one of"),
        ({"events": [{"kind": "blur", "at_ms": "x"}]}, "at_ms must be a number"),
        (
            {"events": [{"kind": "blur", "at_ms": 1, "detail": "x" * 41}]},
            "detail must be a text of at most 40 characters",
        ),
        ({"correct": True}, "a response must have no field 'correct'"),
    ],
)
def test_a_bad_response_gets_one_sentence(changes, sentence):
    with pytest.raises(ResponseError, match=sentence) as caught:
        parse_response(body(**changes), BARS)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", body())
def test_every_field_must_be_given(name):
    lacking = {key: value for key, value in body().items() if key != name}
    with pytest.raises(ResponseError, match=f"{name} must be given, got 'nothing'"):
        parse_response(lacking, BARS)


@pytest.mark.parametrize("data", [None, [], "x", 3])
def test_a_response_must_be_an_object(data):
    with pytest.raises(ResponseError, match="a response must be a JSON object"):
        parse_response(data, BARS)


plain = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(name=st.sampled_from(sorted(body())), value=plain)
def test_whatever_is_sent_is_taken_or_refused(name, value):
    with contextlib.suppress(ResponseError):  # no other error comes out
        assert parse_response(body(**{name: value}), BARS).judged(DIGEST, BARS, 1e6)


def test_no_response_has_no_response_time():
    sent = parse_response(body(response=None, rt_ms=None), BARS)
    assert sent.judged(DIGEST, BARS, 1e6).response is None


def test_other_bytes_make_a_trial_invalid():
    response = parse_response(body(), BARS).judged("cd" * 32, BARS, 1e6)
    assert (response.valid, response.invalid_reason) == (False, OTHER_BYTES)
    assert response.digest == DIGEST  # what was received is what is stored


def test_a_browser_without_a_digest_is_believed():
    response = parse_response(body(digest=None), BARS).judged(DIGEST, BARS, 1e6)
    assert response.valid
    assert response.digest is None


def test_a_hidden_page_makes_a_trial_invalid():
    events = [{"kind": "hidden", "at_ms": 3}]
    response = parse_response(body(events=events), BARS).judged(DIGEST, BARS, 1e6)
    assert (response.valid, response.invalid_reason) == (False, HIDDEN)


def test_the_facts_of_a_screen_are_taken_as_they_are():
    assert parse_display(SCREEN) == SCREEN


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("scale", 0, "scale must be a whole number from 1"),
        ("scale", 1.5, "scale must be a whole number from 1"),
        ("refresh_ms", "fast", "refresh_ms must be a number"),
        ("full_screen", 1, "full_screen must be true or false, got 1"),
        ("screen_px", [1920], "screen_px must be a width and a height in px"),
        ("user_agent", "x", "a display must have no field 'user_agent'"),
    ],
)
def test_bad_facts_of_a_screen_get_one_sentence(name, value, sentence):
    with pytest.raises(ResponseError, match=sentence):
        parse_display({**SCREEN, name: value})


def test_confidence_is_taken_where_it_is_asked_and_only_there():
    asked = replace(BARS, confidence=Confidence(keys=("1", "2", "3")))
    assert parse_response(body(confidence=3), asked).measured.confidence == 3.0
    with pytest.raises(ResponseError, match="confidence must be a whole number from 1"):
        parse_response(body(confidence=0), asked)
    with pytest.raises(ResponseError, match="confidence must be given, got 'nothing'"):
        parse_response(body(), asked)
    with pytest.raises(ResponseError, match="given with a response and only then"):
        parse_response(body(confidence=None), asked)
    with pytest.raises(ResponseError, match="must have no field 'confidence'"):
        parse_response(body(confidence=1), BARS)
    none = body(response=None, rt_ms=None, confidence=None)
    assert parse_response(none, asked).measured.confidence is None


def test_a_response_that_is_waited_for_may_be_late_but_not_missing():
    timing = replace(BARS.timing, response_ms=0.0)
    untimed = BARS.with_options(timing=timing)
    late = parse_response(body(rt_ms=3_600_000.0), untimed)
    assert late.judged(DIGEST, untimed, 1e9).valid
    assert (
        not parse_response(body(rt_ms=60_000.0), BARS).judged(DIGEST, BARS, 1e9).valid
    )
    with pytest.raises(ResponseError, match="response must be given where"):
        parse_response(body(response=None, rt_ms=None), untimed)
