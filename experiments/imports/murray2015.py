"""The human data of Murray, Patel & Yee (2015): a disk in noise, in 2AFC.

What a file is like: `murray2015_file`. Of six files the SHA-256 is known; of the others
nobody can tell here whether they are as published, and their observers say so.

References
----------
.. [1] Murray, Patel & Yee (2015), Posterior probability matching and human perceptual
   decision making. PLOS Comput. Biol. 11, e1004342. Data: github.com/rfmurray/
   publications, commit 2ee055e, 2015ploscb/supporting/data.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from ..protocols.files import load_protocol
from ..protocols.parts import Block, Contrast, DoublePass
from ..protocols.protocol import Protocol
from ..protocols.signal import signal_parameters
from ..stimulus.sources import Matlab5Noise
from ..store.rows import ObserverInfo
from ..store.sqlite import Store, open_store
from ..store.text import utf8_text
from ..store.trial import Response, TrialSpec
from .murray2015_file import FileBlock, read_blocks
from .same_trials import Imported, require_new
from .sessions import write_trials


class Published(NamedTuple):
    """What a published file must be: its SHA-256, and the time in its first line."""

    sha256: str
    started: str


PUBLISHED = {
    "experiment1_subject01.txt": Published(
        "3faefd04c68f5515cf7ce3810503edc8134a9efd29f5f8868b72a3010f5da316",
        "03-Jul-2013 11:39:52",
    ),
    "experiment2_subject01.txt": Published(
        "21cd493e8229033201e76bf3d60040548bd23a9b19dc17bfe4d77c9d197a9889",
        "24-Feb-2015 14:33:43",
    ),
    "experiment2_subject02.txt": Published(
        "89e257b5bc98e080bba349e3b4e7c680498b211c64bd7133c4839cf931957146",
        "02-Mar-2015 11:10:46",
    ),
    "experiment2_subject03.txt": Published(
        "067ebe216e60e04cce22a990c022999f69e48d15dd061629ed0ebabeeab8d232",
        "25-Feb-2015 12:33:31",
    ),
    "experiment2_subject04.txt": Published(
        "d8aadad5af11ccc83896e709d7387546d551ffb31f2cf3660a7cbbc15d56927d",
        "02-Mar-2015 14:08:31",
    ),
    "experiment2_subject05.txt": Published(
        "bbc2daccae2aec2d2c5bebdca1278a66987b06c09a6db33ad655b35b4e55000e",
        "02-Mar-2015 16:12:37",
    ),
}
_NAME = re.compile(r"experiment([12])_subject(\d\d)\.txt")
_SHA256 = {known.sha256: name for name, known in PUBLISHED.items()}


@dataclass(frozen=True)
class ImportedSession:
    """One observer's trials, checked and renumbered.

    Attributes
    ----------
    observer
        Name of the observer, such as 'murray2015-exp1-observer1'.
    file, sha256
        Where the trials came from.
    is_pinned
        Whether the file is byte for byte the published one.
    started_at, ended_at
        When the observer began and finished, local time; None where the file does not
        say it.
    protocol
        What was shown: of `disk-polarity`, with the file's own blocks and contrasts.
    specs, responses
        One of each per trial, in order.
    notes
        What was left out, and what the file is not, a sentence each.
    """

    observer: str
    file: str
    sha256: str
    is_pinned: bool
    started_at: str | None
    ended_at: str | None
    protocol: Protocol
    specs: tuple[TrialSpec, ...]
    responses: tuple[Response, ...]
    notes: tuple[str, ...]

    @property
    def source(self) -> dict[str, Any]:
        """Where the trials came from, for the trial log."""
        published = self.is_pinned
        return {"file": self.file, "sha256": self.sha256, "published": published}


def read_murray2015(
    path: str | Path, allow_unpublished: bool = False
) -> ImportedSession:
    """Read one observer's file of Murray, Patel & Yee (2015), experiment 1 or 2.

    The trial number starts again in every block of the file; here it counts through the
    session. A trial with a `matchtrial` repeats that trial of its block. No trial is
    screened out: response times under 100 ms stay. A file that is not byte for byte one
    of those whose SHA-256 is known has an observer that is 'altered' or 'unverified'.

    Parameters
    ----------
    path
        The text file.
    allow_unpublished
        Whether a file may be read that is no longer a published one, or has no name of
        one. Its structure is checked all the same.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file was altered or cut short, or is not of this kind; one sentence.
    """
    path = Path(path)
    content = path.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    text = content.decode("utf-8", "replace")
    name = utf8_text(path.name)
    original = _original(name, text, sha256)
    if not allow_unpublished:
        _require_published(name, original, sha256)
    blocks, notes = read_blocks(name, text)
    experiment, observer = _who(name, original, sha256, len(blocks))
    _require_layout(name, experiment, blocks)
    protocol = _protocol(blocks)
    return ImportedSession(
        observer=observer,
        file=name,
        sha256=sha256,
        is_pinned=sha256 in _SHA256,
        started_at=blocks[0].started_at,
        ended_at=blocks[-1].ended_at,
        protocol=protocol,
        specs=tuple(_specs(protocol, blocks)),
        responses=tuple(
            Response(int(row.response) - 1, rt_ms=round(1000 * row.rt_s, 3))
            for block in blocks
            for row in block.rows
        ),
        notes=(*notes, *_about_origin(name, original, sha256)),
    )


def import_murray2015(
    path: str | Path, db_path: str | Path, allow_unpublished: bool = False
) -> str:
    """Write one published observer into a database, as a finished session.

    Parameters
    ----------
    path, allow_unpublished
        As for `read_murray2015`.
    db_path
        The trial log; made if there is none.

    Returns
    -------
    str
        The session's id.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is refused, was imported before, or the database is not ours. Then
        nothing is written.
    """
    data = read_murray2015(path, allow_unpublished)
    store = open_store(db_path)
    try:
        return write_session(store, data)
    finally:
        store.close()


def write_session(store: Store, data: ImportedSession) -> str:
    """Write an observer's trials as a finished session; all of it or nothing.

    Returns
    -------
    str
        The session's id.

    Raises
    ------
    ValueError
        If the trials are in the trial log already.
    """
    observer = ObserverInfo("person", data.observer, data.source)
    dates = {"started_at": data.started_at, "ended_at": data.ended_at}
    trials = list(zip(data.specs, data.responses, strict=True))
    noise = Matlab5Noise(data.protocol, 0)
    new = Imported.of(data.observer, False, noise, 2, trials)
    with store.transaction():
        (shared,) = require_new(store, [new], noise.name)
        event = {**data.source, **dates, "notes": [*data.notes, *shared]}
        return write_trials(
            store,
            data.protocol,
            observer,
            trials,
            event,
            started_at=data.started_at,
            ended_at=data.ended_at,
        )


def _original(name: str, text: str, sha256: str) -> str | None:
    """Name the pinned file that this is, or was: by hash, by name, or by a time."""
    if sha256 in _SHA256:
        return _SHA256[sha256]
    if name in PUBLISHED:
        return name
    comments = {line[1:].strip() for line in text.splitlines() if line[:1] == "%"}
    return next(
        (n for n, known in PUBLISHED.items() if known.started in comments), None
    )


def _require_published(name: str, original: str | None, sha256: str) -> None:
    """Refuse what is an altered copy of a published file, or no published file."""
    if original is not None and sha256 != PUBLISHED[original].sha256:
        raise ValueError(
            f"{name} must be the published {original}, SHA-256 "
            f"{PUBLISHED[original].sha256}, got {sha256}; it was altered or cut short"
        )
    if original is None and not _NAME.fullmatch(name):
        raise ValueError(
            f"{name} must be a published file such as experiment1_subject01.txt, "
            f"got SHA-256 {sha256}, which is not known"
        )


def _about_origin(name: str, original: str | None, sha256: str) -> list[str]:
    """Say it where a file is not, or may not be, as it was published."""
    if original is not None and sha256 != PUBLISHED[original].sha256:
        return [
            f"{name} is not the published {original}, SHA-256 "
            f"{PUBLISHED[original].sha256}: it was altered or cut short"
        ]
    if original is None and _NAME.fullmatch(name):
        return [
            f"the SHA-256 of the published {name} is not known here: it cannot be told "
            "from a changed copy"
        ]
    return []


def _who(
    name: str, original: str | None, sha256: str, n_blocks: int
) -> tuple[int, str]:
    """Tell experiment and observer: of the original, by file name, or by layout."""
    found = _NAME.fullmatch(original or name)
    if not found:
        return 1 if n_blocks > 1 else 2, f"murray2015-{Path(name).stem}"
    experiment, number = int(found[1]), int(found[2])
    observer = f"murray2015-exp{experiment}-observer{number}"
    if original is None:
        return experiment, f"{observer}-unverified"
    is_pinned = sha256 == PUBLISHED[original].sha256
    return experiment, observer if is_pinned else f"{observer}-altered"


def _require_layout(name: str, experiment: int, blocks: Sequence[FileBlock]) -> None:
    sizes = [len(block.rows) for block in blocks]
    if experiment == 1:
        rule, holds = "33 blocks of 300 trials", sizes == [300] * 33
    else:
        rule, holds = "one block of up to 500 trials", sum(sizes) in range(1, 501)
        holds = holds and len(sizes) == 1
    if not holds:
        found = f"{len(sizes)} with {sum(sizes)} trials"
        raise ValueError(f"{name} must have {rule}, got {found}")


def _protocol(blocks: Sequence[FileBlock]) -> Protocol:
    """Give the shipped protocol with this file's blocks, pairs and contrasts."""
    rows = [row for block in blocks for row in block.rows]
    contrasts = tuple(sorted({row.contrast for row in rows}))
    return replace(
        load_protocol("disk-polarity"),
        blocks=(Block("main", len(blocks[0].rows), len(blocks)),),
        contrast=Contrast(contrasts, keep_correct=(0.0, 1.0)),
        double_pass=DoublePass(sum(row.match > 0 for row in rows)),
    )


def _specs(protocol: Protocol, blocks: Sequence[FileBlock]) -> Iterator[TrialSpec]:
    """Number the trials through the session; a match is one within its block."""
    signal, first = signal_parameters(protocol), 0
    for number, block in enumerate(blocks):
        for i, row in enumerate(block.rows):
            is_repeat = row.match > 0
            yield TrialSpec(
                trial=first + i,
                block=number,
                block_kind="main",
                condition=f"contrast-{row.contrast:g}",
                stimulus_id=int(row.seed),
                pass_=2 if is_repeat else 1,
                repeats=first + int(row.match) - 1 if is_repeat else None,
                contrast=row.contrast,
                target=int(row.target_interval) - 1,
                signal=signal,
            )
        first += len(block.rows)
