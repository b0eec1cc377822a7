"""One network of the figure of regimes: trained on pictures, and measured."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from ..sweeps.cell import WEIGHTS, part_of, publish, record_of
from .regime_set import NETWORKS, OF_ANOTHER

_WORK = f"{__name__}:RegimeCell"


@dataclass(frozen=True)
class RegimeCell:
    """All that a process needs for it; plain data, to be sent to it.

    Attributes
    ----------
    id, folder, inputs
        As of a sweep's cell.
    trained
        Id of the network in the set.
    seed
        Of first weights and of everything that is drawn.
    recipe
        Of the training, as plain data.
    """

    id: str
    folder: str
    inputs: str
    trained: str
    seed: int
    recipe: Mapping[str, Any]

    @property
    def which(self) -> dict[str, Any]:
        """Which network, as rows of tables have it."""
        return {"network": self.trained, "seed": self.seed}

    @property
    def is_training(self) -> bool:
        """It is both at once: nobody waits for it."""
        return False

    @property
    def weights_of(self) -> str | None:
        """It waits for nobody."""
        return None

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
        file = part_of(Path(self.folder), self.inputs) / WEIGHTS
        plan = PicturePlan(self.recipe, self.seed)
        came_to: dict[str, Any] = {"inputs": self.inputs, **self.which}
        came_to["recipe"] = self.recipe
        if not file.is_file():  # else it was interrupted while it was measured
            plan.run(file, resume=True)
        came_to["training_seconds"] = round(monotonic() - start, 3)
        came_to["measures"] = self._measured(plan, file)
        came_to["seconds"] = round(monotonic() - start, 3)
        publish(Path(self.folder), [file], came_to)
        return came_to

    def _measured(self, plan: Any, file: Path) -> dict[str, dict[str, Any]]:
        """Measure it, and what is it with something done to it."""
        from .regime_measures import RegimeMeasures

        own = NETWORKS[self.trained]
        measures = RegimeMeasures(own, plan.recipe, file, plan.categories)
        found = {self.trained: measures.all()}
        if self.trained in OF_ANOTHER.values():
            for name, more in measures.attended(self.recipe["pictures"]["fit"]).items():
                found[name] = {**found.get(name, {}), **more}
        return {
            name: {measure: each.to_dict() for measure, each in of_it.items()}
            for name, of_it in found.items()
        }
