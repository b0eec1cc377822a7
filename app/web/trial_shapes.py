"""Shapes of what the task's page sends and is told: for programs that take part."""

from collections.abc import Iterable

from .described import Schema
from .responses import EVENT_KINDS, LONGEST_MS, MOST_EVENTS, MOST_FRAMES

PIXELS = "application/octet-stream"
_TEXT: Schema = {"type": "string"}
_WHOLE: Schema = {"type": "integer", "minimum": 0, "maximum": MOST_FRAMES}
_MS: Schema = {"type": "number", "minimum": 0, "maximum": LONGEST_MS}
_FLAG: Schema = {"type": "boolean"}
_DIGEST: Schema = {
    "type": "string",
    "pattern": "^[0-9a-f]{64}$",
    "description": "SHA-256 of the pixels as they came.",
}


def _maybe(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _table(required: dict[str, Schema], **optional: Schema) -> Schema:
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": [*required],
        "additionalProperties": False,
    }


def _list(items: Schema, low: int = 0, high: int | None = None) -> Schema:
    most = {} if high is None else {"maxItems": high}
    return {"type": "array", "items": items, "minItems": low, **most}


def _one_of(words: Iterable[str]) -> Schema:
    return {"type": "string", "enum": [*words]}


_BREAK = _table(
    {
        "finished": _TEXT,
        "next": _TEXT,
        "main_block": _WHOLE,
        "n_main_blocks": _WHOLE,
        "is_last": _FLAG,
        "told_before": _FLAG,
        "told_next": _FLAG,
        "minutes_left": _WHOLE,
    }
)
_FOLLOWING = {
    "done": {"const": False},
    "trial": _WHOLE,
    "block": _WHOLE,
    "block_kind": _TEXT,
    "feedback": _FLAG,
    "progress": {"type": "number", "minimum": 0, "maximum": 1},
    "break": _maybe(_BREAK),
    "frames": {**_TEXT, "description": "Address of the pixels."},
}
NEXT: Schema = {
    "description": "What comes next, and nothing that would give the response away.",
    "anyOf": [
        _table({"done": {"const": True}, "progress": {"type": "number"}}),
        _table(
            _FOLLOWING,
            timing=_table({"fixation_ms": _MS, "gap_ms": _MS}),
            pixels={
                **_TEXT,
                "description": "The pixels themselves, in base64, where they were "
                "asked for with a response and are few.",
            },
        ),
    ],
}
RECEIPT: Schema = _table(
    {"correct": _maybe(_FLAG), "too_soon": _FLAG, "next": NEXT},
)
_EVENT = _table(
    {"kind": _one_of(EVENT_KINDS), "at_ms": _MS},
    detail={"type": "string", "maxLength": 40},
)
_OF_PERSON = _table(
    {
        "response": _maybe({**_WHOLE, "description": "Number of the key; from 0."}),
        "rt_ms": _maybe(_MS),
        "onsets_ms": _list(_MS),
        "offsets_ms": _list(_MS),
        "n_shown": {**_WHOLE, "minimum": 1},
        "frames_shown": _WHOLE,
        "frames_dropped": _WHOLE,
        "digest": _maybe(_DIGEST),
        "events": _list(_EVENT, high=MOST_EVENTS),
    },
    confidence=_maybe({**_WHOLE, "minimum": 1}),
)
_OF_MODEL = _table(
    {
        "response": _WHOLE,
        "decision_variables": _list({"type": "number"}, 1, MOST_EVENTS),
        "digest": _DIGEST,
    }
)
RESPONSE: Schema = {
    "description": "Of a person, or of a model; the protocol says how many times.",
    "anyOf": [_OF_PERSON, _OF_MODEL],
}
_SIZE = _list({"type": "integer", "minimum": 1, "maximum": 10**5}, 2, 2)
_POSITIVE = {"type": "integer", "minimum": 1, "maximum": 10_000}
DISPLAY: Schema = _table(
    {
        "refresh_ms": {**_MS, "exclusiveMinimum": 0},
        "refresh_mad_ms": _MS,
        "device_pixel_ratio": _MS,
        "css_px_per_degree": _MS,
        "refresh_intervals": _POSITIVE,
        "scale": _POSITIVE,
        "full_screen": _FLAG,
        "canvas_exact": _FLAG,
        "screen_px": _SIZE,
        "window_px": _SIZE,
    }
)
VIEWING: Schema = {
    "anyOf": [
        _table({"left_out": {"const": True}}),
        _table({"card_px": _MS, "is_upright": _FLAG, "spots_px": _list(_MS)}),
    ]
}
VIEWING_REPLY: Schema = {
    "anyOf": [_table({"fault": _TEXT}), _table({"viewing": {"type": "object"}})]
}
ANSWER: Schema = _table(
    {
        "answer": {"description": "As its question takes it; null where taken back."},
        "step": {
            "type": "integer",
            "minimum": 1,
            "maximum": 10**9,
            "description": "Rises with each change of this answer.",
        },
    }
)
ANSWER_REPLY: Schema = _table({}, fault=_TEXT)
DONE_REPLY: Schema = {
    "anyOf": [
        _table({"faults": {"type": "object", "additionalProperties": _TEXT}}),
        _table({"next": _TEXT}),
    ]
}
NOTHING: Schema = _table({})
ANYTHING: Schema = {"description": "Any JSON: what it says is not read."}
