"""ResNet-18, named as torchvision names it, so that its weights load.

References
----------
.. [1] He, Zhang, Ren & Sun (2016), Deep residual learning for image recognition, CVPR.
   11,689,512 parameters.
"""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from .decoder import draw_he_weights


@dataclass(frozen=True)
class ResNet18Config:
    """Sizes of the network.

    Attributes
    ----------
    width
        Channels of the first stage; each further one has twice as many.
    kernel, stride
        Of the first convolution.
    """

    width: int = 64
    kernel: int = 7
    stride: int = 2

    @classmethod
    def small(cls) -> "ResNet18Config":
        """Give a variant for 28 to 64 px."""
        return cls(width=16, kernel=3, stride=1)


class Block(nn.Module):
    """Two convolutions and a way past them."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.downsample = nn.Sequential()
        if stride != 1 or before != after:
            narrow = nn.Conv2d(before, after, 1, stride, bias=False)
            self.downsample = nn.Sequential(narrow, nn.BatchNorm2d(after))
        self.relu2 = nn.ReLU()

    def forward(
        self, x: Float[Tensor, " image before y x"]
    ) -> Float[Tensor, " image after row column"]:
        """Give the sum of both ways, rectified."""
        around = self.downsample(x)
        x = self.relu1(self.bn1(self.conv1(x)))
        x = self.bn2(self.conv2(x))
        return self.relu2(x + around)


class ResNet18(nn.Module):
    """A stem, four stages (`layer1` to `layer4`) of two blocks, and `fc`.

    Parameters
    ----------
    in_channels, n_classes
        Of the input, and of the output.
    config
        Sizes.

    Examples
    --------
    >>> import torch
    >>> network = ResNet18(1, 2, ResNet18Config.small())
    >>> network(torch.zeros(4, 1, 28, 28)).shape
    torch.Size([4, 2])
    """

    def __init__(
        self, in_channels: int, n_classes: int, config: ResNet18Config | None = None
    ) -> None:
        super().__init__()
        config = config or ResNet18Config()
        self.in_channels = in_channels
        n, k = config.width, config.kernel
        self.conv1 = nn.Conv2d(in_channels, n, k, config.stride, k // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(n)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, 2, padding=1)
        self.layer1 = nn.Sequential(Block(n, n, 1), Block(n, n, 1))
        self.layer2 = nn.Sequential(Block(n, 2 * n, 2), Block(2 * n, 2 * n, 1))
        self.layer3 = nn.Sequential(Block(2 * n, 4 * n, 2), Block(4 * n, 4 * n, 1))
        self.layer4 = nn.Sequential(Block(4 * n, 8 * n, 2), Block(8 * n, 8 * n, 1))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(8 * n, n_classes)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the convolutions' first weights, as published."""
        draw_he_weights(self)

    def forward(
        self, x: Float[Tensor, " image channel y x"]
    ) -> Float[Tensor, " image n_classes"]:
        """Give a number for each class."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))  # (…, y / 4, x / 4)
        x = self.layer2(self.layer1(x))  # (…, y / 8, x / 8)
        x = self.layer4(self.layer3(x))  # (…, y / 32, x / 32)
        return self.fc(self.avgpool(x).flatten(1))
