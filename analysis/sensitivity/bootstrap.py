"""Bootstrap: standard error and interval of any statistic of a session [1]_.

What is drawn are stimuli, both showings of a double pass together, or whole blocks.
Performance drifts over a session, and then trials of one block are alike: only blocks
tell how much another session would differ. Pooled counts are never drawn.

Intervals are bias-corrected percentiles (BC [2]_). With few blocks percentiles are too
narrow, for the same reason as 1.96 is with few observations; they are widened to those
of Student's t, and the SE by sqrt(m / (m - 1)) [3]_.

References
----------
.. [1] Efron & Tibshirani (1993), An Introduction to the Bootstrap.
.. [2] Efron (1981), Can. J. Stat. 9, 139-172.
.. [3] Hesterberg (2015), Am. Stat. 69, 371-386 (expanded percentiles).
"""

import math
from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int
from scipy.special import ndtr, ndtri
from scipy.stats import t as student

from ..trials.attempts import Share
from ..trials.counts import loglinear_rate
from ..trials.estimate import Z95, CannotTell, Estimate
from ..trials.held import as_responses
from ..trials.resample import Unit, bootstrap_sample
from ..trials.responses import OF_MANY, Responses, SessionLike
from .mafc import mafc_dprime

MAY_FAIL = 0.05  # of the draws; beyond it the interval would describe the others only
MIN_BLOCKS = 4
Statistic = Callable[[Responses], float]


def bootstrap(
    source: SessionLike | Responses,
    statistic: Statistic,
    n_draws: int = 1000,
    seed: int = 0,
    unit: Unit = "trial",
    progress: Share | None = None,
) -> Estimate:
    """Estimate a statistic with its bootstrap SE and bias-corrected 95 % interval.

    Parameters
    ----------
    source
        A session, or the responses of some of its trials.
    statistic
        From responses to a number; raises ValueError, or gives NaN, where it is not
        defined. Trials that were drawn twice have two numbers.
    unit
        'trial', or 'block' for a session in which performance drifts.

    Returns
    -------
    Estimate
        Draws without a value are counted in the note. With more than 5 % of them, with
        fewer than four blocks to draw, or where the statistic is undefined for the
        session itself, the estimate is missing.

    Raises
    ------
    ValueError
        If `n_draws` is below 100, or blocks are wanted and the log has none.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> observer = yoked.load_observer("template")
    >>> session = yoked.run(protocol, observer, seed=1, trials=300, contrast=0.15)
    >>> def share_correct(made): return float(made.correct.mean())
    >>> estimate = yoked.bootstrap(session, share_correct, n_draws=100)
    >>> estimate.low < estimate.value < estimate.high
    True
    """
    responses = as_responses(source)
    formula = f"bootstrap-{unit}-bc/1"
    if reason := _cannot(responses, n_draws, unit):
        return Estimate.missing(formula, reason, len(responses))
    value, rng = _defined(statistic, responses), np.random.default_rng(seed)
    if isinstance(value, str):
        return Estimate.missing(formula, value, len(responses))
    drawn, failures = np.empty(n_draws), []
    for i in range(n_draws):
        result = _defined(statistic, bootstrap_sample(responses, rng, unit))
        drawn[i] = math.nan if isinstance(result, str) else result
        failures += [result] if isinstance(result, str) else []
        if progress:
            progress(i + 1, n_draws)
    return _estimate(
        value, drawn, failures, _n_units(responses, unit), formula, responses
    )


def dprime_bootstrap(
    responses: Responses, n_draws: int = 2000, seed: int = 0, unit: Unit = "trial"
) -> Estimate:
    """Estimate d' by the formula of the task, with a bootstrap SE and interval.

    The same draws as `bootstrap` would make, hundreds of times as fast: d' depends on
    counts alone, so a draw is a draw of how often each kind of unit came.

    Raises
    ------
    ValueError
        As for `bootstrap`.

    Examples
    --------
    >>> import yoked
    >>> from yoked.analysis.trials.responses import responses
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> observer = yoked.load_observer("template")
    >>> session = yoked.run(protocol, observer, seed=1, trials=300, contrast=0.15)
    >>> dprime_bootstrap(responses(session)).formula
    'dprime-2afc-loglinear-bootstrap-trial-bc/1'
    """
    names = {"2afc": "2afc", **dict.fromkeys(OF_MANY, "mafc")}
    name = names.get(responses.task, "yes-no")
    formula = f"dprime-{name}-loglinear-bootstrap-{unit}-bc/1"
    if reason := _cannot(responses, n_draws, unit):
        return Estimate.missing(formula, reason, len(responses))
    label = responses.cluster if unit == "trial" else _block(responses)
    counts = _counts_by(label, responses)
    kinds, times = np.unique(counts, axis=0, return_counts=True)
    rng, n_units = np.random.default_rng(seed), len(counts)
    draws = rng.multinomial(n_units, times / n_units, size=n_draws) @ kinds
    value = float(_dprimes(counts.sum(0)[None], responses)[0])
    if math.isnan(value):
        reason = "a target has no counted trial"
        return Estimate.missing(formula, reason, len(responses))
    drawn = _dprimes(draws, responses)
    failures = ["a target has no trial in the draw"] * int(np.isnan(drawn).sum())
    return _estimate(
        value, drawn, failures, _n_units(responses, unit), formula, responses
    )


