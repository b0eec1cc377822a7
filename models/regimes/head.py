"""A classifier whose features are standardised while it learns.

Means over places differ little from picture to picture beside what they have in common:
with features as they are the classes' loss hardly moves. Each is standardised over the
batch, as in `yoked train`'s read-outs, and in the end that becomes part of the weights.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class StandardisedHead(nn.Module):
    """Standardises what the last linear layer of a network gets.

    Parameters
    ----------
    network
        Whose last linear layer with `n_classes` outputs it is.
    n_classes
        Of the network.

    Raises
    ------
    ValueError
        If there is no such layer.
    """

    def __init__(self, network: nn.Module, n_classes: int) -> None:
        super().__init__()
        linear = [m for m in network.modules() if isinstance(m, nn.Linear)]
        found = [m for m in linear if m.out_features == n_classes]
        if not found:
            rule = f"a linear layer with {n_classes} outputs at the end"
            got = type(network).__name__
            raise ValueError(f"a network that learns pictures must have {rule}: {got}")
        self._linear = [found[-1]]  # in a list: its parameters are the network's
        self.norm = nn.BatchNorm1d(found[-1].in_features, affine=False)
        self._handle = found[-1].register_forward_pre_hook(self._standardise)

    def _standardise(self, module: nn.Module, inputs: tuple[Tensor]) -> tuple[Tensor]:
        return (self.norm(inputs[0]),)

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Let what passes meanwhile be all that features are standardised by."""
        momentum = self.norm.momentum
        self.norm.reset_running_stats()
        self.norm.momentum = None  # a mean over all batches
        self.norm.train()
        try:
            yield
        finally:
            self.norm.momentum = momentum
            self.norm.eval()

    def fold(self) -> None:
        """Make it part of the layer's weights, which then give the same."""
        linear, norm = self._linear[0], self.norm
        assert norm.running_mean is not None
        assert norm.running_var is not None
        with torch.no_grad():
            scale = (norm.running_var + norm.eps).rsqrt()
            linear.weight.mul_(scale)
            if linear.bias is not None:
                linear.bias.sub_(linear.weight @ norm.running_mean)
        self._handle.remove()
