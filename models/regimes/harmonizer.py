"""The Neural Harmonizer: what moves a network's answer is where people look for it.

L = cross-entropy + weight * L_h [1]_. S is the gradient of the right category's number
by the picture, here its magnitude, since our textures have both signs. The maps are cut
at their mean in SDs (negative becomes 0), the importance map is scaled to the
saliency's maximum, and L_h is the mean over five levels of a pyramid (binomial blur,
every other pixel) of the mean squared difference. Pictures without a map count nothing.
We scale both by that maximum besides, so that the term's size does not depend on the
gradient's: a network could otherwise lower it by flat answers.

References
----------
.. [1] Fel, Rodriguez Rodriguez, Linsley & Serre (2022), Harmonizing the object
   recognition strategies of deep neural networks with humans, NeurIPS 35.
"""

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32
from torch import Tensor
from torch.nn import functional

from .learner import Learner
from .term import Batch, Term

_LEVELS = 5
_BINOMIAL = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16

Maps = Float32[np.ndarray, " picture y x"]


class Harmonizer(Term):
    """Makes saliency like importance maps.

    Parameters
    ----------
    maps
        Of every picture that is learnt from, 0 or more.
    is_there
        Whether a picture has one.
    """

    is_of_classes = True

    def __init__(self, maps: Maps, is_there: Bool[np.ndarray, " picture"]) -> None:
        super().__init__()
        self._maps, self._is_there = maps, is_there

    def loss(
        self, learner: Learner, batch: Batch, contrast: Tensor, logits: Tensor
    ) -> Tensor:
        """Give the difference of saliency and map over the pyramid."""
        own = saliency(logits, batch.labels, contrast, to_learn=True)
        maps = torch.from_numpy(self._maps[batch.rows]).to(own.device)
        token = torch.from_numpy(self._is_there[batch.rows]).to(own.device)
        return harmony(own, maps, token)


def saliency(
    logits: Float[Tensor, " picture category"],
    labels: Tensor,
    contrast: Float[Tensor, " picture frame y x"],
    to_learn: bool = False,
) -> Float[Tensor, " picture y x"]:
    """Give the magnitude of the gradient of the right category's number, over frames.

    Parameters
    ----------
    logits, contrast
        What was said of which pictures; these require a gradient.
    labels
        What is right.
    to_learn
        Whether its own gradient is wanted.
    """
    chosen = logits.gather(1, labels[:, None]).sum()
    (found,) = torch.autograd.grad(chosen, contrast, create_graph=to_learn)
    return found.abs().mean(dim=1)


def harmony(
    own: Float[Tensor, " picture y x"],
    maps: Float[Tensor, " picture y x"],
    is_there: Bool[Tensor, " picture"],
) -> Float[Tensor, ""]:
    """Give the mean squared difference of two kinds of maps over a pyramid.

    Examples
    --------
    >>> maps = torch.rand(2, 16, 16, generator=torch.Generator().manual_seed(1))
    >>> float(harmony(5 * maps, maps, torch.tensor([True, True]))) < 1e-6
    True
    """
    own, wanted = _cut(own), _cut(maps)
    # As in the paper the map takes the saliency's scale; both are then divided by it.
    own = own / (own.detach().amax((1, 2), keepdim=True) + 1e-6)
    wanted = wanted / (wanted.amax((1, 2), keepdim=True) + 1e-6)
    total = own.new_zeros(())
    for _ in range(_LEVELS):
        total = total + ((own - wanted).pow(2).mean((1, 2)) * is_there).mean()
        own, wanted = _halved(own), _halved(wanted)
    return total / _LEVELS


def _cut(maps: Tensor) -> Tensor:
    """Give by how many SDs each place is above the mean, or 0."""
    mean, sd = maps.mean((1, 2), keepdim=True), maps.std((1, 2), keepdim=True)
    return ((maps - mean) / (sd + 1e-5)).relu()


def _halved(maps: Tensor) -> Tensor:
    """Blur, and keep every other pixel."""
    kernel = torch.outer(_BINOMIAL, _BINOMIAL).to(maps)[None, None]
    padded = functional.pad(maps[:, None], (2, 2, 2, 2), mode="replicate")
    return functional.conv2d(padded, kernel, stride=2)[:, 0]
