"""What is trained for the figure of regimes: each with its paper's controls."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# Folders of pictures.
BRIGHT, CLUTTERED, OCCLUDED = "bright", "cluttered", "occluded"
CROWDED = (CLUTTERED, OCCLUDED)
_LAYER = "stage2"
_FEATURES = {"layers": [_LAYER]}
_FEW_PX = {"size_px": 32}  # of networks in time, which take four steps


@dataclass(frozen=True)
class Trained:
    """A network of the figure.

    Attributes
    ----------
    id
        In file names and tables.
    network, options, layer
        Name, what it can be told, and the module that is measured.
    regime
        Of the recipe.
    pictures
        That are learnt and held out.
    """

    id: str
    network: str = "plain-cnn"
    options: Mapping[str, Any] = field(default_factory=dict)
    layer: str = _LAYER
    regime: Mapping[str, Any] = field(default_factory=dict)
    pictures: str = BRIGHT


@dataclass(frozen=True)
class Group:
    """A regime beside what it is compared with.

    Attributes
    ----------
    name
        Of the regime.
    measure
        Its own.
    baseline
        Id of the network without it.
    regimes, controls
        Ids of networks with it, and of its controls.
    """

    name: str
    measure: str
    baseline: str
    regimes: tuple[str, ...]
    controls: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """All of its networks."""
        return (self.baseline, *self.regimes, *self.controls)


def _with(kind: str, *controls: str, **more: Any) -> list[Trained]:
    """Give a regime on the plain network, and its controls."""
    found = [Trained(kind, regime={"kind": kind, **more})]
    for control in controls:
        regime = {"kind": kind, "control": control, **more}
        found.append(Trained(f"{kind}-{control}", regime=regime))
    return found


def _front(name: str, front: str, **settings: Any) -> Trained:
    """Give the plain network behind a front."""
    options: dict[str, Any] = {"front": front}
    if settings:
        options["front_settings"] = settings
    return Trained(name, options=options, layer=f"backbone.{_LAYER}")


def _recurrent(pictures: str, ending: str) -> list[Trained]:
    """Give BL and BLT, and their first step alone."""
    kinds = {"bl": ("bl", {}), "blt": ("blt", {}), "bl-one-step": ("bl", {"steps": 1})}
    return [
        Trained(f"{name}{ending}", network, {**own, **_FEW_PX}, "layer2", {}, pictures)
        for name, (network, own) in kinds.items()
    ]


_ALIGNED = ("shuffled", "random", "rank-k", "spectrum-matched")
_ALL = [
    Trained("plain"),
    *_with("alignment", *_ALIGNED, **_FEATURES),
    *_with("harmonizer", "shuffled", weight=20.0),
    *_with("similarity", "pixels", "shuffled", weight=10.0, **_FEATURES),
    *_with("multi-task", "shuffled", **_FEATURES),
    *_with("adversarial", "random-signs", eps=0.03, attack_steps=3),
    _front("vone-block", "vone-block"),
    _front("vone-block-without-noise", "vone-block", noise="none"),
    _front("vone-block-shuffled", "vone-block", is_shuffled=True),
    _front("retinal-fixation", "retinal-fixation"),
    _front("cortical-fixation", "cortical-fixation"),
    _front("coarse-fixation", "coarse-fixation"),
    *_recurrent(CLUTTERED, ""),
    *_recurrent(OCCLUDED, "-occluded"),
    Trained("ssn", "ssn", _FEW_PX, "ssn"),
    Trained("ssn-not-recurrent", "ssn", {"recurrent": False, **_FEW_PX}, "ssn"),
    Trained("plain-in-clutter", pictures=CLUTTERED),
]
NETWORKS = {each.id: each for each in _ALL}
GROUPS = {
    each.name: each
    for each in (
        Group(
            "alignment",
            "cka",
            "plain",
            ("alignment",),
            tuple(f"alignment-{each}" for each in _ALIGNED),
        ),
        Group("harmonizer", "map", "plain", ("harmonizer",), ("harmonizer-shuffled",)),
        Group(
            "similarity",
            "rsa",
            "plain",
            ("similarity",),
            ("similarity-pixels", "similarity-shuffled"),
        ),
        Group(
            "multi-task",
            "predictivity",
            "plain",
            ("multi-task",),
            ("multi-task-shuffled",),
        ),
        Group(
            "adversarial",
            "attacked",
            "plain",
            ("adversarial",),
            ("adversarial-random-signs",),
        ),
        Group(
            "vone-block",
            "attacked",
            "plain",
            ("vone-block",),
            ("vone-block-without-noise", "vone-block-shuffled"),
        ),
        Group(
            "fixation",
            "attacked",
            "plain",
            ("retinal-fixation", "cortical-fixation"),
            ("coarse-fixation",),
        ),
        Group("recurrence-in-clutter", "correct", "bl-one-step", ("bl", "blt")),
        Group(
            "recurrence-under-debris",
            "correct",
            "bl-one-step-occluded",
            ("bl-occluded", "blt-occluded"),
        ),
        Group("ssn", "surround", "ssn-not-recurrent", ("ssn",)),
        Group(
            "attention",
            "attended",
            "plain-in-clutter",
            ("attending",),
            ("attending-shuffled",),
        ),
    )
}
# Networks that are another's with something done to it: nothing is trained.
OF_ANOTHER = {"attending": "plain-in-clutter", "attending-shuffled": "plain-in-clutter"}


def networks_for(groups: tuple[str, ...]) -> list[Trained]:
    """Give what groups need to be trained, each once, in the order of the set."""
    wanted = {
        OF_ANOTHER.get(each, each) for name in groups for each in GROUPS[name].ids
    }
    return [each for each in _ALL if each.id in wanted]
