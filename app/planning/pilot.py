"""A session as a pilot: what it tells of the observer to plan for, and how surely.

Everything is taken at face value: what lapses did to the pilot's numbers they will do
to those of the sessions to come. The pilot's own errors are normal, about d' and about
the shares of the decision's variance; over them the laws of the sessions are averaged.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...analysis.double_pass.internal_noise import gamma_from_r
from ...analysis.double_pass.lapses import lapse_rate
from ...analysis.double_pass.smooth_thresholds import LIKELIHOOD, why_no_gamma
from ...analysis.kernels.linear_share import LINEAR_SHARE, linear_share
from ...analysis.sensitivity.by_task import criterion
from ...analysis.sensitivity.efficiency import absolute_efficiency
from ...analysis.trials.estimate import Z95, CannotTell, Estimate, mapped
from ...analysis.trials.responses import SessionLike, responses
from ...experiments.protocols.protocol import Protocol
from .power import MOST_GAMMA, Beliefs
from .situation import EFFICIENCY, GAMMA, MOST_CRITERION, Situation, situation

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(7)
_LEAST, _MOST = 1e-4, 0.999  # of a share of variance that one can be planned for


@dataclass(frozen=True)
class Pilot:
    """What a session tells of its observer.

    Attributes
    ----------
    session, task
        Its id, and its task.
    absolute
        (d' / ideal d')^2.
    consistent
        r of its double pass.
    linear
        Share of the decision's variance that its kernel shows.
    lapses
        By its catch trials; they are in the other numbers already.
    criterion
        Of yes/no; of 2AFC the interval bias.
    """

    session: str
    task: str
    absolute: Estimate
    consistent: Estimate
    linear: Estimate
    lapses: Estimate
    criterion: Estimate

    @property
    def gamma(self) -> Estimate:
        """Internal noise, with the limits of r."""
        formula = self.consistent.formula.replace("r-", "gamma-", 1)
        return mapped(self.consistent, gamma_from_r, formula)

    def why_no_efficiency(self, gamma: float | None = None) -> str | None:
        """Return why d' tells no efficiency at this internal noise, or None.

        Parameters
        ----------
        gamma
            Known from elsewhere; by default the pilot's, or what is assumed.
        """
        if gamma is None:
            tells_noise = not _why_no_gamma(self.consistent)
            gamma = _valued(self.gamma) if tells_noise else GAMMA
        return _why_no_efficiency(self.absolute, gamma)

    @property
    def untold(self) -> tuple[str, ...]:
        """A sentence for each thing that it cannot tell, and what is assumed."""
        told = (
            ("efficiency", self.why_no_efficiency(), f"{EFFICIENCY:g}"),
            ("gamma", _why_no_gamma(self.consistent), f"{GAMMA:g}"),
            ("linear share", _why_no_linear(self.linear), "all that is consistent"),
            ("criterion", _why_no_criterion(self.criterion), "0"),
        )
        return tuple(
            f"it cannot tell the {name} ({why}): {default} is assumed"
            for name, why, default in told
            if why
        )


def read_pilot(session: SessionLike) -> Pilot:
    """Return what a session, imported or own, tells of its observer.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> observer = yoked.load_observer("template", efficiency=0.5)
    >>> session = yoked.run(protocol, observer, seed=1, internal_noise=1.0)
    >>> pilot = read_pilot(session)
    >>> pilot.gamma.low < 1 < pilot.gamma.high
    True
    """
    counted = responses(session)
    try:
        shares = linear_share(session)
        consistent, linear = shares.consistent, shares.linear
    except CannotTell as reason:
        n, why = len(counted), str(reason)
        consistent = Estimate.missing(f"r-{LIKELIHOOD}", why, n)
        linear = Estimate.missing(LINEAR_SHARE, why, n)
    return Pilot(
        session=session.id,
        task=counted.task,
        absolute=absolute_efficiency(session).pooled,
        consistent=consistent,
        linear=linear,
        lapses=lapse_rate(session),
        criterion=criterion(counted),
    )


def situation_of(
    pilot: Pilot,
    protocol: Protocol,
    gamma: float | None = None,
    efficiency: float | None = None,
    contrast: float | None = None,
    proportion_correct: float | None = None,
) -> Situation:
    """Return a protocol before the pilot's observer, its values taken as the truth.

    Parameters
    ----------
    gamma, efficiency
        Known from elsewhere, instead of the pilot's.
    contrast, proportion_correct
        As for `situation`.

    Raises
    ------
    ValueError
        If the pilot cannot tell a thing about the observer, its task is another one,
        or as `situation`.
    """
    if pilot.task not in (protocol.task.kind, *_LIKE.get(protocol.task.kind, ())):
        rule = f"of the task {protocol.task.kind} to plan for it"
        raise ValueError(f"the pilot must be {rule}, got {pilot.task}")
    tells_noise = not _why_no_gamma(pilot.consistent)
    tells_eye = not pilot.why_no_efficiency(gamma)
    if not tells_noise and not tells_eye:
        rule = "trials enough to tell d' or internal noise"
        untold = "; ".join(pilot.untold[:2])
        raise ValueError(f"the pilot must have {rule}, got {pilot.session}: {untold}")
    if gamma is None:
        gamma = _valued(pilot.gamma) if tells_noise else GAMMA
    if efficiency is None:
        efficiency = EFFICIENCY
        if tells_eye:
            efficiency = _valued(pilot.absolute) * (1 + gamma**2)
    bias = 0.0 if _why_no_criterion(pilot.criterion) else _valued(pilot.criterion)
    assumed = situation(
        protocol, gamma, efficiency, contrast, proportion_correct, criterion=bias
    )
    if not _why_no_linear(pilot.linear):
        share = min(_valued(pilot.linear), _MOST)
        assumed = replace(assumed, linear_share=share)
    return assumed


_LIKE = {"yes_no": ("rating",), "rating": ("yes_no",)}


def beliefs(pilot: Pilot, assumed: Situation, knows_gamma: bool = False) -> Beliefs:
    """Return the situations that a pilot leaves possible, with weights, by aim.

    Seven values (Gauss-Hermite) of each quantity that an aim depends on: of d', where
    no calibration holds the proportion correct; of r; of the linear share.

    Parameters
    ----------
    knows_gamma
        Whether gamma is not the pilot's, but known.
    """
    seen: Sequence[tuple[float, Situation]] = [(1.0, assumed)]
    if not assumed.is_held and not pilot.why_no_efficiency(assumed.gamma):
        eyes = _values(pilot.absolute, _root_error(pilot.absolute), 0.02)
        seen = [(weight, assumed.seeing(factor)) for weight, factor in eyes]
    noise = None if knows_gamma or _why_no_gamma(pilot.consistent) else pilot.consistent
    noisy = [
        (w * v, replace(each, gamma=gamma_from_r(r)))
        for w, each in seen
        for v, r in _shares(noise, assumed.consistent)
    ]
    kernels = noisy
    if assumed.linear_share is not None:
        kernels = [
            (w * v, replace(each, linear_share=share))
            for w, each in seen
            for v, share in _shares(pilot.linear, assumed.linear_share)
        ]
    return {"kernel": kernels, "dprime": noisy, "gamma": noisy, "eigenvalue": seen}


def _shares(found: Estimate | None, value: float) -> list[tuple[float, float]]:
    """Weights and values of a share of variance: two half normals, inside 0 to 1."""
    if found is None:
        return [(1.0, value)]
    low, high = _limits(found)
    arms = ((value - low) / Z95, (high - value) / Z95)
    places = [value + x * arms[int(x > 0)] for x in _NODES]
    return [
        (float(w), min(max(place, _LEAST), _MOST))
        for w, place in zip(_WEIGHTS, places, strict=True)
    ]


def _values(
    found: Estimate, relative_error: float, least: float
) -> list[tuple[float, float]]:
    """Weights and factors about 1."""
    factors = np.maximum(1 + relative_error * _NODES, least)
    return list(zip(_WEIGHTS.tolist(), factors.tolist(), strict=True))


def _root_error(found: Estimate) -> float:
    """Return the relative SE of d', half of that of its square."""
    low, high = _limits(found)
    return (math.sqrt(high) - math.sqrt(max(low, 0))) / (
        2 * Z95 * math.sqrt(_valued(found))
    )


