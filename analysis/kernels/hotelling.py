"""Hotelling's T^2: is a kernel zero, is it a given one, are two kernels the same.

Few numbers are tested, not every element: the kernel k, in decision SDs per noise SD,
seen through the columns of a basis B [1]_. Its estimate is a mean over noise fields of
their scores, so that T^2 = (B'k - h)' V^-1 (B'k - h), V their covariance, has an F
distribution when there are many more fields than columns. Two showings of one field
are one. A difference of two kernels has the covariance of both, with the degrees of
freedom of Yao [2]_.

References
----------
.. [1] Abbey & Eckstein (2002), J. Vis. 2(1):5, 66-78.
.. [2] Yao (1965), Biometrika 52, 139-147.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.stats import f as f_distribution

from ..trials.design import TrialDesign
from ..trials.estimate import CannotTell
from ..trials.held import as_design
from ..trials.responses import SessionLike
from ..trials.score import score
from ..trials.shown import Shape, require_same_noise
from .priors import has_neighbours, smooth_basis

FORMULA = "hotelling-t-squared-score/1"
FIELDS_PER_COEFFICIENT = 20
FLAT = 1e-10  # of the largest variance: what is below is the rounding of float32


@dataclass(frozen=True)
class HotellingTest:
    """A test of several numbers at once.

    Attributes
    ----------
    t_squared
        The statistic.
    f, df, df_error
        The statistic as F, with its degrees of freedom.
    p
        Chance of a larger value under the hypothesis.
    n
        Noise fields that it rests on.
    formula
        Name and version.
    """

    t_squared: float
    f: float
    df: int
    df_error: float
    p: float
    n: int
    formula: str = FORMULA


def hotelling_test(
    trials: TrialDesign,
    basis: Float[np.ndarray, " element column"] | None = None,
    hypothesis: Float[np.ndarray, " element"] | None = None,
) -> HotellingTest:
    """Test whether a kernel is zero, or is a given one, as a basis shows it.

    Parameters
    ----------
    basis
        Its columns are what is looked at, such as a template or low frequencies; by
        default `low_frequencies`. Coefficients of noise on a basis have none: there it
        is every coefficient, if 20 noise fields or more come to each.
    hypothesis
        Kernel in decision SDs per noise SD; by default zero.

    Raises
    ------
    ValueError
        If the basis or hypothesis does not fit the noise, or has as many columns as
        there are noise fields.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")  # 13 bars, the signal in bar 6
    >>> observer = yoked.load_observer("template")
    >>> session = yoked.run(
    ...     protocol, observer, seed=1, trials=600, contrast=0.15, internal_noise=1.0
    ... )
    >>> trials, bar = as_design(session), np.eye(13)[:, [6]]
    >>> hotelling_test(trials, bar).p < 1e-6
    True
    >>> hotelling_test(trials, bar, hypothesis=np.sqrt(0.5) * bar[:, 0]).p > 0.05
    True
    """
    basis = _checked(basis, trials)
    estimate, each = _through(trials, basis)
    if hypothesis is not None:
        if hypothesis.shape != basis.shape[:1]:
            rule = f"a value for each of {basis.shape[0]} elements"
            raise ValueError(f"hypothesis must be {rule}, got {hypothesis.shape}")
        estimate = estimate - basis.T @ hypothesis
    n, k = each.shape
    t_squared = _distance(estimate, _covariance(each))
    return _as_f(t_squared, k, n - 1, n)


def hotelling_comparison(
    ours: SessionLike | TrialDesign,
    theirs: SessionLike | TrialDesign,
    basis: Float[np.ndarray, " element column"] | None = None,
) -> HotellingTest:
    """Test whether the kernels of two sessions are the same, as a basis shows them.

    The sessions' responses must be independent. Those to the same noise fields, as of
    yoked sessions, are not: `yoked.compare` is for these.

    Parameters
    ----------
    ours, theirs
        Sessions, or trials with their noise, of fields of one shape.
    basis
        As for `hotelling_test`.

    Raises
    ------
    CannotTell
        If the fields differ in shape, a noise field was shown in both, or there are too
        few for the basis.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> observer = yoked.load_observer("template")
    >>> one, other = (
    ...     yoked.run(protocol, observer, seed=seed, trials=300, contrast=0.15)
    ...     for seed in (1, 2)
    ... )
    >>> yoked.hotelling_comparison(one, other).p > 0.05
    True
    """
    ours, theirs = as_design(ours), as_design(theirs)
    basis = _checked(basis, ours)
    require_same_noise(ours, theirs)
    n_shared = len(np.intersect1d(ours.noise_keys, theirs.noise_keys))
    if n_shared:
        rule = "different ones in the two sessions"
        raise CannotTell(f"noise fields must be {rule}, got {n_shared} in both")
    (first, each), (second, other) = (_through(t, basis) for t in (ours, theirs))
    parts = [_covariance(each), _covariance(other)]
    difference, together = first - second, parts[0] + parts[1]
    t_squared = _distance(difference, together)
    pull = np.linalg.solve(together, difference)
    shares = [float(pull @ part @ pull) / max(t_squared, 1e-300) for part in parts]
    errors = (len(each) - 1, len(other) - 1)
    freedom = 1 / sum(s**2 / e for s, e in zip(shares, errors, strict=True))
    freedom = min(max(freedom, min(errors)), sum(errors))
    return _as_f(t_squared, basis.shape[1], freedom, len(each) + len(other))


def low_frequencies(
    shape: Shape, n_columns: int = 6
) -> Float[np.ndarray, " element column"]:
    """Return the smoothest orthonormal cosines of a grid: the mean, slow waves.

    Examples
    --------
    >>> low_frequencies((1, 4, 4), 3).shape
    (16, 3)
    """
    waves = smooth_basis(shape)
    slowest = np.argsort(-np.linalg.norm(waves, axis=0), kind="stable")
    chosen = waves[:, slowest[:n_columns]]
    return chosen / np.linalg.norm(chosen, axis=0)


def _checked(
    basis: Float[np.ndarray, " element column"] | None, trials: TrialDesign
) -> Float[np.ndarray, " element column"]:
    n_elements = trials.halves.shape[2]
    if basis is None:
        basis = _looked_at(trials)
    if basis.shape[0] != n_elements:
        rule = f"{n_elements}, one for each element"
        raise ValueError(f"rows of the basis must be {rule}, got {basis.shape[0]}")
    n_fields = len(np.unique(trials.cluster))
    if basis.shape[1] >= n_fields - 1:
        rule = f"fewer than the {n_fields} noise fields"
        raise CannotTell(f"columns of the basis must be {rule}, got {basis.shape[1]}")
    return basis


def _looked_at(trials: TrialDesign) -> Float[np.ndarray, " element column"]:
    """The slow waves of a grid, or every coefficient of images."""
    if has_neighbours(trials.shape):
        return low_frequencies(trials.shape)
    k, n_fields = trials.shape[0], len(np.unique(trials.cluster))
    if n_fields < FIELDS_PER_COEFFICIENT * k:
        rule = f"{FIELDS_PER_COEFFICIENT} or more for each of {k} coefficients"
        hint = "they have no low frequencies to look at instead"
        raise CannotTell(f"noise fields must be {rule}, got {n_fields}; {hint}")
    return np.eye(k)


def _through(
    trials: TrialDesign, basis: np.ndarray
) -> tuple[Float[np.ndarray, " column"], Float[np.ndarray, " field column"]]:
    """The kernel seen through a basis, and what each noise field added to it."""
    scored = score(trials)
    noise = trials.noise @ basis.astype(np.float32)
    scale = scored.sd * scored.information
    columns = [
        np.bincount(scored.cluster, scored.coefficient * along) / scale
        + scored.rate_influence(along.astype(np.float64))
        for along in noise.T
    ]
    return basis.T @ scored.kernel, np.stack(columns, axis=1)


def _covariance(each: Float[np.ndarray, " field column"]) -> np.ndarray:
    """Covariance of a sum over fields."""
    n = len(each)
    about_mean = each - each.mean(0)
    return about_mean.T @ about_mean * (n / (n - 1))


def _distance(difference: np.ndarray, covariance: np.ndarray) -> float:
    """The squared distance in units of a covariance, which must have full rank."""
    values = np.linalg.eigvalsh(covariance)
    rank = int(np.sum(values > FLAT * values[-1]))
    if rank < len(covariance):
        rule = f"different enough to fill the basis' {len(covariance)} dimensions"
        raise CannotTell(f"noise fields must be {rule}, got {rank}")
    return float(difference @ np.linalg.solve(covariance, difference))


def _as_f(t_squared: float, k: int, freedom: float, n: int) -> HotellingTest:
    error = freedom - k + 1
    f = t_squared * error / (freedom * k)
    p = float(f_distribution.sf(f, k, error))
    return HotellingTest(t_squared, f, k, error, p, n)
