"""The first-order kernel without shrinkage, and an interval that covers it.

A penalised fit predicts well because it is pulled towards its prior, so that no error
bar about it covers the kernel. The estimate here leans on the same kind of fit and is
unbiased whatever the penalty did [1]_ [2]_. In class c let f be a response fitted to
other trials; its mean P_c and mean gradient G_c under the noise are known, for we drew
the noise (`noise_law.py`). What f misses is found in the residuals r = y - f of trials
that it never saw (`cross_fit.py`):

    S_c = G_c + mean(r x),    p_c = P_c + mean(r),    z_c = Phi^-1(p_c),
    k = sum_c n_c phi_c / (p_c q_c) S_c / sum_c n_c phi_c^2 / (p_c q_c).

S_c is the mean gradient of the response, by Stein's theorem, of *any* observer; over
phi(z_c) it is k, the correlation of the decision variable with each element: decision
SDs per noise SD. A linear observer has the same k in every class, and its squares add
up to 1 / (1 + gamma^2). A probit slope is larger, and shrinks with all that the model
leaves out; k does not.

What each noise field added to k, its influence, gives the standard error [3]_: squares
are divided by one less the field's leverage, and by the square of that in the interval
that holds all elements at once. Its width is Sidak's in white noise, and else that of
the largest error among sums of influences with random signs and sizes [4]_. From k is
taken what the curvature of 1 / phi(z) adds to it where a class has few trials.

It assumes that a response depends on the trial's own stimulus, the same way throughout,
and that there are no lapses but those of the rate that is given. Lapses and a drifting
criterion make k too small, by `kept_under_lapses` and `kept_under_drift`.

References
----------
.. [1] Newey & Stoker (1993), Econometrica 61, 1199-1223 (average derivatives).
.. [2] Javanmard & Montanari (2014), J. Mach. Learn. Res. 15, 2869-2909 (debiasing).
.. [3] MacKinnon & White (1985), J. Econometrics 29, 305-325 (HC2, HC3).
.. [4] Chernozhukov, Chetverikov & Kato (2013), Ann. Stat. 41, 2786-2819 (multipliers).
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.special import ndtri

from ..trials.design import TrialDesign
from ..trials.estimate import Z95, CannotTell, Estimate
from ..trials.held import as_design
from ..trials.responses import SessionLike
from ..trials.result import Result
from ..trials.shown import Shape
from .cross_fit import density
from .equality import KernelEquality, equality
from .influence import HALVES, Influence, Scores, known_rate
from .noise_law import Matrix, NoiseLaw

FORMULA = "kernel-augmented-score/1"
N_DRAWS = 1000  # of multipliers, for the largest error of correlated elements
FAR_FROM_NORMAL = 0.25  # excess kurtosis of the decision variable

Field = Float[np.ndarray, " *shape"]


@dataclass(frozen=True, eq=False)
class KernelBand(Result):
    """An estimate of every element, with its 95 % intervals.

    Attributes
    ----------
    value
        Unbiased, in decision SDs per noise SD.
    se
        Standard error.
    low, high
        Interval of each element on its own.
    low_all, high_all
        Intervals that hold all elements at once.
    """

    value: Field
    se: Field
    low: Field
    high: Field
    low_all: Field
    high_all: Field


@dataclass(frozen=True, eq=False)
class AugmentedKernel(Result):
    """The unshrunken kernel with intervals that cover it.

    Attributes
    ----------
    kernel
        Of the noise that speaks for "yes".
    target_half, nontarget_half
        From the noise with and without the target. A linear observer has the same
        kernel twice. None where nearly all of a half's responses are alike, and in
        yes/no without a correct answer, which has one kind of noise.
    halves
        Test of whether the two are the same.
    critical
        Standard errors to either side of `value` in the interval of all elements.
    lapse_rate
        That was allowed for.
    n_trials, n_fields, n_folds
        That entered; parts that were held out in turn.
    formula
        Name and version.
    note
        What would make the kernel too small, and what was found.
    """

    kernel: KernelBand
    target_half: KernelBand | None
    nontarget_half: KernelBand | None
    halves: KernelEquality | None
    critical: float
    lapse_rate: float
    n_trials: int
    n_fields: int
    n_folds: int
    formula: str = FORMULA
    note: str | None = None


def augmented_kernel(
    source: SessionLike | TrialDesign,
    lapse_rate: float | Estimate = 0.0,
    covariance: Matrix | None = None,
    seed: int = 0,
    n_folds: int | None = None,
) -> AugmentedKernel:
    """Estimate the kernel without shrinkage, with intervals that cover it.

    Parameters
    ----------
    source
        A session, or trials with their noise.
    lapse_rate
        Share of the trials that were guessed: known, or estimated from catch trials,
        whose uncertainty then widens the intervals.
    covariance
        Of correlated noise, if it is known; else that of all fields shown.
    seed
        Of the split into folds.
    n_folds
        By default 10, and 5 of more than 200,000 noise elements.

    Raises
    ------
    ValueError
        If the lapse rate is not in [0, 1), or there are fewer than two folds.
    CannotTell
        If there are fewer than two noise fields a fold, no stimulus class has both
        responses, in yes/no one of the two classes was never shown, the law of the
        noise is not known, or the lapse rate makes the kernel longer than any can be.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")  # 13 bars, the signal in bar 6
    >>> observer = yoked.load_observer("template")
    >>> session = yoked.run(
    ...     protocol, observer, seed=1, trials=600, contrast=0.15, internal_noise=1.0
    ... )
    >>> band = augmented_kernel(session).kernel
    >>> bool(band.low[0, 0, 6] < 0.5**0.5 < band.high[0, 0, 6])
    True
    """
    trials = as_design(source)
    rate = known_rate(lapse_rate)
    scores = Scores.of(trials, rate, covariance, seed, n_folds)
    whole = scores.possible_influence()
    critical = simultaneous(whole, scores.law, seed)
    ends = _lapse_ends(scores, lapse_rate)
    bands = {"kernel": _band(whole, critical, ends, trials.shape)}
    note = _note(scores, whole.value, isinstance(lapse_rate, Estimate))
    n_folds, n_fields = scores.n_folds, len(whole.room)
    del whole  # influences are as large as the noise
    found: dict[str, Influence] = {}
    missing: dict[str, CannotTell] = {}
    for part in HALVES if trials.has_halves else ():
        try:
            found[part] = scores.influence(part)
        except CannotTell as reason:
            missing[part] = reason
    del scores
    for part, one in found.items():
        bands[part] = _band(one, critical, ends, trials.shape)
    halves = None
    if len(found) == len(HALVES):
        halves = equality(found["target_half"], found["nontarget_half"], seed=seed)
    return AugmentedKernel(
        kernel=bands["kernel"],
        target_half=bands.get("target_half"),
        nontarget_half=bands.get("nontarget_half"),
        halves=halves,
        critical=critical,
        lapse_rate=rate,
        n_trials=len(trials),
        n_fields=n_fields,
        n_folds=n_folds,
        note="; ".join([*_of_halves(missing), note]),
    )


def _of_halves(missing: dict[str, CannotTell]) -> list[str]:
    """Why halves have no interval; one reason for both."""
    if not missing:
        return []
    (part, reason), *others = missing.items()
    what = "half by itself" if others else part.replace("_", " ")
    return [f"no {what}: {reason}"]


def kept_under_lapses(lapse_rate: float, proportion_correct: float) -> float:
    """Return the share of a kernel that is left if lapses are not allowed for.

    Half of the lapses say "yes". The proportion correct is that of all trials.

    Examples
    --------
    >>> [round(kept_under_lapses(*both), 2) for both in ((0.05, 0.747), (0.1, 0.734))]
    [0.92, 0.85]
    """
    attentive = (proportion_correct - lapse_rate / 2) / (1 - lapse_rate)
    z, seen = ndtri(attentive), ndtri(proportion_correct)
    return float((1 - lapse_rate) * np.exp((seen**2 - z**2) / 2))


def kept_under_drift(reach: float) -> float:
    """Return the share of a kernel that is left if the criterion drifts.

    Evenly from `reach` decision SDs on one side of its mean to as many on the other.

    Examples
    --------
    >>> round(kept_under_drift(1.0), 3)
    0.866
    """
    return 1 / math.sqrt(1 + reach**2 / 3)


def simultaneous(one: Influence, law: NoiseLaw, seed: int) -> float:
    """Return the standard errors that hold all elements at once in 95 %."""
    p = len(one.value)
    if law.root is None:
        return float(ndtri(1 - (1 - 0.95 ** (1 / p)) / 2))
    scaled = one.scaled() / one.se.astype(one.fields.dtype)
    rng = np.random.default_rng(seed)
    draws = rng.standard_normal((N_DRAWS, len(scaled)), dtype=np.float32)
    largest = np.abs(draws.astype(scaled.dtype) @ scaled).max(1)
    return float(np.quantile(largest, 0.95))


def _lapse_ends(scores: Scores, rate: float | Estimate) -> tuple[float, float]:
    """How much smaller and larger the kernel is at the ends of the lapse rate."""
    if not isinstance(rate, Estimate) or rate.low is None or rate.high is None:
        return 1.0, 1.0
    weight = scores.information / scores.information.sum()
    ends = []
    for lapse in (rate.low, min(rate.high, 0.99)):
        # The gradient of the response is what was seen; phi(z) is what it is over.
        n = scores.rates.group_size[scores.rates.group]
        p = (scores.p - lapse / 2) / (1 - lapse)
        z = ndtri(np.clip(p, 0.5 / n, 1 - 0.5 / n))
        ends.append(float(weight @ (scores.slope / ((1 - lapse) * density(z)))))
    return min(ends[0], 1.0), max(ends[1], 1.0)


def _band(
    one: Influence,
    critical: float,
    ends: tuple[float, float],
    shape: Shape,
) -> KernelBand:
    """Intervals; the lapse rate's arms and the others combine as SDs do."""
    arms = np.abs(one.value) * (1 - ends[0]), np.abs(one.value) * (ends[1] - 1)
    is_up = one.value >= 0
    below, above = np.where(is_up, arms[0], arms[1]), np.where(is_up, arms[1], arms[0])
    limits = []
    for factor, se in ((Z95, one.se), (critical, one.se_all)):
        for sign, arm in ((-1, below), (1, above)):
            reach = np.hypot(factor * se, factor / Z95 * arm)
            limits.append(one.value + sign * reach)
    se = np.hypot(one.se, (arms[0] + arms[1]) / (2 * Z95))
    low, high, low_all, high_all = (limit.reshape(shape) for limit in limits)
    value = one.value.reshape(shape)
    return KernelBand(value, se.reshape(shape), low, high, low_all, high_all)


