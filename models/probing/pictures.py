"""Pictures through any layer of an observer's network."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ...experiments.session.observer import ObserverNoise, Viewing
from ..networks.layers import Layer
from ..networks.sight import SeesPictures, Sight
from ..noise import drawn_for, without_noise
from .picture_input import PictureInput

_INPUT_NUMBERS = 1 << 21  # in a batch's input
_MOST_PICTURES = 64
# What a network is shown that has no field of its own: that of the small ones by name.
FIELD_DEG, SIZE_PX = 4.0, 64
PASS = 1 << 40  # pictures are numbered below; another pass over them begins here


def seen_by(
    observer: Any, field_deg: float | None = None, size_px: int | None = None
) -> tuple[Sight, float, tuple[int, int]]:
    """Give a network's sight, its field in degrees, and its input in px.

    Parameters
    ----------
    field_deg, size_px
        Of a network that says neither.

    Raises
    ------
    ValueError
        If the observer is no network that sees pictures.
    """
    if not isinstance(observer, SeesPictures):
        rule = "a network that can be shown any picture"
        got = getattr(observer, "name", observer)
        raise ValueError(f"observer must be {rule}, got {got!r}")
    sight = observer.sight()
    size = sight.size_px or size_px or SIZE_PX
    pair = (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))
    return sight, float(sight.field_deg or field_deg or FIELD_DEG), pair


class PictureReader:
    """Shows pictures to an observer's network and reads its layers.

    A picture is gray, of contrast in [-1, 1]: twice its code value over 255, less 1. It
    stands in the middle of the network's field; what reaches beyond is cut off, and
    around a smaller one is the background. To a network of photographs it is what a
    file with these code values would be.

    Parameters
    ----------
    observer
        A network: one that has a name here, of `yoked.from_torch`, or trained.
    layers
        Names of modules, as in `named_modules()` of the network.
    deg_per_px
        Degrees of visual angle across a pixel of the pictures.
    frame_shape
        Frames, height and width of a picture in px; a still picture has one frame.
    frame_ms
        How long a frame stays.
    seed
        Of the network's own noise, if it has any.
    noise
        False for a network without its noise.
    field_deg, size_px
        Of a network that says neither; by default 4 degrees and 64 px.
    every_call
        Whether all calls of a layer in a pass are wanted, of a network that runs in
        time: then a layer's axes are picture and call, and those of a call.

    Attributes
    ----------
    field_deg, size_px
        What the network sees, and the pixels of its input (height, width).
    network
        The module.

    Raises
    ------
    ValueError
        If the observer is no network that sees pictures, or no layer is named.
    LookupError
        If the network has no such layer.

    Examples
    --------
    >>> import yoked
    >>> observer = yoked.load_observer("cornet-z", seed=1)
    >>> reader = PictureReader(observer, ["v1", "it"], 0.1, (1, 60, 60))
    >>> found = reader.read(torch.zeros(3, 1, 60, 60))
    >>> {name: tuple(each.shape[:2]) for name, each in found.items()}
    {'v1': (3, 16), 'it': (3, 64)}
    """

    def __init__(
        self,
        observer: Any,
        layers: Sequence[str],
        deg_per_px: float,
        frame_shape: tuple[int, int, int],
        frame_ms: float = 100.0,
        seed: int = 0,
        noise: bool = True,
        field_deg: float | None = None,
        size_px: int | None = None,
        every_call: bool = False,
    ) -> None:
        sight, field, size = seen_by(observer, field_deg, size_px)
        if not layers:
            raise ValueError("layers must be one or more, got none")
        if not deg_per_px > 0:
            raise ValueError(f"deg_per_px must be more than 0, got {deg_per_px}")
        self.frame_shape = frame_shape
        self._sight, self._seed, self._noise = sight, seed, noise
        self._every_call = every_call
        viewing = Viewing(deg_per_px, (1, 1), frame_ms)
        self._input = PictureInput(sight, viewing, frame_shape, field, size)
        inputs = self._input.maker
        self.field_deg, self.size_px = inputs.field_deg, inputs.size_px
        self.network = sight.build(inputs, viewing)
        self._layers = {name: Layer(self.network, name) for name in layers}
        numbers = int(np.prod(self.size_px)) * sight.preprocess.channels
        fitting = max(1, _INPUT_NUMBERS // (numbers * inputs.n_frames))
        self.batch = min(_MOST_PICTURES, fitting)

    def read(
        self, contrast: Float[Tensor, " picture frame y x"], first: int = 0
    ) -> dict[str, Float[Tensor, " picture *unit"]]:
        """Give what each layer gives, on the CPU.

        Parameters
        ----------
        contrast
            In [-1, 1].
        first
            Number of the first picture: the network's own noise depends on the seed
            and on each picture's number alone.

        Raises
        ------
        ValueError
            If the pictures are of another shape, or a layer gives other than a row a
            picture.
        """
        self._input.require(contrast)
        found: dict[str, list[Tensor]] = {name: [] for name in self._layers}
        for start in range(0, len(contrast), self.batch):
            part = self._one(contrast[start : start + self.batch], first + start)
            for name, rows in part.items():
                found[name].append(rows)
        return {name: torch.cat(parts) for name, parts in found.items()}

    def _one(self, contrast: Tensor, first: int) -> dict[str, Tensor]:
        """Put one batch through."""
        noise = ObserverNoise(self._seed, np.arange(first, first + len(contrast)))
        drawn = drawn_for(noise) if self._noise else without_noise()
        with torch.inference_mode(), torch.random.fork_rng(devices=[]), drawn:
            torch.manual_seed((self._seed << 20) ^ first)  # of foreign modules' own
            found = self._outputs(self.input_of(contrast))
        for name, rows in found.items():
            if rows.dim() == 0 or len(rows) != len(contrast):
                rule = f"one row for each of {len(contrast)} pictures"
                got = tuple(rows.shape)
                raise ValueError(f"layer {name!r} must have {rule}, got {got}")
        return {name: rows.float().cpu() for name, rows in found.items()}

    def _outputs(self, x: Tensor) -> dict[str, Tensor]:
        """Run the network once: of a single layer no further than it."""
        first, *others = self._layers.values()
        if not others and not self._every_call:
            return {first.name: first.read(x)}
        with ExitStack() as stack:
            kept = {
                name: stack.enter_context(layer.all_calls())
                for name, layer in self._layers.items()
            }
            self.network(x)
        return {
            name: self._of_calls(self._layers[name], calls)
            for name, calls in kept.items()
        }

    def _of_calls(self, layer: Layer, calls: list[object]) -> Tensor:
        """Give the last call of a layer, or all."""
        if not self._every_call or not calls:
            return layer.output_of(calls)
        return torch.stack([layer.output_of([each]) for each in calls], dim=1)

    def input_of(self, contrast: Float[Tensor, " picture frame y x"]) -> Tensor:
        """Give what the network takes of pictures."""
        return self._input(contrast)
