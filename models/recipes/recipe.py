"""A recipe of training: a TOML file as frozen objects, every field checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ...experiments.protocols.checks import Faults, build, read_toml
from ...experiments.protocols.protocol import without_defaults
from ...experiments.stimulus.seeds import MAX_SEED
from .goal import Goal


@dataclass(frozen=True)
class NetworkPart:
    """Which network is trained.

    Attributes
    ----------
    name
        What `yoked.load_observer` knows it by: 'retina-cnn', 'cornet-z', or
        'mine.py:MyNetwork'.
    seed
        Of first weights, of the trials, and of a session's split: another seed is
        another individual.
    device
        'cpu' or 'cuda'.
    options
        What the observer of that name can be told, such as `front` or `size`.
    """

    name: str
    seed: int = 1
    device: str = "cpu"
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        faults = Faults()
        rule = "a whole number in [0, 2^63)"
        faults.unless(0 <= self.seed < MAX_SEED, "seed", rule, self.seed)
        own = [each for each in ("seed", "device") if each in self.options]
        rule = "without seed and device, which stand beside it"
        faults.unless(not own, "options", rule, dict(self.options))
        faults.raise_any()


@dataclass(frozen=True)
class TrainingPart:
    """How long and how fast.

    Attributes
    ----------
    steps
        Of gradient descent, on `batch` new trials each; 300 unless told otherwise.
    epochs
        Passes over a session's training trials; 20 unless told otherwise.
    batch
        Trials of a step.
    rate
        Highest learning rate; it rises and falls once (one cycle).
    decay
        Weight decay of AdamW.
    patience
        Looks at the held-out trials without a lower loss, after which training stops;
        by default it goes on to the end. The best weights are kept in any case.
    checkpoint_every
        Steps, or with a session epochs, between looks at the held-out trials, each of
        which writes a checkpoint. By default a tenth of the steps, or an epoch.
    held_out
        New trials that are held out to choose the best weights by; of a session's
        responses a fifth is held out in their place.
    scored
        Further new trials, which chose nothing: the last figures are of them. Where a
        session's responses are learnt there are none, and the figures are of what is
        held out.
    compile
        Whether torch compiles the passes of a step first: other last digits.
    """

    steps: int | None = None
    epochs: int | None = None
    batch: int = 256
    rate: float = 3e-3
    decay: float = 1e-2
    patience: int | None = None
    checkpoint_every: int | None = None
    held_out: int = 2048
    scored: int = 2048
    compile: bool = False

    def __post_init__(self) -> None:
        faults = Faults()
        for name, least in (
            ("steps", 2),
            ("epochs", 1),
            ("batch", 2),
            ("patience", 1),
            ("checkpoint_every", 1),
            ("held_out", 100),
            ("scored", 100),
        ):
            value = getattr(self, name)
            fits = value is None or value >= least
            faults.unless(fits, name, f"{least} or more", value)
        rate, decay = self.rate, self.decay
        faults.unless(0 < rate < float("inf"), "rate", "more than 0", rate)
        faults.unless(0 <= decay < float("inf"), "decay", "0 or more", decay)
        faults.raise_any()


@dataclass(frozen=True)
class Recipe:
    """All that a training is a function of.

    Attributes
    ----------
    network, goal, training
        Its three tables.
    name
        Of the observer that comes out; by default the network's and the goal's.

    Examples
    --------
    >>> made = recipe_of({"network": {"name": "retina-cnn"},
    ...                   "goal": {"kind": "task", "protocol": "bar-in-noise"}})
    >>> made.called, made.training.batch
    ('retina-cnn-task', 256)
    """

    network: NetworkPart
    goal: Goal
    training: TrainingPart = field(default_factory=TrainingPart)
    name: str = ""

    def __post_init__(self) -> None:
        faults, training = Faults(), self.training
        counted, other = "steps", "epochs"
        if self.goal.learns_session:
            counted, other = other, counted
        rule = f"left out here, where {counted} are counted"
        value = getattr(training, other)
        faults.unless(value is None, f"training.{other}", rule, value)
        faults.raise_any()

    @property
    def called(self) -> str:
        """Name of the observer that comes out: what it is."""
        if self.name:
            return self.name
        network = Path(self.network.name.rpartition(":")[2]).name
        if self.goal.kind == "task":
            return f"{network}-task"
        shuffled = "shuffled-" if self.goal.shuffled else ""
        of = Path(self.goal.whose).name
        return f"{network}-{shuffled}{self.goal.kind}-of-{of}"

    def to_dict(self) -> dict[str, Any]:
        """Give the recipe as plain data, fields at their default left out."""
        return without_defaults(self)

    def with_options(
        self, seed: int | None = None, device: str | None = None
    ) -> "Recipe":
        """Give the recipe with another seed or device."""
        given = {"seed": seed, "device": device}
        given = {name: value for name, value in given.items() if value is not None}
        return replace(self, network=replace(self.network, **given))


def recipe_of(data: Mapping[str, Any]) -> Recipe:
    """Build a recipe from plain data, checking names, types and rules.

    Raises
    ------
    ProtocolError
        With one sentence for every fault.
    """
    return build(Recipe, dict(data))


def load_recipe(path: str | Path) -> Recipe:
    """Read a recipe from a TOML file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ProtocolError
        If it is no TOML, or breaks rules; one sentence for every fault.
    """
    return recipe_of(recipe_data(path))


def recipe_data(path: str | Path) -> dict[str, Any]:
    """Read what a TOML file of a recipe says, unchecked.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ProtocolError
        If it is no TOML.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"a recipe must be a file, got {str(path)!r}")
    return read_toml(path)
