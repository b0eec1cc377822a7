"""Probit fits that never saw the trials they are compared with.

The noise fields are dealt to folds, two showings together; each fold has a ridge fit of
all the others, its strength by the length of the kernel that the others' weighted sum
shows (empirical Bayes: the penalty is elements / |beta|^2). What the fits are used for
holds whatever they are, so a few steps are enough; all folds are fitted in one problem,
for one pass over the noise a step.

Rates: a stimulus class of many trials has a threshold of its own; classes of few are
smooth in contrast within a target, since a threshold each would be biased.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import minimize
from scipy.special import log_ndtr, ndtr, ndtri

from ..trials.design import ROWS, TrialDesign

FEW = 20  # trials: a class of fewer has no threshold of its own
MOST_POWERS = 3  # of log contrast
STEPS = 12  # of L-BFGS
BLOCK = 2**19  # numbers of noise that are looked at while they are in the cache
LEAST_SHARE, MOST_SHARE = 0.02, 0.97  # of the decision variance, for the penalty
INTERCEPT_PENALTY = 0.01
LOG_ROOT_2_PI = 0.9189385332046727


@dataclass(frozen=True, eq=False)
class Rates:
    """How thresholds depend on the stimulus class: z = columns @ coefficients.

    Attributes
    ----------
    columns
        One row a trial.
    group
        Of each trial: classes that share coefficients.
    n_coefficients
        Of each group.
    """

    columns: Float[np.ndarray, " trial coefficient"]
    group: Int[np.ndarray, " trial"]
    n_coefficients: Int[np.ndarray, " group"]

    @classmethod
    def of(cls, trials: TrialDesign) -> "Rates":
        """Give every class of enough trials an indicator, and the others powers."""
        n = np.bincount(trials.cell)
        is_alone = n[trials.cell] >= FEW
        label = np.where(is_alone, trials.cell, -1 - trials.target)
        _, group = np.unique(label, return_inverse=True)
        parts = []
        for one in range(group.max() + 1):
            rows = np.flatnonzero(group == one)
            parts.append((rows, _powers(trials.contrast[rows], len(rows))))
            if is_alone[rows[0]]:
                parts[-1] = rows, np.ones((len(rows), 1))
        sizes = np.array([part.shape[1] for _, part in parts])
        columns, start = np.zeros((len(trials), sizes.sum())), 0
        for rows, part in parts:
            # All columns of one length, as the optimiser likes them.
            length = np.sqrt(len(trials) / len(rows))
            columns[rows, start : start + part.shape[1]] = part * length
            start += part.shape[1]
        return cls(columns, group, sizes)

    @property
    def group_size(self) -> Int[np.ndarray, " group"]:
        """Trials of each group."""
        return np.bincount(self.group)

    def fit(
        self, answer: Float[np.ndarray, " trial"], lapse: float
    ) -> Float[np.ndarray, " trial"]:
        """Return thresholds z by probit regression; answers may leave [0, 1]."""
        d, n = self.columns, self.group_size[self.group]
        low = ndtri(0.5 / n)
        z = np.zeros(len(answer))
        for _ in range(30):
            slope = (1 - lapse) * density(z)
            rate = lapse / 2 + (1 - lapse) * ndtr(z)
            gain = slope / (rate * (1 - rate))
            weight = gain * slope
            gram = d.T @ (weight[:, None] * d) + 1e-9 * len(z) * np.eye(d.shape[1])
            step = d @ np.linalg.solve(gram, d.T @ (gain * (answer - rate)))
            step = np.clip(step, -1, 1)
            z = np.clip(z + step, low, -low)
            if np.abs(step).max() < 1e-8:
                break
        return z


def _powers(contrast: np.ndarray, n: int) -> Float[np.ndarray, " trial power"]:
    """Orthogonal powers of log contrast, as many as the trials bear."""
    t = np.log(contrast) if contrast.min() > 0 else contrast
    degree = min(len(np.unique(t)) - 1, MOST_POWERS, max(n // FEW - 1, 0))
    t = (t - t.mean()) / max(float(t.std()), 1e-12)
    q, _ = np.linalg.qr(np.vander(t, degree + 1, increasing=True))
    return q * np.sqrt(n)


@dataclass(frozen=True, eq=False)
class CrossFit:
    """Fits to all folds but one, in turn.

    Attributes
    ----------
    fold
        Of each trial.
    intercept
        a of each trial under each fit.
    slope
        b of each fit.
    predictor
        a + b.x of each trial under the fit that did not see it.
    """

    fold: Int[np.ndarray, " trial"]
    intercept: Float[np.ndarray, " trial fold"]
    slope: Float[np.ndarray, " element fold"]
    predictor: Float[np.ndarray, " trial"]

    @classmethod
    def of(
        cls,
        x: Float[np.ndarray, " trial element"],
        response: np.ndarray,
        rates: Rates,
        fold: Int[np.ndarray, " trial"],
        lapse: float,
    ) -> "CrossFit":
        """Fit white noise."""
        n_folds = int(fold.max()) + 1
        seen = (fold[:, None] != np.arange(n_folds)).astype(np.float64)
        slope, penalty = _start(x, response, rates, seen, lapse)
        z = rates.fit(response.astype(np.float64), lapse)
        d = rates.columns
        of_z = np.linalg.lstsq(d, z, rcond=None)[0]
        a = np.outer(of_z, np.sqrt(1 + (slope**2).sum(0)))
        q, k = a.shape
        sign = np.where(response, 1.0, -1.0)[:, None]

        def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
            a, b = flat[: q * k].reshape(q, k), flat[q * k :].reshape(-1, k)
            value = float((penalty * b**2).sum() + INTERCEPT_PENALTY * (a**2).sum()) / 2
            of_a, of_b = INTERCEPT_PENALTY * a, penalty * b
            slim = b.astype(x.dtype)
            rows_at_once = max(BLOCK // x.shape[1], 64)
            for start in range(0, len(x), rows_at_once):
                rows = slice(start, start + rows_at_once)
                eta = d[rows] @ a + x[rows] @ slim
                fits, pull = _log_likelihood(sign[rows] * eta, lapse)
                value -= float((seen[rows] * fits).sum())
                pull *= sign[rows] * seen[rows]
                of_a = of_a - d[rows].T @ pull
                of_b = of_b - x[rows].T @ pull.astype(x.dtype)
            return value, np.concatenate([of_a.ravel(), of_b.ravel()])

        start = np.concatenate([a.ravel(), slope.ravel()])
        options = {"maxiter": STEPS, "maxcor": STEPS, "ftol": 1e-7}
        found = minimize(loss, start, jac=True, method="L-BFGS-B", options=options).x
        a, b = found[: q * k].reshape(q, k), found[q * k :].reshape(-1, k)
        intercept = d @ a
        own = np.arange(len(x)), fold
        predictor = intercept[own] + (x @ b.astype(x.dtype))[own]
        return cls(fold, intercept, b, predictor)


def _start(
    x: np.ndarray, response: np.ndarray, rates: Rates, seen: np.ndarray, lapse: float
) -> tuple[Float[np.ndarray, " element fold"], Float[np.ndarray, " fold"]]:
    """Slopes to start from and penalties, by the weighted sums of the trials seen."""
    z = rates.fit(response.astype(np.float64), lapse)
    slope = (1 - lapse) * density(z)
    rate = lapse / 2 + (1 - lapse) * ndtr(z)
    gain = slope / (rate * (1 - rate))
    coefficient = ((response - rate) * gain)[:, None] * seen
    information = (gain * slope) @ seen
    kernel = (x.T @ coefficient.astype(x.dtype)).astype(np.float64) / information
    length = (kernel**2).sum(0)
    noise = len(kernel) * (coefficient**2).sum(0) / information**2
    share = np.clip(length - noise, LEAST_SHARE, MOST_SHARE)
    size = share / (1 - share)  # |beta|^2
    shrunken = kernel * np.sqrt(size / length) * np.minimum(share / length, 1)
    return shrunken, len(kernel) / size


def _log_likelihood(signed: np.ndarray, lapse: float) -> tuple[np.ndarray, np.ndarray]:
    """Log likelihood of each response and its derivative by the signed predictor."""
    if lapse == 0:
        fits = log_ndtr(signed)
        return fits, np.exp(-(signed**2) / 2 - LOG_ROOT_2_PI - fits)
    chance = lapse / 2 + (1 - lapse) * ndtr(signed)
    return np.log(chance), (1 - lapse) * density(signed) / chance


def density(z: Float[np.ndarray, "*any"]) -> Float[np.ndarray, "*any"]:
    """Return the normal density."""
    return np.exp(-(z**2) / 2 - LOG_ROOT_2_PI)


def folds_by_noise(
    trials: TrialDesign, n_folds: int, seed: int
) -> Int[np.ndarray, " trial"]:
    """Deal noise fields to folds by a digest of them, evenly within classes.

    So neither the order of the trials nor the names of the classes changes a fold, and
    noise of the other sign is in the same one.
    """
    _, first, field = np.unique(trials.cluster, return_index=True, return_inverse=True)
    salt = seed.to_bytes(8, "little", signed=True)
    digests = [
        hashlib.blake2b(row.tobytes(), digest_size=8, salt=salt).digest()
        for start in range(0, len(first), ROWS)
        for row in np.abs(trials.where(first[start : start + ROWS]).noise)
        + np.float32(0)
    ]
    digest = np.frombuffer(b"".join(digests), np.uint64)
    cell = trials.cell[first]
    order = np.lexsort((digest, cell))
    starts = np.flatnonzero(np.diff(cell[order], prepend=-1))
    size = np.diff(np.append(starts, len(order)))
    rank = np.arange(len(order)) - np.repeat(starts, size)
    shift = np.repeat(digest[order][starts] % np.uint64(n_folds), size).astype(np.int64)
    fold = np.empty(len(order), np.int64)
    fold[order] = (rank + shift) % n_folds
    return fold[field]
