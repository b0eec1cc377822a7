"""Kernels of the units of any layer of any network, averaged over noise fields.

For a unit's response u in white Gaussian noise n of SD sigma:

    order 1: E[grad u]
    order 2: E[Hessian of u] = sym(E[n (grad u)^T]) / sigma^2

(Stein 1981), which holds for ReLU and max-pooling, whose Hessian by autodiff is nought
almost everywhere.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from ...experiments.session.observer import ObserverNoise
from ..networks.layers import named_module
from ..noise import drawn_for
from .means import BatchMeans, stein
from .network import gradient, network_of, outputs_of
from .responses import Progress, groups
from .stimuli import Stimuli

FIRST_FORMULA = "white-box-unit-gradient/1"
SECOND_FORMULA = "white-box-unit-stein/1"
MOST_UNITS = 64  # of a layer, where none is named
MOST_NUMBERS = 2e7  # of second-order kernels held at once: 160 MB
_N_PROBE = 2
_SAME = 1e-4
_OWN_NOISE = 3 << 60
_FIRST = 1 << 30  # trials of their own, beside those of the responses

Unit = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class LayerKernels:
    """Kernels of units of a layer.

    Attributes
    ----------
    layer
        Name of the module.
    units
        Each unit as channel and place, such as "17,4,4".
    shape
        Frames, rows and columns of the kernels: of elements, or of pixels.
    grid
        'elements' or 'pixels': what the noise is independent between.
    with_signal
        Whether the fields hold the target's signal besides noise.
    first, first_se
        (unit, frame, row, column): the mean gradient, response per contrast.
    second, second_se
        (unit, element, element): the mean Hessian, response per contrast squared; None
        where it was not asked for.
    n
        Noise fields averaged over.
    formula, second_formula
        Names and versions.
    """

    layer: str
    units: tuple[str, ...]
    shape: tuple[int, int, int]
    grid: str
    with_signal: bool
    first: Float64[np.ndarray, " unit frame row column"]
    first_se: Float64[np.ndarray, " unit frame row column"]
    second: Float64[np.ndarray, " unit element element"] | None
    second_se: Float64[np.ndarray, " unit element element"] | None
    n: int
    formula: str
    second_formula: str | None


@dataclass(frozen=True)
class Fields:
    """What a layer is shown: noise on a grid, with or without the signal."""

    stimuli: Stimuli
    grid: str
    with_signal: bool
    seed: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Frames, rows and columns of the grid."""
        protocol = self.stimuli.protocol
        is_pixels = self.grid == "pixels"
        return protocol.frame_shape if is_pixels else protocol.noise.grid

    def noise(self, first: int, n: int) -> Float[Tensor, " trial alternative f r c"]:
        """Give noise fields: of the protocol, or independent in every pixel."""
        if self.grid == "elements":
            return self.stimuli.noise(_FIRST + first, n)
        generator = torch.Generator().manual_seed((self.seed << 40) + first)
        shape = (n, self.stimuli.n_alternatives, *self.shape)
        drawn = torch.randn(shape, generator=generator) * self.stimuli.noise_sd
        return drawn.to(self.stimuli.device)

    def contrast(
        self, noise: Float[Tensor, " trial alternative f r c"]
    ) -> Float[Tensor, " trial alternative frame y x"]:
        """Give what is shown, at pixel size."""
        shown = noise
        if self.with_signal:  # every alternative holds what the target would
            m = self.stimuli.n_alternatives
            signal = self.stimuli.signal(np.arange(m) if m > 1 else np.ones(1, int))
            own = signal[torch.arange(m), torch.arange(m)]
            if self.grid == "pixels":
                own = self.stimuli.pixels(own)
            shown = noise + own
        return shown if self.grid == "pixels" else self.stimuli.pixels(shown)


class Layer:
    """A layer of an observer's network, and how to ask it for responses.

    Raises
    ------
    LookupError
        If there is no such layer.
    ValueError
        If the observer has no network, or the unit is not in the layer.
    """

    def __init__(
        self, observer: Any, layer: str, fields: Fields, unit: str | int | None
    ) -> None:
        self.network, self._input_of = network_of(observer)
        self.name, self._fields = layer, fields
        self._module = named_module(self.network, layer)
        self._observer_name = observer.name
        noise = fields.noise(0, _N_PROBE)
        with torch.no_grad():
            whole = self._ask(noise, 0)
        self.units = _units(tuple(whole.shape[1:]), unit, layer)
        self.is_apart = noise.shape[1] == 1 or self._is_additive(noise)

    def responses(
        self, noise: Float[Tensor, " trial alternative f r c"], first: int
    ) -> Float[Tensor, " trial unit"]:
        """Give the responses of the units, each summed over rows and calls."""
        whole = self._ask(noise, first)
        return torch.stack([whole[(slice(None), *unit)] for unit in self.units], dim=1)

    def _ask(self, noise: Tensor, first: int) -> Tensor:
        """Run the network; the layer's output by trial, without its rows."""
        trials = _OWN_NOISE + np.arange(first, first + len(noise))
        own = ObserverNoise(self._fields.seed, trials)
        with outputs_of(self._module) as calls, drawn_for(own):
            self.network(self._input_of(self._fields.contrast(noise)))
        if not calls:
            rule = "called when the network sees a stimulus"
            raise ValueError(f"layer {self.name!r} must be {rule}, got no call")
        return sum(
            (self._by_trial(each, len(noise)) for each in calls[1:]),
            start=(self._by_trial(calls[0], len(noise))),
        )

    def _by_trial(self, output: Tensor, n: int) -> Tensor:
        """Sum a layer's output over a trial's rows: alternatives, frames, steps."""
        own = output.shape[1:] if output.dim() < 4 else output.shape[-3:]
        rows = output.reshape(-1, *own)
        if len(rows) % n:
            rule = f"rows for each of {n} trials"
            raise ValueError(f"layer {self.name!r} must give {rule}, got {len(rows)}")
        by_trial = rows.reshape(n, -1, *own).sum(1)
        return by_trial if own else by_trial[:, None]

    def _is_additive(self, noise: Tensor) -> bool:
        """Whether every alternative is seen alike, and by itself."""
        one, other = noise[:1], noise[1:]
        mixed = torch.cat([one[:, :1], other[:, 1:]], dim=1)
        rest = torch.cat([other[:, :1], one[:, 1:]], dim=1)
        with torch.no_grad():
            a, b, c, d, e = (
                self.responses(x, 0) for x in (one, other, mixed, rest, one.flip(1))
            )
        size = torch.stack([a, b, c, d]).abs().max() + 1e-30
        away = torch.stack([(a + b - c - d).abs().max(), (a - e).abs().max()])
        return float(away.max() / size) <= _SAME


