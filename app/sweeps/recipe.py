"""A recipe of a sweep: a TOML file as frozen objects, every field checked."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...experiments.protocols.checks import Faults, build, read_toml
from ...experiments.protocols.protocol import without_defaults
from ...experiments.stimulus.seeds import RESERVED_SEEDS

MATCHED, DECISION = "matched", "decision"
_LABEL = re.compile(r"[A-Za-z0-9][\w.+-]*")


@dataclass(frozen=True)
class ObserverPart:
    """An observer of the sweep, which every seed makes anew.

    Attributes
    ----------
    name
        What `yoked.load_observer` knows it by; a file's path is from the recipe on.
    train
        In its place a recipe of training (a TOML file): each seed trains a network of
        its own.
    options
        What the observer of that name can be told.
    label
        Its name in tables and in the trial log; by default its own.
    noise_at
        Where its internal noise is: 'decision', or a place in a network as
        `yoked.noisy` takes it. The place is a factor of a sweep that has one network
        several times, under different labels.
    """

    name: str = ""
    train: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""
    noise_at: str = DECISION

    def __post_init__(self) -> None:
        faults = Faults()
        got = "both" if self.name and self.train else "neither"
        one = bool(self.name) != bool(self.train)
        faults.unless(one, "name or train", "one of the two", got)
        rule = "a recipe's TOML file"
        is_recipe = not self.train or self.train.endswith(".toml")
        faults.unless(is_recipe, "train", rule, self.train)
        rule = "left out with train, whose recipe has them"
        told = not (self.train and self.options)
        faults.unless(told, "options", rule, dict(self.options))
        rule = "without seed, which the sweep sets"
        faults.unless("seed" not in self.options, "options", rule, dict(self.options))
        rule = "letters, digits and . _ + -, a letter or digit first"
        fits = not self.label or _LABEL.fullmatch(self.label)
        faults.unless(bool(fits), "label", rule, self.label)
        faults.raise_any()

    @property
    def called(self) -> str:
        """Its label, or what its name or its recipe's file makes of one."""
        if self.label:
            return self.label
        last = Path(self.name.rpartition(":")[2] or self.train).name
        for end in (".safetensors", ".toml"):
            last = last.removesuffix(end)
        return re.sub(r"[^\w.+-]+", "-", last)


@dataclass(frozen=True)
class PeoplePart:
    """Whom each observer is yoked to.

    Attributes
    ----------
    db
        The trial log's file, from the recipe on.
    sessions
        Ids; every finished session of a person unless told otherwise.
    depths
        Whether shares of orders 0, 1 and 2 are computed for each cell.
    """

    db: str
    sessions: tuple[str, ...] = ()
    depths: bool = True

    def __post_init__(self) -> None:
        faults = Faults()
        twice = len(set(self.sessions)) < len(self.sessions)
        faults.unless(not twice, "sessions", "each named once", list(self.sessions))
        faults.raise_any()


