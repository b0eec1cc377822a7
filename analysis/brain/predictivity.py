"""Neural predictivity: how well features foretell responses to stimuli held out [1]_.

In each of ten splits a regression is fitted from features to the averaged responses of
all units; of every unit, predictions and responses to the held-out stimuli are
correlated (Pearson's r); the median over units is averaged over splits.

References
----------
.. [1] Yamins et al. (2014), PNAS 111, 8619-8624; Schrimpf et al. (2018), bioRxiv
   407007.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Real

from ..trials.estimate import Estimate
from ..trials.result import Result
from .internal_consistency import mean_over_repeats
from .mappings import COMPONENTS, Predict, check_mapping, fitted, name_of, narrowed
from .over_units import correlations, mean_per_unit, over_units, split_error
from .splits import N_SPLITS, SEED, Split, Spread, is_by_object, splits, way_of

Features = Real[np.ndarray, " ..."]
"""(stimulus, *feature), which `check_pair` holds against the responses."""

Responses = Real[np.ndarray, " ..."]
"""(stimulus, unit) or (repeat, stimulus, unit), which `averaged` holds to it."""

Fit = Callable[[np.ndarray, np.ndarray, int], Predict]
"""From features and responses to fit by, and the number of the split."""


@dataclass(frozen=True, eq=False)
class Predictivity(Result):
    """How well features foretell the responses to stimuli held out.

    Attributes
    ----------
    mapping
        From features to responses, such as 'pls-25'.
    score
        Mean over splits of the median correlation over units; its interval is over
        units.
    split_sem
        Standard error over splits as Brain-Score prints it. Splits share stimuli: it is
        no error that other stimuli would show.
    n_stimuli, n_features, n_units
        What there is.
    is_stratified
        Whether objects are spread evenly over splits.
    r
        Of every unit in each split; NaN where it does not count.
    """

    mapping: str
    score: Estimate
    split_sem: float | None
    n_stimuli: int
    n_features: int
    n_units: int
    is_stratified: bool
    r: Float[np.ndarray, " split unit"]

    @property
    def per_unit(self) -> Float[np.ndarray, " unit"]:
        """Mean over splits of each unit's correlation."""
        return mean_per_unit(self.r)

    def parts(self) -> dict[str, Any]:
        """Give the fields, with units' means in place of all splits."""
        return {**self._fields_but("r"), "per_unit": self.per_unit}


def neural_predictivity(
    features: Features,
    responses: Responses,
    mapping: str = "pls",
    objects: Spread = None,
    n_components: int = COMPONENTS,
    n_splits: int = N_SPLITS,
    seed: int = SEED,
) -> Predictivity:
    """Score features by the responses that they foretell, cross-validated.

    Parameters
    ----------
    features
        Of a layer, say; what follows the first axis is taken as one.
    responses
        With repetitions first these are averaged, where they are not NaN.
    mapping
        'pls' (partial least squares), 'ridge' (penalty 1), 'ridge-cv' (one of 99
        penalties, by leaving out each stimulus), 'ols' or 'single-unit' (the feature
        that correlates best).
    objects
        What each stimulus shows, to spread objects evenly over the splits; or, of
        stimuli that overlap, the `in_time` of their recording.
    n_components
        Of PLS.
    n_splits, seed
        Of the cross-validation.

    Raises
    ------
    ValueError
        If features and responses are of different stimuli or not finite, there are too
        few stimuli, or PLS has more components than features or stimuli to fit.
    LookupError
        If there is no such mapping.
    ModuleNotFoundError
        If scikit-learn is not installed.

    References
    ----------
    Brain-Score's `neural_predictivity`; see the module.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> features = rng.normal(size=(200, 50))
    >>> signal = features @ rng.normal(size=(50, 20))
    >>> responses = signal + 7 * rng.normal(size=(200, 20))
    >>> found = neural_predictivity(features, responses, "ridge")
    >>> print(found.score.formula, 0.5 < found.score.value < 0.75)
    neural-predictivity-ridge/1 True
    """
    check_mapping(mapping)
    x, y = as_rows(features), averaged(responses)
    check_pair(x, y)
    name = name_of(mapping, n_components)
    found = cross_validated(
        narrowed(mapping, x),
        y,
        lambda a, b, _: fitted(mapping, a, b, n_components),
        splits(len(x), objects, n_splits, seed),
        f"neural-predictivity-{way_of(objects)}{name}/1",
        name,
        is_by_object(objects),
    )
    return replace(found, n_features=x.shape[1])


def cross_validated(
    x: Real[np.ndarray, " stimulus feature"],
    y: Float[np.ndarray, " stimulus unit"],
    fit: Fit,
    parts: Sequence[Split],
    formula: str,
    mapping: str = "",
    is_stratified: bool = False,
) -> Predictivity:
    """Fit in each split and correlate what was held out."""
    r = np.stack(
        [
            correlations(fit(x[train], y[train], k)(x[test]), y[test])
            for k, (train, test) in enumerate(parts)
        ]
    )
    return summarised(r, formula, mapping, len(x), x.shape[1], is_stratified)


