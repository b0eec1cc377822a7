"""CORnet-RT: four areas with a memory, each a step behind the one below.

The unrolling is biological: what an area puts out at step t comes from the area below
at t - 1 and from itself at t - 1, so that IT's first output is at step 3.

References
----------
.. [1] Kubilius et al. (2018), CORnet: modeling the neural mechanisms of core object
   recognition, bioRxiv 408385, and the authors' later note that the "R" there had the
   wrong unrolling. 5,208,936 parameters.
"""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from .decoder import Decoder, draw_he_weights
from .unrolled import Steps, Unrolled

AREAS = ("v1", "v2", "v4", "it")


@dataclass(frozen=True)
class CORnetRTConfig:
    """Sizes of the network.

    Attributes
    ----------
    channels
        Of V1, V2, V4 and IT.
    kernel, stride
        Of V1's input.
    n_groups
        Of the group normalisation.
    n_steps
        How long a picture is shown; IT needs 4.
    """

    channels: tuple[int, int, int, int] = (64, 128, 256, 512)
    kernel: int = 7
    stride: int = 4
    n_groups: int = 32
    n_steps: int = 5

    def __post_init__(self) -> None:
        if self.n_steps < len(AREAS):
            rule = f"at least {len(AREAS)}, for IT to have had input"
            raise ValueError(f"n_steps must be {rule}, got {self.n_steps}")

    @classmethod
    def small(cls) -> "CORnetRTConfig":
        """Give a variant for 28 to 64 px."""
        return cls((16, 32, 48, 64), kernel=5, stride=2, n_groups=8)


class Area(nn.Module):
    """Input and own state add up, then pass a convolution."""

    def __init__(
        self, before: int, after: int, kernel: int, stride: int, n_groups: int
    ) -> None:
        super().__init__()
        self.conv_input = nn.Conv2d(before, after, kernel, stride, kernel // 2)
        self.norm_input = nn.GroupNorm(n_groups, after)
        self.relu_input = nn.ReLU()
        self.conv1 = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.norm1 = nn.GroupNorm(n_groups, after)
        self.relu1 = nn.ReLU()

    def forward(
        self,
        x: Float[Tensor, " image before y x"],
        state: Float[Tensor, " image after row column"] | None,
    ) -> Float[Tensor, " image after row column"]:
        """Give the area's next state, which is its output."""
        x = self.relu_input(self.norm_input(self.conv_input(x)))
        x = x if state is None else x + state
        return self.relu1(self.norm1(self.conv1(x)))


class CORnetRT(Unrolled):
    """Areas `v1`, `v2`, `v4`, `it`, then `decoder`, which reads IT's last step.

    Parameters
    ----------
    in_channels, n_classes
        Of the input, and of the output.
    config
        Sizes.

    Examples
    --------
    >>> import torch
    >>> network = CORnetRT(1, 2, CORnetRTConfig.small())
    >>> network(torch.zeros(4, 1, 28, 28)).shape
    torch.Size([4, 2])
    >>> [output is None for output in network.steps(torch.zeros(4, 1, 28, 28))["it"]]
    [True, True, True, False, False]
    """

    def __init__(
        self, in_channels: int, n_classes: int, config: CORnetRTConfig | None = None
    ) -> None:
        super().__init__()
        config = config or CORnetRTConfig()
        self.in_channels = in_channels
        self.n_steps = config.n_steps
        (v1, v2, v4, it), n = config.channels, config.n_groups
        self.v1 = Area(in_channels, v1, config.kernel, config.stride, n)
        self.v2 = Area(v1, v2, 3, 2, n)
        self.v4 = Area(v2, v4, 3, 2, n)
        self.it = Area(v4, it, 3, 2, n)
        self.decoder = Decoder(it, n_classes)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the convolutions' first weights, as published."""
        draw_he_weights(self)

    def steps(self, x: Float[Tensor, " image *step_channel y x"]) -> Steps:
        """Give the output of each area at each step, None before its first input."""
        outputs = Steps({area: [] for area in AREAS})
        for t, frame in enumerate(self.frames(x)):
            before = [outputs[area][-1] if t else None for area in AREAS]
            inputs = [frame, *before[:-1]]
            for area, given, state in zip(AREAS, inputs, before, strict=True):
                is_silent = given is None  # nothing has come: the area is not called
                state = state if self.is_recurrent else None
                output = None if is_silent else self.get_submodule(area)(given, state)
                outputs[area].append(output)
        return outputs

    def forward(
        self, x: Float[Tensor, " image *step_channel y x"]
    ) -> Float[Tensor, " image n_classes"]:
        """Give a number for each class.

        Raises
        ------
        ValueError
            If a movie has fewer than 4 frames: IT then has no output.
        """
        return self.decoder(self.steps(x).at("it", -1))
