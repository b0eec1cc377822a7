"""Responses from a browser: every field checked before anything is believed."""

import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

from ...experiments.protocols.protocol import Protocol
from ...experiments.session.shown import timing_fault
from ...experiments.store.trial import Response

MOST_BYTES = 16 * 1024  # of a request's body
MOST_EVENTS = 50
LONGEST_MS = 24 * 3600 * 1000.0
MOST_FRAMES = 10**7
_LARGEST = 1e300
_Check = Callable[[Mapping[str, Any], str], Any]
EVENT_KINDS = (
    "early_key",
    "other_key",
    "touch",
    "stall",
    "hidden",
    "blur",
    "resize",
    "fullscreen_change",
)

OTHER_BYTES = "the browser received other bytes than the server sent"
HIDDEN = "the page was hidden during the trial"
STALLED = "the page stalled while it waited for a response"
NEVER_ASKED_FOR = "the browser never asked for the pixels"
TOO_LATE = "the response came after the time for it"
TOO_SOON = "the response came before the trial could have ended"
_SLACK_MS = 250.0  # between two machines' clocks, over one trial


class ResponseError(ValueError):
    """A request's body breaks the rules; the sentence names the field."""


@dataclass(frozen=True)
class SentResponse:
    """What a browser measured in one trial, and what happened meanwhile."""

    measured: Response
    events: tuple[Mapping[str, Any], ...]

    def judged(
        self, own_digest: str, protocol: Protocol, since_ms: float | None
    ) -> Response:
        """Give the response as the log takes it, with its validity.

        A trial whose pixels were not ours, that may not have been seen, or that was
        shown otherwise than asked, stays in the log and enters no statistic.

        Parameters
        ----------
        own_digest
            Of the pixels that were sent.
        protocol
            What was asked for.
        since_ms
            How long ago the pixels were first handed out: infinite where that is not
            known, None if they never were.
        """
        reason = self._fault(own_digest, protocol, since_ms)
        return replace(self.measured, valid=reason is None, invalid_reason=reason)

    def _fault(
        self, own_digest: str, protocol: Protocol, since_ms: float | None
    ) -> str | None:
        kinds = {event["kind"] for event in self.events}
        if self.measured.digest not in (None, own_digest):
            return OTHER_BYTES
        if "hidden" in kinds:
            return HIDDEN
        if fault := timing_fault(protocol, self.measured):
            return fault
        if "stall" in kinds and self.measured.response is None:
            return STALLED
        rt_ms = self.measured.rt_ms or 0.0
        if rt_ms > protocol.timing.longest_response_ms + _SLACK_MS:
            return TOO_LATE
        if since_ms is None:
            return NEVER_ASKED_FOR
        if since_ms + _SLACK_MS < self._lasted_ms(protocol):
            return TOO_SOON
        return None

    def _lasted_ms(self, protocol: Protocol) -> float:
        """Give how long the trial lasted at least, by its own account."""
        onsets, rt_ms = self.measured.onsets_ms or (0.0,), self.measured.rt_ms
        return onsets[-1] + (protocol.timing.response_ms if rt_ms is None else rt_ms)

    def is_stored_as(self, stored: Response) -> bool:
        """Whether a stored response is this one, sent before."""
        return self.measured == replace(stored, valid=True, invalid_reason=None)


class ModelResponse(SentResponse):
    """What a model sent: it has no screen, so that nothing was late or too soon."""

    def _fault(
        self, own_digest: str, protocol: Protocol, since_ms: float | None
    ) -> str | None:
        if self.measured.digest != own_digest:
            return OTHER_BYTES
        return NEVER_ASKED_FOR if since_ms is None else None


def parse_model_response(data: object, protocol: Protocol) -> ModelResponse:
    """Check the body of a model's response: what it chose, why, and what it saw.

    Raises
    ------
    ResponseError
        With one sentence about the first field that breaks its rule.
    """
    names = ("response", "decision_variables", "digest")
    fields = _table(data, "a model's response", names)
    variables = fields["decision_variables"]
    fits = isinstance(variables, list) and 1 <= len(variables) <= MOST_EVENTS
    fits = fits and all(_is_finite(value) for value in variables)
    _unless(fits, "decision_variables", "a list of finite numbers", variables)
    return ModelResponse(
        Response(
            response=_whole(fields, "response", protocol.n_responses - 1),
            decision_variables=tuple(float(value) for value in variables),
            digest=_digest(fields, "digest"),
        ),
        (),
    )


@lru_cache(maxsize=64)
def _checks(n_responses: int, n_onsets: int, n_steps: int) -> dict[str, _Check]:
    """Give what a browser measures: a field of the log's `Response`, and its check."""
    checks: dict[str, _Check] = {
        "response": _optional(partial(_whole, high=n_responses - 1)),
        "rt_ms": _optional(_number),
        "onsets_ms": partial(_stamps, n=n_onsets),
        "offsets_ms": partial(_stamps, n=n_onsets),
        "n_shown": partial(_whole, high=MOST_FRAMES, low=1),
        "frames_shown": partial(_whole, high=MOST_FRAMES),
        "frames_dropped": partial(_whole, high=MOST_FRAMES),
        "digest": _optional(_digest),
    }
    if n_steps:
        checks["confidence"] = _optional(partial(_step, high=n_steps))
    return checks


