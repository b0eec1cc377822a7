"""HMAX: Gabors (S1), maxima over places and scales (C1), prototypes (S2), maxima (C2).

References
----------
.. [1] Serre, Wolf, Bileschi, Riesenhuber & Poggio (2007), Robust object recognition
   with cortex-like mechanisms, IEEE PAMI 29, 411-426, table 1: 16 scales of filters of
   7 to 37 px, their sigma and lambda, aspect ratio .3, 4 orientations; C1 grids of 8 to
   22 px that overlap by half; prototypes of 4, 8, 12 and 16 px.
.. [2] Mutch & Lowe (2008), Object class recognition and localization using sparse
   features with limited receptive fields, IJCV 80, 45-57: S2 = exp(-d^2 / (2 (n/4)^2)),
   so that prototypes of all sizes are as sharp.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

_SIGMAS = (2.8, 3.6, 4.5, 5.4, 6.3, 7.3, 8.2, 9.2)
_SIGMAS += (10.2, 11.3, 12.3, 13.4, 14.6, 15.8, 17.0, 18.2)
_LAMBDAS = (3.5, 4.6, 5.6, 6.8, 7.9, 9.1, 10.3, 11.5)
_LAMBDAS += (12.7, 14.1, 15.4, 16.8, 18.2, 19.7, 21.2, 22.8)
_ASPECT = 0.3
_LEAST_NORM = 1e-2  # of the picture under a filter: gray then gives 0, not 0 / 0


@dataclass(frozen=True)
class HMAXConfig:
    """Sizes of the network.

    Attributes
    ----------
    n_bands
        Bands of two neighbouring scales, from the finest; 8 as published.
    n_orientations
        Of the Gabors.
    sizes
        Of the prototypes, in C1 units.
    n_prototypes
        In all, equally many of each size.
    """

    n_bands: int = 8
    n_orientations: int = 4
    sizes: tuple[int, ...] = (4, 8, 12, 16)
    n_prototypes: int = 1000

    def __post_init__(self) -> None:
        if not 1 <= self.n_bands <= len(_SIGMAS) // 2:
            raise ValueError(f"n_bands must be 1 to 8, got {self.n_bands}")
        if self.n_prototypes % len(self.sizes):
            rule = f"a multiple of the {len(self.sizes)} sizes"
            raise ValueError(f"n_prototypes must be {rule}, got {self.n_prototypes}")

    @classmethod
    def small(cls) -> "HMAXConfig":
        """Give a variant for 28 to 64 px."""
        return cls(n_bands=2, sizes=(2, 4), n_prototypes=64)


class S1(nn.Module):
    """Gabors at two scales, over the norm of what they see, whatever its sign."""

    norm: Tensor

    def __init__(self, scales: tuple[int, int], n_orientations: int) -> None:
        super().__init__()
        self.sizes = [7 + 2 * scale for scale in scales]
        for number, scale in enumerate(scales):
            filters = torch.tensor(gabors(scale, n_orientations))  # (o, 1, n, n)
            self.register_buffer(f"filters{number}", filters, persistent=False)

    def forward(
        self, x: Float[Tensor, " image 1 y x"]
    ) -> Float[Tensor, " image two_orientation y x"]:
        """Give responses of both scales, from 0 to 1."""
        responses = []
        for number, size in enumerate(self.sizes):
            filters = self.get_buffer(f"filters{number}")
            ones = torch.ones_like(filters[:1])
            power = functional.conv2d(x.square(), ones, padding=size // 2)
            norm = (power + _LEAST_NORM**2).sqrt()  # (image, 1, y, x)
            seen = functional.conv2d(x, filters, padding=size // 2)
            responses.append(seen.abs() / norm)
        return torch.cat(responses, dim=1)


class C1(nn.Module):
    """The maximum over places of a grid, and over the two scales."""

    def __init__(self, grid: int) -> None:
        super().__init__()
        self.pool = nn.MaxPool2d(grid, grid // 2, ceil_mode=True, padding=grid // 2)

    def forward(
        self, x: Float[Tensor, " image two_orientation y x"]
    ) -> Float[Tensor, " image orientation row column"]:
        """Give a map of each orientation."""
        return self.pool(x).unflatten(1, (2, -1)).amax(dim=1)


class S2(nn.Module):
    """How near each place of a C1 map is to each prototype, from 0 to 1."""

    def __init__(self, n_prototypes: int, n_orientations: int, size: int) -> None:
        super().__init__()
        self.size = size
        shape = (n_prototypes, n_orientations, size, size)
        self.prototypes = nn.Parameter(torch.empty(shape))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw prototypes evenly from 0 to 1, the range of C1."""
        nn.init.uniform_(self.prototypes)

    def forward(
        self, x: Float[Tensor, " image orientation y x"]
    ) -> Float[Tensor, " image prototype row column"]:
        """Give exp(-d^2 / (2 (n / 4)^2)), d the distance of patch and prototype."""
        ones = torch.ones_like(self.prototypes[:1])
        patch = functional.conv2d(x.square(), ones)  # (image, 1, row, column)
        both = functional.conv2d(x, self.prototypes)
        own = self.prototypes.square().sum(dim=(1, 2, 3))[:, None, None]
        squared = (patch - 2 * both + own).clamp(min=0)
        return torch.exp(-squared / (2 * (self.size / 4) ** 2))


