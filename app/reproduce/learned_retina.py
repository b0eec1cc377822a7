"""The figure: whether the retina in front changes what a network sees.

One backbone learns two tasks behind no front, the fixed retina, retinas learned from
recordings and these without a part. Each sees the trials of six circuits, with as much
noise of its own as makes it as consistent as they are. A folder collects what was done:
more seeds, tasks, retinas or lesions add to it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...experiments.protocols.checks import Faults
from ...experiments.stimulus.seeds import derived_seed
from ...models.recipes.loop import VERSION
from ..files import write_text
from ..output import as_csv, as_json
from ..scores.score import CIRCUITS
from ..sweeps.cell import WEIGHTS
from ..sweeps.sweep import tidy
from .circuits import GAMMA, SESSION_SEED, Asked, circuit_sessions
from .do_cells import do_cells
from .folder import records_of
from .fronts import (
    BACKBONE,
    CONTRASTS,
    KINDS,
    LESIONS,
    Front,
    Retina,
    fronts_of,
    in_file_name,
)
from .learned_outcome import FORMAT, FrontShares, networks_of, shares_of
from .network_cell import NetworkCell

if TYPE_CHECKING:
    from ..sweeps.running import Told

IDEAL = "template"
LOG = "circuits.db"
_KEPT = "extent.json"
_TRAINING = {"batch": 32, "rate": 1e-2, "held_out": 128, "scored": 256}
_LOOKS = 2  # at the held-out trials
# Of what else a network is a function of: raise it when it would come to others.
_VERSION = 1


@dataclass(frozen=True)
class LearnedExtent:
    """What is to be done.

    Attributes
    ----------
    retinas
        Learned ones.
    tasks, fronts, lesions
        Levels of the factors.
    n_seeds
        Individuals of each network.
    trials
        That each circuit does, and each network sees again.
    steps
        Of each training.
    eccentricity_deg
        Where the learned mosaics are declared to be.
    """

    retinas: tuple[Retina, ...] = ()
    tasks: tuple[str, ...] = tuple(CONTRASTS)
    fronts: tuple[str, ...] = KINDS
    lesions: tuple[str, ...] = LESIONS
    n_seeds: int = 3
    trials: int = 2000
    steps: int = 150
    eccentricity_deg: float = 5.0

    def __post_init__(self) -> None:
        faults = Faults()
        for name, levels in (("tasks", tuple(CONTRASTS)), ("fronts", KINDS)):
            given = getattr(self, name)
            fits = bool(given) and set(given) <= set(levels)
            fits = fits and len(set(given)) == len(given)
            rule = f"some of {', '.join(levels)}, each once"
            faults.unless(fits, name, rule, list(given))
        rule = f"some of {', '.join(LESIONS)}"
        faults.unless(
            set(self.lesions) <= set(LESIONS), "lesions", rule, list(self.lesions)
        )
        is_there = "learned" not in self.fronts or bool(self.retinas)
        faults.unless(is_there, "retinas", "one file or more for learned fronts", [])
        faults.raise_any()

    @property
    def kept(self) -> dict[str, Any]:
        """What has to be the same in all that a folder collects."""
        return {
            "version": [_VERSION, VERSION],
            "trials": self.trials,
            "steps": self.steps,
            "eccentricity_deg": self.eccentricity_deg,
            "retinas": {each.name: each.sha256 for each in self.retinas},
        }

    @property
    def names(self) -> list[str]:
        """Names of the fronts."""
        return [f.name for f in fronts_of(self.fronts, self.retinas, self.lesions)]

    @property
    def n_trainings(self) -> int:
        """Networks that are trained, in all."""
        return len(self.names) * len(self.tasks) * self.n_seeds

    @property
    def n_networks(self) -> int:
        """Networks and references in all."""
        n_references = len((IDEAL, *CIRCUITS)) * len(self.tasks) * self.n_seeds
        return self.n_trainings + n_references

    def to_dict(self) -> dict[str, Any]:
        """Give all of it as plain data."""
        return {
            **self.kept,
            "tasks": list(self.tasks),
            "fronts": self.names,
            "n_seeds": self.n_seeds,
            "n_trainings": self.n_trainings,
        }

    def sentence(self) -> str:
        """Say in one line what is to be done, before anything is."""
        return (
            f"{self.n_trainings} trainings of {self.steps} steps behind "
            f"{len(self.names)} fronts, each shown {self.trials:,} trials; what is "
            "done already stays"
        )


@dataclass(frozen=True)
class LearnedRetinaFigure:
    """What it came to.

    Attributes
    ----------
    shares
        What networks share with circuits, over seeds: of all that is in the folder.
    weights
        By front and task, the weights of the first seed.
    failed
        Sentence by name of each cell that failed now.
    """

    shares: list[FrontShares]
    weights: dict[tuple[str, str], Path]
    failed: dict[str, str]


def cells_of(out: Path, extent: LearnedExtent, log: Path) -> list[NetworkCell]:
    """Plan the references and networks of every seed; the circuits take part first."""
    wanted = {
        (task, circuit): Asked(
            circuit,
            task,
            CONTRASTS[task],
            derived_seed("learned-retina", task, circuit),
        )
        for task in extent.tasks
        for circuit in CIRCUITS
    }
    found = circuit_sessions(log, wanted, extent.trials)
    cells = []
    retinas = [each.copied_to(out / "retinas") for each in extent.retinas]
    fronts = fronts_of(extent.fronts, retinas, extent.lesions)
    seeds = range(1, extent.n_seeds + 1)
    for task in extent.tasks:
        sessions = {circuit: found[task, circuit] for circuit in CIRCUITS}
        plan = _Plan(out, extent, task, {"log": str(log), "sessions": sessions})
        cells += [plan.reference(n, seed) for n in (IDEAL, *CIRCUITS) for seed in seeds]
        cells += [plan.network(front, seed) for front in fronts for seed in seeds]
    return cells


@dataclass(frozen=True)
class _Plan:
    """Plans the cells of one task."""

    out: Path
    extent: LearnedExtent
    task: str
    shared: dict[str, Any]

    def reference(self, name: str, seed: int) -> NetworkCell:
        return self._cell(name, seed, {"name": name}, name=name)

    def network(self, front: Front, seed: int) -> NetworkCell:
        extent = self.extent
        options = front.network_options(self.task, extent.eccentricity_deg)
        training = {"steps": extent.steps, **_TRAINING}
        training |= {"checkpoint_every": max(1, extent.steps // _LOOKS)}
        goal = {"kind": "task", "protocol": self.task}
        recipe = {
            "network": {"name": BACKBONE, "options": options},
            "goal": {**goal, "contrasts": [CONTRASTS[self.task]]},
            "training": training,
        }
        # Of a file what is in it, not where it is.
        of = {**options, "front": front.sha256 or front.option}
        made_of = {"options": of, "training": training}
        return self._cell(front.name, seed, made_of, recipe=recipe)

    def _cell(
        self, called: str, seed: int, made_of: dict[str, Any], **given: Any
    ) -> NetworkCell:
        from ..sweeps.plan import hash_of

        label = in_file_name(f"{called}--{self.task}--seed-{seed}")
        of = {"version": [_VERSION, VERSION], "task": self.task, "seed": seed}
        inputs = hash_of({**of, "trials": self.extent.trials, "of": made_of})
        return NetworkCell(
            label,
            str((self.out / "cells" / label).resolve()),
            inputs,
            task=self.task,
            observer=called,
            seed=seed,
            **self.shared,
            **given,
        )


def learned_retina(
    out: Path,
    extent: LearnedExtent,
    *,
    processes: int | None = None,
    told: "Told | None" = None,
) -> LearnedRetinaFigure:
    """Make the figure, or go on with it, and write what it came to.

    Parameters
    ----------
    out
        Folder, which is made. What is there is not done again.
    extent
        What is to be done.
    processes
        At once; one for each core unless told otherwise.
    told
        Called as networks end.

    Raises
    ------
    ValueError
        If the folder is of other trials, steps, eccentricity or files.
    """
    tidy(out / "cells")
    kept = _require_same(out / _KEPT, extent)
    cells = cells_of(out, extent, (out / LOG).resolve())
    failed = do_cells(cells, processes, told)
    records = records_of(out / "cells", cells, failed)
    shares = shares_of(records)
    networks = networks_of(records)
    write_text(out / "networks.csv", as_csv(networks))
    write_text(out / "shares.csv", as_csv(shares))
    _draw(out, shares)
    parts = {
        "format": FORMAT,
        "yoked": version("yoked"),
        "extent": kept,
        "internal_noise": GAMMA,
        "contrasts": CONTRASTS,
        "session_seed": SESSION_SEED,
        "networks": networks,
        "shares": [each.to_dict() for each in shares],
    }
    write_text(out / "learned-retina.json", as_json(parts) + "\n")
    weights = {
        (cell.observer, cell.task): Path(cell.folder) / WEIGHTS
        for cell in cells
        if cell.recipe is not None and cell.seed == 1 and cell.id not in failed
    }
    return LearnedRetinaFigure(shares, weights, failed)


def _draw(out: Path, shares: Sequence[FrontShares]) -> None:
    from ..figures import write_figure
    from .learned_pictures import draw_front_shares

    write_figure(out / "shares.svg", draw_front_shares(shares))


def _require_same(file: Path, extent: LearnedExtent) -> dict[str, Any]:
    """Give what all that the folder collects has in common; refuse what has not."""
    wanted = extent.kept
    is_begun = any((file.parent / "cells").iterdir())
    if file.is_file() and is_begun:
        kept = json.loads(file.read_text(encoding="utf-8"))
        both = {**wanted["retinas"], **kept["retinas"]}
        same = both == {**kept["retinas"], **wanted["retinas"]}  # no file is another
        if not same or {**wanted, "retinas": both} != {**kept, "retinas": both}:
            rule = "a new folder, or one of the same trials, steps, scale and retinas"
            got = f"{str(file.parent)!r} of {_words(kept)}, for {_words(wanted)}"
            raise ValueError(f"the folder of a figure must be {rule}, got {got}")
        wanted = {**wanted, "retinas": both}
    write_text(file, json.dumps(wanted, indent=1))
    return wanted


def _words(kept: dict[str, Any]) -> str:
    retinas = [f"{name} ({of[:8]})" for name, of in kept["retinas"].items()]
    version = ".".join(map(str, kept["version"]))
    counts = f"{kept['trials']} trials, {kept['steps']} steps"
    scale = f"{kept['eccentricity_deg']:g} degrees"
    return ", ".join([f"version {version}", counts, scale, *retinas])
