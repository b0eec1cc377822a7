"""The picture of controls: a column a measure, a row for each kind of weights."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...analysis.plot.factors import draw_factors
from ...analysis.trials.estimate import Estimate
from .control_measures import MEASURES
from .control_outcome import ControlMeans
from .control_recordings import ENCODING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHOWN = ("similarity", "complexity", "texture", "digit")
_LIMITS = {"similarity": (0.0, 1.1), "complexity": (-0.05, 1.1)}
_OF_SHARES = (0.0, 1.0)
_TITLES = {
    "similarity": "circular variance:\nsimilarity to V1 / ceiling",
    "complexity": "complexity:\n1 − R² of a linear map",
    "texture": "texture probe:\nproportion correct",
    "digit": "digit probe:\nproportion correct",
}
_NAMES = {"relu": "ReLU", "elu": "ELU"}
# Of ten digits, and ten textures.
_CHANCE = Estimate(0.1, None, None, None, 0, "given/1")


def draw_controls(means: Sequence[ControlMeans]) -> "Figure":
    """Draw what was measured over seeds, with intervals."""
    rows = list(dict.fromkeys(each.weights for each in means))
    activations = list(dict.fromkeys(each.activation for each in means))
    poolings = list(dict.fromkeys(each.pooling for each in means))
    measured = dict.fromkeys(name for each in means for name in each.measures)
    names = [*_SHOWN, *(name for name in measured if name not in MEASURES)]
    titles = {name: _TITLES.get(name, _of_recording(name)) for name in names}
    found = {
        (each.weights, titles[name], each.pooling, _said(each.activation)): estimate
        for each in means
        for name in names
        if (estimate := each.measures.get(name)) is not None
    }
    limits = {titles[name]: _LIMITS.get(name, _OF_SHARES) for name in names}
    beside = {
        (row, titles[name]): {"chance": _CHANCE}
        for row in rows
        for name in ("texture", "digit")
    }
    colors = [_said(each) for each in activations]
    columns = [titles[name] for name in names]
    return draw_factors(found, rows, columns, poolings, colors, beside, limits=limits)


def _of_recording(name: str) -> str:
    return f"{name.removeprefix(ENCODING)}:\ncorrelation foretold"


def _said(activation: str) -> str:
    return _NAMES.get(activation, activation)
