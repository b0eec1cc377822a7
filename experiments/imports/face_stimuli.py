"""The stimuli of a reverse correlation experiment with faces.

A base picture with noise of sinusoids on it, and the same with the noise's sign turned
round. Every coefficient of the noise is drawn from -1 to 1; a pixel of the noise is the
mean over layers of coefficient x sinusoid, and a stimulus is ((noise + .3) / .6 +
picture) / 2, from black 0 to white 1.
"""

import hashlib
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from ..protocols.basis import Sinusoids
from ..protocols.checks import ProtocolError
from ..protocols.coefficients import coefficient_sds, integer_weights
from ..protocols.contents import keep
from ..protocols.grayscale_png import read_gray
from ..protocols.image_kinds import images_of
from ..protocols.images import Images, Shape
from ..protocols.noise_and_signal import FULL_CONTRAST, Noise
from ..protocols.rcicr_sinusoids import layers
from ..store.text import utf8_text

_N_ORIENTATIONS, _PHASES = 6, 2
_OF_SCALE_0 = _N_ORIENTATIONS * _PHASES  # coefficients; each scale has 4 times as many
_NOISE_RANGE = 0.6  # of noise that reaches from black to white, before the mean
_UNIFORM_SD = 1 / math.sqrt(3)
_SAME_SD = 0.02  # as that of uniform draws, relative


@dataclass(frozen=True, eq=False)
class FaceStimuli:
    """The stimuli of an experiment.

    Attributes
    ----------
    file, sha256
        What their file is called, and what is in it.
    parameters
        Of the original of each stimulus; the inverted one has the other sign.
    size
        Rows, and columns, of the picture.
    picture
        The base picture, from 0 (black) to 1 (white); None if it is unknown.
    details
        What the file says of itself.
    """

    file: str
    sha256: str
    parameters: Float[np.ndarray, " stimulus coefficient"]
    size: int
    picture: Float[np.ndarray, " row column"] | None
    details: dict[str, Any]

    @property
    def n_scales(self) -> int:
        """How often the patches halve."""
        return n_scales_of(self.parameters.shape[1])

    @property
    def basis(self) -> Sinusoids:
        """The sinusoids."""
        return Sinusoids("sinusoids", self.n_scales, layout="rcicr")

    @property
    def grid(self) -> Shape:
        """Frames, rows and columns."""
        return 1, self.size, self.size

    @property
    def gain(self) -> float:
        """What one unit of a coefficient is, in contrast."""
        return 1 / (_NOISE_RANGE * _OF_SCALE_0 * self.n_scales)

    def noise(self) -> Noise:
        """Describe the noise; the picture's contrast is kept for it.

        Raises
        ------
        ValueError
            If the sinusoids do not fit the picture.
        """
        basis = replace(self.basis, sha256=images_of(self.basis, self.grid).sha256)
        images = images_of(basis, self.grid)
        sd = float(self.parameters.std())
        is_uniform = abs(sd / _UNIFORM_SD - 1) < _SAME_SD
        own = self.gain * (_UNIFORM_SD if is_uniform else sd)
        at_one = float(coefficient_sds(images, integer_weights(basis, images), 1.0)[0])
        return Noise(
            "uniform" if is_uniform else "other",
            float(f"{own / at_one:.6g}"),
            self.grid,
            "stored",
            basis=basis,
            pairs="opposite",
            picture_sha256=self._kept_picture(),
        )

    def _kept_picture(self) -> str:
        if self.picture is None:
            return ""
        levels = np.rint(FULL_CONTRAST * (self.picture - 0.5)).astype(np.int8)
        return keep(Images.of_array(levels[None, None])) if levels.any() else ""

    def coefficients(self) -> Float[np.ndarray, " stimulus 1 1 1 coefficient"]:
        """Give the coefficients in contrast, with the axes of stored noise."""
        return (self.gain * self.parameters)[:, None, None, None, :]


def n_scales_of(n_coefficients: int) -> int:
    """Give the number of scales that has so many coefficients.

    Raises
    ------
    ValueError
        If there is none.

    Examples
    --------
    >>> n_scales_of(4092)
    5
    """
    n, scales = _OF_SCALE_0, 1
    while n < n_coefficients:
        n, scales = n + _OF_SCALE_0 * 4**scales, scales + 1
    if n != n_coefficients:
        rule = "a coefficient for each of 12, 60, 252, 1020, 4092 or 16380 sinusoids"
        raise ValueError(f"parameters must have {rule}, got {n_coefficients}")
    return scales


