"""Which of several models comes closest to an observer.

The difference of each measure of closeness (`closeness.py`) on the same trials. Its
variance is the sum over stimuli of the squared difference of influences, times
n / (n - 1): to first order that of the bootstrap over stimuli, without resampling.

Several models make many differences. Each has p by itself; p by the largest of all |z|
of its measure, simulated from a normal law with the correlations of the influences
(max-T [1]_); and p by Holm [2]_, which knows no correlations. Measures are questions of
their own, and are not corrected for each other.

References
----------
.. [1] Westfall & Young (1993), Resampling-Based Multiple Testing; Hothorn, Bretz &
   Westfall (2008), Biom. J. 50, 346-363 (max-T from an estimated correlation).
.. [2] Holm (1979), Scand. J. Stat. 6, 65-70.
.. [3] Satterthwaite (1946), Biometrics Bull. 2, 110-114.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
from jaxtyping import Float, Int64
from scipy.special import ndtr, ndtri
from scipy.stats import t as student

from ..trials.attempts import Attempts, Fault
from ..trials.estimate import Estimate
from ..trials.held import Held
from ..trials.responses import SessionLike
from ..trials.result import Cells, Result, short
from .closeness import MEASURES, QUESTIONS, Closeness, CommonTrials, closeness

FORMAT = "yoked-closer/1"  # of the plain form, which docs/json.md describes
FORMULA = "difference-by-stimulus"
SIMULATIONS = 10_000
LEVEL = 0.05
_SEED = 20150601  # of the law of the largest |z|: one p for one set of numbers


@dataclass(frozen=True, eq=False)
class ModelDifference(Result):
    """How much closer one model comes than another, by one measure.

    Attributes
    ----------
    measure
        'latent', 'kappa', 'share' or 'kernel'.
    question
        What it answers: whether they give the same answers, or compute the same.
    one, other
        Names of the models.
    one_value, other_value
        How close each comes.
    n_replicates
        Sessions that each is the mean of.
    difference
        The one's less the other's. Above 0 the one is closer.
    z
        Difference over its SE, without the observer's own part where that is common;
        with replicates the deviate of the same p.
    p
        Of no difference, by itself.
    p_max_t, p_holm
        Over all pairs of models in this measure.
    influence, units
        What each stimulus, or group of stimuli, adds to the difference, and by what it
        is recognised.
    """

    measure: str
    question: str
    one: str
    other: str
    one_value: float | None
    other_value: float | None
    n_replicates: tuple[int, int]
    difference: Estimate
    z: float
    p: float
    p_max_t: float
    p_holm: float
    influence: Float[np.ndarray, " unit"] = field(repr=False)
    units: Int64[np.ndarray, " unit"] = field(repr=False)

    def parts(self) -> dict[str, Any]:
        """Give the fields, but for what stimuli add, and the closer model."""
        return {**self._fields_but("influence", "units"), "closer": self.closer}

    @property
    def closer(self) -> str | None:
        """Name of the closer model; None where the data cannot tell."""
        if not self.p_max_t < LEVEL:
            return None
        return self.one if self.z > 0 else self.other


@dataclass(frozen=True, eq=False)
class Closer(Result):
    """Several models of one observer, on the same trials.

    Attributes
    ----------
    reference, reference_observer
        The observer's session and name.
    sessions, models
        Ids and names of the models.
    n_shared
        Showings that count in all sessions.
    n_stimuli
        Stimuli that all showed.
    differences
        Of each pair of models, by measure.
    missing
        Sentence by "measure: model", or by measure alone, of what has no value.
    faults
        Measures that broke, by a mistake of ours.
    """

    reference: str
    reference_observer: str
    sessions: tuple[str, ...]
    models: tuple[str, ...]
    n_shared: int
    n_stimuli: int
    differences: tuple[ModelDifference, ...]
    missing: dict[str, str]
    faults: dict[str, Fault] = field(default_factory=dict)

    def parts(self) -> dict[str, Any]:
        """Give the fields, and the format of all of them first."""
        return {"format": FORMAT, **super().parts()}

    def table(self) -> list[Cells]:
        """Give a row for each difference."""
        return [
            {
                "observer": self.reference_observer,
                "measure": each.measure,
                "answers": each.question,
                "model": each.one,
                "less": each.other,
                "difference": each.difference.short(),
                "p": short(each.p),
                "p (max-T)": short(each.p_max_t),
                "p (Holm)": short(each.p_holm),
                "closer": each.closer or "cannot be told",
            }
            for each in self.differences
        ]


def closer(
    reference: SessionLike,
    models: Sequence[SessionLike],
    replicates: bool = False,
    seed: int = 0,
) -> Closer:
    """Compare how close models come to an observer, on the trials that all share.

    Parameters
    ----------
    reference
        The observer. A person or a model.
    models
        Two or more.
    replicates
        Whether sessions of one observer's name are replicates of one model, such as
        networks trained from several seeds: the model is their mean, and its error has
        the spread among them.
    seed
        Of the groups of stimuli that kernels rest on.

    Raises
    ------
    ValueError
        If there are fewer than two models.
    CannotTell
        If they share no trial.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> person, template, guesser = (
    ...     yoked.run(
    ...         protocol, yoked.load_observer(name), seed=1, trials=400, contrast=0.2
    ...     )
    ...     for name in ("template", "template", "guesser")
    ... )
    >>> found = closer(person, [template, guesser])
    >>> {each.measure: each.closer for each in found.differences}["latent"]
    'template'
    """
    names = _names(models, replicates)
    if len(set(names)) < 2:
        raise ValueError(f"models must be two or more, got {len(set(names))}")
    held = Held.all_of(reference, *models)
    common = CommonTrials.of(held)
    attempt = Attempts(())
    measured = attempt("closeness", lambda: closeness(common, seed)) or {}
    differences: list[ModelDifference] = []
    missing = dict(attempt.missing)
    n = len(common.rows[0])
    for measure in MEASURES:
        if measure in measured:
            differences += differences_of(measured[measure], names, n)
            missing |= _missing(measured[measure], names)
    return Closer(
        reference=reference.id,
        reference_observer=reference.observer,
        sessions=tuple(each.id for each in models),
        models=tuple(dict.fromkeys(names)),
        n_shared=n,
        n_stimuli=len(common.keys),
        differences=tuple(differences),
        missing=missing,
        faults=attempt.faults,
    )


def _names(models: Sequence[SessionLike], replicates: bool) -> list[str]:
    """Name models by their observers; by their sessions too where that is twice."""
    names = [each.observer for each in models]
    if replicates:
        return names
    return [
        each.observer if names.count(each.observer) == 1 else f"{each.observer} {code}"
        for each in models
        for code in [each.id.rpartition("-")[2]]
    ]


def _missing(found: Closeness, names: Sequence[str]) -> dict[str, str]:
    return {
        found.measure if k < 0 else f"{found.measure}: {names[k]}": why
        for k, why in found.missing.items()
    }


def differences_of(
    found: Closeness, names: Sequence[str], n: int
) -> list[ModelDifference]:
    """Test every pair of models that have a value."""
    models = [
        _Model.of(found, [k for k, other in enumerate(names) if other == name], name)
        for name in dict.fromkeys(names)
    ]
    models = [each for each in models if each is not None]
    pairs = list(combinations(models, 2))
    if not pairs:
        return []
    contrast = np.array(
        [[(m is one) - (m is other) for m in models] for one, other in pairs], float
    )
    stimuli = _squares(np.column_stack([each.influence for each in models]))
    beside = np.array([each.extra + each.between for each in models])
    covariance = contrast @ (stimuli + np.diag(beside)) @ contrast.T
    se = np.sqrt(np.diag(covariance))
    apart = contrast @ np.array([each.value for each in models])
    # Models that answer alike throughout do not differ, whatever the error.
    t = np.divide(apart, se, out=np.zeros(len(pairs)), where=se > 0)
    df = np.array([_freedom(*pair, s**2) for pair, s in zip(pairs, se, strict=True)])
    z = np.where(np.isinf(df), t, -np.sign(t) * ndtri(student.sf(np.abs(t), df)))
    p = 2 * ndtr(-np.abs(z))
    largest, holm = _max_t(z, covariance, se), holm_adjusted(p)
    scale = found.scale
    return [
        ModelDifference(
            measure=found.measure,
            question=QUESTIONS[found.measure],
            one=one.name,
            other=other.name,
            one_value=None if scale is None else one.value * scale,
            other_value=None if scale is None else other.value * scale,
            n_replicates=(one.n, other.n),
            difference=made,
            z=float(z[k]),
            p=float(p[k]),
            p_max_t=float(largest[k]),
            p_holm=float(holm[k]),
            influence=influence,
            units=found.units,
        )
        for k, (one, other) in enumerate(pairs)
        for made, influence in [_difference(found, one, other, float(df[k]), n)]
    ]


@dataclass(frozen=True, eq=False)
class _Model:
    """A model by one measure: a session, or the mean of replicates."""

    name: str
    value: float
    influence: Float[np.ndarray, " stimulus"]
    extra: float
    between: float
    n: int

    @classmethod
    def of(cls, found: Closeness, members: list[int], name: str) -> "_Model | None":
        """Average the replicates that have a value; None if none has.

        Replicates vary by what they are and by the stimuli; what is left of their
        spread without the part that stimuli have on each alone is theirs.
        """
        known = [k for k in members if not np.isnan(found.values[k])]
        if not known:
            return None
        n, values, each = len(known), found.values[known], found.influence[:, known]
        mean = each.mean(1)
        between = 0.0
        if n > 1:
            alone = float(((each - mean[:, None]) ** 2).sum()) / (n * (n - 1))
            between = max(float(values.var(ddof=1)) / n - alone, 0.0)
        extra = float(found.extra[known].sum()) / n**2
        return cls(name, float(values.mean()), mean, extra, between, n)


def _freedom(one: _Model, other: _Model, variance: float) -> float:
    """Give degrees of freedom of a variance that replicates are part of [3]_."""
    parts = [each.between**2 / (each.n - 1) for each in (one, other) if each.n > 1]
    return variance**2 / sum(parts) if sum(parts) > 0 else np.inf


def _squares(influence: Float[np.ndarray, " unit pair"]) -> np.ndarray:
    n = len(influence)
    return influence.T @ influence * n / (n - 1)


def _difference(
    found: Closeness, one: _Model, other: _Model, df: float, n: int
) -> tuple[Estimate, np.ndarray]:
    """Estimate a difference by the delta method, the observer's own part with it."""
    formula = f"{found.measure}-{FORMULA}/1"
    influence = one.influence - other.influence
    apart = one.value - other.value
    beside = sum(each.extra + each.between for each in (one, other))
    if found.scale is None:
        return Estimate.missing(formula, found.missing[-1], n), influence
    if found.own is not None:
        slope = -apart * found.own.value**-1.5 / 2
        influence = influence * found.scale + found.own.influence * slope
        apart, beside = apart * found.scale, beside * found.scale**2
        beside += found.own.extra * slope**2
    se = float(np.sqrt(_squares(influence[:, None])[0, 0] + beside))
    arm = float(student.ppf(0.975, df)) * se
    return Estimate(apart, se, apart - arm, apart + arm, n, formula), influence


def _max_t(
    z: Float[np.ndarray, " pair"], covariance: np.ndarray, se: np.ndarray
) -> Float[np.ndarray, " pair"]:
    """Return how often the largest |z| of all is above each, under no difference."""
    safe = np.where(se > 0, se, 1)
    values, vectors = np.linalg.eigh(covariance / np.outer(safe, safe))
    root = vectors * np.sqrt(np.maximum(values, 0))
    rng = np.random.default_rng(_SEED)
    drawn = rng.standard_normal((SIMULATIONS, len(z))) @ root.T
    largest = np.sort(np.abs(drawn).max(1))
    above = SIMULATIONS - np.searchsorted(largest, np.abs(z))
    return (above + 1) / (SIMULATIONS + 1)


def holm_adjusted(p: Float[np.ndarray, " pair"]) -> Float[np.ndarray, " pair"]:
    """Adjust p by Holm's step-down method.

    Examples
    --------
    >>> holm_adjusted(np.array([0.01, 0.04, 0.03])).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p)
    steps = p[order] * np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted
