"""Planning: how many trials and double-pass pairs reach an aim in how many sessions.

The laws of the sessions (`laws.py`) meet a protocol and an assumed observer
(`situation.py`), or those that a pilot leaves possible (`pilot.py`). Numbers of trials
are of a session like the protocol's: as large a share of the trials is shown twice, and
since showings that share their noise tell less than independent ones, every number
grows by the double pass's design effect. Several contrasts are shown equally often, and
combined as the analysis combines them.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri

from ...analysis.kernels.closed_forms import (
    response_information,
    trials_for_correlation,
)
from ...analysis.kernels.information import weighted_sum_efficiency
from ...analysis.trials.estimate import Z95
from ...experiments.protocols.rules import pairs_for
from .kernel_laws import kernel_terms
from .laws import averaged, fewest, law, value_reached
from .situation import Situation
from .width_laws import Law

ASSURANCE = 0.8
MOST_GAMMA = 2.0  # beyond it agreement barely depends on gamma
FEW_PER_ELEMENT = 16  # trials per element below which fitting gains less than its bound
KERNEL = "trials-for-kernel-correlation/2"
DPRIME = "trials-for-dprime-interval/2"
GAMMA = "pairs-for-gamma-interval/2"
EIGENVALUE = "trials-for-eigenvalue-beyond-edge/2"
Beliefs = Mapping[str, Sequence[tuple[float, Situation]]]
"""Weights and situations that may be the true one, by the name of an aim."""


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
        be beyond what chance exceeds in 5 % of sessions.
    assurance
        Share of the sessions that shall reach the aim.

    Raises
    ------
    ValueError
        If nothing could reach an aim.
    """

    correlation: float | None = 0.9
    dprime_interval: float | None = 0.3
    gamma_interval: float | None = 1.0
    eigenvalue: float | None = 0.66
    assurance: float = ASSURANCE

    def __post_init__(self) -> None:
        if not 0 < self.assurance < 1:
            why = "no number of trials is enough for every session"
            got = f"{self.assurance:g}; {why}"
            raise ValueError(f"assurance must be between 0 and 1, got {got}")
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
    assurance
        Share of the sessions that shall reach it.
    needed
        Main trials for it, second showings included, before rounding up; None where no
        number is sensible, and `note` says why.
    n_pairs
        Double-pass pairs among them.
    n_on_average
        Trials with which the expected error is the wanted one; about half of the
        sessions reach it.
    n_if_true
        Trials for it if what a pilot found were the truth; None without a pilot.
    n_independent
        Trials for it if none were shown twice; None for gamma.
    n_fitted
        Trials for it with a fitted kernel, at best; for the kernel only.
    at_plan
        What the protocol gives as it is, in half of the sessions.
    reached_at_plan
        Share of the sessions of the protocol as it is that reach the aim.
    formula
        Name and version.
    note
        Sentences, or None.
    """

    name: str
    quantity: str
    wanted: float
    assurance: float
    formula: str
    needed: float | None = None
    n_pairs: int | None = None
    n_on_average: int | None = None
    n_if_true: int | None = None
    n_independent: int | None = None
    n_fitted: int | None = None
    at_plan: float | None = None
    reached_at_plan: float | None = None
    note: str | None = None

    @property
    def n_trials(self) -> int | None:
        """Main trials that reach the aim."""
        return None if self.needed is None else math.ceil(self.needed)


def aims(
    assumed: Situation, wanted: Wanted | None = None, beliefs: Beliefs | None = None
) -> list[Aim]:
    """Return what each aim takes, from the kernel to the eigenvalue.

    Parameters
    ----------
    beliefs
        What may be true instead of `assumed`, from a pilot. Trials are then such that
        the wanted share of sessions reaches the aim over all of these.

    Raises
    ------
    ValueError
        If none is wanted.

    Examples
    --------
    >>> from yoked.app.planning.situation import situation
    >>> from yoked.experiments.protocols.files import load_protocol
    >>> kernel, *_ = aims(situation(load_protocol("bar-in-noise")))
    >>> kernel.wanted, kernel.n_on_average, kernel.n_trials
    (0.9, 331, 425)
    """
    wanted = wanted or Wanted()
    asked = (
        (wanted.correlation, _kernel),
        (wanted.dprime_interval, _dprime),
        (wanted.gamma_interval, _gamma),
        (wanted.eigenvalue, _eigenvalue),
    )
    found = [
        plan(assumed, value, wanted.assurance, beliefs)
        for value, plan in asked
        if value is not None
    ]
    if not found:
        raise ValueError("an aim must be wanted, got none")
    return found


def value_at(
    aim: Aim, assumed: Situation, n_trials: float, assurance: float = 0.5
) -> float | None:
    """Return what so many trials give, in the aim's quantity.

    Parameters
    ----------
    assurance
        Share of the sessions that have it, or better.

    Returns
    -------
    float or None
        Infinite for an interval without an end; None where nothing can be planned.
    """
    if aim.needed is None:
        return None
    return values_at(aim, assumed, [n_trials], assurance)[0]


def values_at(
    aim: Aim, assumed: Situation, n_trials: Sequence[float], assurance: float
) -> list[float]:
    """Return what each number of trials gives in a share of the sessions."""
    known = law(aim.name, assumed)
    units = (_units(aim.name, assumed, n) for n in n_trials)
    return [
        value_reached(aim.name, known, n, assurance) if n >= 1 else math.inf
        for n in units
    ]


def share_reached(aim: Aim, assumed: Situation, n_trials: float) -> float:
    """Return the share of sessions of so many trials that reach an aim."""
    n = _units(aim.name, assumed, n_trials)
    return law(aim.name, assumed)(aim.wanted, n) if n >= 1 else 0.0


def _units(name: str, assumed: Situation, n_trials: float) -> float:
    """Return what a law counts: trials, or the pairs among them."""
    if name != "gamma":
        return n_trials
    return pairs_for(assumed.protocol, max(int(n_trials), 1)).n_pairs


def _kernel(
    assumed: Situation, wanted: float, assurance: float, beliefs: Beliefs | None
) -> Aim:
    """On average p r^2 / (1 - r^2) over the signal-to-noise ratio of one trial."""
    p, gamma = assumed.n_elements, assumed.gamma
    terms = kernel_terms(assumed, assumed.pair_share)
    told = terms.information / terms.across
    # Of what the published form counts on, lapses and a bias leave less.
    left = told / kernel_terms(assumed.bare, 0.0).information
    rates = assumed.bare.proportions
    alone = [trials_for_correlation(wanted, p, rate, gamma) for rate in rates]
    average = 1 / float(np.mean(left / np.array(alone)))
    aim = Aim("kernel", "cosine of kernel and template", wanted, assurance, KERNEL)
    aim = _in_trials(aim, assumed, average, beliefs)
    if gamma == 0:
        why = "without internal noise a fitted kernel has no bound: it needs far fewer"
        return replace(aim, note=why)
    if aim.needed is None:
        return aim
    shares = [weighted_sum_efficiency(rate, gamma) for rate in assumed.proportions]
    share = float(told.sum() / (told / np.array(shares)).sum())
    n_fitted = math.ceil(aim.needed * share)
    note = f"a fitted kernel needs {n_fitted:,} trials at best"
    if n_fitted < FEW_PER_ELEMENT * p:
        note += f", more with as few as {n_fitted / p:.1f} an element"
    return replace(aim, n_fitted=n_fitted, note=note)


def _dprime(
    assumed: Situation, wanted: float, assurance: float, beliefs: Beliefs | None
) -> Aim:
    """On average (2 x 1.96 / width)^2 x variance of one trial, 2 or 4 pq / phi(z)^2."""
    n, middle = len(assumed.proportions), assumed.middle
    spread = 1 if assumed.is_forced_choice else 2
    each = 1 / response_information(ndtri(assumed.rates[middle]))
    alone = spread * (2 * Z95 / wanted) ** 2 * float(each.sum())
    average = n * alone * assumed.design_effects[middle]
    quantity = "width of the 95 % interval of d'"
    aim = Aim("dprime", quantity, wanted, assurance, DPRIME)
    aim = _in_trials(aim, assumed, average, beliefs)
    contrast = assumed.contrasts[middle]
    note = f"at the median contrast {contrast:.3g}, with 1 in {n} of all trials"
    return _noted(aim, note) if n > 1 else aim


def _gamma(
    assumed: Situation, wanted: float, assurance: float, beliefs: Beliefs | None
) -> Aim:
    """Pairs after which the interval of gamma is as narrow."""
    quantity, gamma = "width of the 95 % interval of gamma", assumed.gamma
    aim = Aim("gamma", quantity, wanted, assurance, GAMMA)
    if gamma == 0:
        why = "an observer without internal noise always agrees: gamma has no interval"
        return replace(aim, note=why)
    n_pairs = _whole(fewest(law("gamma", assumed), wanted, assurance))
    if gamma > MOST_GAMMA:
        why = f"gamma above {MOST_GAMMA:g} cannot be measured: agreement hardly depends"
        takes = f", and this width takes {n_pairs:,} pairs" if n_pairs else ""
        return replace(aim, note=f"{why} on it{takes}")
    half = _whole(fewest(law("gamma", assumed), wanted, 0.5))
    if_true = n_pairs if beliefs else None
    if beliefs:
        n_pairs = _whole(fewest(_law(aim, assumed, beliefs), wanted, assurance))
    if n_pairs is None:
        return replace(aim, note=_out_of_reach(aim, assumed, beliefs, "pairs"))
    if not assumed.n_pairs:
        why = f"{assumed.protocol.name} has no double pass"
        why += f"; {n_pairs:,} pairs would do (double_pass.n_pairs)"
        return replace(aim, n_pairs=n_pairs, note=why)

    def holding(pairs: int) -> float:
        least = 2 * pairs + assumed.protocol.double_pass.min_gap
        return max(pairs / assumed.pair_share, least)

    least = 2 * n_pairs + assumed.protocol.double_pass.min_gap
    aim = replace(
        aim,
        needed=holding(n_pairs),
        n_pairs=n_pairs,
        n_on_average=None if half is None else math.ceil(holding(half)),
        n_if_true=None if if_true is None else math.ceil(holding(if_true)),
        note=f"{least:,} trials would do with as many pairs as they can hold",
    )
    return _at_plan(aim, assumed, beliefs)


def _eigenvalue(
    assumed: Situation, wanted: float, assurance: float, beliefs: Beliefs | None
) -> Aim:
    """Trials after which an eigenvalue is found, on average at chance's limit."""
    quantity = "eigenvalue beyond those of chance"
    aim = Aim("eigenvalue", quantity, wanted, assurance, EIGENVALUE)
    average = fewest(law("eigenvalue", assumed), wanted, 0.5) or math.inf
    aim = _in_trials(aim, assumed, average, beliefs)
    note = "in yes/no a biased criterion adds to it: ask in 2AFC"
    return aim if assumed.is_forced_choice else _noted(aim, note)


