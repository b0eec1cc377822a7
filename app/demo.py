"""The demonstration: the whole platform once, on one person, three models and you."""

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..experiments.imports.fetch import FetchError, fetch_murray2015
from ..experiments.imports.murray2015 import import_murray2015
from ..experiments.protocols.files import load_protocol
from ..experiments.session.results import SessionData, session_data
from ..experiments.store.sqlite import open_store
from ..experiments.store.trial_log import Store
from ..models.registry import load
from ..models.simulate import Progress, run
from .reports.report import Kept, write_report

PROTOCOL = "bar-in-noise"
PERSON = "experiment1_subject01.txt"
# Where a copy may lie already: beside the checkout, or where an earlier run put it.
_NEARBY = Path(__file__).parents[2] / "shared" / "data" / "murray2015" / PERSON
_POLL_S = 2.0
# Elements up to which second-order kernels take seconds; the person has 961.
FEW_ELEMENTS = 128


@dataclass(frozen=True)
class Step:
    """One observer of the demonstration."""

    observer: str
    options: dict[str, Any]
    internal_noise: float


# With as much internal noise as people have: they are usually between .5 and 2.
STEPS = (
    Step("template", {}, 1.0),
    Step("guesser", {}, 0.0),
    Step("retina-cnn", {}, 1.0),
)


@dataclass(frozen=True)
class Places:
    """The files of the demonstration."""

    folder: Path

    @property
    def db(self) -> Path:
        """The trial log."""
        return self.folder / "results.db"

    @property
    def report(self) -> Path:
        """The page."""
        return self.folder / "report.html"


def run_demo(
    folder: Path,
    say: Callable[[str], None],
    progress: Callable[[str], Any],
    human_file: Path = _NEARBY,
) -> Places:
    """Import a person, let models take part, write the report.

    What an earlier run finished is not done again.

    Parameters
    ----------
    folder
        Where trial log and report go; made if there is none.
    say
        Told in a sentence what comes next.
    progress
        Makes a progress bar for an observer: a context manager that gives a callback.
    human_file
        A published observer's file; fetched if it is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    places = Places(folder)
    store = open_store(places.db)
    try:
        human = _human(store, places, say, human_file)
        for step in STEPS:
            _take_part(store, step, None, say, progress)
            if human is not None:
                _take_part(store, step, human, say, progress)
        if not _is_current(store, places):
            say("Writing the report (some minutes).")
            with progress("report") as update:
                update_report(store, places, update)
    finally:
        store.close()
    say(f"The report is at {places.report}.")
    return places


def _human(
    store: Store, places: Places, say: Callable[[str], None], file: Path
) -> str | None:
    """Give the session of the published observer, importing it if need be."""
    for row in store.sessions():
        if row.presenter == "import" and row.status == "finished":
            return row.id
    try:
        if not file.is_file():
            say("Fetching a published human observer (Murray, Patel & Yee 2015).")
            file = fetch_murray2015(places.folder)
    except FetchError as error:
        say(f"Going on without the published human observer: {error}.")
        return None
    say("Importing a published human observer (Murray, Patel & Yee 2015).")
    return import_murray2015(file, places.db)


def _take_part(
    store: Store,
    step: Step,
    yoke_to: str | None,
    say: Callable[[str], None],
    progress: Callable[[str], Any],
) -> None:
    """Let a model take part, unless it has."""
    done = [
        row
        for row in store.sessions()
        if (row.observer.name, row.yoked_to) == (step.observer, yoke_to)
        and row.status == "finished"
    ]
    if done:
        return
    where = f"on {PROTOCOL}" if yoke_to is None else "on the human's own trials"
    say(f"{step.observer} takes part {where}.")
    protocol = load_protocol(PROTOCOL) if yoke_to is None else None
    observer = load(step.observer, **step.options)
    with progress(step.observer) as update:
        run(
            protocol,
            observer,
            store=store,
            seed=1,
            internal_noise=step.internal_noise,
            yoke_to=yoke_to,
            progress=update,
        )


def update_report(
    store: Store,
    places: Places,
    progress: Progress | None = None,
    kept: Kept | None = None,
) -> None:
    """Write the report of every finished session."""
    finished = [row.id for row in store.sessions() if row.status == "finished"]
    sessions = [session_data(store, session) for session in finished]
    write_report(sessions, places.report, progress, orders_of, kept)


def orders_of(session: SessionData) -> int:
    """Give how deep a session is analysed: to order two wherever that is cheap."""
    return 2 if math.prod(session.protocol.noise.grid) <= FEW_ELEMENTS else 1


def _is_current(store: Store, places: Places) -> bool:
    """Whether the report was written after the last session ended."""
    # A recording of others keeps its own date: what counts is when it was imported.
    rows = [row for row in store.sessions() if row.status == "finished"]
    ended = [
        store.events(row.id)[-1]["at"] if row.presenter == "import" else row.ended_at
        for row in rows
    ]
    if not places.report.exists():
        return False
    written = datetime.fromtimestamp(places.report.stat().st_mtime, UTC)
    return all(datetime.fromisoformat(at) < written for at in ended if at)


class ReportKeeper(threading.Thread):
    """Writes the report again whenever another session is finished.

    Parameters
    ----------
    places
        The files.
    say
        Told when the report is new.
    """

    def __init__(self, places: Places, say: Callable[[str], None]) -> None:
        super().__init__(daemon=True)
        self._places = places
        self._say = say
        self._over = threading.Event()
        self._store = open_store(places.db)
        self._known = self._finished()
        self._kept: Kept = {}  # nobody waits for the same analysis twice

    def run(self) -> None:
        """Look every two seconds until `stop`."""
        while not self._over.wait(_POLL_S):
            self.look()
        self.look()
        self._store.close()

    def look(self) -> None:
        """Write the report if a session was finished since the last look."""
        finished = self._finished()
        if finished == self._known:
            return
        try:
            update_report(self._store, self._places, kept=self._kept)
        except (ValueError, OSError) as error:  # told, and tried again
            self._say(f"The report could not be written: {error}.")
            return
        self._known = finished
        self._say(f"You are in the report now: {self._places.report}.")

    def stop(self) -> None:
        """Look a last time and end."""
        self._over.set()
        self.join()

    def _finished(self) -> set[str]:
        rows = self._store.sessions()
        return {row.id for row in rows if row.status == "finished"}
