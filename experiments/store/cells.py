"""Cells of exported tables that spreadsheets, R and pandas leave as they are."""

import re

LARGEST_EXACT = 2**53  # beyond it a double, and so R or a spreadsheet, rounds integers

# What a spreadsheet may calculate; of what is only a number there is nothing to fear.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?")
_EXACT = re.compile(r"(?:seed|int):(-?\d+)")


def written(value: object) -> object:
    """Give a cell as it is written: text that is no formula, numbers that are exact.

    A text that begins with = + - @, a tab or a new line gets an apostrophe before it;
    an integer that a double cannot hold begins with int:.

    Examples
    --------
    >>> written("=1+1"), written("-5"), written(-5), written(2**53 + 1)
    ("'=1+1", '-5', -5, 'int:9007199254740993')
    """
    if isinstance(value, str):
        is_formula = _FORMULA.match(value) and not _NUMBER.fullmatch(value)
        return f"'{value}" if is_formula else value
    if isinstance(value, int) and abs(value) > LARGEST_EXACT:
        return exact(value)
    return value


def exact(value: int, what: str = "int") -> str:
    """Give an integer as text that nothing takes for a number, with all its digits.

    Examples
    --------
    >>> exact(2640386212269488957, "seed")
    'seed:2640386212269488957'
    """
    return f"{what}:{value}"


def from_cell(text: str) -> str:
    """Give the text that `written` made a cell of.

    Examples
    --------
    >>> from_cell("'=1+1"), from_cell("'tis")
    ('=1+1', "'tis")
    """
    is_escaped = text.startswith("'") and _FORMULA.match(text)
    return text[1:] if is_escaped else text


def whole_text(text: str) -> int | None:
    """Give the integer in a text, exact or as plain digits; None if it is none.

    Examples
    --------
    >>> whole_text("seed:12"), whole_text("+3"), whole_text("3.5")
    (12, 3, None)
    """
    found = _EXACT.fullmatch(text.strip()) or re.fullmatch(
        r"\s*([+-]?\d+)\s*", text, re.ASCII
    )
    return int(found[1]) if found else None