def _in_trials(
    aim: Aim, assumed: Situation, average: float, beliefs: Beliefs | None
) -> Aim:
    """An aim from its law, and from the trials that it takes on average."""
    alone = fewest(law(aim.name, assumed, share=0.0), aim.wanted, aim.assurance)
    if_true = fewest(law(aim.name, assumed), aim.wanted, aim.assurance)
    mean = math.ceil(average) if math.isfinite(average) else None
    aim = replace(aim, n_on_average=mean, n_independent=_whole(alone))
    needed = if_true
    if beliefs:
        aim = replace(aim, n_if_true=_whole(if_true))
        needed = fewest(_law(aim, assumed, beliefs), aim.wanted, aim.assurance)
    if needed is None:
        note = _out_of_reach(aim, assumed, beliefs, "trials")
        return replace(aim, note=note)
    n_pairs = pairs_for(assumed.protocol, math.ceil(needed)).n_pairs
    return _at_plan(replace(aim, needed=needed, n_pairs=n_pairs), assumed, beliefs)


def _at_plan(aim: Aim, assumed: Situation, beliefs: Beliefs | None = None) -> Aim:
    """Add what the protocol gives as it is."""
    n = _units(aim.name, assumed, assumed.n_trials)
    reached = _law(aim, assumed, beliefs)(aim.wanted, n)
    value = value_at(aim, assumed, assumed.n_trials)
    return replace(aim, at_plan=value, reached_at_plan=reached)


def _law(aim: Aim, assumed: Situation, beliefs: Beliefs | None) -> Law:
    """The law of what is assumed, or over all that may be true."""
    if not beliefs:
        return law(aim.name, assumed)
    weights, situations = zip(*beliefs[aim.name], strict=True)
    return averaged([law(aim.name, each) for each in situations], weights)


def _out_of_reach(
    aim: Aim, assumed: Situation, beliefs: Beliefs | None, unit: str
) -> str:
    """Say how near many trials come where none are enough."""
    if not beliefs:
        return f"a billion {unit} would not do"
    most = _law(aim, assumed, beliefs)(aim.wanted, 1e9)
    true = _whole(fewest(law(aim.name, assumed), aim.wanted, aim.assurance))
    would = f"; with its values as the truth {true:,} {unit} would do" if true else ""
    return (
        f"the pilot leaves observers possible who never reach it: no number of {unit} "
        f"does so in more than {most:.0%} of sessions{would}"
    )


def _noted(aim: Aim, note: str) -> Aim:
    return replace(aim, note="; ".join(part for part in (aim.note, note) if part))


def _whole(n: float | None) -> int | None:
    return None if n is None else math.ceil(n)
