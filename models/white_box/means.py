"""Means over batches of trials, and their standard errors."""

import numpy as np
from jaxtyping import Float64


class BatchMeans:
    """Averages arrays that come batch by batch, and says how surely.

    Only the mean and the sum of squares about it are kept.

    Examples
    --------
    >>> means = BatchMeans()
    >>> for x in (1.0, 2.0, 3.0):
    ...     means.add(np.array([x]))
    >>> means.mean.tolist(), means.se.round(3).tolist()
    ([2.0], [0.577])
    """

    def __init__(self) -> None:
        self.n = 0
        self.mean: Float64[np.ndarray, " *shape"] = np.zeros(())
        self._squares: Float64[np.ndarray, " *shape"] = np.zeros(())

    def add(self, values: Float64[np.ndarray, " *shape"]) -> None:
        """Take in the next batch's."""
        self.n += 1
        away = values - self.mean
        self.mean = self.mean + away / self.n
        self._squares = self._squares + away * (values - self.mean)

    @property
    def se(self) -> Float64[np.ndarray, " *shape"]:
        """Standard error of the mean; NaN of a single batch."""
        if self.n < 2:
            return np.full_like(self.mean, np.nan)
        return np.sqrt(self._squares / (self.n * (self.n - 1)))


def symmetric(
    matrix: Float64[np.ndarray, " *stack element element"],
) -> Float64[np.ndarray, " *stack element element"]:
    """Give the symmetric part: the mean of a matrix and its transpose."""
    return (matrix + np.swapaxes(matrix, -1, -2)) / 2


def stein(
    noise: Float64[np.ndarray, " trial element"],
    gradients: Float64[np.ndarray, " trial element"],
) -> Float64[np.ndarray, " element element"]:
    """Give sym(E[n (grad f)^T]): the noise's covariance times the mean Hessian.

    For Gaussian noise, whether or not the gradient is continuous. The mean of the noise
    is nought; that of the sample is taken off, so that a gradient that is everywhere
    the same gives nought exactly.

    References
    ----------
    .. [1] Stein (1981), Ann. Stat. 9, 1135-1151.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> n = rng.normal(size=(20000, 2))
    >>> gradients = n * (n > 0)  # of the sum of relu(n)^2 / 2
    >>> stein(n, gradients).diagonal().round(1).tolist()  # E of its Hessian is 1/2
    [0.5, 0.5]
    """
    n = len(noise)
    centred = noise - noise.mean(0)
    return symmetric(centred.T @ gradients / (n - 1))
