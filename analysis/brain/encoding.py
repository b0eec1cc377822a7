"""Encoding regression of several feature sets, with matched numbers of features.

A wide layer has more to regress on than a narrow one. So that they can be compared,
every set is reduced to the same number of features before the regression, in each
split:

- **units**: as many features, drawn at random, five times in each split; correlations
  are averaged over the draws. Two layers of the same kind but other widths come out
  equal;
- **pca**: the first principal components of the stimuli to fit. Few components of many
  features carry more than as many features do, so a wide layer keeps an advantage.

Then ridge regression with a penalty chosen within the stimuli to fit, on the same
splits for all sets. Beside it stands what the sets give unmatched. Differences of two
sets draw the same units for both, as their units are the same.
"""

from collections.abc import Mapping as Named
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ...experiments.protocols.checks import suggestion
from ..trials.estimate import Estimate
from ..trials.result import Result
from .layer_commitment import principal_components
from .mappings import Predict, check_mapping, fitted, name_of, narrowed
from .over_units import bootstrapped
from .predictivity import (
    Features,
    Fit,
    Predictivity,
    Responses,
    as_rows,
    averaged,
    check_pair,
    cross_validated,
    neural_predictivity,
    summarised,
)
from .splits import N_SPLITS, SEED, Split, Spread, is_by_object, splits, way_of

REDUCTIONS = ("units", "pca")
DRAWS = 5  # of random units, in each split


@dataclass(frozen=True, eq=False)
class Encoding(Result):
    """How well feature sets of one size foretell responses.

    Attributes
    ----------
    reduction
        How features were made fewer: 'units' or 'pca'.
    n_features
        That each set was reduced to.
    matched
        Of every set, reduced.
    unmatched
        Of every set, with all that it has.
    differences
        The first's matched score less the second's, by 'first - second'; intervals are
        over units.
    """

    reduction: str
    n_features: int
    matched: dict[str, Predictivity]
    unmatched: dict[str, Predictivity]
    differences: dict[str, Estimate]


def encoding(
    feature_sets: Named[str, Features],
    responses: Responses,
    n_features: int | None = None,
    reduction: str = "units",
    mapping: str = "ridge-cv",
    objects: Spread = None,
    n_splits: int = N_SPLITS,
    seed: int = SEED,
) -> Encoding:
    """Score several feature sets that are reduced to the same number of features.

    Parameters
    ----------
    feature_sets
        By name, all of the same stimuli.
    responses
        Repetitions are averaged.
    n_features
        To reduce to; by default as many as the smallest set has, or as components can
        be told apart in the stimuli to fit.
    reduction
        'units' (features drawn at random) or 'pca'.
    mapping
        As for `neural_predictivity`; of PLS, 25 components or `n_features` if these
        are fewer.
    objects, n_splits
        As for `neural_predictivity`.
    seed
        Of the splits and the drawn units.

    Raises
    ------
    ValueError
        If a set has fewer features than are asked for; or as `neural_predictivity`.
    LookupError
        If there is no such reduction or mapping.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> true, other = rng.normal(size=(200, 20)), rng.normal(size=(200, 300))
    >>> responses = true @ rng.normal(size=(20, 15)) + rng.normal(size=(200, 15))
    >>> found = encoding({"true": true, "other": other}, responses)
    >>> found.n_features, found.differences["true - other"].low > 0.5
    (20, True)
    """
    check_mapping(mapping)
    if reduction not in REDUCTIONS:
        near = suggestion(reduction, REDUCTIONS)
        rule = f"one of {', '.join(REDUCTIONS)}"
        raise LookupError(f"reduction must be {rule}, got {reduction!r}{near}")
    if not feature_sets:
        raise ValueError("feature sets must be one or more, got none")
    y = averaged(responses)
    rows = {name: as_rows(each) for name, each in feature_sets.items()}
    for each in rows.values():
        check_pair(each, y)
    parts = splits(len(y), objects, n_splits, seed)
    n = _size(rows, n_features, reduction, min(len(fit) for fit, _ in parts))
    matched = {
        name: _matched(each, y, parts, reduction, mapping, n, seed, objects)
        for name, each in rows.items()
    }
    unmatched = {
        name: neural_predictivity(
            each, y, mapping, objects, min(25, each.shape[1]), n_splits, seed
        )
        for name, each in rows.items()
    }
    return Encoding(reduction, n, matched, unmatched, _differences(matched, reduction))


def _size(
    rows: Named[str, np.ndarray], asked: int | None, reduction: str, n_train: int
) -> int:
    """Return the number of features that every set is reduced to."""
    most = min(each.shape[1] for each in rows.values())
    if reduction == "pca":
        most = min(most, n_train - 1)
    if asked is None:
        return most
    if not 1 <= asked <= most:
        narrow = min(rows, key=lambda name: rows[name].shape[1])
        rule = f"1 to {most}, as {narrow} has {rows[narrow].shape[1]}"
        if reduction == "pca":
            rule += f" and {n_train} stimuli are to fit"
        raise ValueError(f"n_features must be {rule}, got {asked}")
    return asked


def _matched(
    x: np.ndarray,
    y: np.ndarray,
    parts: Sequence[Split],
    reduction: str,
    mapping: str,
    n: int,
    seed: int,
    objects: Spread,
) -> Predictivity:
    """Score a set that is reduced in each split; several draws are averaged."""
    mapped = name_of(mapping, min(25, n))
    draws = DRAWS if reduction == "units" and n < x.shape[1] else 1
    x = narrowed(mapping, x) if reduction == "pca" else x
    scored = [
        cross_validated(x, y, _reduced(reduction, mapping, n, [seed, k]), parts, "r/1")
        for k in range(draws)
    ]
    r = np.mean([each.r for each in scored], axis=0)
    formula = f"encoding-matched-{way_of(objects)}{reduction}-{mapped}/1"
    return summarised(r, formula, mapped, len(x), n, is_by_object(objects))


def _reduced(reduction: str, mapping: str, n: int, seed: list[int]) -> Fit:
    """Return what fits a mapping to reduced features."""

    def by_pca(x: np.ndarray, y: np.ndarray, split: int) -> Predict:
        mean, components = principal_components(x, n)
        predict = fitted(mapping, (x - mean) @ components.T, y, min(25, n))
        return lambda new: predict((new - mean) @ components.T)

    def by_units(x: np.ndarray, y: np.ndarray, split: int) -> Predict:
        rng = np.random.default_rng([*seed, split])
        drawn = rng.choice(x.shape[1], n, replace=False)
        predict = fitted(mapping, x[:, drawn], y, min(25, n))
        return lambda new: predict(new[:, drawn])

    return by_pca if reduction == "pca" else by_units


def _differences(
    matched: Named[str, Predictivity], reduction: str
) -> dict[str, Estimate]:
    """Return the difference of every two sets, units drawn together."""
    return {
        f"{one} - {other}": bootstrapped(
            matched[one].n_units,
            [matched[one].r, matched[other].r],
            lambda both: both[0] - both[1],
            f"encoding-matched-{reduction}-difference/1",
        )
        for one, other in combinations(matched, 2)
    }
