"""Fetching published files: pinned by URL and SHA-256, whole or not at all."""

import hashlib
import os
import urllib.request
from pathlib import Path

from .murray2015 import PUBLISHED

MURRAY2015_URL = (
    "https://raw.githubusercontent.com/rfmurray/publications/"
    "2ee055e18c4f0c211df0e43cec53fe0491abc643/"
    "2015ploscb/supporting/data"
)
TIMEOUT_S = 30.0


class FetchError(OSError):
    """A file could not be fetched, or is not the one that was published."""


def fetch_murray2015(
    destination: str | Path,
    name: str = "experiment1_subject01.txt",
    url: str = MURRAY2015_URL,
) -> Path:
    """Download a file of Murray, Patel & Yee (2015), unless it is there already.

    Parameters
    ----------
    destination
        Folder to put it in; made if there is none.
    name
        One of the files whose SHA-256 is known, `murray2015.PUBLISHED`.
    url
        Folder to fetch it from.

    Returns
    -------
    Path
        The file, byte for byte the published one.

    Raises
    ------
    LookupError
        If no SHA-256 is known for the name.
    FetchError
        If there is no connection, or what came is not the published file. The folder
        is then as it was.
    """
    if name not in PUBLISHED:
        raise LookupError(f"a file must be one of {', '.join(PUBLISHED)}, got {name!r}")
    expected = PUBLISHED[name].sha256
    path = Path(destination) / name
    if path.exists() and _sha256(path.read_bytes()) == expected:
        return path
    content = _download(f"{url}/{name}")
    if _sha256(content) != expected:
        raise FetchError(
            f"{url}/{name} must have SHA-256 {expected}, got {_sha256(content)}"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    _write_whole(path, content)
    return path


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _download(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as response:
            return response.read()
    except OSError as error:  # no network, no such page, a time-out
        reason = getattr(error, "reason", error)
        raise FetchError(f"{url} could not be fetched: {reason}") from error


def _write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there entirely or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
