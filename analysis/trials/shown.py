"""What the analysis takes for noise: elements of a grid, or coefficients of images.

White noise is shown as it was drawn, one level for each element of its grid. Noise on a
basis is a sum of images, and its pixels depend on each other; what was drawn are the
coefficients of the images. They are counted in their own SDs, so that they are white
noise of variance 1. All that is made from noise, kernels and their tests alike, starts
from one of the two, and nothing else here knows which.
"""

from dataclasses import dataclass, field
from typing import Any, runtime_checkable
from typing import Protocol as Interface

import numpy as np
from jaxtyping import Float, Float32, Float64

from ...experiments.protocols.coefficients import coefficients_of
from ...experiments.protocols.images import Images
from ...experiments.protocols.parts import FULL_CONTRAST
from ...experiments.protocols.projection import in_images
from ...experiments.protocols.protocol import Protocol
from ...experiments.protocols.signal import (
    signal_levels,
    signal_template,
    signal_units,
)
from ...experiments.stimulus.sources import (
    CoefficientNoise,
    NoiseSource,
    Table,
    as_contrast,
)
from .estimate import CannotTell
from .result import Result

MOST_COEFFICIENTS = 2000  # that a second-order kernel is made of

OPPOSITE = (
    "noise of the two intervals must be independent for a second-order kernel, got "
    "opposite pairs: what is even in the noise is the same in both"
)

Shape = tuple[int, ...]
"""(frames, rows, columns) of a field, or (coefficients,)."""


@dataclass(frozen=True, eq=False)
class NoiseBasis:
    """The images that kernels in coefficients are drawn in.

    Attributes
    ----------
    images
        One for each coefficient.
    contrast_sd
        SD of each coefficient, in contrast.
    """

    images: Images
    contrast_sd: Float64[np.ndarray, " coefficient"]

    def image(
        self, kernel: Float[np.ndarray, " coefficient"]
    ) -> Float64[np.ndarray, " frame row column"]:
        """Give the classification image of a kernel per SD: what its noise looks like.

        The sum of kernel x SD x image: a template as it is seen through the covariance
        of the noise.
        """
        return self.images.drawn(np.asarray(kernel, np.float64) * self.contrast_sd)

    def image_se(
        self, se: Float[np.ndarray, " coefficient"]
    ) -> Float64[np.ndarray, " frame row column"]:
        """Give the standard error of the classification image.

        The errors of coefficients are independent, as their noise is.
        """
        squared = (np.asarray(se, np.float64) * self.contrast_sd) ** 2
        return np.sqrt(self.images.total(squared, _squares))


def _squares(atom: np.ndarray) -> np.ndarray:
    return (atom / FULL_CONTRAST) ** 2


@dataclass(frozen=True, eq=False)
class OfNoise(Result):
    """A result by element of the noise; of coefficients, it can be drawn.

    Attributes
    ----------
    basis
        What a result in coefficients is drawn in; None in white noise.
    """

    basis: NoiseBasis | None = field(default=None, kw_only=True)

    def drawn(self) -> dict[str, np.ndarray]:
        """Give what is drawn of a result in coefficients, by name, on the grid."""
        return {}

    def parts(self) -> dict[str, Any]:
        """Give the fields; of a kernel in coefficients, its image beside them."""
        fields = self._fields_but("basis")
        if self.basis is None:
            return fields
        return {"kernel_in": "coefficients", **fields, **self.drawn()}


def classification_image(
    basis: NoiseBasis | None, kernel: Float[np.ndarray, " coefficient"]
) -> dict[str, np.ndarray]:
    """Return the image of a kernel in coefficients under its name; none in white noise.

    See `NoiseBasis.image`.
    """
    return {} if basis is None else {"classification_image": basis.image(kernel)}


def basis_of(source: NoiseSource) -> NoiseBasis | None:
    """Return the images that noise is the sum of; None where it is white."""
    if not isinstance(source, CoefficientNoise):
        return None
    return NoiseBasis(source.images, source.contrast_sd)


