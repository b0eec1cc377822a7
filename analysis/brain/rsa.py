"""Representational similarity analysis (RSA), by rsatoolbox behind our own results.

Of every subject, and of the features, dissimilarities of all pairs of stimuli make a
matrix (RDM): 1 less the correlation of the two patterns, unless another measure is
asked for. Upper triangles are correlated by Spearman's rank correlation; the score is
the mean over subjects [1]_.

The ceilings [2]_: the upper one is the mean correlation of every subject's RDM with the
mean of all subjects' ranked RDMs, its own included, which no single RDM can exceed; the
lower one is that with the mean of the others'. The upper is at least the lower in every
sample, as adding a vector to another never turns it away from it.

The interval is Student's t over subjects where there are three or more. With fewer, it
is over stimuli: a jackknife that leaves out each of up to 20 groups of them, in the
order in which they stand. Subjects are then these, and none else.

References
----------
.. [1] Kriegeskorte, Mur & Bandettini (2008), Front. Syst. Neurosci. 2:4.
.. [2] Nili et al. (2014), PLoS Comput. Biol. 10, e1003553.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.stats import t as student

from ...experiments.protocols.checks import suggestion
from ..trials.estimate import CannotTell, Estimate
from ..trials.result import Result
from .predictivity import Features, Responses, as_rows, averaged, check_pair

DISSIMILARITIES = ("correlation", "euclidean", "crossnobis", "poisson")
COMPARISONS = ("spearman", "corr", "cosine", "rho-a")
NO_RSATOOLBOX = 'RSA needs rsatoolbox: pip install "yoked[brain]"'
OVER_SUBJECTS, GROUPS, LEAST = 3, 20, 4
ONE_SUBJECT = "ceilings need two subjects or more"
OVER_STIMULI = "fewer than three subjects: the interval is over stimuli, of these alone"
UNDEFINED = "dissimilarities are the same for all pairs of stimuli"

Rdm = Float[np.ndarray, " pair"]


@dataclass(frozen=True, eq=False)
class Rsa(Result):
    """How alike the geometry of features and of responses is.

    Attributes
    ----------
    dissimilarity, comparison
        Of patterns and of RDMs, as rsatoolbox names them.
    score
        Mean over subjects; n is the number of subjects, or of stimuli where the
        interval is over these.
    lower_ceiling, upper_ceiling
        What the true RDM is expected to reach at least, and what none can exceed.
    subjects
        By name.
    per_subject
        Of each.
    n_stimuli
        Stimuli.
    features_rdm, subjects_rdm
        Upper triangles.
    """

    dissimilarity: str
    comparison: str
    score: Estimate
    lower_ceiling: Estimate
    upper_ceiling: Estimate
    subjects: tuple[str, ...]
    per_subject: Float[np.ndarray, " subject"]
    n_stimuli: int
    features_rdm: Rdm
    subjects_rdm: Float[np.ndarray, " subject pair"]

    def parts(self) -> dict[str, Any]:
        """Give the fields but the RDMs, which stay attributes."""
        return self._fields_but("features_rdm", "subjects_rdm")


def rsa(
    features: Features,
    responses: Responses,
    subjects: Sequence[str] | None = None,
    dissimilarity: str = "correlation",
    comparison: str = "spearman",
) -> Rsa:
    """Compare the geometry of features with that of responses.

    Parameters
    ----------
    ----------
    features
        Of a layer, say.
    responses
        Repetitions are averaged, but for 'crossnobis', which needs them: products of
        differences in two repetitions, which are 0 on average for equal patterns.
    subjects
        Whose each unit is; all one subject's if not given.
    dissimilarity
        Of patterns. Features, which have no repetitions, are compared by the squared
        Euclidean distance where responses are by 'crossnobis'. 'poisson' takes counts,
        and features that are 0 or more.
    comparison
        Of RDMs: Spearman's correlation, or another of rsatoolbox.

    Raises
    ------
    ValueError
        If features and responses are of different stimuli or not finite, or subjects
        are not one for each unit.
    CannotTell
        If there are fewer than four stimuli, or no repetitions where they are needed.
    LookupError
        If there is no such dissimilarity or comparison.
    ModuleNotFoundError
        If rsatoolbox is not installed.

    References
    ----------
    Kriegeskorte et al. (2008); Nili et al. (2014); see the module.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> features = rng.normal(size=(40, 30))
    >>> responses = features @ rng.normal(size=(30, 60)) + rng.normal(size=(40, 60))
    >>> found = rsa(features, responses, ["a", "b", "c"] * 20)
    >>> found.score.value > 0.5, found.lower_ceiling.value <= found.upper_ceiling.value
    (True, True)
    """
    _check_names(dissimilarity, comparison)
    x = as_rows(features)
    y = averaged(responses)
    check_pair(x, y)
    if len(x) < LEAST:
        raise CannotTell(f"stimuli must be {LEAST} or more for RSA, got {len(x)}")
    of_unit = ["all"] * y.shape[1] if subjects is None else list(map(str, subjects))
    if len(of_unit) != y.shape[1]:
        rule = f"one for each of the {y.shape[1]} units"
        raise ValueError(f"subjects must be {rule}, got {len(of_unit)}")
    names = tuple(dict.fromkeys(of_unit))
    own = np.array(of_unit)
    if dissimilarity == "crossnobis":
        rows = [_crossnobis(responses[..., own == name]) for name in names]
        ours = _rdm(x, "euclidean")
    else:
        rows = [_rdm(y[:, own == name], dissimilarity) for name in names]
        ours = _rdm(x, dissimilarity)
    theirs = np.stack(rows)
    return _result(ours, theirs, names, len(x), dissimilarity, comparison)


def _check_names(dissimilarity: str, comparison: str) -> None:
    for what, name, known in (
        ("dissimilarity", dissimilarity, DISSIMILARITIES),
        ("comparison", comparison, COMPARISONS),
    ):
        if name not in known:
            near, rule = suggestion(name, known), f"one of {', '.join(known)}"
            raise LookupError(f"{what} must be {rule}, got {name!r}{near}")


def _toolbox() -> Any:
    try:
        import rsatoolbox
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(NO_RSATOOLBOX, name="rsatoolbox") from error
    return rsatoolbox


def _rdm(rows: np.ndarray, dissimilarity: str) -> Rdm:
    """Return the upper triangle of an RDM, pairs in the order of rsatoolbox."""
    if dissimilarity == "poisson" and rows.min() < 0:
        raise ValueError(f"poisson takes numbers of 0 or more, got {rows.min():.3g}")
    toolbox = _toolbox()
    if dissimilarity == "correlation" and (np.ptp(rows, axis=1) == 0).any():
        at = int(np.flatnonzero(np.ptp(rows, axis=1) == 0)[0])
        rule = "of more than one value to correlate; take dissimilarity 'euclidean'"
        raise CannotTell(f"a pattern must be {rule}, got stimulus {at}")
    made = toolbox.rdm.calc_rdm(toolbox.data.Dataset(rows), method=dissimilarity)
    return np.asarray(made.dissimilarities[0], dtype=np.float64)


def _crossnobis(responses: np.ndarray) -> Rdm:
    """Return the mean over pairs of repetitions of products of differences."""
    if responses.ndim != 3 or len(responses) < 2 or np.isnan(responses).any():
        rule = "two or more, of every stimulus and unit, for crossnobis"
        got = "one" if responses.ndim != 3 or len(responses) < 2 else "some missing"
        raise CannotTell(f"repetitions must be {rule}, got {got}")
    toolbox = _toolbox()
    n_repeats, n_stimuli, n_units = responses.shape
    # Texts that sort as the stimuli stand: rsatoolbox warns of whole numbers.
    stimulus = [f"{k:09d}" for k in range(n_stimuli)] * n_repeats
    repeat = np.repeat([f"{k:09d}" for k in range(n_repeats)], n_stimuli)
    data = toolbox.data.Dataset(
        responses.reshape(-1, n_units),
        obs_descriptors={"stimulus": stimulus, "repeat": repeat},
    )
    made = toolbox.rdm.calc_rdm(
        data, method="crossnobis", descriptor="stimulus", cv_descriptor="repeat"
    )
    return np.asarray(made.dissimilarities[0], dtype=np.float64)


def _compared(ours: Rdm, theirs: np.ndarray, comparison: str) -> np.ndarray:
    """Return the similarity of one RDM with each subject's: (subject,)."""
    toolbox = _toolbox()
    if np.ptp(ours) == 0 or (np.ptp(theirs, axis=1) == 0).any():
        return np.full(len(theirs), np.nan)
    made = toolbox.rdm.compare(
        toolbox.rdm.RDMs(ours[None]), toolbox.rdm.RDMs(theirs), method=comparison
    )
    return np.asarray(made, dtype=np.float64)[0]


