"""How hard a task of several places is: for an ideal, a linear and a max observer."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int64

from .noise_along import sd_along
from .parts import Parts
from .signal import interval_gains, signal_levels

_N, _SEED = 40_000, 1  # drawn trials: proportions to .003
Seen = Float[np.ndarray, " trial interval place"]


@dataclass(frozen=True)
class PlaceFacts:
    """Facts of a task with places at its highest main contrast, by simulated numbers.

    Each observer looks at every place through the template. Their d' are those of a
    task that is as often answered correctly and has one place.

    Attributes
    ----------
    n_places
        Where the signal may be.
    patch_dprime
        d' of one patch, were its place known.
    ideal_correct, ideal_dprime
        Of who weighs likelihoods by what the cue says: nobody does better in white
        noise. It is not linear.
    linear_correct, linear_dprime
        Of who sums the places, weighted by what the cue says.
    template_correct, template_dprime
        Of who takes the largest and ignores the cue.
    """

    n_places: int
    patch_dprime: float
    ideal_correct: float
    ideal_dprime: float
    linear_correct: float
    linear_dprime: float
    template_correct: float
    template_dprime: float

    def plain(self) -> dict[str, Any]:
        """Give the facts as plain data."""
        return asdict(self)


def place_facts(protocol: Parts) -> PlaceFacts | None:
    """Give the facts of a protocol's places; None where there is one, or no noise.

    Examples
    --------
    >>> import yoked
    >>> facts = place_facts(yoked.load_protocol("position-unknown"))
    >>> facts.ideal_dprime > facts.template_dprime > facts.linear_dprime
    True
    """
    if protocol.places.count < 2 or protocol.noise.sd == 0:
        return None
    levels = signal_levels(protocol, max(protocol.contrast.values))
    unit = float((levels.astype(np.float64) ** 2).sum()) / sd_along(protocol, levels)
    gains = unit * interval_gains(protocol, np.arange(protocol.task.n_targets))
    target, prior, seen = _drawn(protocol, gains)
    linear = (seen * prior[:, None]).sum(axis=-1)
    ideal = np.stack([_log_likelihood(seen, prior, row) for row in gains], axis=1)
    if not protocol.task.is_forced_choice:
        ideal = ideal[:, 1:] - ideal[:, :1]
    found = [_correct(each, target) for each in (ideal, linear, seen.max(axis=-1))]
    by_task = math.sqrt(2) if protocol.task.is_forced_choice else 2.0
    dprimes = [by_task * _z(correct) for correct in found]
    without, with_target = protocol.signal.gains
    return PlaceFacts(
        protocol.places.count,
        unit * abs(with_target - without),
        found[0],
        dprimes[0],
        found[1],
        dprimes[1],
        found[2],
        dprimes[2],
    )


def _drawn(
    protocol: Parts, gains: Float[np.ndarray, " target interval"]
) -> tuple[Int64[np.ndarray, " trial"], Float[np.ndarray, " trial place"], Seen]:
    """Draw trials as numbers: target, how likely each place is, what is seen there."""
    rng, n = np.random.default_rng(_SEED), protocol.places.count
    target, place = np.arange(_N) % 2, rng.integers(0, n, _N)
    seen = rng.standard_normal((_N, protocol.n_intervals, n))
    seen[np.arange(_N), :, place] += gains[target]
    prior = np.full((_N, n), 1 / n)
    if protocol.cue.kind:
        valid, other = protocol.cue.priors(n)
        away = np.where(rng.random(_N) < valid, 0, rng.integers(1, n, _N))
        pointed = rng.random(_N) >= protocol.cue.neutral
        prior[pointed] = other
        rows = np.flatnonzero(pointed)
        prior[rows, ((place + away) % n)[pointed]] = valid
    return target, prior, seen


def _log_likelihood(
    seen: Seen, prior: np.ndarray, means: Float[np.ndarray, " interval"]
) -> Float[np.ndarray, " trial"]:
    ratio = (seen * means[:, None] - means[:, None] ** 2 / 2).sum(axis=1)
    with np.errstate(divide="ignore"):
        return np.logaddexp.reduce(np.log(prior) + ratio, axis=1)


def _correct(decision: np.ndarray, target: Int64[np.ndarray, " trial"]) -> float:
    """Give the proportion correct; in yes/no with as many "yes" as signals."""
    if decision.shape[1] > 1:
        return float((decision.argmax(axis=1) == target).mean())
    yes = decision[:, 0] > np.median(decision)
    return float((yes == (target == 1)).mean())


def _z(proportion: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(min(max(proportion, 0.5 / _N), 1 - 0.5 / _N)))
