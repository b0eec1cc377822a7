"""What an endpoint takes and gives, said beside it: OpenAPI 3.1 is made of this.

Shapes are those of the dataclasses that replies are made of and bodies are read into:
neither can differ from what is said of it.
"""

import re
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from ...experiments.protocols.checks import suggestion
from .responses import ResponseError

Schema = dict[str, Any]
Shape = type | Schema
View = TypeVar("View", bound=Callable[..., Any])
JSON = "application/json"

_PLAIN: Mapping[Any, Schema] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    type(None): {"type": "null"},
    Any: {},
}


@dataclass(frozen=True)
class Described:
    """What is said of an endpoint, besides its address and its docstring.

    Attributes
    ----------
    reply
        Shape of what it gives; None for nothing, a media type for a file.
    status
        Of the reply.
    body
        Shape of what it takes; None where it takes nothing.
    query
        Schemas by the name of the parameter.
    errors
        Statuses of its refusals.
    is_open
        Whether it asks for no sign-in: an address may itself be the key.
    """

    reply: Shape | str | None
    status: int = 200
    body: Shape | None = None
    query: Mapping[str, Schema] = field(default_factory=dict)
    errors: Sequence[int] = ()
    is_open: bool = False


def described(reply: Shape | str | None, **more: Any) -> Callable[[View], View]:
    """Say what an endpoint takes and gives: as `Described`."""

    def mark(view: View) -> View:
        view.described = Described(reply, **more)  # type: ignore[attr-defined]
        return view

    return mark


def field_with(**rules: Any) -> Any:
    """Give a field of a body with rules of its schema, such as `maximum`."""
    default = rules.pop("default", MISSING)
    return field(default=default, metadata=rules)


class Shapes:
    """Schemas of dataclasses, each said once.

    Attributes
    ----------
    found
        By the name of the class.
    """

    def __init__(self) -> None:
        self.found: dict[str, Schema] = {}

    def of(self, shape: Any) -> Schema:
        """Give the schema of a type; of a dataclass, where it stands."""
        if isinstance(shape, dict):
            return shape
        if shape in _PLAIN:
            return dict(_PLAIN[shape])
        if is_dataclass(shape) and isinstance(shape, type):
            if shape.__name__ not in self.found:
                self.found[shape.__name__] = {}  # it may be part of itself
                self.found[shape.__name__] = self._of_fields(shape)
            return {"$ref": f"#/components/schemas/{shape.__name__}"}
        origin, arguments = get_origin(shape), get_args(shape)
        if origin in (Union, types.UnionType):
            return {"anyOf": [self.of(each) for each in arguments]}
        if origin in (list, tuple):
            return {"type": "array", "items": self.of(arguments[0])}
        return {"type": "object"}

    def _of_fields(self, kind: type) -> Schema:
        hints, said = get_type_hints(kind), _said_of_fields(kind)
        of_fields = {
            each.name: {
                **self.of(hints[each.name]),
                **each.metadata,
                **({"description": said[each.name]} if each.name in said else {}),
            }
            for each in fields(kind)
        }
        return {
            "type": "object",
            "description": (kind.__doc__ or "").partition("\n")[0],
            "properties": of_fields,
            "required": [each.name for each in fields(kind) if _is_required(each)],
            "additionalProperties": False,
        }


def _is_required(each: Field) -> bool:
    return each.default is MISSING and each.default_factory is MISSING


def _said_of_fields(kind: type) -> dict[str, str]:
    """Give what the docstrings of a class say of its fields, in `Attributes`."""
    said: dict[str, str] = {}
    for each in reversed(kind.__mro__):
        _, _, part = (each.__doc__ or "").partition("Attributes\n    ----------\n")
        for names, text in re.findall(r"^ {4}(\w.*)\n((?: {8}.*\n?)+)", part, re.M):
            for name in names.split(", "):
                said[name] = " ".join(text.split())
    return said


def body_as(kind: type[Any], data: object) -> Any:
    """Read a body into its dataclass.

    Raises
    ------
    ResponseError
        If it is none; the sentence names the field.
    """
    if not isinstance(data, dict):
        raise ResponseError("the body must be a JSON object")
    known = {each.name: each for each in fields(kind)}
    for name in data.keys() - known.keys():
        hint = suggestion(name, known)
        raise ResponseError(f"a field must be one of {', '.join(known)}{hint}")
    hints = get_type_hints(kind)
    for name, each in known.items():
        if name in data:
            _require(name, hints[name], each.metadata, data[name])
        elif _is_required(each):
            raise ResponseError(f"{name} must be given")
    return kind(**data)


def _require(name: str, kind: type, rules: Mapping[str, Any], value: object) -> None:
    """Raise ResponseError where a value is not of a plain type, or breaks a rule."""
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ResponseError(f"{name} must be of type {_PLAIN[kind]['type']}")
    if "enum" in rules and value not in rules["enum"]:
        rule = f"one of {', '.join(rules['enum'])}"
        raise ResponseError(f"{name} must be {rule}, got {value!r:.60}")
    if isinstance(value, str) and "\0" in value:
        raise ResponseError(f"{name} must be text, got a null character")
    if isinstance(value, str) and len(value) > rules.get("maxLength", len(value)):
        rule = f"at most {rules['maxLength']} characters"
        raise ResponseError(f"{name} must be {rule}, got {len(value)}")
    if isinstance(value, int) and "minimum" in rules:
        low, high = rules["minimum"], rules["maximum"]
        if not low <= value <= high:
            raise ResponseError(f"{name} must be from {low} to {high}, got {value}")
