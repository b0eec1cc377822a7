"""Mappings from features to responses: five regressions, by scikit-learn.

They are those of Brain-Score, with its settings: partial least squares of 25 components
without scaling, ridge regression with a penalty of 1, ridge regression whose one
penalty for all units is chosen by leaving one stimulus out, ordinary least squares, and
the single feature that correlates best.
"""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float, Real

from ...experiments.protocols.checks import suggestion
from .over_units import CONSTANT

MAPPINGS = ("pls", "ridge", "ridge-cv", "ols", "single-unit")
Predict = Callable[[np.ndarray], np.ndarray]

COMPONENTS = 25
NO_SKLEARN = 'brain measures need scikit-learn: pip install "yoked[brain]"'
# 99 penalties, .01 to 1e7: Brain-Score's, about even in each decade.
ALPHAS = np.concatenate(
    [
        [0.01, 0.1, 0.5, 1.0],
        np.linspace(1e1, 1e2, 4, endpoint=False),
        *(
            np.linspace(10.0**k, 10.0 ** (k + 1), 18, endpoint=False)
            for k in range(2, 6)
        ),
        np.linspace(1e6, 1e7, 19),
    ]
)


def check_mapping(mapping: str) -> None:
    """Raise LookupError unless it is a mapping.

    Examples
    --------
    >>> check_mapping("pls-25")
    Traceback (most recent call last):
    ...
    LookupError: mapping must be one of pls, ridge, ridge-cv, ols, single-unit, got
    'pls-25'; did you mean 'pls'?
    """
    if mapping not in MAPPINGS:
        near = suggestion(mapping, MAPPINGS)
        rule = f"one of {', '.join(MAPPINGS)}"
        raise LookupError(f"mapping must be {rule}, got {mapping!r}{near}")


def name_of(mapping: str, n_components: int = COMPONENTS) -> str:
    """Return a mapping's part of a formula's name: pls-25, ridge-cv.

    Examples
    --------
    >>> name_of("pls"), name_of("ols")
    ('pls-25', 'ols')
    """
    return f"pls-{n_components}" if mapping == "pls" else mapping


def fitted(
    mapping: str,
    features: Real[np.ndarray, " stimulus feature"],
    responses: Real[np.ndarray, " stimulus unit"],
    n_components: int = COMPONENTS,
) -> Predict:
    """Fit a mapping, and return what predicts responses from features.

    Raises
    ------
    ValueError
        If PLS has more components than features or stimuli.
    ModuleNotFoundError
        If scikit-learn is not installed.

    Examples
    --------
    >>> x = np.random.default_rng(1).normal(size=(60, 5))
    >>> predict = fitted("ols", x, x @ np.ones((5, 2)))
    >>> np.allclose(predict(x), x @ np.ones((5, 2)))
    True
    """
    check_mapping(mapping)
    if mapping == "single-unit":
        return _best_feature(features, responses)
    if mapping == "pls":
        most = min(len(features) - 1, features.shape[1])
        if not 1 <= n_components <= most:
            n, p = features.shape
            rule = f"at most {most}, with {n} stimuli to fit and {p} features"
            raise ValueError(f"components of PLS must be {rule}, got {n_components}")
    model = _regression(mapping, n_components)
    with warnings.catch_warnings():
        # PLS stops early where nothing is left to explain, which its scores show.
        warnings.filterwarnings("ignore", ".*residual.*constant", UserWarning)
        warnings.filterwarnings("ignore", "Maximum number of iterations", UserWarning)
        model.fit(features, responses)
    return lambda x: np.asarray(model.predict(x)).reshape(len(x), responses.shape[1])


def narrowed(
    mapping: str, features: Real[np.ndarray, " stimulus feature"]
) -> Real[np.ndarray, " stimulus _"]:
    """Return features that are no more than stimuli and give the same predictions.

    All mappings but 'single-unit' see features by their products over stimuli alone: a
    rotation changes no prediction. With more features than stimuli, a rotation leaves
    only as many that vary, and fitting takes that much less time.

    Examples
    --------
    >>> x = np.random.default_rng(1).normal(size=(4, 900))
    >>> y, about = narrowed("ridge", x), x - x.mean(axis=0)
    >>> y.shape, np.allclose(y @ y.T, about @ about.T)
    ((4, 4), True)
    """
    if mapping == "single-unit" or features.shape[1] <= len(features):
        return features
    about = features - features.mean(axis=0, dtype=np.float64)
    return np.asarray(np.linalg.qr(about.T, mode="r")).T


def _regression(mapping: str, n_components: int) -> Any:
    try:
        from sklearn.cross_decomposition import PLSRegression
        from sklearn.linear_model import LinearRegression, Ridge, RidgeCV
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(NO_SKLEARN, name="sklearn") from error
    if mapping == "pls":
        return PLSRegression(n_components=n_components, scale=False)
    if mapping == "ridge":
        return Ridge(alpha=1.0)
    return RidgeCV(alphas=ALPHAS) if mapping == "ridge-cv" else LinearRegression()


def _best_feature(features: np.ndarray, responses: np.ndarray) -> Predict:
    r = _standard(features).T @ _standard(responses)
    best = np.argmax(r, axis=0)
    return lambda x: x[:, best].astype(np.float64)


def _standard(values: Real[np.ndarray, " stimulus _"]) -> Float[np.ndarray, " _ _"]:
    """Columns of mean 0 and length 1; 0 where they are constant."""
    about = values - values.mean(axis=0, dtype=np.float64)
    norm = np.linalg.norm(about, axis=0)
    largest = np.abs(values).max(axis=0) * np.sqrt(len(values))
    return about / np.where(norm > CONSTANT * largest, norm, np.inf)
