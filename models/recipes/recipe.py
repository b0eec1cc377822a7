"""A recipe of training: a TOML file as frozen objects, every field checked."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ...experiments.protocols.checks import Faults, ProtocolError, build
from ...experiments.protocols.files import load_protocol
from ...experiments.protocols.protocol import Protocol, without_defaults
from ...experiments.stimulus.seeds import MAX_SEED

GOALS = ("task", "shadow")


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
class SessionPart:
    """Which session's responses are learnt: the trial log's file, and the id."""

    db: str
    id: str


@dataclass(frozen=True)
class Goal:
    """What is learnt.

    Attributes
    ----------
    kind
        'task' (which alternative had the signal) or 'shadow' (another's responses).
    protocol
        A shipped protocol, or the path of a file ending in .toml; a session has its
        own.
    observer, options, internal_noise
        Whose responses to new trials are learnt: a name, what it can be told, and its
        internal / external SD ratio.
    session
        Whose responses, to the trials that they were given to, are learnt.
    contrasts
        Of the new trials. By default those at which an ideal observer has d' 1, 2, 3
        and 4 for a task, and the one that models are measured at for an observer.
    """

    kind: str
    protocol: str = ""
    observer: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    internal_noise: float = 0.0
    session: SessionPart | None = None
    contrasts: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        faults = Faults()
        rule = f"one of {', '.join(GOALS)}"
        if not faults.unless(self.kind in GOALS, "kind", rule, self.kind):
            faults.raise_any()
        is_session = self.session is not None
        if self.kind == "task":
            rule = "left out where the goal is the task"
            faults.unless(not self.observer, "observer", rule, self.observer)
            faults.unless(not is_session, "session", rule, self.session)
        else:
            got = "both" if is_session and self.observer else "neither"
            one = is_session != bool(self.observer)
            faults.unless(one, "observer or session", "one of the two", got)
        rule = "left out with a session, which has its own"
        new = (("protocol", ""), ("options", {}), ("contrasts", ()))
        for name, default in new if is_session else ():
            value = getattr(self, name)
            faults.unless(value == default, name, rule, value)
        rule = "a shipped protocol or a file of one"
        has = bool(self.protocol) or is_session
        faults.unless(has, "protocol", rule, self.protocol)
        rule = "left out without an observer"
        told = bool(self.observer) or not (self.options or self.internal_noise)
        faults.unless(told, "options and internal_noise", rule, "some")
        rule, gamma = "0 or more", self.internal_noise
        faults.unless(0 <= gamma < float("inf"), "internal_noise", rule, gamma)
        fits = all(0 < each <= 1 for each in self.contrasts)
        faults.unless(fits, "contrasts", "in (0, 1]", list(self.contrasts))
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
        New trials that are held out; with a session a fifth of its trials is.
    """

    steps: int | None = None
    epochs: int | None = None
    batch: int = 256
    rate: float = 3e-3
    decay: float = 1e-2
    patience: int | None = None
    checkpoint_every: int | None = None
    held_out: int = 2048

    def __post_init__(self) -> None:
        faults = Faults()
        for name, least in (
            ("steps", 2),
            ("epochs", 1),
            ("batch", 2),
            ("patience", 1),
            ("checkpoint_every", 1),
            ("held_out", 100),
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
        if self.goal.session is not None:
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
        of = self.goal.session.id if self.goal.session else self.goal.observer
        return f"{network}-shadow-of-{Path(of).name}"

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
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"a recipe must be a file, got {str(path)!r}")
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProtocolError([f"{path.name} must be TOML, got {error}"]) from error
    return recipe_of(data)


def protocol_of(goal: Goal, base: Path) -> Protocol:
    """Load the protocol of a goal without session; a file's path is from `base` on."""
    is_file = Path(goal.protocol).suffix == ".toml"
    return load_protocol(base / goal.protocol if is_file else goal.protocol)
