"""A network that looks: at a place drawn anew in training, at five in turn later."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .fixation import CorticalFixation, RetinalFixation
from .fronted import Fronted

# Down and along, in shares of how far the gaze may go. The middle comes last, so that
# who reads a layer reads it there.
FIVE_GAZES = ((-0.5, -0.5), (-0.5, 0.5), (0.5, -0.5), (0.5, 0.5), (0.0, 0.0))


class Gazing(Fronted):
    """From contrast to classes by way of an eye that is fixed on places.

    In training mode each picture is seen once, from a gaze that torch's generator draws
    evenly; in evaluation mode from five that are fixed (`FIVE_GAZES`: ours, half-way to
    the corners of what is drawn in training, then the middle), and the answer is the
    mean of the five answers. A layer inside is called once a gaze; its last call is
    that of the middle.

    Parameters
    ----------
    front
        One that takes a gaze.
    backbone
        A module with `in_channels`.
    over_time
        As of `Fronted`.
    read
        A module of the backbone, '' for its answer, whose mean over gazes passes
        through the layer `over_gazes`.

    Examples
    --------
    >>> from yoked.models.backbones.plain_cnn import PlainCNN, PlainCNNConfig
    >>> front = RetinalFixation((32, 32))
    >>> network = Gazing(front, PlainCNN(1, 2, PlainCNNConfig.small())).eval()
    >>> network(torch.zeros(3, 1, 32, 32)).shape
    torch.Size([3, 2])
    """

    def __init__(
        self,
        front: RetinalFixation | CorticalFixation,
        backbone: nn.Module,
        over_time: str = "mean",
        read: str = "",
    ) -> None:
        super().__init__(front, backbone, over_time)
        self.read = read
        self.reach = front.reach
        self.over_gazes = nn.Identity()

    def forward(
        self, contrast: Float[Tensor, " image frame y x"]
    ) -> Float[Tensor, " image n_classes"]:
        """Give a number for each class, the mean over gazes."""
        answers, features = [], []
        assert self.front is not None
        for gaze in self.gazes(contrast):
            answer, feature = self._answer_and_feature(self.front(contrast, gaze))
            answers.append(answer)
            features.append(feature)
        self.over_gazes(torch.stack(features).mean(0))
        return torch.stack(answers).mean(0)

    def gazes(
        self, contrast: Float[Tensor, " image frame y x"]
    ) -> list[Float[Tensor, " image 2"]]:
        """Give where each picture is looked at, gaze by gaze."""
        n, reach = len(contrast), self.reach
        if self.training:
            return [reach * (2 * torch.rand(n, 2, device=contrast.device) - 1)]
        fixed = reach * torch.tensor(FIVE_GAZES, device=contrast.device)
        return [gaze.expand(n, 2) for gaze in fixed]

    def _answer_and_feature(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Run the backbone; give its answer, and what the module `read` gave last."""
        given: list[Tensor] = []
        module = self.backbone.get_submodule(self.read)
        handle = module.register_forward_hook(lambda *call: given.append(call[-1]))
        try:
            return self.answered(seen), given[-1]
        finally:
            handle.remove()
