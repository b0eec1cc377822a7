"""What a plan assumes: a protocol, and the observer that would sit before it.

The observer is linear. Its template has some efficiency (squared cosine with the ideal
template), its decisions have internal noise gamma; so its d' is the ideal one times
sqrt(efficiency / (1 + gamma^2)). On a lapse it guesses; it may prefer an answer; and
what a kernel shows of its decisions may be less than what is consistent in them.
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri, owens_t
from scipy.stats import truncnorm

from ...analysis.double_pass.internal_noise import r_from_gamma
from ...analysis.sensitivity.ideal import ideal_dprime, signal_difference
from ...experiments.protocols.checks import ProtocolError
from ...experiments.protocols.image_kinds import images_of
from ...experiments.protocols.parts import FULL_CONTRAST
from ...experiments.protocols.protocol import Protocol

GAMMA = 1.35  # of an observer of whom nothing is known
EFFICIENCY = 0.5
MOST_CORRECT = 0.99  # beyond it errors are too few to plan with
MOST_LAPSES = 0.5  # beyond it hardly anything of the observer is left
MOST_CRITERION = 3.0
_NEARLY_ONE = 1 - 1e-6  # of a contrast among several, where errors never come


@dataclass(frozen=True)
class Situation:
    """A protocol and an observer, at known proportions correct.

    Attributes
    ----------
    protocol
        As it is simulated: the main blocks at fixed contrasts.
    gamma, efficiency
        Of the observer.
    contrasts, proportions
        Contrasts of the main trials, and the proportion correct at each.
    reason
        Where these are from, in words.
    lapses
        Probability of a guess on every showing.
    criterion
        In yes/no c, above 0 for fewer "yes"; in 2AFC the interval bias, above 0 for
        more "second".
    linear_share
        Share of the decision's variance that is linear in the noise; None: all that is
        consistent.
    is_held
        Whether the contrast follows the observer, so that it is correct as often
        however well it sees.
    """

    protocol: Protocol
    gamma: float
    efficiency: float
    contrasts: tuple[float, ...]
    proportions: tuple[float, ...]
    reason: str
    lapses: float = 0.0
    criterion: float = 0.0
    linear_share: float | None = None
    is_held: bool = False

    @property
    def n_elements(self) -> int:
        """Elements of the noise, or its coefficients, and so of the kernel."""
        noise = self.protocol.noise
        if noise.basis is not None:
            return images_of(noise.basis, noise.grid).n
        return math.prod(noise.grid)

    @property
    def is_forced_choice(self) -> bool:
        """Whether the task is 2AFC; yes/no or rating otherwise."""
        return self.protocol.task.is_forced_choice

    @property
    def n_trials(self) -> int:
        """Main trials of the protocol, second showings included."""
        return self.protocol.n_main_trials

    @property
    def n_pairs(self) -> int:
        """Double-pass pairs of the protocol."""
        return self.protocol.double_pass.n_pairs

    @property
    def middle(self) -> int:
        """Which contrast is the (lower) median."""
        order = np.argsort(self.contrasts)
        return int(order[(len(order) - 1) // 2])

    @property
    def pair_share(self) -> float:
        """Pairs per trial."""
        return self.n_pairs / self.n_trials

    @property
    def consistent(self) -> float:
        """Share of the decision's variance that returns with the same noise."""
        return r_from_gamma(self.gamma)

    @property
    def linear(self) -> float:
        """Share of the decision's variance that a kernel shows."""
        return self.consistent if self.linear_share is None else self.linear_share

    @cached_property
    def thresholds(self) -> Float[np.ndarray, " contrast class"]:
        """Phi^-1 of being correct when attentive, of each class at each contrast."""
        return np.array(
            [_classes(self._middle_of(p), self.criterion) for p in self.proportions]
        )

    @cached_property
    def rates(self) -> Float[np.ndarray, " contrast class"]:
        """How often it is correct, lapses included."""
        return (1 - self.lapses) * ndtr(self.thresholds) + self.lapses / 2

    @cached_property
    def likeness(self) -> tuple[float, ...]:
        """Correlation of being correct on two showings of a trial, by contrast."""
        return tuple(
            pair_correlation(p, self.gamma, self.lapses) for p in self.proportions
        )

    @cached_property
    def design_effects(self) -> tuple[float, ...]:
        """How many times more trials the double pass makes necessary, by contrast.

        1 + 2 s k: s pairs per trial, k the correlation of correct on two showings.
        """
        return tuple(1 + 2 * self.pair_share * k for k in self.likeness)

    def seeing(self, factor: float) -> "Situation":
        """Return the same with d' so many times as large at every contrast."""
        proportions = tuple(
            _proportion(factor * self._middle_of(p), self.criterion, self.lapses)
            for p in self.proportions
        )
        return replace(self, proportions=proportions)

    @property
    def bare(self) -> "Situation":
        """The same observer, attentive, without bias, and all linear."""
        middles = [self._middle_of(p) for p in self.proportions]
        proportions = tuple(_proportion(middle, 0.0, 0.0) for middle in middles)
        return replace(
            self, proportions=proportions, lapses=0.0, criterion=0.0, linear_share=None
        )

    def _middle_of(self, proportion_correct: float) -> float:
        return middle_for(proportion_correct, self.criterion, self.lapses)


