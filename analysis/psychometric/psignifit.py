"""Psychometric functions by psignifit [1]_: the same settings in, the same result out.

psignifit is Bayesian: a beta-binomial likelihood that allows for overdispersion, priors
on all parameters, a posterior on a grid. Thresholds here are at the same proportion
correct as ours, whatever the lapse rate: the interval comes from draws of the
posterior. It is an optional package under the GPL, loaded only when asked for.

References
----------
.. [1] Schuett, Harmeling, Macke & Wichmann (2016), Vision Res. 122, 105-123; psignifit
   4.3, https://github.com/wichmann-lab/python-psignifit.
"""

import math
import warnings
from types import ModuleType
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from ..trials.estimate import CannotTell, Estimate
from ..trials.held import as_responses
from ..trials.responses import Responses, SessionLike
from .fit import PsychometricFit, PsychometricSettings
from .responses import ResponsesByContrast, off_axis, on_axis
from .shapes import SHAPES, log_likelihood, psychometric_values

SIGMOIDS = {"cumulative_normal": "norm", "logistic": "logistic", "weibull": "gumbel"}
NO_PACKAGE = 'fits by psignifit need psignifit: pip install "yoked[psignifit]"'
N_DRAWS = 4000


def fit_psignifit(
    contrast: Float[np.ndarray, " level"],
    n_correct: Int[np.ndarray, " level"],
    n_trials: Int[np.ndarray, " level"],
    n_alternatives: int = 2,
    settings: PsychometricSettings | None = None,
) -> PsychometricFit:
    """Fit a psychometric function to numbers of correct trials with psignifit.

    Parameters and errors as for `psychometric_from_counts`; the estimates are the
    posterior's mode, intervals its 2.5 and 97.5 % points, SE its SD. A contrast of 0 is
    left out on the axis 'log'. `n_simulations` is not used: there is no p value.

    Raises
    ------
    ModuleNotFoundError
        If psignifit is not installed.
    """
    counted = (contrast, n_correct, n_trials, n_alternatives)
    responses = ResponsesByContrast.of_counts(*counted)
    return _fit(responses, settings or PsychometricSettings())


def psychometric_psignifit(
    source: SessionLike | Responses, settings: PsychometricSettings | None = None
) -> PsychometricFit:
    """Fit a psychometric function to a forced-choice session with psignifit.

    Trials shown twice count as two.

    Raises
    ------
    ValueError
        If the task is not a forced choice, or has fewer than three contrasts.
    """
    made = as_responses(source)
    if not made.is_forced_choice:
        raise CannotTell(f"task must be a forced choice, got {made.task!r}")
    return _fit(ResponsesByContrast.of(made), settings or PsychometricSettings())


def _fit(
    responses: ResponsesByContrast, settings: PsychometricSettings
) -> PsychometricFit:
    if settings.shape not in SIGMOIDS:
        rule = f"one of {', '.join(SIGMOIDS)} for psignifit"
        raise ValueError(f"shape must be {rule}, got {settings.shape!r}")
    at = settings.threshold_for(responses.n_alternatives)
    x = on_axis(responses.contrast, settings.axis)
    shown = np.isfinite(x)
    data = np.stack([x, responses.k[:, 0], responses.n[:, 0]], axis=1)[shown]
    found = _posterior(_package(), data, settings, responses.n_alternatives)
    rng = np.random.RandomState(settings.seed)
    drawn = found.posterior_samples(N_DRAWS, random_state=rng)
    mode = found.parameter_estimate_MAP
    return _result(responses, settings, at, mode, drawn)


