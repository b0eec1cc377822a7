"""The figure: whether a network that is more like V1 also sees more as people do.

Families of small networks by regimes: how like V1, how aligned and how robust each is,
and beside people, with as much noise as they have, the shares of orders zero, one and
two. A folder collects what was done: more seeds, families or regimes add to it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...experiments.protocols.checks import Faults
from ...experiments.stimulus.seeds import derived_seed
from ..files import write_text
from ..output import as_csv, as_json
from ..sweeps.sweep import tidy
from .circuits import SESSION_SEED, Asked, circuit_sessions
from .do_cells import do_cells
from .folder import make_once, records_of, require_same
from .fronts import CONTRASTS
from .regimes import RegimesExtent, make_pictures, recipe_of
from .seeing_cell import SeeingCell
from .seeing_outcome import (
    FORMAT,
    SeeingLink,
    SeeingMeans,
    links_of,
    means_of,
    networks_of,
)
from .seeing_set import FAMILIES, REGIMES, USUAL_FAMILIES, trained_of

if TYPE_CHECKING:
    from ...experiments.pictures.digits import Digits
    from ..sweeps.running import Told

PEOPLE, CIRCUITS = "people", "circuits"
_TASK = "position-unknown"  # of circuits that stand in for people
_STAND_IN = ("max", "energy", "gain-control")
_LOG = "circuits.db"
_KEPT = "extent.json"
_TEXTURED = "textured"
# Of what else a network is a function of: raise it when it would come to others.
_VERSION = 1
Progress = Callable[[str, float, int], None]


@dataclass(frozen=True)
class SeeingExtent:
    """What is to be done.

    Attributes
    ----------
    families, regimes
        Of `FAMILIES` and `REGIMES`.
    n_seeds
        Individuals of each network.
    steps
        Of each training.
    n_fit, n_test
        Pictures that are learnt, and held out; probes are fitted to half as many.
    cells
        The table of Ringach et al. (2002); None to go without it.
    log, sessions
        People's trial log, and the ids of their sessions; without it circuits stand in.
    trials
        That each circuit does.
    """

    families: tuple[str, ...] = USUAL_FAMILIES
    regimes: tuple[str, ...] = REGIMES
    n_seeds: int = 3
    steps: int = 200
    n_fit: int = 4000
    n_test: int = 600
    cells: Path | None = None
    log: Path | None = None
    sessions: tuple[str, ...] = ()
    trials: int = 2000

    def __post_init__(self) -> None:
        faults = Faults()
        for name, levels in (("families", FAMILIES), ("regimes", REGIMES)):
            given = getattr(self, name)
            fits = bool(given) and set(given) <= set(levels)
            fits = fits and len(set(given)) == len(given)
            rule = f"some of {', '.join(levels)}, each once"
            faults.unless(fits, name, rule, list(given))
        least = {"n_seeds": 1, "steps": 2, "n_fit": 200, "n_test": 40, "trials": 200}
        for name, fewest in least.items():
            value = getattr(self, name)
            faults.unless(value >= fewest, name, f"{fewest} or more", value)
        is_both = (self.log is None) == (not self.sessions)
        faults.unless(is_both, "sessions", "of a log", list(self.sessions))
        faults.raise_any()

    @property
    def beside(self) -> str:
        """Whose trials networks see: 'people' or 'circuits'."""
        return CIRCUITS if self.log is None else PEOPLE

    @property
    def training(self) -> RegimesExtent:
        """What networks learn: as in the figure of regimes, bright digits."""
        how = {"steps": self.steps, "n_fit": self.n_fit, "n_test": self.n_test}
        return RegimesExtent(("alignment",), n_seeds=self.n_seeds, **how)

    @property
    def kept(self) -> dict[str, Any]:
        """What has to be the same in all that a folder collects."""
        own = {"trials": self.trials} if self.log is None else {}
        return {
            **self.training.kept,
            "figure": _VERSION,
            "cells": self.cells is not None,
            "beside": self.beside,
            "sessions": list(self.sessions or _STAND_IN),
            **own,
        }

    @property
    def n_networks(self) -> int:
        """Networks in all."""
        return len(self.families) * len(self.regimes) * self.n_seeds

    def to_dict(self) -> dict[str, Any]:
        """Give all of it as plain data."""
        return {
            **self.kept,
            "families": list(self.families),
            "regimes": list(self.regimes),
            "n_seeds": self.n_seeds,
            "n_networks": self.n_networks,
        }

    def sentence(self) -> str:
        """Say in one line what is to be done, before anything is."""
        n = len(self.sessions)
        who = (
            f"{n} session{'' if n == 1 else 's'} of people"
            if n
            else f"{len(_STAND_IN)} circuits, no people"
        )
        return (
            f"{self.n_networks} networks of {len(self.families)} families and "
            f"{len(self.regimes)} regimes, {self.steps} steps each, beside the V1 "
            f"battery and {who}; what is done already stays"
        )


@dataclass(frozen=True)
class SeeingFigure:
    """What it came to.

    Attributes
    ----------
    means
        A row for each kind of network, of all that is in the folder.
    links
        Whether brain-like measures go with shares, within families.
    failed
        Sentence by name of each cell that failed now.
    """

    means: list[SeeingMeans]
    links: list[SeeingLink]
    failed: dict[str, str]


def brainlike_vs_seeing(
    out: Path,
    extent: SeeingExtent,
    digits: "Callable[[], Digits]",
    *,
    processes: int | None = None,
    told: "Told | None" = None,
    progress: Progress | None = None,
) -> SeeingFigure:
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
        If the folder is of other steps, pictures, cells or sessions.
    """
    tidy(out / "cells")
    kept = require_same(out / _KEPT, extent.kept)
    make_pictures(out, extent.training, digits, progress)
    _make_textured(out, extent, digits, progress)
    cells = cells_of(out, extent, *_sessions(out, extent))
    failed = do_cells(cells, processes, told)
    records = records_of(out / "cells", cells, failed)
    return _written(out, kept, extent.beside, records, failed)


