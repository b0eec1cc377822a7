"""Other people's trials as sessions like any other: what every import needs.

A file is read whole and checked before anything is written, and is written in one
transaction: an altered or truncated file leaves the database as it was.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ..protocols.protocol import Protocol
from ..session.scoring import scored
from ..session.session import Session
from ..store.rows import ObserverInfo
from ..store.sqlite import Store
from ..store.trial import Response, TrialSpec


def write_trials(
    store: Store,
    protocol: Protocol,
    observer: ObserverInfo,
    trials: Sequence[tuple[TrialSpec, Response]],
    event: Mapping[str, Any],
    noise_sha256: str | None = None,
    *,
    seed: int | None = None,
    display: dict[str, Any] | None = None,
    device: dict[str, Any] | None = None,
    started_at: str | None = None,
    ended_at: str | None = None,
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
    seed
        Of the noise, where it is generated.
    display, device
        What the stimulus was shown on.
    started_at, ended_at
        When the observer began and finished, where the recording says it.

    Returns
    -------
    str
        The session's id.
    """
    with store.transaction():
        session = Session.start(
            store,
            protocol,
            observer,
            "import",
            seed=seed,
            display=display,
            device=device,
            noise_sha256=noise_sha256,
            started_at=started_at,
        )
        store.append_trials(
            session.id, [scored(session.protocol, *trial) for trial in trials]
        )
        store.add_event(session.id, "import", dict(event))
        store.finish(session.id, ended_at)
    return session.id
