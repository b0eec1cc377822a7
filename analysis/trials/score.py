"""The score of the noise: the optimally weighted sum of it, and what it implies.

For a linear-Gaussian observer P(yes) = Phi(a_k + w . x / SD) in class k, with x the
noise that speaks for "yes" (SD sigma). At w = 0 the derivative of the log likelihood by
w, Rao's score, is

    U = sum over trials of (y - p_k) g_k x,    g_k = phi(z_k) / (p_k q_k),

which is Murray, Bennett & Sekuler's optimal weighted sum [1]_. Its expectation is
w sigma alpha I with I = sum over classes of n_k phi(z_k)^2 / (p_k q_k), so that

    k = U / (sigma I)

is a kernel in decision SDs per noise SD: its squares add up to alpha^2, the share of
the decision variance that a linear kernel explains, and kernels of any two observers
compare on one scale. No assumption of linearity is needed for what U / n converges to
in Gaussian noise, the mean gradient of P(yes).

Every stimulus contributes u_f; two showings of one noise field are one contribution.
Squares of U contain the sampling noise |u_f|^2 of each: sums over different stimuli
f != g do not.

References
----------
.. [1] Murray, Bennett & Sekuler (2002), J. Vision 2(1):6, 79-104, eqs 4, A10, B4.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import ndtri

from .counts import loglinear_rate
from .design import TrialDesign
from .estimate import CannotTell

STILL = "noise must vary between trials of a class, got none that does"
ONE_KIND = (
    "responses must be given in both kinds in some stimulus class (a target at a "
    "contrast), got one kind in each"
)
CANCEL = (
    "the responses to the two showings of a noise field must not cancel, got opposite "
    "ones throughout"
)
ROWS = 512  # of the noise that are looked at at once
ROUNDING = 1e-12  # of a sum of squares
NOT_WHITE = 0.05  # correlation of neighbours, or spread of variances, that counts


@dataclass(frozen=True, eq=False)
class Score:
    """The optimally weighted sum of the noise, and what its variance rests on.

    Attributes
    ----------
    total
        U, the sum over trials of coefficient x noise.
    coefficient
        (y - p_k) g_k of each trial.
    residual
        y - p_k; 0 in classes that say nothing.
    cell
        Class of each trial.
    cluster
        Number of the stimulus from 0: two showings have the same.
    information
        I, the sum over classes of n_k phi(z_k)^2 / (p_k q_k).
    spread
        Sum over stimuli of squared coefficients, those of two showings added: I
        without a double pass.
    sd
        Realised SD of the noise that speaks for "yes", within classes.
    n
        Trials of classes in which both responses were given.
    rate_slopes
        Derivatives of log g_k and of phi^2 / (p_k q_k) by p_k.
    """

    total: Float[np.ndarray, " element"]
    coefficient: Float[np.ndarray, " trial"]
    residual: Float[np.ndarray, " trial"]
    cell: Int[np.ndarray, " trial"]
    cluster: Int[np.ndarray, " trial"]
    information: float
    spread: float
    sd: float
    n: int
    rate_slopes: Float[np.ndarray, " cell 2"]

    @property
    def kernel(self) -> Float[np.ndarray, " element"]:
        """Kernel in decision SDs per noise SD."""
        return self.total / (self.sd * self.information)

    @property
    def se(self) -> float:
        """Standard error of every element of `kernel` (a little less along it)."""
        return float(np.sqrt(self.spread) / self.information)

    def rate_influence(
        self, along: Float[np.ndarray, " trial"]
    ) -> Float[np.ndarray, " stimulus"]:
        """Give what each stimulus adds to `kernel` along a direction by way of the p_k.

        The rates of "yes" are estimated from the same responses, and enter g and I.

        Parameters
        ----------
        along
            Noise of each trial times the direction, of length 1.
        """
        n = np.bincount(self.cell)
        total = np.bincount(self.cell, self.coefficient * along)
        relative, slope = self.rate_slopes.T
        by_rate = relative * total / np.maximum(n, 1)
        by_rate = by_rate - total.sum() / self.information * slope
        each = self.residual * by_rate[self.cell]
        return np.bincount(self.cluster, each) / (self.sd * self.information)


def score(trials: TrialDesign) -> Score:
    """Return the score of a session's noise.

    Classes in which every response was the same say nothing and are left out.

    Raises
    ------
    CannotTell
        If no class has both responses, or the noise is the same in all trials of each.

    Examples
    --------
    >>> import yoked
    >>> from yoked.analysis.trials.responses import responses
    >>> protocol = yoked.load_protocol("bar-in-noise")  # the signal is in bar 6
    >>> observer = yoked.load_observer("template")
    >>> session = yoked.run(protocol, observer, seed=1, trials=300, contrast=0.15)
    >>> trials = TrialDesign.of(responses(session), session.noise)
    >>> int(score(trials).kernel.argmax())
    6
    """
    n = np.bincount(trials.cell)
    n_yes = np.bincount(trials.cell, trials.response)
    varied = (n_yes > 0) & (n_yes < n)
    if not varied.any():
        raise CannotTell(ONE_KIND)
    if not varies(trials.noise, trials.cell).any():
        raise CannotTell(STILL)
    slope, rate_slopes = _slopes(n_yes, n)
    slope = slope * varied
    rate = n_yes / np.maximum(n, 1)
    residual = (trials.response - rate[trials.cell]) * varied[trials.cell]
    coefficient = residual * slope[trials.cell]
    _, cluster = np.unique(trials.cluster, return_inverse=True)
    together = np.bincount(cluster, coefficient)
    spread = float(together @ together)
    if spread <= ROUNDING * float(coefficient @ coefficient):
        raise CannotTell(CANCEL)
    return Score(
        total=(coefficient.astype(np.float32) @ trials.noise).astype(np.float64),
        coefficient=coefficient,
        residual=residual,
        cell=trials.cell,
        cluster=cluster,
        information=float((slope**2 * n * rate * (1 - rate)).sum()),
        spread=spread,
        sd=decision_noise_sd(trials),
        n=int(n[varied].sum()),
        rate_slopes=rate_slopes,
    )


def _slopes(
    n_yes: np.ndarray, n: np.ndarray
) -> tuple[Float[np.ndarray, " cell"], Float[np.ndarray, " cell 2"]]:
    """Return g = phi / (p q) at log-linear corrected rates, and `rate_slopes`."""
    p = loglinear_rate(n_yes, n)
    z, pq = ndtri(p), p * (1 - p)
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    by_log = -z / density - (1 - 2 * p) / pq  # d log phi / dp = -z / phi
    by_information = density**2 / pq * (by_log - z / density)
    return density / pq, np.stack([by_log, by_information], axis=1)


def varies(
    noise: Float[np.ndarray, " trial element"], cell: Int[np.ndarray, " trial"]
) -> Bool[np.ndarray, " element"]:
    """Mark the elements whose noise differs between trials of some stimulus class.

    By comparing values: sums of squares would leave rounding for variance.
    """
    _, first, number = np.unique(cell, return_index=True, return_inverse=True)
    still = np.arange(noise.shape[1])
    for start in range(0, len(noise), ROWS):
        rows = slice(start, start + ROWS)
        part = noise[rows] if len(still) == noise.shape[1] else noise[rows][:, still]
        of_first = noise[first[number[rows]]][:, still]
        still = still[~np.any(part != of_first, axis=0)]
        if not len(still):
            break
    return ~np.isin(np.arange(noise.shape[1]), still)


def check_every_element_varies(trials: TrialDesign) -> None:
    """Raise CannotTell if the noise of an element is the same within each class."""
    still = int(np.sum(~varies(trials.noise, trials.cell)))
    if still:
        raise CannotTell(f"noise must vary in every element, got {still} that does not")


def decision_noise_sd(trials: TrialDesign) -> float:
    """Return the realised SD, contrast, of the noise that speaks for "yes"."""
    return float(np.sqrt(_element_variance(trials.noise).mean()))


def why_not_white(trials: TrialDesign) -> str | None:
    """Return why the noise is not white, or None.

    White here: neighbours along frames, rows and columns, or coefficients that follow
    each other, correlate, and variances of elements differ, by less than .05 beyond
    what sampling gives.
    """
    _, first = np.unique(trials.cluster, return_index=True)
    noise = trials.noise
    if not varies(noise, trials.cell).any():
        return STILL
    if len(first) < len(noise):
        noise = noise[first]
    variance = _element_variance(noise)
    spread = float(np.mean((variance / variance.mean() - 1) ** 2))
    # The variance of a Gaussian sample variance is 2 / n; with room for 4 of its SDs.
    by_chance = 2 / len(noise) * (1 + 4 * math.sqrt(2 / len(variance)))
    if spread > NOT_WHITE**2 + by_chance:
        return "the noise must have one SD in all elements"
    mean = noise.mean(0)
    for axis in range(1, len(trials.shape) + 1):
        if trials.shape[axis - 1] < 2:
            continue
        together, n = 0.0, 0
        for start in range(0, len(noise), ROWS):
            field = (noise[start : start + ROWS] - mean).reshape(-1, *trials.shape)
            length = trials.shape[axis - 1]
            one = np.take(field, np.arange(length - 1), axis)
            next_one = np.take(field, np.arange(1, length), axis)
            together += float(np.sum(one * next_one, dtype=np.float64))
            n += one.size
        correlation = together / n / float(variance.mean())
        if abs(correlation) > NOT_WHITE + 4 / math.sqrt(n):
            return f"the noise must be white, neighbours correlate by {correlation:.2f}"
    return None


def _element_variance(noise: np.ndarray) -> Float[np.ndarray, " element"]:
    n = len(noise)
    mean = noise.mean(0, dtype=np.float64)
    squares = np.einsum("te,te->e", noise, noise, dtype=np.float64) / n
    return np.maximum(squares - mean**2, 0)