def transfer_predictivity(
    features: Features,
    responses: Responses,
    test_features: Features,
    test_responses: Responses,
    mapping: str = "ridge-cv",
    n_components: int = COMPONENTS,
) -> Predictivity:
    """Fit on one recording, and score on other stimuli of the same units.

    Parameters
    ----------
    features, responses
        To fit; repetitions are averaged.
    test_features, test_responses
        To score by: the same features and units, other stimuli.
    mapping, n_components
        As for `neural_predictivity`.

    Raises
    ------
    ValueError
        As `neural_predictivity`; if features or units differ between the two, or
        stimuli of one are in the other.
    LookupError
        If there is no such mapping.
    ModuleNotFoundError
        If scikit-learn is not installed.

    References
    ----------
    Brain-Score's train and test variant.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> features, weights = rng.normal(size=(300, 20)), rng.normal(size=(20, 10))
    >>> responses = features @ weights + rng.normal(size=(300, 10))
    >>> found = transfer_predictivity(
    ...     features[:200], responses[:200], features[200:], responses[200:]
    ... )
    >>> print(found.score.formula, found.score.value > 0.9)
    neural-predictivity-train-test-ridge-cv/1 True
    """
    check_mapping(mapping)
    x, y, x_test, y_test = (
        as_rows(features),
        averaged(responses),
        as_rows(test_features),
        averaged(test_responses),
    )
    check_pair(x, y)
    check_pair(x_test, y_test)
    for what, one, other in (("features", x, x_test), ("units", y, y_test)):
        if one.shape[1] != other.shape[1]:
            rule = f"the {one.shape[1]} of those to fit"
            got = other.shape[1]
            raise ValueError(f"{what} to score by must be {rule}, got {got}")
    check_separate(y, y_test)
    name = name_of(mapping, n_components)
    both = narrowed(mapping, np.concatenate([x, x_test]))
    predicted = fitted(mapping, both[: len(x)], y, n_components)(both[len(x) :])
    r = correlations(predicted, y_test)[None]
    formula = f"neural-predictivity-train-test-{name}/1"
    return summarised(r, formula, name, *x_test.shape)


def summarised(
    r: Float[np.ndarray, " split unit"],
    formula: str,
    mapping: str,
    n_stimuli: int,
    n_features: int,
    is_stratified: bool = False,
) -> Predictivity:
    """Return the result of correlations of every unit in each split."""
    return Predictivity(
        mapping=mapping,
        score=over_units(r, formula),
        split_sem=split_error(r),
        n_stimuli=n_stimuli,
        n_features=n_features,
        n_units=r.shape[1],
        is_stratified=is_stratified,
        r=r,
    )


def as_rows(features: Features) -> Real[np.ndarray, " stimulus feature"]:
    """Return features as one row for each stimulus.

    Examples
    --------
    >>> as_rows(np.zeros((5, 3, 4, 4))).shape
    (5, 48)
    """
    return features.reshape(len(features), -1)


def averaged(responses: Responses) -> Float[np.ndarray, " stimulus unit"]:
    """Return responses averaged over repetitions, where there are some.

    Raises
    ------
    ValueError
        If a unit has no response to a stimulus at all, or one is infinite.

    Examples
    --------
    >>> averaged(np.array([[[1.0]], [[2.0]]])).tolist()
    [[1.5]]
    """
    if responses.ndim not in (2, 3) or 0 in responses.shape:
        rule = "(stimulus, unit) or (repeat, stimulus, unit)"
        raise ValueError(f"responses must be {rule}, got {responses.shape}")
    if np.isinf(responses).any():
        n = int(np.isinf(responses).sum())
        raise ValueError(f"responses must be finite or missing, got {n} infinite")
    y = mean_over_repeats(responses if responses.ndim == 3 else responses[None])
    if np.isnan(y).any():
        stimulus, unit = np.argwhere(np.isnan(y))[0]
        rule = "known of every stimulus and unit"
        got = f"none of unit {unit} to stimulus {stimulus}"
        raise ValueError(f"responses must be {rule}, got {got}")
    return y


def check_pair(x: np.ndarray, y: np.ndarray) -> None:
    """Raise ValueError unless features are finite and of the responses' stimuli."""
    if len(x) != len(y):
        rule = f"of the {len(y)} stimuli of the responses"
        raise ValueError(f"features must be {rule}, got {len(x)}")
    if not x.shape[1]:
        raise ValueError("features must be one or more, got none")
    if not np.isfinite(x).all():
        n = int((~np.isfinite(x)).sum())
        raise ValueError(f"features must be finite numbers, got {n} that are not")


def check_separate(one: np.ndarray, other: np.ndarray) -> None:
    """Raise ValueError if a tenth of averaged responses is in both of two sets.

    Only rows that are unlike all others of their set count: sparse spike counts of few
    units are often the same for other stimuli.
    """
    if one.shape[1] != other.shape[1]:
        return
    rows, others = (Counter(row.tobytes() for row in each) for each in (one, other))
    shared = sum(n == 1 and rows[row] == 1 for row, n in others.items())
    if shared >= max(3, len(other) / 10):
        rule = "other data than those to fit or choose by"
        got = f"{shared} of {len(other)} stimuli with the same responses in both"
        raise ValueError(f"data to score by must be {rule}, got {got}")
