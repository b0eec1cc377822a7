"""What an eye that is fixed on a place gives of a picture: fronts that take a gaze.

Like a retina, more of it near the gaze than far from it; or, like cortex, the same map
of it at several scales. Both are differentiable by the picture.

References
----------
.. [1] Vuyyuru, Banburski, Pant & Poggio (2020), Biologically inspired mechanisms for
   adversarial robustness, NeurIPS. Pictures of 320 px: gaze up to 80 px from the middle
   for the retina and 40 for cortex; scales of 40, 80, 160 and 240 px. There the nearest
   pixel is taken; here it is between pixels (bilinear), and gray beyond the picture.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float64
from scipy.optimize import brentq
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class RetinalConfig:
    """How a picture is sampled around the gaze.

    Attributes
    ----------
    reach
        How far down and along the gaze goes from the middle, as a share of the longer
        side.
    density
        Samples for an area at the gaze, over those at the edge; 1 is even sampling.
    """

    reach: float = 0.25
    density: float = 10.0

    def __post_init__(self) -> None:
        _require_reach(self.reach)
        if not 1 <= self.density < math.inf:
            raise ValueError(f"density must be 1 or more, got {self.density}")

    @classmethod
    def coarse(cls) -> "RetinalConfig":
        """Give the control: the same gaze, even sampling."""
        return cls(density=1.0)


@dataclass(frozen=True)
class CorticalConfig:
    """At which scales a picture is seen around the gaze.

    Attributes
    ----------
    reach
        As of `RetinalConfig`.
    scales
        Of each map, the share of the picture's sides that it covers; the first, which
        is the smallest, has one sample a pixel, and all have as many as it.
    blur
        SD of the Gaussian before a map is sampled, in distances of its samples.
    """

    reach: float = 0.125
    scales: tuple[float, ...] = (0.125, 0.25, 0.5, 0.75)
    blur: float = 0.5

    def __post_init__(self) -> None:
        _require_reach(self.reach)
        rising = list(self.scales) == sorted(set(self.scales))
        if not (self.scales and rising and 0 < self.scales[0] <= self.scales[-1] <= 1):
            rule = "rising shares of a picture, more than 0 and at most 1"
            raise ValueError(f"scales must be {rule}, got {self.scales}")
        if not 0 < self.blur < math.inf:
            raise ValueError(f"blur must be more than 0, got {self.blur}")

    @classmethod
    def small(cls) -> "CorticalConfig":
        """Give a variant for 28 to 64 px, whose smallest scale is a quarter."""
        return cls(scales=(0.25, 0.5, 0.75))


class RetinalFixation(nn.Module):
    """A picture as sampled around the gaze, of the picture's own size.

    Parameters
    ----------
    size_px
        Height and width of a picture.
    config
        The sampling.

    Examples
    --------
    >>> front = RetinalFixation((32, 32))
    >>> gaze = torch.zeros(4, 2)  # the middle
    >>> front(torch.zeros(4, 1, 32, 32), gaze).shape
    torch.Size([4, 1, 1, 32, 32])
    """

    takes_gaze = True
    n_channels = 1
    places: Tensor

    def __init__(
        self, size_px: tuple[int, int], config: RetinalConfig | None = None
    ) -> None:
        super().__init__()
        self.config = config = config or RetinalConfig()
        self.reach = config.reach
        half = max(size_px) / 2
        radii = sampling_radii(math.ceil(half), half, config.density)
        even = _even_places(size_px)  # (row, column, 2), px from the gaze
        far = even.norm(dim=-1).numpy()
        steps = np.linspace(0, half, len(radii))
        sampled = np.interp(far, steps, radii)
        # The corners are beyond the last radius: on at the distance of the last two.
        last = (radii[-1] - radii[-2]) / (steps[-1] - steps[-2])
        away = sampled + last * (far - half).clip(0)
        longer = torch.tensor(away / np.where(far > 0, far, 1))
        places = (even * longer[..., None]).float()
        self.register_buffer("places", places, persistent=False)

    def n_steps(self, n_frames: int) -> int:
        """Give how many steps come of a movie: its frames."""
        return n_frames

    def forward(
        self,
        contrast: Float[Tensor, " image frame y x"],
        gaze: Float[Tensor, " image 2"],
    ) -> Float[Tensor, " image frame 1 row column"]:
        """Sample all frames around a gaze.

        Parameters
        ----------
        contrast
            0 is the background, which goes on beyond the picture.
        gaze
            Of each picture: down and along from the middle, in shares of the longer
            side.
        """
        return sampled_at(contrast, gaze, self.places).unsqueeze(2)


class CorticalFixation(nn.Module):
    """A picture around the gaze at several scales, the maps as channels.

    In [1]_ each map has a network of its own; channels of one network are ours.

    Parameters
    ----------
    size_px
        Height and width of a picture.
    config
        The scales.

    Examples
    --------
    >>> front = CorticalFixation((64, 64), CorticalConfig.small())
    >>> front(torch.zeros(4, 1, 64, 64), torch.zeros(4, 2)).shape
    torch.Size([4, 1, 3, 16, 16])
    """

    takes_gaze = True

    def __init__(
        self, size_px: tuple[int, int], config: CorticalConfig | None = None
    ) -> None:
        super().__init__()
        self.config = config = config or CorticalConfig()
        self.reach = config.reach
        self.n_channels = len(config.scales)
        rows, columns = (max(1, round(config.scales[0] * n)) for n in size_px)
        finest = config.scales[0] * max(size_px) / max(rows, columns)  # px a sample
        for number, scale in enumerate(config.scales):
            apart = finest * scale / config.scales[0]
            places = apart * _even_places((rows, columns))
            self.register_buffer(f"places{number}", places.float(), persistent=False)
            line = _gaussian(config.blur * apart)
            self.register_buffer(f"blur{number}", line, persistent=False)

    def n_steps(self, n_frames: int) -> int:
        """Give how many steps come of a movie: its frames."""
        return n_frames

    def forward(
        self,
        contrast: Float[Tensor, " image frame y x"],
        gaze: Float[Tensor, " image 2"],
    ) -> Float[Tensor, " image frame scale row column"]:
        """Give the maps of all frames around a gaze; see `RetinalFixation`."""
        maps = []
        for number in range(self.n_channels):
            line = self.get_buffer(f"blur{number}")
            places = self.get_buffer(f"places{number}")
            maps.append(sampled_at(_blurred(contrast, line), gaze, places))
        return torch.stack(maps, dim=2)


def sampling_radii(
    n: int, r_max: float, density: float = 10.0
) -> Float64[np.ndarray, " n_and_1"]:
    """Give how far from the gaze samples are, as [1]_ has it.

    r_0 = 0 and r_(i+1) = r_i + d_i, with d_i = exp(a r_i / 2) / sqrt(pi f) and
    a = ln(density) / r_max; f is solved for r_n = r_max. As samples cover areas, their
    density falls as 1 / d_i^2.

    Parameters
    ----------
    n
        How many steps there are to the edge.
    r_max
        The edge, in px.
    density
        At the gaze over that at the edge.

    Returns
    -------
    ndarray
        n + 1 radii in px, from 0 to `r_max`.

    Examples
    --------
    >>> sampling_radii(4, 16.0).round(2).tolist()
    [0.0, 2.73, 6.06, 10.28, 16.0]
    """
    a = math.log(density) / r_max

    def radii(log_first: float) -> list[float]:
        """Give the radii for log d_0, and none after twice the edge."""
        found = [0.0]
        while len(found) <= n and found[-1] < 2 * r_max:
            found.append(found[-1] + math.exp(log_first + a * found[-1] / 2))
        return found

    most = math.log(r_max / n)  # even steps; any growth needs smaller first ones
    least = most - math.log(density) / 2  # then the last would be even
    first: Any = most
    if density > 1:
        first = brentq(lambda x: radii(x)[-1] - r_max, least - 1, most + 1, xtol=1e-14)
    return np.array(radii(first))


def sampled_at(
    x: Float[Tensor, " image channel y x"],
    gaze: Float[Tensor, " image 2"],
    places: Float[Tensor, " row column 2"],
) -> Float[Tensor, " image channel row column"]:
    """Give what is at places around a gaze, between pixels; 0 beyond the picture.

    Parameters
    ----------
    x
        Pictures.
    gaze
        Down and along from the middle, in shares of the longer side.
    places
        Down and along from the gaze, in px.
    """
    sides = torch.tensor(x.shape[-2:], device=x.device, dtype=places.dtype)
    there = (gaze * sides.max())[:, None, None] + places  # (image, row, column, 2)
    grid = (2 * there / sides).flip(-1)  # torch has along before down, edges at +-1
    return functional.grid_sample(
        x, grid.to(x.dtype), padding_mode="zeros", align_corners=False
    )


def _even_places(size: Sequence[int]) -> Float64[Tensor, " row column 2"]:
    """Give the middles of pixels, down and along from that of all."""
    lines = [torch.arange(n, dtype=torch.float64) + 0.5 - n / 2 for n in size]
    return torch.stack(torch.meshgrid(*lines, indexing="ij"), dim=-1)


def _gaussian(sd: float) -> Tensor:
    """Give a Gaussian of sum 1, out to 3 SD."""
    far = math.ceil(3 * sd)
    weights = torch.exp(-(torch.arange(-far, far + 1) ** 2) / (2 * sd**2))
    return weights / weights.sum()


def _blurred(
    x: Float[Tensor, " image channel y x"], line: Float[Tensor, " tap"]
) -> Float[Tensor, " image channel y x"]:
    """Blur down, then along."""
    n, pad = x.shape[1], len(line) // 2
    down = line.to(x.dtype).expand(n, 1, -1)[..., None]  # (channel, 1, tap, 1)
    x = functional.conv2d(x, down, padding=(pad, 0), groups=n)
    return functional.conv2d(x, down.mT, padding=(0, pad), groups=n)


def _require_reach(reach: float) -> None:
    if not 0 <= reach <= 0.5:
        raise ValueError(f"reach must be in [0, 0.5], got {reach}")
