"""Places for noise inside a network: the stimulus, the front, a layer, the decision."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ...experiments.protocols.checks import suggestion
from ...experiments.session.observer import ObserverNoise, Practice, Viewing
from ..backbones.fronted import Fronted
from ..backbones.vone_block import VOneBlock
from ..decision import reference_contrast
from ..noise import noise_like
from ..retina.mosaic import Retina
from ..retina.staged import StagedRetina
from .batches import BatchedObserver
from .layers import named_module

KINDS = ("input", "front", "layer", "decision")
N_MEASURED = 256  # reserved trials that the units' SDs are measured on


@dataclass(frozen=True)
class Place:
    """Where in a network noise is added.

    Attributes
    ----------
    kind
        One of `KINDS`.
    layer
        Name of the module, where the kind is 'layer'.

    Examples
    --------
    >>> Place.parse("layer:features.3")
    Place(kind='layer', layer='features.3')
    """

    kind: str
    layer: str = ""

    @classmethod
    def parse(cls, text: str) -> "Place":
        """Read 'input', 'front', 'layer:NAME' or 'decision'.

        Raises
        ------
        ValueError
            If it is none of them.
        """
        kind, colon, layer = text.partition(":")
        if (
            kind not in KINDS
            or bool(layer) != (kind == "layer")
            or (colon and not layer)
        ):
            near = suggestion(text, ("input", "front", "decision"))
            rule = "input, front, layer:NAME or decision"
            raise ValueError(f"the place of noise must be {rule}, got {text!r}{near}")
        return cls(kind, layer)

    def module(self, network: nn.Module) -> str:
        """Give the name of the module whose output gets the noise.

        Raises
        ------
        LookupError
            If there is no such layer.
        ValueError
            If nothing stands before the network.
        """
        if self.kind == "front":
            return front_of(network)
        named_module(network, self.layer)
        return self.layer


def front_of(network: nn.Module) -> str:
    """Give the name of the retina, or other front, with which a network begins.

    Raises
    ------
    ValueError
        If there is none.
    """
    for name, module in network.named_modules():
        if isinstance(module, Fronted) and module.front is not None:
            return f"{name}.front" if name else "front"
        if isinstance(module, Retina | StagedRetina | VOneBlock):
            return name
    rule = "of a network with a retina, a VOneBlock or another front"
    got = f"{type(network).__name__} without one"
    raise ValueError(f"noise at the front must be {rule}, got {got}")


def element_noise(
    contrast: Float[Tensor, " trial alternative frame y x"], viewing: Viewing
) -> Float[Tensor, " trial alternative frame y x"]:
    """Draw standard normal noise for each element of a stimulus, in each frame.

    It has the grain of the stimulus's own noise, which an element's pixels share; of a
    scene only the places have it.
    """
    high, wide = viewing.element_px
    noise = torch.zeros_like(contrast)
    whole = (0, 0, *contrast.shape[3:])
    for top, left, height, width in viewing.places or (whole,):
        grid = (*contrast.shape[:3], -(-height // high), -(-width // wide))
        drawn = noise_like(contrast.new_empty(grid))
        drawn = drawn.repeat_interleave(high, 3).repeat_interleave(wide, 4)
        patch = (..., slice(top, top + height), slice(left, left + width))
        noise[patch] = drawn[..., :height, :width]
    return noise


class LayerNoise:
    """Adds noise to what a module gives, at each of its calls in a pass.

    Parameters
    ----------
    module
        The module.
    name
        For sentences.
    unit_sds
        Of each call: SD of each unit, as `unit_sds_of` measures it.
    """

    def __init__(
        self, module: nn.Module, name: str, unit_sds: Sequence[Tensor]
    ) -> None:
        self._module = module
        self._name = name
        self._unit_sds = unit_sds

    @contextmanager
    def added(self, sd: float) -> Iterator[None]:
        """Add noise of `sd` of a unit's own SDs for a while: for one pass."""
        calls = iter(self._unit_sds)

        def add(module: nn.Module, inputs: object, output: object) -> object:
            unit_sds = next(calls, None)
            if unit_sds is None:
                rule = f"called {len(self._unit_sds)} times in every pass"
                raise ValueError(f"layer {self._name!r} must be {rule}, got more")
            x = _tensor(output, self._name)
            noisy = x + sd * unit_sds.to(x) * noise_like(x)
            if isinstance(output, tuple | list):
                return type(output)((noisy, *output[1:]))
            return noisy

        handle = self._module.register_forward_hook(add)
        try:
            yield
        finally:
            handle.remove()