def noise_of(source: NoiseSource, table: Table, interval: int) -> np.ndarray:
    """Return the noise of one interval of every trial as it was drawn.

    Returns
    -------
    ndarray
        (trial, frame, row, column), or (trial, coefficient). Integers are levels (int8)
        or units of coefficients (int16), floats are contrast.

    Examples
    --------
    >>> import yoked
    >>> from yoked.experiments.stimulus.sources import noise_source
    >>> protocol = yoked.load_protocol("orientation-noise")
    >>> source = noise_source(protocol.noise.generator, protocol, 1)
    >>> table = {"stimulus_id": [0, 1], "block_kind": ["main", "main"]}
    >>> noise_of(source, table, 0).shape
    (2, 24)
    """
    if isinstance(source, CoefficientNoise):
        return source.coefficients(table, interval)
    return source.field(table, interval)


def unit_of(source: NoiseSource) -> Float64[np.ndarray, " element"] | None:
    """Return what one of the whole numbers of each coefficient is, in its SDs.

    None where noise is white: levels are counted in contrast.
    """
    return 1 / source.unit_sd if isinstance(source, CoefficientNoise) else None


def as_numbers(
    noise: np.ndarray, unit: Float64[np.ndarray, " element"] | None
) -> Float32[np.ndarray, " trial element"]:
    """Return noise, (trial, element), in contrast; coefficients in their SDs."""
    if unit is None:
        return as_contrast(noise)
    return (noise * unit).astype(np.float32)


def shown_signal(
    protocol: Protocol, contrast: float, is_quantised: bool = True
) -> Float[np.ndarray, " *shape"]:
    """Return the signal at a contrast times gain, in the numbers that noise is in.

    In white noise contrast by element. In noise on a basis what it adds to every
    coefficient, in SDs of the noise: it is also what an ideal observer weights the
    coefficients by, S_k / sigma_k, and the length of it is that observer's d'.

    Parameters
    ----------
    is_quantised
        Whether it is first rounded to levels, or to units of coefficients, as it is
        shown.

    Raises
    ------
    CannotTell
        If a part of the signal is shown outside the images of the noise, or the signal
        is one of several variants or patterns.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("orientation-noise")
    >>> seen = shown_signal(protocol, protocol.contrast.values[0])
    >>> seen.shape, round(float(np.linalg.norm(seen)), 2)
    ((24,), 3.22)
    """
    require_one_signal(protocol)
    noise = protocol.noise
    if noise.basis is None:
        if not is_quantised:
            return contrast * signal_template(protocol)
        return signal_levels(protocol, contrast).astype(np.float64) / FULL_CONTRAST
    if protocol.signal.outside == "show":
        rule = "all in the images of the noise to be known in their coefficients"
        raise CannotTell(f"the signal must be {rule}, got a part outside them")
    sd = coefficients_of(noise, noise.sd).unit_sds
    if is_quantised:
        return signal_units(protocol, contrast) / sd
    unit = FULL_CONTRAST * noise.fineness
    return unit * contrast * in_images(protocol.signal, noise).weights / sd


def require_one_signal(protocol: Protocol) -> None:
    """Raise CannotTell if a target's signal is one of variants or patterns."""
    if (n := len(protocol.variants)) > 1:
        rule = "one for a statistic that compares with it"
        kind = "variants" if protocol.signal.variants else "patterns"
        raise CannotTell(f"the signal must be {rule}, got one of {n} {kind}")


def require_few_coefficients(basis: NoiseBasis | None) -> None:
    """Raise CannotTell if a second-order kernel would be of too many coefficients."""
    if basis is not None and basis.images.n > MOST_COEFFICIENTS:
        rule = f"at most {MOST_COEFFICIENTS:,} for a second-order kernel"
        raise CannotTell(f"coefficients must be {rule}, got {basis.images.n:,}")


@runtime_checkable
class HasShown(Interface):
    """What is made from noise: a design of trials, or sums over them."""

    @property
    def shape(self) -> Shape:
        """Of the noise of a trial."""
        ...

    @property
    def basis(self) -> NoiseBasis | None:
        """What its coefficients are of."""
        ...


def require_same_noise(ours: HasShown, theirs: HasShown) -> None:
    """Raise CannotTell unless both are of the same elements, or of the same images."""
    if ours.shape != theirs.shape:
        got = f"{ours.shape} and {theirs.shape}"
        raise CannotTell(f"noise fields must have one shape, got {got}")
    hashes = [each.basis and each.basis.images.sha256[:8] for each in (ours, theirs)]
    if hashes[0] != hashes[1]:
        got = " and ".join(each or "white noise" for each in hashes)
        raise CannotTell(f"noise must be of the same images in both, got {got}")
