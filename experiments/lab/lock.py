"""One run at a time for each session: a lock that dies with its process."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def session_lock(db_path: str | Path, session_id: str) -> Iterator[None]:
    """Hold a session, so that no second run on this machine can show its trials.

    The system gives the lock back when the process ends, however it ends. A database
    is never on a network share, so one machine is all there is.

    Parameters
    ----------
    db_path
        The trial log; the lock is a file beside it. ':memory:' is nobody else's.
    session_id
        Id of the session.

    Raises
    ------
    ValueError
        If another process holds the session.
    OSError
        If the folder cannot be written.
    """
    if str(db_path) == ":memory:":
        yield
        return
    db_path = Path(db_path).resolve()  # one lock, by whatever name it is reached
    path = db_path.with_name(f"{db_path.name}-{session_id}.lock")
    descriptor = _held(path, session_id)
    try:
        yield
    finally:
        if os.name != "nt":  # there an open file cannot be removed
            path.unlink(missing_ok=True)
        os.close(descriptor)
        if os.name == "nt":
            with suppress(OSError):
                path.unlink(missing_ok=True)


def _held(path: Path, session_id: str) -> int:
    """Open and lock a file; of two processes that race, one gets it."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _lock(descriptor)
        except OSError as error:
            os.close(descriptor)
            rule = "run once at a time"
            raise ValueError(
                f"session {session_id} must be {rule}, got a second `yoked lab` on it"
            ) from error
        # Whoever held it may have removed the file between our opening and locking.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.stat(path), os.fstat(descriptor)):
                return descriptor
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
