"""Some properties alone: the numbers of the whole battery, and what cannot be told."""

from dataclasses import replace

import numpy as np
import pytest

from tests.analysis.tuning.test_battery import RINGACH, needs_cells, population
from yoked.analysis.trials.estimate import CannotTell
from yoked.analysis.tuning.battery import battery, sets_for
from yoked.analysis.tuning.circular_variances import circular_variances
from yoked.experiments.recordings.ringach2002 import load_ringach2002


@needs_cells
def test_a_property_alone_has_the_numbers_of_the_whole_battery():
    responses, *_ = population(n=25)
    cells = load_ringach2002(RINGACH)
    names = ("max_dc", "circular_variance", "preferred_orientation")
    more = (*names, "peak_frequency", "suppression_index")
    found = battery(responses, "a", "b", cells, properties=more)
    whole = {each.name: each for each in found.properties}
    alone = replace(responses, frequency=None, size=None)
    found = battery(alone, "a", "b", cells, properties=names)
    assert tuple(each.name for each in found.properties) == names
    for each in found.properties:
        assert each.to_dict() == whole[each.name].to_dict()
    variances = circular_variances(alone, cells)
    assert variances.similarity == whole["circular_variance"].ceiled
    assert variances.median.value == whole["circular_variance"].median
    assert variances.median.low < variances.median.value < variances.median.high


def test_without_cells_the_median_is_told_and_the_similarity_is_not():
    responses, *_ = population(n=8)
    found = circular_variances(replace(responses, frequency=None, size=None))
    assert "not at hand" in found.similarity.note
    assert 0 < found.median.value < 1
    assert found.median.note == "no interval: fewer than 10 units"
    silent = replace(
        responses,
        **{
            name: np.zeros_like(getattr(responses, name))
            for name in ("orientation", "frequency", "size")
        },
    )
    with pytest.raises(CannotTell, match="a unit that responds to gratings"):
        circular_variances(silent)


def test_what_is_shown_is_what_properties_need():
    assert sets_for() == ("orientation", "frequency", "size")
    assert sets_for(["suppression_index"]) == ("orientation", "size")


@pytest.mark.parametrize(
    ("properties", "kind", "said"),
    [
        (["circular"], LookupError, "did you mean 'circular_variance'"),
        (
            ["max_dc", "max_dc"],
            ValueError,
            "one or more, each once, got max_dc, max_dc",
        ),
        (["max_dc"], ValueError, "must be left out, for the table of cells"),
        (["peak_frequency"], ValueError, "told by gratings for frequency, which were"),
    ],
)
def test_what_cannot_be_told_alone_is_refused(properties, kind, said):
    responses, *_ = population(n=8)
    alone = replace(responses, frequency=None)
    with pytest.raises(kind, match=said):
        battery(alone, "a", "b", properties=properties)
