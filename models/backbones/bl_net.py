"""BL and BLT: convolutions bottom-up, lateral and, in BLT, top-down.

Layer l at step t is ReLU(BN_t(bottom-up from l - 1 at t + lateral from l at t - 1)),
in BLT with top-down from l + 1 at t - 1 in the sum; no biases. The bottom-up sweep
reaches every layer at step 0.

References
----------
.. [1] Spoerer, Kietzmann, Mehrer, Charest & Kriegeskorte (2020), Recurrent neural
   networks can explain flexible trading of speed and accuracy in biological vision,
   PLoS Computational Biology 16, e1008215: BL. 26,753,824 weights of convolutions.
.. [2] Spoerer, McClure & Kriegeskorte (2017), Recurrent convolutional neural networks:
   a better model of biological object recognition, Frontiers in Psychology 8, 1551:
   BLT, with transposed convolutions of stride 2 as top-down connections. BLT with the
   seven layers of [1] is our extension of it.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .decoder import Decoder, draw_he_weights
from .unrolled import Steps, Unrolled, names_of


@dataclass(frozen=True)
class BLConfig:
    """Sizes of the network.

    Attributes
    ----------
    channels, kernels
        Of each layer; between layers the map is halved.
    n_steps
        How long a picture is shown.
    has_top_down
        BLT instead of BL.
    top_down_kernel
        Of the transposed convolutions; odd.
    """

    channels: tuple[int, ...] = (96, 128, 192, 256, 512, 1024, 2048)
    kernels: tuple[int, ...] = (7, 5, 3, 3, 3, 3, 1)
    n_steps: int = 8
    has_top_down: bool = False
    top_down_kernel: int = 3

    def __post_init__(self) -> None:
        if len(self.channels) != len(self.kernels) or not self.channels:
            rule = "a channel count and a kernel for each layer"
            raise ValueError(f"channels and kernels must be {rule}, got {self}")
        if any(k % 2 == 0 for k in (*self.kernels, self.top_down_kernel)):
            raise ValueError(f"kernels must be odd, got {self}")
        if self.n_steps < 1:
            raise ValueError(f"n_steps must be at least 1, got {self.n_steps}")

    @classmethod
    def small(cls) -> "BLConfig":
        """Give a variant for 28 to 64 px."""
        return cls((16, 32, 48, 64), (5, 3, 3, 1), n_steps=4)


@dataclass(frozen=True)
class BLTConfig(BLConfig):
    """Sizes of the network with top-down connections."""

    has_top_down: bool = True


class Layer(nn.Module):
    """One layer, called once a step."""

    def __init__(
        self, before: int, after: int, above: int | None, kernel: int, config: BLConfig
    ) -> None:
        super().__init__()
        pad, k = kernel // 2, config.top_down_kernel
        self.bottom_up = nn.Conv2d(before, after, kernel, padding=pad, bias=False)
        self.lateral = nn.Conv2d(after, after, kernel, padding=pad, bias=False)
        if above is not None:
            self.top_down = nn.ConvTranspose2d(above, after, k, 2, k // 2, bias=False)
        self.norm = nn.ModuleList(nn.BatchNorm2d(after) for _ in range(config.n_steps))
        self.relu = nn.ReLU()

    def forward(
        self,
        x: Float[Tensor, " image before y x"],
        own: Float[Tensor, " image after y x"] | None,
        above: Float[Tensor, " image higher row column"] | None,
        step: int,
    ) -> Float[Tensor, " image after y x"]:
        """Give the layer's output; later steps than `n_steps` share the last norm."""
        total = self.bottom_up(x)
        if own is not None:
            total = total + self.lateral(own)
        if above is not None:
            total = total + self.top_down(above, output_size=total.shape[-2:])
        return self.relu(self.norm[min(step, len(self.norm) - 1)](total))


class BLNet(Unrolled):
    """Layers `layer1`, `layer2`, ..., then `decoder`, which reads the last one.

    The answer is the mean of the read-outs of all steps: the cumulative read-out of
    [1]_, here before the softmax.

    Parameters
    ----------
    in_channels, n_classes
        Of the input, and of the output.
    config
        Sizes.

    Examples
    --------
    >>> network = BLNet(1, 2, BLTConfig.small())
    >>> network(torch.zeros(4, 1, 28, 28)).shape
    torch.Size([4, 2])
    """

    def __init__(
        self, in_channels: int, n_classes: int, config: BLConfig | None = None
    ) -> None:
        super().__init__()
        config = config or BLConfig()
        self.in_channels = in_channels
        self.n_steps = config.n_steps
        self.areas = names_of("layer", config.channels)
        widths = pairwise((in_channels, *config.channels))
        aboves = (*config.channels[1:], None) if config.has_top_down else ()
        for number, (before, after) in enumerate(widths):
            above = aboves[number] if aboves else None
            kernel = config.kernels[number]
            layer = Layer(before, after, above, kernel, config)
            self.add_module(self.areas[number], layer)
        self.has_top_down = config.has_top_down
        # Odd maps round up, so that a stride of 2 brings top-down input back in place.
        self.pool = nn.MaxPool2d(2, ceil_mode=True)
        self.decoder = Decoder(config.channels[-1], n_classes)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the convolutions' first weights."""
        draw_he_weights(self)

    def steps(self, x: Float[Tensor, " image *step_channel y x"]) -> Steps:
        """Give the output of each layer at each step; none is ever without input."""
        outputs = Steps({area: [] for area in self.areas})
        for t, below in enumerate(self.frames(x)):
            hears = t > 0 and self.is_recurrent
            before = [outputs[area][-1] if hears else None for area in self.areas]
            above = [*before[1:], None] if self.has_top_down else [None] * len(before)
            for i, area in enumerate(self.areas):
                below = below if i == 0 else self.pool(below)
                below = self.get_submodule(area)(below, before[i], above[i], t)
                outputs[area].append(below)
        return outputs

    def forward(
        self, x: Float[Tensor, " image *step_channel y x"]
    ) -> Float[Tensor, " image n_classes"]:
        """Give a number for each class."""
        last = self.steps(x)[self.areas[-1]]
        read_outs = [self.decoder(output) for output in last if output is not None]
        return torch.stack(read_outs).mean(0)
