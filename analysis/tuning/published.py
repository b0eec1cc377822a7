"""Published distributions of the battery's fifteen properties, and their bins.

Of seven the histograms are printed in the papers; of the eight of Ringach et al. (2002)
the table of cells is a file (`experiments/recordings/ringach2002.py`). Bins and counts
are those that Brain-Score uses [1]_.

References
----------
.. [1] brain-score/vision, data/marques2020/data_packaging, commit c642dbe4 (MIT).
.. [2] De Valois, Yund & Hepler (1982), Vision Res. 22, 531-544.
.. [3] De Valois, Albrecht & Thorell (1982), Vision Res. 22, 545-559.
.. [4] Schiller, Finlay & Volman (1976), J. Neurophysiol. 39, 1334-1351.
.. [5] Cavanaugh, Bair & Movshon (2002), J. Neurophysiol. 88, 2530-2546.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ...experiments.recordings.ringach2002 import OrientationTuning
from .properties import orientation_values

RINGACH = "Ringach et al. 2002"
_HALVES = np.linspace(0, 1, 3)
_OCTAVES = 2.0 ** np.arange(-4, 5)
_FREQUENCIES = np.array([0.35, 0.5, 0.7, 1, 1.4, 2, 2.8, 4, 5.6, 8, 11.2, 16, 22.4])


@dataclass(frozen=True, eq=False)
class Property:
    """A property, and how it is distributed over cells.

    Attributes
    ----------
    title
        What it is called in pictures, with its unit.
    source
        Who measured it.
    bins
        Edges.
    counts
        Cells in each bin; None where the cells themselves are known.
    n_without
        Cells that have it not, such as a bandwidth.
    shown
        The set of gratings that tells it.
    """

    title: str
    source: str
    bins: Float[np.ndarray, " edge"]
    counts: tuple[int, ...] | None = None
    n_without: int = 0
    shown: str = "orientation"


# Of preferred orientation 0 is a vertical grating, as of the battery's gratings.
PROPERTIES = {
    "circular_variance": Property("circular variance", RINGACH, np.linspace(0, 1, 14)),
    "orientation_bandwidth": Property(
        "orientation bandwidth (deg)", RINGACH, np.linspace(0, 90, 18)
    ),
    "orthogonal_ratio": Property(
        "orthogonal / preferred", RINGACH, np.linspace(0, 1, 14)
    ),
    "orientation_selective": Property("orientation selective", RINGACH, _HALVES),
    "variance_over_bandwidth": Property(
        "circular variance / bandwidth (1/deg)", RINGACH, np.logspace(-3, 0, 16)
    ),
    "ratio_less_variance": Property(
        "orthogonal / preferred - circular variance", RINGACH, np.linspace(-1, 1, 20)
    ),
    "modulation_ratio": Property("F1 / F0", RINGACH, np.linspace(0, 2, 11)),
    "max_dc": Property("largest response (spikes/s)", RINGACH, np.logspace(0, 3, 10)),
    "preferred_orientation": Property(
        "preferred orientation (deg)",
        "De Valois, Yund & Hepler 1982",
        np.linspace(-22.5, 157.5, 5),
        (110, 83, 100, 92),
    ),
    "peak_frequency": Property(
        "peak spatial frequency (c/deg)",
        "De Valois, Albrecht & Thorell 1982",
        _FREQUENCIES,
        (3, 10, 15, 31, 57, 62, 67, 63, 31, 15, 5, 4),
        shown="frequency",
    ),
    "frequency_bandwidth": Property(
        "spatial frequency bandwidth (%)",
        "Schiller et al. 1976",
        np.linspace(0, 100, 11),
        (0, 3, 4, 16, 22, 16, 9, 3, 0, 0),
        14,
        shown="frequency",
    ),
    "frequency_selective": Property(
        "spatial frequency selective",
        "Schiller et al. 1976",
        _HALVES,
        (14, 73),
        shown="frequency",
    ),
    "suppression_index": Property(
        "surround suppression index",
        "Cavanaugh et al. 2002",
        np.linspace(0, 2, 11),
        (66, 44, 38, 23, 16, 3, 0, 0, 0, 0),
        shown="size",
    ),
    "summation_field": Property(
        "grating summation field (deg)",
        "Cavanaugh et al. 2002",
        _OCTAVES,
        (0, 9, 30, 55, 42, 10, 2, 0),
        42,
        shown="size",
    ),
    "surround_diameter": Property(
        "surround diameter (deg)",
        "Cavanaugh et al. 2002",
        _OCTAVES,
        (0, 0, 2, 20, 33, 49, 40, 4),
        42,
        shown="size",
    ),
}


def published(
    cells: OrientationTuning | None = None,
) -> dict[str, Float[np.ndarray, " cell"]]:
    """Return a value a cell for each property, NaN for cells without it.

    Of a histogram each cell stands in the middle of its bin: no more is known, and the
    similarity below knows bins alone.

    Parameters
    ----------
    cells
        The table of Ringach et al. (2002); without it its eight properties are left
        out.

    Examples
    --------
    >>> {name: len(values) for name, values in published().items()}["peak_frequency"]
    363
    """
    found = {} if cells is None else _of_cells(cells)
    for name, one in PROPERTIES.items():
        if one.counts is not None:
            middles = (one.bins[:-1] + one.bins[1:]) / 2
            values = np.repeat(middles, one.counts)
            found[name] = np.concatenate([values, np.full(one.n_without, np.nan)])
    return {name: found[name] for name in PROPERTIES if name in found}


def _of_cells(cells: OrientationTuning) -> dict[str, np.ndarray]:
    """Return Ringach's eight, of cells that exceed 5 spikes/s above their baseline."""
    bandwidth = np.where(cells.bandwidth > 90, np.nan, cells.bandwidth)
    values = orientation_values(
        cells.max_dc,
        cells.max_f1,
        cells.circular_variance,
        bandwidth,
        cells.orthogonal_ratio,
    )
    kept = cells.max_dc > cells.baseline + 5
    return {name: each[kept] for name, each in values.items()}
