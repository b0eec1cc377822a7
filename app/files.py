"""Files that a command writes: whole, or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any


@contextmanager
def whole_file(path: str | Path, mode: str = "w") -> Iterator[IO[Any]]:
    """Open a file that takes its place only when all has been written.

    Parameters
    ----------
    path
        Where the file will be. Until the end of the block, whatever was there stays.
        Anything but an ordinary file (a pipe, /dev/stdout) is written to directly.
    mode
        "w" for text in UTF-8 with the line ends as written, "wb" for bytes.

    Raises
    ------
    OSError
        If the folder does not exist or the disk is full; nothing is left behind.
    """
    path = Path(path)
    encoding, newline = (None, None) if "b" in mode else ("utf-8", "")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"the folder of {str(path)!r} must exist")
    if path.exists() and not path.is_file():
        with path.open(mode, encoding=encoding, newline=newline) as file:
            yield file
        return
    path = path.resolve()  # through a link, to the file that it names
    part = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        new = mode.replace("w", "x")
        with part.open(new, encoding=encoding, newline=newline) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        if error.filename == str(part):
            error.filename = str(path)  # the name that somebody asked for
        raise
    finally:
        part.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Write a text file in UTF-8, whole or not at all; errors as in `whole_file`."""
    with whole_file(path) as file:
        file.write(text)