def _cannot(responses: Responses, n_draws: int, unit: Unit) -> str | None:
    """Check the arguments; return why there is nothing to draw, or None."""
    if n_draws < 100:
        raise ValueError(f"n_draws must be >= 100, got {n_draws}")
    if not len(responses):
        return "no trial counts"
    if responses.no_dprime is not None:
        return responses.no_dprime
    n_units = _n_units(responses, unit)
    if unit == "block" and n_units < MIN_BLOCKS:
        return f"{n_units} blocks: a bootstrap of blocks needs {MIN_BLOCKS} or more"
    return None


def _block(responses: Responses) -> Int[np.ndarray, " trial"]:
    if "block" not in responses.table:
        raise CannotTell("trials must have a column 'block' to draw blocks, got none")
    return responses.table["block"].to_numpy(np.int64)


def _n_units(responses: Responses, unit: Unit) -> int:
    return len(np.unique(responses.cluster if unit == "trial" else _block(responses)))


def _defined(statistic: Statistic, responses: Responses) -> float | str:
    """Return the statistic, or the reason why it is not defined."""
    try:
        value = float(statistic(responses))
    except ValueError as error:
        return str(error)
    return "the statistic is not a number" if math.isnan(value) else value


def _estimate(
    value: float,
    drawn: Float[np.ndarray, " draw"],
    failures: list[str],
    n_units: int,
    formula: str,
    responses: Responses,
) -> Estimate:
    """SE and interval from the draws, or why there are none."""
    note = None
    if failures:
        note = f"{len(failures)} of {len(drawn)} draws have no value: {failures[0]}"
        if len(failures) > MAY_FAIL * len(drawn):
            return Estimate.missing(formula, note, len(responses))
    kept = drawn[~np.isnan(drawn)]
    widening = math.sqrt(n_units / (n_units - 1)) if n_units > 1 else 1.0
    reach = widening * float(student.ppf(0.975, max(n_units - 1, 1)))
    low, high = bias_corrected_interval(kept, value, reach)
    has_spread = bool(np.isfinite(kept).all())
    se = widening * float(np.std(kept, ddof=1)) if has_spread else None
    return Estimate(value, se, low, high, len(responses), formula, note)


def bias_corrected_interval(
    drawn: Float[np.ndarray, " draw"], value: float, reach: float = Z95
) -> tuple[float, float]:
    """Return the bias-corrected percentile limits of bootstrap draws [2]_.

    Percentiles are moved by twice z0, Phi^-1 of the share of draws below the estimate
    (equal ones count half).

    Parameters
    ----------
    reach
        Phi^-1 of the percentiles without bias; 1.96 for 95 %.

    Examples
    --------
    >>> low, high = bias_corrected_interval(np.arange(1001.0), value=500.0)
    >>> round(low), round(high)
    (24, 976)
    """
    n = len(drawn)
    below = (np.sum(drawn < value) + np.sum(drawn == value) / 2 + 0.5) / (n + 1)
    shift = 2 * float(ndtri(below))
    levels = ndtr(np.array([shift - reach, shift + reach]))
    # Draws themselves, not means of two: a draw may be infinite.
    rank = np.rint(levels * (n + 1)).astype(np.int64).clip(1, n) - 1
    low, high = np.sort(drawn)[rank].tolist()
    return min(low, value), max(high, value)


def _counts_by(
    label: Int[np.ndarray, " trial"], responses: Responses
) -> Int[np.ndarray, " unit count"]:
    """Responses of each unit by (target, correct), enough for any d' here."""
    _, unit = np.unique(label, return_inverse=True)
    kind = 2 * responses.target + responses.correct
    n_kinds = 2 * responses.n_alternatives
    flat = np.bincount(unit * n_kinds + kind, minlength=(int(unit.max()) + 1) * n_kinds)
    return flat.reshape(-1, n_kinds)


def _dprimes(
    counts: Int[np.ndarray, " draw count"], responses: Responses
) -> Float[np.ndarray, " draw"]:
    """Log-linear corrected d' of each row of (target, correct) counts, or NaN."""
    correct, n = counts[:, 1::2], counts[:, 0::2] + counts[:, 1::2]
    if responses.task in OF_MANY:
        m, total = responses.n_alternatives, n.sum(1)
        return mafc_dprime(loglinear_rate(correct.sum(1), total, m), m)
    z = ndtri(loglinear_rate(correct, n)).sum(1)
    z = z / math.sqrt(2) if responses.task == "2afc" else z
    return np.where((n > 0).all(1), z, math.nan)