def situation(
    protocol: Protocol,
    gamma: float = GAMMA,
    efficiency: float = EFFICIENCY,
    contrast: float | None = None,
    proportion_correct: float | None = None,
    lapses: float = 0.0,
    criterion: float = 0.0,
) -> Situation:
    """Settle at which contrasts, and how often correct, the observer will be.

    A given contrast is shown throughout. A given proportion correct, or else the one
    that the protocol's calibration aims at, is reached at the contrast where this
    observer has it. Otherwise the protocol's contrasts are shown.

    Raises
    ------
    ValueError
        If the task has more than two alternatives, the observer is impossible or hardly
        ever wrong, or the contrast that it needs cannot be shown.

    Examples
    --------
    >>> from yoked.experiments.protocols.files import load_protocol
    >>> assumed = situation(load_protocol("bar-in-noise"))
    >>> assumed.proportions, round(127 * assumed.contrasts[0])
    ((0.75,), 29)
    """
    _check(protocol, gamma, efficiency)
    _check_answers(lapses, criterion)
    if contrast is not None and proportion_correct is not None:
        got = f"{contrast:g} and {proportion_correct:g}"
        raise ValueError(f"give contrast or proportion correct, not both; got {got}")
    reason, values = "as asked", protocol.contrast.values
    calibrates = any(block.kind == "calibration" for block in protocol.blocks)
    calibrates = calibrates or protocol.contrast.is_adaptive
    if contrast is None and proportion_correct is None and calibrates:
        proportion_correct = protocol.contrast.target_correct
        reason = "the calibration's aim"
    if proportion_correct is not None:
        _check_proportion(proportion_correct, "ask for less")
        who = (gamma, efficiency, proportion_correct, lapses, criterion)
        contrast = contrast_for(protocol, *who)
    elif contrast is None and len(values) > 1:
        reason = f"at the protocol's {len(values)} contrasts"
    elif contrast is None:
        contrast, reason = min(values), "at the protocol's contrast"
    if contrast is not None:
        protocol, values = protocol.with_options(contrast=contrast), (contrast,)
    proportions = tuple(
        proportion_at(protocol, gamma, efficiency, c, lapses, criterion) for c in values
    )
    if proportion_correct is not None:
        proportions = (proportion_correct,)
    elif len(proportions) == 1:
        _check_proportion(proportions[0], "take a lower contrast")
    known = (protocol, gamma, efficiency, values, proportions, reason)
    is_held = proportion_correct is not None
    return Situation(*known, lapses, criterion, is_held=is_held)


def proportion_at(
    protocol: Protocol,
    gamma: float,
    efficiency: float,
    contrast: float,
    lapses: float = 0.0,
    criterion: float = 0.0,
) -> float:
    """Return how often the observer is correct at a contrast.

    Examples
    --------
    >>> from yoked.experiments.protocols.files import load_protocol
    >>> round(proportion_at(load_protocol("bar-in-noise"), 1.35, 0.5, 0.227), 3)
    0.752
    """
    dprime = math.sqrt(efficiency / (1 + gamma**2)) * ideal(protocol, contrast)
    return _proportion(dprime / _looks(protocol), criterion, lapses)


def contrast_for(
    protocol: Protocol,
    gamma: float,
    efficiency: float,
    proportion_correct: float,
    lapses: float = 0.0,
    criterion: float = 0.0,
) -> float:
    """Return the displayable contrast nearest to this proportion correct.

    Raises
    ------
    ValueError
        If the protocol cannot show it.
    """
    dprime = _looks(protocol) * middle_for(proportion_correct, criterion, lapses)
    wanted = dprime * math.sqrt((1 + gamma**2) / efficiency)
    highest = max(protocol.contrast.highest_shown, 1 / FULL_CONTRAST)
    exact = wanted / ideal(protocol, highest) * highest
    shown = round(FULL_CONTRAST * exact) / FULL_CONTRAST
    try:
        if shown > 1:
            raise ProtocolError([f"contrast must be at most 1, got {shown:.3g}"])
        protocol.with_options(contrast=shown)
    except ProtocolError as error:
        who = f"gamma {gamma:g} and efficiency {efficiency:g}"
        raise ValueError(
            f"{proportion_correct:.0%} correct must be possible for an observer with "
            f"{who}, but {error}"
        ) from error
    return shown