def unit_sds_of(
    observer: BatchedObserver, module: nn.Module, name: str, practice: Practice
) -> list[Tensor]:
    """Measure the SD that a stimulus's noise gives each unit of a layer.

    Within the targets, on reserved trials at the reference contrast; pooled over the
    alternatives and frames that go through the layer as images of their own.

    Returns
    -------
    list
        A tensor of the shape of an image's output for each call of the layer in a pass.

    Raises
    ------
    ValueError
        If a pass does not call the layer before it ends, the layer gives no tensor, or
        no unit of it varies.
    """
    contrast = reference_contrast(practice.protocol)
    sums: list[_Sums] = []
    for first in range(0, N_MEASURED, observer.batch):
        n = min(observer.batch, N_MEASURED - first)
        table, frames = practice.draw(n, first, contrast, observer.device)
        noise = ObserverNoise(0, np.arange(first, first + n))
        with _recorded(module, name) as outputs:
            observer.batches.each(observer.scores, frames, noise)
        if not outputs:
            rule = "one that is called before the decision is read"
            raise ValueError(f"layer {name!r} must be {rule}, got no call of it")
        sums = sums or [_Sums() for _ in outputs]
        for each, output in zip(sums, outputs, strict=True):
            images = len(output) // observer.batch  # a batch is padded to its size
            rows = output[: n * images].reshape(n, images, *output.shape[1:])
            each.add(rows, table["target"])
    found = [each.sd() for each in sums]
    if not any(bool(each.any()) for each in found):
        rule = "one whose output depends on the stimulus's noise"
        raise ValueError(f"layer {name!r} must be {rule}, got SDs of 0")
    return found


@contextmanager
def _recorded(module: nn.Module, name: str) -> Iterator[list[Tensor]]:
    """Keep what a module gives."""
    outputs: list[Tensor] = []

    def keep(module: nn.Module, inputs: object, output: object) -> None:
        outputs.append(_tensor(output, name))

    handle = module.register_forward_hook(keep)
    try:
        yield outputs
    finally:
        handle.remove()


def _tensor(output: object, name: str) -> Tensor:
    """Give the tensor that gets the noise: of several the first, as `Layer` reads."""
    if isinstance(output, tuple | list) and output:
        output = output[0]
    if not isinstance(output, Tensor) or not output.is_floating_point():
        got = type(output).__name__
        raise ValueError(f"layer {name!r} must give a tensor of floats, got {got}")
    return output


class _Sums:
    """Sums of units and of their squares for each target; memory for one batch."""

    def __init__(self) -> None:
        self._n: dict[int, int] = {}
        self._sums: dict[int, Tensor] = {}
        self._squares: dict[int, Tensor] = {}

    def add(
        self, x: Float[Tensor, " trial image *unit"], target: Int[np.ndarray, " trial"]
    ) -> None:
        """Count trials in."""
        for each in np.unique(target).tolist():
            part = x[torch.from_numpy(target == each).to(x.device)].double()
            self._n[each] = self._n.get(each, 0) + len(part)
            self._sums[each] = self._sums.get(each, 0) + part.sum(0)
            self._squares[each] = self._squares.get(each, 0) + part.square().sum(0)

    def sd(self) -> Float[Tensor, " *unit"]:
        """Give each unit's SD; 0 where it is the same always, but for rounding."""
        variances: list[Tensor] = []
        for each, n in self._n.items():
            if n > 1:
                square, mean = self._squares[each] / n, self._sums[each] / n
                variance = (square - mean.square()) * n / (n - 1)
                variances.append(variance.where(variance > 1e-12 * square, 0.0))
        return torch.stack(variances).mean((0, 1)).sqrt()
