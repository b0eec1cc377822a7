"""What a fitted network computes: its response, shared out among first-layer units.

Between the background x_0 and the stimulus x lies a straight path; a unit z of the
first layer is linear in x, so that along it

    F(x) - F(x_0) = sum_z (z(x) - z(x_0)) mean over the path of dF/dz .

Each term is a unit's attribution (integrated gradients [1]_, taken at hidden units
[2]_). Those of one type, a channel of the convolution, are summed over space: what that
type does for the response at each moment. The few types that carry nearly all of it are
the network's pathways.

References
----------
.. [1] Sundararajan, Taly & Yan (2017), Axiomatic attribution for deep networks. ICML.
.. [2] Tanaka, Nayebi, Maheswaranathan, McIntosh, Baccus & Ganguli (2019), From deep
   learning to mechanistic understanding in neuroscience: the structure of retinal
   prediction. NeurIPS 32.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor, nn

from ...experiments.recordings.recording import Segment
from .cell_model import CellModel
from .deep import Deep
from .deep_retina import Windowed
from .recurrent import AmacrineFeedback

_AT_ONCE = 200  # windows


@dataclass(frozen=True, eq=False)
class Attribution:
    """A cell's response to a segment, shared out among the types of the first layer.

    Attributes
    ----------
    of_type
        What each type adds, in spikes/s.
    response
        The rate less that to the background, in spikes/s.
    """

    of_type: Float64[np.ndarray, " bin unit_type"]
    response: Float64[np.ndarray, " bin"]

    @property
    def incompleteness(self) -> float:
        """What attributions lack of the response, as a share of its root mean square.

        It is 0 with endlessly many points on the path.
        """
        lacking = self.of_type.sum(axis=1) - self.response
        size = np.sqrt(np.square(self.response).mean())
        return float(np.sqrt(np.square(lacking).mean()) / size) if size > 0 else 0.0

    def pathways(self, share: float = 0.95) -> tuple[int, ...]:
        """Give the fewest types, the largest first, whose sum is nearly that of all.

        Parameters
        ----------
        share
            Of the variance over time of the sum of all types, which they leave at most
            1 - share of.

        Raises
        ------
        ValueError
            If the share is not in (0, 1].

        Examples
        --------
        >>> of_type = np.array([[0.1, 5.0], [0.0, -5.0], [-0.1, 3.0]])
        >>> Attribution(of_type, of_type.sum(axis=1)).pathways()
        (1,)
        """
        if not 0 < share <= 1:
            raise ValueError(f"share must be in (0, 1], got {share}")
        order = np.argsort(-self.of_type.var(axis=0), kind="stable")
        whole = self.of_type.sum(axis=1)
        for n in range(1, len(order)):
            left = whole - self.of_type[:, order[:n]].sum(axis=1)
            if left.var() <= (1 - share) * whole.var():
                return tuple(order[:n].tolist())
        return tuple(order.tolist())


def attribution(
    model: CellModel, segment: Segment, cell: int, n_points: int = 50
) -> Attribution:
    """Share out a cell's response among the types of units in the first layer.

    Of a recurrent network each response is that to the last 40 bins, after background.

    Parameters
    ----------
    model
        A network that begins with a convolution: cnn-2016, bn-cnn, amacrine-feedback.
    cell
        Counted from 0.
    n_points
        Of the path from the background to the stimulus.

    Raises
    ------
    ValueError
        If the network has no such first layer, there is no such cell or no point.

    Examples
    --------
    >>> from yoked.models.ganglion_cells.binned import Scale
    >>> scale = Scale(steps=1, mean=0.0, sd=1.0, background=0.0)
    >>> network = AmacrineFeedback((1, 15), 1)
    >>> kind = "amacrine-feedback"
    >>> model = Deep(kind, ("a",), 10.0, (1, 15), 0.0, "poisson", scale, network)
    >>> clock = np.arange(60, dtype=np.int32)
    >>> frames = np.eye(60, 15, dtype=np.float32)[:, None]
    >>> one = Segment("test", np.zeros((1, 60, 1), np.uint8), frames, clock)
    >>> attribution(model, one, cell=0).of_type.shape
    (60, 8)
    """
    if not isinstance(model, Deep):
        rule = "a network, cnn-2016, bn-cnn or amacrine-feedback"
        got = getattr(model, "kind", type(model).__name__)
        raise ValueError(f"a model to share a response out must be {rule}, got {got}")
    first = _first_layer(model)
    if not 0 <= cell < len(model.cells):
        rule = f"in [0, {len(model.cells)})"
        raise ValueError(f"cell must be {rule}, got {cell}")
    if n_points < 1:
        raise ValueError(f"n_points must be 1 or more, got {n_points}")
    history: Any = model.network.history
    stimulus = model.scale.stimulus(segment, history)
    windows = stimulus.unfold(0, history, 1).movedim(-1, 1)  # (bin, lag, y, x)
    rest = (model.scale.background - model.scale.mean) / model.scale.sd
    found = [
        _of_windows(model.network, first, part, rest, cell, n_points)
        for part in windows.split(_AT_ONCE)
    ]
    of_type, response = (torch.cat(each).double() for each in zip(*found, strict=True))
    return Attribution(of_type.numpy(), response.numpy())


def _first_layer(model: Deep) -> nn.Conv2d:
    network = model.network
    first = network.network[0] if isinstance(network, Windowed) else None
    if isinstance(network, AmacrineFeedback):
        first = network.filters
    if not isinstance(first, nn.Conv2d):
        rule = "one whose first layer is a convolution"
        raise ValueError(f"a network to attribute to must be {rule}, got {model.kind}")
    return first


def _of_windows(
    network: nn.Module,
    first: nn.Conv2d,
    windows: Float[Tensor, " bin lag y x"],
    rest: float,
    cell: int,
    n_points: int,
) -> tuple[Float[Tensor, " bin unit_type"], Float[Tensor, " bin"]]:
    """Give attributions and responses of the last bin of each window."""
    background = torch.full_like(windows, rest)
    units, rates = _units(network, first, windows)
    units_at_rest, rates_at_rest = _units(network, first, background)
    slope = torch.zeros_like(units)
    for k in range(n_points):
        share = (k + 0.5) / n_points  # the middles of equal stretches of the path
        at, rate = _units(network, first, background + share * (windows - background))
        slope += torch.autograd.grad(rate[:, cell].sum(), at)[0] / n_points
    each = ((units - units_at_rest) * slope).detach()
    each = each.unflatten(0, (len(windows), -1))  # (bin, instant, type, y, x)
    response = (rates - rates_at_rest)[:, cell].detach()
    return each.sum(dim=(1, 3, 4)), response


def _units(
    network: nn.Module, first: nn.Conv2d, windows: Tensor
) -> tuple[Tensor, Tensor]:
    """Give the units of the first layer, and the rates (window, cell) of the last."""
    found: list[Tensor] = []

    def keep(_layer: nn.Module, _inputs: tuple[Tensor, ...], units: Tensor) -> None:
        found.append(units)

    hook = first.register_forward_hook(keep)
    try:
        rates = network(windows)[:, 0]
    finally:
        hook.remove()
    return found[0], rates
