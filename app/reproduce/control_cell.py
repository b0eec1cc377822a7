"""One network of the controls: trained, drawn or shuffled, and its layer measured."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from ..sweeps.cell import WEIGHTS, part_of, publish, record_of
from .control_recordings import Recorded

_WORK = f"{__name__}:ControlCell"


@dataclass(frozen=True)
class ControlCell:
    """All that a process needs for it; plain data, to be sent to it.

    Attributes
    ----------
    id, folder, inputs
        As of a sweep's cell.
    network, layer
        Name of the network, and of the module that is measured.
    weights, activation, pooling, seed
        Which control it is.
    pictures
        Folder of Texture-MNIST.
    cells
        The table of Ringach et al. (2002), or None.
    recordings, n_features
        What the layer is to foretell, and by how many features.
    recipe
        Of the training, as plain data, or of what it begins with; None of shuffled
        weights.
    weights_of
        Folder of the training whose weights are shuffled.
    """

    id: str
    folder: str
    inputs: str
    network: str
    layer: str
    weights: str
    activation: str
    pooling: str
    seed: int
    pictures: str
    cells: str | None = None
    recordings: tuple[Mapping[str, Any], ...] = ()
    n_features: int = 256
    recipe: Mapping[str, Any] | None = None
    weights_of: str | None = None

    @property
    def is_training(self) -> bool:
        """Whether others wait for its weights."""
        return self.weights == "trained"

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
        from .control_measures import measured

        start = monotonic()
        came_to: dict[str, Any] = {"inputs": self.inputs, **self.which}
        files, before = [], None
        if self.weights_of is None:
            file = part_of(Path(self.folder), self.inputs) / WEIGHTS
            if self.weights == "responses":
                before = self._begun(file.with_name("untrained.safetensors"))
            came_to |= self._made(file)
            files.append(file)
        else:
            file = Path(self.weights_of) / WEIGHTS
        found = measured(
            self._observer(file),
            self.layer,
            Path(self.pictures),
            None if self.cells is None else Path(self.cells),
            tuple(Recorded(**each) for each in self.recordings),
            self.n_features,
            before,
        )
        came_to["measures"] = {name: each.to_dict() for name, each in found.items()}
        came_to["seconds"] = round(monotonic() - start, 3)
        publish(Path(self.folder), files, came_to)
        return came_to

    @property
    def which(self) -> dict[str, Any]:
        """Which control it is, as rows of tables have it."""
        names = ("weights", "activation", "pooling", "seed")
        return {name: getattr(self, name) for name in names}

    def _observer(self, file: Path) -> Any:
        from ...models.registry import load

        return load(
            self.network,
            file=str(file),
            weights="shuffled" if self.weights == "shuffled" else "trained",
            activation=self.activation,
            pooling=self.pooling,
            seed=self.seed,
        )

    def _begun(self, file: Path) -> Any:
        """Give the network that the training begins with."""
        from ...models.regimes.untrained import untrained

        assert self.recipe is not None
        untrained(self.recipe, file)
        return self._observer(file)

    def _made(self, file: Path) -> dict[str, Any]:
        """Train, or give what a training begins with."""
        from ...models.regimes.train import train_on_pictures
        from ...models.regimes.untrained import untrained

        assert self.recipe is not None
        if self.weights == "random":
            untrained(self.recipe, file)
            return {}
        made = train_on_pictures(self.recipe, file, resume=True)
        return {"held_out_correct": made.held_out_correct}