@dataclass(frozen=True)
class SweepRecipe:
    """All that a sweep is a function of.

    Attributes
    ----------
    observer
        One or more.
    seeds
        A list, or a count: 3 is 1, 2, 3. Of training, of stimuli and schedule, and of
        internal noise.
    name
        Of the sweep.
    protocols
        Shipped ones, or paths of files, from the recipe on.
    trials, contrast
        Main trials, and one contrast for all of them, in place of the protocols'.
    people
        In place of protocols: whose trials are shown again.
    internal_noise
        gamma, as in `yoked.run`; with people also 'matched', as `yoked.match_noise`
        finds it.
    criterion
        As in `yoked.run`.
    """

    observer: tuple[ObserverPart, ...]
    seeds: int | tuple[int, ...] = 1
    name: str = "sweep"
    protocols: tuple[str, ...] = ()
    trials: int | None = None
    contrast: float | None = None
    people: PeoplePart | None = None
    internal_noise: float | str = 0.0
    criterion: float | None = None

    def __post_init__(self) -> None:
        faults = Faults()
        faults.unless(bool(self.observer), "observer", "one table or more", [])
        names = [each.called.casefold() for each in self.observer]
        rule = "other than every other observer's"
        for i, each in enumerate(self.observer):
            alone = names.count(names[i]) == 1
            faults.unless(alone, f"observer[{i}].label", rule, each.called)
        self._check_seeds(faults)
        got = "both" if self.protocols and self.people else "neither"
        one = bool(self.protocols) != (self.people is not None)
        faults.unless(one, "protocols or people", "one of the two", got)
        twice = len(set(self.protocols)) < len(self.protocols)
        faults.unless(not twice, "protocols", "each named once", list(self.protocols))
        if self.people is not None:
            rule = "left out with people, whose sessions have them"
            for key in ("trials", "contrast"):
                value = getattr(self, key)
                faults.unless(value is None, key, rule, value)
        trials, contrast = self.trials, self.contrast
        faults.unless(trials is None or trials > 0, "trials", "1 or more", trials)
        fits = contrast is None or 0 <= contrast <= 1
        faults.unless(fits, "contrast", "in [0, 1]", contrast)
        self._check_noise(faults)
        faults.raise_any()

    def _check_seeds(self, faults: Faults) -> None:
        if isinstance(self.seeds, int):
            faults.unless(self.seeds > 0, "seeds", "1 or more", self.seeds)
            return
        listed = list(self.seeds)
        rule = "whole numbers in [0, 2^63 - 2^32), each once, one or more"
        fits = bool(listed) and len(set(listed)) == len(listed)
        fits = fits and all(0 <= each < RESERVED_SEEDS.start for each in listed)
        faults.unless(fits, "seeds", rule, listed)

    def _check_noise(self, faults: Faults) -> None:
        noise = self.internal_noise
        places = {each.noise_at for each in self.observer}
        if len(places) > 1:  # each has a unit of its own
            rule = f"{MATCHED!r} where observers have noise at several places"
            faults.unless(noise == MATCHED, "internal_noise", rule, noise)
        elif places != {DECISION}:
            rule = "more than 0 where noise_at is told"
            faults.unless(bool(noise), "internal_noise", rule, noise)
        if isinstance(noise, float):
            fits = 0 <= noise < float("inf")
            faults.unless(fits, "internal_noise", "0 or more", noise)
            return
        rule = f"a number, or {MATCHED!r} with people"
        fits = noise == MATCHED and self.people is not None
        faults.unless(fits, "internal_noise", rule, noise)

    @property
    def seed_list(self) -> tuple[int, ...]:
        """The seeds themselves."""
        if isinstance(self.seeds, int):
            return tuple(range(1, self.seeds + 1))
        return self.seeds

    def to_dict(self) -> dict[str, Any]:
        """Give the recipe as plain data, fields at their default left out."""
        return without_defaults(self)


def sweep_recipe_of(data: Mapping[str, Any]) -> SweepRecipe:
    """Build a recipe from plain data, checking names, types and rules.

    Raises
    ------
    ProtocolError
        With one sentence for every fault.

    Examples
    --------
    >>> made = sweep_recipe_of({"observer": [{"name": "template"}], "seeds": 2,
    ...                         "protocols": ["bar-in-noise"]})
    >>> made.observer[0].called, made.seed_list
    ('template', (1, 2))
    """
    return build(SweepRecipe, dict(data))


def load_sweep(path: str | Path) -> SweepRecipe:
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
    return sweep_recipe_of(read_toml(path))


def from_recipe(base: Path, name: str, ends: Sequence[str] = (".toml",)) -> str:
    """Give a name, or where it is a file its path, from the recipe's folder on."""
    is_file = name.endswith(tuple(ends)) or ".py:" in name
    return str((base / name).resolve()) if is_file else name
