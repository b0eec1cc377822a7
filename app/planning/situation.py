"""What a plan assumes: a protocol, and the observer that would sit before it.

The observer is linear. Its template has some efficiency (squared cosine with the ideal
template), its decisions have internal noise gamma; so its d' is the ideal one times
sqrt(efficiency / (1 + gamma^2)).
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtr, ndtri
from scipy.stats import truncnorm

from ...analysis.double_pass.internal_noise import agreement_probability, r_from_gamma
from ...analysis.sensitivity.ideal import ideal_dprime, signal_difference
from ...experiments.protocols.checks import ProtocolError
from ...experiments.protocols.parts import FULL_CONTRAST
from ...experiments.protocols.protocol import Protocol

MOST_CORRECT = 0.99  # beyond it errors are too few to plan with
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
    """

    protocol: Protocol
    gamma: float
    efficiency: float
    contrasts: tuple[float, ...]
    proportions: tuple[float, ...]
    reason: str

    @property
    def n_elements(self) -> int:
        """Elements of the noise, and so of the kernel."""
        return math.prod(self.protocol.noise.grid)

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

    @cached_property
    def design_effects(self) -> tuple[float, ...]:
        """How many times more trials the double pass makes necessary, by contrast.

        1 + 2 s k: s pairs per trial, k the correlation of correct on two showings.
        """
        share = self.n_pairs / self.n_trials
        return tuple(
            1 + 2 * share * pair_correlation(p, self.gamma) for p in self.proportions
        )


def situation(
    protocol: Protocol,
    gamma: float = 1.35,
    efficiency: float = 0.5,
    contrast: float | None = None,
    proportion_correct: float | None = None,
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
    if contrast is not None and proportion_correct is not None:
        got = f"{contrast:g} and {proportion_correct:g}"
        raise ValueError(f"give contrast or proportion correct, not both; got {got}")
    reason, values = "as asked", protocol.contrast.values
    calibrates = any(block.kind == "calibration" for block in protocol.blocks)
    if contrast is None and proportion_correct is None and calibrates:
        proportion_correct = protocol.contrast.target_correct
        reason = "the calibration's aim"
    if proportion_correct is not None:
        _check_proportion(proportion_correct, "ask for less")
        contrast = contrast_for(protocol, gamma, efficiency, proportion_correct)
    elif contrast is None and len(values) > 1:
        reason = f"at the protocol's {len(values)} contrasts"
    elif contrast is None:
        contrast, reason = min(values), "at the protocol's contrast"
    if contrast is not None:
        protocol, values = protocol.with_options(contrast=contrast), (contrast,)
    proportions = tuple(proportion_at(protocol, gamma, efficiency, c) for c in values)
    if proportion_correct is not None:
        proportions = (proportion_correct,)
    elif len(proportions) == 1:
        _check_proportion(proportions[0], "take a lower contrast")
    return Situation(protocol, gamma, efficiency, values, proportions, reason)


def proportion_at(
    protocol: Protocol, gamma: float, efficiency: float, contrast: float
) -> float:
    """Return how often the observer is correct at a contrast, without bias.

    Examples
    --------
    >>> from yoked.experiments.protocols.files import load_protocol
    >>> round(proportion_at(load_protocol("bar-in-noise"), 1.35, 0.5, 0.227), 3)
    0.752
    """
    dprime = math.sqrt(efficiency / (1 + gamma**2)) * ideal(protocol, contrast)
    return min(float(ndtr(dprime / _looks(protocol))), _NEARLY_ONE)


def contrast_for(
    protocol: Protocol, gamma: float, efficiency: float, proportion_correct: float
) -> float:
    """Return the displayable contrast nearest to this proportion correct.

    Raises
    ------
    ValueError
        If the protocol cannot show it.
    """
    dprime = _looks(protocol) * float(ndtri(proportion_correct))
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


def pair_correlation(proportion_correct: float, gamma: float) -> float:
    """Return the correlation of being correct on the two showings of a trial.

    (P_agree - Pc^2 - (1 - Pc)^2) / (2 Pc (1 - Pc)), 1 without internal noise.

    Examples
    --------
    >>> round(pair_correlation(0.75, gamma=1.0), 3)
    0.308
    """
    p = proportion_correct
    agree = float(agreement_probability(float(ndtri(p)), r_from_gamma(gamma)))
    return (agree - p**2 - (1 - p) ** 2) / (2 * p * (1 - p))


def _looks(protocol: Protocol) -> float:
    """Return d' / z of proportion correct: root of 2 for intervals, 2 for classes."""
    return math.sqrt(2) if protocol.task.is_forced_choice else 2.0


def _check(protocol: Protocol, gamma: float, efficiency: float) -> None:
    if protocol.task.n_targets > 2:
        rule = "of two alternatives to be planned"
        raise ValueError(f"the task must be {rule}, got {protocol.task.n_targets}")
    if not 0 <= gamma < math.inf:
        raise ValueError(f"gamma must be 0 or more, got {gamma:g}")
    if not 0 < efficiency <= 1:
        raise ValueError(f"efficiency must be in (0, 1], got {efficiency:g}")
    if math.prod(protocol.noise.grid) < 2:
        raise ValueError("the noise must have two elements or more, got 1")


def _check_proportion(value: float, advice: str) -> None:
    if not 0.5 <= value <= MOST_CORRECT:
        rule = f"from 0.5 to {MOST_CORRECT:g}"
        raise ValueError(
            f"proportion correct must be {rule}, got {value:.4g}; an observer that is "
            f"hardly ever wrong cannot be planned for: {advice}"
            if value > MOST_CORRECT
            else f"proportion correct must be {rule}, got {value:.4g}"
        )
