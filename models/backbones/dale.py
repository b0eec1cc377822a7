"""Dale's principle: a channel excites, or it inhibits, whomever it reaches.

References
----------
.. [1] Song, Yang & Wang (2016), Training excitatory-inhibitory recurrent neural
   networks for cognitive tasks, PLoS Computational Biology 12, e1004792: weights as
   magnitude times the sign of the sender.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils import parametrize

_NORMS = (nn.BatchNorm2d, nn.GroupNorm)


class SignOfSender(nn.Module):
    """A weight's magnitude times the sign of the channel it comes from."""

    signs: Tensor

    def __init__(self, signs: Float[Tensor, " *shape"]) -> None:
        super().__init__()
        self.register_buffer("signs", signs)

    def forward(self, weight: Float[Tensor, " *shape"]) -> Float[Tensor, " *shape"]:
        """Give the weight that is used."""
        return weight.abs() * self.signs


def dale(network: nn.Module, inhibitory: float = 0.25) -> nn.Module:
    """Constrain the signs of a network's weights, in place, and return it.

    In every layer but the first (its input is contrast or another front's, not cells of
    this network) the last `inhibitory` of the input channels inhibit, all others
    excite: one and the same for all layers that a channel reaches. Gains of
    normalisations become positive, lest one turn signs round. The signs then hold
    through any training. The first magnitudes are those of the weights as they were;
    those of inhibition are larger by (1 - inhibitory) / inhibitory, as in [1]_, so that
    few inhibitory channels balance many excitatory ones.

    Parameters
    ----------
    network
        Of convolutions, linear layers and ReLUs, so that activity is never negative.
    inhibitory
        Share of the channels: a quarter, near what is counted in cortex, and the same
        channels whether a layer sees maps or all their places.

    Raises
    ------
    ValueError
        If the share is not one, or no layer but the first has weights.

    Examples
    --------
    >>> network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 3))
    >>> weight = dale(network)[2].weight
    >>> weight.sign()[0, :, 0, 0].tolist()
    [1.0, 1.0, 1.0, -1.0]
    """
    if not 0 <= inhibitory < 1:
        raise ValueError(f"inhibitory must be from 0 to below 1, got {inhibitory}")
    kinds = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
    layers = [module for module in network.modules() if isinstance(module, kinds)]
    if len(layers) < 2:
        rule = "a network of two layers with weights or more"
        raise ValueError(f"signs must be constrained in {rule}, got {len(layers)}")
    for layer in layers[1:]:
        signs = _signs(layer, inhibitory)
        with torch.no_grad():
            balance = (1 - inhibitory) / max(inhibitory, 1e-9)
            layer.get_parameter("weight")[signs < 0] *= balance
        _constrain(layer, signs)
    for module in network.modules():
        if isinstance(module, _NORMS) and module.affine:
            _constrain(module, torch.ones_like(module.weight))
    return network


def _constrain(module: nn.Module, signs: Tensor) -> None:
    parametrize.register_parametrization(module, "weight", SignOfSender(signs))


def _signs(layer: nn.Module, inhibitory: float) -> Tensor:
    """Give the sign of each weight of a layer, in the weight's shape."""
    weight = layer.get_parameter("weight").detach()
    groups = int(getattr(layer, "groups", 1))
    is_transposed = isinstance(layer, nn.ConvTranspose2d)
    n = weight.shape[0] if is_transposed else weight.shape[1] * groups
    first = n - round(inhibitory * n)
    of_sender = torch.where(torch.arange(n, device=weight.device) < first, 1.0, -1.0)
    if is_transposed:  # (sender, receiver of its group, y, x)
        shaped = of_sender[:, None]
    else:  # (receiver, sender of its group, y, x)
        by_group = of_sender.view(groups, -1)
        shaped = by_group.repeat_interleave(weight.shape[0] // groups, dim=0)
    shaped = shaped.reshape(*shaped.shape, *[1] * (weight.dim() - 2))
    return shaped.expand_as(weight).to(weight.dtype).clone()
