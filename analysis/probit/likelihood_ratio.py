"""Likelihood-ratio tests of nested probit models: a kernel, two halves, squares.

Models are fitted by maximum likelihood, one row per trial [1]_. Two things make the
statistic larger than chi-squared though the smaller model is true, and it is divided by
both before it is compared. With few trials for each parameter the larger model fits too
well, the more so the less internal noise there is [2]_: responses are simulated from
the smaller model, and the statistic's mean over them, divided by its degrees of
freedom, is the `small_sample` factor (Bartlett's correction). And responses to noise
that was shown twice are alike for reasons that neither model has: `design_effect` [3]_.

References
----------
.. [1] Knoblauch & Maloney (2008), J. Vis. 8(16):10.
.. [2] Sur, Chen & Candes (2019), Probab. Theory Relat. Fields 175, 487-558.
.. [3] Rao & Scott (1984), Ann. Stat. 12, 46-60 (first-order correction).
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float
from scipy.special import ndtr
from scipy.stats import chi2

from ..trials.design import TrialDesign
from ..trials.estimate import CannotTell
from ..trials.responses import NO_TARGET
from ..trials.result import Result
from .newton import BinaryResponses, Coordinates, Solution, fit
from .trials import influence, log_likelihood, solve, standardised

LIKELIHOOD_RATIO = "probit-likelihood-ratio-bartlett/1"
FLAT = 1e-10  # of the largest variance: what is below is rounding


@dataclass(frozen=True)
class LikelihoodRatio:
    """A test of nested probit models.

    Attributes
    ----------
    statistic
        Twice the difference of the log likelihoods.
    df
        Parameters that the larger model has more.
    design_effect
        Mean variance inflation by noise that was shown twice; 1 without repeats.
    small_sample
        Mean of the statistic over `df` when the smaller model is true.
    p
        Chance of a larger statistic if the smaller model is true: that of
        statistic / (design_effect x small_sample) by chi-squared.
    formula
        Name and version.
    """

    statistic: float
    df: int
    design_effect: float
    small_sample: float
    p: float
    formula: str = LIKELIHOOD_RATIO


@dataclass(frozen=True)
class LikelihoodRatioTests(Result):
    """Three nested questions about a session.

    Attributes
    ----------
    linear
        Does the noise move the responses: a kernel against none.
    halves
        Do the target's noise and the other noise have different kernels; a linear
        observer's are the same.
    quadratic
        Do the squares of the elements move the responses, beside the two kernels.
    """

    linear: LikelihoodRatio
    halves: LikelihoodRatio
    quadratic: LikelihoodRatio


def likelihood_ratio_tests(
    trials: TrialDesign, seed: int = 0, n_simulated: int = 40
) -> LikelihoodRatioTests:
    """Test a kernel, equal kernels of the two halves, and squares of the noise.

    In yes/no the squares are those of the shown noise; in 2AFC those of the second
    interval less those of the first.

    Parameters
    ----------
    seed, n_simulated
        Of the simulated responses, and how many times; 0 leaves `small_sample` at 1.

    Raises
    ------
    ValueError
        If there are no halves, the noise separates the responses, or three times its
        elements are as many as the trials.

    Examples
    --------
    >>> import yoked
    >>> from yoked.analysis.trials.held import as_design
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> observer = yoked.load_observer("template")
    >>> session = yoked.run(
    ...     protocol, observer, seed=1, trials=600, contrast=0.15, internal_noise=1.0
    ... )
    >>> tests = likelihood_ratio_tests(as_design(session), n_simulated=5)
    >>> tests.linear.p < 1e-6, tests.halves.df, tests.quadratic.df
    (True, 13, 13)
    """
    if not trials.has_halves:
        raise CannotTell(NO_TARGET)
    target, other = trials.halves
    sign = np.where(trials.target == 1, 1.0, -1.0)[:, None]
    squares = target**2 + other**2
    if trials.is_forced_choice:
        squares = sign * (target**2 - other**2)
    parts = [trials.noise, target, squares]
    designs = [standardised(part, trials.cell)[0] for part in parts]
    smaller, tests = np.zeros((len(trials), 0)), []
    for added in designs:
        pair = _Nested.of(smaller, added)
        tests.append(_test(pair, trials, seed, n_simulated))
        smaller = np.hstack([smaller, added])
    return LikelihoodRatioTests(*tests)


@dataclass(frozen=True, eq=False)
class _Nested:
    """Two designs, the second with `df` columns more at its end."""

    smaller: Coordinates
    larger: Coordinates
    df: int

    @classmethod
    def of(cls, smaller: np.ndarray, added: np.ndarray) -> "_Nested":
        whole = np.hstack([smaller, added])
        axes = (Coordinates.of(x, turned=False) for x in (smaller, whole))
        smaller_axes, larger_axes = axes
        return cls(smaller_axes, larger_axes, added.shape[1])


def _test(
    pair: _Nested, trials: TrialDesign, seed: int, n_simulated: int
) -> LikelihoodRatio:
    responses, larger = solve(pair.larger, trials, 0.0)
    _, smaller = solve(pair.smaller, trials, 0.0)
    gain = log_likelihood(responses, larger) - log_likelihood(responses, smaller)
    effect = _design_effect(pair, responses, larger, trials)
    factor = _small_sample(pair, responses, smaller, seed, n_simulated)
    p = float(chi2.sf(2 * gain / (effect * factor), pair.df))
    return LikelihoodRatio(2 * gain, pair.df, effect, factor, p)


def _small_sample(
    pair: _Nested,
    responses: BinaryResponses,
    smaller: Solution,
    seed: int,
    n_simulated: int,
) -> float:
    """Mean statistic per degree of freedom in responses of the smaller model."""
    rng = np.random.default_rng(seed)
    chance, gains = ndtr(smaller.predictor), []
    for _ in range(n_simulated):
        response = rng.random(len(chance)) < chance
        drawn = replace(responses, response=response)
        base = fit(pair.smaller, drawn, 0.0, smaller, tolerance=1e-3)
        start = replace(base, theta=np.append(base.theta, np.zeros(pair.df)))
        whole = fit(pair.larger, drawn, 0.0, start, tolerance=1e-3)
        gains.append(log_likelihood(drawn, whole) - log_likelihood(drawn, base))
    return max(2 * float(np.mean(gains)) / pair.df, 1.0) if gains else 1.0


def _design_effect(
    pair: _Nested, responses: BinaryResponses, larger: Solution, trials: TrialDesign
) -> float:
    """Mean ratio of the variance with and without regard to noise shown twice."""
    if len(np.unique(trials.cluster)) == len(trials):
        return 1.0
    values = np.linalg.eigvalsh(pair.larger.x.T @ pair.larger.x)
    rank = int(np.sum(values > FLAT * values[-1]))
    if rank < len(values):
        rule = f"{len(values)}, one for each weight of a model"
        raise CannotTell(f"dimensions of the noise must be {rule}, got {rank}")
    together, apart = (
        _covariance(pair, responses, larger, cluster)
        for cluster in (trials.cluster, np.arange(len(trials)))
    )
    ratio = np.linalg.solve(apart, together)
    return max(float(np.trace(ratio)) / pair.df, 1.0)


def _covariance(
    pair: _Nested, responses: BinaryResponses, larger: Solution, cluster: np.ndarray
) -> Float[np.ndarray, " added added"]:
    spread = influence(pair.larger, responses, larger, 0.0, cluster)[:, -pair.df :]
    return (spread.T @ spread).astype(np.float64)
