"""The probability of a response given the noise, and its gradient by the noise.

Every decision variable has internal noise of SD s, so that this probability f is
smooth in the decision variables: Phi((d_T - d_N) / (sqrt 2 s)) of being correct in
2AFC, Phi((d - c) / s) of "yes". Without internal noise f is a step, whose gradient no
sample meets: it is smoothed by a small s, as if there were that much internal noise.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from ...experiments.protocols.protocol import Protocol
from ...experiments.session.observer import ObserverNoise, Practice
from ..decision import calibrate, require_criterion
from ..noise import drawn_for
from .network import checked_scores, gradient, scores_of
from .stimuli import Stimuli

CROSSED_SMOOTHING, SMOOTHING = 0.01, 0.05  # the fewer comparisons, the more of it
_N_FOR_SD = 512  # trials that measure the external SD: within 2 %
_N_NODES = 32  # of the quadrature over the target's noise, with many alternatives
_SAME = 1e-4  # of the external SD: scores that differ by less are the same
_OWN_NOISE = 1 << 61  # trial numbers for the observer's noise that no session has


@dataclass(frozen=True)
class Rule:
    """How decision variables become responses, smoothly.

    Attributes
    ----------
    sd
        Of the internal noise of every decision variable, or of the smoothing.
    criterion
        In yes/no and rating; None in a forced choice.
    smoothing
        sd over the external SD where there is no internal noise; else 0.
    """

    sd: float
    criterion: float | None
    smoothing: float


@dataclass(frozen=True)
class Half:
    """One half of a kernel: an event, the noise it depends on, and its gradient.

    Attributes
    ----------
    noise
        The fields that the half is about.
    gradient
        Of the event's probability by each of these fields.
    probability
        Of the event: correct or incorrect by the target's or the other's noise in a
        forced choice, "yes" in each class of yes/no stimuli.
    """

    noise: Float64[np.ndarray, " trial element"]
    gradient: Float64[np.ndarray, " trial element"]
    probability: float


class Decisions:
    """Gradients of an observer's responses, batch by batch.

    Attributes
    ----------
    is_crossed
        2AFC whose alternatives are scored alike and each by itself: every target is
        then compared with every other field of its batch.
    share_equal
        Of the scores, those that equal another; few unless something rectifies them.
    """

    def __init__(
        self,
        protocol: Protocol,
        observer: Any,
        stimuli: Stimuli,
        internal_noise: float,
        criterion: float | None,
        smoothing: float | None,
        batch: int,
        seed: int,
    ) -> None:
        require_criterion(criterion, protocol.task)
        self._task, self._stimuli = protocol.task, stimuli
        self._name, self._scores = observer.name, scores_of(observer)
        self._batch, self._seed = batch, seed
        external_sd, self.share_equal = self._spread()
        two = stimuli.n_alternatives == 2
        self.is_crossed = two and self._are_apart(external_sd)
        if smoothing is None:
            smoothing = CROSSED_SMOOTHING if self.is_crossed else SMOOTHING
        if not 0 < smoothing <= 1:
            raise ValueError(f"smoothing must be in (0, 1], got {smoothing}")
        self.rule = (
            Rule(smoothing * external_sd, None, smoothing)
            if protocol.task.is_forced_choice and internal_noise == 0
            else self._calibrated(
                protocol, observer, internal_noise, criterion, smoothing
            )
        )

    def halves(self, first: int, n: int) -> tuple[Half, Half]:
        """Give the target's half and the other's, of `n` trials from number `first`."""
        if not self._task.is_forced_choice:
            return self._yes(1, first, n), self._yes(0, first, n)
        return self._crossed(first, n) if self.is_crossed else self._joint(first, n)

    def _crossed(self, first: int, n: int) -> tuple[Half, Half]:
        """Compare the target of every trial with the other field of every trial."""
        noise, scores, slopes = self._gradients(first, n, np.ones(n, int), lambda d: d)
        other, target = scores[:, 0], scores[:, 1]
        scale = math.sqrt(2) * self.rule.sd
        apart = (target[:, None] - other[None, :]) / scale
        density = np.exp(-0.5 * apart**2) / (math.sqrt(2 * math.pi) * scale)
        correct = _correct(apart)
        weight = (density.mean(0), density.mean(1))
        of_other, of_target = (
            weight[k][:, None] * slopes[:, k].reshape(n, -1) for k in (0, 1)
        )
        return (
            Half(noise[:, 1].reshape(n, -1), of_target, correct),
            Half(noise[:, 0].reshape(n, -1), of_other, 1 - correct),
        )

    def _joint(self, first: int, n: int) -> tuple[Half, Half]:
        """Take every trial as it is, whatever an alternative does to the others."""
        targets = self._stimuli.targets(first, n)
        rows = np.arange(n)
        m = self._stimuli.n_alternatives

        def correct(d: Tensor, which: np.ndarray) -> Tensor:
            at = torch.arange(len(d), device=d.device)
            place = torch.from_numpy(which).to(d.device)
            others = torch.ones_like(d, dtype=torch.bool)
            others[at, place] = False
            apart = d[at, place][:, None] - d[others].view(len(d), m - 1)
            return self._largest(apart)

        noise, p, slopes = self._gradients(first, n, targets, correct, targets)
        flat, slopes = noise.reshape(n, m, -1), slopes.reshape(n, m, -1)
        share = float(p.mean())
        target = Half(flat[rows, targets], slopes[rows, targets], share)
        others = np.ones((n, m), bool)
        others[rows, targets] = False
        # The other noise is the mean over the other alternatives, in the kernel too.
        return target, Half(
            flat[others].reshape(n, m - 1, -1).mean(1),
            -slopes[others].reshape(n, m - 1, -1).mean(1),
            1 - share,
        )

    def _largest(self, apart: Float[Tensor, " trial other"]) -> Float[Tensor, " trial"]:
        """Give P(the largest is the target's), by its leads over the others."""
        sd = self.rule.sd
        if apart.shape[1] == 1:
            return torch.special.ndtr(apart[:, 0] / (math.sqrt(2) * sd))
        nodes, weights = np.polynomial.hermite_e.hermegauss(_N_NODES)
        at = torch.as_tensor(nodes, dtype=apart.dtype, device=apart.device)
        w = torch.as_tensor(weights / weights.sum(), dtype=at.dtype, device=at.device)
        each = torch.special.ndtr(apart[:, :, None] / sd + at)
        return each.prod(1) @ w

    def _yes(self, target: int, first: int, n: int) -> Half:
        """P("yes") in one class of stimuli; both classes get the same noise."""
        sd, criterion = self.rule.sd, self.rule.criterion
        assert criterion is not None

        def yes(d: Tensor) -> Tensor:
            return torch.special.ndtr((d[:, 0] - criterion) / sd)

        noise, p, slopes = self._gradients(first, n, np.full(n, target), yes)
        return Half(noise.reshape(n, -1), slopes.reshape(n, -1), float(p.mean()))

    def _gradients(
        self,
        first: int,
        n: int,
        targets: np.ndarray,
        event: Callable[..., Tensor],
        *by_trial: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Give noise, what `event` makes of the scores, and its gradient."""
        parts = []
        for start in range(0, n, self._batch):
            rows = slice(start, min(start + self._batch, n))
            count = rows.stop - rows.start
            noise = self._stimuli.noise(first + start, count)
            shown = noise + self._stimuli.signal(targets[rows])
            shown.requires_grad_()
            with self._own_noise(first + start, count):
                found = event(self._ask(shown), *(each[rows] for each in by_trial))
            slopes = gradient(found.sum(), shown)
            parts.append((noise, found.detach(), slopes))
        return tuple(
            torch.cat(each).cpu().numpy().astype(np.float64)
            for each in zip(*parts, strict=True)
        )  # pyright: ignore[reportReturnType]

    def _ask(self, elements: Tensor) -> Tensor:
        pixels = self._stimuli.pixels(elements)
        return checked_scores(self._scores, self._name, pixels)

    def _own_noise(self, first: int, n: int) -> Any:
        trials = _OWN_NOISE + self._stimuli.trials(first, n)
        return drawn_for(ObserverNoise(self._seed, trials))

    def _calibrated(
        self,
        protocol: Protocol,
        observer: Any,
        internal_noise: float,
        criterion: float | None,
        smoothing: float,
    ) -> Rule:
        """Set internal noise and criterion as a session does."""
        practice = Practice(protocol)
        decision = calibrate(observer, practice, self._seed, internal_noise, criterion)
        external, internal = decision.external_sd, decision.internal_sd
        assert external is not None
        criteria = decision.criteria  # of a rating, the middle one says yes or no
        return Rule(
            sd=internal or smoothing * external,
            criterion=criteria[len(criteria) // 2] if criteria else None,
            smoothing=0.0 if internal else smoothing,
        )

    def _spread(self) -> tuple[float, float]:
        """SD of the scores within the two classes of fields; share of equal ones."""
        targets = self._stimuli.targets(0, _N_FOR_SD)
        parts = []
        for start in range(0, _N_FOR_SD, self._batch):
            count = min(self._batch, _N_FOR_SD - start)
            signal = self._stimuli.signal(targets[start : start + count])
            with torch.no_grad(), self._own_noise(start, count):
                parts.append(self._ask(self._stimuli.noise(start, count) + signal))
        scores = torch.cat(parts).double().cpu().numpy()
        forced = self._task.is_forced_choice
        places = np.arange(scores.shape[1]) if forced else np.ones(1, int)
        is_target = targets[:, None] == places
        each = [np.var(scores[chosen], ddof=1) for chosen in (is_target, ~is_target)]
        sd = math.sqrt(float(np.mean(each)))
        if sd == 0:
            rule = "more than 0"
            raise ValueError(f"the SD of {self._name}'s scores must be {rule}, got 0")
        _, counts = np.unique(scores, return_counts=True)
        return sd, float(counts[counts > 1].sum() / scores.size)

    def _are_apart(self, external_sd: float) -> bool:
        """Whether both alternatives are scored alike, and each by itself."""
        n = min(8, self._batch)
        one, other = self._stimuli.noise(0, n), self._stimuli.noise(n, n)
        mixed = torch.stack([one[:, 0], other[:, 1]], dim=1)
        with torch.no_grad(), self._own_noise(0, n):
            plain, swapped, beside = map(self._ask, (one, one.flip(1), mixed))
        away = torch.stack(
            [(plain - swapped.flip(1)).abs().max(), (plain - beside)[:, 0].abs().max()]
        )
        return float(away.max()) <= _SAME * external_sd


def _correct(apart: np.ndarray) -> float:
    from scipy.special import ndtr

    return float(ndtr(apart).mean())
