"""One network of the figure: trained, measured beside the brain and beside people."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from ..sweeps.cell import WEIGHTS, part_of, publish, record_of
from .seeing_set import UNTRAINED, trained_of

_WORK = f"{__name__}:SeeingCell"


@dataclass(frozen=True)
class SeeingCell:
    """All that a process needs for it; plain data, to be sent to it.

    Attributes
    ----------
    id, folder, inputs
        As of a sweep's cell.
    family, regime, seed
        Which network.
    recipe
        Of the training, as plain data, or of what it begins with.
    textured
        Folder of Texture-MNIST, for probes.
    cells
        The table of Ringach et al. (2002), or None.
    log, sessions
        The trial log, and ids of the sessions whose trials it sees.
    """

    id: str
    folder: str
    inputs: str
    family: str
    regime: str
    seed: int
    recipe: Mapping[str, Any]
    textured: str
    cells: str | None
    log: str
    sessions: tuple[str, ...]

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
        return {"family": self.family, "regime": self.regime, "seed": self.seed}

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
        from ...models.regimes.train import PicturePlan

        start = monotonic()
        part = part_of(Path(self.folder), self.inputs)
        plan = PicturePlan(self.recipe, self.seed)
        came_to: dict[str, Any] = {"inputs": self.inputs, **self.which}
        came_to["recipe"] = self.recipe
        self._train(plan, part / WEIGHTS)
        came_to["training_seconds"] = round(monotonic() - start, 3)
        came_to |= self._measured(plan, part)
        came_to["seconds"] = round(monotonic() - start, 3)
        publish(Path(self.folder), [part / WEIGHTS], came_to)
        return came_to

    def _train(self, plan: Any, file: Path) -> None:
        """Train it, unless it was interrupted later; or give what it begins with."""
        from ...models.regimes.untrained import untrained

        if file.is_file():
            return
        if self.regime == UNTRAINED:
            untrained(plan.recipe, file)
        else:
            plan.run(file, resume=True)

    def _measured(self, plan: Any, part: Path) -> dict[str, Any]:
        from .beside import beside_sessions
        from .seeing_measures import across_deg, brain_likeness, observer_of

        file = part / WEIGHTS
        measures = brain_likeness(
            trained_of(self.family, self.regime),
            plan.recipe,
            file,
            plan.categories,
            Path(self.textured),
            None if self.cells is None else Path(self.cells),
        )
        beside = beside_sessions(
            observer_of(plan.recipe, file, across_deg(self.log, self.sessions)),
            self.log,
            self.sessions,
            self.seed,
            part / "answers",
        )
        return {
            "measures": {name: each.to_dict() for name, each in measures.items()},
            "beside": {session: each[0] for session, each in beside.items()},
            "internal_noise": {session: each[1] for session, each in beside.items()},
        }