class C2(nn.Module):
    """The best match of each prototype, anywhere and in any band."""

    def forward(self, matches: list[list[Tensor]]) -> Float[Tensor, " image prototype"]:
        """Give it, from 0 to 1."""
        best = [[each.amax(dim=(2, 3)) for each in bands] for bands in matches]
        return torch.cat([torch.stack(bands).amax(dim=0) for bands in best], dim=1)


class HMAX(nn.Module):
    """`gray`, S1 and C1 by band (`s1.0`, `c1.0`, ...), `s2` by size, `c2`, `decoder`.

    S1 and C1 are fixed. Prototypes are learned with the rest, or laid down by
    `imprint`. Where a prototype is larger than a band's map, that band has no say.

    Parameters
    ----------
    in_channels, n_classes
        Of the input, whose channels are weighed to one (at first equally), and of the
        output.
    config
        Sizes.

    Examples
    --------
    >>> network = HMAX(1, 2, HMAXConfig.small())
    >>> network(torch.zeros(4, 1, 28, 28)).shape
    torch.Size([4, 2])
    """

    def __init__(
        self, in_channels: int, n_classes: int, config: HMAXConfig | None = None
    ) -> None:
        super().__init__()
        config = config or HMAXConfig()
        self.in_channels = in_channels
        bands = range(config.n_bands)
        n, n_each = config.n_orientations, config.n_prototypes // len(config.sizes)
        self.gray = nn.Conv2d(in_channels, 1, 1, bias=False)
        self.s1 = nn.ModuleList(S1((2 * band, 2 * band + 1), n) for band in bands)
        self.c1 = nn.ModuleList(C1(8 + 2 * band) for band in bands)
        self.s2 = nn.ModuleList(S2(n_each, n, size) for size in config.sizes)
        self.c2 = C2()
        self.decoder = nn.Linear(config.n_prototypes, n_classes)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Let all input channels count equally."""
        nn.init.constant_(self.gray.weight, 1 / self.in_channels)

    def bands(self, x: Float[Tensor, " image channel y x"]) -> list[Tensor]:
        """Give the C1 maps of each band: (image, orientation, row, column)."""
        gray = self.gray(x)
        return [c1(s1(gray)) for s1, c1 in zip(self.s1, self.c1, strict=True)]

    def matches(self, x: Float[Tensor, " image channel y x"]) -> list[list[Tensor]]:
        """Give S2 maps (image, prototype, row, column), by size and band."""
        bands, found = self.bands(x), []
        for s2 in self.s2:
            size = s2.get_parameter("prototypes").shape[-1]
            large = [band for band in bands if min(band.shape[-2:]) >= size]
            if not large:
                rule = f"at least {size} C1 units high and wide for its prototypes"
                got = tuple(bands[0].shape[-2:])
                raise ValueError(f"C1 maps of HMAX must be {rule}, got {got}")
            found.append([s2(band) for band in large])
        return found

    @torch.no_grad()
    def imprint(self, x: Float[Tensor, " image channel y x"], seed: int) -> None:
        """Lay down prototypes: C1 patches at random places of pictures, as in [1]_."""
        rng = np.random.default_rng(seed)
        bands = self.bands(x)
        for s2 in self.s2:
            prototypes = s2.get_parameter("prototypes")
            size = prototypes.shape[-1]
            large = [band for band in bands if min(band.shape[-2:]) >= size]
            for prototype in prototypes:
                band = large[rng.integers(len(large))]
                room = (len(band), band.shape[2] - size + 1, band.shape[3] - size + 1)
                image, y, left = rng.integers(room)
                prototype.copy_(band[image, :, y : y + size, left : left + size])

    def forward(
        self, x: Float[Tensor, " image channel y x"]
    ) -> Float[Tensor, " image n_classes"]:
        """Give a number for each class."""
        return self.decoder(self.c2(self.matches(x)))


def gabors(scale: int, n_orientations: int) -> np.ndarray:
    """Give one scale's filters (orientation, 1, y, x): mean 0, norm 1, in a disc."""
    size, sigma, wavelength = 7 + 2 * scale, _SIGMAS[scale], _LAMBDAS[scale]
    place = np.arange(size) - size // 2
    y, x = np.meshgrid(place, place, indexing="ij")
    inside = np.hypot(x, y) <= size / 2
    filters = []
    for theta in math.pi * np.arange(n_orientations) / n_orientations:
        across = x * np.cos(theta) + y * np.sin(theta)
        along = -x * np.sin(theta) + y * np.cos(theta)
        envelope = np.exp(-(across**2 + (_ASPECT * along) ** 2) / (2 * sigma**2))
        gabor = envelope * np.cos(2 * math.pi * across / wavelength) * inside
        gabor = (gabor - gabor[inside].mean()) * inside
        filters.append(gabor / np.linalg.norm(gabor))
    return np.stack(filters)[:, None].astype("float32")
