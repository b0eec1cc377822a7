"""The figure: whether training makes a layer like V1, or what it is made of.

One network with trained, random and shuffled weights, four non-linearities and three
poolings; of one of its layers the tuning, the complexity and what a linear read-out
knows of digits and textures. A folder collects what was done: more seeds and more
controls add to it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...experiments.protocols.checks import Faults
from ..files import write_text
from ..output import as_csv, as_json
from ..sweeps.sweep import tidy
from .control_cell import ControlCell
from .control_claims import ControlClaim, claims_of
from .control_outcome import FORMAT, ControlMeans, means_of, networks_of
from .control_recordings import Recorded
from .do_cells import do_cells
from .folder import make_once, records_of, require_same

if TYPE_CHECKING:
    from ...experiments.pictures.digits import Digits
    from ..sweeps.running import Told

WEIGHTS = ("trained", "random", "shuffled")
RESPONSES = "responses"  # trained on those of the first recording alone
ALL_WEIGHTS = (*WEIGHTS, RESPONSES)
ACTIVATIONS = ("relu", "tanh", "elu", "linear")
POOLINGS = ("max", "average", "none")
_LEARNING = ("trained", RESPONSES)
_KEPT = "extent.json"
BRIGHT = "bright-"  # before the name of the pictures to train on
_PICTURE_SEED = 0
_RATE = 1e-2
# Of what else a network is a function of: raise it when it would come to others.
_VERSION = 1
Progress = Callable[[str, float, int], None]


@dataclass(frozen=True)
class ControlsExtent:
    """What is to be done.

    Attributes
    ----------
    network, layer
        Name of the network, and of the module that is measured.
    weights, activations, poolings
        Levels of the three controls. Weights 'responses' are of networks that learnt
        those of the first recording alone; they are done only where they are named.
    n_seeds
        Individuals of each network.
    steps
        Of each training.
    n_fit, n_test
        Pictures to fit read-outs to, and held out; of the training as many others.
    cells
        The table of Ringach et al. (2002); None to go without it.
    recordings, n_features
        What the layer is to foretell, and by how many features.
    """

    network: str = "plain-cnn"
    layer: str = "stage2"
    weights: tuple[str, ...] = WEIGHTS
    activations: tuple[str, ...] = ACTIVATIONS
    poolings: tuple[str, ...] = POOLINGS
    n_seeds: int = 3
    steps: int = 200
    n_fit: int = 2000
    n_test: int = 1000
    cells: Path | None = None
    recordings: tuple[Recorded, ...] = field(default=())
    n_features: int = 256

    def __post_init__(self) -> None:
        faults = Faults()
        levels = {
            "weights": ALL_WEIGHTS,
            "activations": ACTIVATIONS,
            "poolings": POOLINGS,
        }
        for name, known in levels.items():
            given = getattr(self, name)
            fits = bool(given) and set(given) <= set(known)
            fits = fits and len(set(given)) == len(given)
            rule = f"some of {', '.join(known)}, each once"
            faults.unless(fits, name, rule, list(given))
        is_there = bool(self.recordings) or RESPONSES not in self.weights
        faults.unless(is_there, "recordings", "one or more to be learnt", "none")
        faults.raise_any()

    @property
    def kept(self) -> dict[str, Any]:
        """What has to be the same in all that a folder collects."""
        return {
            "version": _VERSION,
            "network": self.network,
            "layer": self.layer,
            "steps": self.steps,
            "n_fit": self.n_fit,
            "n_test": self.n_test,
            "cells": self.cells is not None,
            "recordings": {each.name: each.sha256 for each in self.recordings},
            "n_features": self.n_features,
        }

    @property
    def controls(self) -> list[tuple[str, str, str]]:
        """All that are measured; shuffled weights are of trained ones."""
        asked = set(self.weights)
        if "shuffled" in asked:
            asked.add("trained")
        return [
            (weights, activation, pooling)
            for weights in ALL_WEIGHTS
            if weights in asked
            for activation in self.activations
            for pooling in self.poolings
        ]

    @property
    def pictures(self) -> str:
        """Name of the folder of pictures."""
        return f"texture-mnist-{self.n_fit}-{self.n_test}"

    @property
    def n_cells(self) -> int:
        """Networks in all."""
        return len(self.controls) * self.n_seeds

    def to_dict(self) -> dict[str, Any]:
        """Give all of it as plain data."""
        return {
            **self.kept,
            "weights": list(dict.fromkeys(each[0] for each in self.controls)),
            "activations": list(self.activations),
            "poolings": list(self.poolings),
            "n_seeds": self.n_seeds,
            "n_networks": self.n_cells,
        }

    def sentence(self) -> str:
        """Say in one line what is to be done, before anything is."""
        n_trained = sum(each[0] in _LEARNING for each in self.controls) * self.n_seeds
        return (
            f"{self.n_cells} networks, {n_trained} of them trained for {self.steps} "
            f"steps, each shown 4,681 gratings and {self.n_fit + self.n_test:,} "
            "pictures; what is done already stays"
        )


@dataclass(frozen=True)
class ControlsFigure:
    """What it came to.

    Attributes
    ----------
    means
        What was measured, over seeds: of all that is in the folder.
    claims
        What signs say of what is claimed.
    failed
        Sentence by name of each network that failed now.
    """

    means: list[ControlMeans]
    claims: list[ControlClaim]
    failed: dict[str, str]


def v1_controls(
    out: Path,
    extent: ControlsExtent,
    *,
    digits: "Digits | None" = None,
    processes: int | None = None,
    told: "Told | None" = None,
    progress: Progress | None = None,
) -> ControlsFigure:
    """Make the figure, or go on with it, and write what it came to.

    Parameters
    ----------
    out
        Folder, which is made. What is there is not done again.
    extent
        What is to be done.
    digits
        Of which pictures are made; fetched where they are not given.
    processes
        At once; one for each core unless told otherwise.
    told
        Called as networks end.
    progress
        Told of the pictures that are made.

    Raises
    ------
    ValueError
        If the folder is of another network, layer, training, pictures or recordings.
    OSError
        If the digits cannot be fetched.
    """
    tidy(out / "cells")
    is_begun = any((out / "cells").iterdir())
    kept = require_same(out / _KEPT, extent.kept, is_begun)
    _make_pictures(out, extent, digits, progress)
    cells = cells_of(out, extent)
    failed = do_cells(cells, processes, told)
    records = records_of(out / "cells", cells, failed)
    return _written(out, kept, records, failed)


def cells_of(out: Path, extent: ControlsExtent) -> list[ControlCell]:
    """Plan the networks of every seed."""
    return [
        _cell(out, extent, control, seed)
        for seed in range(1, extent.n_seeds + 1)
        for control in extent.controls
    ]


def _cell(
    out: Path, extent: ControlsExtent, control: tuple[str, str, str], seed: int
) -> ControlCell:
    from ..sweeps.plan import hash_of

    weights, activation, pooling = control
    pictures = (out / extent.pictures).resolve()
    label = _label(control, seed)
    recipe = None
    if weights != "shuffled":
        recipe = _recipe(out, extent, activation, pooling, seed)
        if weights == RESPONSES:
            recipe["regime"] = _regime(extent)
    of = {"kept": extent.kept, "control": control, "seed": seed}
    weights_of = _label(("trained", activation, pooling), seed)
    return ControlCell(
        label,
        str((out / "cells" / label).resolve()),
        hash_of(of),
        network=extent.network,
        layer=extent.layer,
        weights=weights,
        activation=activation,
        pooling=pooling,
        seed=seed,
        pictures=str(pictures),
        cells=None if extent.cells is None else str(extent.cells.resolve()),
        recordings=tuple(each.to_dict() for each in extent.recordings),
        n_features=extent.n_features,
        recipe=recipe,
        weights_of=str((out / "cells" / weights_of).resolve())
        if weights == "shuffled"
        else None,
    )


def _label(control: tuple[str, str, str], seed: int) -> str:
    return f"{'-'.join(control)}--seed-{seed}"


def _recipe(
    out: Path, extent: ControlsExtent, activation: str, pooling: str, seed: int
) -> dict[str, Any]:
    """Give the training on bright digits, whatever texture they are on."""
    from ...experiments.pictures.texture_mnist_files import SIZE_PX

    pictures = (out / (BRIGHT + extent.pictures)).resolve()
    return {
        "network": {
            "name": extent.network,
            "seed": seed,
            "options": {"activation": activation, "pooling": pooling},
        },
        "pictures": {
            "fit": str(pictures / "fit-digit.csv"),
            "held_out": str(pictures / "test-digit.csv"),
            "size_px": SIZE_PX,
        },
        "training": {"steps": extent.steps, "rate": _RATE},
    }


def _regime(extent: ControlsExtent) -> dict[str, Any]:
    """Give what is learnt of the first recording: its responses, and no categories."""
    one = extent.recordings[0]
    how = {"recording": one.path, "region": one.region, **dict(one.how or {})}
    population = {name: value for name, value in how.items() if value is not None}
    about = {"layers": [extent.layer], "task_weight": 0.0}
    return {"kind": "multi-task", **about, "population": population}


def _make_pictures(
    out: Path,
    extent: ControlsExtent,
    digits: "Digits | None",
    progress: Progress | None,
) -> None:
    """Make the pictures of both kinds once; a folder that is there is whole."""
    from ...experiments.pictures.digits import load_digits
    from ...experiments.pictures.texture_mnist_files import write_texture_mnist

    def make(folder: Path, is_bright: bool) -> None:
        known = load_digits() if digits is None else digits
        given = extent.n_fit, extent.n_test, _PICTURE_SEED, is_bright, progress
        write_texture_mnist(folder, known, *given)

    for kind in ("", BRIGHT):
        is_bright = kind == BRIGHT
        make_once(out / (kind + extent.pictures), partial(make, is_bright=is_bright))


def _written(
    out: Path,
    kept: dict[str, Any],
    records: Sequence[dict[str, Any]],
    failed: dict[str, str],
) -> ControlsFigure:
    """Write tables, pictures and the plain form."""
    from ..figures import write_figure
    from .control_pictures import draw_controls

    means, claims = means_of(records), claims_of(records)
    networks = networks_of(records)
    write_text(out / "networks.csv", as_csv(networks))
    write_text(out / "means.csv", as_csv(means))
    write_text(out / "claims.csv", as_csv(claims))
    write_figure(out / "controls.svg", draw_controls(means))
    parts = {
        "format": FORMAT,
        "yoked": version("yoked"),
        "extent": kept,
        "networks": networks,
        "means": [each.to_dict() for each in means],
        "claims": [each.to_dict() for each in claims],
    }
    write_text(out / "v1-controls.json", as_json(parts) + "\n")
    return ControlsFigure(means, claims, failed)
