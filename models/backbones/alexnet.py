"""AlexNet in one tower, as torchvision has it; its weights load by name.

References
----------
.. [1] Krizhevsky (2014), One weird trick for parallelizing convolutional neural
   networks, arXiv 1404.5997: the single tower. 61,100,840 parameters.
"""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn


@dataclass(frozen=True)
class AlexNetConfig:
    """Sizes of the network.

    Attributes
    ----------
    channels
        Of the five convolutions.
    kernel, stride
        Of the first convolution.
    pool_padding
        0 as published; 1 lets small pictures through.
    grid
        Rows and columns that the classifier weighs.
    hidden
        Units of its two hidden layers.
    """

    channels: tuple[int, int, int, int, int] = (64, 192, 384, 256, 256)
    kernel: int = 11
    stride: int = 4
    pool_padding: int = 0
    grid: int = 6
    hidden: int = 4096

    @classmethod
    def small(cls) -> "AlexNetConfig":
        """Give a variant for 28 to 64 px."""
        return cls((16, 32, 48, 32, 32), 5, 2, pool_padding=1, grid=2, hidden=64)


class AlexNet(nn.Module):
    """Five convolutions (`features`), and a classifier of three layers.

    Parameters
    ----------
    in_channels, n_classes
        Of the input, and of the output.
    config
        Sizes.

    Examples
    --------
    >>> import torch
    >>> network = AlexNet(1, 2, AlexNetConfig.small())
    >>> network(torch.zeros(4, 1, 28, 28)).shape
    torch.Size([4, 2])
    """

    def __init__(
        self, in_channels: int, n_classes: int, config: AlexNetConfig | None = None
    ) -> None:
        super().__init__()
        config = config or AlexNetConfig()
        self.in_channels = in_channels
        one, two, three, four, five = config.channels

        def pool() -> nn.Module:
            return nn.MaxPool2d(3, 2, config.pool_padding)

        # The published padding of the first layer is kernel // 4: 2 for 11.
        first = nn.Conv2d(
            in_channels, one, config.kernel, config.stride, config.kernel // 4
        )
        self.features = nn.Sequential(
            *(first, nn.ReLU(), pool()),
            *(nn.Conv2d(one, two, 5, padding=2), nn.ReLU(), pool()),
            *(nn.Conv2d(two, three, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(three, four, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(four, five, 3, padding=1), nn.ReLU(), pool()),
        )
        self.avgpool = nn.AdaptiveAvgPool2d(config.grid)
        self.classifier = nn.Sequential(
            *(nn.Dropout(), nn.Linear(five * config.grid**2, config.hidden)),
            *(nn.ReLU(), nn.Dropout()),
            *(nn.Linear(config.hidden, config.hidden), nn.ReLU()),
            nn.Linear(config.hidden, n_classes),
        )

    def forward(
        self, x: Float[Tensor, " image channel y x"]
    ) -> Float[Tensor, " image n_classes"]:
        """Give a number for each class."""
        x = self.features(x)  # (image, channel, y / 32, x / 32)
        x = self.avgpool(x)  # (image, channel, grid, grid)
        return self.classifier(x.flatten(1))