def _result(
    ours: Rdm,
    theirs: Float[np.ndarray, " subject pair"],
    names: tuple[str, ...],
    n_stimuli: int,
    dissimilarity: str,
    comparison: str,
) -> Rsa:
    each = _compared(ours, theirs, comparison)
    lower, upper = _ceilings(theirs, comparison, n_stimuli)
    return Rsa(
        dissimilarity=dissimilarity,
        comparison=comparison,
        score=_score(each, ours, theirs, n_stimuli, comparison),
        lower_ceiling=lower,
        upper_ceiling=upper,
        subjects=names,
        per_subject=each,
        n_stimuli=n_stimuli,
        features_rdm=ours,
        subjects_rdm=theirs,
    )


def _score(
    each: np.ndarray, ours: Rdm, theirs: np.ndarray, n_stimuli: int, comparison: str
) -> Estimate:
    formula = f"rsa-{comparison}-mean-over-subjects/1"
    if np.isnan(each).any():
        return Estimate.missing(formula, UNDEFINED, len(each))
    value = float(each.mean())
    if len(each) >= OVER_SUBJECTS:
        se = float(each.std(ddof=1)) / math.sqrt(len(each))
        return _with_t(value, se, len(each) - 1, len(each), formula)
    left_out = _without_groups(ours, theirs, n_stimuli, comparison)
    g = len(left_out)
    se = math.sqrt((g - 1) * float(np.var(left_out)))
    if not math.isfinite(se):
        return Estimate(value, None, None, None, n_stimuli, formula, OVER_STIMULI)
    made = _with_t(value, se, g - 1, n_stimuli, formula)
    return made.with_note(OVER_STIMULI)


