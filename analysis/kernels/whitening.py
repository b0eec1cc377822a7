"""Kernels in correlated noise, with the correlation of the noise taken out.

A kernel is S times what the observer weighs the stimulus with, S the covariance of the
noise: elements that go up together seem to be used together. The inverse of S undoes
it [1]_. Where the noise has next to no power the inverse is next to infinite, so a
ridge is added to S, or only the passband is used.

References
----------
.. [1] Abbey & Eckstein (2002), J. Vis. 2(1):5.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from ...experiments.stimulus.sources import NoiseSource
from ..trials.estimate import CannotTell
from ..trials.moments import moments
from ..trials.responses import Responses
from .weighted_sum import Kernel

Matrix = Float[np.ndarray, " element element"]


def noise_covariance(responses: Responses, source: NoiseSource) -> Matrix:
    """Estimate the covariance of the noise as shown, from all counted trials.

    Both intervals of 2AFC count, with more alternatives that of the target; the two
    showings of a double pass count once.

    Raises
    ------
    ValueError
        If there are fewer than two noise fields.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")  # white noise of SD .1
    >>> observer = yoked.load_observer("template")
    >>> session = yoked.run(protocol, observer, seed=1, trials=300, contrast=0.15)
    >>> from yoked.analysis.trials.responses import responses
    >>> found = noise_covariance(responses(session), session.noise)
    >>> found.shape, round(float(np.diag(found).mean()), 3)
    ((13, 13), 0.01)
    """
    label = np.where(responses.first < 0, 0, -1)
    n_fields = int(np.sum(label == 0))
    if n_fields < 2:
        raise CannotTell(f"noise fields must be two or more, got {n_fields}")
    n_halves = 2 if responses.is_forced_choice and responses.n_alternatives == 2 else 1
    factors = np.array([[1.0], [n_halves - 1.0]])
    sums = moments(responses, source, label, 1, factors)
    assert sums.products is not None
    n = n_halves * n_fields
    mean = sums.total[:, :n_halves].sum((0, 1)) / n
    return (sums.products.sum(0) - n * np.outer(mean, mean)) / (n - 1)


def whitened(
    kernel: Kernel, covariance: Matrix, ridge: float = 0.0, passband: float = 0.0
) -> Kernel:
    """Undo the correlation of the noise in a first-order kernel.

    Parameters
    ----------
    covariance
        Of the noise, by `noise_covariance` or as it was designed.
    ridge
        Added to the variance of every element, as a share of their mean variance. It
        makes the kernel smoother, and shorter along directions of little noise.
    passband
        Directions with less than this share of the noise's largest variance are left
        out: the kernel is unknown there, and returned as zero.

    Returns
    -------
    Kernel
        Its fields in units of 1 / contrast, with the standard errors of the noise that
        the covariance describes.

    Raises
    ------
    ValueError
        If the covariance is of another size, not symmetric, or singular with neither
        ridge nor passband; or if one of these is outside of [0, 1).

    Examples
    --------
    >>> w = np.array([[[0.0, 1.0, 0.0]]])
    >>> s = 0.01 * np.array([[1, 0.5, 0], [0.5, 1, 0.5], [0, 0.5, 1]])
    >>> blurred, se = (w[0, 0] @ s).reshape(w.shape), np.full(w.shape, 0.001)
    >>> counts = {"correct": 3, "incorrect": 1}
    >>> rest = (0, (0.1,), (1.0,), 1, "example/1")
    >>> kernel = Kernel(blurred, se, blurred, se, blurred, se, counts, *rest)
    >>> bool(np.allclose(whitened(kernel, s).kernel, w))
    True
    """
    inverse = _inverse(covariance, kernel.kernel.size, ridge, passband)
    spread = np.sqrt(np.einsum("ij,ji->i", inverse @ covariance, inverse))
    names = ("kernel", "target_half", "nontarget_half")
    fields = {name: _times(inverse, getattr(kernel, name)) for name in names}
    mean_variance = float(np.mean(np.diag(covariance)))
    for of in ("se", "target_half_se", "nontarget_half_se"):
        # An error of the kernel is that of a mean of noise fields, so it has the
        # covariance of the noise up to a factor.
        before = getattr(kernel, of)
        scale = np.sqrt(np.mean(np.square(before)) / mean_variance)
        fields[of] = (scale * spread).reshape(before.shape)
    base, version = kernel.formula.rsplit("/", 1)
    return replace(kernel, **fields, formula=f"{base}-whitened/{version}")


def _times(inverse: Matrix, field: np.ndarray) -> np.ndarray:
    return (inverse @ field.ravel()).reshape(field.shape)


def _inverse(
    covariance: Matrix, n_elements: int, ridge: float, passband: float
) -> Matrix:
    """Invert the covariance plus its ridge, within its passband."""
    if covariance.shape != (n_elements, n_elements):
        rule = f"{n_elements} by {n_elements} elements, as the kernel is"
        raise ValueError(f"covariance must be {rule}, got {covariance.shape}")
    for name, value in (("ridge", ridge), ("passband", passband)):
        if not 0 <= value < 1:
            raise ValueError(f"{name} must be in [0, 1), got {value}")
    largest = float(np.abs(covariance).max())
    if np.abs(covariance - covariance.T).max() > 1e-9 * largest:
        raise ValueError("covariance must be symmetric, got a matrix that is not")
    values, vectors = np.linalg.eigh(covariance)
    passed = values >= passband * values[-1]
    values = values + ridge * float(np.mean(np.diag(covariance)))
    if np.any(values[passed] <= 1e-10 * values[-1]):
        rule = "invertible, or come with a ridge or a passband"
        got = f"variances from {values[passed].min():.2g} to {values[-1]:.2g}"
        raise CannotTell(f"covariance must be {rule}, got {got}")
    return (vectors[:, passed] / values[passed]) @ vectors[:, passed].T