def ideal(protocol: Protocol, contrast: float) -> float:
    """Return d' of the ideal observer; in published noise, that is cut off, linear."""
    noise = protocol.noise
    if noise.source == "yoked-1":
        return ideal_dprime(protocol, contrast)
    shown = signal_difference(protocol, contrast, is_quantised=False)
    sd = noise.sd * float(truncnorm.std(-noise.truncate_sd, noise.truncate_sd))
    return float(np.linalg.norm(shown)) / sd


def pair_correlation(
    proportion_correct: float, gamma: float, lapses: float = 0.0
) -> float:
    """Return the correlation of being correct on the two showings of a trial.

    (P_agree - Pc^2 - (1 - Pc)^2) / (2 Pc (1 - Pc)), 1 without internal noise.

    Examples
    --------
    >>> round(pair_correlation(0.75, gamma=1.0), 3)
    0.308
    """
    p, kept = proportion_correct, 1 - lapses
    attentive = middle_for(p, 0.0, lapses)
    differ = float(disagreement(attentive, r_from_gamma(gamma), kept))
    return (1 - differ - p**2 - (1 - p) ** 2) / (2 * p * (1 - p))


def disagreement(
    z: float | Float[np.ndarray, " ..."],
    r: float | Float[np.ndarray, " ..."],
    kept: float,
) -> Float[np.ndarray, " ..."]:
    """Return how often two showings get different responses, lapses included."""
    r = np.asarray(r, np.float64)
    attentive = 4 * owens_t(z, np.sqrt((1 - r) / (1 + r)))
    return np.asarray(kept**2 * attentive + (1 - kept**2) / 2)


def middle_for(
    proportion_correct: float, criterion: float = 0.0, lapses: float = 0.0
) -> float:
    """Return the mean of Phi^-1(correct) over the two classes of attentive showings.

    Raises
    ------
    ValueError
        If an observer who lapses so often cannot be correct so often.

    Examples
    --------
    >>> round(middle_for(0.75), 4), round(middle_for(0.75, criterion=0.5), 4)
    (0.6745, 0.7622)
    """
    attentive = (proportion_correct - lapses / 2) / (1 - lapses)
    if attentive > 1 - 1e-9:
        rule = f"less than {1 - lapses / 2:.3g} with {lapses:.0%} lapses"
        raise ValueError(f"proportion correct must be {rule}, got {proportion_correct}")
    if not criterion:
        return float(ndtri(attentive))

    def excess(middle: float) -> float:
        return float(ndtr(_classes(middle, criterion)).mean()) - attentive

    return float(brentq(excess, -8.0, 8.0 + abs(criterion), xtol=1e-12))  # pyright: ignore[reportArgumentType]


def _classes(middle: float, criterion: float) -> Float[np.ndarray, " class"]:
    """Phi^-1 of correct where the target is, or is first, and where it is not."""
    return np.array([middle - criterion, middle + criterion])


def _proportion(middle: float, criterion: float, lapses: float) -> float:
    """Return how often correct, lapses included, and hardly ever always."""
    attentive = float(ndtr(_classes(middle, criterion)).mean())
    return (1 - lapses) * min(attentive, _NEARLY_ONE) + lapses / 2


def _looks(protocol: Protocol) -> float:
    """Return d' / z of proportion correct: root of 2 for intervals, 2 for classes."""
    return math.sqrt(2) if protocol.task.is_forced_choice else 2.0


def _check(protocol: Protocol, gamma: float, efficiency: float) -> None:
    if protocol.task.n_targets > 2:
        rule = "of two alternatives to be planned"
        raise ValueError(f"the task must be {rule}, got {protocol.task.n_targets}")
    if protocol.places.count > 1:
        rule = "one to plan with, since a linear observer looks at one"
        raise ValueError(f"places must be {rule}, got {protocol.places.count}")
    if not 0 <= gamma < math.inf:
        raise ValueError(f"gamma must be 0 or more, got {gamma:g}")
    if not 0 < efficiency < math.inf:
        raise ValueError(f"efficiency must be more than 0, got {efficiency:g}")
    if math.prod(protocol.noise.grid) < 2:
        raise ValueError("the noise must have two elements or more, got 1")


def _check_answers(lapses: float, criterion: float) -> None:
    if not 0 <= lapses <= MOST_LAPSES:
        rule = f"from 0 to {MOST_LAPSES:g}"
        raise ValueError(f"lapses must be {rule}, got {lapses:g}")
    if not abs(criterion) <= MOST_CRITERION:
        rule = f"from -{MOST_CRITERION:g} to {MOST_CRITERION:g}"
        raise ValueError(f"criterion must be {rule}, got {criterion:g}")


def _check_proportion(value: float, advice: str) -> None:
    if not 0.5 <= value <= MOST_CORRECT:
        rule = f"from 0.5 to {MOST_CORRECT:g}"
        raise ValueError(
            f"proportion correct must be {rule}, got {value:.4g}; an observer that is "
            f"hardly ever wrong cannot be planned for: {advice}"
            if value > MOST_CORRECT
            else f"proportion correct must be {rule}, got {value:.4g}"
        )
