"""Trials in the wide CSV of PsychoPy: one row a trial, names as its Builder has them.

The conventions are those of `psychopy.data.ExperimentHandler.saveAsWideText` and of the
Keyboard component in PsychoPy 2026.2.5: first what was planned for the trial, then the
loops' counters, then what was measured (times in seconds), then the session's
information. What PsychoPy has no name for stands under its name in the trial log, and
nothing of the trial log is left out.
"""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any

from ...experiments.store.cells import exact, written
from ...experiments.store.trial_columns import TRIAL_COLUMNS

if TYPE_CHECKING:
    from ...experiments.protocols.protocol import Protocol
    from ...experiments.store.rows import SessionRow
    from ...experiments.store.sqlite import Store

PLANNED = (
    "condition", "block_kind", "stimulus_id", "pass", "repeats", "contrast", "signal",
    "target",
)  # fmt: skip
_COUNTERS = ("thisRepN", "thisTrialN", "thisN", "thisIndex")
LOOPS = tuple(f"{loop}.{c}" for loop in ("blocks", "trials") for c in _COUNTERS)
KEYS = ("key_resp.keys", "key_resp.rt", "key_resp.corr")
# What PsychoPy has no words for; onsets stand in the log's form too, with all digits.
MEASURED = tuple(
    name
    for name in TRIAL_COLUMNS
    if name not in (*PLANNED, "trial", "block", "response", "rt_ms", "correct")
)
SESSION = (
    "participant", "session", "date", "expName", "psychopyVersion", "frameRate",
    "observer_kind", "presenter", "protocol_hash", "seed", "noise_source", "yoked_to",
    "software",
)  # fmt: skip


def write_wide(file: IO[str], store: "Store", sessions: Sequence["SessionRow"]) -> int:
    """Write the trials of sessions, a row at a time, and return how many.

    Differs from PsychoPy's own writer in three places, where that one's files cannot be
    read back: a quotation mark inside a cell is doubled, no line ends with a separator,
    and a trial without a response has no score (PsychoPy: 0).
    """
    protocols = {
        row.protocol_hash: store.protocol(row.protocol_hash) for row in sessions
    }
    n_started = max((each.n_onsets for each in protocols.values()), default=0)
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(wide_columns(n_started))
    n_trials = 0
    for session in sessions:
        protocol = protocols[session.protocol_hash]
        for cells in _rows(store, session, protocol, n_started):
            writer.writerow(map(written, cells))
            n_trials += 1
    return n_trials


def wide_columns(n_started: int) -> list[str]:
    """Give the header, with a column for each of `n_started` onsets in a trial."""
    started = [f"interval_{k}.started" for k in range(1, n_started + 1)]
    return [
        *PLANNED, "corrAns", *LOOPS, "trial", *started, *KEYS, *MEASURED, "excluded",
        *SESSION,
    ]  # fmt: skip


def _rows(
    store: "Store", session: "SessionRow", protocol: "Protocol", n_started: int
) -> Iterator[Iterable[object]]:
    excluded = store.excluded(session.id)
    about = _about(session)
    shown: Counter[int] = Counter()  # block: its trials so far
    for row in store.trial_rows(session.id):
        block = row["block"]
        counters = [0, block, block, block, 0, *[shown[block]] * 3]
        shown[block] += 1
        yield [
            *(row[name] for name in PLANNED),
            _correct_key(protocol, row["target"]),
            *counters,
            row["trial"],
            *_started(row["onsets_ms"], n_started),
            *_response(protocol, row),
            *(row[name] for name in MEASURED),
            int(row["trial"] in excluded),
            *about,
        ]


def _response(protocol: "Protocol", row: dict[str, Any]) -> tuple[object, ...]:
    """Give the key, its time in seconds and the score, as a Keyboard component does."""
    response = row["response"]
    key = None if response is None else protocol.task.keys[response]
    return str(key), _seconds(row["rt_ms"]), row["correct"]


def _correct_key(protocol: "Protocol", target: int) -> str | None:
    """Give the right response's key, if any; a rating has a half of the scale."""
    has_one = protocol.task.has_target and protocol.task.kind != "rating"
    return protocol.task.keys[target] if has_one else None


def _started(onsets_ms: str | None, n: int) -> list[str | None]:
    onsets = [] if onsets_ms is None else json.loads(onsets_ms)[:n]
    return [*map(_seconds, onsets), *[None] * (n - len(onsets))]


def _seconds(ms: float | None) -> str | None:
    """Give milliseconds in seconds, digit for digit.

    Examples
    --------
    >>> _seconds(600.1), 600.1 / 1000
    ('0.6001', 0.6001000000000001)
    """
    return None if ms is None else f"{Decimal(repr(ms)).scaleb(-3):f}"


def _about(session: "SessionRow") -> tuple[object, ...]:
    display, device = session.display or {}, session.device or {}
    return (
        session.observer.name,
        session.id,
        _date(session.started_at),
        session.protocol_name,
        device.get("psychopy"),
        display.get("refresh_hz"),
        session.observer.kind,
        session.presenter,
        session.protocol_hash,
        exact(session.seed, "seed"),
        session.noise_source,
        session.yoked_to,
        session.software,
    )


def _date(started_at: str) -> str:
    """Give a time as PsychoPy writes it, here in UTC.

    Examples
    --------
    >>> _date("2026-01-10T10:15:12.345+00:00")
    '2026-01-10_10h15.12.345'
    """
    try:
        time = datetime.fromisoformat(started_at)
    except ValueError:
        return started_at  # of an import
    return f"{time:%Y-%m-%d_%Hh%M.%S}.{time.microsecond // 1000:03d}"
