"""The psychometric function of a session: one door to both ways of fitting it."""

from typing import Literal, get_args

import numpy as np
from jaxtyping import Float, Int

from ..psychometric import psignifit
from ..psychometric.fit import PsychometricFit, PsychometricSettings
from ..psychometric.fit import psychometric as by_likelihood
from ..psychometric.fit import psychometric_from_counts as counts_by_likelihood
from ..trials.responses import Responses, SessionLike

PsychometricMethod = Literal["ml", "psignifit"]
METHODS = get_args(PsychometricMethod)


def psychometric(
    source: SessionLike | Responses,
    settings: PsychometricSettings | None = None,
    method: PsychometricMethod = "ml",
) -> PsychometricFit:
    """Fit a psychometric function to a session with three or more contrasts.

    Parameters
    ----------
    source
        A session, or the responses of some of its trials.
    settings
        Shape, axis, lapse and guess rates, and where the threshold is; by default a
        Weibull function on the axis of log contrast.
    method
        'ml': maximum likelihood with profile intervals; of forced choice to proportions
        correct, of yes/no and rating to d' at each contrast. 'psignifit': the posterior
        of that package, which must be installed; forced choice only.

    Raises
    ------
    ValueError
        If the method is neither, or does not know the shape.
    CannotTell
        If the contrasts are fewer than three, or psignifit is asked of a yes/no task.
    ModuleNotFoundError
        If psignifit is asked for and is not installed.

    Examples
    --------
    >>> import yoked
    >>> from dataclasses import replace
    >>> protocol = yoked.load_protocol("bar-in-noise").with_options(300, contrast=0.2)
    >>> three = replace(protocol.contrast, values=(0.06, 0.12, 0.25))
    >>> observer = yoked.load_observer("template")
    >>> session = yoked.run(replace(protocol, contrast=three), observer, seed=1)
    >>> yoked.psychometric(session).threshold.formula
    'threshold-weibull-log-ml/1'
    """
    if _is_psignifit(method):
        return psignifit.psychometric_psignifit(source, settings)
    return by_likelihood(source, settings)


def psychometric_from_counts(
    contrast: Float[np.ndarray, " level"],
    n_correct: Int[np.ndarray, " level"],
    n_trials: Int[np.ndarray, " level"],
    n_alternatives: int = 2,
    settings: PsychometricSettings | None = None,
    method: PsychometricMethod = "ml",
) -> PsychometricFit:
    """Fit a psychometric function to numbers of correct forced-choice trials.

    Parameters
    ----------
    contrast, n_correct, n_trials
        Of each level, in any order.
    n_alternatives
        Of the task.
    settings, method
        As for `yoked.psychometric`.

    Raises
    ------
    ValueError
        If contrasts are fewer or come twice, counts do not fit each other, or a
        contrast is negative on the axis 'log'.

    Examples
    --------
    >>> import numpy as np, yoked
    >>> contrast = np.array([0.05, 0.1, 0.15, 0.2, 0.3])
    >>> n_correct, n_trials = np.array([53, 62, 78, 88, 97]), np.full(5, 100)
    >>> print(yoked.psychometric_from_counts(contrast, n_correct, n_trials).threshold)
    0.143 SE 0.011 [0.122, 0.164] n=500 (threshold-weibull-log-ml/1)
    """
    fit = psignifit.fit_psignifit if _is_psignifit(method) else counts_by_likelihood
    return fit(contrast, n_correct, n_trials, n_alternatives, settings)


def _is_psignifit(method: str) -> bool:
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    return method == "psignifit"
