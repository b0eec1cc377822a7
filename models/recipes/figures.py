"""How good a network is on trials that it did not learn from."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from ...experiments.protocols.parts import Task

Choices = Int[np.ndarray, " trial"]
_FEWEST = 10  # trials of a contrast that kappa can be told from


def chosen(task: Task, variables: Float[np.ndarray, " trial alternative"]) -> Choices:
    """Give the choices that decision variables make: the largest, or "yes" above 0."""
    if task.takes_largest:
        return variables.argmax(1)
    return (variables[:, 0] > 0).astype(np.int64)


def as_choices(task: Task, responses: Int[np.ndarray, " trial"]) -> Choices:
    """Give responses as choices: of a rating, which of the two classes it says."""
    if task.takes_largest:
        return responses
    return (responses >= len(task.keys) / 2).astype(np.int64)


@dataclass(frozen=True)
class Likeness:
    """How like an observer's the choices of another are.

    Attributes
    ----------
    agreement
        Share of equal choices.
    kappa
        Error consistency: agreement beyond what two observers of these proportions
        correct share by chance, within contrasts. None where it cannot be told.
    """

    agreement: float
    kappa: float | None


def likeness(
    own: Choices,
    others: Choices,
    targets: Choices | None,
    contrast: Float[np.ndarray, " trial"],
) -> Likeness:
    """Compare two observers' choices on the same trials.

    Kappa is Cohen's, of being right [1]_; where no choice is right, of the choices.

    References
    ----------
    .. [1] Geirhos, Meding & Wichmann (2020), NeurIPS 33.

    Examples
    --------
    >>> targets = np.arange(40) % 2
    >>> person = np.where(np.arange(40) < 10, 1 - targets, targets)
    >>> likeness(targets, person, targets, np.full(40, 0.2))  # who is always right
    Likeness(agreement=0.75, kappa=0.0)
    """
    one, other = (own, others)
    if targets is not None:
        one, other = ((each == targets).astype(np.int64) for each in (own, others))
    total, n = 0.0, 0
    for value in np.unique(contrast):
        here = contrast == value
        found = _kappa(one[here], other[here])
        if found is not None:
            total, n = total + found * here.sum(), n + int(here.sum())
    return Likeness(float((own == others).mean()), float(total / n) if n else None)


def _kappa(one: Choices, other: Choices) -> float | None:
    if len(one) < _FEWEST:
        return None
    kinds = np.union1d(one, other)
    by_chance = sum(float((one == k).mean() * (other == k).mean()) for k in kinds)
    if by_chance > 1 - 1e-12:
        return None
    return float(((one == other).mean() - by_chance) / (1 - by_chance))


def dprime_of(task: Task, choices: Choices, targets: Choices) -> float:
    """Give d' of choices, log-linear rates; of unbiased ones in a forced choice."""
    from scipy.special import ndtri

    right = choices == targets
    if not task.is_forced_choice:
        hit, false = (
            (choices[targets == k].sum() + 0.5) / ((targets == k).sum() + 1)
            for k in (1, 0)
        )
        return float(ndtri(hit) - ndtri(false))
    m = len(task.keys)
    rate = (right.sum() + 1 / m) / (len(right) + 1)
    return float(math.sqrt(2) * ndtri(rate)) if m == 2 else _of_many(float(rate), m)


def _of_many(rate: float, m: int) -> float:
    """Invert the proportion correct of the largest of m."""
    from scipy.optimize import brentq

    found = brentq(lambda d: _largest_of(d, m) - rate, -8.0, 12.0)
    return float(np.asarray(found).item())


def _largest_of(dprime: float, m: int) -> float:
    """Give the chance that the target is the largest: E[Phi(d' + z)^(m - 1)]."""
    from scipy.special import ndtr

    places, weights = np.polynomial.hermite_e.hermegauss(80)
    weights = weights / weights.sum()
    return float(weights @ ndtr(dprime + places) ** (m - 1))


