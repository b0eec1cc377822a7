"""Sessions of pages that made their own frames: read, regenerated, compared, written.

`page.py` wrote the page, and jsPsych saved its data. Such a session says of itself that
it was generated in the page; its presenter is `import`. Nothing is believed of its
pixels: frames are made again from seed and trial, and their digests compared.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...experiments.imports.sessions import write_trials
from ...experiments.protocols.parts import BLOCK_KINDS
from ...experiments.protocols.protocol import Protocol
from ...experiments.protocols.signal import signal_parameters
from ...experiments.session.session import BY_PROTOCOL
from ...experiments.session.shown import is_anticipation
from ...experiments.stimulus.render import digests, render
from ...experiments.stimulus.seeds import MAX_SEED, require_session_seed
from ...experiments.stimulus.sources import noise_source
from ...experiments.store.rows import ObserverInfo
from ...experiments.store.sqlite import open_store
from ...experiments.store.trial import Response, TrialSpec
from ...experiments.store.trial_batch import TrialColumns
from ...experiments.store.trial_log import Store
from .page import FORMAT, TASK_FILE
from .responses import ResponseError, SentResponse, parse_display, parse_response

_Row = Mapping[str, Any]
_TEXTS = ("seed", "protocol", "digest", "condition", "block_kind", "observer")
_MEASURED = (
    "response",
    "onsets_ms",
    "offsets_ms",
    "frames_shown",
    "frames_dropped",
    "digest",
    "events",
)
_KINDS = (*BLOCK_KINDS, "catch")
_CHUNK = 256  # trials rendered together
_UNKNOWN = float("inf")  # how long ago the pixels were handed out: nobody handed them


@dataclass(frozen=True)
class PageSession:
    """A session that was read.

    Attributes
    ----------
    session, observer
        Its id and who responded.
    n_trials, n_compared
        Its trials, and those whose digest was sent and is that of the frames.
    """

    session: str
    observer: str
    n_trials: int
    n_compared: int


@dataclass(frozen=True)
class _Trial:
    spec: TrialSpec
    sent: SentResponse


def import_page(
    folder: Path, files: Sequence[Path], db_path: Path, observer: str | None = None
) -> list[PageSession]:
    """Read sessions that pages of `write_page` have run; all of them or none.

    Parameters
    ----------
    folder
        The page's, with its `task.json`.
    files
        jsPsych's data, JSON or CSV; a session for each seed in them.
    db_path
        The trial log; made if there is none.
    observer
        Who responded in all of them; by default what the data call `observer`, or else
        the file's name.

    Raises
    ------
    ValueError
        If a trial is not the protocol's, or not that of its digest, or is there twice.
    """
    parameters = json.loads((folder / TASK_FILE).read_text(encoding="utf-8"))
    if parameters.get("format") != FORMAT:
        got = parameters.get("format")
        raise ValueError(f"{folder / TASK_FILE} must be of {FORMAT}, got {got}")
    protocol = Protocol.from_dict(parameters["protocol"])
    read = [
        _Sitting.of(rows, protocol, file, observer)
        for file in files
        for rows in _by_seed(_noise_trials(file))
    ]
    lut = {name: parameters[name] for name in ("lut_name", "lut")}
    store = open_store(db_path)
    try:
        with store.transaction():
            return [sitting.written(store, protocol, lut) for sitting in read]
    finally:
        store.close()


@dataclass(frozen=True)
class _Sitting:
    """One session as a page saved it."""

    file: str
    observer: str
    seed: int
    display: dict[str, Any]
    device: dict[str, Any]
    trials: list[_Trial]

    @classmethod
    def of(
        cls, rows: Sequence[_Row], protocol: Protocol, file: Path, observer: str | None
    ) -> "_Sitting":
        """Check the rows of a session."""
        for row in rows:
            if row.get("protocol") != protocol.hash:
                rule = "trials of the folder's protocol"
                got = str(row.get("protocol"))[:12]
                raise ValueError(f"{file} must have {rule} alone, got protocol {got}")
        trials = [_trial(row, protocol) for row in rows]
        trials.sort(key=lambda trial: trial.spec.trial)
        _require_pairs([trial.spec for trial in trials])
        first = rows[0]
        known = ("plugin_version", "user_agent")
        return cls(
            file.name,
            observer or first.get("observer") or file.stem,
            require_session_seed("seed", _whole(first, "seed", "a session", MAX_SEED)),
            parse_display(first.get("display")),
            {"generated": "in the page", **{name: first.get(name) for name in known}},
            trials,
        )

    def written(
        self, store: Store, protocol: Protocol, lut: Mapping[str, Any]
    ) -> PageSession:
        """Compare the digests, and write the session."""
        for row in store.sessions():
            if (row.seed, row.protocol_hash) == (self.seed, protocol.hash):
                rule = "new to the database"
                got = f"seed:{self.seed} of session {row.id}"
                raise ValueError(f"a session of {self.file} must be {rule}, got {got}")
        judged = list(self._judged(protocol))
        n_compared = sum(
            trial.sent.measured.digest is not None for trial in self.trials
        )
        display = {**lut, **self.display, "css_px_per_degree_is": "assumed"}
        about = {"file": self.file, "generated": "in the page", "compared": n_compared}
        session = write_trials(
            store,
            protocol,
            ObserverInfo("person", self.observer),
            judged,
            about,
            seed=self.seed,
            display=display,
            device=self.device,
        )
        self._write_events(store, session)
        early = [s.trial for s, given in judged if is_anticipation(protocol, given)]
        if early:
            at = f"{protocol.timing.earliest_ms:g} ms"
            reason = f"anticipation: a response before {at}"
            store.exclude(session, early, BY_PROTOCOL, reason)
        return PageSession(session, self.observer, len(judged), n_compared)

    def _judged(self, protocol: Protocol) -> Iterator[tuple[TrialSpec, Response]]:
        """Make the frames again, and hold every digest that was sent against them."""
        source = noise_source(protocol.noise.generator, protocol, self.seed)
        for first in range(0, len(self.trials), _CHUNK):
            part = self.trials[first : first + _CHUNK]
            columns = TrialColumns.of_specs([trial.spec for trial in part])
            own = digests(render(protocol, source, columns))
            for trial, due in zip(part, own, strict=True):
                got = trial.sent.measured.digest
                if got not in (None, due):
                    rule = f"the pixels that its seed gives ({due[:12]})"
                    raise ValueError(
                        f"trial {trial.spec.trial} of {self.file} must have {rule}, "
                        f"got others ({got[:12]})"
                    )
                yield trial.spec, trial.sent.judged(due, protocol, _UNKNOWN)

    def _write_events(self, store: Store, session: str) -> None:
        for trial in self.trials:
            for event in trial.sent.events:
                about = {"trial": trial.spec.trial, **event}
                store.add_event(session, about.pop("kind"), about)


def _noise_trials(file: Path) -> list[_Row]:
    """Give the rows of a file that are trials of the plugin, generated in the page."""
    text = file.read_text(encoding="utf-8-sig")
    if text.lstrip().startswith("["):
        rows = json.loads(text)
    else:
        rows = [_from_cells(row) for row in csv.DictReader(io.StringIO(text))]
    found = [row for row in rows if row.get("generated") == "page"]
    if not found:
        rule = "jsPsych's data of a page that makes its own trials"
        raise ValueError(f"{file} must have {rule}, got {len(rows)} others")
    return found


def _from_cells(row: Mapping[str, str]) -> _Row:
    """Take jsPsych's CSV back apart: what is no text was written as JSON."""
    return {name: _from_cell(name, cell) for name, cell in row.items()}


