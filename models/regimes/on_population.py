"""What terms on a population have in common: pictures of its own."""

from collections.abc import Sequence

import torch
from torch import Tensor

from .learner import Learner
from .population import Target
from .term import Batch, Rows, Term


class OnPopulation(Term):
    """Shows a step's share of the population's pictures to the network.

    Parameters
    ----------
    target
        The pictures and the responses, or a control's in their place.
    layers
        That are looked at.
    n_shown
        Pictures of a step.
    rows
        Draws them.
    """

    def __init__(
        self, target: Target, layers: Sequence[str], n_shown: int, rows: Rows
    ) -> None:
        super().__init__()
        self.target, self.layers = target, tuple(layers)
        self._n_shown, self._rows = min(n_shown, len(target.contrast)), rows

    def shown(self, learner: Learner, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Give responses, and what the layers have of the same pictures."""
        rows = self._rows(len(self.target.contrast), batch.step)[: self._n_shown]
        contrast = torch.from_numpy(self.target.contrast[rows]).to(learner.device)
        _, features = learner.with_layers(contrast, self.layers, self.target.deg_per_px)
        responses = torch.from_numpy(self.target.responses[rows])
        return responses.to(learner.device), features
