"""Serve with faults patched in: `python faulty.py` and what `yoked` takes.

Every third request for pixels meets an error whose text names who asked for what.
"""

import itertools
import sys

from flask import request

from yoked.app.cli import cli
from yoked.app.web.live import LiveSession

_count = itertools.count(1).__next__
_frames = LiveSession.frames


def frames(self, trial: int) -> bytes:
    if _count() % 3 == 0:
        raise RuntimeError(f"{request.remote_addr} wanted {request.url} of {trial}")
    return _frames(self, trial)


if __name__ == "__main__":
    LiveSession.frames = frames
    cli(sys.argv[1:])
