"""A second task: to foretell a population's responses from a layer.

A linear read-out of the layer, pooled to 8 x 8 places at most, learns the responses
along with the network; what counts beside the classes' loss is its mean squared error,
responses having an SD of 1. After the multi-task networks of [1]_, whose second task is
neurons of mouse or macaque V1.

References
----------
.. [1] Safarani et al. (2021), Towards robust vision by multi-task learning on monkey
   visual cortex, NeurIPS 34.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from .learner import Learner
from .on_population import OnPopulation
from .population import Target
from .term import Batch, Rows

_PLACES = 8


class MultiTask(OnPopulation):
    """Foretells a population from a layer."""

    def __init__(
        self,
        target: Target,
        layers: Sequence[str],
        n_shown: int,
        rows: Rows,
        learner: Learner,
    ) -> None:
        super().__init__(target, layers, n_shown, rows)
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(learner.seed)
            one = torch.from_numpy(target.contrast[:1]).to(learner.device)
            learner.train(False)
            _, found = learner.with_layers(one, self.layers, target.deg_per_px)
            n = _pooled(found[self.layers[0]]).shape[1]
            self.readout = nn.Linear(n, target.responses.shape[1]).to(learner.device)

    def loss(
        self, learner: Learner, batch: Batch, contrast: Tensor, logits: Tensor
    ) -> Tensor:
        """Give the mean squared error of the responses to other pictures."""
        responses, features = self.shown(learner, batch)
        foretold = self.readout(_pooled(features[self.layers[0]]))
        return functional.mse_loss(foretold, responses)


def _pooled(features: Tensor) -> Tensor:
    """Give a row a picture, of a map no more than 8 x 8 places."""
    if features.dim() == 4 and max(features.shape[2:]) > _PLACES:
        features = functional.adaptive_avg_pool2d(features, _PLACES)
    return features.flatten(1)