def _why_no_efficiency(found: Estimate, gamma: float) -> str | None:
    """The efficiency but for internal noise; none has more than 1."""
    if found.value is None or found.low is None:
        return found.note
    if found.low <= 0:
        return "d' may be 0"
    least = found.low * (1 + gamma**2)
    if least > 1:
        return f"with gamma {gamma:.3g} it would be {least:.3g} or more, above 1"
    return None


def _why_no_gamma(found: Estimate) -> str | None:
    if found.value is None or found.low is None or found.high is None:
        return found.note
    se = found.se if found.se is not None else (found.high - found.low) / (2 * Z95)
    if reason := why_no_gamma(found.n, se):
        return reason
    gamma = gamma_from_r(found.value)
    return (
        None if gamma <= MOST_GAMMA else f"it seems to be {gamma:.3g}, beyond any use"
    )


def _why_no_linear(found: Estimate) -> str | None:
    if found.value is None:
        return found.note
    return None if found.value > _LEAST else "there is too little of a kernel"


def _why_no_criterion(found: Estimate) -> str | None:
    if found.value is None:
        return found.note
    if not all(map(math.isfinite, _limits(found))):
        return "its interval has no end"
    return None if abs(found.value) <= MOST_CRITERION else "it is beyond all stimuli"


def _valued(found: Estimate) -> float:
    assert found.value is not None  # or it would have been refused
    return found.value


def _limits(found: Estimate) -> tuple[float, float]:
    assert found.low is not None
    assert found.high is not None
    return found.low, found.high
