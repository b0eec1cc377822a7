"""VOneNet: VOneBlock, a bottleneck, and CORnet-S from V2 on.

References
----------
.. [1] Dapello, Marques et al. (2020), Simulating a primary visual cortex at the front
   of CNNs improves robustness to image perturbations, NeurIPS.
"""

from dataclasses import dataclass, field

from jaxtyping import Float
from torch import Tensor, nn

from .cornet_s import CORnetSConfig, later_areas
from .decoder import Decoder, draw_he_weights
from .vone_block import VOneBlock, VOneConfig


@dataclass(frozen=True)
class VOneNetConfig:
    """The front and what follows it.

    Attributes
    ----------
    v1
        The cells of V1.
    cortex
        V2, V4 and IT; the bottleneck has the channels of its V1.
    """

    v1: VOneConfig = field(default_factory=VOneConfig)
    cortex: CORnetSConfig = field(default_factory=CORnetSConfig)

    @classmethod
    def small(cls) -> "VOneNetConfig":
        """Give a variant for 28 to 64 px."""
        return cls(VOneConfig.small(), CORnetSConfig.small())


class VOneNet(nn.Module):
    """`v1` (fixed, noisy), `bottleneck`, `v2`, `v4`, `it`, `decoder`.

    Parameters
    ----------
    in_channels, n_classes
        Of the input, and of the output.
    config
        Sizes.

    Examples
    --------
    >>> import torch
    >>> network = VOneNet(1, 2, VOneNetConfig.small())
    >>> network(torch.zeros(4, 1, 28, 28)).shape
    torch.Size([4, 2])
    """

    def __init__(
        self, in_channels: int, n_classes: int, config: VOneNetConfig | None = None
    ) -> None:
        super().__init__()
        config = config or VOneNetConfig()
        self.in_channels = in_channels
        self.v1 = VOneBlock(in_channels, config.v1)
        first, *_, last = config.cortex.channels
        self.bottleneck = nn.Conv2d(self.v1.n_channels, first, 1, bias=False)
        self.v2, self.v4, self.it = later_areas(config.cortex)
        self.decoder = Decoder(last, n_classes)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the convolutions' first weights; V1 stays."""
        draw_he_weights(self)

    def forward(
        self, x: Float[Tensor, " image channel y x"]
    ) -> Float[Tensor, " image n_classes"]:
        """Give a number for each class."""
        x = self.bottleneck(self.v1(x))  # (image, 64, y / 4, x / 4)
        x = self.it(self.v4(self.v2(x)))  # (image, 512, y / 32, x / 32)
        return self.decoder(x)
