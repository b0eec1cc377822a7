"""A real PostgreSQL server for tests: Debian's, in a folder of its own."""

import contextlib
import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

_NUMBERS = itertools.count()
_USER = "yoked"


def binaries() -> Path:
    """Give the folder of PostgreSQL's programs; skip where there are none."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        return folder
    pytest.skip("PostgreSQL is not installed: apt-get install postgresql")


class Server:
    """A server that listens on this machine alone; it can be ended and started.

    Parameters
    ----------
    folder
        Of its own, and of the user who runs it: PostgreSQL does not run as root.
    """

    def __init__(self, folder: Path) -> None:
        self._bin, self._folder = binaries(), folder
        self._who = "postgres" if os.geteuid() == 0 else None
        if self._who:
            shutil.chown(folder, self._who)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._run("initdb", "--auth=trust", f"--username={_USER}", "--no-sync",
                  "--encoding=UTF8", "--locale=C", "-D", folder / "data")  # fmt: skip
        self._process: subprocess.Popen | None = None
        self.start()
        self._run("createdb", "-h", folder, "-p", self.port, "-U", _USER, _USER)

    def _run(self, program: str, *arguments: object) -> None:
        subprocess.run(
            [self._bin / program, *map(str, arguments)],
            user=self._who,
            cwd=self._folder,
            check=True,
            capture_output=True,
        )

    def start(self) -> None:
        """Start it; return once it answers."""
        settings = [f"unix_socket_directories={self._folder}", "shared_buffers=32MB",
                    "listen_addresses=127.0.0.1", "max_connections=100"]  # fmt: skip
        options = [part for each in settings for part in ("-c", each)]
        self._process = subprocess.Popen(
            [self._bin / "postgres", "-D", self._folder / "data", "-p", str(self.port),
             *options],
            user=self._who,
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        ready = [self._bin / "pg_isready", "-h", self._folder, "-p", str(self.port)]
        deadline = time.monotonic() + 60
        while subprocess.run(ready, capture_output=True).returncode:
            assert self._process.poll() is None, "PostgreSQL has ended"
            assert time.monotonic() < deadline, "PostgreSQL does not answer"

    def stop(self, number: int = signal.SIGINT) -> None:
        """End it: SIGINT disconnects everybody; SIGQUIT leaves as after a fall."""
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(60)

    def url(self, schema: str = "public") -> str:
        """Give the URL of the database, with a schema of it to work in."""
        options = quote(f"-csearch_path={schema}")
        place = f"127.0.0.1:{self.port}/{_USER}"
        return f"postgresql://{_USER}:secret@{place}?options={options}"

    def new(self) -> str:
        """Make an empty schema; give the URL that leads into it."""
        name = f"t{next(_NUMBERS)}"
        self._run("psql", "-h", self._folder, "-p", self.port, "-U", _USER, "-c",
                  f"CREATE SCHEMA {name}")  # fmt: skip
        return self.url(name)


@contextlib.contextmanager
def running() -> Iterator[Server]:
    """Run a server, and remove what is left of it at the end."""
    binaries()
    with tempfile.TemporaryDirectory(prefix="yoked-pg-") as folder:
        server = Server(Path(folder))
        try:
            yield server
        finally:
            server.stop()
