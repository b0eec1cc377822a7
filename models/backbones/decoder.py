"""What ends most backbones: a mean over places and a linear read-out; first weights."""

from jaxtyping import Float
from torch import Tensor, nn


class Decoder(nn.Module):
    """Averages each channel over its places and weighs the channels.

    Parameters
    ----------
    n_channels, n_classes
        What comes in, and how many numbers come out.
    """

    def __init__(self, n_channels: int, n_classes: int) -> None:
        super().__init__()
        self.average = nn.AdaptiveAvgPool2d(1)
        self.linear = nn.Linear(n_channels, n_classes)

    def forward(
        self, x: Float[Tensor, " image channel y x"]
    ) -> Float[Tensor, " image n_classes"]:
        """Give a number for each class."""
        return self.linear(self.average(x).flatten(1))  # (image, class)


def draw_he_weights(network: nn.Module) -> None:
    """Draw the convolutions' first weights from N(0, 2 / (k^2 channels out)).

    He et al. (2015), ICCV, eq. 10 ("fan out"), from torch's generator as torch's own
    first weights are; biases become 0.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
