"""Which layer stands for a region: chosen on one recording, scored on another.

Every candidate layer is scored on one recording, the best is committed to, and what is
reported is its score on separate data. The best of many scores is high by chance as
well; the committed layer's score on data that had no say in the choice is not.
"""

from collections.abc import Mapping as Named
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Real

from ..trials.estimate import CannotTell
from ..trials.result import Result
from .mappings import COMPONENTS
from .predictivity import (
    Features,
    Predictivity,
    Responses,
    as_rows,
    averaged,
    check_separate,
    neural_predictivity,
)
from .splits import Spread


@dataclass(frozen=True, eq=False)
class Commitment(Result):
    """The layer that was committed to, and what it is worth elsewhere.

    Attributes
    ----------
    layer
        With the best score on the data to choose by; the first of equals.
    chosen_by
        Every layer's score on those. The best one's is optimistic, as it was chosen
        for it.
    separate
        The committed layer's score on data that had no say.
    """

    layer: str
    chosen_by: dict[str, Predictivity]
    separate: Predictivity


def commit_layer(
    features: Named[str, Features],
    responses: Responses,
    separate_features: Named[str, Features],
    separate_responses: Responses,
    mapping: str = "pls",
    objects: Spread = None,
    separate_objects: Spread = None,
    pca_features: Named[str, Features] | None = None,
    n_pca: int = 1000,
    n_components: int = COMPONENTS,
) -> Commitment:
    """Choose a layer by one recording and score it on another.

    Parameters
    ----------
    features, responses, objects
        Of every layer by name, and the recording to choose by.
    separate_features, separate_responses, separate_objects
        The same of the recording to score by.
    mapping, n_components
        As for `neural_predictivity`, of both scores.
    pca_features
        Of other pictures: where they are given, each layer is first projected to the
        principal components of these, `n_pca` at most, so that wide layers have no
        advantage. Brain-Score takes 1,000 photographs of ImageNet.
    n_pca
        Components at most; fewer if the layer or the pictures are fewer.

    Raises
    ------
    ValueError
        If layers differ between the two, both have stimuli in common, or as
        `neural_predictivity`.
    CannotTell
        If no layer has a score.

    References
    ----------
    Brain-Score's layer selection; see the module.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> first, second = rng.normal(size=(2, 400, 30))
    >>> responses = second @ rng.normal(size=(30, 20)) + rng.normal(size=(400, 20))
    >>> layers = {"first": first, "second": second}
    >>> found = commit_layer(
    ...     {name: each[:200] for name, each in layers.items()},
    ...     responses[:200],
    ...     {name: each[200:] for name, each in layers.items()},
    ...     responses[200:],
    ... )
    >>> found.layer
    'second'
    """
    if set(features) != set(separate_features) or not features:
        rule = f"those of the data to choose by, {', '.join(features) or 'one or more'}"
        got = ", ".join(separate_features) or "none"
        raise ValueError(f"layers to score by must be {rule}, got {got}")
    check_separate(averaged(responses), averaged(separate_responses))
    projected = {
        name: _Projection(None if pca_features is None else pca_features[name], n_pca)
        for name in features
    }
    scores = {
        name: neural_predictivity(
            projected[name](each), responses, mapping, objects, n_components
        )
        for name, each in features.items()
    }
    values = {name: each.score.value for name, each in scores.items()}
    known = {name: value for name, value in values.items() if value is not None}
    if not known:
        raise CannotTell("a layer must have a score to be chosen, got none that has")
    best = max(known, key=lambda name: known[name])
    separate = neural_predictivity(
        projected[best](separate_features[best]),
        separate_responses,
        mapping,
        separate_objects,
        n_components,
    )
    return Commitment(best, scores, separate)


class _Projection:
    """Onto the principal components of other pictures' features, if any are given."""

    def __init__(self, features: Features | None, n: int) -> None:
        self._components = None
        if features is not None:
            self._mean, self._components = principal_components(as_rows(features), n)

    def __call__(self, features: Features) -> Real[np.ndarray, " stimulus feature"]:
        rows = as_rows(features)
        if self._components is None:
            return rows
        return (rows - self._mean) @ self._components.T


def principal_components(
    rows: Real[np.ndarray, " stimulus feature"], n: int
) -> tuple[Float[np.ndarray, " feature"], Float[np.ndarray, " component feature"]]:
    """Return the mean and the components of most variance, n of them at most.

    Examples
    --------
    >>> rows = np.random.default_rng(1).random((9, 4))
    >>> mean, components = principal_components(rows, 2)
    >>> components.shape
    (2, 4)
    """
    mean = rows.mean(axis=0, dtype=np.float64)
    _, _, components = np.linalg.svd(rows - mean, full_matrices=False)
    return mean, components[: min(n, len(rows) - 1)]
