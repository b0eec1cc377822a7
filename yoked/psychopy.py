"""Yoked in PsychoPy: our trials in anybody's script, and in Builder.

Examples
--------
With a window of PsychoPy::

    import yoked.psychopy

    trial = yoked.psychopy.NoiseTrial(win, "bar-in-noise", log="results.db",
                                      participant="p01")
    for row in trial:
        print(row["target"], row["response"], row["rt_ms"])
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from yoked.experiments.lab.builder import NoiseTrialComponent
    from yoked.experiments.lab.noise_trial import NoiseTrial

__all__ = ["NoiseTrial", "NoiseTrialComponent"]

# public name: (module, name in it)
_HOMES = {
    "NoiseTrial": ("experiments.lab.noise_trial", "NoiseTrial"),
    "NoiseTrialComponent": ("experiments.lab.builder", "NoiseTrialComponent"),
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'yoked.psychopy' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    value = getattr(import_module(f"yoked.{module}"), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
