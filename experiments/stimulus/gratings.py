"""Gratings of the V1 battery: what each set has, and its pictures of eight bits.

A set of Marques et al. (2020) [1]_ in the packaging scripts of Brain-Score [2]_ (MIT):
12 x 12 degrees of 672 px, gray 128, a sine grating of full contrast within a hard
circle,

    uint8(255 (sin(2 pi f (x cos theta + y sin theta) + phi) + 1) / 2),

x and y in degrees from the grating's middle, of which pixel (336, 336) of 672 is the
origin at position (0, 0).

References
----------
.. [1] Marques, Schrimpf & DiCarlo (2021), Multi-scale hierarchical neural network
   models that bridge from single neurons in the primate primary visual cortex to object
   recognition behavior. bioRxiv 2021.03.01.433495.
.. [2] brain-score/vision, data/marques2020/data_packaging, read at commit c642dbe4.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, UInt8

FIELD_DEG, FIELD_PX = 12.0, 672
GRAY = 128
_PX_PER_DEG = FIELD_PX / FIELD_DEG
PLACE_DEG = 0.5  # of the gratings but those that map receptive fields, (x, y) equal
RADII_DEG = 2 ** np.linspace(-2.25, 3.25, 12) / 2
FREQUENCIES = 2 ** np.linspace(-1.375, 3.875, 22)  # c/deg
ORIENTATIONS = np.linspace(0, 165, 12)  # degrees
PHASES = np.linspace(0, 315, 8)
MAP_DEG = np.linspace(-2.5, 2.5, 21)
_FOUR = FREQUENCIES[[4, 8, 12, 16]]


@dataclass(frozen=True, eq=False)
class Gratings:
    """A set of gratings, the last axis of its shape the fastest.

    Attributes
    ----------
    name
        'mapping', 'orientation', 'frequency' or 'size'.
    shape
        Of the set: (y, x, orientation and phase) of 'mapping'; (cycles, frequency,
        orientation, phase) of 'orientation', whose radius is cycles / 2 / frequency;
        (radius, frequency, orientation, phase) of the others.
    y_deg, x_deg
        Of each grating's middle, from that of the picture.
    radius_deg, frequency, orientation_deg, phase_deg
        Of each grating; frequencies in c/deg.
    """

    name: str
    shape: tuple[int, ...]
    y_deg: Float64[np.ndarray, " grating"]
    x_deg: Float64[np.ndarray, " grating"]
    radius_deg: Float64[np.ndarray, " grating"]
    frequency: Float64[np.ndarray, " grating"]
    orientation_deg: Float64[np.ndarray, " grating"]
    phase_deg: Float64[np.ndarray, " grating"]

    def __len__(self) -> int:
        return len(self.phase_deg)

    def pictures(
        self, first: int, last: int, size_px: int = FIELD_PX
    ) -> UInt8[np.ndarray, " grating y x"]:
        """Draw gratings `first` to `last`, the latter left out, or their middle part.

        Parameters
        ----------
        first, last
            Numbers in the set.
        size_px
            Pixels of the middle part, an even number.

        Examples
        --------
        >>> one = gratings("size").pictures(0, 1)[0]
        >>> one.shape, int(one[0, 0]), int(one[364, 364])
        ((672, 672), 128, 127)
        """
        place = (np.arange(size_px) - size_px / 2) / _PX_PER_DEG
        drawn = np.full((last - first, size_px, size_px), GRAY, np.uint8)
        for row, k in enumerate(range(first, last)):
            self._draw(drawn[row], place, k)
        return drawn

    def _draw(self, picture: np.ndarray, place: np.ndarray, k: int) -> None:
        """Put one grating into a gray picture, computing it where it is alone."""
        radius = self.radius_deg[k]
        x, y = place - self.x_deg[k], place - self.y_deg[k]
        rows, columns = np.abs(y) <= radius, np.abs(x) <= radius
        x, y = x[columns], y[rows, None]
        theta = math.radians(self.orientation_deg[k])
        along = x * math.cos(theta) + y * math.sin(theta)
        phase = math.radians(self.phase_deg[k])
        wave = np.sin(2 * math.pi * self.frequency[k] * along + phase)
        part = picture[np.ix_(rows, columns)]
        inside = x**2 + y**2 <= radius**2
        part[inside] = (255 * (wave[inside] + 1) / 2).astype(np.uint8)
        picture[np.ix_(rows, columns)] = part


def gratings(name: str) -> Gratings:
    """Give a set by its name.

    Raises
    ------
    LookupError
        If there is none.

    Examples
    --------
    >>> [len(gratings(name)) for name in ("mapping", "orientation", "frequency")]
    [3528, 1152, 2112]
    """
    orientations = ORIENTATIONS[::2]
    if name == "mapping":
        axes = (MAP_DEG, MAP_DEG, ORIENTATIONS[::3], PHASES[::4])
        y, x, theta, phi = _grid(*axes)
        return _made(name, (21, 21, 8), y, x, 1 / 6, 3.0, theta, phi)
    if name == "orientation":
        cycles = np.array([2.0, 3.0, 4.0])
        n, f, theta, phi = _grid(cycles, _FOUR, ORIENTATIONS, PHASES)
        return _made(
            name, (3, 4, 12, 8), PLACE_DEG, PLACE_DEG, n / 2 / f, f, theta, phi
        )
    if name == "frequency":
        axes = (np.array([0.75, 2.25]), FREQUENCIES, orientations, PHASES)
    elif name == "size":
        axes = (RADII_DEG, _FOUR, orientations, PHASES)
    else:
        rule = "'mapping', 'orientation', 'frequency' or 'size'"
        raise LookupError(f"a set of gratings must be {rule}, got {name!r}")
    radius, f, theta, phi = _grid(*axes)
    shape = tuple(map(len, axes))
    return _made(name, shape, PLACE_DEG, PLACE_DEG, radius, f, theta, phi)


def _grid(*axes: np.ndarray) -> list[np.ndarray]:
    return [each.ravel() for each in np.meshgrid(*axes, indexing="ij")]


def _made(name: str, shape: tuple[int, ...], *values: np.ndarray | float) -> Gratings:
    """Repeat for every grating what all have in common."""
    n = math.prod(shape)
    return Gratings(name, shape, *(np.broadcast_to(v, n).astype(float) for v in values))
