"""From a recipe to its cells: what each is made of, and which are done already."""

import hashlib
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from ...experiments.protocols.checks import Faults, suggestion
from ...experiments.protocols.files import load_protocol
from ...experiments.protocols.protocol import Protocol
from ...experiments.store.rows import SessionRow, as_json
from ...experiments.store.sqlite import open_store
from ...models.registry import kind, load, names
from .cell import Cell
from .recipe import (
    DECISION,
    ObserverPart,
    PeoplePart,
    SweepRecipe,
    from_recipe,
    load_sweep,
    sweep_recipe_of,
)

# Of what else a cell is a function of: another one does every cell again, as where
# `recipes.loop.VERSION` or `training.practice.VERSION` is another.
VERSION = 3


@dataclass(frozen=True)
class _Task:
    """What every observer is put before: a protocol, or a person's trials."""

    name: str
    fields: dict[str, Any]  # of a cell
    inputs: dict[str, Any]  # what its hash is of
    n_trials: int
    stimuli: str


class Plan:
    """The cells of a sweep.

    Parameters
    ----------
    recipe
        A TOML file, a dict like one, or a `SweepRecipe`.
    out
        Folder of the sweep.

    Raises
    ------
    ValueError
        If the recipe breaks rules, or what it names cannot be swept.
    LookupError
        If there is no observer, protocol or session of a name.
    FileNotFoundError
        If a file is missing.

    Attributes
    ----------
    trainings, cells
        What is to be trained, and who takes part in what.
    people, people_db
        Where the trial log of each person will be, by session; and where it is from.
    """

    def __init__(
        self, recipe: "SweepRecipe | str | Path | Mapping[str, Any]", out: Path
    ) -> None:
        self._base = Path()
        if isinstance(recipe, str | Path):
            self._base, recipe = Path(recipe).parent, load_sweep(recipe)
        if isinstance(recipe, Mapping):
            recipe = sweep_recipe_of(recipe)
        self.recipe, self.out = recipe, Path(out).resolve()
        self.people: dict[str, Path] = {}
        self.people_db = self._base / recipe.people.db if recipe.people else Path()
        self._tasks = self._people() if recipe.people else self._protocols()
        self.trainings: list[Cell] = []
        self.cells: list[Cell] = []
        for part in recipe.observer:
            self._add(part)

    @property
    def all(self) -> list[Cell]:
        """All cells, trainings first."""
        return [*self.trainings, *self.cells]

    @cached_property
    def records(self) -> dict[str, dict[str, Any]]:
        """What is done already, by folder."""
        found = {cell.folder: cell.record() for cell in self.all}
        return {folder: each for folder, each in found.items() if each is not None}

    @property
    def stale(self) -> list[Path]:
        """Folders of cells that are done, but of other inputs."""
        folders = [Path(cell.folder) for cell in self.all]
        return [f for f in folders if f.is_dir() and str(f) not in self.records]

    def n_trials(self, cell: Cell) -> int:
        """Trials of a cell; 0 of a training."""
        name = cell.person or cell.protocol
        return 0 if cell.is_training else self._n_trials[name]

    def sentence(self) -> str:
        """Say in one line what is to be done, before anything is."""
        due = [cell for cell in self.cells if cell.folder not in self.records]
        training = [c for c in self.trainings if c.folder not in self.records]
        n_trials = sum(map(self.n_trials, due))
        parts = [f"{len(due)} sessions of {n_trials:,} trials in all"]
        if training:
            parts.insert(0, f"{len(training)} trainings")
        n_done = len(self.records)
        done = f"; {n_done} of {len(self.all)} cells are done already" if n_done else ""
        return f"{self.recipe.name}: {' and '.join(parts)} to do{done}"

    # --- tasks -----------------------------------------------------------------------

    @cached_property
    def _n_trials(self) -> dict[Any, int]:
        return {
            task.fields.get("person") or task.fields.get("protocol"): task.n_trials
            for task in self._tasks
        }

    def _protocols(self) -> list[_Task]:
        made, faults = [], Faults()
        for i, name in enumerate(self.recipe.protocols):
            place = from_recipe(self._base, name)
            protocol = load_protocol(place)
            twice = protocol.name in [task.name for task in made]
            rule = "of a name that no other one has"
            faults.unless(not twice, f"protocols[{i}]", rule, protocol.name)
            made.append(self._task_of(place, protocol))
        faults.raise_any()
        return made

    def _task_of(self, place: str, protocol: Protocol) -> _Task:
        from ...models.runnable import require_runnable

        recipe = self.recipe
        variant = {"trials": recipe.trials, "contrast": recipe.contrast}
        made = protocol.with_options(**variant)
        require_runnable(made, None, recipe.criterion)
        fields = {"protocol": place, "protocol_hash": protocol.hash, **variant}
        inputs = {"protocol": made.hash}
        n_trials = sum(block.n_trials * block.n_blocks for block in made.blocks)
        return _Task(protocol.name, fields, inputs, n_trials, made.stimulus_hash)

    def _people(self) -> list[_Task]:
        part = self.recipe.people
        assert part is not None
        with closing(open_store(self.people_db, create=False, to_read=True)) as store:
            made = []
            for row in _chosen(store.sessions(), part):
                responses = list(store.trial_cells(row.id)["response"])
                seen = [responses, sorted(store.excluded(row.id))]
                self.people[row.id] = self.out / "people" / f"{row.id}.db"
                fields: dict[str, Any] = {"person": row.id, "depths": part.depths}
                fields["person_log"] = str(self.people[row.id])
                inputs = {"person": row.id, "seen": hash_of(seen)}
                inputs |= {"protocol": row.protocol_hash, "depths": part.depths}
                n = row.n_trials
                made.append(_Task(row.id, fields, inputs, n, row.stimulus_hash))
        return made

    # --- cells -----------------------------------------------------------------------

    def _add(self, part: ObserverPart) -> None:
        recipe = self.recipe
        _require_place(part)
        name = from_recipe(self._base, part.name, (".safetensors",))
        train = from_recipe(self._base, part.train) if part.train else ""
        made_of = self._training(part, train) if train else _named(name, part.options)
        shared = {
            "observer": part.called,
            "name": name,
            "options": dict(part.options),
            "train": train,
            "is_labelled": bool(part.label),
        }
        for seed in recipe.seed_list:
            given = {"version": VERSION, "observer": part.called, "seed": seed}
            given |= {"options": dict(part.options), "of": made_of}
            trained = None
            if train:
                trained = self._cell(
                    "training",
                    f"{part.called}--seed-{seed}",
                    given,
                    **shared,
                    seed=seed,
                )
                self.trainings.append(replace(trained, is_training=True))
            for task in self._tasks:
                noise: dict[str, Any] = {
                    "internal_noise": recipe.internal_noise,
                    "criterion": recipe.criterion,
                }
                if part.noise_at != DECISION:
                    noise |= {"noise_at": part.noise_at}
                cell = self._cell(
                    "cells",
                    f"{part.called}--{task.name}--seed-{seed}",
                    {**given, **noise, **task.inputs},
                    **shared,
                    **noise,
                    **task.fields,
                    seed=seed,
                    weights_of=trained.folder if trained else None,
                )
                self.cells.append(cell)

    def _cell(
        self, place: str, of: str, given: Mapping[str, Any], **fields: Any
    ) -> Cell:
        return Cell(of, str(self.out / place / of), hash_of(given), **fields)

    def _training(self, part: ObserverPart, train: str) -> dict[str, Any]:
        """Say what a training is made of; refuse one for other stimuli."""
        from ...models.recipes.goal import protocol_of
        from ...models.recipes.recipe import load_recipe

        recipe = load_recipe(train)
        made_of: dict[str, Any] = {"recipe": recipe.with_options(seed=0).to_dict()}
        if ".py:" in (name := recipe.network.name):
            made_of["network"] = _digest(Path(name.rpartition(":")[0]))
        if recipe.goal.session is not None:
            return {
                **made_of,
                "file": _digest(Path(train).parent / recipe.goal.session.db),
            }
        protocol = protocol_of(recipe.goal, Path(train).parent)
        for task in self._tasks:
            if task.stimuli != protocol.stimulus_hash:
                whose = f"train of {part.called}"
                rule = f"a recipe for the stimuli of {task.name}"
                raise ValueError(f"{whose} must be {rule}, got one for {protocol.name}")
        return {**made_of, "protocol": protocol.hash}


