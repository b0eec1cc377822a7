"""Whether somebody is there and presses what counts, and what is said about it."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from ..protocols.protocol import Protocol
from ..session.screening import screened_out
from ..session.shown import is_anticipation
from ..store.trial import Response, TrialRecord
from .pages import CLOSE, PAUSED_ON_PAGE
from .trial import KeyedResponse

NOTICE_MS = 1500.0  # how long a line stands that a participant should read
ABSENT_AFTER = 5  # trials without a response, in a row: some 20 s in our protocols
ABSENT = "No response in {} trials in a row: the screen asks whether anybody is there."
NO_RESPONSES = (
    "The session is over, but no response was recorded.\n\n"
    f"Please tell the experimenter.\n\n{CLOSE}"
)
_PRINTED = {
    "left": "the left arrow",
    "right": "the right arrow",
    "up": "the up arrow",
    "down": "the down arrow",
    "space": "the space bar",
    "return": "Enter",
}


def in_words(keys: Sequence[str]) -> str:
    """Say which keys, as they are printed on a US keyboard.

    Examples
    --------
    >>> in_words(["f", "j"]), in_words(["num_1", "num_2", "space"])
    ('F or J', '1 on the number pad, 2 on the number pad or the space bar')
    """
    *words, last = [_printed(key) for key in keys]
    return f"{', '.join(words)} or {last}"


def _printed(key: str) -> str:
    digit = key.removeprefix("num_")
    if digit != key:
        return f"{digit} on the number pad"
    return _PRINTED.get(key, key.upper())


def notice(
    protocol: Protocol, response: Response, keyed: KeyedResponse, keys: str
) -> str | None:
    """Give what a participant is told after a trial; None where all was well.

    Parameters
    ----------
    protocol, response, keyed
        What was asked for, and what came of it.
    keys
        What there is to press, in words.
    """
    if keyed.early or is_anticipation(protocol, response):
        which = "the pattern" if protocol.n_onsets == 1 else "the last pattern"
        return f"Too soon: wait for {which}, then press {keys}."
    if keyed.others and response.response is None:
        return f"That key is no response: press {keys}."
    return None


def absent_page(n_missed: int, keys: str) -> str:
    """Ask whether somebody is there, and say what there is to press."""
    asked = f"There was no response in the last {n_missed} trials."
    way = f"Press {keys} after the patterns."
    _, go_on = PAUSED_ON_PAGE.split("\n\n", 1)
    return f"Are you there?\n\n{asked}\n{way}\n\n{go_on}"


def found_at_the_end(
    protocol: Protocol, records: Sequence[TrialRecord], n_others: Counter[str]
) -> tuple[list[str], dict[str, dict[str, Any]]]:
    """Say what an operator should know of a session that is over.

    Parameters
    ----------
    protocol
        With its rules.
    records
        All trials of the session.
    n_others
        How often keys were pressed that are no response, in this sitting.

    Returns
    -------
    list of str, dict
        Sentences; and the details of events, by their kind, that say the same.
    """
    said, events = [], {}
    if not any(record.response.response is not None for record in records):
        n = len(records)
        said.append(f"No response in any of {n} trials: is the keyboard right?")
        events["no_response"] = {"n_trials": len(records)}
    rules = screened_out(protocol, records)
    if rules:
        said += [f"Screened out: {rule}." for rule in rules]
        events["screened_out"] = {"rules": rules}
    n_soon = sum(is_anticipation(protocol, record.response) for record in records)
    if n_soon:
        earliest = protocol.timing.earliest_ms
        said.append(f"Responses before {earliest:g} ms, excluded: {n_soon}.")
    if n_others:
        keys = ", ".join(f"{key} ({n})" for key, n in n_others.most_common(5))
        said.append(f"Pressed, and no response: {keys}.")
    return said, events
