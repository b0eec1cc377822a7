"""Observers shown stimuli once or twice, from normal deviates: shares no line with us.

The decision variable has SD 1: what the stimulus gives, alike at both showings, and
what it does not. A trial's threshold is bias + signal + course + dependence on the
trial before; on a lapse the response is a guess.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from yoked.analysis.trials.responses import Responses

BLOCK = 100


@dataclass(frozen=True)
class Shown:
    """A simulated session and its truth."""

    responses: Responses
    r: float
    gamma: float
    dprime: float  # mean over trials
    n_errors: int  # on catch trials
    decision: np.ndarray  # the part that the stimulus gives, SD 1


def course(kind: str, size: float, n: int, rng: np.random.Generator) -> np.ndarray:
    """Return a course of the criterion, or of anything, in trial order."""
    time = np.arange(n) / (n - 1)
    if kind == "line":
        return size * (2 * time - 1)
    if kind == "walk":  # size: its SD at the end
        return np.cumsum(rng.normal(0, size / math.sqrt(n), n))
    if kind == "jumps":
        return np.repeat(rng.normal(0, size, math.ceil(n / BLOCK)), BLOCK)[:n]
    return np.zeros(n)


def pairs(halves: bool, n: int, n_pairs: int, rng: np.random.Generator) -> np.ndarray:
    """Place both showings of every pair: anywhere, or one in each half."""
    if not halves:
        return np.sort(rng.permutation(n)[: 2 * n_pairs].reshape(-1, 2), axis=1)
    first, second = (rng.permutation(n // 2)[:n_pairs] for _ in range(2))
    return np.column_stack([first, n // 2 + second])


def shown(cell: Mapping[str, Any], rng: np.random.Generator) -> Shown:
    """Simulate a session of a cell; what the cell does not name stands at a default."""
    n, gamma = cell.get("trials", 600), cell.get("gamma", 1.0)
    is_2afc = cell["task"] == "2afc"
    place = pairs(cell.get("halves", False), n, cell.get("pairs", 200), rng)
    stimulus = np.arange(n)
    stimulus[place[:, 1]] = place[:, 0]
    target = rng.integers(0, 2, n)[stimulus]
    n_contrasts = cell.get("contrasts", 1)
    levels = np.geomspace(0.25, 4, n_contrasts) if n_contrasts > 1 else np.ones(1)
    contrast = levels[rng.integers(0, n_contrasts, n)][stimulus]
    dprime = cell.get("dprime", 1.35) * contrast
    gain = course(cell.get("gain", ""), cell.get("gain_size", 0.0), n, rng)
    if cell.get("gain") == "pass":
        gain[place[:, 1]] = cell["gain_size"]
    signal = (target - 0.5) * dprime * (1 + gain) * (math.sqrt(2) if is_2afc else 1)
    drift = course(cell.get("course", ""), cell.get("size", 0.0), n, rng)
    r = 1 / (1 + gamma**2)
    external = rng.normal(size=n)[stimulus]
    noise = math.sqrt(r) * external + math.sqrt(1 - r) * rng.normal(size=n)
    value = signal + drift + cell.get("bias", 0.0) + noise
    rate = cell.get("lapses", 0.0)
    lapsed, guess = rng.random(n) < rate, rng.integers(0, 2, n)
    response = np.zeros(n, np.int64)
    for i in range(n):
        before = 0 if i % BLOCK == 0 else 2 * response[i - 1] - 1
        threshold = value[i] + cell.get("serial", 0.0) * before
        response[i] = guess[i] if lapsed[i] else threshold > 0
    repeats = pd.array([pd.NA] * n, dtype="Int64")
    repeats[place[:, 1]] = place[:, 0]
    table = pd.DataFrame(
        {
            "trial": np.arange(n),
            "block": np.arange(n) // BLOCK,
            "target": target,
            "response": response,
            "contrast": contrast,
            "repeats": repeats,
        }
    )
    made = Responses.from_table(table, cell["task"], 2)
    n_errors = int(rng.binomial(cell.get("catch", 0), rate / 2))
    return Shown(made, r, gamma, float(dprime.mean()), n_errors, external)
