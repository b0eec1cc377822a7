"""The figure: whether each regime moves its own measure, and its controls do not.

Small networks learn to name digits, plainly or by a regime that is said to make them
more brain-like; each is measured on pictures held out. A folder collects what was done:
more seeds and regimes add to it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...experiments.protocols.checks import Faults
from ..files import write_text
from ..output import as_csv, as_json
from ..sweeps.sweep import tidy
from .do_cells import do_cells
from .folder import make_once, records_of, require_same
from .regime_cell import RegimeCell
from .regime_outcome import FORMAT, RegimeEffect, effects_of, networks_of
from .regime_set import BRIGHT, CROWDED, GROUPS, Trained, networks_for

if TYPE_CHECKING:
    from ...experiments.pictures.digits import Digits
    from ..sweeps.running import Told

Progress = Callable[[str, float, int], None]
SIZE_PX = 56
_KEPT = "extent.json"
_RATE = 1e-2
_N_CROWDED = 4  # pictures of a digit: alone, and at three levels
# Of what else a network is a function of: raise it when it would come to others.
_VERSION = 1


@dataclass(frozen=True)
class RegimesExtent:
    """What is to be done.

    Attributes
    ----------
    regimes
        Keys of `GROUPS`.
    n_seeds
        Individuals of each network.
    steps
        Of each training.
    n_fit, n_test
        Pictures that are learnt, and held out.
    """

    regimes: tuple[str, ...] = tuple(GROUPS)
    n_seeds: int = 3
    steps: int = 200
    n_fit: int = 4000
    n_test: int = 600

    def __post_init__(self) -> None:
        faults, levels = Faults(), tuple(GROUPS)
        given = self.regimes
        fits = bool(given) and set(given) <= set(levels)
        fits = fits and len(set(given)) == len(given)
        rule = f"some of {', '.join(levels)}, each once"
        faults.unless(fits, "regimes", rule, list(given))
        for name, least in (
            ("n_seeds", 1),
            ("steps", 2),
            ("n_fit", 40),
            ("n_test", 40),
        ):
            value = getattr(self, name)
            faults.unless(value >= least, name, f"{least} or more", value)
        faults.raise_any()

    @property
    def networks(self) -> list[Trained]:
        """What is trained."""
        return networks_for(self.regimes)

    @property
    def kept(self) -> dict[str, Any]:
        """What has to be the same in all that a folder collects."""
        from ...models.regimes.loop import VERSION

        return {
            "version": [_VERSION, VERSION],
            "steps": self.steps,
            "n_fit": self.n_fit,
            "n_test": self.n_test,
        }

    def to_dict(self) -> dict[str, Any]:
        """Give all of it as plain data."""
        names = [each.id for each in self.networks]
        n = len(names) * self.n_seeds
        more = {"n_seeds": self.n_seeds, "n_trainings": n}
        return {**self.kept, "regimes": list(self.regimes), "networks": names, **more}

    def sentence(self) -> str:
        """Say in one line what is to be done, before anything is."""
        n = len(self.networks)
        return (
            f"{n * self.n_seeds} trainings of {self.steps} steps: {n} networks of "
            f"{len(self.regimes)} regimes; what is done already stays"
        )


@dataclass(frozen=True)
class RegimesFigure:
    """What it came to.

    Attributes
    ----------
    effects
        A row for each network of each regime.
    failed
        Sentence by name of each cell that failed now.
    """

    effects: list[RegimeEffect]
    failed: dict[str, str]


def regimes(
    out: Path,
    extent: RegimesExtent,
    digits: "Callable[[], Digits]",
    *,
    processes: int | None = None,
    told: "Told | None" = None,
    progress: Progress | None = None,
) -> RegimesFigure:
    """Make the figure, or go on with it, and write what it came to.

    Parameters
    ----------
    out
        Folder, which is made. What is there is not done again.
    extent
        What is to be done.
    digits
        Gives handwritten digits, where pictures are still to be made.
    processes
        At once; one for each core unless told otherwise.
    told
        Called as networks end.
    progress
        Called as pictures are made.

    Raises
    ------
    ValueError
        If the folder is of other steps or pictures.
    """
    tidy(out / "cells")
    kept = require_same(out / _KEPT, extent.kept)
    make_pictures(out, extent, digits, progress)
    cells = cells_of(out, extent)
    failed = do_cells(cells, processes, told)
    records = records_of(out / "cells", cells, failed)
    effects = effects_of(records)
    networks = networks_of(records)
    write_text(out / "networks.csv", as_csv(networks))
    write_text(out / "effects.csv", as_csv(effects))
    parts = {
        "format": FORMAT,
        "yoked": version("yoked"),
        "extent": kept,
        "networks": networks,
        "effects": [each.to_dict() for each in effects],
    }
    write_text(out / "regimes.json", as_json(parts) + "\n")
    _draw(out, effects)
    return RegimesFigure(effects, failed)


def cells_of(out: Path, extent: RegimesExtent) -> list[RegimeCell]:
    """Plan the networks of every seed."""
    seeds = range(1, extent.n_seeds + 1)
    return [
        _cell(out, extent, each, seed) for each in extent.networks for seed in seeds
    ]


def recipe_of(out: Path, extent: RegimesExtent, trained: Trained) -> dict[str, Any]:
    """Give the recipe of a network of the set, as plain data."""
    folder = (out / "pictures" / trained.pictures).resolve()
    names = ("fit", "test") if trained.pictures in CROWDED else _BRIGHT_TABLES
    fit, test = (str(folder / f"{name}.csv") for name in names)
    found: dict[str, Any] = {
        "network": {"name": trained.network, "options": dict(trained.options)},
        "pictures": {"fit": fit, "held_out": test, "size_px": SIZE_PX},
        "training": {"steps": extent.steps, "rate": _RATE},
    }
    if trained.regime:
        found["regime"] = dict(trained.regime)
    return found


_BRIGHT_TABLES = ("fit-digit", "test-digit")


def _cell(out: Path, extent: RegimesExtent, trained: Trained, seed: int) -> RegimeCell:
    from ..sweeps.plan import hash_of

    label = f"{trained.id}--seed-{seed}"
    recipe = recipe_of(out, extent, trained)
    # Of the pictures what is in them, not where they are.
    made_of = {**recipe, "pictures": trained.pictures}
    inputs = hash_of({"extent": extent.kept, "of": made_of, "seed": seed})
    folder = str((out / "cells" / label).resolve())
    return RegimeCell(label, folder, inputs, trained.id, seed, recipe)


def make_pictures(
    out: Path,
    extent: RegimesExtent,
    digits: "Callable[[], Digits]",
    progress: Progress | None,
) -> None:
    """Make what the networks learn, unless it is there.

    Parameters
    ----------
    out
        Folder of the figure.
    extent
        What is to be done.
    digits
        Gives handwritten digits, where pictures are still to be made.
    progress
        Called as they are made.
    """
    from ...experiments.pictures.crowded_digits_files import write_crowded_digits
    from ...experiments.pictures.texture_mnist_files import write_texture_mnist

    n, m = extent.n_fit, extent.n_test

    def bright(folder: Path) -> None:
        write_texture_mnist(folder, digits(), n, m, 0, True, progress)

    def crowded(kind: str, folder: Path) -> None:
        given = (n // _N_CROWDED, m // _N_CROWDED, 0, progress)
        write_crowded_digits(folder, digits(), kind, None, *given)

    makers = {BRIGHT: bright, **{kind: partial(crowded, kind) for kind in CROWDED}}
    for name in sorted({each.pictures for each in extent.networks}):
        make_once(out / "pictures" / name, makers[name])


def _draw(out: Path, effects: Sequence[RegimeEffect]) -> None:
    from ..figures import write_figure
    from .regime_pictures import draw_effects

    write_figure(out / "effects.svg", draw_effects(effects))
