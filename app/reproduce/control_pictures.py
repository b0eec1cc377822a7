"""The picture of controls: a column a measure, a row for each kind of weights."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...analysis.plot.factors import draw_factors
from ...analysis.trials.estimate import Estimate
from .control_measures import MEASURES
from .control_outcome import ControlMeans
from .control_recordings import BEFORE, ENCODING, LEARNT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHOWN = ("similarity", "complexity", "texture", "digit")
_LIMITS = {"similarity": (0.0, 1.1), "complexity": (-0.05, 1.1)}
_TITLES = {
    "similarity": "circular variance:\nsimilarity to V1 / ceiling",
    "complexity": "complexity:\n1 − R² of a linear map",
    "texture": "texture probe: proportion\ncorrect (dotted: chance)",
    "digit": "digit probe: proportion\ncorrect (dotted: chance)",
}
_NAMES = {"relu": "ReLU", "elu": "ELU", "none": "no"}
# Of ten digits, and ten textures.
_CHANCE = Estimate(0.1, None, None, None, 0, "given/1")


def draw_controls(means: Sequence[ControlMeans]) -> "Figure":
    """Draw what was measured over seeds, with intervals."""
    rows = list(dict.fromkeys(each.weights for each in means))
    activations = list(dict.fromkeys(each.activation for each in means))
    poolings = list(dict.fromkeys(each.pooling for each in means))
    measured = dict.fromkeys(name for each in means for name in each.measures)
    apart = tuple(name for name in measured if name.startswith((LEARNT, BEFORE)))
    names = [*_SHOWN, *(n for n in measured if n not in (*MEASURES, *apart))]
    titles = {name: _TITLES.get(name, _of_recording(name)) for name in names}
    found = {
        (
            each.weights,
            titles[name],
            f"{_said(each.pooling)} pooling",
            _said(each.activation),
        ): each.measures[name]
        for each in means
        for name in names
        if name in each.measures
    }
    probes, others = ("texture", "digit"), [n for n in names if n not in _SHOWN]
    tops = dict.fromkeys(probes, _top(means, probes))
    tops |= dict.fromkeys(others, _top(means, others))
    limits = {
        titles[name]: (0.0, tops[name]) if name in tops else _LIMITS[name]
        for name in names
    }
    beside = {(row, titles[name]): {"": _CHANCE} for row in rows for name in probes}
    colors = [_said(each) for each in activations]
    columns = [titles[name] for name in names]
    places = [f"{_said(each)} pooling" for each in poolings]
    return draw_factors(found, rows, columns, places, colors, beside, "weights", limits)


def _top(means: Sequence[ControlMeans], names: Sequence[str]) -> float:
    """Give the tenth above all intervals of some measures, 1 at most."""
    found = [each.measures[name] for each in means for name in names]
    ends = [end for each in found for end in (each.value, each.high) if end is not None]
    return min(1.0, math.ceil(10 * max(ends, default=1.0)) / 10)


def _of_recording(name: str) -> str:
    return f"recording {name.removeprefix(ENCODING)}:\ncorrelation foretold"


def _said(level: str) -> str:
    return _NAMES.get(level, level)
