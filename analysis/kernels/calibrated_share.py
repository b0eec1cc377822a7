"""The score's linear share, calibrated where the decision variable is not normal.

With more elements than a tenth of the trials there is no fit without a penalty. The
score's share is then compared with what it is for linear observers in the same noise:
their weights are those elements of the kernel that are beyond 2.5 SE, their rates those
of the session, and their share goes over the range. The observer whose share comes out
as the session's gives the estimate.
"""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from jaxtyping import Float
from scipy.special import ndtr, ndtri

from ..trials.counts import loglinear_rate
from ..trials.design import TrialDesign
from ..trials.estimate import Estimate
from ..trials.score import score
from .variable_law import KernelParts

CALIBRATED = "linear-share-calibrated/1"
SHARES = (0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.92)
N_SIMULATED = 8  # at each


def calibrated_share(
    trials: TrialDesign,
    share_of: Callable[[TrialDesign], Estimate],
    seed: int = 0,
) -> Estimate:
    """Return the linear share for which simulated observers have this session's.

    Parameters
    ----------
    share_of
        The estimate that is calibrated.
    seed
        Of simulated responses.
    """
    n, observed = len(trials), share_of(trials)
    assert observed.value is not None
    found = score(trials)
    parts = KernelParts.of(found.kernel, np.full(len(found.kernel), found.se))
    if not len(parts.weights):
        reason = "no element of the kernel is beyond its sampling noise"
        return Estimate.missing(CALIBRATED, reason, n)
    along = trials.noise[:, parts.chosen] @ parts.weights
    along = along / float(np.std(along))
    rates = loglinear_rate(
        np.bincount(trials.cell, trials.response), np.bincount(trials.cell)
    )
    rng = np.random.default_rng(seed)
    mean, sd = np.empty(len(SHARES)), np.empty(len(SHARES))
    for k, share in enumerate(SHARES):
        chance = _chances(trials, along, math.sqrt(share / (1 - share)), rates)
        values = []
        for _ in range(N_SIMULATED):
            drawn = replace(trials, response=rng.random(n) < chance)
            values.append(share_of(drawn).value or 0.0)
        mean[k], sd[k] = np.mean(values), np.std(values, ddof=1)
    # A line through the origin, since no kernel has no share; rising throughout.
    mean = np.maximum.accumulate(np.append(0.0, mean)) + 1e-9 * np.arange(len(mean) + 1)
    shares = np.append(0.0, SHARES)
    value = float(np.interp(observed.value, mean, shares))
    k = int(np.clip(np.searchsorted(mean, observed.value), 1, len(SHARES)))
    slope = (shares[k] - shares[k - 1]) / (mean[k] - mean[k - 1])
    spread = float(np.sqrt(np.mean(sd**2)))
    se = min(slope * spread * math.sqrt(1 + 1 / N_SIMULATED), 1.0)
    note = f"calibrated from {observed.value:.3f}"
    return Estimate.normal(value, se, n, CALIBRATED, note)


def _chances(
    trials: TrialDesign,
    along: Float[np.ndarray, " trial"],
    length: float,
    rates: Float[np.ndarray, " cell"],
) -> Float[np.ndarray, " trial"]:
    """Return P("yes") of every trial at the rates of the classes."""
    chance = np.empty(len(along))
    for cell in np.unique(trials.cell):
        rows = trials.cell == cell
        noise = length * along[rows]
        at = float(ndtri(rates[cell])) * math.sqrt(1 + length**2)
        for _ in range(50):
            p = ndtr(at + noise)
            slope = float(np.exp(-((at + noise) ** 2) / 2).mean()) / math.sqrt(
                2 * math.pi
            )
            step = (rates[cell] - float(p.mean())) / max(slope, 1e-3)
            at += float(np.clip(step, -1, 1))
        chance[rows] = ndtr(at + noise)
    return chance
