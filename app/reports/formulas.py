"""Which formula made which number, from the plain form of any results."""

from collections.abc import Iterator
from typing import Any


def formulas(numbers: Any) -> list[tuple[str, str]]:
    """Name the formula of every kind of number in some plain data.

    Returns
    -------
    list
        Pairs of a number's name and its formula, each pair once, in the order met.

    Examples
    --------
    >>> formulas([{"dprime": {"value": 1.5, "formula": "dprime-2afc-loglinear/2"}}])
    [('dprime', 'dprime-2afc-loglinear/2')]
    """
    return list(dict.fromkeys(_formulas(numbers, "")))


def _formulas(numbers: Any, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(numbers, list):
        for each in numbers:
            yield from _formulas(each, name)
    if isinstance(numbers, dict):
        if isinstance(numbers.get("formula"), str):
            yield name.replace("_", " "), numbers["formula"]
        for key, each in numbers.items():
            is_level = key in ("pooled", "by_contrast", "sessions")
            yield from _formulas(each, name if is_level else key)
