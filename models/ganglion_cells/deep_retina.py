"""Convolutional networks of a retina: that of 2016, and the one with batch norm.

Both look at the last 40 bins of 10 ms, as channels of an image. Numbers are those of
the public repository baccuslab/deep-retina; with frames of 50 x 50 they have 185,757
and 138,362 parameters for five cells. Where a frame is smaller than a kernel the kernel
is as large as the frame.

References
----------
.. [1] McIntosh, Maheswaranathan, Nayebi, Ganguli & Baccus (2016), Deep learning models
   of the retinal response to natural scenes. NeurIPS 29.
.. [2] Maheswaranathan et al. (2023), Interpreting the retinal neural code for natural
   scenes: from computations to neurons. Neuron 111, 2742-2755.
"""

import math
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

HISTORY = 40  # bins
_ONE = math.log(math.e - 1)  # softplus makes 1 of it


class Noise(nn.Module):
    """Adds Gaussian noise while it learns."""

    def __init__(self, sd: float) -> None:
        super().__init__()
        self.sd = sd

    def forward(self, x: Float[Tensor, " *shape"]) -> Float[Tensor, " *shape"]:
        """Give x, with noise in training."""
        return x + self.sd * torch.randn_like(x) if self.training else x


class Windowed(nn.Module):
    """A network of windows, over sequences: each bin is foretold from the last 40.

    Parameters
    ----------
    network
        From (window, bin, y, x) to (window, cell).
    """

    history = HISTORY

    def __init__(self, network: nn.Sequential) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, stimulus: Float[Tensor, " sequence bin y x"]
    ) -> Float[Tensor, " sequence answered cell"]:
        """Give rates in spikes/s from the 40th bin on."""
        windows = stimulus.unfold(1, self.history, 1).movedim(-1, 2)
        found = self.network(windows.flatten(0, 1))
        return found.unflatten(0, windows.shape[:2])


class DeepRetina2016(Windowed):
    """Two convolutional layers and a dense one [1]_.

    16 filters of 15 x 15 and 8 of 9 x 9, each with noise of SD .1 before it rectifies;
    then a softplus.

    Parameters
    ----------
    shape
        Elements of a frame, (y, x).
    n_cells
        How many.

    Examples
    --------
    >>> network = DeepRetina2016((50, 50), 5)
    >>> sum(weights.numel() for weights in network.parameters())
    185757
    """

    l2, activity_l1 = 1e-3, 1e-3

    def __init__(self, shape: tuple[int, int], n_cells: int) -> None:
        first, left = kernel_of(15, shape)
        second, left = kernel_of(9, left)
        super().__init__(
            nn.Sequential(
                nn.Conv2d(HISTORY, 16, first),
                Noise(0.1),
                nn.ReLU(),
                nn.Conv2d(16, 8, second),
                Noise(0.1),
                nn.ReLU(),
                nn.Flatten(),
                nn.Linear(8 * left[0] * left[1], n_cells),
                nn.Softplus(),
            )
        )

    def start_at(self, rates: Float[Tensor, " cell"]) -> None:
        """Begin at the mean rates, in spikes/s."""
        with torch.no_grad():
            cast(nn.Linear, self.network[7]).bias.copy_(before_softplus(rates))


class BatchNormCNN(Windowed):
    """The same with batch norm of every unit, and fewer filters [2]_.

    8 filters of 15 x 15 and 8 of 11 x 11, each unit normalised over the batch, with
    noise of SD .05; a dense layer without bias, normalised too, and a softplus.

    Examples
    --------
    >>> network = BatchNormCNN((50, 50), 5)
    >>> sum(weights.numel() for weights in network.parameters())
    138362
    """

    l2, activity_l1 = 0.01, 0.0

    def __init__(self, shape: tuple[int, int], n_cells: int) -> None:
        first, middle = kernel_of(15, shape)
        second, left = kernel_of(11, middle)
        n_middle, n_left = 8 * middle[0] * middle[1], 8 * left[0] * left[1]
        super().__init__(
            nn.Sequential(
                nn.Conv2d(HISTORY, 8, first),
                nn.Flatten(),
                nn.BatchNorm1d(n_middle),
                Noise(0.05),
                nn.ReLU(),
                nn.Unflatten(1, (8, *middle)),
                nn.Conv2d(8, 8, second),
                nn.Flatten(),
                nn.BatchNorm1d(n_left),
                Noise(0.05),
                nn.ReLU(),
                nn.Linear(n_left, n_cells, bias=False),
                nn.BatchNorm1d(n_cells),
                nn.Softplus(),
            )
        )

    def start_at(self, rates: Float[Tensor, " cell"]) -> None:
        """Begin at the mean rates, in spikes/s, and vary by as much."""
        with torch.no_grad():
            last = cast(nn.BatchNorm1d, self.network[12])
            last.weight.copy_(rates.clamp(min=1.0))
            last.bias.copy_(before_softplus(rates))


class InMeanRates(nn.Module):
    """A softplus in units of each cell's mean rate: weights before it are near 1.

    Parameters
    ----------
    n_cells
        How many.

    Examples
    --------
    >>> output = InMeanRates(2)
    >>> output.start_at(torch.tensor([5.0, 20.0]))
    >>> output(torch.zeros(1, 2))
    tensor([[ 5., 20.]])
    """

    mean_per_s: Tensor

    def __init__(self, n_cells: int) -> None:
        super().__init__()
        self.register_buffer("mean_per_s", torch.ones(n_cells))

    def start_at(self, rates: Float[Tensor, " cell"]) -> None:
        """Take the mean rates, in spikes/s."""
        self.mean_per_s.copy_(rates.clamp(min=1e-3))

    def forward(self, x: Float[Tensor, " *shape"]) -> Float[Tensor, " *shape"]:
        """Give rates in spikes/s: the mean ones at 0."""
        return self.mean_per_s * nn.functional.softplus(x + _ONE)


def kernel_of(
    size: int, shape: tuple[int, int]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Give a square kernel, no larger than a frame, and what it leaves of the frame.

    Examples
    --------
    >>> kernel_of(15, (1, 31))
    ((1, 15), (1, 17))
    """
    kernel = min(size, shape[0]), min(size, shape[1])
    return kernel, (shape[0] - kernel[0] + 1, shape[1] - kernel[1] + 1)


def before_softplus(rates: Float[Tensor, " cell"]) -> Float[Tensor, " cell"]:
    """Give what softplus makes these rates of."""
    rates = rates.clamp(min=1e-3)
    return rates + torch.log(-torch.expm1(-rates))
