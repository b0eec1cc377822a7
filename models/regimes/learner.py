"""A network by name that is shown labelled pictures, to learn or to be asked."""

from collections.abc import Sequence
from contextlib import ExitStack

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from ...experiments.session.observer import ObserverNoise, Viewing
from ..networks.by_name import network_observer
from ..networks.layers import Layer
from ..noise import drawn_for
from ..probing.picture_input import PictureInput
from ..probing.pictures import seen_by
from ..recipes.recipe import NetworkPart
from .first_weights import scale_first_weights
from .head import StandardisedHead

_ASKED = 64  # pictures at once
_SETTLED = 512  # pictures that features are standardised by in the end


class Learner:
    """A network as its observer builds it, free to learn.

    Parameters
    ----------
    part
        Name, seed, device and options.
    n_classes
        Of its output.
    size_px, degrees
        Across a picture; by default the network's field.
    to_learn
        False for a network that is only asked: it is as its weights are.

    Attributes
    ----------
    network
        All of it: a front too.
    deg_per_px
        Degrees across a pixel of the pictures.

    Raises
    ------
    LookupError
        If there is no network of that name.
    ValueError
        If an option is out of range.
    """

    def __init__(
        self,
        part: NetworkPart,
        n_classes: int,
        size_px: int,
        degrees: float | None,
        to_learn: bool = True,
    ) -> None:
        self._observer = network_observer(
            part.name,
            seed=part.seed,
            device=part.device,
            n_classes=n_classes,
            **dict(part.options),
        )
        self._sight, self._field, self._size = seen_by(self._observer)
        self.device, self.seed = part.device, part.seed
        self._has_weights = "file" in part.options
        self.deg_per_px = (degrees or self._field) / size_px
        self._inputs: dict[tuple[tuple[int, ...], float], PictureInput] = {}
        shape = (1, size_px, size_px)
        seen = self._input_of(shape, self.deg_per_px)
        viewing = Viewing(self.deg_per_px, (1, 1), 100.0)
        self.network: nn.Module = self._sight.build(seen.maker, viewing)
        self.network.requires_grad_(to_learn)
        self.head = nn.Module()
        if to_learn:
            self.head = StandardisedHead(self.backbone, n_classes).to(part.device)

    def begin(self, contrast: Float[np.ndarray, " picture frame y x"]) -> None:
        """Scale first weights by some pictures; those of a file stay as they are."""
        if self._has_weights:
            return
        shown = torch.from_numpy(contrast[:_ASKED]).to(self.device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            scale_first_weights(self.backbone, lambda: self.logits(shown))

    def fold(self) -> None:
        """End learning: the classifier's weights take in how features are standardised.

        The network is then what anybody who loads its weights has.
        """
        self.train(False)
        assert isinstance(self.head, StandardisedHead)
        self.head.fold()

    def train(self, is_learning: bool) -> None:
        """Let modules behave as they do while they learn, or not."""
        self.network.train(is_learning)
        self.head.train(is_learning)

    def settle(self, contrast: Float[np.ndarray, " picture frame y x"]) -> None:
        """Measure what the classifier's features are standardised by, anew."""
        self.train(False)
        assert isinstance(self.head, StandardisedHead)
        with torch.no_grad(), torch.random.fork_rng(devices=[]), self.head.measured():
            torch.manual_seed(self.seed)
            for start in range(0, min(_SETTLED, len(contrast)), _ASKED):
                part = torch.from_numpy(contrast[start : start + _ASKED])
                self.logits(part.to(self.device))

    @property
    def backbone(self) -> nn.Module:
        """What weights are of: the network without its front."""
        inner = getattr(self.network, "backbone", None)
        return inner if isinstance(inner, nn.Module) else self.network

    def logits(
        self,
        contrast: Float[Tensor, " picture frame y x"],
        deg_per_px: float | None = None,
    ) -> Float[Tensor, " picture category"]:
        """Give a number for each category; its gradient passes."""
        shape = tuple(contrast.shape[1:])
        return self.network(
            self._input_of(shape, deg_per_px or self.deg_per_px)(contrast)
        )

    def with_layers(
        self,
        contrast: Float[Tensor, " picture frame y x"],
        layers: Sequence[str],
        deg_per_px: float | None = None,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Give the same, and what some layers have, a row for each picture.

        Raises
        ------
        LookupError
            If there is no such layer.
        """
        read = {name: Layer(self.network, name) for name in layers}
        with ExitStack() as stack:
            kept = {
                n: stack.enter_context(each.all_calls()) for n, each in read.items()
            }
            logits = self.logits(contrast, deg_per_px)
        return logits, {n: read[n].output_of(calls) for n, calls in kept.items()}

    def asked(
        self, contrast: Float[np.ndarray, " picture frame y x"], first: int = 0
    ) -> Float[Tensor, " picture category"]:
        """Give logits of pictures that are not learnt, numbered from `first`.

        The network's own noise depends on its seed and each picture's number alone.
        """
        self.train(False)
        found = []
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            for start in range(0, len(contrast), _ASKED):
                part = torch.from_numpy(contrast[start : start + _ASKED])
                numbers = np.arange(first + start, first + start + len(part))
                with drawn_for(ObserverNoise(self.seed, numbers)):
                    found.append(self.logits(part.to(self.device)).cpu())
        return torch.cat(found)

    def _input_of(self, shape: tuple[int, ...], deg_per_px: float) -> PictureInput:
        """Give what makes the network's input of pictures of a size."""
        key = (shape, deg_per_px)
        if key not in self._inputs:
            n_frames, height, width = shape
            self._inputs[key] = PictureInput(
                self._sight,
                Viewing(deg_per_px, (1, 1), 100.0),
                (n_frames, height, width),
                self._field,
                self._size,
            )
        return self._inputs[key]
