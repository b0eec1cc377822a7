"""A plain convolutional network: convolution, ReLU and max-pooling, stage by stage."""

from dataclasses import dataclass
from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn

from .decoder import Decoder


@dataclass(frozen=True)
class PlainCNNConfig:
    """Sizes of the network.

    Attributes
    ----------
    channels
        Of each stage; a stage halves the map.
    kernel
        Of every convolution; odd.
    """

    channels: tuple[int, ...] = (64, 128, 256, 512)
    kernel: int = 3

    def __post_init__(self) -> None:
        if self.kernel < 1 or self.kernel % 2 == 0:
            raise ValueError(f"kernel must be odd, got {self.kernel}")
        if not self.channels:
            raise ValueError("channels must be one number a stage, got none")

    @classmethod
    def small(cls) -> "PlainCNNConfig":
        """Give a variant for 28 to 64 px."""
        return cls(channels=(16, 32, 64))


class PlainCNN(nn.Module):
    """The least that is a convolutional network; a choice of ours, not a published one.

    Stages are `stage1`, `stage2`, ...; then `decoder`.

    Parameters
    ----------
    in_channels, n_classes
        Of the input, and of the output.
    config
        Sizes.

    Examples
    --------
    >>> import torch
    >>> network = PlainCNN(1, 2, PlainCNNConfig.small())
    >>> network(torch.zeros(4, 1, 28, 28)).shape
    torch.Size([4, 2])
    """

    def __init__(
        self, in_channels: int, n_classes: int, config: PlainCNNConfig | None = None
    ) -> None:
        super().__init__()
        config = config or PlainCNNConfig()
        self.in_channels = in_channels
        self.n_stages = len(config.channels)
        widths = pairwise((in_channels, *config.channels))
        for number, (before, after) in enumerate(widths, start=1):
            stage = nn.Sequential(
                nn.Conv2d(before, after, config.kernel, padding=config.kernel // 2),
                nn.ReLU(),
                nn.MaxPool2d(2),
            )
            self.add_module(f"stage{number}", stage)
        self.decoder = Decoder(config.channels[-1], n_classes)

    def forward(
        self, x: Float[Tensor, " image channel y x"]
    ) -> Float[Tensor, " image n_classes"]:
        """Give a number for each class."""
        for number in range(1, self.n_stages + 1):
            x = self.get_submodule(f"stage{number}")(x)  # half as high and wide
        return self.decoder(x)
