"""The retina: fixed centre-surround ON and OFF ganglion cells on a square mosaic.

Nothing here is trained. Receptive fields are differences of Gaussians with the sizes
measured in macaque P cells within 5 degrees of the fovea; they are set in degrees, so
how many pixels they cover follows from the viewing.

References
----------
.. [1] Croner & Kaplan (1995), Receptive fields of P and M ganglion cells across the
   primate retina. Vision Research 35, 7-24. Table 1: centre radius (to 1/e of the peak)
   .03 degrees at 0 to 5 degrees of eccentricity. Text to figure 4: surround radius 6.7
   times the centre's. Abstract: integrated surround / centre sensitivity .55.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Float32
from torch import Tensor, nn

from ...experiments.protocols.parts import BACKGROUND, FULL_CONTRAST
from ..separable import SeparableSums


@dataclass(frozen=True)
class RetinaConfig:
    """Sizes of the ganglion cells.

    Attributes
    ----------
    centre_deg
        SD of the centre Gaussian in degrees: the radius to 1/e, over sqrt(2).
    surround_ratio
        Surround SD in units of the centre's.
    surround_gain
        Integrated sensitivity of the surround, the centre's being 1.
    spacing_deg
        Distance between neighbouring cells of one kind, coarser than a fovea's so that
        a patch of degrees stays small. A cell averages its receptive field over the
        square it stands for, before it rectifies.
    """

    centre_deg: float = 0.03 / math.sqrt(2)
    surround_ratio: float = 6.7
    surround_gain: float = 0.55
    spacing_deg: float = 0.1

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 < value < math.inf:
                raise ValueError(f"{name} must be more than 0, got {value}")


class Retina(nn.Module):
    """Turns contrast into the responses of ON and OFF ganglion cells.

    Parameters
    ----------
    config
        Sizes in degrees.
    deg_per_px
        Degrees of visual angle across a pixel.
    size_px
        Height and width of a frame.

    Examples
    --------
    >>> retina = Retina(RetinaConfig(), deg_per_px=0.05, size_px=(52, 52))
    >>> retina(torch.zeros(8, 52, 52)).shape
    torch.Size([8, 2, 26, 26])
    """

    def __init__(
        self, config: RetinaConfig, deg_per_px: float, size_px: tuple[int, int]
    ) -> None:
        super().__init__()
        self.config = config
        block = max(1, round(config.spacing_deg / deg_per_px))
        sigma = config.centre_deg / deg_per_px
        wide = config.surround_ratio * sigma
        self.centre, self.surround = (
            SeparableSums(*(pooled_gaussians(n_px, block, sd) for n_px in size_px))
            for sd in (sigma, wide)
        )

    @property
    def n_cells(self) -> tuple[int, int]:
        """Rows and columns of the mosaic."""
        return self.centre.n_rows, self.centre.n_columns

    def forward(
        self, contrast: Float[Tensor, " *trial y x"]
    ) -> Float[Tensor, " *trial 2 row column"]:
        """Give the ON and OFF cells' responses, 0 or more; gray gives 0."""
        drive = self.drive(contrast)
        return torch.stack([drive.relu(), (-drive).relu()], dim=-3)

    def drive(
        self, contrast: Float[Tensor, " *trial y x"]
    ) -> Float[Tensor, " *trial row column"]:
        """Give what drives the ON cells: centre less surround."""
        around = self.config.surround_gain * self.surround(contrast)
        return self.centre(contrast) - around


class LinearRetina(Retina):
    """The same cells without rectification: a control, as it loses and adds nothing.

    Examples
    --------
    >>> retina = LinearRetina(RetinaConfig(), deg_per_px=0.05, size_px=(52, 52))
    >>> cells = retina(torch.ones(52, 52))
    >>> bool((cells[0] == -cells[1]).all())
    True
    """

    def forward(
        self, contrast: Float[Tensor, " *trial y x"]
    ) -> Float[Tensor, " *trial 2 row column"]:
        """Give the ON and OFF cells' drive, of any sign; gray gives 0."""
        drive = self.drive(contrast)
        return torch.stack([drive, -drive], dim=-3)


def pooled_gaussians(
    n_px: int, block: int, sigma_px: float
) -> Float32[Tensor, " cell px"]:
    """Give the weights of every pixel on one axis for every cell.

    A pixel weighs what a Gaussian has over its width (so that one narrower than a pixel
    is still right), averaged over the `block` pixel places of the cell. What falls
    beyond the frame meets the background, contrast 0, and so has no weight.
    """
    block = min(block, n_px)
    edges = torch.arange(n_px + 1, dtype=torch.float64)
    places = torch.arange(n_px, dtype=torch.float64) + 0.5
    below = torch.special.ndtr((edges - places[:, None]) / sigma_px)  # (place, edge)
    weights = below.diff(dim=1)  # (place, px)
    n_cells = n_px // block
    first = (n_px - n_cells * block) // 2  # the mosaic is centred on the frame
    pooled = weights[first : first + n_cells * block].reshape(n_cells, block, n_px)
    return pooled.mean(dim=1).float()


def as_contrast_tensor(
    levels: Tensor, device: str | torch.device = "cpu"
) -> Float32[Tensor, " ..."]:
    """Give uint8 contrast levels as contrast, (level - 128) / 127, on a device.

    Examples
    --------
    >>> as_contrast_tensor(torch.tensor([128, 255], dtype=torch.uint8)).tolist()
    [0.0, 1.0]
    """
    return (levels.to(device).float() - BACKGROUND) / FULL_CONTRAST
