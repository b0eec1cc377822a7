"""CORnet-S: four areas, three of which run a few times over their own output.

References
----------
.. [1] Kubilius, Schrimpf et al. (2019), Brain-like object recognition with
   high-performing shallow recurrent ANNs, NeurIPS. 53,416,616 parameters: V1 46,528,
   V2 2,519,808, V4 10,078,720, IT 40,258,560, decoder 513,000.
"""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from .decoder import Decoder, draw_he_weights


@dataclass(frozen=True)
class CORnetSConfig:
    """Sizes of the network.

    Attributes
    ----------
    channels
        Of V1, V2, V4 and IT.
    times
        How often V2, V4 and IT run.
    scale
        Channels inside an area in units of those that leave it.
    """

    channels: tuple[int, int, int, int] = (64, 128, 256, 512)
    times: tuple[int, int, int] = (2, 4, 2)
    scale: int = 4

    @classmethod
    def small(cls) -> "CORnetSConfig":
        """Give a variant for 28 to 64 px."""
        return cls(channels=(16, 16, 32, 64), scale=2)


class StridedConv(nn.Conv2d):
    """A convolution whose stride is told at each call: 2 at an area's first time."""

    def forward(
        self, input: Float[Tensor, " image before y x"], stride: int = 1
    ) -> Float[Tensor, " image after row column"]:
        """Give the convolution."""
        return functional.conv2d(
            input, self.weight, self.bias, stride, padding=self.kernel_size[0] // 2
        )


class RecurrentArea(nn.Module):
    """A bottleneck with a way past it, run `times` times with shared convolutions.

    Each time has normalisations of its own.

    Parameters
    ----------
    before, after
        Channels that come in and go out.
    times, scale
        As in the config.
    """

    def __init__(self, before: int, after: int, times: int, scale: int) -> None:
        super().__init__()
        wide = after * scale
        self.times = times
        self.conv_input = nn.Conv2d(before, after, 1, bias=False)
        self.skip = nn.Conv2d(after, after, 1, stride=2, bias=False)
        self.norm_skip = nn.BatchNorm2d(after)
        self.conv1 = nn.Conv2d(after, wide, 1, bias=False)
        self.conv2 = StridedConv(wide, wide, 3, bias=False)
        self.conv3 = nn.Conv2d(wide, after, 1, bias=False)
        self.relu1, self.relu2, self.relu3 = nn.ReLU(), nn.ReLU(), nn.ReLU()
        self.norm1 = nn.ModuleList(nn.BatchNorm2d(wide) for _ in range(times))
        self.norm2 = nn.ModuleList(nn.BatchNorm2d(wide) for _ in range(times))
        self.norm3 = nn.ModuleList(nn.BatchNorm2d(after) for _ in range(times))

    def forward(
        self, x: Float[Tensor, " image before y x"]
    ) -> Float[Tensor, " image after row column"]:
        """Give the output of the last time, half as high and wide."""
        x = self.conv_input(x)  # (image, after, y, x)
        for t in range(self.times):
            around = self.norm_skip(self.skip(x)) if t == 0 else x
            x = self.relu1(self.norm1[t](self.conv1(x)))  # (image, wide, …)
            x = self.relu2(self.norm2[t](self.conv2(x, 2 if t == 0 else 1)))
            x = self.norm3[t](self.conv3(x))  # (image, after, y / 2, x / 2)
            x = self.relu3(x + around)
        return x


class CORnetS(nn.Module):
    """Areas `v1`, `v2`, `v4`, `it`, then `decoder`.

    Its recurrence is inside the areas, so that it takes one picture, no steps.

    Parameters
    ----------
    in_channels, n_classes
        Of the input, and of the output.
    config
        Sizes.

    Examples
    --------
    >>> import torch
    >>> network = CORnetS(1, 2, CORnetSConfig.small())
    >>> network(torch.zeros(4, 1, 28, 28)).shape
    torch.Size([4, 2])
    """

    def __init__(
        self, in_channels: int, n_classes: int, config: CORnetSConfig | None = None
    ) -> None:
        super().__init__()
        config = config or CORnetSConfig()
        self.in_channels = in_channels
        first = config.channels[0]
        self.v1 = nn.Sequential(
            nn.Conv2d(in_channels, first, 7, stride=2, padding=3, bias=False),
            nn.BatchNorm2d(first),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, padding=1),
            nn.Conv2d(first, first, 3, padding=1, bias=False),
            nn.BatchNorm2d(first),
            nn.ReLU(),
        )
        self.v2, self.v4, self.it = later_areas(config)
        self.decoder = Decoder(config.channels[-1], n_classes)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the convolutions' first weights, as published."""
        draw_he_weights(self)

    def forward(
        self, x: Float[Tensor, " image channel y x"]
    ) -> Float[Tensor, " image n_classes"]:
        """Give a number for each class."""
        x = self.v1(x)  # (image, 64, y / 4, x / 4)
        x = self.it(self.v4(self.v2(x)))  # (image, 512, y / 32, x / 32)
        return self.decoder(x)


def later_areas(config: CORnetSConfig) -> list[RecurrentArea]:
    """Give V2, V4 and IT."""
    before, after = config.channels[:-1], config.channels[1:]
    sizes = zip(before, after, config.times, strict=True)
    return [RecurrentArea(b, a, times, config.scale) for b, a, times in sizes]
