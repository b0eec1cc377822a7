"""Published human data as sessions like any other.

A file is read whole and checked before anything is written, and is written in one
transaction: an altered or truncated file leaves the database as it was.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..protocols.files import load_protocol
from ..protocols.parts import Block, Contrast, DoublePass
from ..protocols.protocol import Protocol
from ..protocols.signal import signal_parameters
from ..session.session import Session
from ..stimulus.sources import StoredNoise
from ..store.rows import ObserverInfo
from ..store.sqlite import Store, open_store
from ..store.trial import Response, TrialSpec
from .murray2015 import Block as FileBlock
from .murray2015 import read_file


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
        When the observer began and finished, local time; None if it is not known.
    protocol
        What was shown: of `disk-polarity`, with the file's own blocks and contrasts.
    specs, responses
        One of each per trial, in order.
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
    screened out: response times under 100 ms stay.

    Parameters
    ----------
    path
        The text file.
    allow_unpublished
        Whether a file may be read that is not, or is no longer, a published one. Its
        structure is checked all the same.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file was altered or cut short, or is not of this kind; one sentence.
    """
    file = read_file(path, allow_unpublished)
    protocol = _protocol(file.blocks)
    return ImportedSession(
        observer=file.observer,
        file=file.name,
        sha256=file.sha256,
        is_pinned=file.is_pinned,
        started_at=file.blocks[0].started_at,
        ended_at=file.blocks[-1].ended_at,
        protocol=protocol,
        specs=tuple(_specs(protocol, file.blocks)),
        responses=tuple(
            Response(int(row.response) - 1, rt_ms=round(1000 * row.rt_s, 3))
            for block in file.blocks
            for row in block.rows
        ),
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
        If the file is refused, or the database is not ours. Then nothing is written.
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
    """
    observer = ObserverInfo("person", data.observer, data.source)
    dates = {"started_at": data.started_at, "ended_at": data.ended_at}
    trials = list(zip(data.specs, data.responses, strict=True))
    event = {**data.source, **dates}
    return write_trials(store, data.protocol, observer, trials, event)


def write_trials(
    store: Store,
    protocol: Protocol,
    observer: ObserverInfo,
    trials: Sequence[tuple[TrialSpec, Response]],
    event: Mapping[str, Any],
    noise_sha256: str | None = None,
) -> str:
    """Write trials as a finished session; all of it or nothing.

    Parameters
    ----------
    store
        The trial log.
    protocol, observer, trials
        What was shown to whom, and answered.
    event
        What the log keeps of the import.
    noise_sha256
        Of the stored noise, which the store has already.

    Returns
    -------
    str
        The session's id.
    """
    with store.transaction():
        session = Session.start(
            store, protocol, observer, "import", noise_sha256=noise_sha256
        )
        store.append_trials(session.id, [session.score(*trial) for trial in trials])
        store.add_event(session.id, "import", dict(event))
        store.finish(session.id)
    return session.id


def require_new(
    store: Store,
    observer: str,
    noise_sha256: str,
    trials: Sequence[tuple[TrialSpec, Response]],
) -> None:
    """Raise ValueError if the trials are in the trial log already.

    An observer who is there twice would count as two. Trials that were withdrawn do not
    come back.
    """
    of = f"{StoredNoise.name}:{noise_sha256}"
    for row in store.sessions():
        same = row.presenter == "import" and row.noise_source == of
        if not same or row.observer.name != observer:
            continue
        known = [(record.spec, record.response) for record in store.trials(row.id)]
        if row.status == "withdrawn":
            got = f"those of session {row.id}, which was withdrawn"
        elif known == list(trials):
            got = f"those of session {row.id} again"
        else:
            continue
        raise ValueError(f"trials of {observer} must be new to the database, got {got}")


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
