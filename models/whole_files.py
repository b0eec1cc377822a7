"""The user's cache: files that are there whole, or not at all."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


def cache_folder() -> Path:
    """Give the folder for weights: YOKED_CACHE, or the user's cache."""
    if os.environ.get("YOKED_CACHE"):
        return Path(os.environ["YOKED_CACHE"])
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("yoked"))


@contextmanager
def whole(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that takes its place only when all has been written.

    Raises
    ------
    OSError
        If it cannot be written; what was there before stays, and nothing half-written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, half = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(half, path)
    except BaseException:
        Path(half).unlink(missing_ok=True)
        raise


def is_file_with(path: Path, sha256: str) -> bool:
    """Tell whether a file is there, and is the one with this SHA-256."""
    return path.is_file() and file_sha256(path) == sha256


def file_sha256(path: Path) -> str:
    """Give a file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