def parse_response(data: object, protocol: Protocol) -> SentResponse:
    """Check the body of a response against the protocol.

    Raises
    ------
    ResponseError
        With one sentence about the first field that breaks its rule.
    """
    n_steps = len(protocol.confidence.keys)
    checks = _checks(protocol.n_responses, protocol.n_onsets, n_steps)
    fields = _table(data, "a response", (*checks, "events"))
    measured = Response(**{name: check(fields, name) for name, check in checks.items()})
    events = _events(fields["events"])
    if not protocol.timing.response_ms and measured.response is None:
        raise ResponseError("response must be given where it is waited for, got None")
    if (measured.response is None) != (measured.rt_ms is None):
        raise ResponseError("rt_ms must be given with a response and only then")
    if n_steps and (measured.response is None) != (measured.confidence is None):
        raise ResponseError("confidence must be given with a response and only then")
    return SentResponse(measured, events)


def parse_display(data: object) -> dict[str, Any]:
    """Check the facts about a screen.

    Raises
    ------
    ResponseError
        With one sentence about the first field that breaks its rule.
    """
    numbers = (
        "refresh_ms",
        "refresh_mad_ms",
        "device_pixel_ratio",
        "css_px_per_degree",
    )
    whole = ("refresh_intervals", "scale")
    flags = ("full_screen", "canvas_exact")
    sizes = ("screen_px", "window_px")
    fields = _table(data, "a display", (*numbers, *whole, *flags, *sizes))
    checked: dict[str, Any] = {name: _number(fields, name) for name in numbers}
    _unless(checked["refresh_ms"] > 0, "refresh_ms", "more than 0", 0)
    checked |= {name: _whole(fields, name, 10_000, low=1) for name in whole}
    for name in flags:
        _unless(isinstance(fields[name], bool), name, "true or false", fields[name])
        checked[name] = fields[name]
    for name in sizes:
        checked[name] = _size(name, fields[name])
    return checked


def _table(data: object, what: str, names: Any) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        raise ResponseError(f"{what} must be a JSON object, got {_short(data)}")
    for name in names:
        _unless(name in data, name, "given", "nothing")
    for name in data.keys() - set(names):
        raise ResponseError(f"{what} must have no field {_short(name)}")
    return data


def _unless(holds: bool, name: str, rule: str, value: object) -> None:
    if not holds:
        raise ResponseError(f"{name} must be {rule}, got {_short(value)}")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def is_number(value: object) -> bool:
    """Whether a value is a number from 0 to a day's ms."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 <= value <= LONGEST_MS  # which no NaN is


def _is_finite(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -_LARGEST < value < _LARGEST


def _number(fields: Mapping[str, Any], name: str) -> float:
    value = fields[name]
    _unless(is_number(value), name, "a number from 0 to a day's ms", value)
    return float(value)


def _is_whole(value: object, low: int, high: int) -> bool:
    return (
        isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
    )


def _whole(fields: Mapping[str, Any], name: str, high: int, low: int = 0) -> int:
    value = fields[name]
    fits = _is_whole(value, low, high)
    _unless(fits, name, f"a whole number from {low} to {high}", value)
    return value


def _step(fields: Mapping[str, Any], name: str, high: int) -> float:
    return float(_whole(fields, name, high, low=1))


def _optional(check: _Check) -> _Check:
    """Give a check that takes null for what is missing."""
    return lambda fields, name: None if fields[name] is None else check(fields, name)


def _list_of(value: object, n: int, fits: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and len(value) == n and all(map(fits, value))


def _stamps(fields: Mapping[str, Any], name: str, n: int) -> tuple[float, ...]:
    value = fields[name]
    fits = _list_of(value, n, is_number) and sorted(value) == value
    _unless(fits, name, f"a list of {n} rising times in ms", value)
    return tuple(float(onset) for onset in value)


def _size(name: str, value: Any) -> list[int]:
    fits = _list_of(value, 2, lambda side: _is_whole(side, 1, 10**5))
    _unless(fits, name, "a width and a height in px", value)
    return value


def _digest(fields: Mapping[str, Any], name: str) -> str:
    value = fields[name]
    is_hex = isinstance(value, str) and not set(value) - set(string.hexdigits.lower())
    rule = "64 hexadecimal digits or null"
    _unless(is_hex and len(value) == 64, name, rule, value)
    return value


def _events(value: Any) -> tuple[Mapping[str, Any], ...]:
    fits = isinstance(value, list) and len(value) <= MOST_EVENTS
    _unless(fits, "events", f"a list of at most {MOST_EVENTS}", value)
    return tuple(_event(event) for event in value)


def _event(value: Any) -> Mapping[str, Any]:
    fits = isinstance(value, dict) and value.keys() - {"detail"} == {"kind", "at_ms"}
    _unless(fits, "an event", "an object with kind, at_ms and maybe detail", value)
    _unless(
        value["kind"] in EVENT_KINDS, "kind", f"one of {EVENT_KINDS}", value["kind"]
    )
    _unless(is_number(value["at_ms"]), "at_ms", "a number of ms", value["at_ms"])
    detail = value.get("detail", "")
    is_short = isinstance(detail, str) and len(detail) <= 40
    _unless(is_short, "detail", "a text of at most 40 characters", detail)
    return value
