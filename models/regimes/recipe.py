"""A recipe of training on pictures: which network, which pictures, which regime."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ...experiments.protocols.checks import Faults, build, suggestion
from ...experiments.protocols.protocol import without_defaults
from ..recipes.recipe import NetworkPart, recipe_data

# Of each regime, the controls that its paper asks for or that we do.
REGIMES = {
    "none": (),
    "alignment": ("shuffled", "random", "rank-k", "spectrum-matched"),
    "harmonizer": ("shuffled",),
    "similarity": ("pixels", "shuffled"),
    "multi-task": ("shuffled",),
    "adversarial": ("random-signs",),
}
WITH_POPULATION = ("alignment", "similarity", "multi-task")
WITHOUT_TERM = ("none", "adversarial")


@dataclass(frozen=True)
class PicturesPart:
    """What is learnt and what is held out.

    Attributes
    ----------
    fit, held_out
        Folders or tables of pictures with their categories, as `yoked label` takes
        them; paths are from the recipe's folder on.
    size_px
        Pixels across a picture as shown.
    degrees
        Across a picture; by default the network's field.
    """

    fit: str
    held_out: str
    size_px: int = 56
    degrees: float | None = None

    def __post_init__(self) -> None:
        faults = Faults()
        faults.unless(self.size_px >= 8, "size_px", "8 or more", self.size_px)
        fits = self.degrees is None or 0 < self.degrees < float("inf")
        faults.unless(fits, "degrees", "more than 0", self.degrees)
        faults.raise_any()


@dataclass(frozen=True)
class PopulationPart:
    """Whose responses are made like: a recording, or without one a simulated V1.

    Attributes
    ----------
    recording, stimuli, region, width_deg
        As `yoked brain` takes them; paths are from the recipe's folder on.
    units, repeats, seed
        Of a simulated V1: units of a VOneBlock, showings that are averaged, and of
        cells and noise.
    """

    recording: str = ""
    stimuli: str = ""
    region: str = ""
    width_deg: float | None = None
    units: int = 256
    repeats: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        faults = Faults()
        faults.unless(self.units >= 2, "units", "2 or more", self.units)
        faults.unless(self.repeats >= 1, "repeats", "1 or more", self.repeats)
        rule = "left out without a recording"
        told = self.stimuli or self.region or self.width_deg is not None
        alone = bool(self.recording) or not told
        faults.unless(alone, "stimuli, region and width_deg", rule, "some")
        faults.raise_any()


@dataclass(frozen=True)
class RegimePart:
    """What makes the network brain-like.

    Attributes
    ----------
    kind
        A key of `REGIMES`.
    control
        What stands in place of the brain's data, or of the attack.
    weight
        Of the regime's term beside the classes' cross-entropy.
    task_weight
        Of that cross-entropy; 0 to learn the term alone.
    layers
        Modules of the network that the term looks at: one for alignment and multi-task,
        one or more for similarity.
    rank
        Of the control 'rank-k'.
    eps, attack_steps
        Of adversarial training: largest change of a pixel's contrast, and steps.
    population
        Of alignment, similarity and multi-task.
    """

    kind: str = "none"
    control: str = ""
    weight: float = 1.0
    task_weight: float = 1.0
    layers: tuple[str, ...] = ()
    rank: int = 5
    eps: float = 0.05
    attack_steps: int = 5
    population: PopulationPart = field(default_factory=PopulationPart)

    def __post_init__(self) -> None:
        faults = Faults()
        near = suggestion(self.kind, REGIMES)
        rule = f"one of {', '.join(REGIMES)}{near}"
        if not faults.unless(self.kind in REGIMES, "kind", rule, self.kind):
            faults.raise_any()
        controls = REGIMES[self.kind]
        rule = f"left out or one of {', '.join(controls)}" if controls else "left out"
        fits = not self.control or self.control in controls
        faults.unless(fits, "control", rule, self.control)
        fits = 0 <= self.weight < float("inf")
        faults.unless(fits, "weight", "0 or more", self.weight)
        alone = self.kind in WITHOUT_TERM
        rule = f"more than 0 in the regime {self.kind}" if alone else "0 or more"
        fits = 0 <= self.task_weight < float("inf")
        fits = fits and not (alone and self.task_weight == 0)
        faults.unless(fits, "task_weight", rule, self.task_weight)
        self._check_layers(faults)
        faults.unless(self.rank >= 1, "rank", "1 or more", self.rank)
        faults.unless(0 < self.eps <= 1, "eps", "in (0, 1]", self.eps)
        steps = self.attack_steps
        faults.unless(steps >= 1, "attack_steps", "1 or more", steps)
        has = self.kind in WITH_POPULATION or self.population == PopulationPart()
        rule = f"left out of the regime {self.kind}"
        faults.unless(has, "population", rule, "one")
        faults.raise_any()

    @property
    def called(self) -> str:
        """The regime and its control."""
        return "-".join(each for each in (self.kind, self.control) if each)

    def _check_layers(self, faults: Faults) -> None:
        n = len(self.layers)
        if self.kind in ("alignment", "multi-task"):
            faults.unless(n == 1, "layers", "one", list(self.layers))
        elif self.kind == "similarity":
            faults.unless(n >= 1, "layers", "one or more", list(self.layers))
        else:
            rule = f"left out of the regime {self.kind}"
            faults.unless(n == 0, "layers", rule, list(self.layers))


@dataclass(frozen=True)
class PictureTrainingPart:
    """How long and how fast.

    Attributes
    ----------
    steps
        Of gradient descent.
    batch
        Pictures of a step; of a population as many besides.
    rate
        Highest learning rate; it rises and falls once (one cycle).
    decay
        Weight decay of AdamW.
    checkpoint_every
        Steps between checkpoints, each with a look at the pictures held out; by default
        a fifth of the steps. They choose nothing: the last weights are kept.
    """

    steps: int = 400
    batch: int = 64
    rate: float = 3e-3
    decay: float = 1e-2
    checkpoint_every: int | None = None

    def __post_init__(self) -> None:
        faults = Faults()
        for name, least in (("steps", 2), ("batch", 4), ("checkpoint_every", 1)):
            value = getattr(self, name)
            fits = value is None or value >= least
            faults.unless(fits, name, f"{least} or more", value)
        faults.unless(0 < self.rate < float("inf"), "rate", "more than 0", self.rate)
        faults.unless(0 <= self.decay < float("inf"), "decay", "0 or more", self.decay)
        faults.raise_any()

    @property
    def every(self) -> int:
        """Steps between checkpoints."""
        return self.checkpoint_every or max(1, self.steps // 5)


@dataclass(frozen=True)
class PictureRecipe:
    """All that a training on pictures is a function of.

    Attributes
    ----------
    network, pictures, regime, training
        Its four tables.
    name
        Of what comes out; by default the network's and the regime's.

    Examples
    --------
    >>> made = picture_recipe_of({
    ...     "network": {"name": "plain-cnn"},
    ...     "pictures": {"fit": "fit.csv", "held_out": "test.csv"},
    ...     "regime": {"kind": "alignment", "layers": ["stage2"]},
    ... })
    >>> made.called, made.training.batch
    ('plain-cnn-alignment', 64)
    """

    network: NetworkPart
    pictures: PicturesPart
    regime: RegimePart = field(default_factory=RegimePart)
    training: PictureTrainingPart = field(default_factory=PictureTrainingPart)
    name: str = ""

    @property
    def called(self) -> str:
        """What it is called."""
        return self.name or f"{self.network.name}-{self.regime.called}"

    def to_dict(self) -> dict[str, Any]:
        """Give the recipe as plain data, fields at their default left out."""
        return without_defaults(self)

    def with_options(
        self, seed: int | None = None, device: str | None = None
    ) -> "PictureRecipe":
        """Give the recipe with another seed or device."""
        given = {"seed": seed, "device": device}
        given = {name: value for name, value in given.items() if value is not None}
        return replace(self, network=replace(self.network, **given))


def picture_recipe_of(data: Mapping[str, Any]) -> PictureRecipe:
    """Build a recipe from plain data, checking names, types and rules.

    Raises
    ------
    ProtocolError
        With one sentence for every fault.
    """
    return build(PictureRecipe, dict(data))


def is_of_pictures(path: Path) -> bool:
    """Say whether a TOML file has the table that only recipes of pictures have.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ProtocolError
        If it is no TOML.
    """
    return "pictures" in recipe_data(path)


def load_picture_recipe(path: str | Path) -> PictureRecipe:
    """Read a recipe from a TOML file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ProtocolError
        If it is no TOML, or breaks rules; one sentence for every fault.
    """
    return picture_recipe_of(recipe_data(path))
