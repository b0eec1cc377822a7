"""Plots: kernels on a common scale, measures with intervals, agreement with ceilings.

Every function returns a matplotlib figure; `figure.savefig("kernels.svg")` writes it.

Examples
--------
>>> import yoked
>>> protocol = yoked.load_protocol("bar-in-noise")
>>> template = yoked.load_observer("template")
>>> session = yoked.run(protocol, template, seed=1, trials=300, contrast=0.227)
>>> figure = yoked.plot.kernels([session])
>>> [axis.get_title() for axis in figure.axes]
['template', '']
"""

from .curves import psychometric, roc
from .depth import depth_profiles
from .kernels import Panel, kernel_figure, kernels, panel
from .measures import agreements, measures
from .second_order import second_order, spectra
from .style import as_picture

__all__ = [
    "Panel",
    "agreements",
    "as_picture",
    "depth_profiles",
    "kernel_figure",
    "kernels",
    "measures",
    "panel",
    "psychometric",
    "roc",
    "second_order",
    "spectra",
]
