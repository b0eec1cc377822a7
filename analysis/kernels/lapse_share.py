"""The linear share of an observer who lapses.

A guess follows no noise: with 10 % lapses a kernel's squared length is .70 of what it
is on attentive showings. In class k with rate of "yes" p the attentive rate is
(p - lambda / 2) / (1 - lambda) = Phi(z), and

    g_k = Delta_k p q / [(1 - lambda) phi(z)]

with variance p q / [n ((1 - lambda) phi(z))^2] per element estimates the kernel in
decision SDs, Delta_k the mean noise of "yes" less that of "no" over the noise's SD.
Classes are combined by inverse variance, and the squares that a stimulus makes with
itself are left out, as in `linear_share.py`.

Lambda is known by catch trials and a prior that lapses are rare, Beta(1/2, 19/2), cut
where no class could have had so many. The share stands at the posterior's mean; its
interval is of 400 draws of lambda, each with a normal draw of the share: what is not
known of lambda is most of it. Beta(1, 19) leaves the share 5 % too large without
lapses and 5 % too small with 10 %. Advice: 200 catch trials.
"""

import numpy as np
from jaxtyping import Float
from scipy.special import ndtri
from scipy.stats import beta

from ..trials.counts import loglinear_rate
from ..trials.design import TrialDesign
from ..trials.estimate import CannotTell, Estimate
from ..trials.score import ONE_KIND, decision_noise_sd, why_not_white

FORMULA = "linear-share-without-lapses/1"
PRIOR = (0.5, 9.5)
DRAWS, GRID = 400, 101
PILE = 10  # of the grid, next to the cut: half of the posterior there is too much
NO_CATCH = "no catch trial was answered, so nothing tells how often the observer lapses"


def share_without_lapses(
    trials: TrialDesign, n_errors: int, n_catch: int, seed: int = 0
) -> Estimate:
    """Estimate the linear share of attentive decisions.

    Parameters
    ----------
    trials
        In white noise.
    n_errors, n_catch
        Of catch trials, of two alternatives.
    seed
        Of the draws of the lapse rate.

    Raises
    ------
    CannotTell
        If there are no catch trials or more errors on them than the responses allow,
        the noise is not white, or no class has both responses.
    """
    if not n_catch:
        raise CannotTell(NO_CATCH)
    if reason := why_not_white(trials):
        raise CannotTell(reason)
    cells = _Cells(trials)
    rates = cells.most * (np.arange(GRID) + 0.5) / GRID
    shares, errors = np.array([cells.share(rate) for rate in rates]).T
    weight = _posterior(rates, n_errors, n_catch)
    value = float(np.interp(weight @ rates, rates, shares))
    rng = np.random.default_rng(seed)
    drawn = rng.choice(GRID, DRAWS, p=weight)
    draws = rng.normal(shares[drawn], errors[drawn])
    low, high = np.quantile(draws, [0.025, 0.975])
    if low > 1 or weight[-PILE:].sum() > 0.5:
        rule = f"no more than the responses allow, at most {cells.most:.1%} lapses"
        raise CannotTell(
            f"errors on catch trials must be {rule}, got {n_errors} of {n_catch}"
        )
    note = f"with lapses on {weight @ rates:.1%} of showings, by {n_catch} catch trials"
    if value > 1:
        note += "; the share is above 1, which no observer has"
    return Estimate(
        value,
        float(draws.std()),
        min(float(low), value),
        max(float(high), value),
        len(trials),
        FORMULA,
        note,
    )


def _posterior(
    rates: Float[np.ndarray, " rate"], n_errors: int, n_catch: int
) -> Float[np.ndarray, " rate"]:
    log = beta.logpdf(rates, *PRIOR) + n_errors * np.log(rates / 2)
    log += (n_catch - n_errors) * np.log1p(-rates / 2)
    weight = np.exp(log - log.max())
    return weight / weight.sum()


class _Cells:
    """The classes that had both responses, and what each stimulus adds."""

    def __init__(self, trials: TrialDesign) -> None:
        n, n_yes = (
            np.bincount(trials.cell, weight) for weight in (None, trials.response)
        )
        varied = (n_yes > 0) & (n_yes < n)
        if not varied.any():
            raise CannotTell(ONE_KIND)
        self.n, self.varied = n, varied
        self.rate = loglinear_rate(n_yes, n)
        self.cell, self.noise = trials.cell, trials.noise
        seen = n_yes / np.maximum(n, 1)
        self.residual = (trials.response - seen[trials.cell]) * varied[trials.cell]
        self.sd = decision_noise_sd(trials)
        _, self.first, self.stimulus = np.unique(
            trials.cluster, return_index=True, return_inverse=True
        )
        fields = self.noise[self.first]
        self.length = np.einsum("te,te->t", fields, fields, dtype=np.float64)

    @property
    def most(self) -> float:
        """Lapse rate beyond which some class had too few of one response."""
        rate = self.rate[self.varied]
        return float(min(2 * np.minimum(rate, 1 - rate).min(), 0.5)) * 0.98

    def share(self, lapse_rate: float) -> tuple[float, float]:
        """Return the share at a lapse rate, and its standard error."""
        kept = 1 - lapse_rate
        attentive = np.clip((self.rate - lapse_rate / 2) / kept, 1e-6, 1 - 1e-6)
        z = ndtri(attentive)
        slope = kept * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
        pq = self.rate * (1 - self.rate)
        information = self.varied * self.n * slope**2 / pq
        scale = self.sd * information.sum()
        each = (self.residual * (slope / pq)[self.cell]) / scale
        together = np.bincount(self.stimulus, each)
        total = each.astype(np.float32) @ self.noise
        own = together**2 * self.length
        size = float(total @ total)
        along = self.noise[self.first] @ total
        influence = 2 * (together * along - own)
        influence = influence - influence.mean()
        quadratic = self.noise.shape[1] * (self.sd**2 * (together @ together)) ** 2
        linear = float(influence @ influence) - 4 * quadratic
        return size - float(own.sum()), float(np.sqrt(max(linear, 0.0) + 2 * quadratic))