def implied_correct(task: Task, dprime: float) -> float:
    """Give the proportion correct of an unbiased observer of this d'.

    Examples
    --------
    >>> import yoked
    >>> task = yoked.load_protocol("bar-in-noise").task
    >>> round(implied_correct(task, 1.0), 6)
    0.76025
    """
    from scipy.special import ndtr

    if not task.is_forced_choice:
        return float(ndtr(dprime / 2))
    m = len(task.keys)
    if m == 2:
        return float(ndtr(dprime / math.sqrt(2)))
    return _largest_of(dprime, m)


@dataclass(frozen=True)
class KernelFigures:
    """How like another kernel a network's is, and what it says of the task.

    Attributes
    ----------
    first, second
        Cosine with the true kernel of order one and two; None for an order that is not
        learnt.
    shuffled_first, shuffled_second
        Cosine with the shuffled one, where that was learnt.
    signal
        Cosine of the network's first-order kernel with the signal.
    implied_correct
        Proportion correct of a linear observer whose kernel has that cosine: in white
        noise its d' is the ideal observer's times the cosine (Murray, Bennett & Sekuler
        2005 [1]_). None where no response is correct, noise is not white, or the signal
        varies.

    References
    ----------
    .. [1] Murray, Bennett & Sekuler (2005), J. Vision 5(2):5, 139-149.
    """

    first: float | None
    second: float | None
    shuffled_first: float | None = None
    shuffled_second: float | None = None
    signal: float | None = None
    implied_correct: float | None = None

    @property
    def brief(self) -> str:
        """The cosines in a few words."""
        true, shuffled = (self.first, self.second), ()
        if self.shuffled_first is not None or self.shuffled_second is not None:
            shuffled = (self.shuffled_first, self.shuffled_second)
        words = f"cosine {_listed(true)}"
        return words + (f" (shuffled {_listed(shuffled)})" if shuffled else "")


def _listed(values: tuple[float | None, ...]) -> str:
    return " and ".join(f"{each:.3f}" for each in values if each is not None)


@dataclass(frozen=True)
class HeldOutFigures:
    """How good a network is on held-out trials.

    Attributes
    ----------
    n
        Trials.
    loss
        Of the goal: cross entropy of what it was to learn, in nats a trial; of a kernel
        1 less the cosine, and what the task counts beside.
    proportion_correct, dprime
        Of the network; None where no response is correct.
    observer
        How like the shadowed observer's its choices are; None where the goal is a task.
    always_right
        The same of an observer that is always right, which has no kappa with anybody.
    ceiling
        The same of the shadowed observer without its internal noise, which no network
        can exceed; None where it is not known.
    kernel
        How like the kernel that was learnt its own is; None where the goal is none.
    """

    n: int
    loss: float
    proportion_correct: float | None
    dprime: float | None
    observer: Likeness | None = None
    always_right: Likeness | None = None
    ceiling: Likeness | None = None
    kernel: KernelFigures | None = None

    def to_dict(self) -> dict[str, Any]:
        """Give all of it as plain data."""
        found = asdict(self)
        if self.kernel is None:
            del found["kernel"]
        return found

    @property
    def brief(self) -> str:
        """What a progress bar says besides the loss."""
        if self.kernel is not None:
            return self.kernel.brief
        if self.observer is None:
            return f"d' {self.dprime:.2f}"
        kappa = self.observer.kappa
        told = "-" if kappa is None else f"{kappa:.3f}"
        return f"agreement {self.observer.agreement:.3f}, kappa {told}"

    def sentence(self) -> str:
        """Say it in one line."""
        line = f"held out, {self.n} trials: loss {self.loss:.4f}"
        if self.dprime is not None:
            line += f", d' {self.dprime:.2f}, correct {self.proportion_correct:.3f}"
        if self.kernel is not None:
            line += f"; kernel: {self.kernel.brief}"
            if self.kernel.implied_correct is not None:
                line += f", implies correct {self.kernel.implied_correct:.3f}"
        for name, each in (
            ("with the observer", self.observer),
            ("always right", self.always_right),
            ("its ceiling", self.ceiling),
        ):
            if each is not None:
                kappa = "-" if each.kappa is None else f"{each.kappa:.3f}"
                line += f"; {name}: agreement {each.agreement:.3f}, kappa {kappa}"
        return line
