"""The human data of Pritchett & Murray (2015): which of two dots is brighter, in 2AFC.

Experiment 2: a dot on each side of one field of noise, an increment on one of them. A
file is like those of `murray2015_file`, with other columns and a title. The right half
is read turned over, as in a mirror: then both dots lie on the same element, as in the
authors' own analysis.

References
----------
.. [1] Pritchett & Murray (2015), Classification images reveal decision variables and
   strategies in forced choice tasks. PNAS 112, 7321-7326. Data: github.com/rfmurray/
   publications, 2015pnas/supporting/data; no open licence is stated.
"""

import hashlib
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..protocols.parts import Block, Contrast, Display, DoublePass, Noise, Signal, Task
from ..protocols.protocol import Protocol
from ..protocols.signal import signal_parameters
from ..stimulus.sources import Matlab5NormalNoise
from ..store.rows import ObserverInfo
from ..store.sqlite import open_store
from ..store.text import utf8_text
from ..store.trial import Response, TrialSpec
from .murray2015_file import FileBlock, read_blocks
from .same_trials import Imported, require_new
from .sessions import write_trials

COLUMNS = (
    "trial", "matchtrial", "stair", "sigcst", "left", "rseed1", "rseed2", "response",
    "respleft", "correct", "rt",
)  # fmt: skip
_SIZE, _CENTRE, _RADIUS = 38, 19, 4.0  # of a half: elements, the dot's place and size
_TITLE = re.compile(r"'experiment 2, subject (\d+)': left out")
_NOTES = (
    "both dots stood on a pedestal of contrast 0.1, which the protocol does not have: "
    "contrasts are increments",
    "degrees per element are not in the file, and counted as 1",
)


class _Row(NamedTuple):
    """One row of a file, as its columns are."""

    trial: float
    match: float
    stair: float
    contrast: float
    left: float
    seed1: float
    seed2: float
    response: float
    chose_left: float
    correct: float
    rt_s: float


def import_pritchett2015(path: str | Path, db_path: str | Path) -> str:
    """Write one observer of Pritchett & Murray (2015), experiment 2, into a database.

    Parameters
    ----------
    path
        The text file.
    db_path
        The trial log; made if there is none.

    Returns
    -------
    str
        The session's id. The SHA-256 of no file is known here, so the observer is
        'unverified'.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a row breaks a rule, or the trials are in the database; nothing is written.

    Examples
    --------
    `session = yoked.import_pritchett2015("experiment2_subject1.txt", "results.db")`,
    and then `yoked.load_session("results.db", session)`.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "empty.txt")
    ...     _ = path.write_text("", encoding="utf-8")
    ...     import_pritchett2015(path, Path(folder, "results.db"))
    Traceback (most recent call last):
    ValueError: empty.txt must hold a block of trials, got none
    """
    path = Path(path)
    content = path.read_bytes()
    name = utf8_text(path.name)
    text = content.decode("utf-8", "replace")
    blocks, notes = read_blocks(name, text, COLUMNS, _row)
    if not blocks:
        raise ValueError(f"{name} must hold a block of trials, got none")
    titles = [found[1] for note in notes if (found := _TITLE.search(note))]
    notes = (*(note for note in notes if not _TITLE.search(note)), *_NOTES)
    who = f"exp2-observer{titles[0]}" if titles else Path(name).stem
    observer = f"pritchett2015-{who}-unverified"
    protocol = _protocol(blocks)
    trials = list(_trials(protocol, blocks))
    began, ended = blocks[0].started_at, blocks[-1].ended_at
    source = {"file": name, "sha256": hashlib.sha256(content).hexdigest()}
    noise = Matlab5NormalNoise(protocol, 0)
    new = Imported.of(observer, bool(titles), noise, 2, trials)
    store = open_store(db_path)
    try:
        with store.transaction():
            (shared,) = require_new(store, [new], noise.name)
            about = [*notes, *shared]
            event = {**source, "started_at": began, "ended_at": ended, "notes": about}
            info = ObserverInfo("person", observer, {**source, "published": False})
            return write_trials(
                store,
                protocol,
                info,
                trials,
                event,
                started_at=began,
                ended_at=ended,
            )
    finally:
        store.close()


