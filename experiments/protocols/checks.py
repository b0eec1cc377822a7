"""Checks on data from outside: every fault is one sentence with key, rule and value."""

import difflib
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from typing import Any


class ProtocolError(ValueError):
    """A protocol breaks its rules.

    Attributes
    ----------
    faults
        One sentence per fault.
    """

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    ProtocolError
        If it is none.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProtocolError([f"{path.name} must be TOML, got {error}"]) from error


class Faults:
    """Collects faults, so that a file's author sees all of them at once."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def unless(self, holds: bool, key: str, rule: str, value: object) -> bool:
        """Note a fault unless `holds`; return `holds`."""
        if not holds:
            self.found.append(f"{key} must be {rule}, got {value!r}")
        return bool(holds)

    def raise_any(self) -> None:
        """Raise ProtocolError if a fault was found."""
        if self.found:
            raise ProtocolError(self.found)


def suggestion(name: str, names: Iterable[str]) -> str:
    """Give "; did you mean 'x'?" for the nearest of `names`, or nothing.

    Examples
    --------
    >>> suggestion("retna-cnn", ["retina-cnn", "template"])
    "; did you mean 'retina-cnn'?"
    """
    near = difflib.get_close_matches(name, list(names), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


T = typing.TypeVar("T")


def build(cls: type[T], data: object) -> T:
    """Build a frozen dataclass from plain data, checking names, types and rules.

    Parameters
    ----------
    cls
        A dataclass whose fields are numbers, strings, booleans, tuples, dictionaries
        or further dataclasses.
    data
        What a TOML or JSON file held.

    Raises
    ------
    ProtocolError
        With one sentence for every fault found.
    """
    faults = Faults()
    built = _convert(cls, data, "", faults)
    faults.raise_any()
    return typing.cast("T", built)


_FAULTY = object()  # stands for a value whose fault has been noted


def _convert(kind: Any, value: object, key: str, faults: Faults) -> object:
    """Turn a plain value into `kind`, or note the fault and return `_FAULTY`."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if is_dataclass(kind):
        return _convert_table(kind, value, key, faults)
    if origin is tuple:
        return _convert_list(arguments, value, key, faults)
    if origin in (dict, Mapping):
        is_plain, rule = _is_text, "a table of texts"
        if arguments[1] is Any:
            is_plain, rule = _is_option, "a table of numbers, texts, lists and tables"
        texts = isinstance(value, dict) and all(map(is_plain, value.values()))
        return dict(value) if faults.unless(texts, key, rule, value) else _FAULTY  # type: ignore[call-overload]
    if origin in (types.UnionType, typing.Union):
        if value is None:
            return None
        chosen = _chosen(arguments, value, key, faults)
        return _FAULTY if chosen is None else _convert(chosen, value, key, faults)
    return _convert_plain(kind, value, key, faults)


def _chosen(kinds: tuple, value: object, key: str, faults: Faults) -> Any:
    """Give the type meant: of several tables the one whose KIND the value names.

    Of other types the first that the value has, or else the first.
    """
    named = {kind.KIND: kind for kind in kinds if hasattr(kind, "KIND")}
    if not named:
        return next((kind for kind in kinds if _has_type(value, kind)), kinds[0])
    if not isinstance(value, dict):
        return next((kind for kind in kinds if isinstance(value, kind)), kinds[0])
    name = value.get("kind")
    known = isinstance(name, str) and name in named
    rule = f"one of {', '.join(named)}"
    return named[name] if faults.unless(known, f"{key}.kind", rule, name) else None


def _has_type(value: object, kind: Any) -> bool:
    plain = typing.get_origin(kind) or kind
    return isinstance(value, (list, tuple) if plain is tuple else plain)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_option(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(_is_option, value))
    if isinstance(value, dict):
        return all(map(_is_option, value.values()))
    return isinstance(value, (str, int, float))


_RULES = {
    float: "a number",
    int: "a whole number",
    bool: "true or false",
    str: "a text",
}


def _convert_plain(kind: Any, value: Any, key: str, faults: Faults) -> object:
    fits = isinstance(value, (int, float) if kind is float else kind)
    if kind is not bool:
        fits = fits and not isinstance(value, bool)
    return kind(value) if faults.unless(fits, key, _RULES[kind], value) else _FAULTY


def _convert_list(kinds: tuple, value: object, key: str, faults: Faults) -> object:
    endless = len(kinds) == 2 and kinds[1] is Ellipsis
    rule = "a list" if endless else f"a list of {len(kinds)}"
    fits = isinstance(value, (list, tuple)) and (endless or len(value) == len(kinds))
    if not faults.unless(fits, key, rule, value):
        return _FAULTY
    values = typing.cast("list[object]", value)
    each = [kinds[0]] * len(values) if endless else kinds
    parts = [
        _convert(kind, part, f"{key}[{i}]", faults)
        for i, (kind, part) in enumerate(zip(each, values, strict=True))
    ]
    return _FAULTY if _FAULTY in parts else tuple(parts)


def _convert_table(cls: Any, value: object, key: str, faults: Faults) -> object:
    if isinstance(value, cls):
        return value
    if not faults.unless(
        isinstance(value, dict), key or "a protocol", "a table", value
    ):
        return _FAULTY
    data, known = (
        typing.cast("dict[str, object]", value),
        {f.name: f for f in fields(cls)},
    )
    for name in data.keys() - known.keys():
        where = f"{key}.{name}" if key else name
        near = suggestion(name, known)
        faults.found.append(
            f"{where} must be one of {', '.join(known)}, got {name!r}{near}"
        )
    parts = {
        name: _field(f, data, f"{key}.{name}" if key else name, faults)
        for name, f in known.items()
    }
    if _FAULTY in parts.values() or data.keys() - known.keys():
        return _FAULTY
    try:
        return cls(
            **{name: part for name, part in parts.items() if part is not MISSING}
        )
    except ProtocolError as error:
        faults.found += [f"{key}.{fault}" if key else fault for fault in error.faults]
        return _FAULTY


def _field(field: Field, data: dict[str, object], key: str, faults: Faults) -> object:
    """Convert one field; MISSING leaves the default in force."""
    if field.name in data:
        return _convert(field.type, data[field.name], key, faults)
    optional = field.default is not MISSING or field.default_factory is not MISSING
    if optional:
        return MISSING
    faults.found.append(f"{key} must be given, got nothing")
    return _FAULTY
