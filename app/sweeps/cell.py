"""One cell: an observer of one seed, trained or put before one protocol or person.

Whoever does a cell writes it to a folder of its own, which is there whole or not at
all: the trial log, or the weights, and `cell.json`, which says what it came to and by a
hash what it was made of.
"""

import importlib
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from ...experiments.protocols.files import load_protocol
from ...experiments.session.observer import learnt_of
from ...experiments.stimulus.seeds import derived_seed
from ...experiments.store.file import settle
from .recipe import DECISION, MATCHED

if TYPE_CHECKING:
    from ...experiments.session.observer import Observer
    from ...experiments.session.results import SessionData
    from ...models.recipes.recipe import Recipe

RECORD, LOG, WEIGHTS = "cell.json", "session.db", "weights.safetensors"
Plain = dict[str, Any]


@runtime_checkable
class Work(Protocol):
    """What a process can do: a cell, or what another part of the app makes like one."""

    @property
    def id(self) -> str:
        """Its name."""
        ...

    @property
    def folder(self) -> str:
        """Where what it comes to will be."""
        ...

    @property
    def is_training(self) -> bool:
        """Whether others wait for it."""
        ...

    @property
    def weights_of(self) -> str | None:
        """Folder of the training that it waits for."""
        ...

    def to_dict(self) -> Plain:
        """Give it as plain data, which `work_of` makes it of again."""
        ...

    def do(self) -> Plain:
        """Do it, unless it is done; give its record."""
        ...


def work_of(plain: Plain) -> Work:
    """Make what a process was asked for; a cell, unless `work` names another class."""
    given = dict(plain)
    module, _, name = given.pop("work", f"{__name__}:Cell").partition(":")
    return getattr(importlib.import_module(module), name)(**given)


@dataclass(frozen=True)
class Cell:
    """All that a process needs to do a cell; plain data, to be sent to it.

    Attributes
    ----------
    id
        Name of the cell's folder.
    folder
        Where it will be.
    inputs
        SHA-256 of all that the cell is a function of.
    observer
        Label.
    seed
        Of training, stimuli and internal noise.
    name, options, train
        What makes the observer: a name with its options, or the file of a recipe of
        training.
    is_training
        Whether it trains that recipe.
    weights_of
        Folder of the training whose weights are the observer.
    protocol, protocol_hash
        What is run; None where a person is shown again.
    person, person_log
        Id of the session that it is yoked to, and the trial log with it.
    trials, contrast, internal_noise, noise_at, criterion, depths, is_labelled
        As in the recipe.
    """

    id: str
    folder: str
    inputs: str
    observer: str
    seed: int
    name: str = ""
    options: Mapping[str, Any] | None = None
    train: str = ""
    is_training: bool = False
    weights_of: str | None = None
    protocol: str | None = None
    protocol_hash: str | None = None
    person: str | None = None
    person_log: str | None = None
    trials: int | None = None
    contrast: float | None = None
    internal_noise: float | str = 0.0
    noise_at: str = DECISION
    criterion: float | None = None
    depths: bool = True
    is_labelled: bool = False

    def to_dict(self) -> Plain:
        """Give the cell as plain data."""
        return asdict(self)

    def record(self) -> Plain | None:
        """Read what the cell came to; None where it is not done, or of other inputs."""
        return record_of(self.folder, self.inputs)

    def do(self) -> Plain:
        """Do the cell, unless it is done; give its record."""
        return do_cell(self)


