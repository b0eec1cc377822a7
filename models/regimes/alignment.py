"""Alignment with a population: unbiased linear CKA of a layer with responses.

L = cross-entropy + weight * log(1 - CKA), after [1]_, whose CKA is the biased one of a
batch: of more features than pictures that is near 1 whatever they are, so ours is the
unbiased one [2]_. Ours besides: one weight from the first step on, and the same
normalisation statistics for both kinds of pictures.

References
----------
.. [1] Dapello, Kar, Schrimpf et al. (2023), Aligning model and macaque inferior
   temporal cortex representations improves model-to-human behavioral alignment and
   adversarial robustness, ICLR.
.. [2] Song, Smola, Gretton, Bedo & Borgwardt (2012), J. Mach. Learn. Res. 13,
   1393-1434.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from .learner import Learner
from .on_population import OnPopulation
from .term import Batch

_LEAST = 1e-3  # of 1 - CKA: a batch's estimate may pass 1


class Alignment(OnPopulation):
    """Makes a layer's similarities of pictures those of a population."""

    def loss(
        self, learner: Learner, batch: Batch, contrast: Tensor, logits: Tensor
    ) -> Tensor:
        """Give log(1 - CKA) of the layer with the responses to other pictures."""
        responses, features = self.shown(learner, batch)
        found = unbiased_cka(features[self.layers[0]].flatten(1), responses)
        return (1 - found).clamp(min=_LEAST).log()


def unbiased_cka(
    x: Float[Tensor, " picture unit"], y: Float[Tensor, " picture other"]
) -> Float[Tensor, ""]:
    """Give unbiased linear CKA with a gradient; 0 where it is not defined.

    Examples
    --------
    >>> x = torch.randn(40, 500, generator=torch.Generator().manual_seed(1))
    >>> round(float(unbiased_cka(x, 3 * x)), 4)
    1.0
    """
    k, m = _gram(x), _gram(y)
    product = _hsic(k, k) * _hsic(m, m)
    is_defined = product > 0
    root = torch.where(is_defined, product, torch.ones_like(product)).sqrt()
    return torch.where(is_defined, _hsic(k, m) / root, torch.zeros_like(root))


def _gram(x: Tensor) -> Tensor:
    """Give products of pictures, each picture's with itself left out."""
    about = x - x.mean(dim=0)
    # A scale changes nothing; without it float32 overflows in products of sums.
    about = about / about.detach().pow(2).sum(1).mean().clamp(min=1e-20).sqrt()
    k = about @ about.T
    return k - torch.diag(torch.diagonal(k))


def _hsic(k: Tensor, m: Tensor) -> Tensor:
    n = len(k)
    sums = k.sum() * m.sum() / ((n - 1) * (n - 2))
    rows = k.sum(0) @ m.sum(0) * 2 / (n - 2)
    return ((k * m).sum() + sums - rows) / (n * (n - 3))
