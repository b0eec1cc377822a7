"""A network to be trained on a task: from contrast to a number an alternative."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .inputs import InputMaker
from .layers import Layer
from .readouts import Readout


class TrainableNetwork(nn.Module):
    """A network with its input before it and a read-out behind, all of it a module.

    A linear read-out weighs all features of an alternative, each standardised over the
    batch while it learns and by running means afterwards.

    Parameters
    ----------
    network
        From images to what has a row an image.
    inputs
        Makes its input of contrast.
    layer, step
        Where it is read; see `Layer`.
    readout
        What is read there.
    n_alternatives
        Of a trial.
    seed
        Of the first weights of a linear read-out.

    Attributes
    ----------
    network, inputs
        As given.
    """

    def __init__(
        self,
        network: nn.Module,
        inputs: InputMaker,
        layer: str,
        step: int,
        readout: Readout | None,
        n_alternatives: int,
        seed: int,
    ) -> None:
        super().__init__()
        self.network = network
        self.inputs = inputs
        self._layer = Layer(network, layer, step)
        self._readout = readout
        shape = (1, n_alternatives, *inputs.frame_shape)
        device = next(network.parameters()).device
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            with torch.no_grad():
                features = self._features(torch.zeros(shape, device=device))
            n = features.shape[1]
            if readout is None and n == 1:
                self._readout = Readout("output")
            self.readout = nn.Sequential()
            if self._readout is None or self._readout.kind == "linear":
                self.readout = nn.Sequential(
                    nn.BatchNorm1d(n, affine=False), nn.Linear(n, 1)
                ).to(device)

    def forward(
        self, contrast: Float[Tensor, " trial alternative frame y x"]
    ) -> Float[Tensor, " trial alternative"]:
        """Give the decision variables."""
        if len(self.readout):
            values = self.readout(self._features(contrast))
        else:
            assert self._readout is not None
            rows = self._layer.read(self.inputs(contrast))
            n = contrast.shape[0] * contrast.shape[1]
            values = self._readout.read(rows).view(n, -1).mean(1)
        return values.view(contrast.shape[:2])

    def features(
        self, contrast: Float[Tensor, " trial alternative frame y x"]
    ) -> Float[Tensor, " trial alternative feature"]:
        """Give all that is read of each alternative, of all its frames."""
        return self._features(contrast).view(*contrast.shape[:2], -1)

    def _features(self, contrast: Tensor) -> Float[Tensor, " image feature"]:
        """Give all that is read of an alternative, of all its frames."""
        rows = self._layer.read(self.inputs(contrast))
        return rows.reshape(contrast.shape[0] * contrast.shape[1], -1)
