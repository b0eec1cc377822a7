"""The V1 battery: how similar the units of a layer are to cells of macaque V1."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from ...experiments.protocols.checks import suggestion
from ...experiments.recordings.grating_responses import SETS, GratingResponses
from ...experiments.recordings.ringach2002 import OrientationTuning
from ..trials.estimate import Estimate
from ..trials.result import Cells, Result, short
from .properties import firing_rates, properties_of
from .published import PROPERTIES, published
from .similarity import similarity

FORMAT = "yoked-v1/1"  # of the plain form, which docs/json.md describes
CEILED = "v1-property-ratio-to-ceiling/1"
MEAN = "v1-battery-mean/1"
NO_CELLS = "the table of cells of Ringach et al. (2002) is not at hand"


@dataclass(frozen=True, eq=False)
class PropertyScore(Result):
    """One property, of units and of cells.

    Attributes
    ----------
    name, title, source
        The property, and who measured it.
    similarity
        Of the two distributions.
    ceiling
        Of the cells with themselves.
    ceiled
        The first over the second; cells that were drawn anew would have 1. It can be
        more.
    median, median_of_cells
        NaN where there are none; of a histogram from the middles of its bins.
    units, cells, bins
        How many in each bin, and the bins' edges.
    n_without, n_cells_without
        Units, and cells, that have it not.
    """

    name: str
    title: str
    source: str
    similarity: Estimate
    ceiling: Estimate
    ceiled: Estimate
    median: float
    median_of_cells: float
    units: tuple[int, ...]
    cells: tuple[int, ...]
    bins: tuple[float, ...]
    n_without: int
    n_cells_without: int


@dataclass(frozen=True, eq=False)
class V1Battery(Result):
    """All properties of a layer.

    Attributes
    ----------
    observer, layer
        Whose layer.
    n_units
        Units whose receptive field was where the gratings were.
    mean
        Of the ceiled scores; a property that cannot be told counts as 0.
    properties
        In the order of `published.PROPERTIES`.
    notes
        What is to be known of them, a sentence each.
    """

    observer: str
    layer: str
    n_units: int
    mean: Estimate
    properties: tuple[PropertyScore, ...]
    notes: tuple[str, ...] = ()

    def parts(self) -> dict[str, Any]:
        """Give what the plain form has: the version of it first."""
        return {"format": FORMAT, **super().parts()}

    def table(self) -> list[Cells]:
        """Give a row for each property, and the mean."""
        rows = [_row(each) for each in self.properties]
        return [*rows, {"property": "mean", "ceiled": self.mean.short()}]


def battery(
    responses: GratingResponses,
    observer: str,
    layer: str,
    cells: OrientationTuning | None = None,
    seed: int = 0,
    notes: tuple[str, ...] = (),
    properties: Sequence[str] | None = None,
) -> V1Battery:
    """Score the units of a layer, or cells, beside published ones.

    Parameters
    ----------
    responses
        To the battery's gratings, in any unit.
    observer, layer
        Names.
    cells
        Of Ringach et al. (2002); without them the battery has seven properties.
    seed
        Of the bootstrap.
    notes
        To be told with the result.
    properties
        Only these; by default all that can be told.

    Raises
    ------
    ValueError, LookupError
        If a property is asked for that is none, needs the table of cells, or gratings
        that were not shown.
    CannotTell
        If no unit responds to a grating.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> shapes = (3, 4, 12, 8), (2, 22, 6, 8), (12, 4, 6, 8)
    >>> some = GratingResponses(*(rng.random((9, *s)) for s in shapes), np.zeros(9))
    >>> found = battery(some, "noise", "none")
    >>> len(found.properties), found.notes
    (7, ('the table of cells of Ringach et al. (2002) is not at hand',))
    """
    values = properties_of(firing_rates(responses))
    known = published(cells)
    if properties is not None:
        sets_for(properties)
        known = {name: _told(known, name) for name in properties}
    if away := [name for name in known if name not in values]:
        rule = f"told by gratings for {PROPERTIES[away[0]].shown}"
        raise ValueError(f"property {away[0]} must be {rule}, which were not shown")
    scores = tuple(_score(name, values, known, seed) for name in known)
    told = [s.ceiled.value or 0.0 for s in scores]
    if cells is None and properties is None:
        notes = (*notes, NO_CELLS)
    return V1Battery(
        observer,
        layer,
        responses.n_units,
        _mean(told, scores),
        scores,
        notes,
    )


def sets_for(properties: Sequence[str] | None = None) -> tuple[str, ...]:
    """Give the sets of gratings that properties need; orientation tells the rates.

    Raises
    ------
    LookupError
        If there is no such property.
    ValueError
        If none is asked for, or one twice.

    Examples
    --------
    >>> sets_for(["circular_variance"]), sets_for(["peak_frequency"])
    (('orientation',), ('orientation', 'frequency'))
    """
    names = tuple(PROPERTIES) if properties is None else tuple(properties)
    for name in names:
        if name not in PROPERTIES:
            near, rule = suggestion(name, PROPERTIES), f"one of {', '.join(PROPERTIES)}"
            raise LookupError(f"a property must be {rule}, got {name!r}{near}")
    if not names or len(set(names)) < len(names):
        got = ", ".join(names) or "none"
        raise ValueError(f"properties must be one or more, each once, got {got}")
    needed = {"orientation", *(PROPERTIES[name].shown for name in names)}
    return tuple(name for name in SETS if name in needed)


def _told(known: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    """Give the cells' values of a property."""
    if name not in known:
        raise ValueError(f"property {name} must be left out, for {NO_CELLS}")
    return known[name]


