"""Controls of a network: its weights, non-linearities, pooling, or parts taken away.

What a trained network shows says something of training only if a random or shuffled one
does not show it too; and something of a part only if it goes when the part does.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.hooks import RemovableHandle

from ...experiments.protocols.checks import suggestion

WEIGHTS = ("trained", "random", "shuffled")
ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "elu": nn.ELU, "linear": nn.Identity}
POOLINGS = ("max", "average", "none")
# What stands for a network's own non-linearity; gates (sigmoid) and softmax do not.
_REPLACED = (
    *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.RReLU, nn.ELU, nn.CELU, nn.SELU),
    *(nn.GELU, nn.SiLU, nn.Mish, nn.Hardswish, nn.Softplus, nn.Tanh, nn.Hardtanh),
)


@dataclass(frozen=True)
class Controls:
    """What is done to a network before it responds.

    Attributes
    ----------
    weights
        'trained' (as they are), 'random' (first weights, drawn anew) or 'shuffled'
        (permuted within each weight tensor; biases and gains stay).
    activation
        'relu' (the network's own), 'tanh', 'elu' or 'linear'.
    pooling
        'max' (the network's own), 'average', or 'none': the middle of each window, so
        that shapes stay.
    lesions
        Layers ('v2') and units ('it:17', a channel or a feature) that put out 0.
    seed
        Of random weights and of the permutation.

    Examples
    --------
    >>> Controls(weights="shuffled", lesions=("v2", "it:17")).seed
    1
    """

    weights: str = "trained"
    activation: str = "relu"
    pooling: str = "max"
    lesions: tuple[str, ...] = ()
    seed: int = 1

    def __post_init__(self) -> None:
        known = {
            "weights": WEIGHTS,
            "activation": tuple(ACTIVATIONS),
            "pooling": POOLINGS,
        }
        for name, values in known.items():
            value = getattr(self, name)
            if value not in values:
                near = suggestion(str(value), values)
                rule = f"one of {', '.join(values)}"
                raise ValueError(f"{name} must be {rule}, got {value!r}{near}")
        if isinstance(self.lesions, str):
            rule = "a tuple of layers and units"
            raise ValueError(f"lesions must be {rule}, got {self.lesions!r}")


def apply(network: nn.Module, controls: Controls) -> nn.Module:
    """Apply controls to a network, in place, and return it.

    Parameters
    ----------
    network
        Any module. What it does by functions (`x.relu()`) instead of modules cannot be
        replaced.
    controls
        What to do: weights first, then non-linearities, pooling and lesions.

    Raises
    ------
    ValueError
        If there is nothing to replace, weights cannot be drawn anew, or a unit is out
        of range.
    LookupError
        If there is no layer of a name.

    Examples
    --------
    >>> network = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2))
    >>> apply(network, Controls(activation="tanh", pooling="average"))[1]
    Tanh()
    """
    if controls.weights == "random":
        draw_weights(network, controls.seed)
    if controls.weights == "shuffled":
        shuffle_weights(network, controls.seed)
    if controls.activation != "relu":
        replace_activations(network, controls.activation)
    if controls.pooling != "max":
        replace_pooling(network, controls.pooling)
    for place in controls.lesions:
        lesion(network, place)
    return network


def draw_weights(network: nn.Module, seed: int) -> None:
    """Draw a network's first weights anew; torch's own generator stays as it was.

    Every module with `reset_parameters` is reset, the innermost first, so that a
    network's own recipe has the last word.

    Raises
    ------
    ValueError
        If a parameter belongs to a module that cannot be reset; nothing has changed.
    """
    modules = dict(network.named_modules())
    for path, module in modules.items():
        for name, _ in module.named_parameters(recurse=False):
            if _reset(module) is None:
                full = f"{path}.{name}" if path else name
                rule = "of a module with reset_parameters, to be drawn anew"
                got = type(module).__name__
                raise ValueError(f"parameter {full!r} must be {rule}, got {got}")
    devices = {p.device for p in network.parameters() if p.device.type == "cuda"}
    with torch.random.fork_rng(devices=list(devices)), torch.no_grad():
        torch.manual_seed(seed)
        for module in reversed(modules.values()):  # parents come before children
            if (reset := _reset(module)) is not None:
                reset()


def _reset(module: nn.Module) -> Callable[[], None] | None:
    """Give what draws a module's first weights; some of torch's have it hidden."""
    hidden = getattr(module, "_reset_parameters", None)
    return getattr(module, "reset_parameters", hidden)


def shuffle_weights(network: nn.Module, seed: int) -> None:
    """Permute the values within each weight tensor (of two dimensions or more)."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in network.parameters():
            if weight.dim() > 1:
                order = torch.randperm(weight.numel(), generator=generator)
                mixed = weight.flatten()[order.to(weight.device)]
                weight.copy_(mixed.view_as(weight))


def replace_activations(network: nn.Module, activation: str) -> None:
    """Replace every module that is a non-linearity."""
    found = list(_children(network, _REPLACED))
    if not found:
        rule = "modules, such as torch.nn.ReLU, to be replaced"
        name = type(network).__name__
        raise ValueError(f"the non-linearities of {name} must be {rule}, got none")
    for parent, name, _ in found:
        setattr(parent, name, ACTIVATIONS[activation]())