def cells_of(
    out: Path, extent: SeeingExtent, log: Path, sessions: Sequence[str]
) -> list[SeeingCell]:
    """Plan the networks of every seed: whole families first, so that they compare."""
    return [
        _cell(out, extent, log, sessions, family, regime, seed)
        for seed in range(1, extent.n_seeds + 1)
        for family in extent.families
        for regime in extent.regimes
    ]


def _cell(
    out: Path,
    extent: SeeingExtent,
    log: Path,
    sessions: Sequence[str],
    family: str,
    regime: str,
    seed: int,
) -> SeeingCell:
    from ..sweeps.plan import hash_of

    trained = trained_of(family, regime)
    label = f"{trained.id}--seed-{seed}"
    recipe = recipe_of(out, extent.training, trained)
    recipe["network"]["seed"] = seed
    # Of the pictures what is in them, not where they are.
    made_of = {**recipe, "pictures": trained.pictures}
    of = {"kept": extent.kept, "of": made_of, "regime": regime}
    return SeeingCell(
        label,
        str((out / "cells" / label).resolve()),
        hash_of(of),
        family,
        regime,
        seed,
        recipe,
        str((out / "pictures" / _TEXTURED).resolve()),
        None if extent.cells is None else str(extent.cells.resolve()),
        str(log.resolve()),
        tuple(sessions),
    )


def _sessions(out: Path, extent: SeeingExtent) -> tuple[Path, tuple[str, ...]]:
    """Give the log and the sessions whose trials are shown: people's, or circuits'."""
    if extent.log is not None:
        return extent.log, extent.sessions
    contrast = CONTRASTS[_TASK]
    taken = {SESSION_SEED}
    asked = {
        name: Asked(name, _TASK, contrast, derived_seed("seeing", name, taken=taken))
        for name in _STAND_IN
    }
    log = out / _LOG
    return log, tuple(circuit_sessions(log, asked, extent.trials).values())


def _make_textured(
    out: Path,
    extent: SeeingExtent,
    digits: "Callable[[], Digits]",
    progress: Progress | None,
) -> None:
    """Make what probes are fitted to, unless it is there."""
    from ...experiments.pictures.texture_mnist_files import write_texture_mnist

    def make(folder: Path) -> None:
        n_fit, n_test = extent.n_fit // 2, extent.n_test
        write_texture_mnist(folder, digits(), n_fit, n_test, 0, False, progress)

    make_once(out / "pictures" / _TEXTURED, make)


def _written(
    out: Path,
    kept: dict[str, Any],
    beside: str,
    records: Sequence[dict[str, Any]],
    failed: dict[str, str],
) -> SeeingFigure:
    """Write tables, the picture and the plain form."""
    from ..figures import write_figure
    from .seeing_pictures import draw_seeing

    means = means_of(records, beside)
    links, networks = links_of(records, means), networks_of(records)
    write_text(out / "networks.csv", as_csv(networks))
    write_text(out / "means.csv", as_csv(means))
    write_text(out / "links.csv", as_csv(links))
    write_figure(out / "seeing.svg", draw_seeing(means, links))
    parts = {
        "format": FORMAT,
        "yoked": version("yoked"),
        "extent": kept,
        "networks": networks,
        "means": [each.to_dict() for each in means],
        "links": [each.to_dict() for each in links],
    }
    write_text(out / "brainlike-vs-seeing.json", as_json(parts) + "\n")
    return SeeingFigure(means, links, failed)
