"""What a regime adds to learning to classify: nothing, unless a subclass says so."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64
from torch import Tensor, nn

from .learner import Learner


@dataclass(frozen=True, eq=False)
class Batch:
    """Labelled pictures of a step.

    Attributes
    ----------
    step
        From 0.
    rows
        Of the pictures among all that are learnt from.
    contrast
        Of the pictures, on the network's device.
    labels
        Their categories' numbers.
    """

    step: int
    rows: Int64[np.ndarray, " picture"]
    contrast: Float[Tensor, " picture frame y x"]
    labels: Int64[Tensor, " picture"]


# Draws rows of n for a step: each once before any comes again.
Rows = Callable[[int, int], Int64[np.ndarray, " row"]]


class Term(nn.Module):
    """A regime's part in a step; its parameters are learnt along."""

    is_of_classes = False  # whether it looks at what the batch's pictures do

    def __init__(self) -> None:
        super().__init__()
        self.layers: tuple[str, ...] = ()

    def changed(self, learner: Learner, batch: Batch) -> Tensor:
        """Give the pictures as they are learnt."""
        return batch.contrast

    def loss(
        self,
        learner: Learner,
        batch: Batch,
        contrast: Float[Tensor, " picture frame y x"],
        logits: Float[Tensor, " picture category"],
    ) -> Tensor | None:
        """Give what is added to the cross-entropy, before its weight; None of nothing.

        Parameters
        ----------
        learner
            The network.
        batch
            The pictures.
        contrast
            As they were learnt; with a gradient where `is_of_classes`.
        logits
            What the network said.
        """
        return None