def replace_pooling(network: nn.Module, pooling: str) -> None:
    """Replace every max-pooling by an average, or by the middle of its window."""
    found = list(_children(network, (nn.MaxPool2d,)))
    if not found:
        name = type(network).__name__
        rule = "torch.nn.MaxPool2d modules, to be replaced"
        raise ValueError(f"the pooling of {name} must be {rule}, got none")
    for parent, name, pool in found:
        assert isinstance(pool, nn.MaxPool2d)
        setattr(parent, name, _other_pool(pool, pooling))


def lesion(network: nn.Module, place: str) -> RemovableHandle:
    """Let a layer, or one unit of it, put out 0 from now on.

    Parameters
    ----------
    network
        Any module.
    place
        A layer's name, as `named_modules` has it; ':17' after it is a unit: index 17
        along the channels of a map, or along the features.

    Returns
    -------
    RemovableHandle
        Its `remove` undoes the lesion.

    Raises
    ------
    LookupError
        If there is no such layer.
    ValueError
        If the unit is out of range: here, or in the first pass where only that tells.
    """
    layer, colon, unit = place.partition(":")
    modules = dict(network.named_modules())
    if layer not in modules or not layer:
        near = suggestion(layer, modules)
        raise LookupError(f"no layer named {layer!r} in {type(network).__name__}{near}")
    if colon and not unit.isdecimal():
        raise ValueError(f"a unit must be a whole number from 0, got {place!r}")
    effect = Lesion(place, int(unit) if colon else None)
    sizes = ("out_channels", "out_features", "num_features", "num_channels")
    known = (getattr(modules[layer], size, None) for size in sizes)
    n_units = next((n for n in known if isinstance(n, int)), None)
    if n_units is not None:
        effect.require_unit(n_units)
    return modules[layer].register_forward_hook(effect)


@dataclass(frozen=True)
class Lesion:
    """The hook of a lesion; an object, so that a network with it can be copied."""

    place: str
    unit: int | None

    def require_unit(self, n_units: int) -> None:
        """Refuse a unit that the layer does not have."""
        if self.unit is not None and self.unit >= n_units:
            rule = f"one of {n_units} units, from 0"
            raise ValueError(f"a lesion must be of {rule}, got {self.place!r}")

    def __call__(self, module: nn.Module, inputs: object, output: object) -> object:
        """Give the output without what is lesioned."""
        if isinstance(output, tuple | list) and self.unit is None:
            return type(output)(self(module, inputs, each) for each in output)
        if not isinstance(output, Tensor):
            if self.unit is None:
                return output
            rule = "in a layer that puts out one tensor"
            got = f"{self.place!r}, which puts out {type(output).__name__}"
            raise ValueError(f"a lesioned unit must be {rule}, got {got}")
        if self.unit is None:
            return torch.zeros_like(output)
        axis = 1 if output.dim() > 1 else 0
        self.require_unit(output.shape[axis])
        spared = torch.ones(output.shape[axis], device=output.device)
        spared[self.unit] = 0
        others = [1] * (output.dim() - axis - 1)
        return output * spared.to(output.dtype).view(-1, *others)


class Middle(nn.Module):
    """No pooling: the middle of each window of a pooling, in the pooling's shape."""

    def __init__(self, pool: nn.MaxPool2d) -> None:
        super().__init__()
        self.kernel = _pair(pool.kernel_size)
        self.stride = _pair(pool.stride)
        self.padding = _pair(pool.padding)
        self.ceil_mode = pool.ceil_mode

    def forward(
        self, x: Float[Tensor, " image channel y x"]
    ) -> Float[Tensor, " image channel row column"]:
        """Give every so many-th place."""
        geometry = (self.kernel, self.stride, self.padding)
        with torch.device("meta"):  # the shape alone, by the rules of torch
            shape = torch.empty(1, 1, *x.shape[2:])
            shape = functional.max_pool2d(
                shape, *geometry, ceil_mode=self.ceil_mode
            ).shape
        for axis in (0, 1):
            first = (self.kernel[axis] - 1) // 2 - self.padding[axis]
            steps = torch.arange(shape[2 + axis], device=x.device) * self.stride[axis]
            places = (first + steps).clamp(0, x.shape[2 + axis] - 1)
            x = x.index_select(2 + axis, places)
        return x


def _other_pool(pool: nn.MaxPool2d, pooling: str) -> nn.Module:
    if _pair(pool.dilation) != (1, 1) or pool.return_indices:
        rule = "without dilation and indices, to be replaced"
        raise ValueError(f"max-pooling must be {rule}, got {pool}")
    if pooling == "none":
        return Middle(pool)
    return nn.AvgPool2d(
        pool.kernel_size,
        pool.stride,
        pool.padding,
        pool.ceil_mode,
        count_include_pad=False,
    )


def _children(
    network: nn.Module, kinds: tuple[type[nn.Module], ...]
) -> Iterator[tuple[nn.Module, str, nn.Module]]:
    """Yield each module of some kinds with its parent and its name there."""
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, kinds):
                yield parent, name, child


def _pair(size: int | tuple[int, ...]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (size[0], size[1])
