"""First weights that neither fade nor grow from layer to layer.

Layer-sequential unit variance [1]_, here by one scale a layer: without it a signal
fades through a network that has no normalisation, and of pictures whose mean is gray
nothing is learnt.

References
----------
.. [1] Mishkin & Matas (2016), All you need is a good init, ICLR.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

_NORMALISATIONS = (nn.modules.batchnorm._BatchNorm, nn.GroupNorm, nn.LayerNorm)
_WEIGHTED = (nn.Conv2d, nn.Linear)


def scale_first_weights(network: nn.Module, show: Callable[[], object]) -> int:
    """Scale each layer's weights so that it puts out an SD of 1; say how many were.

    A network with normalisation of its own stays as it is.

    Parameters
    ----------
    network
        With first weights.
    show
        Puts some pictures through it.

    Examples
    --------
    >>> _ = torch.manual_seed(1)
    >>> network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten())
    >>> x = torch.randn(20, 1, 8, 8)
    >>> scale_first_weights(network, lambda: network(x))
    1
    >>> round(network[0](x).std().item(), 4)
    1.0
    """
    if any(isinstance(module, _NORMALISATIONS) for module in network.modules()):
        return 0
    layers = [each for each in network.modules() if isinstance(each, _WEIGHTED)]
    done: set[nn.Module] = set()

    def scaled(module: nn.Module, inputs: Any, output: Tensor) -> Tensor | None:
        sd = output.std()
        if module in done or not sd > 0:
            return None
        done.add(module)
        for values in module.parameters(recurse=False):
            values.div_(sd)
        return output / sd

    handles = [layer.register_forward_hook(scaled) for layer in layers]
    try:
        with torch.no_grad():
            show()
    finally:
        for handle in handles:
            handle.remove()
    return len(done)
