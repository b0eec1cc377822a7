"""Textures: three photographs, and seven kinds that are synthesised.

Every patch has mean 0 and the same SD of contrast, so that neither tells the texture.
What tells it is the spectrum, its orientation, and what a spectrum does not have: spots
and lines.
"""

import numpy as np
from jaxtyping import Float
from scipy import fft, ndimage

PHOTOGRAPHS = ("brick", "grass", "gravel")
# Of Gaussian noise that is filtered: cycles per px, its width in octaves, orientation
# in degrees and its width (None: all orientations).
_BANDS = {
    "fine": (0.22, 0.4, None, None),
    "coarse": (0.06, 0.4, None, None),
    "upright": (0.14, 0.5, 0.0, 12.0),
    "level": (0.14, 0.5, 90.0, 12.0),
    "slanted": (0.14, 0.5, 45.0, 12.0),
}
SYNTHESISED = (*_BANDS, "spots", "lines")
NAMES = (*PHOTOGRAPHS, *SYNTHESISED)
SD = 0.25  # of contrast
_LIMIT = 0.95  # of contrast, where the tails of a patch are cut off


class Textures:
    """Gives patches of any texture by name.

    Parameters
    ----------
    size_px
        Of a patch.
    part
        'fit' or 'test': of photographs the left or the right half, so that no pixel is
        in both.

    Raises
    ------
    ValueError
        If the part is not one, or a patch is larger than half a photograph (128 px).
    ModuleNotFoundError
        If scikit-image, which has the photographs, is not installed.
    """

    def __init__(self, size_px: int, part: str) -> None:
        if part not in ("fit", "test"):
            raise ValueError(f"part must be 'fit' or 'test', got {part!r}")
        if not 8 <= size_px <= 128:
            raise ValueError(f"size_px must be 8 to 128, got {size_px}")
        self._size, self._part = size_px, part
        self._photographs = {name: _photograph(name) for name in PHOTOGRAPHS}

    def patch(self, name: str, rng: np.random.Generator) -> Float[np.ndarray, " y x"]:
        """Draw a patch, contrast of mean 0 and SD .25 but for what is cut off.

        Raises
        ------
        LookupError
            If there is no such texture.
        """
        if name in self._photographs:
            raw = self._cut(self._photographs[name], rng)
        elif name in _BANDS:
            raw = _band(self._size, name, rng)
        elif name in SYNTHESISED:
            raw = (
                _spots(self._size, rng) if name == "spots" else _lines(self._size, rng)
            )
        else:
            raise LookupError(
                f"a texture must be one of {', '.join(NAMES)}, got {name!r}"
            )
        raw = (raw - raw.mean()) / raw.std() * SD
        return np.clip(raw, -_LIMIT, _LIMIT)

    def _cut(self, whole: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        half = whole.shape[1] // 2
        part = whole[:, :half] if self._part == "fit" else whole[:, half:]
        y, x = (rng.integers(0, n - self._size + 1) for n in part.shape)
        return part[y : y + self._size, x : x + self._size]


def _photograph(name: str) -> np.ndarray:
    """Give one of 512 px at half its size: 256 px."""
    try:
        from skimage import data
    except ModuleNotFoundError as error:
        message = (
            'photographs of textures need scikit-image: pip install "yoked[brain]"'
        )
        raise ModuleNotFoundError(message, name=error.name) from error
    whole = np.asarray(getattr(data, name)(), float)
    high, wide = (n // 2 for n in whole.shape)
    return whole[: 2 * high, : 2 * wide].reshape(high, 2, wide, 2).mean((1, 3))


def _band(size: int, name: str, rng: np.random.Generator) -> np.ndarray:
    """Filter Gaussian noise."""
    peak, octaves, theta, width = _BANDS[name]
    y, x = np.meshgrid(*[fft.fftfreq(size)] * 2, indexing="ij")
    radius = np.hypot(x, y)
    with np.errstate(divide="ignore"):
        gain = np.exp(-0.5 * (np.log2(radius / peak) / octaves) ** 2)
    if theta is not None and width is not None:
        away = (np.rad2deg(np.arctan2(y, x)) - theta + 90) % 180 - 90
        gain = gain * np.exp(-0.5 * (away / width) ** 2)
    spectrum = fft.fft2(rng.normal(size=(size, size))) * gain
    return np.real(np.asarray(fft.ifft2(spectrum)))


def _spots(size: int, rng: np.random.Generator) -> np.ndarray:
    """Put bright disks of about 5 px onto gray."""
    points = np.zeros((size, size))
    n = max(2, size * size // 90)
    points[tuple(rng.integers(0, size, (2, n)))] = 1
    return ndimage.gaussian_filter(points, 1.6, mode="wrap").clip(0, 0.06)


def _lines(size: int, rng: np.random.Generator) -> np.ndarray:
    """Draw thin lines in all directions."""
    y, x = np.mgrid[:size, :size] - size / 2
    found = np.zeros((size, size))
    for _ in range(max(3, size // 5)):
        theta, place = rng.uniform(0, np.pi), rng.uniform(-size / 2, size / 2)
        away = np.abs(x * np.cos(theta) + y * np.sin(theta) - place)
        found = np.maximum(found, np.exp(-0.5 * (away / 0.8) ** 2))
    return found
