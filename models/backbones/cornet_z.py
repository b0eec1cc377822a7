"""CORnet-Z: four areas of one convolution each.

References
----------
.. [1] Kubilius et al. (2018), CORnet: modeling the neural mechanisms of core object
   recognition, bioRxiv 408385. 2,071,656 parameters.
"""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from .decoder import Decoder, draw_he_weights

AREAS = ("v1", "v2", "v4", "it")


@dataclass(frozen=True)
class CORnetZConfig:
    """Sizes of the network.

    Attributes
    ----------
    channels
        Of V1, V2, V4 and IT.
    kernel, stride
        Of V1's convolution.
    """

    channels: tuple[int, int, int, int] = (64, 128, 256, 512)
    kernel: int = 7
    stride: int = 2

    @classmethod
    def small(cls) -> "CORnetZConfig":
        """Give a variant for 28 to 64 px."""
        return cls(channels=(16, 32, 48, 64), kernel=5, stride=1)


class CORnetZ(nn.Module):
    """Areas `v1`, `v2`, `v4`, `it`, then `decoder`.

    Parameters
    ----------
    in_channels, n_classes
        Of the input, and of the output.
    config
        Sizes.

    Examples
    --------
    >>> import torch
    >>> network = CORnetZ(1, 2, CORnetZConfig.small())
    >>> network(torch.zeros(4, 1, 28, 28)).shape
    torch.Size([4, 2])
    """

    def __init__(
        self, in_channels: int, n_classes: int, config: CORnetZConfig | None = None
    ) -> None:
        super().__init__()
        config = config or CORnetZConfig()
        self.in_channels = in_channels
        v1, v2, v4, it = config.channels
        self.v1 = area(in_channels, v1, config.kernel, config.stride)
        self.v2 = area(v1, v2, 3, 1)
        self.v4 = area(v2, v4, 3, 1)
        self.it = area(v4, it, 3, 1)
        self.decoder = Decoder(it, n_classes)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the convolutions' first weights, as published."""
        draw_he_weights(self)

    def forward(
        self, x: Float[Tensor, " image channel y x"]
    ) -> Float[Tensor, " image n_classes"]:
        """Give a number for each class."""
        for name in AREAS:
            x = self.get_submodule(name)(x)  # half as high and wide; V1 a quarter
        return self.decoder(x)


def area(before: int, after: int, kernel: int, stride: int) -> nn.Sequential:
    """Give one area: convolution, ReLU, max-pooling."""
    return nn.Sequential(
        nn.Conv2d(before, after, kernel, stride, padding=kernel // 2),
        nn.ReLU(),
        nn.MaxPool2d(3, 2, padding=1),
    )
