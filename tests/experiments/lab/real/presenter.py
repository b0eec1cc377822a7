"""Run or resume a session by a watching template, in a process that may be killed.

`python presenter.py DB SETTINGS.json`: as `yoked lab` does, but for the keys.
"""

import json
import sys
from pathlib import Path

from tests.experiments.lab.real.conftest import REFRESH_HZ
from tests.experiments.lab.real.watching import Watcher, request
from yoked.experiments.lab.run import run_lab
from yoked.experiments.lab.stage import Stage
from yoked.experiments.lab.window import open_window
from yoked.experiments.protocols.protocol import Protocol

db_path, settings_path = sys.argv[1:]
settings = json.loads(Path(settings_path).read_text())
protocol = Protocol.from_dict(settings["protocol"])


class Announcer(Watcher):
    """Says when a trial's pictures are made, so that a test knows that trials run."""

    def prepare(self, pictures):
        print("prepared", flush=True)
        return super().prepare(pictures)


def open_screen(_, background: int) -> Watcher:
    window = open_window(
        background=background,
        full_screen=False,
        size_px=(400, 300),
        refresh_hz=REFRESH_HZ,
    )
    return Announcer(window, protocol, Stage.of(protocol))


asked = request(protocol, seed=settings["seed"], lut="identity")
if settings.get("resume"):
    asked = request(None, resume=settings["resume"])
watcher: list[Watcher] = []


def opening(*arguments) -> Watcher:
    watcher.append(open_screen(*arguments))
    return watcher[0]


outcome = run_lab(
    db_path,
    asked,
    lambda sentence: print(sentence, flush=True),
    opening,
    lambda *_: watcher[0],
)
print("finished" if outcome.is_finished else "stopped", flush=True)
