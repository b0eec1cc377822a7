"""Part A: networks that learn one of three surrogates, at four goals and four fronts.

A surrogate is a circuit with internal noise, whose answers are known to the last
digit: what a network shares with it at orders zero, one and two can be told as it could
not be of a person. Each surrogate and position is a sweep, so that all of it can be
interrupted and goes on.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from ...experiments.protocols.checks import Faults
from ...experiments.stimulus.seeds import derived_seed
from ..files import write_text
from .circuits import GAMMA, Asked, circuit_sessions

if TYPE_CHECKING:
    import pandas as pd

    from ..sweeps.running import Course, Told

SURROGATES = {"linear": 0.161, "max": 0.279, "energy": 0.295}
"""Contrast of 75 % correct on `bar-in-noise` at GAMMA, by circuit."""
POSITIONS = {"known": "bar-in-noise", "unknown": "bar-position-unknown"}
GOALS = ("task", "shadow", "kernel", "shuffled")
FRONTS = ("none", "retina", "linear-retina", "vone-block")
TWIN, IDEAL = "twin", "ideal"
"""Beside the networks: the surrogate again with other noise, and the ideal."""
BACKBONE = "element-mlp"
LOG = "surrogates.db"
_BATCH = 256


@dataclass(frozen=True)
class Extent:
    """How much of it is done: all of it, or less for a look.

    Attributes
    ----------
    n_seeds
        Individuals of each network.
    trials
        That a surrogate and the networks yoked to it do.
    steps
        Of each training.
    surrogates, positions, goals, fronts
        Levels of the factors.
    """

    n_seeds: int = 3
    trials: int = 6000
    steps: int = 300
    surrogates: tuple[str, ...] = tuple(SURROGATES)
    positions: tuple[str, ...] = tuple(POSITIONS)
    goals: tuple[str, ...] = GOALS
    fronts: tuple[str, ...] = FRONTS

    def __post_init__(self) -> None:
        faults = Faults()
        for name, levels in (
            ("surrogates", tuple(SURROGATES)),
            ("positions", tuple(POSITIONS)),
            ("goals", GOALS),
            ("fronts", FRONTS),
        ):
            given = getattr(self, name)
            fits = bool(given) and set(given) <= set(levels)
            fits = fits and len(set(given)) == len(given)
            rule = f"some of {', '.join(levels)}, each once"
            faults.unless(fits, name, rule, list(given))
        faults.raise_any()

    @property
    def n_trainings(self) -> int:
        """Networks in all."""
        n_sweeps = len(self.surrogates) * len(self.positions)
        return n_sweeps * len(self.goals) * len(self.fronts) * self.n_seeds

    @property
    def n_cells(self) -> int:
        """Trainings and sessions in all."""
        n_beside = len((TWIN, IDEAL)) * len(self.surrogates) * len(self.positions)
        return 2 * self.n_trainings + n_beside * self.n_seeds

    def to_dict(self) -> dict[str, Any]:
        """Give all of it as plain data."""
        plain = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in vars(self).items()
        }
        return {**plain, "n_trainings": self.n_trainings}

    def sentence(self) -> str:
        """Say in one line what is to be done, before anything is."""
        return (
            f"part A: {self.n_trainings} trainings of {self.steps} steps, "
            f"{self.n_cells - self.n_trainings} sessions of {self.trials:,} trials; "
            "what is done already stays"
        )


def surrogate_sweeps(
    out: Path, extent: Extent, processes: int | None, told: "Told"
) -> "pd.DataFrame":
    """Do all sweeps, or what is left of them.

    Parameters
    ----------
    out
        Folder of part A, which is made.
    extent
        How much of it.
    processes
        At once; one for each core unless told otherwise.
    told
        Called as cells end, with all cells of all sweeps.

    Returns
    -------
    DataFrame
        A row for each cell, as of a sweep, with the columns `surrogate`, `position`,
        `goal` (or who it is, if no network) and `front`.
    """
    import pandas as pd

    from ..sweeps.plan import Plan
    from ..sweeps.running import Course
    from ..sweeps.sweep import pool_of, run_plan

    people = surrogate_sessions(out, extent)
    plans = {
        key: Plan(_recipe_of(out, *key, session, extent), out / "-".join(key))
        for key, session in people.items()
    }
    whole = _Whole(sum(len(plan.all) for plan in plans.values()), told)
    tables = []
    for (surrogate, position), plan in plans.items():
        tell = whole.within(f"{surrogate}-{position}", len(plan.records))
        made = run_plan(plan, pool_of(processes, None), True, tell)
        tell(Course(len(plan.all), len(plan.all) - len(made.failed), made.failed))
        table = made.table.assign(surrogate=surrogate, position=position)
        parts = table["observer"].str.split(".", n=1, expand=True)
        tables.append(table.assign(goal=parts[0], front=parts[1]))
    return pd.concat(tables, ignore_index=True)


class _Whole:
    """Tells of one sweep as a part of all of them."""

    def __init__(self, n_all: int, told: "Told") -> None:
        self._n_all, self._told = n_all, told
        self._n_done = self._n_new = 0
        self._failed: dict[str, str] = {}
        self._start = monotonic()

    def within(self, name: str, n_before: int) -> "Told":
        """Give what the next sweep tells, of which so many cells were done before."""
        n_ended, n_new, failed = self._n_done, self._n_new, self._failed

        def tell(course: "Course") -> None:
            own = {f"{name}, {cell}": why for cell, why in course.failed.items()}
            self._failed = failed | own
            self._n_done = n_ended + course.n_done
            self._n_new = n_new + course.n_done - n_before + len(own)
            left = None
            if self._n_new:
                due = self._n_all - self._n_done - len(self._failed)
                left = (monotonic() - self._start) / self._n_new * due
            whole = {"n_all": self._n_all, "n_done": self._n_done, "seconds_left": left}
            self._told(replace(course, **whole, failed=self._failed))

        return tell


def surrogate_sessions(out: Path, extent: Extent) -> dict[tuple[str, str], str]:
    """Let every surrogate do both tasks, unless it has; give its sessions' ids.

    Each is a log of its own until it is whole: what was interrupted leaves nothing.
    """
    out.mkdir(parents=True, exist_ok=True)
    wanted = {
        (surrogate, position): Asked(
            surrogate,
            POSITIONS[position],
            SURROGATES[surrogate],
            derived_seed("surrogate", surrogate, position),
        )
        for surrogate in extent.surrogates
        for position in extent.positions
    }
    return circuit_sessions(out / LOG, wanted, extent.trials)


def _recipe_of(
    out: Path, surrogate: str, position: str, session: str, extent: Extent
) -> dict[str, Any]:
    """Write the recipes of training; give that of the sweep which they are in."""
    observers = []
    folder = out / "recipes" / f"{surrogate}-{position}"
    folder.mkdir(parents=True, exist_ok=True)
    for goal in extent.goals:
        for front in extent.fronts:
            file = folder / f"{goal}.{front}.toml"
            write_text(
                file, training_recipe(surrogate, position, goal, front, extent.steps)
            )
            observers.append({"train": str(file), "label": file.stem})
    observers += [{"name": surrogate, "label": TWIN}, {"name": "ideal"}]
    return {
        "name": f"{surrogate}, position {position}",
        "observer": observers,
        "seeds": extent.n_seeds,
        "people": {"db": str(out / LOG), "sessions": [session]},
        "internal_noise": "matched",
    }


def training_recipe(
    surrogate: str, position: str, goal: str, front: str, steps: int
) -> str:
    """Give a recipe of training as TOML."""
    target: dict[str, Any] = {
        "kind": "kernel" if goal == "shuffled" else goal,
        "protocol": POSITIONS[position],
        "contrasts": [SURROGATES[surrogate]],
    }
    if goal != "task":
        target |= {"observer": surrogate, "internal_noise": GAMMA}
    if target["kind"] == "kernel":
        # A linear circuit has no kernel of order two: its noise would be learnt.
        target |= {"orders": [1] if surrogate == "linear" else [1, 2]}
        target |= {"shuffled": goal == "shuffled"}
    training = {"steps": steps, "batch": _BATCH, "rate": 1e-2, "scored": 2048}
    network = {"name": BACKBONE, "options": {"front": front}}
    tables = {"network": network, "goal": target, "training": training}
    return "\n".join(_toml(name, table) for name, table in tables.items())


def _toml(name: str, table: dict[str, Any]) -> str:
    lines = [f"[{name}]"]
    for key, value in table.items():
        if isinstance(value, dict):
            inner = ", ".join(f"{k} = {json.dumps(v)}" for k, v in value.items())
            lines.append(f"{key} = {{ {inner} }}")
        else:
            lines.append(f"{key} = {json.dumps(value)}")
    return "\n".join(lines) + "\n"
