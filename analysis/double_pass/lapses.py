"""Lapses: how often an observer guesses, and what that does to internal noise.

On a lapse, of probability lambda on every showing, the response is a guess, equally
likely for every alternative, whatever is shown. Catch trials are so easy that an error
there is a lapse; of m alternatives a guess hits the target once in m:

    lambda = errors m / (m - 1).

Two passes then agree with probability (1 - lambda)^2 P(z, r) +
[1 - (1 - lambda)^2] / 2, and the rate of "yes" is (1 - lambda) p + lambda / 2. Taken
at face value, both make the internal noise look larger: at 75 % correct a gamma of 1
passes for 1.049, 1.125 and 1.259 with lapses of 2, 5 and 10 %.
"""

import math

import numpy as np
from scipy.special import ndtr, ndtri

from ..trials.estimate import Estimate, mapped
from ..trials.proportion import proportion
from ..trials.responses import Responses, SessionLike
from .internal_noise import (
    AGREEMENT,
    InternalNoise,
    PairCounts,
    agreement_probability,
    gamma_from_r,
    r_from_agreement,
    r_from_gamma,
    three_conventions,
    why_no_internal_noise,
)
from .likelihood import cell_rates

LAPSE_RATE = "lapse-rate-catch-trials-wilson/1"
CORRECTED = "pooled-without-lapses/1"
_MOST = 0.99  # of lapses: beyond it nothing of the observer is left
NO_CATCH = "no catch trial was answered"


def lapse_rate(session: SessionLike) -> Estimate:
    """Estimate how often the observer guesses, from the errors on catch trials.

    Catch trials that are valid, answered and not excluded; a trial without a response
    is no guess, and the note counts it. The interval is Wilson's of the errors.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> observer = yoked.load_observer("template")
    >>> session = yoked.run(protocol, observer, seed=1)  # with two catch trials a block
    >>> print(lapse_rate(session))
    0.000 SE 0.000 [0.000, 0.485] n=12 (lapse-rate-catch-trials-wilson/1)
    """
    trials = session.trials
    catch = trials["block_kind"].to_numpy() == "catch"
    shown = trials.loc[catch & trials["valid"] & ~trials["excluded"]]
    answered = shown.loc[shown["response"].notna()]
    silent = len(shown) - len(answered)
    note = f"{silent} catch trials had no response" if silent else None
    if not len(answered):
        return Estimate.missing(LAPSE_RATE, note or NO_CATCH)
    task, n_responses = session.protocol.task.kind, session.protocol.n_responses
    table = answered.assign(repeats=None) if "repeats" in answered else answered
    seen = Responses.from_table(table, task, n_responses)
    errors = proportion(int((~seen.correct).sum()), len(seen), LAPSE_RATE)
    factor = seen.n_alternatives / (seen.n_alternatives - 1)
    found = mapped(errors, lambda e: min(factor * e, 1.0), LAPSE_RATE, factor)
    return found.with_note(note)


def apparent_gamma(gamma: float, lapse_rate: float, z: float) -> float:
    """Return the gamma that a double pass with lapses seems to show.

    Parameters
    ----------
    gamma
        Internal / external SD of the observer when attentive.
    lapse_rate
        Probability of a guess on every showing, in [0, 1).
    z
        Phi^-1 of the proportion correct (or of "yes") when attentive.

    Raises
    ------
    ValueError
        If the lapse rate is not in [0, 1).

    Examples
    --------
    >>> [round(apparent_gamma(1.0, rate, z=0.67449), 3) for rate in (0.02, 0.05, 0.1)]
    [1.049, 1.125, 1.259]
    """
    _check_rate(lapse_rate)
    attentive = (1 - lapse_rate) ** 2
    agree = attentive * float(agreement_probability(z, r_from_gamma(gamma)))
    agree += (1 - attentive) / 2
    rate = (1 - lapse_rate) * float(ndtr(z)) + lapse_rate / 2
    seen = np.array([float(ndtri(rate))])
    return gamma_from_r(r_from_agreement(agree, seen, np.ones(1)))


def internal_noise_without_lapses(
    counts: PairCounts, lapse_rate: float | Estimate
) -> InternalNoise:
    """Estimate internal noise from pairs, with guesses on some showings taken off.

    The closed form of `internal_noise_closed_form`, solved at the rates and the
    agreement of attentive showings.

    Parameters
    ----------
    counts
        From `pair_counts`.
    lapse_rate
        A number, taken as known; or an estimate, whose limits widen the interval: the
        arms due to agreement and to the lapse rate combine as SDs do.

    Raises
    ------
    ValueError
        If the lapse rate is not in [0, 1), or has no value.

    Examples
    --------
    >>> counts = np.array([[5960, 2829, 1211]])  # gamma 1, 5 % lapses
    >>> round(internal_noise_without_lapses(counts, 0.05).gamma.value, 2)
    1.0
    """
    if isinstance(lapse_rate, float | int):
        lapse_rate = Estimate(lapse_rate, None, lapse_rate, lapse_rate, 0, "given/1")
    if lapse_rate.value is None or lapse_rate.low is None or lapse_rate.high is None:
        raise ValueError(f"lapse_rate must have a value, got none: {lapse_rate.note}")
    _check_rate(lapse_rate.value)
    n = int(counts.sum())
    if reason := why_no_internal_noise(counts):
        return InternalNoise.missing(CORRECTED, reason, n)
    agree = proportion(int(counts[:, [0, 2]].sum()), n, AGREEMENT)
    assert agree.value is not None
    assert agree.low is not None
    assert agree.high is not None
    rates, weight = cell_rates(counts), counts.sum(1) / n

    def r(agreement: float, lapses: float) -> float:
        """Solve for r at the rates and the agreement of attentive showings."""
        kept = 1 - min(lapses, _MOST)
        z = ndtri(np.clip((rates - (1 - kept) / 2) / kept, 1e-6, 1 - 1e-6))
        attentive = (agreement - (1 - kept**2) / 2) / kept**2
        return r_from_agreement(attentive, z, weight)

    value, lapses = r(agree.value, lapse_rate.value), lapse_rate.value
    low = math.hypot(
        value - r(agree.low, lapses), value - r(agree.value, lapse_rate.low)
    )
    high = math.hypot(
        r(agree.high, lapses) - value, r(agree.value, lapse_rate.high) - value
    )
    name = f"r-{CORRECTED}"
    ends = max(value - low, 0.0), min(value + high, 1.0)
    return three_conventions(Estimate(value, None, *ends, n, name), CORRECTED)


def _check_rate(lapse_rate: float) -> None:
    if not 0 <= lapse_rate < 1:
        raise ValueError(f"lapse_rate must be in [0, 1), got {lapse_rate}")
