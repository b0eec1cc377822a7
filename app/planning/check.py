"""A plan put to the test: sessions simulated through the real session code.

For every aim, sessions of the planned length are run with the assumed observer, as
`yoked simulate` runs them, and analysed as any session is. What they give stands beside
what the closed form promised.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri

from ...analysis.double_pass.smooth_thresholds import internal_noise
from ...analysis.kernels.weighted_sum import (
    first_order_kernel,
    template_match,
)
from ...analysis.second_order.replicates import observed
from ...analysis.sensitivity.by_task import dprime
from ...analysis.trials.design import TrialDesign
from ...analysis.trials.estimate import CannotTell, Estimate
from ...analysis.trials.responses import responses
from ...experiments.protocols.parts import FULL_CONTRAST
from ...experiments.session.observer import Observer
from ...experiments.session.results import SessionData
from ...experiments.stimulus.seeds import derived_seed
from ...models.observers.template import Template
from ...models.simulate import run
from .kernel_laws import chance_limit, trials_at_edge
from .observer import (
    LEAST_GAMMA,
    SquaringTemplate,
    bend_for,
    exact_responses,
    signal_for,
)
from .power import Aim, share_reached, value_at
from .situation import Situation, ideal, proportion_at

SESSIONS = 20
QUICK_TRIALS = 50_000  # over all sessions of an aim, unless asked for otherwise
FEWEST = 5  # sessions that say anything
Update = Callable[[int, int], None]


@dataclass(frozen=True)
class Check:
    """What simulated sessions gave.

    Attributes
    ----------
    n_sessions, n_trials, n_pairs
        Sessions, and main trials and pairs of each.
    predicted
        By the closed form, at so many trials.
    median
        Over sessions; infinite if half of the intervals have no end.
    mean, sd
        Over sessions with a finite value; None without any.
    n_infinite
        Sessions whose interval has no end.
    predicted_reached, reached
        Share of sessions that reach the aim, by the closed form and as found. With an
        eigenvalue: those of an observer who has it that are beyond what chance exceeds
        in 5 %.
    coverage
        Share of sessions whose 95 % interval holds the truth (d', gamma).
    false_alarms
        Share of sessions beyond the same limit without second order.
    note
        Why there is no check, or what it cannot say.
    """

    n_sessions: int = 0
    n_trials: int = 0
    n_pairs: int = 0
    predicted: float | None = None
    median: float | None = None
    mean: float | None = None
    sd: float | None = None
    n_infinite: int = 0
    predicted_reached: float | None = None
    reached: float | None = None
    coverage: float | None = None
    false_alarms: float | None = None
    note: str | None = None


def check(
    aim: Aim,
    assumed: Situation,
    n_sessions: int | None = None,
    seed: int = 0,
    update: Update | None = None,
) -> Check:
    """Simulate sessions of the length that an aim needs.

    Parameters
    ----------
    n_sessions
        By default 20, or fewer to keep it short.
    seed
        Of the sessions' seeds.
    update
        Called with how many sessions are done, and how many there are.

    Returns
    -------
    Check
        Without numbers, and with a note, where nothing can be simulated.

    Examples
    --------
    >>> from yoked.app.planning.power import Wanted, aims
    >>> from yoked.app.planning.situation import situation
    >>> from yoked.experiments.protocols.files import load_protocol
    >>> assumed = situation(load_protocol("bar-in-noise"))
    >>> (kernel,) = aims(assumed, Wanted(0.9, None, None, None))
    >>> found = check(kernel, assumed, n_sessions=5)
    >>> abs(found.mean - found.predicted) < 0.1
    True
    """
    if reason := _why_not(aim, assumed, n_sessions):
        return Check(note=reason)
    assert aim.n_trials is not None  # or there would be a reason
    if n_sessions is None:
        n_sessions = min(SESSIONS, QUICK_TRIALS // aim.n_trials)
    sessions = _Sessions(aim, assumed.bare, n_sessions, seed, update)
    kinds = {"kernel": _cosines, "dprime": _dprimes, "gamma": _gammas}
    found = kinds.get(aim.name, _eigenvalues)(sessions)
    if assumed == assumed.bare:
        return found
    note = "simulated without the lapses, the bias and what is not linear"
    return replace(found, note="; ".join(filter(None, (found.note, note))))


def _why_not(aim: Aim, assumed: Situation, n_sessions: int | None) -> str | None:
    if aim.n_trials is None:
        return "there is no number of trials to be checked"
    if assumed.protocol.noise.source != "yoked-1":
        return "noise of published seeds cannot be made for new sessions"
    if assumed.protocol.noise.basis is not None:
        return "the simulated templates are made for white noise, not noise on a basis"
    if assumed.efficiency > 1:
        return "no template is as sensitive as that with so much internal noise"
    if n_sessions is None and aim.n_trials * FEWEST > QUICK_TRIALS:
        return f"{aim.n_trials:,} trials a session are too many for a quick check"
    return None


@dataclass(frozen=True)
class _Sessions:
    """Sessions to be simulated for an aim."""

    aim: Aim
    assumed: Situation
    n: int
    seed: int
    update: Update | None

    def of(
        self,
        make: Callable[[], Observer],
        measure: Callable[[SessionData, Observer], object],
        contrast: float | None = None,
    ) -> list:
        """Run each session with an observer of its own, and measure it.

        An element is shown as one pixel: a template's sums shrink all alike, its
        responses stay what they are.
        """
        protocol = self.assumed.protocol.with_options(
            trials=self.aim.n_trials, contrast=contrast
        )
        small = replace(protocol.display, element_px=(1, 1))
        protocol = replace(protocol, display=small)
        measured = []
        for number in range(self.n):
            observer = make()
            name = f"{self.aim.name} {observer.name}"
            session = run(
                protocol,
                observer,
                seed=derived_seed("power", self.seed, name, number),
                internal_noise=self.assumed.gamma,
            )
            measured.append(measure(session, observer))
            if self.update is not None:
                self.update(number + 1, self.n)
        return measured

    def linear(self, measure: Callable[[SessionData, Observer], object]) -> list:
        return self.of(lambda: Template(self.assumed.efficiency), measure)

    def found(self, values: list[float], **rest: object) -> Check:
        """Describe the values that sessions gave."""
        assert self.aim.n_trials is not None
        protocol = self.assumed.protocol.with_options(trials=self.aim.n_trials)
        finite = [value for value in values if math.isfinite(value)]
        aim, n = self.aim, self.aim.n_trials
        rest.setdefault("predicted", value_at(aim, self.assumed, n))
        rest.setdefault("predicted_reached", share_reached(aim, self.assumed, n))
        if values and "reached" not in rest:
            more = 1 if aim.name == "kernel" else -1
            rest["reached"] = float(
                np.mean(more * np.array(values) >= more * aim.wanted)
            )
        return Check(
            n_sessions=self.n,
            n_trials=self.aim.n_trials,
            n_pairs=protocol.double_pass.n_pairs,
            median=float(np.median(values)) if values else None,
            mean=float(np.mean(finite)) if finite else None,
            sd=float(np.std(finite, ddof=1)) if len(finite) > 1 else None,
            n_infinite=len(values) - len(finite),
            **rest,  # pyright: ignore[reportArgumentType]
        )


def _cosines(sessions: _Sessions) -> Check:
    """Cosine between the kernel and the template that the observer really has."""

    def measure(session: SessionData, observer: Observer) -> float:
        assert isinstance(observer, Template)
        assert observer.weights is not None  # it has learned
        truth = observer.weights.astype(np.float64)
        found = first_order_kernel(responses(session), session.noise)
        return template_match(found.kernel, truth).cosine

    return sessions.found(sessions.linear(measure))


def _dprimes(sessions: _Sessions) -> Check:
    """Width of the interval of d', and how often it holds the true d'."""
    assumed = sessions.assumed
    contrast = assumed.contrasts[assumed.middle]
    who = (assumed.gamma, assumed.efficiency, contrast)
    spread = math.sqrt(2) if assumed.is_forced_choice else 2.0
    truth = spread * float(ndtri(proportion_at(assumed.protocol, *who)))

    def measure(session: SessionData, observer: Observer) -> Estimate:
        counted = responses(session)
        return dprime(counted.where(counted.contrast == contrast))

    return _intervals(sessions, sessions.linear(measure), truth)


def _gammas(sessions: _Sessions) -> Check:
    """Width of the interval of gamma by likelihood, and how often it holds gamma."""

    def measure(session: SessionData, observer: Observer) -> Estimate:
        return internal_noise(responses(session)).gamma

    return _intervals(sessions, sessions.linear(measure), sessions.assumed.gamma)


def _intervals(sessions: _Sessions, found: list[Estimate], truth: float) -> Check:
    ends = [(e.low, e.high) for e in found if e.low is not None and e.high is not None]
    if not ends:
        return Check(note=f"no session could tell it: {found[0].note}")
    low, high = np.array(ends).T
    widths = np.where(np.isfinite(high), high, np.inf) - low
    holds = (low <= truth) & (truth <= high)
    return sessions.found(list(widths), coverage=float(holds.mean()))


def _eigenvalues(sessions: _Sessions) -> Check:
    """Largest eigenvalue of an observer who has one, and of a linear observer.

    Noise lifts a true eigenvalue lambda to lambda + (p - 1) s^2 / lambda on average
    (Feral & Peche 2007, Commun. Math. Phys. 272, 185-228).
    """
    aim, assumed = sessions.aim, sessions.assumed
    assert aim.n_trials is not None
    edge = math.sqrt(trials_at_edge(assumed, assumed.pair_share) / aim.n_trials)

    def largest(session: SessionData, observer: Observer) -> float:
        trials = TrialDesign.of(responses(session), session.noise)
        shown = trials.halves.astype(np.float64)
        variance = shown.var() * (1 if trials.is_forced_choice else 2)
        matrix = observed(trials).second[0].astype(np.float64) / variance
        return float(np.abs(np.linalg.eigvalsh(matrix)).max())

    null = np.array(sessions.linear(largest))
    limit = chance_limit(edge, assumed.n_elements)
    alarms = float((null > limit).mean())
    try:
        bend, contrast, truth = _squaring(aim, assumed)
    except CannotTell as reason:
        mean = f"{null.mean():.2f}, where chance should reach {edge:.2f}"
        note = f"{reason}; without second order the largest eigenvalue is {mean}"
        unknown = {"predicted": None, "predicted_reached": None}
        return sessions.found([], false_alarms=alarms, note=note, **unknown)
    bent = sessions.of(
        lambda: SquaringTemplate(bend, assumed.efficiency), largest, contrast
    )
    return sessions.found(
        bent,
        predicted=truth + (1 - 1 / assumed.n_elements) * edge**2 / (4 * truth),
        reached=float((np.array(bent) > limit).mean()),
        false_alarms=alarms,
    )


def _squaring(aim: Aim, assumed: Situation) -> tuple[float, float, float]:
    """Bend, contrast and exact eigenvalue of an observer made for the wanted one."""
    gains = assumed.protocol.signal.gains
    if not assumed.is_forced_choice or gains[0] != 0 or len(assumed.contrasts) > 1:
        raise CannotTell("an observer who has it is known in 2AFC with one signal only")
    if assumed.gamma < LEAST_GAMMA:
        rule = f"with gamma of {LEAST_GAMMA} or more"
        raise CannotTell(f"an observer who has it is known {rule}")
    rate = assumed.proportions[0]
    bend = bend_for(aim.wanted, assumed.gamma, rate)
    if bend is None:
        who = f"gamma {assumed.gamma:g} and {rate:.0%} correct"
        raise CannotTell(f"no squaring observer with {who} has so large an eigenvalue")
    per_contrast = math.sqrt(assumed.efficiency) * ideal(assumed.protocol, 1.0)
    wanted = signal_for(bend, assumed.gamma, rate) / per_contrast
    shown = round(FULL_CONTRAST * wanted) / FULL_CONTRAST
    signal = math.sqrt(assumed.efficiency) * ideal(assumed.protocol, shown)
    return bend, shown, exact_responses(bend, assumed.gamma, signal)[1]
