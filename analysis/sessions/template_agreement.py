"""How often a kernel foretells the observer's responses, beside what noise lets it.

The kernel, with the criterion of each stimulus class, is fitted to all folds but one,
and used as a template without internal noise on the trials of that one. Its share of
equal responses stands beside the observer's own agreement over two passes: no
deterministic model agrees more often than (1 + sqrt(2 agreement - 1)) / 2 [1]_.

References
----------
.. [1] Neri & Levi (2006), Vision Res. 46, 2465-2474; Murray, Patel & Yee (2015), PLOS
   Comput. Biol. 11, e1004342, whose template agreed with observers on .78 of trials.
"""

import math
from dataclasses import dataclass

import numpy as np

from ..double_pass.internal_noise import agreement
from ..kernels.fitted import FittedKernel
from ..kernels.priors import prior as prior_of
from ..kernels.search import PriorProblem, without_each_fold
from ..probit.newton import BinaryResponses
from ..probit.trials import standardised
from ..trials.design import TrialDesign
from ..trials.estimate import CannotTell, Estimate
from ..trials.proportion import proportion
from ..trials.resample import folds
from ..trials.responses import Responses, design_effect
from ..trials.result import Result

TEMPLATE = "template-agreement-cross-validated-wilson/1"
N_FOLDS = 10
FOLDS_OF_LARGE = 5
LARGE = 2_000_000  # noise elements, as for the fitted kernel


@dataclass(frozen=True, eq=False)
class TemplateAgreement(Result):
    """The observer's responses and those of a template that was fitted to others.

    Attributes
    ----------
    all_trials
        Share of responses that the template of the other folds foretells.
    double_pass
        The same of the trials that were shown twice.
    own
        The observer's agreement with themselves on these.
    best
        Share that no deterministic model can exceed, by `own`; None without pairs.
    """

    all_trials: Estimate
    double_pass: Estimate
    own: Estimate
    best: float | None


def template_agreement(
    trials: TrialDesign, responses: Responses, fitted: FittedKernel, seed: int = 0
) -> TemplateAgreement:
    """Estimate how often a cross-validated kernel agrees with its observer.

    Parameters
    ----------
    trials
        Noise and responses.
    responses
        Of the same session, for its own agreement.
    fitted
        The kernel: its prior and penalty are used, its weights are fitted anew without
        each fold.
    seed
        Of the split into folds, in which two showings are never parted.

    Raises
    ------
    CannotTell
        If there are too few noise fields for the folds.

    Examples
    --------
    >>> import yoked
    >>> from yoked.analysis.kernels.fitted import fitted_kernel
    >>> from yoked.analysis.trials.held import Held
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> observer = yoked.load_observer("template")
    >>> session = Held.of(yoked.run(protocol, observer, seed=1, trials=600))
    >>> kernel = fitted_kernel(session)
    >>> found = template_agreement(session.design, session.responses, kernel)
    >>> found.all_trials.value > 0.9  # a linear observer without internal noise
    True
    """
    n_folds = FOLDS_OF_LARGE if trials.halves[0].size > LARGE else N_FOLDS
    n_fields = len(np.unique(trials.cluster))
    if n_fields < 2 * n_folds:
        raise CannotTell(f"noise fields must be {2 * n_folds} or more, got {n_fields}")
    rng = np.random.default_rng(seed)
    fold = folds(trials.cluster, trials.cell, n_folds, rng)
    x, _ = standardised(trials.noise, trials.cell)
    prior = prior_of(fitted.prior, trials.shape, fitted.length)
    problem = PriorProblem.of(x, prior, (x.T @ x).astype(np.float64))
    made = BinaryResponses(trials.response, trials.cell, np.ones(len(trials)))
    foretold = np.empty(len(trials), bool)
    parts = problem.fit(without_each_fold(made, fold), fitted.penalty)
    for k, part in enumerate(parts):
        foretold[fold == k] = part.predictor[fold == k] > 0
    same = foretold == trials.response
    _, field, times = np.unique(trials.cluster, return_inverse=True, return_counts=True)
    is_twice = times[field] == 2
    own = agreement(responses)
    best = None
    if own.value is not None:
        best = (1 + math.sqrt(max(2 * own.value - 1, 0.0))) / 2
    return TemplateAgreement(
        _share(same, trials, np.ones(len(trials), bool)),
        _share(same, trials, is_twice),
        own,
        best,
    )


def _share(same: np.ndarray, trials: TrialDesign, rows: np.ndarray) -> Estimate:
    if not rows.any():
        return Estimate.missing(TEMPLATE, "no trial was shown and answered twice")
    kept, cluster = same[rows].astype(np.float64), trials.cluster[rows]
    effect = design_effect(kept, np.zeros(len(kept), np.int64), cluster)
    return proportion(int(kept.sum()), len(kept), TEMPLATE, effect)
