"""Observers whose second order is known in kind: seven cascades in 2AFC, on bars.

What each does with the stimulus of an interval is in the name; decision noise is added
at the end. The signal is part of the stimulus, so that it goes through the cascade. All
have about 75 % correct at their own strength of signal.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from yoked.analysis.trials.design import TrialDesign
from yoked.analysis.trials.responses import Responses
from yoked.experiments.stimulus.sources import StoredNoise

from .linear import unit

N_BARS = 12
PLACE = 6
SD = 0.1
PROFILE = unit(np.exp(-0.5 * ((np.arange(N_BARS) - PLACE) / 1.2) ** 2))
SPOT = np.eye(N_BARS)[PLACE]
POSITIONS = np.stack([np.roll(PROFILE, shift) for shift in range(N_BARS)], axis=1)
_PLACES = np.arange(N_BARS) - PLACE
QUADRATURE = np.stack(
    [
        unit(np.exp(-0.5 * (_PLACES / 2.0) ** 2) * np.cos(2 * np.pi * _PLACES / 5)),
        unit(np.exp(-0.5 * (_PLACES / 2.0) ** 2) * np.sin(2 * np.pi * _PLACES / 5)),
    ],
    axis=1,
)

# What a cascade makes of x (..., element), in units of the noise SD.
RESPONSES = {
    "linear": lambda x: x @ PROFILE,
    "LN": lambda x: np.maximum(x @ PROFILE, 0) ** 2,
    "Hammerstein": lambda x: np.maximum(x, 0) @ PROFILE,
    "squared elements": lambda x: x**2 @ PROFILE,
    "energy": lambda x: ((x @ QUADRATURE) ** 2).sum(-1),
    "MAX": lambda x: (x @ POSITIONS).max(-1),
    "gain control": lambda x: x @ PROFILE / (1 + 0.25 * (x**2).sum(-1)),
}
CASCADES = tuple(RESPONSES)
NONLINEAR = CASCADES[1:]
# Strength of the signal, in noise SDs, for 75 % correct.
STRENGTHS = {
    "linear": 1.58,
    "LN": 1.80,
    "Hammerstein": 1.39,
    "squared elements": 1.80,
    "energy": 2.34,
    "MAX": 2.63,
    "gain control": 1.78,
}


@dataclass(frozen=True)
class Cascade:
    """An observer that responses by its response to each interval, and decision noise.

    `gamma` is the SD of the decision noise over that of the response to noise.
    """

    name: str
    gamma: float = 0.5
    sd: float = SD
    signal: tuple[float, ...] = tuple(SPOT)
    bias: float = 0.0

    def response(self, x):
        return RESPONSES[self.name](x / self.sd)

    @property
    def spread(self):
        """SD of the response to noise alone."""
        noise = np.random.default_rng(0).normal(0, self.sd, (20000, N_BARS))
        return float(self.response(noise).std())

    @property
    def pattern(self):
        """The signal in contrast."""
        return self.sd * STRENGTHS[self.name] * np.asarray(self.signal)


def run_cascade(observer, n, seed, task="2afc", n_pairs=0, strength=1.0):
    """Return (table, noise source), as `simulated.run`; strength 1 is the 75 % one."""
    rng = np.random.default_rng(seed)
    n_fields, n_intervals = n - n_pairs, 2 if task == "2afc" else 1
    noise = rng.normal(0, observer.sd, (n_fields, n_intervals, N_BARS))
    field = np.concatenate([np.arange(n_fields), np.arange(n_pairs)])
    target = rng.permutation(np.arange(n_fields) % 2)[field]
    places = np.arange(n_intervals) if n_intervals == 2 else [1]
    has_target = target[:, None] == places
    shown = noise[field] + has_target[..., None] * strength * observer.pattern
    spread = observer.spread
    d = observer.response(shown)
    d = d + rng.normal(0, observer.gamma * spread, d.shape)
    side = d[:, 1] - d[:, 0] if n_intervals == 2 else d[:, 0] - np.median(d)
    repeats = pd.array([pd.NA] * n_fields + list(range(n_pairs)), dtype="Int64")
    table = pd.DataFrame(
        {
            "trial": np.arange(n),
            "stimulus_id": field,
            "target": target,
            "response": (side > observer.bias * spread).astype(np.int64),
            "contrast": 1.0,
            "repeats": repeats,
            "block_kind": "main",
            "valid": True,
            "excluded": False,
        }
    )
    stored = noise.astype(np.float32)[:, :, None, None, :]
    return table, StoredNoise(stored)


def cascade_trials(name, n, seed, task="2afc", n_pairs=0, strength=1.0, **options):
    """Return the trials of one session of a cascade, with their noise."""
    table, source = run_cascade(
        Cascade(name, **options), n, seed, task, n_pairs, strength
    )
    return TrialDesign.of(Responses.from_table(table, task, 2), source)