def _score(
    name: str,
    values: Mapping[str, Float[np.ndarray, " unit"]],
    known: Mapping[str, Float[np.ndarray, " cell"]],
    seed: int,
) -> PropertyScore:
    about, units, cells = PROPERTIES[name], values[name], known[name]
    raw = similarity(units, cells, about.bins, seed)
    ceiling = similarity(cells, cells, about.bins, seed)
    return PropertyScore(
        name=name,
        title=about.title,
        source=about.source,
        similarity=raw,
        ceiling=ceiling,
        ceiled=_ceiled(raw, ceiling),
        median=_median(units),
        median_of_cells=_median(cells),
        units=_counts(units, about.bins),
        cells=_counts(cells, about.bins),
        bins=tuple(map(float, about.bins)),
        n_without=int((~np.isfinite(units)).sum()),
        n_cells_without=int((~np.isfinite(cells)).sum()),
    )


def _ceiled(raw: Estimate, ceiling: Estimate) -> Estimate:
    """Divide; the ceiling is taken as known."""
    if raw.value is None or not ceiling.value:
        return Estimate.missing(CEILED, raw.note or "the ceiling is 0")
    value, se, low, high = (
        None if each is None else each / ceiling.value
        for each in (raw.value, raw.se, raw.low, raw.high)
    )
    return Estimate(value, se, low, high, raw.n, CEILED, raw.note)


def _mean(told: list[float], scores: tuple[PropertyScore, ...]) -> Estimate:
    note = "no interval: properties of one layer depend on each other"
    n = len(scores)
    return Estimate(float(np.mean(told)), None, None, None, n, MEAN, note)


def _median(values: np.ndarray) -> float:
    there = values[np.isfinite(values)]
    return float(np.median(there)) if len(there) else float("nan")


def _counts(values: np.ndarray, bins: np.ndarray) -> tuple[int, ...]:
    clipped = np.clip(values[np.isfinite(values)], bins[0], bins[-1])
    return tuple(int(n) for n in np.histogram(clipped, bins)[0])


def _row(score: PropertyScore) -> Cells:
    return {
        "property": score.title,
        "units": score.similarity.n,
        "median": short(score.median),
        "of cells": short(score.median_of_cells),
        "similarity": short(score.similarity.value),
        "ceiling": short(score.ceiling.value),
        "ceiled": score.ceiled.short(),
    }
