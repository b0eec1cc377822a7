"""Servers of processes of their own, started as `yoked serve` starts them."""

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from .over_http import Client


@dataclass
class Server:
    """A server that runs, and what it wrote first."""

    process: subprocess.Popen
    address: str  # with the path that all its pages begin with
    db_path: Path

    @property
    def port(self) -> int:
        return int(self.address.split(":")[2].split("/")[0])

    @property
    def start(self) -> str:
        return "/" + self.address.split("/", 3)[3]

    def ended(self) -> tuple[int, str]:
        """Wait for its end; return its exit code and what it wrote."""
        _, written = self.process.communicate(timeout=60)
        return self.process.returncode, written


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Return a function that starts a server, with options or another script."""
    with contextlib.ExitStack() as stack:

        def start(*options: object, script: Path | None = None) -> Server:
            program = ["-m", "yoked"] if script is None else [script]
            db_path = tmp_path / "results.db"
            command = [sys.executable, *program, "serve", db_path, "--port", 0]
            command += ["--protocol", "bar-in-noise"]
            process = subprocess.Popen(
                [str(part) for part in (*command, *options)],
                stderr=subprocess.PIPE,
                text=True,
            )
            stack.callback(process.communicate)
            stack.callback(process.kill)
            announcement = process.stderr.readline()
            assert " at http" in announcement, announcement
            address = announcement.split(" at ")[1].split()[0]
            return Server(process, address, db_path)

        yield start


@pytest.fixture
def client() -> Iterator[Callable[[Server], Client]]:
    """Return a function that makes a client of a server."""
    with contextlib.ExitStack() as stack:

        def made(server: Server) -> Client:
            mine = Client(server.address)
            stack.callback(mine.close)
            return mine

        yield made