def _from_cell(name: str, cell: str | None) -> Any:
    if cell in (None, "", "null"):
        return None
    if name in _TEXTS:
        return cell
    try:
        return json.loads(cell)
    except json.JSONDecodeError:
        return cell


def _by_seed(rows: Sequence[_Row]) -> list[list[_Row]]:
    found: dict[Any, list[_Row]] = {}
    for row in rows:
        found.setdefault(row.get("seed"), []).append(row)
    return list(found.values())


def _trial(row: _Row, protocol: Protocol) -> _Trial:
    spec = _spec(row, protocol)
    sent = {name: row.get(name) for name in _MEASURED}
    sent |= {"rt_ms": row.get("rt"), "n_shown": 1}
    try:
        return _Trial(spec, parse_response(sent, protocol))
    except ResponseError as error:
        raise ValueError(f"trial {spec.trial}: {error}") from error


def _spec(row: _Row, protocol: Protocol) -> TrialSpec:
    trial = _whole(row, "trial", "a row", 10**9)
    who = f"trial {trial}"
    kind, contrast = row.get("block_kind"), row.get("contrast")
    _unless(kind in _KINDS, who, "block_kind", f"one of {', '.join(_KINDS)}", kind)
    highest = protocol.contrast.highest_shown
    if kind == "catch":
        highest = protocol.catch.contrast
    is_shown = isinstance(contrast, int | float) and 0 <= contrast <= highest
    _unless(is_shown, who, "contrast", f"from 0 to {highest:g}", contrast)
    repeats = row.get("repeats")
    return TrialSpec(
        trial=trial,
        block=_whole(row, "block", who, 10**6),
        block_kind=str(kind),
        condition=str(row.get("condition") or kind),
        stimulus_id=_whole(row, "stimulus_id", who, MAX_SEED),
        pass_=1 if repeats is None else 2,
        repeats=None if repeats is None else _whole(row, "repeats", who, trial),
        contrast=float(contrast),  # type: ignore[arg-type]
        target=_whole(row, "target", who, protocol.task.n_targets),
        signal=signal_parameters(protocol),
    )


def _whole(row: _Row, name: str, who: str, end: int) -> int:
    """Give a whole number from 0, below an end; as text where it is a long one."""
    value = row.get(name)
    digits = str(value) if isinstance(value, int | str) else ""
    is_one = digits.isascii() and digits.isdigit() and int(digits) < end
    _unless(is_one, who, name, f"a whole number from 0 to {end - 1}", value)
    return int(digits)


def _unless(holds: bool, who: str, name: str, rule: str, value: Any) -> None:
    if not holds:
        raise ValueError(f"{name} of {who} must be {rule}, got {repr(value)[:60]}")


def _require_pairs(specs: Sequence[TrialSpec]) -> None:
    """Raise ValueError if a number comes twice, or a repeat shows something else."""
    known: dict[int, TrialSpec] = {}
    for spec in specs:
        if spec.trial in known:
            raise ValueError(f"trial {spec.trial} must be there once, got it again")
        known[spec.trial] = spec
        if spec.repeats is None:
            continue
        first = known.get(spec.repeats)
        shown = first and (first.stimulus_id, first.contrast, first.target)
        if shown != (spec.stimulus_id, spec.contrast, spec.target):
            rule = f"the stimulus of trial {spec.repeats}, which it repeats"
            raise ValueError(f"trial {spec.trial} must show {rule}, got another")