def _note(
    scores: Scores, kernel: Float[np.ndarray, " element"], is_estimated: bool
) -> str:
    """What would make the kernel too small, in this session's numbers."""
    said = []
    right = np.where(scores.trials.target == 1, scores.p, 1 - scores.p)
    p = min(max(float(right.mean()), 0.06), 0.94)
    if scores.lapse or is_estimated:
        by = ", by catch trials," if is_estimated else ""
        said.append(f"a lapse rate of {scores.lapse:.3f}{by} is allowed for")
    else:
        few, many = (_two(kept_under_lapses(rate, p)) for rate in (0.05, 0.1))
        said.append(
            "no lapses are assumed: 5 and 10 % of them would leave "
            f"{few} and {many} of the kernel"
        )
    drift = _two(kept_under_drift(1.0))
    said.append(f"a criterion that drifts 1 decision SD to either side leaves {drift}")
    kurtosis = _decision_kurtosis(scores.law.kurtosis, kernel)
    if abs(kurtosis) > FAR_FROM_NORMAL:
        said.append(
            "the decision variable, internal noise included, is not normal (excess "
            f"kurtosis {kurtosis:.2f}): this is the slope of the responses, not the "
            "kernel"
        )
    return "; ".join(said)


def _two(share: float) -> str:
    return f"{share:.2f}".removeprefix("0")


def _decision_kurtosis(element: float, kernel: Float[np.ndarray, " element"]) -> float:
    """Excess kurtosis of kernel . noise of independent elements, with its rest."""
    return element * float(np.sum(kernel**4)) / max(float(np.sum(kernel**2)), 1.0) ** 2
