"""Which cascade of filters and nonlinearities the kernels are like, and how surely.

Seven cascades leave different marks in the kernels of both orders of a 2AFC session.
`RULES` says which, as a range of every feature that tells. A cascade is contradicted by
a feature whose interval, widened for the number of features, lies outside its range; so
a true one is kept in at least 95 % of sessions, and with too few trials many are kept
and the verdict is that nothing is decided. The confidence in a cascade is the share of
bootstrap samples to whose features it is nearest.

The ranges were set by hand between simulated cascades, and are no theorems: a cascade
of an eighth kind may resemble one of the seven. MAX and an early static nonlinearity
are told apart weakly: by the elements off the diagonal, which a MAX over few or narrow
positions hardly has, and by the flatness of the other's half, which a flat template has
too. A MAX over templates whose elements add up to nothing leaves no half of the other,
as an energy does, but more eigenvalues; the verdict on it is 'none'. A linear observer
and a weakly nonlinear one differ by degree: less than a fiftieth of the variance of the
decision counts as nothing.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from ..trials.attempts import Share
from ..trials.design import TrialDesign
from ..trials.estimate import Estimate
from ..trials.result import Result
from .consistency import Consistency, consistency
from .features import NAMES, Draws, features
from .replicates import bootstrapped, noise_sd, observed, well_filled
from .spectrum import Spectrum, eigen_spectrum

__all__ = [
    "RULES",
    "Consistency",
    "Signature",
    "consistency",
    "signature",
]

FORMULA = "cascade-signature-rules/1"
END = float("inf")
LEVEL = 0.95
SOMETHING = (0.02, END)  # of the decision variance
ABSENT = (-0.15, 0.15)
RULES: dict[str, dict[str, tuple[float, float]]] = {
    "linear": {
        "second_order_share": (-END, 0.02),
        "trace": (-0.25, 0.25),
        "other_to_target_ratio": (0.85, 1.15),
        "halves_correlation": (0.9, END),
    },
    "LN": {
        "second_order_share": SOMETHING,
        "along_kernel_share": (0.6, END),
        "other_to_target_ratio": (0.15, END),
        "halves_correlation": (0.9, END),
    },
    "Hammerstein": {
        "second_order_share": SOMETHING,
        "off_diagonal_share": (-END, 0.3),
        "other_to_target_ratio": (0.15, END),
        "diagonal_correlation": (0.5, END),
    },
    "squared elements": {
        "second_order_share": SOMETHING,
        "off_diagonal_share": (-END, 0.3),
        "other_to_target_ratio": ABSENT,
    },
    "energy": {
        "second_order_share": SOMETHING,
        "trace": (0.25, END),
        "off_diagonal_share": (0.3, END),
        "other_to_target_ratio": ABSENT,
    },
    "MAX": {
        "second_order_share": SOMETHING,
        "trace": (0.25, END),
        "off_diagonal_share": (0.3, END),
        "other_to_target_ratio": (0.15, END),
        "flatness_of_other": (0.7, END),
        "along_kernel_share": (-END, 0.6),
    },
    "gain control": {
        "second_order_share": (0.005, END),
        "trace": (-END, -0.25),
        "other_to_target_ratio": (0.95, END),
        "along_kernel_share": (-END, 0.6),
    },
}
MOST_EIGENVALUES = {"linear": 0, "LN": 1, "energy": 2}
NOT_TOLD = "the cascades are told apart in 2AFC only"


@dataclass(frozen=True, eq=False)
class Signature(Result):
    """The marks of a cascade in the kernels, and the cascades that leave such marks.

    Attributes
    ----------
    features
        By name, freed of estimation noise: `cascade_features.MEANINGS`. Missing where
        they would divide by noise.
    spectrum
        Eigenvalues of the second-order kernel, tested.
    compatible
        Confidence in each cascade that nothing contradicts: share of bootstrap samples
        whose features it is nearest to. Contradicted cascades have the rest.
    contradicted
        Of each other cascade, what contradicts it.
    verdict
        A cascade's name if it is the only one left; else 'undecided', or 'none'.
    """

    features: dict[str, Estimate]
    spectrum: Spectrum
    compatible: dict[str, float]
    contradicted: dict[str, tuple[str, ...]]
    verdict: str
    n_bootstrap: int
    seed: int
    formula: str
    note: str | None

    def parts(self) -> dict[str, Any]:
        """Give the fields, without the spectrum, which is a result of its own."""
        return self._fields_but("spectrum")


def signature(
    trials: TrialDesign,
    n_permutations: int = 200,
    n_bootstrap: int = 200,
    seed: int = 0,
    progress: Share | None = None,
) -> Signature:
    """Return the marks in the kernels of both orders, and which cascades have them.

    Parameters
    ----------
    trials
        Responses and noise. In yes/no the features are given and no verdict:
        there an LN cascade leaves the marks of a linear one.
    n_permutations
        For the tests of eigenvalues; 140 or more, or they contradict nothing.
    n_bootstrap
        Samples of noise fields within class, for intervals and confidence.
    progress
        Called with the number of replicates done, and of all.

    Raises
    ------
    ValueError
        If there are fewer than 50 bootstrap samples or too few permutations, or a
        contrast lacks a class.

    References
    ----------
    .. [1] Neri (2010), Front. Comput. Neurosci. 4:151; Neri (2009), J. Vision 9(12):1.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> noise, target = rng.normal(size=(2, 8000, 6)), np.arange(8000) % 2
    >>> shown = noise + 1.8 * np.array([1, 0])[:, None, None] * (np.arange(6) == 2)
    >>> drive = np.square(shown) @ np.array([0.2, 0.6, 1, 0.6, 0.2, 0])
    >>> correct = drive[0] - drive[1] > rng.normal(size=8000)
    >>> sign = np.where(target == 1, 1, -1)[:, None]
    >>> trials = TrialDesign(
    ...     response=correct == (target == 1), target=target, cell=target,
    ...     contrast=np.ones(8000), cluster=np.arange(8000), stratum=target,
    ...     halves=np.stack([sign * noise[0], -sign * noise[1]]).astype(np.float32),
    ...     shape=(1, 1, 6), is_forced_choice=True)
    >>> signature(trials, n_permutations=150, n_bootstrap=100).verdict
    'squared elements'
    """
    if n_bootstrap < 50:
        raise ValueError(f"n_bootstrap must be >= 50, got {n_bootstrap}")

    trials = well_filled(trials)
    tell = progress or (lambda done, total: None)
    n = n_bootstrap + n_permutations
    given, drawn = (
        observed(trials),
        bootstrapped(trials, n_bootstrap, seed, lambda done, _: tell(done, n)),
    )
    found = features(given, drawn, noise_sd(trials))
    spectrum = eigen_spectrum(
        trials,
        n_permutations,
        seed,
        progress=lambda done, _: tell(n_bootstrap + done, n),
    )
    contradicted = _contradicted(found, spectrum) if trials.is_forced_choice else {}
    shares = _nearest(found) if trials.is_forced_choice else {}
    left = {name: share for name, share in shares.items() if not contradicted.get(name)}
    return Signature(
        features={name: found[name].estimate(name, len(trials)) for name in NAMES},
        spectrum=spectrum,
        compatible=left,
        contradicted={name: why for name, why in contradicted.items() if why},
        verdict=_verdict(left) if trials.is_forced_choice else "undecided",
        n_bootstrap=n_bootstrap,
        seed=seed,
        formula=FORMULA,
        note=None if trials.is_forced_choice else NOT_TOLD,
    )


def _verdict(left: dict[str, float]) -> str:
    if len(left) == 1:
        return next(iter(left))
    return "undecided" if left else "none"


def _contradicted(
    found: dict[str, Draws], spectrum: Spectrum
) -> dict[str, tuple[str, ...]]:
    """What contradicts each cascade; levels divided by the number of its rules."""
    reasons: dict[str, tuple[str, ...]] = {}
    for cascade, rules in RULES.items():
        level = (1 - LEVEL) / (len(rules) + (cascade in MOST_EIGENVALUES))
        why = [_outside(name, found[name], rules[name], level) for name in rules]
        why.append(_too_many(cascade, spectrum, level))
        reasons[cascade] = tuple(each for each in why if each)
    return reasons


def _outside(
    name: str, draws: Draws, allowed: tuple[float, float], level: float
) -> str | None:
    if not draws.is_defined:
        return None
    low, high = draws.limits(1 - level)
    if low > allowed[1]:
        return f"{name} is above {allowed[1]:g}"
    return f"{name} is below {allowed[0]:g}" if high < allowed[0] else None


def _too_many(cascade: str, spectrum: Spectrum, level: float) -> str | None:
    most = MOST_EIGENVALUES.get(cascade)
    if most is None or sum(p <= level for p in spectrum.p) <= most:
        return None
    return f"more than {most} eigenvalues are significant"


def _nearest(found: dict[str, Draws]) -> dict[str, float]:
    """Share of bootstrap samples that each cascade is nearest to; ties are shared.

    Distance: of the features from the cascade's ranges, in SDs of the features.
    """
    distance = np.stack([_distance(found, rules) for rules in RULES.values()])
    is_least = distance <= distance.min(axis=0) + 1e-9
    shares = (is_least / is_least.sum(axis=0)).mean(axis=1)
    return {name: float(x) for name, x in zip(RULES, shares, strict=True)}


def _distance(
    found: dict[str, Draws], rules: dict[str, tuple[float, float]]
) -> Float[np.ndarray, " replicate"]:
    total = np.zeros(len(found["trace"].drawn))
    for name, (low, high) in rules.items():
        if found[name].is_defined:
            drawn = found[name].drawn
            outside = np.maximum(low - drawn, 0) + np.maximum(drawn - high, 0)
            sd = float(np.nanstd(drawn))
            if sd == 0:  # a feature that cannot be otherwise, as of a single element
                total += np.where(outside > 0, np.inf, 0.0)
            else:
                total += np.nan_to_num(outside / sd) ** 2
    return np.sqrt(total)
