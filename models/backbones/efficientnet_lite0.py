"""EfficientNet-Lite0; its modules have the names of the weights' file.

References
----------
.. [1] Tan & Le (2019), EfficientNet: rethinking model scaling for convolutional neural
   networks, ICML, table 1 (B0). The Lite variants leave out squeeze-and-excitation, and
   have ReLU6 for swish. 4,652,008 parameters.
"""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from .decoder import draw_he_weights
from .mobilenet_v2 import rounded

# Table 1 of [1]_: kernel, stride of the first block, expansion, channels, blocks.
STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)


@dataclass(frozen=True)
class EfficientNetLite0Config:
    """Sizes of the network.

    Attributes
    ----------
    width
        Factor on the channels of the blocks, which are rounded to multiples of 8.
    stem, head
        Channels of the first and the last convolution.
    stride
        Of the first convolution.
    """

    width: float = 1.0
    stem: int = 32
    head: int = 1280
    stride: int = 2

    @classmethod
    def small(cls) -> "EfficientNetLite0Config":
        """Give a variant for 28 to 64 px."""
        return cls(width=0.25, stem=16, head=160, stride=1)


class SameConv(nn.Conv2d):
    """A convolution padded as TensorFlow pads: an odd pixel goes below and right."""

    def forward(
        self, input: Float[Tensor, " image before y x"]
    ) -> Float[Tensor, " image after row column"]:
        """Give the convolution; ceil(size / stride) high and wide."""
        pads: list[int] = []
        sizes = zip(input.shape[:1:-1], self.kernel_size, self.stride, strict=True)
        for n, kernel, stride in sizes:  # x first, as `pad` wants it
            room = max((-(-n // stride) - 1) * stride + kernel - n, 0)
            pads += [room // 2, room - room // 2]
        return super().forward(functional.pad(input, pads))


def norm(channels: int) -> nn.BatchNorm2d:
    """Give a normalisation with the constants of the published network."""
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


class MBConv(nn.Module):
    """Expand, filter each channel, project; and a way past where shapes allow."""

    def __init__(
        self, before: int, after: int, kernel: int, stride: int, expansion: int
    ) -> None:
        super().__init__()
        wide = before * expansion
        self.expands = expansion != 1
        if self.expands:
            self._expand_conv = nn.Conv2d(before, wide, 1, bias=False)
            self._bn0 = norm(wide)
            self.relu0 = nn.ReLU6()
        self._depthwise_conv = SameConv(
            wide, wide, kernel, stride, groups=wide, bias=False
        )
        self._bn1 = norm(wide)
        self.relu1 = nn.ReLU6()
        self._project_conv = nn.Conv2d(wide, after, 1, bias=False)
        self._bn2 = norm(after)
        self.has_way_past = stride == 1 and before == after

    def forward(
        self, x: Float[Tensor, " image before y x"]
    ) -> Float[Tensor, " image after row column"]:
        """Give the block's output; it ends without a non-linearity."""
        around = x
        if self.expands:
            x = self.relu0(self._bn0(self._expand_conv(x)))
        x = self.relu1(self._bn1(self._depthwise_conv(x)))
        x = self._bn2(self._project_conv(x))
        return x + around if self.has_way_past else x


class EfficientNetLite0(nn.Module):
    """`_conv_stem`, `_blocks.0` to `_blocks.15`, `_conv_head` and `_fc`.

    Parameters
    ----------
    in_channels, n_classes
        Of the input, and of the output.
    config
        Sizes.

    Examples
    --------
    >>> import torch
    >>> network = EfficientNetLite0(1, 2, EfficientNetLite0Config.small())
    >>> network(torch.zeros(4, 1, 28, 28)).shape
    torch.Size([4, 2])
    """

    def __init__(
        self,
        in_channels: int,
        n_classes: int,
        config: EfficientNetLite0Config | None = None,
    ) -> None:
        super().__init__()
        config = config or EfficientNetLite0Config()
        self.in_channels = in_channels
        before = config.stem
        self._conv_stem = SameConv(in_channels, before, 3, config.stride, bias=False)
        self._bn0 = norm(before)
        self.relu_stem = nn.ReLU6()
        self._blocks = nn.ModuleList()
        for kernel, stride, expansion, channels, n_blocks in STAGES:
            after = rounded(channels * config.width)
            for block in range(n_blocks):
                step = stride if block == 0 else 1
                self._blocks.append(MBConv(before, after, kernel, step, expansion))
                before = after
        self._conv_head = nn.Conv2d(before, config.head, 1, bias=False)
        self._bn1 = norm(config.head)
        self.relu_head = nn.ReLU6()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.2)
        self._fc = nn.Linear(config.head, n_classes)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the convolutions' first weights."""
        draw_he_weights(self)

    def forward(
        self, x: Float[Tensor, " image channel y x"]
    ) -> Float[Tensor, " image n_classes"]:
        """Give a number for each class."""
        x = self.relu_stem(self._bn0(self._conv_stem(x)))  # (image, 32, y / 2, x / 2)
        for block in self._blocks:
            x = block(x)  # at the end (image, 320, y / 32, x / 32)
        x = self.relu_head(self._bn1(self._conv_head(x)))
        return self._fc(self.dropout(self.pool(x).flatten(1)))