def _posterior(
    psignifit: ModuleType,
    data: Float[np.ndarray, " level 3"],
    settings: PsychometricSettings,
    n_alternatives: int,
) -> Any:
    """Run psignifit on (x, correct, trials), with lapse and guess held as in ours."""
    fixed = {} if settings.lapse is None else {"lambda": settings.lapse}
    is_chance = settings.guess is None and not settings.free_guess
    if not is_chance and not settings.free_guess:
        fixed["gamma"] = settings.guess_for(n_alternatives)
    with warnings.catch_warnings():
        # A guess rate that was asked for is not unusual.
        warnings.filterwarnings("ignore", "You have fixed the guess rate")
        return psignifit.psignifit(
            data,
            debug=True,
            experiment_type=f"{n_alternatives}AFC" if is_chance else "yes/no",
            sigmoid=SIGMOIDS[settings.shape],
            fixed_parameters=fixed or None,
            verbose=False,
        )


def _package() -> ModuleType:
    try:
        import psignifit
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(NO_PACKAGE, name=error.name) from error
    return psignifit


def _result(
    responses: ResponsesByContrast,
    settings: PsychometricSettings,
    at: float,
    mode: dict[str, float],
    drawn: dict[str, np.ndarray],
) -> PsychometricFit:
    """The posterior's mode and draws as the same estimates as a fit of ours."""
    n, name = int(responses.n.sum()), f"{settings.shape}-{settings.axis}-psignifit/1"
    draws = _named(drawn)
    middle = _named(mode)
    best = {key: float(value[0]) for key, value in middle.items()}
    threshold, thresholds = (_thresholds(at, p, settings) for p in (middle, draws))
    in_contrast = np.exp(thresholds) if settings.axis == "log" else thresholds
    value = off_axis(float(threshold[0]), settings.axis)
    parameters = np.array(
        [float(threshold[0]), math.log(best["width"]), best["lapse"], best["guess"]]
    )
    x = on_axis(responses.contrast, settings.axis)
    psi, _ = psychometric_values(x, parameters, SHAPES[settings.shape], at)
    fitted, _, _ = log_likelihood(psi, responses.k, responses.n)
    return PsychometricFit(
        settings=settings,
        n_alternatives=responses.n_alternatives,
        unbiased=False,
        threshold=_estimate(value, in_contrast, n, f"threshold-{name}"),
        width=_estimate(best["width"], draws["width"], n, f"width-{name}"),
        lapse=_estimate(best["lapse"], draws["lapse"], n, f"lapse-{name}"),
        guess=_estimate(best["guess"], draws["guess"], n, f"guess-{name}"),
        threshold_at=at,
        log_likelihood=float(fitted.sum()),
        deviance=None,
        df=0,
        p=None,
        contrast=responses.contrast,
        n_trials=responses.n.sum(1).astype(np.int64),
        proportion_correct=responses.proportion_correct,
        parameters=(*parameters.tolist(),),
        formula=f"psychometric-{name}",
        note=f"overdispersion eta = {float(mode['eta']):.2g}",
    )


def _named(parameters: dict[str, Any]) -> dict[str, np.ndarray]:
    """Return psignifit's parameters under our names, as arrays."""
    names = {"threshold": "middle", "width": "width", "lambda": "lapse"}
    names["gamma"] = "guess"
    return {ours: np.atleast_1d(parameters[its]) for its, ours in names.items()}


def _thresholds(
    at: float, parameters: dict[str, np.ndarray], settings: PsychometricSettings
) -> np.ndarray:
    """Where psi is `at`; psignifit's own threshold is halfway between its ends."""
    guess, lapse = parameters["guess"], parameters["lapse"]
    rise = np.clip((at - guess) / (1 - guess - lapse), 1e-9, 1 - 1e-9)
    shape = SHAPES[settings.shape]
    quantile = np.array([shape.quantile(p) for p in rise.tolist()])
    scale = parameters["width"] / shape.spread
    return parameters["middle"] + scale * (quantile - shape.quantile(0.5))


def _estimate(value: float, draws: np.ndarray, n: int, formula: str) -> Estimate:
    if np.ptp(draws) == 0:
        return Estimate(value, None, None, None, n, formula, "given, not fitted")
    low, high = np.quantile(draws, [0.025, 0.975]).tolist()
    # The grid is coarse: the mode may lie a step beyond the outermost draw.
    low, high = min(low, value), max(high, value)
    return Estimate(value, float(np.std(draws)), low, high, n, formula)
