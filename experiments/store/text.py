"""Text that comes into the trial log: UTF-8, and names that look as they are."""

import re
import unicodedata

# Not to be seen, but neither format nor control characters (Unicode's
# Default_Ignorable_Code_Point beyond the categories Cf and Cc).
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0"
    "\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def utf8_text(text: str) -> str:
    r"""Give text of the system (a file's name, an option) as it was meant, UTF-8.

    Where the system's code page is not UTF-8, Python hands over bytes that it does not
    know as single surrogates, which no file and no database takes.

    Raises
    ------
    ValueError
        If it is not UTF-8.

    Examples
    --------
    >>> utf8_text("Zo\udcc3\udcab") == "Zo\u00eb"
    True
    """
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8")
    except UnicodeError:
        raise ValueError(f"text must be UTF-8, got {text!a}") from None


def observer_name(text: str) -> str:
    r"""Give an observer's name so that what looks the same is the same.

    In Unicode's normal form C, without characters that are not to be seen (of no
    width, of format or control), each run of white space as one space, none at the
    ends.

    Raises
    ------
    ValueError
        If nothing is left, or it is not UTF-8.

    Examples
    --------
    >>> observer_name("  A\u030ase\u200b\tB. ") == "\u00c5se B."
    True
    """
    spaced = " ".join(_UNSEEN.sub("", utf8_text(text)).split())
    kept = (c for c in spaced if unicodedata.category(c) not in ("Cf", "Cc"))
    name = " ".join(unicodedata.normalize("NFC", "".join(kept)).split())
    if not name:
        rule = "a text with a character that is to be seen"
        raise ValueError(f"an observer's name must be {rule}, got {text!a}")
    return name
