"""What stands between contrast and the first layer of a network on elements.

All of it is fixed, and gives a map of channels with one place an element, of the order
of 1 for noise of SD .1: so fronts are read equally finely.
"""

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor, nn

from ..backbones.vone_block import VOneBlock, VOneConfig
from ..retina.mosaic import LinearRetina, Retina, RetinaConfig

FRONTS = ("none", "retina", "linear-retina", "vone-block")
_GAIN = 10.0  # brings noise of SD .1 to 1
_RETINA_GAIN, _VONE_GAIN = 20.0, 2.5
_VONE_DEG = 0.1  # as coarse as the retina's mosaic, so that bars of degrees cost little
_VONE_KERNEL, _VONE_STRIDE = 9, 2  # .9 degrees, as published, and .2


class ElementMeans(nn.Module):
    """Contrast averaged over the pixels of an element: no front.

    Parameters
    ----------
    element_px
        Pixels of an element, (rows, columns).
    """

    n_channels = 1

    def __init__(self, element_px: tuple[int, int]) -> None:
        super().__init__()
        self.elements = nn.AvgPool2d(element_px, ceil_mode=True)

    def forward(
        self, contrast: Float[Tensor, " image frame y x"]
    ) -> Float[Tensor, " image frame row column"]:
        """Give the means."""
        return _GAIN * self.elements(contrast)


class ElementFront(nn.Module):
    """Cells averaged over the elements that they stand on.

    Parameters
    ----------
    cells
        From contrast (image, y, x) to (image, channel, row, column).
    n_channels
        Of the cells.
    gain
        Factor on their responses.
    n_elements
        Rows and columns of elements.
    """

    def __init__(
        self,
        cells: Callable[[Tensor], Tensor],
        n_channels: int,
        gain: float,
        n_elements: tuple[int, int],
    ) -> None:
        super().__init__()
        self.n_channels = n_channels
        self._cells, self._gain = cells, gain
        self._elements = nn.AdaptiveAvgPool2d(n_elements)

    def forward(
        self, contrast: Float[Tensor, " image frame y x"]
    ) -> Float[Tensor, " image frame channel row column"]:
        """Give what the cells make of each frame."""
        cells = self._elements(self._cells(contrast.flatten(0, 1)))
        return self._gain * cells.unflatten(0, contrast.shape[:2])


def element_front(
    name: str,
    deg_per_px: float,
    size_px: tuple[int, int],
    element_px: tuple[int, int],
) -> ElementMeans | ElementFront:
    """Make a front by its name.

    Parameters
    ----------
    name
        One of `FRONTS`: 'none'; 'retina', the ganglion cells of `retina-cnn`;
        'linear-retina', the same without rectification; or 'vone-block', 16 simple and
        16 complex cells without noise of their own, of contrast averaged over squares
        of .1 degrees.
    deg_per_px
        Degrees of visual angle across a pixel.
    size_px
        Height and width of a frame.
    element_px
        Pixels of an element, (rows, columns).

    Examples
    --------
    >>> import torch
    >>> front = element_front("retina", 0.05, (52, 52), (52, 4))
    >>> front(torch.zeros(8, 1, 52, 52)).shape
    torch.Size([8, 1, 2, 1, 13])
    """
    if name == "none":
        return ElementMeans(element_px)
    rows, columns = (-(-n // px) for n, px in zip(size_px, element_px, strict=True))
    if name == "vone-block":
        cells = _CoarseVOneBlock(deg_per_px)
        return ElementFront(cells, cells.n_channels, _VONE_GAIN, (rows, columns))
    make = Retina if name == "retina" else LinearRetina
    cells = make(RetinaConfig(), deg_per_px, size_px)
    return ElementFront(cells, 2, _RETINA_GAIN, (rows, columns))


class _CoarseVOneBlock(nn.Module):
    """A VOneBlock of contrast that is averaged over squares first."""

    def __init__(self, deg_per_px: float) -> None:
        super().__init__()
        block = max(1, round(_VONE_DEG / deg_per_px))
        px_per_deg = 1 / (block * deg_per_px)
        config = VOneConfig(
            n_simple=16,
            n_complex=16,
            kernel=_VONE_KERNEL,
            stride=_VONE_STRIDE,
            px_per_deg=px_per_deg,
            noise="none",
            sf_max=min(VOneConfig.sf_max, 0.45 * px_per_deg),  # below half a cycle a px
        )
        self._coarse = nn.AvgPool2d(block, ceil_mode=True)
        self._block = VOneBlock(1, config)
        self.n_channels = self._block.n_channels

    def forward(
        self, contrast: Float[Tensor, " image y x"]
    ) -> Float[Tensor, " image cell row column"]:
        """Give the cells' responses, 0 or more."""
        return self._block(self._coarse(contrast[:, None]))
