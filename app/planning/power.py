"""Planning: how many trials and double-pass pairs reach an aim.

Closed forms of the analysis meet a protocol and an assumed observer
(`situation.py`). Numbers of trials are of a session like the protocol's: as large
a share of the trials is shown twice, and since showings that share their noise tell
less than independent ones, every number grows by the double pass's design effect.
Several contrasts are shown equally often, and combined as the analysis combines them.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri

from ...analysis.double_pass.internal_noise import gamma_from_r, r_from_gamma
from ...analysis.kernels.closed_forms import (
    gamma_standard_error,
    response_information,
    trials_for_correlation,
)
from ...analysis.kernels.information import weighted_sum_efficiency
from ...analysis.second_order.closed_forms import trials_for_eigenvalue
from ...analysis.trials.estimate import Z95
from ...experiments.protocols.rules import pairs_for
from .situation import Situation

MOST_GAMMA = 2.0  # beyond it agreement barely depends on gamma
FEW_PER_ELEMENT = 16  # trials per element below which fitting gains less than its bound
KERNEL = "trials-for-kernel-correlation/1"
DPRIME = "trials-for-dprime-interval/1"
GAMMA = "pairs-for-gamma-interval/1"
EIGENVALUE = "trials-for-eigenvalue-beyond-edge/1"


@dataclass(frozen=True)
class Wanted:
    """What a study should reach; None leaves an aim out.

    Attributes
    ----------
    correlation
        Cosine between the kernel and the observer's template.
    dprime_interval, gamma_interval
        Full width of the 95 % interval.
    eigenvalue
        Of the second-order kernel, in units of the noise variance: one so large is to
        be beyond what chance gives.

    Raises
    ------
    ValueError
        If nothing could reach an aim.
    """

    correlation: float | None = 0.9
    dprime_interval: float | None = 0.3
    gamma_interval: float | None = 1.0
    eigenvalue: float | None = 0.66

    def __post_init__(self) -> None:
        r = self.correlation
        if r is not None and not 0 < r < 1:
            why = "a kernel from finitely many trials is never exact"
            raise ValueError(f"correlation must be between 0 and 1, got {r:g}; {why}")
        for name in ("dprime_interval", "gamma_interval", "eigenvalue"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                words = name.replace("_", " ")
                raise ValueError(f"{words} must be more than 0, got {value:g}")


@dataclass(frozen=True)
class Aim:
    """What it takes to reach one aim.

    Attributes
    ----------
    name
        'kernel', 'dprime', 'gamma' or 'eigenvalue'.
    quantity
        What is to be reached, in words.
    wanted
        The value to be reached.
    needed
        Main trials for it, second showings included, before rounding up; None where no
        number is sensible, and `note` says why.
    n_pairs
        Double-pass pairs among them.
    n_independent
        Trials for it if none were shown twice; None for gamma.
    n_fitted
        Trials for it with a fitted kernel, at best; for the kernel only.
    at_plan
        What the protocol gives as it is.
    formula
        Name and version.
    note
        Sentences, or None.
    """

    name: str
    quantity: str
    wanted: float
    needed: float | None
    n_pairs: int | None
    n_independent: int | None
    n_fitted: int | None
    at_plan: float | None
    formula: str
    note: str | None = None

    @property
    def n_trials(self) -> int | None:
        """Main trials that reach the aim."""
        return None if self.needed is None else math.ceil(self.needed)


def aims(assumed: Situation, wanted: Wanted | None = None) -> list[Aim]:
    """Return what each aim takes, from the kernel to the eigenvalue.

    Raises
    ------
    ValueError
        If none is wanted.

    Examples
    --------
    >>> from yoked.app.planning.situation import situation
    >>> from yoked.experiments.protocols.files import load_protocol
    >>> kernel, *_ = aims(situation(load_protocol("bar-in-noise")))
    >>> kernel.wanted, kernel.n_independent, kernel.n_trials
    (0.9, 291, 331)
    """
    wanted = wanted or Wanted()
    asked = (
        (wanted.correlation, _kernel),
        (wanted.dprime_interval, _dprime),
        (wanted.gamma_interval, _gamma),
        (wanted.eigenvalue, _eigenvalue),
    )
    found = [plan(assumed, value) for value, plan in asked if value is not None]
    if not found:
        raise ValueError("an aim must be wanted, got none")
    return found


def value_at(aim: Aim, assumed: Situation, n_trials: float) -> float | None:
    """Return what so many trials give, in the aim's own quantity.

    Errors fall with the root of the number of trials, but for the interval of gamma; a
    cosine r has r^2 / (1 - r^2) in proportion to it.

    Returns
    -------
    float or None
        Infinite for an interval without an end; None where nothing can be planned.
    """
    if aim.needed is None:
        return None
    if aim.name == "gamma":
        pairs = pairs_for(assumed.protocol, max(int(n_trials), 1)).n_pairs
        return gamma_width(assumed, pairs)
    more = n_trials / aim.needed
    if aim.name != "kernel":
        return aim.wanted / math.sqrt(more)
    odds = more * aim.wanted**2 / (1 - aim.wanted**2)
    return math.sqrt(odds / (1 + odds))


def gamma_width(assumed: Situation, n_pairs: float) -> float:
    """Return the width of the 95 % interval of gamma after so many pairs.

    The limits are those of r = 1 / (1 + gamma^2), -+ 1.96 SE, carried over to gamma:
    the interval is lopsided, and has no upper end where r could be 0.

    Examples
    --------
    >>> from yoked.app.planning.situation import situation
    >>> from yoked.experiments.protocols.files import load_protocol
    >>> assumed = situation(load_protocol("bar-in-noise"), gamma=1.0)
    >>> [round(gamma_width(assumed, n), 2) for n in (50, 100, 1000)]
    [4.02, 1.64, 0.41]
    """
    if n_pairs < 1:
        return math.inf
    gamma, rates = assumed.gamma, assumed.proportions
    variance = _harmonic([gamma_standard_error(1.0, p, gamma) ** 2 for p in rates])
    r = r_from_gamma(gamma)
    half = Z95 * math.sqrt(variance / n_pairs) * 2 * r**2 * gamma
    return gamma_from_r(max(r - half, 0.0)) - gamma_from_r(min(r + half, 1.0))


def _kernel(assumed: Situation, wanted: float) -> Aim:
    """Take p r^2 / (1 - r^2) x Pc (1 - Pc) (1 + gamma^2) / phi(z)^2 trials."""
    p, gamma = assumed.n_elements, assumed.gamma
    alone = [
        trials_for_correlation(wanted, p, rate, gamma) for rate in assumed.proportions
    ]
    quantity = "cosine of kernel and template"
    aim = _in_trials(assumed, "kernel", quantity, wanted, alone, _harmonic, KERNEL)
    if gamma == 0:
        why = "without internal noise a fitted kernel has no bound: it needs far fewer"
        return replace(aim, note=why)
    shares = [weighted_sum_efficiency(rate, gamma) for rate in assumed.proportions]
    n_fitted = math.ceil(_harmonic(_times(alone, shares, assumed.design_effects)))
    note = f"a fitted kernel needs {n_fitted:,} trials at best"
    if n_fitted < FEW_PER_ELEMENT * p:
        note += f", more with as few as {n_fitted / p:.1f} an element"
    return replace(aim, n_fitted=n_fitted, note=note)


def _dprime(assumed: Situation, wanted: float) -> Aim:
    """(2 x 1.96 / width)^2 x variance of one trial, 2 or 4 pq / phi(z)^2."""
    spread = 2 if assumed.is_forced_choice else 4
    z = ndtri(np.array(assumed.proportions))
    alone = spread * (2 * Z95 / wanted) ** 2 / response_information(z)
    n = len(assumed.proportions)

    def at_the_median(trials: Sequence[float]) -> float:
        return n * trials[assumed.middle]

    quantity = "width of the 95 % interval of d'"
    aim = _in_trials(
        assumed, "dprime", quantity, wanted, list(alone), at_the_median, DPRIME
    )
    middle = assumed.contrasts[assumed.middle]
    note = f"at the median contrast {middle:.3g}, with 1 in {n} of all trials"
    return replace(aim, note=note) if n > 1 else aim


def _gamma(assumed: Situation, wanted: float) -> Aim:
    """Pairs after which the interval of gamma, carried over from r, is this wide."""
    quantity, gamma = "width of the 95 % interval of gamma", assumed.gamma
    aim = Aim("gamma", quantity, wanted, None, None, None, None, None, GAMMA)
    if gamma == 0:
        why = "an observer without internal noise always agrees: gamma has no interval"
        return replace(aim, note=why)
    n_pairs = _pairs_for_width(assumed, wanted)
    if gamma > MOST_GAMMA:
        why = f"gamma above {MOST_GAMMA:g} cannot be measured: agreement hardly depends"
        return replace(aim, note=f"{why} on it, and this width takes {n_pairs:,} pairs")
    if not assumed.n_pairs:
        why = f"{assumed.protocol.name} has no double pass"
        why += f"; {n_pairs:,} pairs would do (double_pass.n_pairs)"
        return replace(aim, n_pairs=n_pairs, note=why)
    least = 2 * n_pairs + assumed.protocol.double_pass.min_gap
    needed = max(n_pairs * assumed.n_trials / assumed.n_pairs, least)
    note = f"{least:,} trials would do with as many pairs as they can hold"
    aim = replace(aim, needed=needed, n_pairs=n_pairs, note=note)
    return replace(aim, at_plan=value_at(aim, assumed, assumed.n_trials))


def _pairs_for_width(assumed: Situation, wanted: float) -> int:
    """Fewest pairs whose interval is no wider; the width falls with their number."""
    few, many = 0, 1
    while gamma_width(assumed, many) > wanted:
        few, many = many, 2 * many
    while many - few > 1:
        middle = (few + many) // 2
        if gamma_width(assumed, middle) > wanted:
            few = middle
        else:
            many = middle
    return many


def _eigenvalue(assumed: Situation, wanted: float) -> Aim:
    """8 p / (lambda^2 Pc (1 - Pc)) trials in 2AFC, twice as many in yes/no."""
    spread = 1 if assumed.is_forced_choice else 2
    alone = [
        spread * trials_for_eigenvalue(wanted, assumed.n_elements, rate)
        for rate in assumed.proportions
    ]
    # Contrasts are averaged with the weights phi(z), as the kernel is.
    weights = np.exp(-np.square(ndtri(assumed.proportions)) / 2)
    weights = weights / weights.sum()

    def averaged(trials: Sequence[float]) -> float:
        return len(trials) * float(weights**2 @ np.array(trials))

    quantity = "eigenvalue beyond those of chance"
    aim = _in_trials(
        assumed, "eigenvalue", quantity, wanted, alone, averaged, EIGENVALUE
    )
    note = "in yes/no a biased criterion adds to it: ask in 2AFC"
    return aim if assumed.is_forced_choice else replace(aim, note=note)


def _in_trials(
    assumed: Situation,
    name: str,
    quantity: str,
    wanted: float,
    alone: Sequence[float],
    combine: Callable[[Sequence[float]], float],
    formula: str,
) -> Aim:
    """An aim from the independent trials that it takes at each contrast alone."""
    needed = combine(_times(alone, assumed.design_effects))
    aim = Aim(
        name=name,
        quantity=quantity,
        wanted=wanted,
        needed=needed,
        n_pairs=pairs_for(assumed.protocol, math.ceil(needed)).n_pairs,
        n_independent=math.ceil(combine(alone)),
        n_fitted=None,
        at_plan=None,
        formula=formula,
    )
    return replace(aim, at_plan=value_at(aim, assumed, assumed.n_trials))


def _times(*factors: Sequence[float]) -> list[float]:
    return [math.prod(row) for row in zip(*factors, strict=True)]


def _harmonic(trials: Sequence[float]) -> float:
    """Trials over equally frequent contrasts, each of which adds its information."""
    return len(trials) / sum(1 / n for n in trials)