def _with_t(value: float, se: float, df: int, n: int, formula: str) -> Estimate:
    arm = float(student.ppf(0.975, df)) * se
    low, high = max(-1.0, value - arm), min(1.0, value + arm)
    return Estimate(value, se, min(low, value), max(high, value), n, formula)


def _without_groups(
    ours: Rdm, theirs: np.ndarray, n_stimuli: int, comparison: str
) -> np.ndarray:
    """Return the mean over subjects without each group of stimuli."""
    n_groups = min(GROUPS, n_stimuli)
    group = np.arange(n_stimuli) % n_groups
    first, second = np.triu_indices(n_stimuli, 1)
    found = []
    for k in range(n_groups):
        kept = (group[first] != k) & (group[second] != k)
        found.append(_compared(ours[kept], theirs[:, kept], comparison).mean())
    return np.array(found)


def _ceilings(
    theirs: np.ndarray, comparison: str, n_stimuli: int
) -> tuple[Estimate, Estimate]:
    """Return the lower and the upper ceiling, by rsatoolbox."""
    formulas = [f"rsa-{comparison}-{kind}-ceiling/1" for kind in ("lower", "upper")]
    n = len(theirs)
    if n < 2:
        one, two = (Estimate.missing(name, ONE_SUBJECT, n) for name in formulas)
        return one, two
    if (np.ptp(theirs, axis=1) == 0).any():
        one, two = (Estimate.missing(name, UNDEFINED, n) for name in formulas)
        return one, two
    toolbox = _toolbox()
    found = toolbox.inference.boot_noise_ceiling(
        toolbox.rdm.RDMs(theirs), method=comparison
    )
    one, two = (
        Estimate(float(value), None, None, None, n, name)
        for value, name in zip(found, formulas, strict=True)
    )
    return one, two
