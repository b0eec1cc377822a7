"""`element-mlp`: a multi-layer perceptron on the elements of the stimulus's noise."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ...experiments.session.observer import Viewing
from ...experiments.stimulus.seeds import require_seed
from .element_fronts import FRONTS, ElementFront, ElementMeans, element_front
from .inputs import InputMaker, Preprocess
from .network_observer import NetworkObserver


class ElementMLP(nn.Module):
    """Layers of rectified units, each of which weighs every element.

    It sees one number an element, as the noise has, and so all that tells one trial
    from another; it need not learn which pixels go together. Behind a front it sees one
    a channel.

    Parameters
    ----------
    n_frames, size_px
        Of an image.
    element_px
        Pixels of an element, (rows, columns).
    widths
        Units of each layer.
    front
        What it sees of contrast; by default contrast, averaged over each element.

    Examples
    --------
    >>> network = ElementMLP(1, (52, 52), (52, 4), (64, 64))
    >>> network(torch.zeros(3, 1, 52, 52)).shape
    torch.Size([3, 64])
    """

    def __init__(
        self,
        n_frames: int,
        size_px: tuple[int, int],
        element_px: tuple[int, int],
        widths: Sequence[int],
        front: ElementMeans | ElementFront | None = None,
    ) -> None:
        super().__init__()
        self.front = front or ElementMeans(element_px)
        rows, columns = (
            -(-size // px) for size, px in zip(size_px, element_px, strict=True)
        )
        n_inputs = n_frames * self.front.n_channels * rows * columns
        self.layers = nn.Sequential()
        for before, after in pairwise((n_inputs, *widths)):
            self.layers.extend([nn.Linear(before, after), nn.ReLU()])

    def forward(
        self, x: Float[Tensor, " image frame y x"]
    ) -> Float[Tensor, " image unit"]:
        """Give the last layer's rates, for contrast."""
        x = self.front(x).flatten(1)  # (image, frame * channel * row * column)
        return self.layers(x)


def element_mlp(
    seed: int = 1,
    device: str = "cpu",
    widths: Sequence[int] = (64, 64),
    fit_trials: int = 1024,
    front: str = "none",
) -> NetworkObserver:
    """Make an observer that is a multi-layer perceptron on the noise's elements.

    Its weights are random and its read-out is fitted to the task; a recipe trains all
    of it.

    Parameters
    ----------
    seed
        Of the weights and of the trials that the read-out is fitted on: another seed is
        another individual.
    device
        'cpu' or 'cuda'.
    widths
        Units of each layer.
    fit_trials
        Trials that the read-out is fitted on.
    front
        What stands before it, without learning: 'none', 'retina' (the ganglion cells of
        `retina-cnn`), 'linear-retina' (those without rectification) or 'vone-block',
        each averaged over the elements.

    Raises
    ------
    ValueError
        If an option is out of range.

    Examples
    --------
    >>> element_mlp(widths=[32]).name
    'element-mlp'
    """
    require_seed("seed", seed)
    widths = [widths] if isinstance(widths, int) else list(widths)
    if not widths or not all(isinstance(n, int) and n >= 1 for n in widths):
        rule = "whole numbers of units, 1 or more"
        raise ValueError(f"widths must be {rule}, got {widths}")
    if front not in FRONTS:
        raise ValueError(f"front must be one of {', '.join(FRONTS)}, got {front!r}")
    described: dict[str, object] = {"widths": widths}
    if front != "none":
        described["front"] = front

    def build(inputs: InputMaker, viewing: Viewing) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            shown = (inputs.size_px, viewing.element_px)
            before = element_front(front, viewing.deg_per_px, *shown)
            return ElementMLP(inputs.n_frames, *shown, widths, before)

    return NetworkObserver(
        build,
        "element-mlp",
        readout="linear",
        preprocess=Preprocess("contrast", 1, "none", frames="channels"),
        device=device,
        fit_trials=fit_trials,
        seed=seed,
        described=described,
    )
