"""Circular variances of a layer's units, alone: their median, and beside cells."""

from dataclasses import dataclass

from ...experiments.recordings.grating_responses import GratingResponses
from ...experiments.recordings.ringach2002 import OrientationTuning
from ..trials.estimate import Estimate
from .battery import CEILED, NO_CELLS, battery
from .medians import median_of
from .properties import firing_rates, properties_of

NAME = "circular_variance"
MEDIAN = "circular-variance-median/1"


@dataclass(frozen=True)
class CircularVariances:
    """What circular variances of a layer's units come to.

    Attributes
    ----------
    similarity
        With those of cells, over the ceiling.
    median
        Of the units; its interval is a bootstrap over them.
    n_units
        Whose receptive field is where the gratings are.
    """

    similarity: Estimate
    median: Estimate
    n_units: int


def circular_variances(
    responses: GratingResponses,
    cells: OrientationTuning | None = None,
    seed: int = 0,
) -> CircularVariances:
    """Give the median circular variance, and the similarity with cells.

    Parameters
    ----------
    responses
        To the gratings for orientation at least, in any unit.
    cells
        Of Ringach et al. (2002); without them there is no similarity.
    seed
        Of the bootstraps.

    Raises
    ------
    CannotTell
        If no unit responds to a grating.
    """
    similarity = Estimate.missing(CEILED, NO_CELLS)
    if cells is not None:
        found = battery(responses, "", "", cells, seed, properties=(NAME,))
        similarity = found.properties[0].ceiled
    values = properties_of(firing_rates(responses))[NAME]
    return CircularVariances(
        similarity, median_of(values, MEDIAN, seed), responses.n_units
    )
