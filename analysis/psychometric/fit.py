"""Psychometric functions by maximum likelihood: thresholds, widths, goodness of fit.

Settings in, result out. Intervals are profile likelihood [1]_; goodness of fit is the
deviance, its p value by simulation of the fitted observer, refitted each time [2]_.

References
----------
.. [1] Venzon & Moolgavkar (1988), Appl. Stat. 37, 87-94.
.. [2] Wichmann & Hill (2001), Percept. Psychophys. 63, 1293-1313 and 1314-1329.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy.special import ndtri

from ..sensitivity.mafc import mafc_dprime
from ..trials.estimate import Estimate
from ..trials.held import as_responses
from ..trials.responses import Responses, SessionLike
from ..trials.result import Result
from .estimates import Maximum, rate_estimate, threshold_estimate, width_estimate
from .likelihood import GUESS, LAPSE, MAX_GUESS, MAX_LAPSE, Problem, deviance_p
from .responses import ResponsesByContrast, off_axis, on_axis
from .shapes import ON_LOG_AXIS, SHAPES, psychometric_values, saturated_log_likelihood

AXES = ("log", "linear")


@dataclass(frozen=True)
class PsychometricSettings:
    """What is fitted.

    Attributes
    ----------
    shape
        'weibull', 'cumulative_normal', 'logistic', or 'power_dprime': d' proportional
        to contrast^beta, exact with two alternatives.
    axis
        'log' or 'linear' in contrast. The first and the last are defined on 'log'.
    threshold_at
        Proportion correct that defines the threshold; None for halfway between the
        guess rate and 1 (.75 with two alternatives).
    lapse
        Lapse rate; None fits it, bounded to 0 to .1.
    guess
        Guess rate; None for chance, 1 / number of alternatives.
    free_guess
        Whether to fit the guess rate, bounded to 0 to .3, as for "yes" rates.
    n_simulations
        For the p value of the deviance; 0 for none.
    seed
        Of these simulations.

    Raises
    ------
    ValueError
        If a name is unknown or a rate out of range.
    """

    shape: str = "weibull"
    axis: str = "log"
    threshold_at: float | None = None
    lapse: float | None = None
    guess: float | None = None
    free_guess: bool = False
    n_simulations: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        _check_name("shape", self.shape, SHAPES)
        _check_name("axis", self.axis, AXES)
        if self.shape in ON_LOG_AXIS and self.axis != "log":
            rule = f"'log' for the shape {self.shape!r}"
            raise ValueError(f"axis must be {rule}, got {self.axis!r}")
        if self.lapse is not None and not 0 <= self.lapse <= MAX_LAPSE:
            raise ValueError(f"lapse must be in 0 to {MAX_LAPSE}, got {self.lapse}")
        if self.guess is not None and not 0 <= self.guess < 0.9:
            raise ValueError(f"guess must be in [0, .9), got {self.guess}")
        if self.n_simulations < 0:
            raise ValueError(f"n_simulations must be >= 0, got {self.n_simulations}")

    def threshold_for(self, n_alternatives: int) -> float:
        """Return the proportion correct that defines the threshold in a task."""
        guess = 0.0 if self.free_guess else self.guess_for(n_alternatives)
        at = (1 + guess) / 2 if self.threshold_at is None else self.threshold_at
        lowest = MAX_GUESS if self.free_guess else guess
        highest = 1 - (MAX_LAPSE if self.lapse is None else self.lapse)
        if not lowest < at < highest:
            rule = f"between the guess rate, up to {lowest:g}, and {highest:g}"
            raise ValueError(f"threshold_at must be {rule}, got {at:g}")
        return at

    def guess_for(self, n_alternatives: int) -> float:
        """Return the guess rate of a task, where it is not fitted."""
        return 1 / n_alternatives if self.guess is None else self.guess


@dataclass(frozen=True, eq=False)
class PsychometricFit(Result):
    """A fitted psychometric function; call it with contrasts for its predictions.

    Attributes
    ----------
    settings
        What was fitted.
    n_alternatives
        Of the task; yes/no has 2, and `unbiased` is true.
    unbiased
        Whether the function is the proportion correct of an observer without bias,
        from d', as in yes/no.
    threshold
        Contrast with the proportion correct `threshold_at`.
    width
        From 5 to 95 % of the way between the guess rate and 1 - lapse rate: contrast,
        or natural logarithm of contrast on the axis 'log'.
    lapse, guess
        Rates; without an interval where they were given.
    threshold_at
        The proportion correct that defines the threshold.
    log_likelihood
        Of the responses, without binomial coefficients.
    deviance, df, p
        Against a rate of its own at each contrast, divided by the design effect of
        trials shown twice; degrees of freedom; share of simulated observers that fit
        no better. `p` is None without df or simulations.
    contrast, n_trials, proportion_correct
        The data, by contrast; for yes/no the unbiased proportion Phi(d' / 2) from
        log-linear corrected rates.
    parameters
        Threshold and log width on the axis of the fit, lapse and guess rate.
    formula, note
        Name of the fit; what to know of it.
    """

    settings: PsychometricSettings
    n_alternatives: int
    unbiased: bool
    threshold: Estimate
    width: Estimate
    lapse: Estimate
    guess: Estimate
    threshold_at: float
    log_likelihood: float
    deviance: float | None
    df: int
    p: float | None
    contrast: Float[np.ndarray, " level"]
    n_trials: Int[np.ndarray, " level"]
    proportion_correct: Float[np.ndarray, " level"]
    parameters: tuple[float, float, float, float]
    formula: str
    note: str | None = None

    def __call__(
        self, contrast: float | Float[np.ndarray, " ..."]
    ) -> Float[np.ndarray, " ..."]:
        """Return the predicted proportion correct at contrasts."""
        x = on_axis(np.atleast_1d(np.asarray(contrast, np.float64)), self.settings.axis)
        psi, _ = psychometric_values(
            x.ravel(), np.array(self.parameters), self._shape, self.threshold_at
        )
        return psi.reshape(np.shape(contrast))

    def contrast_at(self, proportion_correct: float) -> float:
        """Return the contrast at which the fitted function has this value.

        Raises
        ------
        ValueError
            If the function never has it.
        """
        threshold, log_width, lapse, guess = self.parameters
        if not guess < proportion_correct < 1 - lapse:
            rule = f"between {guess:.3f} and {1 - lapse:.3f}, the ends of the function"
            raise ValueError(
                f"proportion_correct must be {rule}, got {proportion_correct}"
            )
        at, here = (
            self._shape.quantile((p - guess) / (1 - guess - lapse))
            for p in (self.threshold_at, proportion_correct)
        )
        x = threshold + math.exp(log_width) / self._shape.spread * (here - at)
        return off_axis(x, self.settings.axis)

    @property
    def threshold_dprime(self) -> float:
        """D' that the threshold's proportion correct stands for in the task."""
        if self.unbiased:
            return 2 * float(ndtri(self.threshold_at))
        return float(mafc_dprime(self.threshold_at, self.n_alternatives))

    @property
    def _shape(self) -> Any:
        return SHAPES[self.settings.shape]

    def parts(self) -> dict[str, Any]:
        """Give the fields; of the settings what names the function."""
        chosen = {"shape": self.settings.shape, "axis": self.settings.axis}
        n_simulations = None if self.p is None else self.settings.n_simulations
        fields = self._fields_but("settings", "parameters")
        return {**chosen, **fields, "n_simulations": n_simulations}


def psychometric_from_counts(
    contrast: Float[np.ndarray, " level"],
    n_correct: Int[np.ndarray, " level"],
    n_trials: Int[np.ndarray, " level"],
    n_alternatives: int = 2,
    settings: PsychometricSettings | None = None,
) -> PsychometricFit:
    """Fit a psychometric function to numbers of correct trials.

    Parameters
    ----------
    contrast
        Three or more, in any order.

    Raises
    ------
    ValueError
        If contrasts are fewer or come twice, counts do not fit each other, or a
        contrast is negative on the axis 'log'.

    Examples
    --------
    >>> contrast = np.array([0.05, 0.1, 0.15, 0.2, 0.3])
    >>> n_correct, n_trials = np.array([53, 62, 78, 88, 97]), np.full(5, 100)
    >>> fit = psychometric_from_counts(contrast, n_correct, n_trials)
    >>> print(fit.threshold)
    0.143 SE 0.011 [0.122, 0.164] n=500 (threshold-weibull-log-ml/1)
    """
    counted = (contrast, n_correct, n_trials, n_alternatives)
    responses = ResponsesByContrast.of_counts(*counted)
    return fit_responses(responses, settings or PsychometricSettings())


def psychometric(
    source: SessionLike | Responses, settings: PsychometricSettings | None = None
) -> PsychometricFit:
    """Fit a psychometric function to a session with three or more contrasts.

    Forced choice: to proportions correct. Yes/no and rating: to d' at each contrast,
    as the proportion correct that it gives without bias.

    Raises
    ------
    ValueError
        If the counted trials have fewer than three contrasts.

    Examples
    --------
    >>> import yoked
    >>> observer = yoked.load_observer("template")
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> session = yoked.run(protocol, observer, seed=1, trials=300, contrast=0.15)
    >>> psychometric(session)
    Traceback (most recent call last):
    yoked.analysis.trials.estimate.CannotTell: contrasts must be 3 or more for a
    psychometric function, got 1
    """
    counts = ResponsesByContrast.of(as_responses(source))
    return fit_responses(counts, settings or PsychometricSettings())


def fit_responses(
    responses: ResponsesByContrast, settings: PsychometricSettings
) -> PsychometricFit:
    """Fit a psychometric function to responses by contrast."""
    at = settings.threshold_for(responses.n_alternatives)
    guess = settings.guess_for(responses.n_alternatives)
    problem = Problem.of(
        on_axis(responses.contrast, settings.axis),
        responses.k,
        responses.n,
        settings.shape,
        at,
        settings.lapse,
        None if settings.free_guess else guess,
        responses.effect,
    )
    maximal = Maximum.of(problem)
    best, top = maximal.parameters, maximal.log_likelihood
    deviance = 2 * (saturated_log_likelihood(responses.k, responses.n) - top)
    deviance = max(deviance, 0.0) / responses.effect
    df, p = len(responses.contrast) - problem.n_free, None
    if df > 0 and settings.n_simulations:
        p = deviance_p(problem, best, deviance, settings.n_simulations, settings.seed)
    n, name = int(responses.n.sum()), f"{settings.shape}-{settings.axis}-ml/1"
    shared = "intervals allow for trials shown twice" if responses.effect > 1 else None
    notes = [part for part in (responses.note, shared) if part]
    return PsychometricFit(
        settings=settings,
        n_alternatives=responses.n_alternatives,
        unbiased=responses.k.shape[1] == 2,
        threshold=threshold_estimate(maximal, settings.axis, n, f"threshold-{name}"),
        width=width_estimate(maximal, n, f"width-{name}"),
        lapse=rate_estimate(maximal, LAPSE, n, f"lapse-{name}"),
        guess=rate_estimate(maximal, GUESS, n, f"guess-{name}"),
        threshold_at=at,
        log_likelihood=top,
        deviance=deviance if df > 0 else None,
        df=max(df, 0),
        p=p,
        contrast=responses.contrast,
        n_trials=responses.n.sum(1).astype(np.int64),
        proportion_correct=responses.proportion_correct,
        parameters=(float(best[0]), float(best[1]), float(best[2]), float(best[3])),
        formula=f"psychometric-{name}",
        note="; ".join(notes) or None,
    )


def _check_name(what: str, name: str, known: Any) -> None:
    if name not in known:
        raise ValueError(f"{what} must be one of {', '.join(known)}, got {name!r}")