def _row(where: str, words: Sequence[str], before: Sequence[_Row]) -> _Row:
    """Check one row of numbers against the rules of its columns and the rows before."""
    if len(words) != len(COLUMNS):
        raise ValueError(f"{where} must have {len(COLUMNS)} columns, got {len(words)}")
    try:
        row = _Row(*map(float, words))
    except ValueError:
        raise ValueError(f"{where} must hold numbers, got {' '.join(words)}") from None
    number = len(before) + 1
    binary = "0 or 1"
    is_earlier = row.match == -1 or row.match in range(1, number)
    is_correct = row.chose_left == row.left
    rules = (
        ("trial", str(number), row.trial == number),
        ("matchtrial", "-1 or an earlier trial", is_earlier),
        ("stair", "a number", math.isfinite(row.stair)),
        ("sigcst", "in (0, .5]", 0 < row.contrast <= 0.5),
        ("left", binary, row.left in {0, 1}),
        ("rseed1", "a whole number in [0, 2^32)", _is_seed(row.seed1)),
        ("rseed2", "a whole number in [0, 2^32)", _is_seed(row.seed2)),
        ("response", binary, row.response in {0, 1}),
        ("respleft", "1 where response is 0", row.chose_left == 1 - row.response),
        (
            "correct",
            f"{is_correct:d} as left and respleft say",
            row.correct == is_correct,
        ),
        ("rt", "a time in s from 0", 0 <= row.rt_s < math.inf),
    )
    for (column, rule, holds), word in zip(rules, words, strict=True):
        if not holds:
            raise ValueError(f"{column} in {where} must be {rule}, got {word}")
    if row.match > 0 and _shown(row) != _shown(before[int(row.match) - 1]):
        rule = f"repeat trial {int(row.match)}"
        raise ValueError(f"{where} must {rule}, got another stimulus")
    return row


def _is_seed(value: float) -> bool:
    return 0 <= value < 2**32 and value == int(value)


def _shown(row: _Row) -> tuple[float, float, float]:
    return row.seed2, row.left, row.contrast


def _protocol(blocks: Sequence[FileBlock]) -> Protocol:
    """Describe the experiment, with this file's blocks, pairs and contrasts."""
    rows = [row for block in blocks for row in block.rows]
    contrasts = tuple(sorted({row.contrast for row in rows}))
    return Protocol(
        name="two-dots",
        title="Which of two dots was brighter?",
        task=Task("2afc", ("1", "2")),
        display=Display(1.0),
        noise=Noise(
            "gaussian", 0.2, (1, _SIZE, _SIZE), Matlab5NormalNoise.name, truncate_sd=2.0
        ),
        signal=Signal("array", (0.0, 1.0), values=_dot()),
        contrast=Contrast(contrasts, keep_correct=(0.0, 1.0)),
        blocks=tuple(Block("main", len(block.rows)) for block in blocks),
        double_pass=DoublePass(sum(row.match > 0 for row in rows), min_gap=1),
    )


def _dot() -> tuple[float, ...]:
    """Give the published disk: 1 up to its edge, which falls off within an element."""
    offsets = np.arange(_SIZE) - _CENTRE
    distance = np.hypot(*np.meshgrid(offsets, offsets))
    return tuple(np.round(np.clip(_RADIUS + 0.5 - distance, 0, 1), 3).ravel().tolist())


def _trials(
    protocol: Protocol, blocks: Sequence[FileBlock]
) -> Iterator[tuple[TrialSpec, Response]]:
    """Number the trials through the session; a match is one within its block."""
    signal: dict[str, Any] = signal_parameters(protocol)
    first = 0
    for number, block in enumerate(blocks):
        for i, row in enumerate(block.rows):
            is_repeat = row.match > 0
            spec = TrialSpec(
                trial=first + i,
                block=number,
                block_kind="main",
                condition=f"contrast-{row.contrast:g}",
                stimulus_id=int(row.seed2),
                pass_=2 if is_repeat else 1,
                repeats=first + int(row.match) - 1 if is_repeat else None,
                contrast=row.contrast,
                target=0 if row.left else 1,
                signal=signal,
            )
            yield spec, Response(int(row.response), rt_ms=round(1000 * row.rt_s, 3))
        first += len(block.rows)
