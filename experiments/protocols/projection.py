"""The signal in noise on a basis: what of it the images can show.

Whatever tells the target is a whole number of units of the coefficients, added before
the one rounding: no observer of pixels can then do better than one that is told the
coefficients. So a signal is projected on the images, and what is left of it falls away.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Float64, Int64

from .checks import ProtocolError
from .image_kinds import images_of
from .images import Images
from .noise_and_signal import FULL_CONTRAST, Noise, Signal
from .template import size_of, template_of

_RIDGE = 1e-6  # of the largest squared norm of an image
DENSE = 2**24  # numbers in a matrix (image, element): above it, conjugate gradients
_TOLERANCE = 1e-13
_MOST_STEPS = 5000


@dataclass(frozen=True, eq=False)
class InImages:
    """A signal as a sum of images.

    Attributes
    ----------
    weights
        (K), of the images scaled to peak 1, nine decimals; their sum
        has peak 1, or RMS 1 where that is the contrast rule.
    shown
        The sum, (frame, row, column).
    remainder
        What of the template the images cannot show and the protocol wants shown.
    share
        Of the template's energy, what the images can show.
    """

    weights: Float64[np.ndarray, " image"]
    shown: Float64[np.ndarray, " frame row column"]
    remainder: Float64[np.ndarray, " frame row column"] | None
    share: float

    def units(self, contrast: float, fineness: int) -> Int64[np.ndarray, " image"]:
        """Give the whole numbers that are added to the coefficients at a contrast."""
        unit = FULL_CONTRAST * fineness
        return np.rint((unit * contrast) * self.weights).astype(np.int64)


@lru_cache(maxsize=16)
def in_images(signal: Signal, noise: Noise) -> InImages:
    """Give a protocol's signal as a sum of the images of its noise.

    Raises
    ------
    ProtocolError
        If it names images that are not there, or sums to nothing.
    """
    assert noise.basis is not None
    images = images_of(noise.basis, noise.grid)
    if signal.kind == "coefficients":
        return _given(signal, images)
    template = template_of(signal, noise)
    weights = projected(images, template)
    shown = images.drawn(weights)
    left = template - shown
    energy = float((template**2).sum())
    share = 1 - float((left**2).sum()) / energy if energy else 0.0  # an unknown signal
    if signal.outside == "show":  # the template's own peak stays that of the whole
        weights = np.round(weights, 9)
        return InImages(weights, images.drawn(weights), left, share)
    if signal.is_of_many:
        shown = _largest(images, signal, noise)
    weights = _with_size_one(weights, shown, signal)
    return InImages(weights, images.drawn(weights), None, share)


def _largest(
    images: Images, signal: Signal, noise: Noise
) -> Float64[np.ndarray, " frame row column"]:
    """Give, of signals on one scale, the largest that is shown."""
    every = (template_of(each, noise) for each in signal.on_one_scale)
    shown = [images.drawn(projected(images, each)) for each in every]
    return max(shown, key=lambda each: size_of(each, signal))


def _given(signal: Signal, images: Images) -> InImages:
    weights = np.zeros(images.n)
    for number, weight in signal.coefficients:
        if number >= images.n:
            rule = f"numbers of the {images.n} images, from 0"
            raise ProtocolError([f"signal.coefficients must be {rule}, got {number}"])
        weights[number] = weight
    weights = _with_size_one(weights, images.drawn(weights), signal)
    return InImages(weights, images.drawn(weights), None, 1.0)


def _with_size_one(
    weights: np.ndarray, shown: np.ndarray, signal: Signal
) -> np.ndarray:
    """Scale weights so that their sum has peak 1, or RMS 1 where that is the rule.

    Nine decimals, for every machine.
    """
    size = size_of(shown, signal)
    return np.round(weights / size, 9) if size > 0 else weights


def projected(
    images: Images, template: Float[np.ndarray, " frame row column"]
) -> Float64[np.ndarray, " image"]:
    """Give the weights of the images whose sum comes nearest to a template.

    Least squares with a little ridge, since images may depend on each other:
    (G + 1e-6 max(diag G) I)^-1 b.t, G = b b^T.
    """
    target = images.products(template)
    norms = [float((atom.astype(np.float64) ** 2).sum()) for atom in images.atoms]
    ridge = _RIDGE * max(norms) / FULL_CONTRAST**2
    if images.n * template.size <= DENSE:
        b = images.dense().reshape(images.n, -1) / FULL_CONTRAST
        gram = b @ b.T
        gram[np.diag_indices(images.n)] += ridge
        return np.linalg.solve(gram, target)

    def times(weights: np.ndarray) -> np.ndarray:
        return images.products(images.drawn(weights)) + ridge * weights

    return conjugate_gradients(times, target, _TOLERANCE, _MOST_STEPS)


def conjugate_gradients(
    times: Callable[[np.ndarray], np.ndarray],
    target: np.ndarray,
    tolerance: float,
    most_steps: int,
) -> np.ndarray:
    """Solve a positive definite system that is known by its products alone.

    Parameters
    ----------
    times
        Gives the matrix times an array like `target`.
    target
        What the solution times the matrix is.
    tolerance
        Of what is left, relative to the target.
    most_steps
        After which the solution is taken as it is.
    """
    solution, left = np.zeros_like(target), target
    direction, size = left, float((left**2).sum())
    smallest = tolerance**2 * size
    for _ in range(most_steps):
        if size <= smallest:
            break
        turned = times(direction)
        step = size / float((direction * turned).sum())
        solution = solution + step * direction
        left = left - step * turned
        size, before = float((left**2).sum()), size
        direction = left + (size / before) * direction
    return solution
