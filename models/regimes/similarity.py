"""Similarities of pictures as in a population, or by a rule without neurons.

L = cross-entropy + weight * mean over pairs of (atanh S - atanh S_target)^2, S being
cosines of features less their mean over the batch, of several layers averaged with
weights that are learnt (softmax) [1]_. The target is that of responses; the control
'pixels' [2]_ needs no neuron: the sign of the pixels' similarity where that is beyond
.8, else 0. Both are cut off at .95 before atanh, which has no value at 1. That the mean
is taken, and of batches, is ours.

References
----------
.. [1] Li, Brendel, Walker et al. (2019), Learning from brains how to regularize
   machines, NeurIPS 32.
.. [2] Attias, Schmidt, ... (2024), arXiv 2410.03952: equations and the rule.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from .learner import Learner
from .on_population import OnPopulation
from .population import Target
from .term import Batch, Rows

PIXELS_FROM = 0.8
_HIGHEST = 0.95


class Similarity(OnPopulation):
    """Makes cosines of pictures in some layers those of a population."""

    def __init__(
        self,
        target: Target,
        layers: Sequence[str],
        n_shown: int,
        rows: Rows,
        learner: Learner,
        by_pixels: bool = False,
    ) -> None:
        super().__init__(target, layers, n_shown, rows)
        self._by_pixels = by_pixels
        self._pixels = target.contrast.reshape(len(target.contrast), -1)
        self._pixels = self._pixels - self._pixels.mean(axis=0)
        self.of_layers = nn.Parameter(torch.zeros(len(layers), device=learner.device))

    def loss(
        self, learner: Learner, batch: Batch, contrast: Tensor, logits: Tensor
    ) -> Tensor:
        """Give the mean squared difference over pairs of other pictures."""
        responses, features = self.shown(learner, batch)
        shares = self.of_layers.softmax(0)
        own = sum(
            share * cosines(features[name].flatten(1))
            for share, name in zip(shares, self.layers, strict=True)
        )
        target = cosines(responses)
        if self._by_pixels:
            rows = self._rows(len(self._pixels), batch.step)[: len(responses)]
            pixels = torch.from_numpy(np.ascontiguousarray(self._pixels[rows]))
            target = by_threshold(cosines(pixels.to(learner.device), about_mean=False))
        assert isinstance(own, Tensor)
        difference = _stretched(own) - _stretched(target)
        pairs = ~torch.eye(len(own), dtype=torch.bool, device=own.device)
        return difference[pairs].pow(2).mean()


def cosines(
    x: Float[Tensor, " picture unit"], about_mean: bool = True
) -> Float[Tensor, " picture picture"]:
    """Give the cosine of every two pictures' features, less their mean over pictures.

    Examples
    --------
    >>> cosines(torch.tensor([[1.0, 0.0], [-1.0, 0.0]])).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    about = x - x.mean(dim=0) if about_mean else x
    unit = about / about.norm(dim=1, keepdim=True).clamp(min=1e-8)
    return unit @ unit.T


def by_threshold(s: Float[Tensor, " *pair"]) -> Float[Tensor, " *pair"]:
    """Give the sign of similarities beyond .8, and 0 of others.

    Examples
    --------
    >>> by_threshold(torch.tensor([[1.0, -0.9], [0.7, -0.1]])).tolist()
    [[1.0, -1.0], [0.0, 0.0]]
    """
    return torch.where(s.abs() > PIXELS_FROM, s.sign(), torch.zeros_like(s))


def _stretched(s: Tensor) -> Tensor:
    return s.clamp(-_HIGHEST, _HIGHEST).atanh()