def _chosen(rows: list[SessionRow], part: PeoplePart) -> list[SessionRow]:
    """Give the sessions to be yoked to, in the order in which they were named."""
    people = {row.id: row for row in rows}
    if not part.sessions:
        found = [
            row
            for row in rows
            if row.status == "finished" and row.observer.kind == "person"
        ]
        if not found:
            rule = "a trial log with a finished session of a person"
            raise ValueError(f"people.db must be {rule}, got {part.db!r}")
        return found
    for name in part.sessions:
        if name not in people:
            near = suggestion(name, people)
            raise LookupError(f"no session named {name!r} in {part.db!r}{near}")
        if people[name].status != "finished":
            got = f"one that is {people[name].status}"
            raise ValueError(f"people.sessions must be finished, got {name}, {got}")
    return [people[name] for name in part.sessions]


def _require_place(part: ObserverPart) -> None:
    """Refuse noise at a place that there is not, or inside what is no network."""
    if part.noise_at == DECISION:
        return
    from ...models.networks.noise_places import Place

    Place.parse(part.noise_at)
    if part.name in names() and kind(part.name) != "network":
        rule = f"left out for {part.name}, which is no network"
        raise ValueError(f"noise_at must be {rule}, got {part.noise_at!r}")


def _named(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Say what an observer is made of; refuse a name or options that there are not.

    A network is made by its cells alone: it may be large.
    """
    file = name.rpartition(":")[0] if ".py:" in name else name
    if file != name or name.endswith(".safetensors"):
        if not Path(file).is_file():
            raise FileNotFoundError(f"an observer's file must exist, got {file!r}")
        return {"name": Path(name).name, "file": _digest(Path(file))}
    if not name.startswith("timm:") and name not in names():
        near = suggestion(name, names())
        raise LookupError(f"no observer named {name!r}{near}")
    if name in names() and kind(name) != "network":
        load(name, **options)
    return {"name": name}


def hash_of(data: object) -> str:
    """Give a SHA-256 of plain data."""
    return hashlib.sha256(as_json(data).encode()).hexdigest()


def _digest(file: Path) -> str:
    with file.open("rb") as read:
        return hashlib.file_digest(read, "sha256").hexdigest()
