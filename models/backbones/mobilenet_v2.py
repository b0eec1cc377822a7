"""MobileNetV2, named as torchvision names it, so that its weights load.

References
----------
.. [1] Sandler, Howard, Zhu, Zhmoginov & Chen (2018), MobileNetV2: inverted residuals
   and linear bottlenecks, CVPR, table 2. 3,504,872 parameters.
"""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from .decoder import draw_he_weights

# Table 2 of [1]_: expansion, channels, blocks, stride of the first block.
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


@dataclass(frozen=True)
class MobileNetV2Config:
    """Sizes of the network.

    Attributes
    ----------
    width
        Factor on all channels, which are then rounded to multiples of 8.
    head
        Channels before the classifier.
    stride
        Of the first convolution.
    """

    width: float = 1.0
    head: int = 1280
    stride: int = 2

    @classmethod
    def small(cls) -> "MobileNetV2Config":
        """Give a variant for 28 to 64 px."""
        return cls(width=0.25, head=160, stride=1)


class InvertedResidual(nn.Module):
    """Expand, filter each channel, project; and a way past where shapes allow."""

    def __init__(self, before: int, after: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = before * expansion
        first = [] if expansion == 1 else [normed(before, wide, 1, 1, 1)]
        self.conv = nn.Sequential(
            *first,
            normed(wide, wide, 3, stride, groups=wide),
            nn.Conv2d(wide, after, 1, bias=False),
            nn.BatchNorm2d(after),
        )
        self.has_way_past = stride == 1 and before == after

    def forward(
        self, x: Float[Tensor, " image before y x"]
    ) -> Float[Tensor, " image after row column"]:
        """Give the block's output; it ends without a non-linearity."""
        return x + self.conv(x) if self.has_way_past else self.conv(x)


class MobileNetV2(nn.Module):
    """`features.0` to `features.18`, a mean over places, and `classifier`.

    Parameters
    ----------
    in_channels, n_classes
        Of the input, and of the output.
    config
        Sizes.

    Examples
    --------
    >>> import torch
    >>> network = MobileNetV2(1, 2, MobileNetV2Config.small())
    >>> network(torch.zeros(4, 1, 28, 28)).shape
    torch.Size([4, 2])
    """

    def __init__(
        self, in_channels: int, n_classes: int, config: MobileNetV2Config | None = None
    ) -> None:
        super().__init__()
        config = config or MobileNetV2Config()
        self.in_channels = in_channels
        before = rounded(32 * config.width)
        layers: list[nn.Module] = [normed(in_channels, before, 3, config.stride, 1)]
        for expansion, channels, n_blocks, stride in STAGES:
            after = rounded(channels * config.width)
            for block in range(n_blocks):
                step = stride if block == 0 else 1
                layers.append(InvertedResidual(before, after, step, expansion))
                before = after
        layers.append(normed(before, config.head, 1, 1, 1))
        self.features = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(
            nn.Dropout(0.2), nn.Linear(config.head, n_classes)
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the convolutions' first weights."""
        draw_he_weights(self)

    def forward(
        self, x: Float[Tensor, " image channel y x"]
    ) -> Float[Tensor, " image n_classes"]:
        """Give a number for each class."""
        x = self.features(x)  # (image, 1280, y / 32, x / 32)
        return self.classifier(self.pool(x).flatten(1))


def normed(
    before: int, after: int, kernel: int, stride: int, groups: int
) -> nn.Sequential:
    """Give a convolution with batch normalisation and ReLU6."""
    conv = nn.Conv2d(
        before, after, kernel, stride, kernel // 2, groups=groups, bias=False
    )
    return nn.Sequential(conv, nn.BatchNorm2d(after), nn.ReLU6())


def rounded(channels: float) -> int:
    """Give the nearest multiple of 8, at least 8 and not under 90 % of what is asked.

    Examples
    --------
    >>> rounded(32 * 0.25), rounded(24 * 0.5), rounded(32.0)
    (8, 16, 32)
    """
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * channels else nearest
