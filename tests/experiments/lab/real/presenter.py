"""Run or resume a session by a watching template, in a process that may be killed."""

import os
from collections.abc import Callable
from typing import Any

from tests.experiments.lab.real.conftest import REFRESH_HZ
from tests.experiments.lab.real.watching import Watcher, request
from yoked.experiments.lab.run import run_lab
from yoked.experiments.lab.stage import Stage
from yoked.experiments.lab.window import open_window
from yoked.experiments.protocols.protocol import Protocol


class Announcer(Watcher):
    """Says when a trial's pictures are made, so that a test knows that trials run."""

    say: Callable[[str], None]

    def prepare(self, pictures):
        self.say("prepared")
        return super().prepare(pictures)


def present(
    db_path: str, settings: dict[str, Any], display: str, say: Callable[[str], None]
) -> None:
    """Do as `yoked lab` does, but for the keys; `say` what it says."""
    os.environ["DISPLAY"] = display
    protocol = Protocol.from_dict(settings["protocol"])
    watchers: list[Announcer] = []

    def open_screen(_, background: int) -> Announcer:
        window = open_window(
            background=background,
            full_screen=False,
            size_px=(400, 300),
            refresh_hz=REFRESH_HZ,
        )
        watcher = Announcer(window, protocol, Stage.of(protocol))
        watcher.say = say
        watchers.append(watcher)
        return watcher

    asked = request(protocol, seed=settings["seed"], lut="identity")
    if settings["resume"]:
        asked = request(None, resume=settings["resume"])
    try:
        outcome = run_lab(db_path, asked, say, open_screen, lambda *_: watchers[0])
    except Exception as error:
        say(str(error))
        raise
    say("finished" if outcome.is_finished else "stopped")
