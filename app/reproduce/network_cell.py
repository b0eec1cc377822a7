"""One network of a figure: trained, shown the trials of all circuits once, compared."""

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any

from ..sweeps.cell import WEIGHTS, part_of, publish, record_of

_WORK = f"{__name__}:NetworkCell"


@dataclass(frozen=True)
class NetworkCell:
    """All that a process needs for it; plain data, to be sent to it.

    Attributes
    ----------
    id, folder, inputs
        As of a sweep's cell.
    task
        Name of the protocol.
    observer
        What it is called in tables.
    seed
        Of training and of internal noise.
    name
        Of an observer that is not trained.
    recipe
        Of a training, as plain data; None where there is none.
    log
        The trial log with the circuits' sessions.
    sessions
        By circuit, their ids; all of the same trials.
    """

    id: str
    folder: str
    inputs: str
    task: str
    observer: str
    seed: int
    log: str
    sessions: Mapping[str, str]
    name: str = ""
    recipe: Mapping[str, Any] | None = None

    @property
    def is_training(self) -> bool:
        """It is both at once: nobody waits for it."""
        return False

    @property
    def weights_of(self) -> str | None:
        """It waits for nobody."""
        return None

    @property
    def which(self) -> dict[str, Any]:
        """Which network, as rows of tables have it."""
        is_network = self.recipe is not None
        of = {"task": self.task, "observer": self.observer, "seed": self.seed}
        return {**of, "is_network": is_network}

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain data, which `work_of` makes it of again."""
        return {"work": _WORK, **asdict(self)}

    def record(self) -> dict[str, Any] | None:
        """Read what it came to; None where it is not done, or of other inputs."""
        return record_of(self.folder, self.inputs)

    def do(self) -> dict[str, Any]:
        """Do it, unless it is done; give its record."""
        if (found := self.record()) is not None:
            return found
        start = monotonic()
        part = part_of(Path(self.folder), self.inputs)
        came_to: dict[str, Any] = {"inputs": self.inputs, **self.which}
        files = []
        if self.recipe is not None:
            files.append(part / WEIGHTS)
            came_to |= self._trained(part / WEIGHTS)
        came_to |= self._compared(part)
        came_to["seconds"] = round(monotonic() - start, 3)
        publish(Path(self.folder), files, came_to)
        shutil.rmtree(part, ignore_errors=True)  # a reference has no weights there
        return came_to

    def _trained(self, file: Path) -> dict[str, Any]:
        from ...models.recipes.recipe import recipe_of
        from ...models.recipes.train import Plan

        assert self.recipe is not None
        recipe = replace(recipe_of(self.recipe), name=self.observer)
        made = Plan(recipe, self.seed).run(file, resume=True)
        return {
            "weights_hash": made.weights_hash,
            "held_out": made.held_out.to_dict(),
        }

    def _compared(self, part: Path) -> dict[str, Any]:
        """Let it see the trials, and compare it with every circuit, noise matched."""
        from ...models.registry import load
        from .beside import beside_sessions

        observer = load(self.name or str(part / WEIGHTS))
        asked = self.sessions.values()
        found = beside_sessions(observer, self.log, asked, self.seed, part / "answers")
        told = {circuit: found[session] for circuit, session in self.sessions.items()}
        return {
            "measures": {circuit: each[0] for circuit, each in told.items()},
            "internal_noise": {circuit: each[1] for circuit, each in told.items()},
        }
