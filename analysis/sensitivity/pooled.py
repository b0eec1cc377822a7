"""d' over several contrasts, without pooling counts; ln beta by task.

Counts pooled over contrasts give the d' of the mixture, which is none of theirs. Here
every contrast keeps its own d' and criterion, and one number is made of the d's:

    mean by trials            sum n_i d'_i / sum n_i: the d' of an average trial
    mean by inverse variance  for contrasts too near to each other to differ in d'; it
                              leans to the lower d's, whose standard errors are smaller
    slope                     d' = beta c, by maximum likelihood: of a linear observer,
                              with a test of whether d' is proportional to contrast

References
----------
.. [1] Macmillan & Kaplan (1985), Psychol. Bull. 98, 185-199 (averages against pooling).
.. [2] DeCarlo (1998), Psychol. Methods 3, 186-205 (d' by a probit model).
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int
from scipy.special import ndtr, xlogy
from scipy.stats import chi2

from ..double_pass.shared_responses import shared_r
from ..trials.counts import four_counts, shared_noise_effect
from ..trials.estimate import CannotTell, Estimate
from ..trials.responses import NO_TARGET, OF_MANY, Responses
from ..trials.result import Result
from . import sdt
from .by_task import dprime, shared_effects
from .mafc import mafc_proportion_correct, mafc_slope
from .mover import Part, square_and_add

MEAN = {
    "trials": "dprime-mean-by-trials/2",
    "inverse variance": "dprime-mean-inverse-variance/2",
}
SLOPE = "dprime-slope-ml/1"
MOST_NAMED = 8  # contrasts in a note
LN_BETA_2AFC = "ln-beta-2afc-loglinear/2"


@dataclass(frozen=True, eq=False)
class DprimeSlope(Result):
    """d' per unit contrast, and whether d' is proportional to contrast at all.

    Attributes
    ----------
    slope
        beta of d' = beta c.
    contrast
        The contrasts that entered.
    deviance, df
        Of the line against a d' of its own at each contrast, divided by the design
        effect of trials shown twice.
    p
        Probability of a larger deviance of a linear observer; None with one contrast.
    """

    slope: Estimate
    contrast: Float[np.ndarray, " contrast"]
    deviance: float | None
    df: int
    p: float | None


def dprime_mean(
    responses: Responses, weights: str = "trials", r: float | None = None
) -> Estimate:
    """Estimate the weighted mean of the d's at each contrast.

    The interval is put together from those of the d's by square-and-add (`mover.py`):
    a contrast at which a class had no error leaves the mean without an upper end.

    Parameters
    ----------
    weights
        'trials' for the d' of an average trial. 'inverse variance' for the smallest
        SE, where the d's do not differ.
    r
        As for `dprime`; of all pairs together by default.

    Returns
    -------
    Estimate
        Contrasts at which a class has no trials are left out, and named in the note,
        as are those that leave the interval open.

    Raises
    ------
    ValueError
        If the weights have another name.

    Examples
    --------
    >>> import yoked
    >>> from yoked.analysis.trials.responses import responses
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> observer = yoked.load_observer("template")
    >>> session = yoked.run(protocol, observer, seed=1, trials=300, contrast=0.15)
    >>> dprime_mean(responses(session)).value == yoked.dprime(session).value
    True
    """
    if weights not in MEAN:
        raise ValueError(f"weights must be one of {', '.join(MEAN)}, got {weights!r}")
    r = shared_r(responses) if r is None else r
    found = {
        float(c): dprime(responses.where(responses.contrast == c), r=r)
        for c in responses.contrasts
    }
    kept = {c: e for c, e in found.items() if e.value is not None and e.se is not None}
    formula = MEAN[weights]
    if not kept:
        reason = next((e.note for e in found.values() if e.note), "no trial counts")
        return Estimate.missing(formula, reason, len(responses))
    value, se, n = (
        np.array([getattr(e, name) for e in kept.values()], np.float64)
        for name in ("value", "se", "n")
    )
    weight = n if weights == "trials" else 1 / se**2
    weight = weight / weight.sum()
    parts = [
        Part(*(np.array(getattr(e, name)) for name in ("value", "low", "high")))
        for e in kept.values()
    ]
    low, high = map(float, square_and_add(parts, tuple(weight.tolist())))
    mean, combined = float(weight @ value), math.sqrt(float(weight**2 @ se**2))
    estimate = Estimate(mean, combined, low, high, int(n.sum()), formula)
    absent = [c for c in found if c not in kept]
    open_at = [
        c
        for c, e in kept.items()
        if not (math.isfinite(e.low or 0.0) and math.isfinite(e.high or 0.0))
    ]
    return estimate.with_note(
        _named("left out", absent, "a class without trials"),
        _named("without a limit", open_at, "a class whose responses were all alike"),
    )


def dprime_slope(responses: Responses) -> DprimeSlope:
    """Estimate d' per unit contrast of a linear observer, by maximum likelihood.

    Two alternatives: a probit model with a criterion of its own at each contrast [2]_.
    More: unbiased choice among them. Counts are not corrected: a contrast at which
    all responses are alike tells nothing of its criterion and is left out.

    Returns
    -------
    DprimeSlope
        The slope is missing where no contrast is left or nothing overlaps (its maximum
        would be infinite). A p below .05 is said in its note.

    Examples
    --------
    >>> import yoked
    >>> from yoked.analysis.trials.responses import responses
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> observer = yoked.load_observer("template")
    >>> session = yoked.run(protocol, observer, seed=1, trials=300, contrast=0.15)
    >>> made = responses(session)
    >>> slope = dprime_slope(made).slope
    >>> abs(slope.value * 0.15 - yoked.dprime(session).value) < 0.02
    True
    """
    if responses.no_dprime is not None:
        raise CannotTell(responses.no_dprime)
    if not responses.has_target:
        return _no_slope(NO_TARGET, len(responses), responses.contrasts[:0])
    cells = (
        _mafc_cells(responses)
        if responses.task in OF_MANY
        else _probit_cells(responses)
    )
    used = responses.contrasts[np.unique(cells.contrast)]
    absent = [c for c in responses.contrasts.tolist() if c not in used]
    note = _named("left out", absent, "all responses alike or a class without trials")
    if not cells.x.any():
        reason = note or "no trial with a signal counts"
        return _no_slope(reason, len(responses), used)
    effect, n = shared_noise_effect(responses), int(cells.n.sum())
    beta, se, log_likelihood = _fit(cells)
    if not math.isfinite(beta):
        reason = "every response was correct: the likelihood has no maximum"
        return _no_slope(reason, n, used)
    deviance = 2 * (_saturated(cells) - log_likelihood) / effect
    df = len(used) - 1
    p = float(chi2.sf(deviance, df)) if df else None
    slope = Estimate.normal(beta, se * math.sqrt(effect), n, SLOPE, note)
    bent = f"d' is not proportional to contrast (p = {p:.2g})" if p is not None else ""
    twice = f"SE allows for trials shown twice (design effect {effect:.2f})"
    slope = slope.with_note(
        twice if effect > 1 else None, bent if p is not None and p < 0.05 else None
    )
    return DprimeSlope(slope, used, max(deviance, 0.0) if df else None, df, p)


def ln_beta(responses: Responses) -> Estimate:
    """Estimate the log likelihood ratio at the criterion, by the formula of the task.

    Yes/no and rating: c d'. 2AFC: the same product on the axis of the difference
    between intervals, above 0 for more "second". The SE allows for trials shown twice.

    Returns
    -------
    Estimate
        Missing for more than two alternatives, or a class without trials.

    Examples
    --------
    >>> import yoked
    >>> from yoked.analysis.trials.responses import responses
    >>> protocol = yoked.load_protocol("bar-polarity")
    >>> observer = yoked.load_observer("template")
    >>> session = yoked.run(protocol, observer, seed=1, trials=300)
    >>> ln_beta(responses(session)).formula
    'ln-beta-yes-no-loglinear/2'
    """
    formula = LN_BETA_2AFC if responses.task == "2afc" else sdt.LN_BETA
    try:
        counts = four_counts(responses)
    except CannotTell as error:
        return Estimate.missing(formula, str(error), len(responses))
    found = sdt.ln_beta(*counts, effects=shared_effects(responses))
    return replace(found, formula=formula)


@dataclass(frozen=True, eq=False)
class _Cells:
    """Binomial counts, and the line of each on the axis where it is straight.

    k of n responses; x is what beta is multiplied by. `contrast` numbers the contrast;
    `m` is the number of alternatives, 2 for a probit with a criterion each.
    """

    k: Int[np.ndarray, " cell"]
    n: Int[np.ndarray, " cell"]
    x: Float[np.ndarray, " cell"]
    contrast: Int[np.ndarray, " cell"]
    m: int


def _probit_cells(responses: Responses) -> _Cells:
    cell = responses.cell
    size = 2 * len(responses.contrasts)
    n, k = np.bincount(cell, minlength=size), np.zeros(size, np.int64)
    np.add.at(k, cell, responses.response)
    by_contrast = (k.reshape(-1, 2), n.reshape(-1, 2))
    yes, total = by_contrast[0].sum(1), by_contrast[1].sum(1)
    complete = (by_contrast[1] > 0).all(1) & (yes > 0) & (yes < total)
    kept = np.repeat(complete, 2)
    sign = np.tile([-0.5, 0.5], len(responses.contrasts))
    scale = math.sqrt(2) if responses.task == "2afc" else 1.0
    x = sign * scale * np.repeat(responses.contrasts, 2)
    which = np.repeat(np.arange(len(responses.contrasts)), 2)
    return _Cells(k[kept], n[kept], x[kept], which[kept], 2)


def _mafc_cells(responses: Responses) -> _Cells:
    contrast = np.searchsorted(responses.contrasts, responses.contrast)
    n = np.bincount(contrast, minlength=len(responses.contrasts))
    k = np.zeros(len(n), np.int64)
    np.add.at(k, contrast, responses.correct)
    which = np.arange(len(n))
    return _Cells(k, n, responses.contrasts, which, responses.n_alternatives)


def _fit(cells: _Cells) -> tuple[float, float, float]:
    """Slope, SE and log likelihood at the maximum; an infinite slope if there is none.

    Fisher scoring with halved steps.
    """
    design = _design(cells)
    theta = np.zeros(design.shape[1])
    now, gradient, information = _score(theta, design, cells)
    for _ in range(100):
        step = np.linalg.solve(information, gradient)
        if float(gradient @ step) < 1e-12:
            break
        for _ in range(40):
            if _score(theta + step, design, cells)[0] >= now:
                break
            step = step / 2
        theta = theta + step
        now, gradient, information = _score(theta, design, cells)
        if np.abs(theta[0] * cells.x).max() > 8 or not information[0, 0] > 1e-9:
            return math.inf, 0.0, 0.0
    return float(theta[0]), math.sqrt(np.linalg.inv(information)[0, 0]), now


def _design(cells: _Cells) -> Float[np.ndarray, " cell parameter"]:
    """Beta's column, and for a probit one of each contrast's criterion."""
    column = cells.x[:, None]
    if cells.m > 2:
        return column
    own = cells.contrast[:, None] == np.unique(cells.contrast)
    return np.concatenate([column, own.astype(np.float64)], axis=1)


def _score(
    theta: np.ndarray, design: np.ndarray, cells: _Cells
) -> tuple[float, np.ndarray, np.ndarray]:
    """Log likelihood, its gradient and the expected information."""
    eta = design @ theta
    if cells.m > 2:
        p, slope = mafc_proportion_correct(eta, cells.m), mafc_slope(eta, cells.m)
    else:
        p, slope = ndtr(eta), np.exp(-(eta**2) / 2) / math.sqrt(2 * math.pi)
    p = np.clip(p, 1e-15, 1 - 1e-15)
    weight = slope / (p * (1 - p))
    gradient = design.T @ ((cells.k - cells.n * p) * weight)
    information = (design.T * (cells.n * slope * weight)) @ design
    value = float((xlogy(cells.k, p) + xlogy(cells.n - cells.k, 1 - p)).sum())
    return value, gradient, information


def _saturated(cells: _Cells) -> float:
    """Log likelihood with a d' of its own at each contrast: the rates themselves."""
    rate = cells.k / cells.n
    return float((xlogy(cells.k, rate) + xlogy(cells.n - cells.k, 1 - rate)).sum())


def _no_slope(reason: str, n: int, used: np.ndarray) -> DprimeSlope:
    return DprimeSlope(Estimate.missing(SLOPE, reason, n), used, None, 0, None)


def _named(what: str, contrasts: list[float], why: str) -> str | None:
    if not contrasts:
        return None
    few = contrasts[:MOST_NAMED]
    listed = ", ".join(f"{c:g}" for c in few)
    more = len(contrasts) - len(few)
    return f"{what} at contrast {listed}{f' and {more} more' * (more > 0)}: {why}"
