"""Serve a protocol that a test wrote: `python serve.py DB PROTOCOL.json LUT PORT`."""

import json
import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

from yoked.app.hosting.settings import Settings
from yoked.app.web.serving import serve
from yoked.experiments.protocols.protocol import Protocol


def serve_file(
    db_path: Path | str,
    protocol_path: Path | str | None,
    lut: str,
    port: int | str,
    announce: Callable[[str], None],
    prefix: str = "/",
    environ: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Serve the protocol of a file, or the database's studies, until it is killed.

    Variables of `environ` are set first: a process that was forked has those of when
    the forking began.
    """
    os.environ.update(environ)
    protocol = None
    if protocol_path is not None:
        protocol = Protocol.from_dict(json.loads(Path(protocol_path).read_text()))
    settings = Settings(port=int(port), prefix=prefix)
    serve(db_path, protocol, settings, lut=lut, announce=announce)


if __name__ == "__main__":
    serve_file(*sys.argv[1:], announce=partial(print, flush=True))