def require_room(layer: Layer, fields: Fields, orders: int) -> None:
    """Raise ValueError if there are too many second-order kernels to be held."""
    n_elements, n_units = int(np.prod(fields.shape)), len(layer.units)
    if orders == 2 and n_units * n_elements**2 > MOST_NUMBERS:
        rule = f"at most {MOST_NUMBERS:.0e}, or order 1"
        got = f"{n_units} x {n_elements}^2"
        raise ValueError(f"units x elements^2 must be {rule}, got {got}")


def layer_kernels(
    layer: Layer,
    fields: Fields,
    trials: int,
    orders: int,
    batch: int,
    progress: Progress,
) -> LayerKernels:
    """Average gradients of a layer's units over noise fields.

    Parameters
    ----------
    layer, fields
        What is asked, and what it is shown.
    trials, orders, batch
        How many trials, down to which order, and how many at once.
    progress
        Called with 'layer', trials done and trials in all.
    """
    n_units = len(layer.units)
    first, second, n_fields = BatchMeans(), BatchMeans(), 0
    variance = fields.stimuli.noise_sd**2
    for start, n in groups(trials):
        noise, slopes = _slopes(layer, fields, start, n, batch)
        n_fields += len(noise)
        first.add(slopes.mean(1))
        if orders == 2:
            second.add(np.stack([stein(noise, each) / variance for each in slopes]))
        progress("layer", start + n, trials)
    shape = (n_units, *fields.shape)
    is_two = orders == 2
    return LayerKernels(
        layer=layer.name,
        units=tuple(",".join(map(str, unit)) for unit in layer.units),
        shape=fields.shape,
        grid=fields.grid,
        with_signal=fields.with_signal,
        first=first.mean.reshape(shape),
        first_se=first.se.reshape(shape),
        second=second.mean if is_two else None,
        second_se=second.se if is_two else None,
        n=n_fields,
        formula=FIRST_FORMULA,
        second_formula=SECOND_FORMULA if is_two else None,
    )


def _slopes(
    layer: Layer, fields: Fields, first: int, n: int, batch: int
) -> tuple[
    Float64[np.ndarray, " field element"], Float64[np.ndarray, " unit field element"]
]:
    """Give noise fields, and every unit's gradient by each."""
    kept, slopes = [], []
    for start in range(first, first + n, batch):
        noise = fields.noise(start, min(batch, first + n - start)).requires_grad_()
        responses = layer.responses(noise, start)
        if not responses.requires_grad:
            rule = "differentiable by the contrast"
            raise ValueError(f"layer {layer.name!r} must be {rule}, got no gradient")
        last = responses.shape[1] - 1
        of_unit = [
            gradient(responses[:, unit].sum(), noise, keep=unit < last)
            for unit in range(last + 1)
        ]
        m = None if layer.is_apart else 1  # else the others are but context
        kept.append(_flat(noise.detach()[:, :m]))
        slopes.append(np.stack([_flat(each[:, :m]) for each in of_unit]))
    return np.concatenate(kept), np.concatenate(slopes, axis=1)


def _flat(fields: Tensor) -> Float64[np.ndarray, " field element"]:
    return fields.flatten(0, 1).flatten(1).double().cpu().numpy()


def _units(
    shape: tuple[int, ...], unit: str | int | None, layer: str
) -> tuple[Unit, ...]:
    """Read a unit's name; none is every channel at the middle of its map."""
    middle = tuple(size // 2 for size in shape[1:])
    if unit is None:
        return tuple((k, *middle) for k in range(min(shape[0], MOST_UNITS)))
    rule = f"a channel below {shape[0]}"
    if middle:
        below = ", ".join(map(str, shape[1:]))
        rule += f", alone or with its place below {below}, such as '0,{middle[0]}"
        rule += f"{',' + str(middle[1]) if len(middle) > 1 else ''}'"
    try:
        given = tuple(int(part) for part in str(unit).split(","))
    except ValueError:
        given = ()
    whole = (*given, *middle) if len(given) == 1 else given
    fits = len(whole) == len(shape) and all(
        0 <= at < size for at, size in zip(whole, shape, strict=False)
    )
    if not fits:
        raise ValueError(f"unit of layer {layer!r} must be {rule}, got {unit!r}")
    return (whole,)