def record_of(folder: str, inputs: str) -> Plain | None:
    """Read what is in a folder; None where nothing is, or what has other inputs."""
    try:
        found = json.loads((Path(folder) / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    is_this = isinstance(found, dict) and found.get("inputs") == inputs
    return found if is_this else None


def do_cell(cell: Cell) -> Plain:
    """Do a cell, unless it is done; give its record."""
    found = cell.record()
    if found is not None:
        return found
    start = monotonic()
    make = _train if cell.is_training else _take_part
    with tempfile.TemporaryDirectory(prefix="yoked-") as scratch:
        came_to, files = make(cell, Path(scratch))
        seconds = round(monotonic() - start, 3)
        record = {"inputs": cell.inputs, **came_to, "seconds": seconds}
        publish(Path(cell.folder), files, record)
    return record


def _train(cell: Cell, _scratch: Path) -> tuple[Plain, list[Path]]:
    """Train a network; its checkpoint stays until the weights are published."""
    from ...models.recipes.train import Plan

    part = part_of(Path(cell.folder), cell.inputs)
    base, recipe = training_recipe(Path(cell.train), cell.observer, cell.is_labelled)
    plan = Plan(recipe, cell.seed, base=base)
    made = plan.run(part / WEIGHTS, resume=True)
    came_to = {
        "weights_hash": made.weights_hash,
        "steps": made.history[-1]["step"],
        "held_out": made.held_out.to_dict(),
    }
    return came_to, [part / WEIGHTS]


def part_of(folder: Path, inputs: str) -> Path:
    """Make the folder beside it in which a training's files outlive the process."""
    part = folder.with_name(f"{folder.name}.{inputs[:8]}.part")
    part.mkdir(parents=True, exist_ok=True)
    return part


def training_recipe(path: Path, label: str, is_labelled: bool) -> "tuple[Path, Recipe]":
    """Give the folder and the recipe of a training, which a label renames."""
    from dataclasses import replace

    from ...models.recipes.recipe import load_recipe

    recipe = load_recipe(path)
    return path.parent, replace(recipe, name=label) if is_labelled else recipe


def _take_part(cell: Cell, scratch: Path) -> tuple[Plain, list[Path]]:
    """Let the observer take part; measure its session."""
    from ...experiments.session.results import load_session
    from ...models.simulate import run
    from .measures import measured

    log = scratch / LOG
    person, protocol = None, None
    if cell.person is not None:
        assert cell.person_log is not None
        shutil.copyfile(cell.person_log, log)
        person = load_session(log, cell.person)
    else:
        assert cell.protocol is not None
        protocol = load_protocol(cell.protocol)
        if protocol.hash != cell.protocol_hash:
            rule = "the one that the sweep was planned with"
            raise ValueError(f"{protocol.name} must be {rule}, got another")
    observer = _observer(cell)
    noise = _noise(cell, person, observer)
    at_decision = noise
    if cell.noise_at != DECISION:
        from ...models.networks.noisy import noisy

        observer, at_decision = noisy(observer, at=cell.noise_at, sd=noise), 0.0
    session = run(
        protocol,
        observer,
        store=log,
        seed=cell.seed,
        internal_noise=at_decision,
        criterion=cell.criterion,
        trials=cell.trials,
        contrast=cell.contrast,
        yoke_to=cell.person,
        observer_seed=derived_seed("sweep", cell.inputs, taken={cell.seed}),
    )
    came_to = {
        "session": session.id,
        "session_observer": session.observer,
        "protocol": session.protocol.name,
        "person_observer": person.observer if person is not None else None,
        "n_trials": len(session.counted),
        "internal_noise": noise,
        "weights_hash": session.row.observer.weights_hash,
        "measures": measured(
            session, person, cell.depths, learnt_of(observer, session.yoked_to)
        ),
    }
    settle(log)
    return came_to, [log]


def _observer(cell: Cell) -> "Observer":
    """Make the observer, of its seed where it has one, under its label."""
    from ...models.registry import load, takes

    if cell.weights_of is not None:
        return load(str(Path(cell.weights_of) / WEIGHTS))
    own = {"seed": cell.seed} if takes(cell.name, "seed") else {}
    observer = load(cell.name, **dict(cell.options or {}), **own)
    if observer.name == cell.observer:
        return observer
    try:
        observer.name = cell.observer
    except AttributeError as error:
        if cell.is_labelled:
            rule = f"left out for an observer that is always {observer.name!r}"
            raise ValueError(f"label must be {rule}, got {cell.observer!r}") from error
    return observer


def _noise(cell: Cell, person: "SessionData | None", observer: "Observer") -> float:
    """Give the SD of internal noise where it is, matched to the person if asked for."""
    if cell.internal_noise != MATCHED:
        return float(cell.internal_noise)
    from ..matched_noise import match_noise

    assert person is not None
    how: dict[str, Any] = {"criterion": cell.criterion, "noise_at": cell.noise_at}
    return match_noise(person, observer, **how).gamma


def publish(folder: Path, files: list[Path], record: Plain) -> None:
    """Put a cell's folder in its place, unless another process has done it."""
    half = folder.with_name(f".{folder.name}-{uuid.uuid4().hex[:8]}")
    try:
        half.mkdir(parents=True)
        for file in files:
            shutil.copyfile(file, half / file.name)
        text = json.dumps(record, indent=1, allow_nan=False)
        (half / RECORD).write_text(text, encoding="utf-8")
        for name in [*(file.name for file in files), RECORD]:
            _to_disk(half / name)
        try:
            half.rename(folder)
        except OSError:  # a cell of a worker that was thought lost: it is as good
            if not (folder / RECORD).is_file():
                raise
    finally:
        shutil.rmtree(half, ignore_errors=True)
    for file in files:  # of a training, whose files outlive the process
        if file.parent.name.endswith(".part"):
            shutil.rmtree(file.parent, ignore_errors=True)


def _to_disk(file: Path) -> None:
    with file.open("rb+") as written:
        os.fsync(written.fileno())