def checked_parameters(values: Any, where: str) -> Float[np.ndarray, " stimulus k"]:
    """Give parameters as floats: one row a stimulus, from -1 to 1.

    Raises
    ------
    ValueError
        If they are something else.
    """
    array = np.asarray(values)
    if array.ndim != 2 or not array.size or array.dtype.kind not in "fiu":
        rule = "an array of numbers (stimulus, coefficient)"
        got = f"{array.dtype} of {array.shape}"
        raise ValueError(f"{where} must be {rule}, got {got}")
    largest = float(np.abs(array).max())
    if not largest <= 1:
        raise ValueError(f"{where} must be from -1 to 1, got {largest:g}")
    n_scales_of(array.shape[1])
    return array.astype(np.float64)


def read_picture(path: str | Path) -> Float[np.ndarray, " row column"]:
    """Read a base picture, grayscale PNG, and stretch it from black to white.

    As rcicr and rcpyci do by default.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no such picture, or is the same everywhere.
    """
    path = Path(path)
    try:
        pixels = read_gray(path.read_bytes()).astype(np.float64)
    except ValueError as error:
        raise ValueError(f"the base picture {path.name}: {error}") from None
    low, high = float(pixels.min()), float(pixels.max())
    if low == high:
        rule = "of more than one gray"
        raise ValueError(f"the base picture {path.name} must be {rule}, got {low:g}")
    return (pixels - low) / (high - low)


def sized(
    parameters: np.ndarray, picture: np.ndarray | None, size: int | None
) -> tuple[int, np.ndarray | None]:
    """Give the picture's size, which must be square and suit the sinusoids.

    Raises
    ------
    ValueError
        If it is unknown, is said twice, or does not suit.
    """
    shape = (size or 0, size or 0) if picture is None else picture.shape
    if not shape[0]:
        rule = "given by the base picture or as image_size"
        raise ValueError(f"the size of the picture must be {rule}, got none")
    if shape[0] != shape[1] or size not in (None, shape[0]):
        rule = "square" if size is None else f"{size} x {size}"
        raise ValueError(f"the base picture must be {rule}, got {list(shape)}")
    basis = Sinusoids("sinusoids", n_scales_of(parameters.shape[1]), layout="rcicr")
    try:
        images_of(basis, (1, shape[0], shape[0]))
    except ProtocolError as error:
        raise ValueError(
            f"{basis.n_scales} scales must suit a picture of {shape[0]} pixels: {error}"
        ) from None
    return int(shape[0]), picture


def require_patches(
    patches: np.ndarray, index: np.ndarray, stimuli: FaceStimuli, where: str
) -> None:
    """Raise ValueError unless a file's own sinusoids are the ones we know.

    Parameters
    ----------
    patches, index
        (row, column, layer): the pixels, and which coefficient each belongs to, from 1.
    where
        What to call them.
    """
    first, found = 1, 0
    for layer, (scale, patch) in enumerate(layers(stimuli.basis, stimuli.grid)):
        n = 2**scale
        own = first + np.arange(n * n).reshape(n, n).T  # a column of patches at a time
        place = own.repeat(patch.shape[0], axis=0).repeat(patch.shape[1], axis=1)
        same = patches.shape == index.shape and layer < patches.shape[-1]
        same = same and patches.shape[:2] == place.shape
        same = same and np.array_equal(index[..., layer], place)
        same = same and np.allclose(patches[..., layer], np.tile(patch, (n, n)))
        found, first = found + bool(same), first + n * n
    if found < _OF_SCALE_0 * stimuli.n_scales:
        rule = "the sinusoids of rcicr 0.3.3 or later, numbered from 1"
        raise ValueError(f"{where} must be {rule}, got other ones")


def file_sha256(path: Path) -> tuple[str, str]:
    """Give a file's name and the SHA-256 of its bytes."""
    with path.open("rb") as file:
        return utf8_text(path.name), hashlib.file_digest(file, "sha256").hexdigest()
