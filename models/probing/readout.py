"""From what a network has of a picture to probabilities of categories.

Either a read-out is fitted to pictures of known category, or the network's own classes
are put together.
"""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

PENALTY = 1e-3  # scikit-learn's C


class FittedReadout:
    """Multinomial logistic regression on standardised features, as Brain-Score fits it.

    Parameters
    ----------
    features
        What the network has of each picture.
    categories
        What each picture shows.

    Raises
    ------
    ModuleNotFoundError
        If scikit-learn is not installed.
    ValueError
        If there are fewer than two categories.
    """

    def __init__(
        self, features: Float[np.ndarray, " picture unit"], categories: Sequence[str]
    ) -> None:
        try:
            from sklearn.linear_model import LogisticRegression
            from sklearn.pipeline import make_pipeline
            from sklearn.preprocessing import StandardScaler
        except ModuleNotFoundError as error:
            message = 'a fitted read-out needs scikit-learn: pip install "yoked[brain]"'
            raise ModuleNotFoundError(message, name=error.name) from error
        self.categories = tuple(sorted(set(categories)))
        if len(self.categories) < 2:
            rule, got = "2 categories or more", ", ".join(self.categories)
            raise ValueError(f"pictures to fit must show {rule}, got {got}")
        regression = LogisticRegression(C=PENALTY, solver="newton-cg", max_iter=1000)
        self._fitted = make_pipeline(StandardScaler(), regression)
        self._fitted.fit(np.asarray(features, np.float64), list(categories))

    def probabilities(
        self, features: Float[np.ndarray, " picture unit"]
    ) -> Float[np.ndarray, " picture category"]:
        """Return a probability for each category, adding up to 1."""
        found = self._fitted.predict_proba(np.asarray(features, np.float64))
        return np.asarray(found)


class OwnClasses:
    """The network's classes, each category a set of them: the mean of their softmax.

    So model-vs-human makes 16 categories of ImageNet's 1,000 classes [1]_.

    Parameters
    ----------
    indices
        Of each category, the numbers of its classes from 0.

    References
    ----------
    .. [1] Geirhos et al. (2021), NeurIPS 34.

    Examples
    --------
    >>> own = OwnClasses({"cat": [0], "dog": [1, 2]})
    >>> own.probabilities(np.log([[0.5, 0.3, 0.1, 0.1]])).round(6).tolist()
    [[0.5, 0.2]]
    """

    def __init__(self, indices: Mapping[str, Sequence[int]]) -> None:
        for name, numbers in indices.items():
            if not numbers or min(numbers) < 0:
                rule = "one or more class numbers >= 0"
                raise ValueError(f"classes of {name} must be {rule}, got {numbers}")
        lower = [name.lower() for name in indices]
        if len(set(lower)) < len(lower):
            got = next(name for name in lower if lower.count(name) > 1)
            raise ValueError(f"categories must each be named once, got {got} twice")
        if len(indices) < 2:
            got = ", ".join(indices) or "none"
            raise ValueError(f"categories must be 2 or more, got {got}")
        self.categories = tuple(name.lower() for name in indices)
        self._indices = [list(numbers) for numbers in indices.values()]

    def probabilities(
        self, features: Float[np.ndarray, " picture unit"]
    ) -> Float[np.ndarray, " picture category"]:
        """Return each category's mean probability; they do not add up to 1."""
        most = max(map(max, self._indices))
        if most >= features.shape[1]:
            rule = f"below {features.shape[1]}, the network's classes"
            raise ValueError(f"class numbers must be {rule}, got {most}")
        power = np.exp(features - features.max(axis=1, keepdims=True))
        share = power / power.sum(axis=1, keepdims=True)
        return np.stack([share[:, each].mean(axis=1) for each in self._indices], axis=1)


def read_indices(path: str | Path) -> dict[str, list[int]]:
    """Read a TOML file with a line for each category: `cat = [281, 282]`.

    Raises
    ------
    ValueError
        If it is no such file.
    """
    text = Path(path).read_text(encoding="utf-8")
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{Path(path).name} must be TOML, got {error}") from None
    for name, numbers in found.items():
        whole = isinstance(numbers, list) and all(type(n) is int for n in numbers)
        if not whole:
            rule = "a list of class numbers, like [281, 282]"
            raise ValueError(f"{name} in {Path(path).name} must be {rule}")
    return found
